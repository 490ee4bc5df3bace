/* SPDX-License-Identifier: MIT */
/* Garbage in the bookkeeping: record lines, indexes, and values of the wrong type under every key of the registry. */
#include "scene.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOOD "good 10.0.0.1:80 orders@1.0.0"
#define BAD "bad 10.0.0.2:80 orders@1.0.0"
#define RECORDS PREFIX ":records"

static struct log_recorder lines;
static netron_discovery *discovery;

/* A good node of ours, and one whose bookkeeping the test spoils. */
static void open_garbage(void)
{
    netron_options options = scene_options();
    options.log = record_log;
    options.log_arg = &lines;
    discovery = scene_join(&options);
    scene_enrol(discovery, "good", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    scene_enrol(discovery, "bad", "10.0.0.2:80", "orders", "1.0.0", NULL, NULL);
    EXPECT_FOUND(discovery, "orders", NULL, BAD "; " GOOD);
}

static void close_garbage(void)
{
    netron_discovery_free(discovery);
}

static void spoil_record(const char *line, size_t length)
{
    server_expect(&scene.server, "0", "HSET %s bad %b", RECORDS, line, length);
}

static void expect_found_by_every_way(const char *expected)
{
    const char *picture = scene_picture();
    EXPECT_FOUND(discovery, "orders", NULL, expected);
    EXPECT_FOUND(discovery, "orders", "1.0.0", expected);
    EXPECT_FOUND(discovery, NULL, NULL, expected);
    ck_assert_str_eq(scene_picture(), picture);
}

static void expect_skipped_and_logged_once(void)
{
    ck_assert_uint_gt(scene_stats(discovery).skipped_records, 0);
    ck_assert_int_eq(log_count(&lines, "skipping the record of node bad"), 1);
    ck_assert_int_eq(log_count(&lines, "skipping the record of node good"), 0);
}

/* ---- record lines ---- */

START_TEST(a_record_cut_off_anywhere_is_made_up_for_by_the_hash)
{
    char line[512];
    ck_assert(server_text(&scene.server, line, sizeof(line), "HGET %s bad", RECORDS));
    for (size_t length = 0; length < strlen(line); length++) {
        spoil_record(line, length);
        EXPECT_FOUND(discovery, "orders", NULL, BAD "; " GOOD);
        ck_assert_uint_eq(scene_stats(discovery).skipped_records, length + 1);
    }
    expect_skipped_and_logged_once();
}
END_TEST

START_TEST(a_record_cut_off_anywhere_without_a_hash_is_skipped)
{
    char line[512];
    ck_assert(server_text(&scene.server, line, sizeof(line), "HGET %s bad", RECORDS));
    server_expect(&scene.server, "1", "DEL %s", PREFIX ":nodes:bad");
    EXPECT_FOUND(discovery, "orders", NULL, BAD "; " GOOD); /* the record alone is enough */
    for (size_t length = 0; length < strlen(line); length++) {
        spoil_record(line, length);
        EXPECT_FOUND(discovery, "orders", NULL, GOOD);
    }
    ck_assert_uint_ge(scene_stats(discovery).skipped_records, strlen(line));
    expect_skipped_and_logged_once();
}
END_TEST

#define TAG "0123456789ab"
#define BODY "{\"nodeId\":\"bad\",\"address\":\"10.0.0.3:80\",\"services\":[{\"name\":\"orders\"}]}"

/* %s stands for the incarnation that owns the node. */
static const char *const wrong_lines[] = {
    "x " TAG " %s 1700000000000 " BODY,
    "-1 " TAG " %s 1700000000000 " BODY,
    "99999999999999999999999 " TAG " %s 1700000000000 " BODY,
    "7 0123 %s 1700000000000 " BODY,
    "7 0123456789aX %s 1700000000000 " BODY,
    "7 " TAG " %s 0123456789abcdef0123456789abcdef01234567 1700000000000 " BODY,
    "7 " TAG " %s then " BODY,
    "7 " TAG " %s 1700000000000 ",
    "7 " TAG " %s 1700000000000 []",
    "7 " TAG " %s 1700000000000 {}",
    "7 " TAG " %s 1700000000000 " BODY "}",
    "7 " TAG " %s 1700000000000 " BODY " 8",
    "7 " TAG " %s  1700000000000 " BODY,
    " 7 " TAG " %s 1700000000000 " BODY,
    "7\t" TAG "\t%s\t1700000000000\t" BODY,
    "7 " TAG " %s 1700000000000 {\"nodeId\":\"good\",\"address\":\"10.0.0.3:80\",\"services\":[]}",
    "7 " TAG " %s 1700000000000 {\"nodeId\":7,\"address\":\"10.0.0.3:80\",\"services\":[]}",
    "7 " TAG " %s 1700000000000 {\"nodeId\":\"bad\",\"services\":[]}",
    "7 " TAG " %s 1700000000000 {\"nodeId\":\"bad\",\"address\":\"10.0.0.3:80\"}",
    "7 " TAG " %s 1700000000000 {\"nodeId\":\"bad\",\"address\":\"10.0.0.3:80\",\"services\":{}}",
    "7 " TAG " %s 1700000000000 {\"nodeId\":\"bad\",\"address\":\"10.0.0.3:80\",\"services\":[{}]}",
    "7 " TAG " %s 1700000000000 {\"nodeId\":\"bad\",\"address\":\"\xed\xa0\x80:80\",\"services\":[]}",
    "7 " TAG " %s 1700000000000 {\"nodeId\":\"bad\",\"address\":\"10.0.0.3:80\\n\",\"services\":[]}",
};
#define WRONG_LINES (int)(sizeof(wrong_lines) / sizeof(wrong_lines[0]))

/* Writes a line with the incarnation that owns the node in it. */
static void write_line(const char *line)
{
    char incarnation[64];
    char text[1024];
    const char *gap = strstr(line, "%s");
    ck_assert(server_text(&scene.server, incarnation, sizeof(incarnation), "GET %s", PREFIX ":heartbeat:bad"));
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(gap - line), line, incarnation, gap + 2);
    spoil_record(text, strlen(text));
}

