/* SPDX-License-Identifier: MIT */
/* The room permission: what each server says when its ACL forbids something, and the rule that is made of it. */
#include "expect.h"
#include "permission.h"
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char script[] = "-- a comment\n"
                             "local line = try('HGET', records_key, id)\n"
                             "if call('PTTL', key) < worn then call('PEXPIRE', key, lifetime) end\n"
                             "note('window', began) -- call('\n"
                             "call('ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ')";

static struct netron_settings settings;

static void make_settings(void)
{
    settings = (struct netron_settings){.key_prefix = strdup("netron:discovery"),
                                        .pubsub_channel = strdup("netron:discovery:events")};
}

static void clear_settings(void)
{
    netron_settings_clear(&settings);
}

static int fail_with(const char *error, const char *of, const char *what, struct netron_failure *why)
{
    char text[512];
    redisReply reply = {.type = REDIS_REPLY_ERROR, .str = text};
    snprintf(text, sizeof(text), "%s", error);
    reply.len = strlen(text);
    const void *same = &reply;
    return netron_permission_fail(&settings, of, same, what, why);
}

#define SHA " script: 06e6dfa7920e7c9089ce7982f42d4d7615c00b37, on @user_script:"

START_TEST(each_servers_words_lead_to_the_rule_that_is_missing)
{
    static const struct {
        const char *error;
        const char *rule;
    } cases[] = {
        /* Redis 6.2 */
        {"NOPERM this user has no permissions to run the 'client' command or its subcommand", "+client"},
        {"ERR Error running script (call to f_06e6): @user_script:3: @user_script: 3: The user executing the script "
         "can't "
         "run this command or subcommand",
         "+pttl or +pexpire"},
        {"@user_script: 2: The user executing the script can't run this command or subcommand", "+hget"},
        {"@user_script: 2: The user executing the script can't access at least one of the keys mentioned in the "
         "command "
         "arguments",
         "~netron:discovery:*"},
        /* Redis 7.0 */
        {"NOPERM this user has no permissions to run the 'getex' command", "+getex"},
        {"NOPERM this user has no permissions to run the 'client|setname' command", "+client|setname"},
        {"NOPERM this user has no permissions to access one of the keys used as arguments", "~netron:discovery:*"},
        {"NOPERM this user has no permissions to access one of the channels used as arguments",
         "&netron:discovery:events"},
        {"ERR The user executing the script can't run this command or subcommand" SHA "2.", "+hget"},
        {"ERR The user executing the script can't run this command or subcommand" SHA "3.", "+pttl or +pexpire"},
        {"ERR The user executing the script can't access at least one of the keys mentioned in the command "
         "arguments" SHA "2.",
         "~netron:discovery:*"},
        {"ERR The user executing the script can't publish to the channel mentioned in the command" SHA "2.",
         "&netron:discovery:events"},
        /* Redis 7.2 and later, Valkey */
        {"NOPERM User u has no permissions to run the 'script|load' command", "+script|load"},
        {"NOPERM No permissions to access a key", "~netron:discovery:*"},
        {"NOPERM No permissions to access a channel", "&netron:discovery:events"},
        {"ERR ACL failure in script: User u has no permissions to run the 'zadd' command" SHA "3.", "+zadd"},
        {"ERR ACL failure in script: No permissions to access a key" SHA "3.", "~netron:discovery:*"},
        {"ERR ACL failure in script: No permissions to access a channel", "&netron:discovery:events"},
        /* a user can have any name */
        {"NOPERM User access-a-key'of-the-channels has no permissions to run the 'get' command", "+get"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char end[80];
        struct netron_failure why = {0};
        int code = fail_with(cases[i].error, script, "register", &why);
        snprintf(end, sizeof(end), "; the user needs %s", cases[i].rule);
        expect_refusal(cases[i].error, code, NETRON_EPERM, &why, end);
        ck_assert_str_eq(strstr(why.sentence, "; the user"), end);
        ck_assert_ptr_eq(strstr(why.sentence, "register: "), why.sentence);
        ck_assert_ptr_nonnull(strstr(why.sentence, cases[i].error));
        ck_assert_int_eq(fail_with(cases[i].error, script, "register", NULL), NETRON_EPERM);
    }
}
END_TEST

START_TEST(where_the_words_leave_doubt_they_stand_alone)
{
    static const char *const errors[] = {
        "NOPERM",
        "NOPERM something else",
        "NOPERM this user has no permissions to run the '",
        "NOPERM this user has no permissions to run the ''",
        "NOPERM this user has no permissions to run the 'a b' command",
        "NOPERM to run the 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz' command",
        "DENIED Redis is running in protected mode",
        "ERR The user executing the script can't run this command or subcommand",
        "ERR The user executing the script can't run this command or subcommand" SHA "1.",
        "ERR The user executing the script can't run this command or subcommand" SHA "4.",
        "ERR The user executing the script can't run this command or subcommand" SHA "5.",
        "ERR The user executing the script can't run this command or subcommand" SHA "6.",
        "ERR The user executing the script can't run this command or subcommand" SHA "0.",
        "ERR The user executing the script can't run this command or subcommand" SHA "-1.",
        "ERR The user executing the script can't run this command or subcommand" SHA "99999999999999999999.",
    };
    for (size_t i = 0; i < COUNT_OF(errors); i++) {
        struct netron_failure why = {0};
        char whole[256];
        snprintf(whole, sizeof(whole), "GETEX: %s", errors[i]);
        expect_refusal(errors[i], fail_with(errors[i], script, "GETEX", &why), NETRON_EPERM, &why, whole);
        ck_assert_str_eq(why.sentence, whole);
        fail_with(errors[i], NULL, "GETEX", &why); /* no script at all */
        ck_assert_str_eq(why.sentence, whole);
    }
}
END_TEST

START_TEST(what_is_no_refusal_of_an_acl_is_told_as_ever)
{
    struct netron_failure why = {0};
    redisReply nil = {.type = REDIS_REPLY_NIL};
    const void *same = &nil;
    expect_refusal("oom", fail_with("OOM of the keys", script, "GET", &why), NETRON_EUNAVAILABLE, &why, "GET: OOM");
    ck_assert_ptr_null(strstr(why.sentence, "the user needs"));
    int code = netron_permission_fail(&settings, NULL, same, "GET", &why);
    expect_refusal("nil", code, NETRON_EPROTOCOL, &why, "GET: unexpected reply");
}
END_TEST

START_TEST(beside_redis_no_rule_is_about_keys)
{
    static const struct {
        const char *error;
        const char *told;
    } cases[] = {
        {"NOPERM No permissions to access a key", "SUBSCRIBE x: NOPERM No permissions to access a key"},
        {"NOPERM No permissions to access a channel",
         "SUBSCRIBE x: NOPERM No permissions to access a channel; the user needs &x"},
        {"NOPERM User u has no permissions to run the 'ping' command",
         "SUBSCRIBE x: NOPERM User u has no permissions to run the 'ping' command; the user needs +ping"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_failure why = {0};
        char text[128];
        redisReply reply = {.type = REDIS_REPLY_ERROR, .str = text, .len = strlen(cases[i].error)};
        snprintf(text, sizeof(text), "%s", cases[i].error);
        const void *same = &reply;
        ck_assert_int_eq(netron_permission_fail_beside("x", same, "SUBSCRIBE x", &why), NETRON_EPERM);
        ck_assert_str_eq(why.sentence, cases[i].told);
    }
}
END_TEST

START_TEST(a_rule_is_a_pattern_and_names_what_is_no_pattern_by_escapes)
{
    struct netron_failure why = {0};
    clear_settings();
    settings.key_prefix = strdup("a b*c?[d]\\{e}");
    settings.pubsub_channel = strdup("*");
    fail_with("NOPERM No permissions to access a key", NULL, "GET", &why);
    ck_assert_str_eq(strstr(why.sentence, "~"), "~a?b\\*c\\?\\[d\\]\\\\{e}:*");
    fail_with("NOPERM No permissions to access a channel", NULL, "GET", &why);
    ck_assert_str_eq(strstr(why.sentence, "&"), "&\\*");
}
END_TEST

/* The longest names that there can be; the rule is what has to be read. */
START_TEST(the_words_of_redis_give_way_to_the_rule)
{
    char channel[NETRON_CHANNEL_MAX + 1];
    char what[32 + NETRON_CHANNEL_MAX];
    char rule[32 + NETRON_CHANNEL_MAX];
    for (size_t length = 1; length <= NETRON_CHANNEL_MAX; length++) {
        struct netron_failure why = {0};
        free(settings.pubsub_channel);
        settings.pubsub_channel = strdup(fill(channel, 'c', length));
        snprintf(what, sizeof(what), "SUBSCRIBE %s", channel);
        snprintf(rule, sizeof(rule), "the user needs &%s", channel);
        int code = fail_with("NOPERM this user has no permissions to access one of the channels used as arguments",
                             NULL, what, &why);
        expect_refusal(rule, code, NETRON_EPERM, &why, rule);
    }
    free(settings.pubsub_channel);
    settings.pubsub_channel = strdup(fill(channel, '*', NETRON_CHANNEL_MAX));
    ck_assert_int_eq(fail_with("NOPERM No permissions to access a channel", NULL, "SUBSCRIBE", NULL), NETRON_EPERM);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("permission");
    TCase *tcase = suite_case(suite, "permission");
    tcase_add_checked_fixture(tcase, make_settings, clear_settings);
    tcase_add_test(tcase, each_servers_words_lead_to_the_rule_that_is_missing);
    tcase_add_test(tcase, where_the_words_leave_doubt_they_stand_alone);
    tcase_add_test(tcase, what_is_no_refusal_of_an_acl_is_told_as_ever);
    tcase_add_test(tcase, beside_redis_no_rule_is_about_keys);
    tcase_add_test(tcase, a_rule_is_a_pattern_and_names_what_is_no_pattern_by_escapes);
    tcase_add_test(tcase, the_words_of_redis_give_way_to_the_rule);
    return suite_run(suite);
}
