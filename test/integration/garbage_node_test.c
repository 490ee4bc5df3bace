/* SPDX-License-Identifier: MIT */
/* Garbage where a node's own hash should be. A lookup skips it, counts it, says so once, finds the rest, deletes
 * nothing. */
#include "scene.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOOD "good 10.0.0.1:80 orders@1.0.0"
#define ORDERS "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]"
#define BAD_NODE PREFIX ":nodes:bad"

static struct log_recorder lines;
static netron_discovery *discovery;

/* A good node of ours, and a live one whose hash the test spoils. */
static void open_garbage(void)
{
    netron_options options = scene_options();
    options.log = record_log;
    options.log_arg = &lines;
    discovery = scene_join(&options);
    scene_enrol(discovery, "good", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    scene_store_original("bad", "10.0.0.2:80", ORDERS);
    EXPECT_FOUND(discovery, "orders", NULL, "bad 10.0.0.2:80 orders@1.0.0; " GOOD);
}

static void close_garbage(void)
{
    netron_discovery_free(discovery);
}

/* As if a script of ours had seen the node, so that the index of the service is used, and not that of all nodes. */
static void adopt_bad(void)
{
    server_expect(&scene.server, "1", "ZADD %s 9999999999999 bad", PREFIX ":expiry");
    server_expect(&scene.server, "1", "SADD %s bad", PREFIX ":index:service:orders");
}

static void expect_skipped(const char *words)
{
    uint64_t before = scene_stats(discovery).skipped_records;
    const char *picture = scene_picture();
    EXPECT_FOUND(discovery, "orders", NULL, GOOD);
    EXPECT_FOUND(discovery, "orders", "1.0.0", GOOD);
    EXPECT_FOUND(discovery, NULL, NULL, GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, before + 3);
    ck_assert_int_eq(log_count(&lines, "skipping the record of node bad"), 1);
    ck_assert_msg(log_count(&lines, words) == 1, "no line says \"%s\"", words);
    ck_assert_str_eq(scene_picture(), picture);
}

/* By both ways to the ids. */
static void expect_skipped_twice(const char *words)
{
    expect_skipped(words);
    adopt_bad();
    expect_skipped(words);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 6);
}

static const struct {
    const char *command;
    const char *value;
} wrong_types[] = {
    {"SET", "garbage"}, {"RPUSH", "garbage"}, {"SADD", "garbage"}, {"PFADD", "garbage"}, {"LPUSH", "{}"},
};

START_TEST(another_type_than_a_hash)
{
    char type[32];
    server_expect(&scene.server, "1", "DEL %s", BAD_NODE);
    freeReplyObject(server_ask(&scene.server, "%s %s %s", wrong_types[_i].command, BAD_NODE, wrong_types[_i].value));
    ck_assert(server_text(&scene.server, type, sizeof(type), "TYPE %s", BAD_NODE));
    ck_assert_str_ne(type, "hash");
    ck_assert_str_ne(type, "none");
    expect_skipped_twice("WRONGTYPE");
}
END_TEST