START_TEST(a_record_that_is_malformed_is_made_up_for_by_the_hash)
{
    write_line(wrong_lines[_i]);
    expect_found_by_every_way(BAD "; " GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 3);
    expect_skipped_and_logged_once();
    server_expect(&scene.server, "1", "DEL %s", PREFIX ":nodes:bad");
    expect_found_by_every_way(GOOD);
    expect_skipped_and_logged_once();
}
END_TEST

START_TEST(a_record_like_these_but_well_formed_is_found)
{
    write_line("7 " TAG " %s 1700000000000 " BODY);
    EXPECT_FOUND(discovery, "orders", NULL, "bad 10.0.0.3:80 orders; " GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 0);
}
END_TEST

START_TEST(a_record_of_another_owner_gives_way_to_the_hash_without_a_word)
{
    spoil_record("7 " TAG " somebody 1700000000000 " BODY, strlen("7 " TAG " somebody 1700000000000 " BODY));
    expect_found_by_every_way(BAD "; " GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 0);
}
END_TEST

START_TEST(a_record_of_a_mebibyte_is_made_up_for_by_the_hash)
{
    const size_t size = 1024 * 1024;
    char *line = malloc(size);
    ck_assert_ptr_nonnull(line);
    memset(line, '{', size);
    spoil_record(line, size);
    expect_found_by_every_way(BAD "; " GOOD);
    char incarnation[64];
    ck_assert(server_text(&scene.server, incarnation, sizeof(incarnation), "GET %s", PREFIX ":heartbeat:bad"));
    int length = snprintf(line, size, "7 " TAG " %s 1700000000000 ", incarnation);
    line[length] = '{'; /* the fields are well, and then it goes down and down */
    spoil_record(line, size / 4);
    expect_found_by_every_way(BAD "; " GOOD);
    expect_skipped_and_logged_once();
    free(line);
}
END_TEST

START_TEST(a_missing_record_is_made_up_for_by_the_hash_without_a_word)
{
    server_expect(&scene.server, "1", "HDEL %s bad", RECORDS);
    expect_found_by_every_way(BAD "; " GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 0);
}
END_TEST

