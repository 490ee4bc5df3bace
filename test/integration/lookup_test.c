/* SPDX-License-Identifier: MIT */
/* Lookups on a Redis that is well: what is found, in what order, and what is not. */
#include "scene.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(nodes_are_found_by_the_name_of_a_service_in_whatever_version)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_enrol(discovery, "a", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    scene_enrol(discovery, "b", "10.0.0.2:80", "orders", "2.0.0", "billing", "1.0.0");
    scene_enrol(discovery, "c", "[::1]:80", "billing", "1.0.0", NULL, NULL);
    EXPECT_FOUND(discovery, "orders", NULL, "a 10.0.0.1:80 orders@1.0.0; b 10.0.0.2:80 orders@2.0.0 billing@1.0.0");
    EXPECT_FOUND(discovery, "billing", NULL, "b 10.0.0.2:80 orders@2.0.0 billing@1.0.0; c [::1]:80 billing@1.0.0");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_version_is_met_by_the_same_text_or_by_a_range)
{
    static const struct {
        const char *wanted;
        const char *found;
    } lookups[] = {
        {"1.0.0", "a 10.0.0.1:80 orders@1.0.0"},
        {"2.0.0", "b 10.0.0.2:80 orders@2.0.0"},
        {"^1.0.0", "a 10.0.0.1:80 orders@1.0.0"},
        {">=1 <3", "a 10.0.0.1:80 orders@1.0.0; b 10.0.0.2:80 orders@2.0.0"},
        {"1.0.0-rc1", ""},
        {"3.x", ""},
        {"1.0.0.0", ""},
        {"01.0.0", ""},
        {"stable", "d 10.0.0.4:80 orders@stable"}, /* no semver: only itself */
    };
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_enrol(discovery, "a", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    scene_enrol(discovery, "b", "10.0.0.2:80", "orders", "2.0.0", NULL, NULL);
    scene_enrol(discovery, "c", "10.0.0.3:80", "orders", NULL, "billing", "1.0.0");
    scene_enrol(discovery, "d", "10.0.0.4:80", "orders", "stable", NULL, NULL);
    for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++)
        EXPECT_FOUND(discovery, "orders", lookups[i].wanted, lookups[i].found);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_service_without_a_version_is_found_by_its_name_alone)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_enrol(discovery, "a", "10.0.0.1:80", "orders", NULL, NULL, NULL);
    EXPECT_FOUND(discovery, "orders", NULL, "a 10.0.0.1:80 orders");
    EXPECT_FOUND(discovery, "orders", "1.0.0", "");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_node_with_two_versions_of_a_service_is_found_once_and_by_both)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_enrol(discovery, "a", "10.0.0.1:80", "orders", "1.0.0", "orders", "2.0.0");
    EXPECT_FOUND(discovery, "orders", NULL, "a 10.0.0.1:80 orders@1.0.0 orders@2.0.0");
    EXPECT_FOUND(discovery, "orders", "1.0.0", "a 10.0.0.1:80 orders@1.0.0 orders@2.0.0");
    EXPECT_FOUND(discovery, "orders", "2.0.0", "a 10.0.0.1:80 orders@1.0.0 orders@2.0.0");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(active_nodes_are_all_live_nodes_those_without_services_too)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    netron_discovery *other = scene_join(&options);
    EXPECT_FOUND(discovery, NULL, NULL, "");
    scene_enrol(discovery, "b", "10.0.0.2:80", NULL, NULL, NULL, NULL);
    scene_enrol(other, "a", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    EXPECT_FOUND(discovery, NULL, NULL, "a 10.0.0.1:80 orders@1.0.0; b 10.0.0.2:80");
    EXPECT_FOUND(other, NULL, NULL, "a 10.0.0.1:80 orders@1.0.0; b 10.0.0.2:80");
    ck_assert_int_eq((int)scene_stats(other).lookups, 1);
    ck_assert_int_eq((int)scene_stats(discovery).lookups, 2);
    netron_discovery_free(other);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(nodes_come_in_the_order_of_the_bytes_of_their_ids)
{
    static const char *const ids[] = {"node-9", "Node-1", "node-10", "n", "zz", "node-1", "\xc3\xa4", "node 1", "~"};
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        scene_enrol(discovery, ids[i], "h:1", "orders", NULL, NULL, NULL);
    const char expected[] = "Node-1 h:1 orders; n h:1 orders; node 1 h:1 orders; node-1 h:1 orders; "
                            "node-10 h:1 orders; node-9 h:1 orders; zz h:1 orders; ~ h:1 orders; \xc3\xa4 h:1 orders";
    EXPECT_FOUND(discovery, "orders", NULL, expected);
    EXPECT_FOUND(discovery, NULL, NULL, expected);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(whether_a_node_is_active_is_told_by_its_heartbeat)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_enrol(discovery, "a", "10.0.0.1:80", NULL, NULL, NULL, NULL);
    ck_assert(scene_is_active(discovery, "a"));
    ck_assert(!scene_is_active(discovery, "b"));
    server_expect(&scene.server, "1", "DEL %s", PREFIX ":heartbeat:a");
    ck_assert(!scene_is_active(discovery, "a"));
    netron_discovery_free(discovery);
}
END_TEST

struct timestamps {
    int calls;
    uint64_t first;
    size_t size;
};

static void record_timestamp(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count,
                             void *arg)
{
    (void)discovery;
    struct timestamps *found = arg;
    found->calls++;
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq((int)count, 1);
    found->first = nodes[0]->timestamp_ms;
    found->size = nodes[0]->size;
}

START_TEST(the_timestamp_is_when_redis_saw_the_node_change)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    struct timestamps found = {0};
    char stored[32];
    char seconds[32];
    scene_enrol(discovery, "a", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    redisReply *reply = server_ask(&scene.server, "TIME");
    snprintf(seconds, sizeof(seconds), "%s", reply->element[0]->str);
    freeReplyObject(reply);
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_timestamp, &found), 0);
    AWAIT(&scene.world, found.calls == 1);
    ck_assert(server_text(&scene.server, stored, sizeof(stored), "HGET %s timestamp", PREFIX ":nodes:a"));
    ck_assert_uint_eq(found.first, strtoull(stored, NULL, 10));
    ck_assert_uint_le(found.first / 1000, strtoull(seconds, NULL, 10));
    ck_assert_uint_ge(found.first / 1000 + 10, strtoull(seconds, NULL, 10));
    ck_assert_uint_eq(found.size, sizeof(netron_node));
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(nothing_found_is_a_success_of_none)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    struct nodes_recorder found = {.code = 1, .count = 1};
    EXPECT_FOUND(discovery, "orders", NULL, "");
    EXPECT_FOUND(discovery, NULL, NULL, "");
    ck_assert(!scene_is_active(discovery, "a"));
    ck_assert_int_eq((int)server_integer(&scene.server, "DBSIZE"), 0);
    scene_enrol(discovery, "a", "10.0.0.1:80", "billing", NULL, NULL, NULL);
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_nodes, &found), 0);
    AWAIT(&scene.world, found.calls == 1);
    ck_assert_int_eq(found.code, 0);
    ck_assert_int_eq((int)found.count, 0);
    ck_assert_str_eq(netron_discovery_error(discovery), "");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(nodes_whose_heartbeat_is_gone_are_not_found_and_nothing_is_deleted)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_fill("dead-", 3, "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]");
    scene_store_original("dead-original", "10.0.0.9:80", "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]");
    scene_enrol(discovery, "live", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    server_expect(&scene.server, "4", "DEL %s %s %s %s", PREFIX ":heartbeat:dead-00000", PREFIX ":heartbeat:dead-00001",
                  PREFIX ":heartbeat:dead-00002", PREFIX ":heartbeat:dead-original");
    const char *before = scene_picture();
    EXPECT_FOUND(discovery, "orders", NULL, "live 10.0.0.1:80 orders@1.0.0");
    EXPECT_FOUND(discovery, "orders", "1.0.0", "live 10.0.0.1:80 orders@1.0.0");
    EXPECT_FOUND(discovery, NULL, NULL, "live 10.0.0.1:80 orders@1.0.0");
    ck_assert(!scene_is_active(discovery, "dead-00000"));
    ck_assert_str_eq(scene_picture(), before);
    ck_assert_int_eq((int)scene_stats(discovery).skipped_records, 0); /* the dead are no garbage */
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_node_is_not_found_any_more_once_its_ttl_is_over)
{
    netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    options.heartbeat_ttl_ms = 1000;
    options.heartbeat_interval_ms = 500;
    netron_discovery *other = scene_join(&options);
    scene_enrol(other, "a", "10.0.0.1:80", "orders", NULL, NULL, NULL);
    EXPECT_FOUND(discovery, "orders", NULL, "a 10.0.0.1:80 orders");
    netron_discovery_free(other);
    uint64_t freed_at = world_clock_ms();
    AWAIT(&scene.world, strcmp(scene_find(discovery, "orders", NULL), "") == 0);
    ck_assert_uint_lt(world_clock_ms() - freed_at, 3000);
    EXPECT_FOUND(discovery, NULL, NULL, "");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(changed_services_and_addresses_are_found_at_once)
{
    const netron_service billing = {"billing", "2.0.0"};
    const netron_options options = scene_options();
    struct done_recorder done = {0};
    netron_discovery *discovery = scene_join(&options);
    netron_registration *registration = scene_enrol(discovery, "a", "h:1", "orders", "1.0.0", NULL, NULL);
    ck_assert_int_eq(netron_registration_update_services(registration, &billing, 1, record_done, &done), 0);
    ck_assert_int_eq(netron_registration_update_address(registration, "h:2", record_done, &done), 0);
    AWAIT(&scene.world, done.calls == 2);
    EXPECT_FOUND(discovery, "orders", NULL, "");
    EXPECT_FOUND(discovery, "billing", "2.0.0", "a h:2 billing@2.0.0");
    done.calls = 0;
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &done), 0);
    AWAIT(&scene.world, done.calls == 1);
    EXPECT_FOUND(discovery, "billing", NULL, "");
    EXPECT_FOUND(discovery, NULL, NULL, "");
    ck_assert(!scene_is_active(discovery, "a"));
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(names_with_odd_characters_are_found)
{
    static const char *const names[] = {"a:b",          "*",           "[x]", "with blank", "\"quoted\"",
                                        "\xe2\x82\xac", "back\\slash", "%s"};
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    char expected[128];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        scene_enrol(discovery, names[i], "h:1", names[i], names[i], NULL, NULL);
        snprintf(expected, sizeof(expected), "%s h:1 %s@%s", names[i], names[i], names[i]);
        EXPECT_FOUND(discovery, names[i], NULL, expected);
        EXPECT_FOUND(discovery, names[i], names[i], expected);
        ck_assert(scene_is_active(discovery, names[i]));
    }
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(key_prefixes_part_registries)
{
    netron_options options = scene_options();
    netron_discovery *usual = scene_join(&options);
    options.key_prefix = "other fleet";
    netron_discovery *other = scene_join(&options);
    scene_enrol(usual, "a", "10.0.0.1:80", "orders", NULL, NULL, NULL);
    scene_enrol(other, "b", "10.0.0.2:80", "orders", NULL, NULL, NULL);
    EXPECT_FOUND(usual, "orders", NULL, "a 10.0.0.1:80 orders");
    EXPECT_FOUND(other, "orders", NULL, "b 10.0.0.2:80 orders");
    EXPECT_FOUND(usual, NULL, NULL, "a 10.0.0.1:80 orders");
    EXPECT_FOUND(other, NULL, NULL, "b 10.0.0.2:80 orders");
    ck_assert(!scene_is_active(usual, "b"));
    ck_assert(scene_is_active(other, "b"));
    server_expect(&scene.server, "1", "EXISTS %s", "other fleet:heartbeat:b");
    netron_discovery_free(other);
    netron_discovery_free(usual);
}
END_TEST