static const struct {
    const char *member;
    const char *value; /* NULL = it is missing */
    const char *words;
} wrong_members[] = {
    {"address", NULL, "address is missing"},
    {"address", "", "address is empty"},
    {"address", "10.0.0.2:80\n", "address holds a control character"},
    {"address", "\xff\xfe:80", "address is not valid UTF-8"},
    {"services", NULL, "services is missing"},
    {"services", "", "no JSON"},
    {"services", "[", "no JSON"},
    {"services", "[{\"name\":\"orders\"}", "no JSON"},
    {"services", "[{\"name\":\"orders\"}]]", "no JSON"},
    {"services", "[{'name':'orders'}]", "no JSON"},
    {"services", "orders", "no JSON"},
    {"services", "\x80\x81", "no JSON"},
    {"services", "{\"name\":\"orders\"}", "no JSON array"},
    {"services", "{}", "no JSON array"},
    {"services", "null", "no JSON"},
    {"services", "7", "no JSON"},
    {"services", "\"orders\"", "no JSON"},
    {"services", "[null]", "services[0]"},
    {"services", "[\"orders\"]", "services[0]"},
    {"services", "[[\"orders\"]]", "services[0]"},
    {"services", "[{\"name\":\"orders\"},{}]", "services[1].name"},
    {"services", "[{\"version\":\"1.0.0\"}]", "services[0].name"},
    {"services", "[{\"name\":null}]", "services[0].name"},
    {"services", "[{\"name\":1}]", "services[0].name"},
    {"services", "[{\"name\":\"\"}]", "services[0].name"},
    {"services", "[{\"name\":\"or\\nders\"}]", "services[0].name"},
    {"services", "[{\"name\":\"orders\\u0000\"}]", "services[0].name"},
    {"services", "[{\"name\":\"orders\",\"version\":\"1.0.0\\u0000\"}]", "services[0].version"},
    {"services", "[{\"name\":\"\\ud800\"}]", "no JSON"},
    {"services", "[{\"name\":\"\xc0\xaf\"}]", "no JSON"},
    {"services", "[{\"name\":\"orders\",\"version\":1.0}]", "services[0].version"},
    {"services", "[{\"name\":\"orders\",\"version\":[]}]", "services[0].version"},
    {"services", "[{\"name\":\"orders\",\"version\":\"1\\u007f\"}]", "services[0].version"},
};
#define WRONG_MEMBERS (int)(sizeof(wrong_members) / sizeof(wrong_members[0]))

START_TEST(a_member_that_is_missing_or_malformed)
{
    if (wrong_members[_i].value == NULL)
        server_expect(&scene.server, "1", "HDEL %s %s", BAD_NODE, wrong_members[_i].member);
    else
        server_expect(&scene.server, "0", "HSET %s %s %s", BAD_NODE, wrong_members[_i].member, wrong_members[_i].value);
    expect_skipped_twice(wrong_members[_i].words);
}
END_TEST

static void spoil(const char *member, const char *value, size_t length)
{
    server_expect(&scene.server, "0", "HSET %s %s %b", BAD_NODE, member, value, length);
}

START_TEST(a_byte_of_zero)
{
    static const char with_zero[] = "[{\"name\":\"orders\0\"}]";
    spoil("services", with_zero, sizeof(with_zero) - 1);
    expect_skipped_twice("no JSON");
}
END_TEST

START_TEST(an_address_with_a_byte_of_zero)
{
    static const char with_zero[] = "10.0.0.2\0:80";
    spoil("address", with_zero, sizeof(with_zero) - 1);
    expect_skipped_twice("address holds a control character");
}
END_TEST

START_TEST(an_address_that_is_too_long)
{
    char address[NETRON_ADDRESS_MAX + 2];
    memset(address, 'x', sizeof(address));
    spoil("address", address, sizeof(address) - 1);
    expect_skipped_twice("address is longer than 512 bytes");
}
END_TEST

/* count times the middle, between a beginning and an end. */
static char *repeat(const char *beginning, const char *middle, size_t count, const char *end)
{
    size_t step = strlen(middle);
    char *text = malloc(strlen(beginning) + count * step + strlen(end) + 1);
    ck_assert_ptr_nonnull(text);
    char *at = stpcpy(text, beginning);
    for (size_t i = 0; i < count; i++, at += step)
        memcpy(at, middle, step);
    strcpy(at, end);
    return text;
}

static void spoil_services(char *text)
{
    spoil("services", text, strlen(text));
    free(text);
}

START_TEST(names_and_versions_that_are_too_long)
{
    spoil_services(repeat("[{\"name\":\"", "n", NETRON_SERVICE_NAME_MAX + 1, "\"}]"));
    expect_skipped_twice("services[0].name is longer than 128 bytes");
    spoil_services(repeat("[{\"name\":\"orders\",\"version\":\"", "1", NETRON_SERVICE_VERSION_MAX + 1, "\"}]"));
    EXPECT_FOUND(discovery, "orders", NULL, GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 7);
    ck_assert_int_eq(log_count(&lines, "skipping"), 1); /* once for each id */
}
END_TEST

START_TEST(two_thousand_services)
{
    spoil_services(repeat("[", "{\"name\":\"orders\"},", 1999, "{\"name\":\"orders\"}]"));
    expect_skipped_twice("more than 1024 entries");
}
END_TEST

START_TEST(deep_nesting)
{
    spoil_services(repeat("[{\"name\":\"orders\",\"x\":", "[", 100000, ""));
    expect_skipped_twice("no JSON");
}
END_TEST