/* ---- ids in the indexes ---- */

START_TEST(what_is_no_id_in_an_index_is_skipped)
{
    static char long_id[10000];
    memset(long_id, 'x', sizeof(long_id));
    const struct {
        const char *id;
        size_t length;
    } odd[] = {
        {"", 0},          {"a\nb", 3},      {"\x1b[31mred", 8}, {"\x7f", 1},
        {"\xff\xfe", 2},  {"a\0b", 3},      {"\xe2\x82", 2},    {long_id, NETRON_NODE_ID_MAX + 1},
        {long_id, 10000}, {"good\0bad", 8},
    };
    const size_t count = sizeof(odd) / sizeof(odd[0]);
    const char *const indexes[] = {PREFIX ":index:service:orders", PREFIX ":index:nodes"};
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < 2; k++)
            server_expect(&scene.server, "1", "SADD %s %b", indexes[k], odd[i].id, odd[i].length);
    for (size_t i = 0; i < count; i++)
        server_expect(&scene.server, "1", "ZADD %s 1 %b", PREFIX ":expiry", odd[i].id, odd[i].length);
    expect_found_by_every_way(BAD "; " GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 3 * count);
    ck_assert_int_eq(log_count(&lines, "skipping the record of node"), (int)count);
    ck_assert_int_ge(log_count(&lines, "an index holds what is no node id"),
                     (int)count - 1); /* 10000 bytes fill a line */
    for (int i = 0; i < lines.count; i++)
        for (const char *byte = lines.line[i]; *byte != '\0'; byte++)
            ck_assert_msg(*byte == '\t' || (unsigned char)*byte >= 0x20, "a control character is in the log");
}
END_TEST

START_TEST(an_id_that_has_nothing_but_its_place_in_the_index_is_no_garbage)
{
    server_expect(&scene.server, "1", "SADD %s nobody", PREFIX ":index:service:orders");
    server_expect(&scene.server, "1", "SADD %s nobody", PREFIX ":index:nodes");
    expect_found_by_every_way(BAD "; " GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 0);
}
END_TEST

START_TEST(a_node_in_the_index_of_a_service_that_it_does_not_offer_is_not_found_there)
{
    server_expect(&scene.server, "1", "SADD %s good", PREFIX ":index:service:billing");
    EXPECT_FOUND(discovery, "billing", NULL, "");
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 0);
}
END_TEST

/* ---- wrong types ---- */

static const char *const shared_keys[] = {
    PREFIX ":records", PREFIX ":index:nodes", PREFIX ":index:service:orders",
    PREFIX ":expiry",  PREFIX ":registry",    PREFIX ":changes",
};
#define SHARED_KEYS (int)(sizeof(shared_keys) / sizeof(shared_keys[0]))

START_TEST(good_nodes_are_found_whatever_type_a_key_of_the_registry_has)
{
    server_expect(&scene.server, "OK", "SET %s garbage", shared_keys[_i]);
    expect_found_by_every_way(BAD "; " GOOD);
    server_expect(&scene.server, "1", "DEL %s", shared_keys[_i]);
    server_expect(&scene.server, "1", "RPUSH %s garbage", shared_keys[_i]);
    expect_found_by_every_way(BAD "; " GOOD);
    bool is_read = _i < 4; /* by lookups; the others are the scripts' own */
    ck_assert_int_eq(log_count(&lines, shared_keys[_i]), is_read);
    ck_assert_int_eq(scene_stats(discovery).skipped_records > 0, is_read);
}
END_TEST

/* The index of a service cannot be missed, for Redis keeps no empty sets. It is back after the repair beat. */
START_TEST(good_nodes_are_found_whichever_other_key_of_the_registry_is_missing)
{
    server_expect(&scene.server, "1", "DEL %s", shared_keys[_i]);
    if (strcmp(shared_keys[_i], PREFIX ":index:service:orders") != 0)
        EXPECT_FOUND(discovery, "orders", NULL, BAD "; " GOOD);
    EXPECT_FOUND(discovery, NULL, NULL, BAD "; " GOOD);
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 0);
}
END_TEST

