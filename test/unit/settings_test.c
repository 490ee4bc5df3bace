/* SPDX-License-Identifier: MIT */
/* The room settings: the defaults, every limit of the options with the member named, and structs of other versions. */
#include "expect.h"
#include "recorders.h"
#include "settings.h"
#include <stdio.h>
#include <stdlib.h>

static netron_options init(void)
{
    netron_options options;
    memset(&options, 0x5a, sizeof(options));
    netron_options_init(&options);
    return options;
}

static void expect_cleared(const struct netron_settings *settings)
{
    static const struct netron_settings blank;
    ck_assert_ptr_null(settings->key_prefix);
    ck_assert_ptr_null(settings->client_name);
    ck_assert_ptr_null(settings->pubsub_channel);
    ck_assert_ptr_null(settings->redis.hosts);
    ck_assert_ptr_null(settings->redis.password);
    ck_assert_uint_eq(settings->heartbeat_ttl_ms, blank.heartbeat_ttl_ms);
    ck_assert(settings->log == NULL);
}

/* The two doors have to say the same. */
static void expect_refused(const netron_options *options, int wanted, const char *words)
{
    struct netron_settings settings;
    struct netron_failure why = {0};
    char sentence[NETRON_SENTENCE_SIZE] = "";
    memset(&settings, 0x5a, sizeof(settings));
    expect_refusal(words, netron_settings_make(options, &settings, &why), wanted, &why, words);
    expect_cleared(&settings);
    ck_assert_int_eq(netron_options_check(options, sentence, sizeof(sentence)), wanted);
    ck_assert_str_eq(sentence, why.sentence);
}

static struct netron_settings expect_made(const char *what, const netron_options *options)
{
    struct netron_settings settings;
    struct netron_failure why = {0};
    char sentence[8] = "unset";
    expect_success(what, netron_settings_make(options, &settings, &why), &why);
    ck_assert_int_eq(netron_options_check(options, sentence, sizeof(sentence)), 0);
    ck_assert_str_eq(sentence, "");
    return settings;
}

static void expect_fine(const char *what, const netron_options *options)
{
    struct netron_settings settings = expect_made(what, options);
    netron_settings_clear(&settings);
}

/* ---- defaults ---- */

static void expect_defaults(const char *what, const netron_options *options)
{
    struct netron_settings settings = expect_made(what, options);
    ck_assert_str_eq(settings.redis.hosts[0].name, "127.0.0.1");
    ck_assert_uint_eq(settings.redis.hosts[0].port, 6379);
    ck_assert_uint_eq(settings.redis.database, 0);
    ck_assert_ptr_null(settings.redis.path);
    ck_assert_ptr_null(settings.redis.username);
    ck_assert_ptr_null(settings.redis.password);
    ck_assert_str_eq(settings.key_prefix, "netron:discovery");
    ck_assert_str_eq(settings.client_name, "netron");
    ck_assert_str_eq(settings.pubsub_channel, "netron:discovery:events");
    ck_assert(!settings.pubsub_enabled);
    ck_assert_int_eq(settings.registration_policy, NETRON_TAKE_OVER);
    ck_assert_uint_eq(settings.heartbeat_interval_ms, 5000);
    ck_assert_uint_eq(settings.heartbeat_ttl_ms, 15000);
    ck_assert_uint_eq(settings.retry_count, 3);
    ck_assert_uint_eq(settings.retry_delay_ms, 500);
    ck_assert_uint_eq(settings.shutdown_timeout_ms, 5000);
    ck_assert_uint_eq(settings.connect_timeout_ms, 5000);
    ck_assert_uint_eq(settings.command_timeout_ms, 5000);
    ck_assert_uint_eq(settings.ping_interval_ms, 10000);
    ck_assert_uint_eq(settings.reconnect_min_ms, 100);
    ck_assert_uint_eq(settings.reconnect_max_ms, 10000);
    ck_assert_uint_eq(settings.lookups_max, 1024);
    ck_assert_uint_eq(settings.tcp_user_timeout_ms, 0);
    ck_assert(settings.log == NULL && settings.on_link == NULL);
    netron_settings_clear(&settings);
    expect_cleared(&settings);
    netron_settings_clear(&settings);
}

START_TEST(what_is_not_set_has_its_default)
{
    netron_options options = init();
    expect_defaults("all zero", &options);
    expect_defaults("NULL", NULL);
}
END_TEST