START_TEST(deep_nesting_that_ends_well)
{
    char *opening = repeat("", "{\"a\":", 50000, "1");
    spoil_services(repeat(opening, "}", 50000, ""));
    free(opening);
    expect_skipped_twice("no JSON");
}
END_TEST

START_TEST(a_mebibyte_of_json)
{
    spoil_services(repeat("[{\"name\":\"orders\",\"x\":\"", "x", 1024 * 1024, "\"}]"));
    expect_skipped_twice("more than 524288 bytes of JSON");
}
END_TEST

START_TEST(a_node_that_is_mended_is_found_again)
{
    server_expect(&scene.server, "0", "HSET %s services {", BAD_NODE);
    expect_skipped_twice("no JSON");
    server_expect(&scene.server, "0", "HSET %s services %s", BAD_NODE, ORDERS);
    EXPECT_FOUND(discovery, "orders", NULL, "bad 10.0.0.2:80 orders@1.0.0; " GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 6);
}
END_TEST

START_TEST(garbage_of_a_dead_node_is_not_even_looked_at)
{
    server_expect(&scene.server, "0", "HSET %s services {", BAD_NODE);
    server_expect(&scene.server, "1", "DEL %s", PREFIX ":heartbeat:bad");
    EXPECT_FOUND(discovery, "orders", NULL, GOOD);
    EXPECT_FOUND(discovery, NULL, NULL, GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 0);
    ck_assert_int_eq(log_count(&lines, "skipping"), 0);
}
END_TEST

START_TEST(each_id_is_logged_once_and_every_skip_is_counted)
{
    scene_fill_originals("bad-", 100, "{}");
    for (int i = 0; i < 3; i++)
        EXPECT_FOUND(discovery, NULL, NULL, "bad 10.0.0.2:80 orders@1.0.0; " GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 300);
    ck_assert_int_eq(log_count(&lines, "skipping the record of node bad-"), 100);
}
END_TEST

static void count_skips(netron_log_level level, const char *line, void *arg)
{
    int *count = arg;
    *count += level == NETRON_LOG_WARNING && strstr(line, "skipping the record of node") != NULL;
}

START_TEST(a_flood_of_garbage_does_not_flood_the_log)
{
    int count = 0;
    netron_options options = scene_options();
    options.log = count_skips;
    options.log_arg = &count;
    netron_discovery *other = scene_join(&options);
    scene_fill_originals("bad-", 1500, "{}");
    for (int i = 0; i < 2; i++)
        EXPECT_FOUND(other, "orders", NULL, "bad 10.0.0.2:80 orders@1.0.0; " GOOD);
    ck_assert_uint_eq(scene_stats(other).skipped_records, 3000);
    ck_assert_int_ge(count, 512);
    ck_assert_int_le(count, 1024);
    netron_discovery_free(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("garbage_node");
    TCase *tcase = scene_case(suite, "the hash of a node");
    tcase_add_checked_fixture(tcase, open_garbage, close_garbage);
    tcase_add_loop_test(tcase, another_type_than_a_hash, 0, (int)(sizeof(wrong_types) / sizeof(wrong_types[0])));
    tcase_add_loop_test(tcase, a_member_that_is_missing_or_malformed, 0, WRONG_MEMBERS);
    tcase_add_test(tcase, a_byte_of_zero);
    tcase_add_test(tcase, an_address_with_a_byte_of_zero);
    tcase_add_test(tcase, an_address_that_is_too_long);
    tcase_add_test(tcase, names_and_versions_that_are_too_long);
    tcase_add_test(tcase, two_thousand_services);
    tcase_add_test(tcase, deep_nesting);
    tcase_add_test(tcase, deep_nesting_that_ends_well);
    tcase_add_test(tcase, a_mebibyte_of_json);
    tcase_add_test(tcase, a_node_that_is_mended_is_found_again);
    tcase_add_test(tcase, garbage_of_a_dead_node_is_not_even_looked_at);
    tcase_add_test(tcase, each_id_is_logged_once_and_every_skip_is_counted);
    tcase_add_test(tcase, a_flood_of_garbage_does_not_flood_the_log);
    return suite_run(suite);
}