static bool is_type(const char *key, const char *wanted)
{
    char type[32];
    ck_assert(server_text(&scene.server, type, sizeof(type), "TYPE %s", key));
    return strcmp(type, wanted) == 0;
}

/* Each tenth beat writes everything again, at once. 0: all keys were deleted, 1: all had the wrong type. */
START_TEST(beats_repair_the_registry)
{
    const netron_options options = world_options(scene.server.url);
    server_expect(&scene.server, "OK", "FLUSHALL");
    netron_discovery *quick = scene_join(&options);
    scene_enrol(quick, "good", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    for (int i = 0; i < SHARED_KEYS; i++) {
        server_expect(&scene.server, "1", "DEL %s", shared_keys[i]);
        if (_i == 1)
            server_expect(&scene.server, "OK", "SET %s garbage", shared_keys[i]);
    }
    AWAIT(&scene.world, is_type(PREFIX ":index:nodes", "set"));
    EXPECT_FOUND(quick, "orders", "1.0.0", GOOD);
    EXPECT_FOUND(quick, NULL, NULL, GOOD);
    ck_assert(is_type(PREFIX ":records", "hash") && is_type(PREFIX ":expiry", "zset"));
    netron_discovery_free(quick);
}
END_TEST

START_TEST(a_heartbeat_of_another_type_is_none)
{
    server_expect(&scene.server, "1", "DEL %s", PREFIX ":heartbeat:bad");
    server_expect(&scene.server, "1", "RPUSH %s 1", PREFIX ":heartbeat:bad");
    expect_found_by_every_way(GOOD);
}
END_TEST

START_TEST(everything_broken_at_once_finds_nobody_and_deletes_nothing)
{
    for (int i = 0; i < SHARED_KEYS; i++)
        server_expect(&scene.server, "OK", "SET %s garbage", shared_keys[i]);
    const char *picture = scene_picture();
    struct nodes_recorder found = {0};
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_nodes, &found), 0);
    ck_assert_int_eq(netron_get_active_nodes(discovery, record_nodes, &found), 0);
    AWAIT(&scene.world, found.calls == 2);
    ck_assert_int_eq((int)found.count, 0);
    ck_assert(scene_is_active(discovery, "good"));
    ck_assert_str_eq(scene_picture(), picture);
}
END_TEST

/* ---- registering over garbage ---- */

static const char *const all_keys[] = {
    PREFIX ":records",
    PREFIX ":index:nodes",
    PREFIX ":index:service:orders",
    PREFIX ":index:service:billing",
    PREFIX ":expiry",
    PREFIX ":registry",
    PREFIX ":changes",
    PREFIX ":heartbeat:new",
    PREFIX ":nodes:new",
};
static const char *const right_types[] = {"hash", "set", "set", "set", "zset", "hash", "zset", "string", "hash"};
#define ALL_KEYS (int)(sizeof(all_keys) / sizeof(all_keys[0]))

/* From first on, count keys become a list. */
static void spoil_keys(int first, int count)
{
    for (int i = first; i < first + count; i++) {
        freeReplyObject(server_ask(&scene.server, "DEL %s", all_keys[i]));
        server_expect(&scene.server, "1", "RPUSH %s garbage", all_keys[i]);
    }
}

static void expect_types(int first, int count)
{
    for (int i = first; i < first + count; i++)
        ck_assert_msg(is_type(all_keys[i], right_types[i]), "%s is no %s", all_keys[i], right_types[i]);
}

/* Registers, updates and leaves, each time over garbage. */
static void live_on_garbage(int first, int count)
{
    const netron_service services[] = {{"billing", NULL}, {"orders", "3.0.0"}};
    struct done_recorder done = {0};
    spoil_keys(first, count);
    netron_registration *registration =
        scene_enrol(discovery, "new", "10.0.0.9:80", "orders", "2.0.0", "billing", "1.0.0");
    expect_types(first, count);
    EXPECT_FOUND(discovery, "orders", "2.0.0", "new 10.0.0.9:80 orders@2.0.0 billing@1.0.0");
    spoil_keys(first, count);
    ck_assert_int_eq(netron_registration_update_services(registration, services, 2, record_done, &done), 0);
    AWAIT(&scene.world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    expect_types(first, count);
    EXPECT_FOUND(discovery, "orders", "3.0.0", "new 10.0.0.9:80 billing orders@3.0.0");
    spoil_keys(first, count);
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &done), 0);
    AWAIT(&scene.world, done.calls == 2);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq((int)server_integer(&scene.server, "EXISTS %s", PREFIX ":heartbeat:new"), 0);
    ck_assert_int_eq((int)server_integer(&scene.server, "EXISTS %s", PREFIX ":nodes:new"), 0);
}