START_TEST(what_is_set_is_taken_over_and_copied)
{
    char url[] = "redis://h:7000/3", prefix[] = "p", name[] = "n", channel[] = "c", user[] = "u", password[] = "w";
    int log_arg, link_arg;
    netron_options options = init();
    options.url = url;
    options.username = user;
    options.password = password;
    options.key_prefix = prefix;
    options.client_name = name;
    options.heartbeat_interval_ms = 1;
    options.heartbeat_ttl_ms = 1002;
    options.retry_count = 4;
    options.retry_delay_ms = 5;
    options.registration_policy = NETRON_REJECT;
    options.shutdown_timeout_ms = 6;
    options.pubsub_enabled = -1;
    options.pubsub_channel = channel;
    options.connect_timeout_ms = 7;
    options.command_timeout_ms = 8;
    options.ping_interval_ms = 9;
    options.reconnect_min_ms = 10;
    options.reconnect_max_ms = 11;
    options.tcp_user_timeout_ms = 13;
    options.lookups_max = 12;
    options.log = record_log;
    options.log_arg = &log_arg;
    options.on_link = record_link;
    options.on_link_arg = &link_arg;
    struct netron_settings settings = expect_made("all", &options);
    url[8] = prefix[0] = name[0] = channel[0] = user[0] = password[0] = 'x';
    ck_assert_str_eq(settings.redis.hosts[0].name, "h");
    ck_assert_uint_eq(settings.redis.hosts[0].port, 7000);
    ck_assert_uint_eq(settings.redis.database, 3);
    ck_assert_str_eq(settings.redis.username, "u");
    ck_assert_str_eq(settings.redis.password, "w");
    ck_assert_str_eq(settings.key_prefix, "p");
    ck_assert_str_eq(settings.client_name, "n");
    ck_assert_str_eq(settings.pubsub_channel, "c");
    ck_assert(settings.pubsub_enabled);
    ck_assert_int_eq(settings.registration_policy, NETRON_REJECT);
    const uint32_t numbers[] = {
        settings.heartbeat_interval_ms, settings.heartbeat_ttl_ms,    settings.retry_count,
        settings.retry_delay_ms,        settings.shutdown_timeout_ms, settings.connect_timeout_ms,
        settings.command_timeout_ms,    settings.ping_interval_ms,    settings.reconnect_min_ms,
        settings.reconnect_max_ms,      settings.lookups_max,         settings.tcp_user_timeout_ms};
    static const uint32_t wanted[] = {1, 1002, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        ck_assert_uint_eq(numbers[i], wanted[i]);
    ck_assert(settings.log == record_log && settings.on_link == record_link);
    ck_assert_ptr_eq(settings.log_arg, &log_arg);
    ck_assert_ptr_eq(settings.on_link_arg, &link_arg);
    netron_settings_clear(&settings);
}
END_TEST

/* ---- limits ---- */

#define NUMBER(member)                                                                                                 \
    {                                                                                                                  \
#member, offsetof(netron_options, member)                                                                      \
    }

static void set_number(netron_options *options, size_t offset, uint32_t value)
{
    memcpy((char *)options + offset, &value, sizeof(value));
}

START_TEST(every_time_is_a_day_at_most)
{
    static const struct {
        const char *member;
        size_t offset;
    } times[] = {
        NUMBER(heartbeat_ttl_ms),   NUMBER(retry_delay_ms),   NUMBER(shutdown_timeout_ms), NUMBER(connect_timeout_ms),
        NUMBER(command_timeout_ms), NUMBER(ping_interval_ms), NUMBER(reconnect_max_ms),    NUMBER(tcp_user_timeout_ms),
    };
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        char words[64];
        netron_options options = init();
        snprintf(words, sizeof(words), "options.%s is 86400001", times[i].member);
        set_number(&options, times[i].offset, 86400000);
        expect_fine(times[i].member, &options);
        set_number(&options, times[i].offset, 86400001);
        expect_refused(&options, NETRON_ELIMIT, words);
        snprintf(words, sizeof(words), "options.%s", times[i].member);
        set_number(&options, times[i].offset, UINT32_MAX);
        expect_refused(&options, NETRON_ELIMIT, words);
    }
    netron_options options = init();
    options.reconnect_max_ms = options.reconnect_min_ms = 86400000;
    expect_fine("reconnect_min_ms", &options);
    options.reconnect_min_ms = 86400001;
    expect_refused(&options, NETRON_ELIMIT, "options.reconnect_min_ms");
}
END_TEST