/* ---- arguments ---- */

static char too_long[300];

START_TEST(bad_arguments_are_refused_with_the_name_of_the_field)
{
    memset(too_long, 'x', sizeof(too_long) - 1);
    const struct {
        const char *name;
        const char *version;
        int code;
        const char *words;
    } wrong[] = {
        {NULL, NULL, NETRON_EINVAL, "name is NULL"},
        {"", NULL, NETRON_EINVAL, "name is empty"},
        {too_long, NULL, NETRON_ELIMIT, "name is longer than 128 bytes"},
        {"\xff", NULL, NETRON_EINVAL, "name is not valid UTF-8"},
        {"a\nb", NULL, NETRON_EINVAL, "name holds a control character"},
        {"orders", "", NETRON_EINVAL, "version is empty"},
        {"orders", too_long, NETRON_ELIMIT, "version is longer than 256 bytes"},
        {"orders", "\xc0\x80", NETRON_EINVAL, "version is not valid UTF-8"},
        {"orders", "1\x7f", NETRON_EINVAL, "version holds a control character"},
    };
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    struct nodes_recorder found = {0};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        int code = netron_find_nodes_by_service(discovery, wrong[i].name, wrong[i].version, record_nodes, &found);
        ck_assert_msg(code == wrong[i].code, "case %zu: code %d", i, code);
        ck_assert_str_eq(netron_discovery_error(discovery), wrong[i].words);
    }
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, NULL, NULL), NETRON_EINVAL);
    ck_assert_str_eq(netron_discovery_error(discovery), "found is NULL");
    ck_assert_int_eq(netron_find_nodes_by_service(NULL, "orders", NULL, record_nodes, &found), NETRON_EINVAL);
    ck_assert_int_eq(netron_get_active_nodes(NULL, record_nodes, &found), NETRON_EINVAL);
    ck_assert_int_eq(netron_get_active_nodes(discovery, NULL, NULL), NETRON_EINVAL);
    ck_assert_str_eq(netron_discovery_error(discovery), "found is NULL");
    EXPECT_FOUND(discovery, "orders", NULL, ""); /* what was refused never calls back */
    ck_assert_int_eq(found.calls, 0);
    ck_assert_int_eq((int)scene_stats(discovery).lookups, 1);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(bad_ids_are_refused_with_the_name_of_the_field)
{
    memset(too_long, 'x', sizeof(too_long) - 1);
    const struct {
        const char *id;
        int code;
        const char *words;
    } wrong[] = {
        {NULL, NETRON_EINVAL, "id is missing"},
        {"", NETRON_EINVAL, "id is empty"},
        {too_long, NETRON_ELIMIT, "id is longer than 256 bytes"},
        {"\x80", NETRON_EINVAL, "id is not valid UTF-8"},
        {"\t", NETRON_EINVAL, "id holds a control character"},
    };
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    struct active_recorder found = {0};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_int_eq(netron_is_node_active(discovery, wrong[i].id, record_active, &found), wrong[i].code);
        ck_assert_ptr_nonnull(strstr(netron_discovery_error(discovery), wrong[i].words));
    }
    ck_assert_int_eq(netron_is_node_active(discovery, "a", NULL, NULL), NETRON_EINVAL);
    ck_assert_str_eq(netron_discovery_error(discovery), "found is NULL");
    ck_assert_int_eq(netron_is_node_active(NULL, "a", record_active, &found), NETRON_EINVAL);
    ck_assert(!scene_is_active(discovery, "a"));
    ck_assert_int_eq(found.calls, 0);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(arguments_of_the_longest_lengths_are_accepted)
{
    char name[NETRON_SERVICE_NAME_MAX + 1] = {0};
    char version[NETRON_SERVICE_VERSION_MAX + 1] = {0};
    char id[NETRON_NODE_ID_MAX + 1] = {0};
    memset(name, 'n', sizeof(name) - 1);
    memset(version, '1', sizeof(version) - 1);
    memset(id, 'i', sizeof(id) - 1);
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    char expected[512];
    scene_enrol(discovery, id, "h:1", name, version, NULL, NULL);
    snprintf(expected, sizeof(expected), "%s h:1 %s@%s", id, name, version);
    EXPECT_FOUND(discovery, name, version, expected);
    ck_assert(scene_is_active(discovery, id));
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(arguments_are_copied)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    struct nodes_recorder found = {0};
    struct active_recorder active = {0};
    char name[] = "orders";
    char version[] = "1.0.0";
    char id[] = "a";
    scene_enrol(discovery, "a", "h:1", "orders", "1.0.0", NULL, NULL);
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, name, version, record_nodes, &found), 0);
    ck_assert_int_eq(netron_is_node_active(discovery, id, record_active, &active), 0);
    name[0] = version[0] = id[0] = 'X';
    AWAIT(&scene.world, found.calls == 1 && active.calls == 1);
    ck_assert_str_eq(found.text, "a h:1 orders@1.0.0");
    ck_assert_int_eq(active.active, 1);
    netron_discovery_free(discovery);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lookup");
    TCase *tcase = scene_case(suite, "what is found");
    tcase_add_test(tcase, nodes_are_found_by_the_name_of_a_service_in_whatever_version);
    tcase_add_test(tcase, a_version_is_met_by_the_same_text_or_by_a_range);
    tcase_add_test(tcase, a_service_without_a_version_is_found_by_its_name_alone);
    tcase_add_test(tcase, a_node_with_two_versions_of_a_service_is_found_once_and_by_both);
    tcase_add_test(tcase, active_nodes_are_all_live_nodes_those_without_services_too);
    tcase_add_test(tcase, nodes_come_in_the_order_of_the_bytes_of_their_ids);
    tcase_add_test(tcase, whether_a_node_is_active_is_told_by_its_heartbeat);
    tcase_add_test(tcase, the_timestamp_is_when_redis_saw_the_node_change);
    tcase_add_test(tcase, nothing_found_is_a_success_of_none);
    tcase_add_test(tcase, nodes_whose_heartbeat_is_gone_are_not_found_and_nothing_is_deleted);
    tcase_add_test(tcase, a_node_is_not_found_any_more_once_its_ttl_is_over);
    tcase_add_test(tcase, changed_services_and_addresses_are_found_at_once);
    tcase_add_test(tcase, names_with_odd_characters_are_found);
    tcase_add_test(tcase, key_prefixes_part_registries);
    tcase = scene_case(suite, "arguments");
    tcase_add_test(tcase, bad_arguments_are_refused_with_the_name_of_the_field);
    tcase_add_test(tcase, bad_ids_are_refused_with_the_name_of_the_field);
    tcase_add_test(tcase, arguments_of_the_longest_lengths_are_accepted);
    tcase_add_test(tcase, arguments_are_copied);
    return suite_run(suite);
}