START_TEST(a_node_lives_and_leaves_over_a_key_of_the_wrong_type)
{
    live_on_garbage(_i, 1);
}
END_TEST

START_TEST(a_node_lives_and_leaves_where_every_key_has_the_wrong_type)
{
    live_on_garbage(0, ALL_KEYS);
}
END_TEST

START_TEST(a_node_registers_over_a_record_that_is_garbage)
{
    static const char *const garbage[] = {"", "garbage", "1 2 3 4 5 {", "7 " TAG " x 1 {\"services\":7}",
                                          "7 " TAG " x 1 {[[[}"};
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        char id[16];
        char expected[64];
        snprintf(id, sizeof(id), "new-%zu", i);
        server_expect(&scene.server, "1", "HSET %s %s %s", RECORDS, id, garbage[i]);
        scene_enrol(discovery, id, "10.0.0.9:80", "shipping", NULL, NULL, NULL);
        ck_assert(scene_is_active(discovery, id));
        snprintf(expected, sizeof(expected), "new-%zu 10.0.0.9:80 shipping", i);
        ck_assert_ptr_nonnull(strstr(scene_find(discovery, "shipping", NULL), expected));
    }
    ck_assert_uint_eq(scene_stats(discovery).skipped_records, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("garbage_record");
    TCase *tcase = scene_case(suite, "records");
    tcase_add_checked_fixture(tcase, open_garbage, close_garbage);
    tcase_add_test(tcase, a_record_cut_off_anywhere_is_made_up_for_by_the_hash);
    tcase_add_test(tcase, a_record_cut_off_anywhere_without_a_hash_is_skipped);
    tcase_add_loop_test(tcase, a_record_that_is_malformed_is_made_up_for_by_the_hash, 0, WRONG_LINES);
    tcase_add_test(tcase, a_record_like_these_but_well_formed_is_found);
    tcase_add_test(tcase, a_record_of_another_owner_gives_way_to_the_hash_without_a_word);
    tcase_add_test(tcase, a_record_of_a_mebibyte_is_made_up_for_by_the_hash);
    tcase_add_test(tcase, a_missing_record_is_made_up_for_by_the_hash_without_a_word);
    tcase_add_test(tcase, what_is_no_id_in_an_index_is_skipped);
    tcase_add_test(tcase, an_id_that_has_nothing_but_its_place_in_the_index_is_no_garbage);
    tcase_add_test(tcase, a_node_in_the_index_of_a_service_that_it_does_not_offer_is_not_found_there);
    tcase = scene_case(suite, "wrong types");
    tcase_add_checked_fixture(tcase, open_garbage, close_garbage);
    tcase_add_loop_test(tcase, good_nodes_are_found_whatever_type_a_key_of_the_registry_has, 0, SHARED_KEYS);
    tcase_add_loop_test(tcase, good_nodes_are_found_whichever_other_key_of_the_registry_is_missing, 0, SHARED_KEYS);
    tcase_add_loop_test(tcase, beats_repair_the_registry, 0, 2);
    tcase_add_test(tcase, a_heartbeat_of_another_type_is_none);
    tcase_add_test(tcase, everything_broken_at_once_finds_nobody_and_deletes_nothing);
    tcase_add_loop_test(tcase, a_node_lives_and_leaves_over_a_key_of_the_wrong_type, 0, ALL_KEYS);
    tcase_add_test(tcase, a_node_lives_and_leaves_where_every_key_has_the_wrong_type);
    tcase_add_test(tcase, a_node_registers_over_a_record_that_is_garbage);
    return suite_run(suite);
}