START_TEST(the_smallest_of_every_number_but_the_ttl_is_1)
{
    netron_options options = init();
    options.heartbeat_interval_ms = options.retry_count = options.retry_delay_ms = options.shutdown_timeout_ms = 1;
    options.connect_timeout_ms = options.command_timeout_ms = options.ping_interval_ms = options.lookups_max = 1;
    options.reconnect_min_ms = options.reconnect_max_ms = 1;
    expect_fine("all 1", &options);
    options.lookups_max = UINT32_MAX;
    expect_fine("lookups_max", &options);
}
END_TEST

START_TEST(the_ttl_is_a_second_at_least)
{
    netron_options options = init();
    options.heartbeat_interval_ms = 100;
    options.heartbeat_ttl_ms = 1000;
    expect_fine("1000", &options);
    options.heartbeat_ttl_ms = 999;
    expect_refused(&options, NETRON_ELIMIT, "options.heartbeat_ttl_ms is 999: 1000 to 86400000");
    options.heartbeat_ttl_ms = 1;
    expect_refused(&options, NETRON_ELIMIT, "options.heartbeat_ttl_ms");
}
END_TEST

START_TEST(retries_are_10_at_most)
{
    netron_options options = init();
    options.retry_count = 10;
    expect_fine("10", &options);
    options.retry_count = 11;
    expect_refused(&options, NETRON_ELIMIT, "options.retry_count is 11: 1 to 10");
}
END_TEST

START_TEST(the_ttl_is_twice_the_interval_at_least)
{
    netron_options options = init();
    options.heartbeat_ttl_ms = 10000; /* the interval is 5000 */
    expect_fine("twice", &options);
    options.heartbeat_ttl_ms = 9999;
    expect_refused(&options, NETRON_EINVAL, "options.heartbeat_ttl_ms (9999)");
    expect_refused(&options, NETRON_EINVAL, "options.heartbeat_interval_ms (5000)");
    options = init();
    options.heartbeat_interval_ms = 7500; /* the TTL is 15000 */
    expect_fine("half", &options);
    options.heartbeat_interval_ms = 7501;
    expect_refused(&options, NETRON_EINVAL, "options.heartbeat_interval_ms (7501)");
    options.heartbeat_interval_ms = 43200000;
    options.heartbeat_ttl_ms = 86400000;
    expect_fine("the largest", &options);
    options.heartbeat_interval_ms = 43200001;
    expect_refused(&options, NETRON_EINVAL, "options.heartbeat_ttl_ms");
    options.heartbeat_interval_ms = UINT32_C(1) << 31; /* twice that is 0 in 32 bits */
    expect_refused(&options, NETRON_ELIMIT, "options.heartbeat_interval_ms");
}
END_TEST

START_TEST(a_ttl_below_three_intervals_is_warned_of_once)
{
    static const struct {
        uint32_t interval, ttl;
        int warnings;
    } cases[] = {{5000, 15000, 0}, {5000, 14999, 1},        {5000, 10000, 1},        {1, 1000, 0},
                 {334, 1001, 1},   {28800000, 86400000, 0}, {28800001, 86400000, 1}, {5000, 9999, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct log_recorder lines = {0};
        struct netron_settings settings;
        netron_options options = init();
        options.heartbeat_interval_ms = cases[i].interval;
        options.heartbeat_ttl_ms = cases[i].ttl;
        options.log = record_log;
        options.log_arg = &lines;
        netron_settings_make(&options, &settings, NULL);
        ck_assert_msg(lines.count == cases[i].warnings, "%u of %u: %d lines", cases[i].ttl, cases[i].interval,
                      lines.count);
        if (lines.count > 0) {
            ck_assert_int_eq(lines.level[0], NETRON_LOG_WARNING);
            ck_assert_int_eq(log_count(&lines, "options.heartbeat_ttl_ms"), 1);
            ck_assert_int_eq(log_count(&lines, "options.heartbeat_interval_ms"), 1);
        }
        netron_settings_clear(&settings);
    }
}
END_TEST

START_TEST(reconnects_wait_no_longer_at_first_than_at_most)
{
    netron_options options = init();
    options.reconnect_min_ms = 10000; /* at most 10000 */
    expect_fine("the same", &options);
    options.reconnect_min_ms = 10001;
    expect_refused(&options, NETRON_EINVAL, "options.reconnect_min_ms (10001)");
    options = init();
    options.reconnect_max_ms = 99; /* at first 100 */
    expect_refused(&options, NETRON_EINVAL, "options.reconnect_max_ms (99)");
}
END_TEST

START_TEST(a_policy_is_one_of_two)
{
    static const int odd[] = {3, -1, 1000};
    netron_options options = init();
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        memcpy(&options.registration_policy, &odd[i], sizeof(odd[i])); /* no value that the enumeration has */
        expect_refused(&options, NETRON_EINVAL, "options.registration_policy");
    }
    options.registration_policy = NETRON_TAKE_OVER;
    expect_fine("TAKE_OVER", &options);
}
END_TEST

/* ---- texts ---- */

static const struct {
    const char *member;
    size_t offset;
    size_t max;
} texts[] = {
    {"options.key_prefix", offsetof(netron_options, key_prefix), 128},
    {"options.client_name", offsetof(netron_options, client_name), 64},
    {"options.pubsub_channel", offsetof(netron_options, pubsub_channel), 256},
};

static netron_options with_text(size_t offset, const char *text)
{
    netron_options options = init();
    memcpy((char *)&options + offset, &text, sizeof(text));
    return options;
}

START_TEST(texts_have_a_length_from_1_to_their_limit)
{
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char text[300];
        char words[64];
        netron_options options = with_text(texts[i].offset, "");
        expect_refused(&options, NETRON_EINVAL, texts[i].member);
        options = with_text(texts[i].offset, "x");
        expect_fine(texts[i].member, &options);
        options = with_text(texts[i].offset, fill(text, 'x', texts[i].max));
        expect_fine(texts[i].member, &options);
        options = with_text(texts[i].offset, fill(text, 'x', texts[i].max + 1));
        snprintf(words, sizeof(words), "%s is longer than %zu bytes", texts[i].member, texts[i].max);
        expect_refused(&options, NETRON_ELIMIT, words);
    }
}
END_TEST

START_TEST(texts_are_utf_8_without_controls)
{
    static const char *const odd[] = {"a\nb", "\x1f", "a\x7f", "a\xff", "\xc3", "\xed\xa0\x80"};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        for (size_t each = 0; each < COUNT_OF(odd); each++) {
            netron_options options = with_text(texts[i].offset, odd[each]);
            expect_refused(&options, NETRON_EINVAL, texts[i].member);
        }
    netron_options options = with_text(offsetof(netron_options, key_prefix), "a b \xc3\xa9 {x}");
    expect_fine("a prefix may hold them", &options);
}
END_TEST

START_TEST(a_client_name_is_printable_ascii_without_blanks)
{
    static const char *const odd[] = {" ", "a b", "a\xc3\xa9", "\xc2\xa0"};
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        netron_options options = with_text(offsetof(netron_options, client_name), odd[i]);
        expect_refused(&options, NETRON_EINVAL, "options.client_name");
    }
    netron_options options = with_text(offsetof(netron_options, client_name), "!az~09-_:.");
    expect_fine("punctuation", &options);
}
END_TEST

START_TEST(the_channel_follows_the_longest_prefix)
{
    char prefix[129];
    char wanted[140];
    netron_options options = with_text(offsetof(netron_options, key_prefix), fill(prefix, 'p', 128));
    struct netron_settings settings = expect_made("prefix", &options);
    snprintf(wanted, sizeof(wanted), "%s:events", prefix);
    ck_assert_str_eq(settings.pubsub_channel, wanted);
    netron_settings_clear(&settings);
}
END_TEST

/* ---- sentinels ---- */

START_TEST(what_is_for_sentinels_needs_some)
{
    netron_options options;
    netron_options_init(&options);
    options.sentinel_password = "";
    expect_fine("no password", &options);
    options.sentinel_password = "secret";
    expect_refused(&options, NETRON_EINVAL, "need a redis+sentinel URL");
    options.url = "redis+sentinel://a,b/main";
    expect_fine("a password", &options);
    options.sentinel_username = "";
    expect_refused(&options, NETRON_EINVAL, "options.sentinel_username is empty");
    options.sentinel_username = "watcher";
    expect_fine("both", &options);
    options.sentinel_password = NULL;
    expect_refused(&options, NETRON_EINVAL, "options.sentinel_username needs options.sentinel_password");
}
END_TEST

START_TEST(sentinels_have_credentials_of_their_own)
{
    netron_options options;
    netron_options_init(&options);
    options.url = "redis+sentinel://alice:of-redis@a,b/main";
    options.sentinel_password = "of-sentinel";
    struct netron_settings settings = expect_made("sentinels", &options);
    ck_assert_str_eq(settings.redis.password, "of-redis");
    ck_assert_str_eq(settings.sentinel_password, "of-sentinel");
    ck_assert_ptr_null(settings.sentinel_username);
    netron_settings_clear(&settings);
    ck_assert_ptr_null(settings.sentinel_password);
}
END_TEST

/* ---- in a cluster ---- */

START_TEST(in_a_cluster_all_keys_have_to_be_in_one_slot)
{
    static const struct {
        const char *prefix;
        const char *words;
    } refused[] = {
        {NULL, "\"{netron:discovery}\" instead of \"netron:discovery\""},
        {"orders", "options.key_prefix needs a hash tag"},
        {"orders", "\"{orders}\" instead of \"orders\""},
        {"{}orders", "options.key_prefix needs a hash tag"},
        {"orders{", "options.key_prefix needs a hash tag"},
        {"}orders{", "options.key_prefix needs a hash tag"},
    };
    netron_options options = init();
    options.url = "redis+cluster://h";
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        options.key_prefix = refused[i].prefix;
        expect_refused(&options, NETRON_EINVAL, refused[i].words);
    }
    options.key_prefix = "{orders}";
    expect_fine("a tag", &options);
    options.key_prefix = "a:{orders}:b";
    expect_fine("a tag within", &options);
    options.key_prefix = "orders";
    options.url = "redis://h";
    expect_fine("a server of its own", &options);
}
END_TEST

START_TEST(in_a_cluster_the_channel_has_to_be_in_the_slot_of_the_keys)
{
    netron_options options = init();
    options.url = "redis+cluster://h";
    options.key_prefix = "{orders}";
    options.pubsub_channel = "news";
    expect_refused(&options, NETRON_EINVAL, "options.pubsub_channel is in another slot");
    expect_refused(&options, NETRON_EINVAL, "as in \"{orders}:events\"");
    options.pubsub_channel = "{order}:news";
    expect_refused(&options, NETRON_EINVAL, "options.pubsub_channel");
    options.pubsub_channel = "news:{orders}";
    expect_fine("the tag of the keys", &options);
    options.pubsub_channel = "orders"; /* what the tag holds is hashed alike */
    expect_fine("the slot of the keys", &options);
    options.pubsub_channel = "news";
    options.url = "redis://h";
    struct netron_settings settings = expect_made("a server of its own", &options);
    ck_assert(!settings.is_in_one_slot);
    netron_settings_clear(&settings);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settings");
    TCase *tcase = suite_case(suite, "numbers");
    tcase_add_test(tcase, what_is_not_set_has_its_default);
    tcase_add_test(tcase, what_is_set_is_taken_over_and_copied);
    tcase_add_test(tcase, every_time_is_a_day_at_most);
    tcase_add_test(tcase, the_smallest_of_every_number_but_the_ttl_is_1);
    tcase_add_test(tcase, the_ttl_is_a_second_at_least);
    tcase_add_test(tcase, retries_are_10_at_most);
    tcase_add_test(tcase, the_ttl_is_twice_the_interval_at_least);
    tcase_add_test(tcase, a_ttl_below_three_intervals_is_warned_of_once);
    tcase_add_test(tcase, reconnects_wait_no_longer_at_first_than_at_most);
    tcase_add_test(tcase, a_policy_is_one_of_two);
    tcase = suite_case(suite, "texts");
    tcase_add_test(tcase, texts_have_a_length_from_1_to_their_limit);
    tcase_add_test(tcase, texts_are_utf_8_without_controls);
    tcase_add_test(tcase, a_client_name_is_printable_ascii_without_blanks);
    tcase_add_test(tcase, the_channel_follows_the_longest_prefix);
    tcase = suite_case(suite, "sentinels");
    tcase_add_test(tcase, what_is_for_sentinels_needs_some);
    tcase_add_test(tcase, sentinels_have_credentials_of_their_own);
    tcase = suite_case(suite, "cluster");
    tcase_add_test(tcase, in_a_cluster_all_keys_have_to_be_in_one_slot);
    tcase_add_test(tcase, in_a_cluster_the_channel_has_to_be_in_the_slot_of_the_keys);
    return suite_run(suite);
}
