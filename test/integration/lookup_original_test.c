/* SPDX-License-Identifier: MIT */
/* Lookups in a registry where nodes of the original implementation live too: their keys, which know none of ours. */
#include "scene.h"
#include <stdio.h>
#include <string.h>

#define ORDERS_1 "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]"
#define ORDERS_2 "[{\"name\":\"orders\",\"version\":\"2.0.0\"}]"
#define BILLING "[{\"name\":\"billing\"}]"

START_TEST(originals_alone_are_found_by_service_by_version_and_as_active)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_store_original("b", "10.0.0.2:80", ORDERS_2);
    scene_store_original("a", "10.0.0.1:80", ORDERS_1);
    scene_store_original("c", "10.0.0.3:80", BILLING);
    EXPECT_FOUND(discovery, "orders", NULL, "a 10.0.0.1:80 orders@1.0.0; b 10.0.0.2:80 orders@2.0.0");
    EXPECT_FOUND(discovery, "orders", "2.0.0", "b 10.0.0.2:80 orders@2.0.0");
    EXPECT_FOUND(discovery, "orders", "3.0.0", "");
    EXPECT_FOUND(discovery, "billing", NULL, "c 10.0.0.3:80 billing");
    EXPECT_FOUND(discovery, "billing", "1.0.0", "");
    EXPECT_FOUND(discovery, NULL, NULL,
                 "a 10.0.0.1:80 orders@1.0.0; b 10.0.0.2:80 orders@2.0.0; c 10.0.0.3:80 billing");
    ck_assert(scene_is_active(discovery, "c"));
    ck_assert_int_eq((int)scene_stats(discovery).skipped_records, 0);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(originals_are_found_next_to_ours_in_one_order)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_enrol(discovery, "b", "10.0.0.2:80", "orders", "1.0.0", NULL, NULL);
    scene_store_original("a", "10.0.0.1:80", ORDERS_1);
    scene_store_original("c", "10.0.0.3:80", ORDERS_2);
    scene_enrol(discovery, "d", "10.0.0.4:80", "billing", NULL, NULL, NULL);
    EXPECT_FOUND(discovery, "orders", NULL,
                 "a 10.0.0.1:80 orders@1.0.0; b 10.0.0.2:80 orders@1.0.0; c 10.0.0.3:80 orders@2.0.0");
    EXPECT_FOUND(discovery, "orders", "1.0.0", "a 10.0.0.1:80 orders@1.0.0; b 10.0.0.2:80 orders@1.0.0");
    EXPECT_FOUND(discovery, "billing", NULL, "d 10.0.0.4:80 billing");
    EXPECT_FOUND(discovery, NULL, NULL,
                 "a 10.0.0.1:80 orders@1.0.0; b 10.0.0.2:80 orders@1.0.0; c 10.0.0.3:80 orders@2.0.0; "
                 "d 10.0.0.4:80 billing");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(what_an_original_that_took_our_id_over_says_is_what_is_found)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_enrol(discovery, "a", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    scene_store_original("a", "10.0.0.9:80", ORDERS_2);
    EXPECT_FOUND(discovery, "orders", NULL, "a 10.0.0.9:80 orders@2.0.0");
    EXPECT_FOUND(discovery, "orders", "1.0.0", "");
    EXPECT_FOUND(discovery, "orders", "2.0.0", "a 10.0.0.9:80 orders@2.0.0");
    EXPECT_FOUND(discovery, NULL, NULL, "a 10.0.0.9:80 orders@2.0.0");
    netron_discovery_free(discovery);
}
END_TEST

/* Equal counts of nodes and of adopted nodes can hide an original, for one TTL at most: that is a second here. */
static void expect_found_soon(netron_discovery *discovery, const char *name, const char *expected, const char *services)
{
    uint64_t limit = world_clock_ms() + WORLD_LIMIT_MS;
    while (world_clock_ms() < limit && strcmp(scene_find(discovery, name, NULL), expected) != 0) {
        /* It beats, for the beat with which we find it out has given it our short lifetime. */
        scene_store_original("a", "10.0.0.9:80", services);
        world_turn(&scene.world);
    }
    EXPECT_FOUND(discovery, name, NULL, expected);
}

START_TEST(an_original_that_took_our_id_over_is_found_by_services_that_we_never_had)
{
    const netron_options options = world_options(scene.server.url);
    netron_discovery *discovery = scene_join(&options);
    scene_enrol(discovery, "a", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    scene_enrol(discovery, "live", "10.0.0.2:80", NULL, NULL, NULL, NULL);
    scene_store_original("a", "10.0.0.9:80", BILLING);
    EXPECT_FOUND(discovery, NULL, NULL, "a 10.0.0.9:80 billing; live 10.0.0.2:80");
    EXPECT_FOUND(discovery, "orders", NULL, "");
    expect_found_soon(discovery, "billing", "a 10.0.0.9:80 billing", BILLING);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(an_original_is_found_that_came_when_one_of_ours_had_gone)
{
    const netron_options options = world_options(scene.server.url);
    netron_discovery *discovery = scene_join(&options);
    scene_enrol(discovery, "live", "10.0.0.2:80", NULL, NULL, NULL, NULL);
    netron_discovery *mortal = scene_join(&options);
    scene_enrol(mortal, "ours", "10.0.0.3:80", "orders", "1.0.0", NULL, NULL);
    netron_discovery_free(mortal);
    /* Ours died, and an original that saw it removed it as originals do. */
    server_expect(&scene.server, "2", "DEL %s %s", PREFIX ":heartbeat:ours", PREFIX ":nodes:ours");
    server_expect(&scene.server, "1", "SREM %s ours", PREFIX ":index:nodes");
    scene_store_original("a", "10.0.0.9:80", ORDERS_1);
    EXPECT_FOUND(discovery, NULL, NULL, "a 10.0.0.9:80 orders@1.0.0; live 10.0.0.2:80");
    expect_found_soon(discovery, "orders", "a 10.0.0.9:80 orders@1.0.0", ORDERS_1);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(an_id_that_we_take_over_from_an_original_is_found_as_ours)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_store_original("a", "10.0.0.9:80", BILLING);
    scene_enrol(discovery, "a", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    EXPECT_FOUND(discovery, "orders", NULL, "a 10.0.0.1:80 orders@1.0.0");
    EXPECT_FOUND(discovery, "billing", NULL, "");
    EXPECT_FOUND(discovery, NULL, NULL, "a 10.0.0.1:80 orders@1.0.0");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(dead_originals_are_not_found)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_store_original("a", "10.0.0.1:80", ORDERS_1);
    scene_store_original("b", "10.0.0.2:80", ORDERS_1);
    server_expect(&scene.server, "1", "DEL %s", PREFIX ":heartbeat:a");
    const char *before = scene_picture();
    EXPECT_FOUND(discovery, "orders", NULL, "b 10.0.0.2:80 orders@1.0.0");
    EXPECT_FOUND(discovery, NULL, NULL, "b 10.0.0.2:80 orders@1.0.0");
    /* Its hash goes with its heartbeat, its place in the index does not. */
    server_expect(&scene.server, "1", "DEL %s", PREFIX ":nodes:a");
    EXPECT_FOUND(discovery, "orders", NULL, "b 10.0.0.2:80 orders@1.0.0");
    ck_assert_int_eq((int)scene_stats(discovery).skipped_records, 0);
    server_expect(&scene.server, "1", "DEL %s", PREFIX ":nodes:b");
    scene_store_original("a", "10.0.0.1:80", ORDERS_1);
    server_expect(&scene.server, "1", "DEL %s", PREFIX ":heartbeat:a");
    scene_store_original("b", "10.0.0.2:80", ORDERS_1);
    ck_assert_str_eq(scene_picture(), before);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(originals_leave_when_they_say_so)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_enrol(discovery, "b", "10.0.0.2:80", "orders", NULL, NULL, NULL);
    scene_store_original("a", "10.0.0.1:80", ORDERS_1);
    EXPECT_FOUND(discovery, "orders", NULL, "a 10.0.0.1:80 orders@1.0.0; b 10.0.0.2:80 orders");
    server_expect(&scene.server, "2", "DEL %s %s", PREFIX ":nodes:a", PREFIX ":heartbeat:a");
    server_expect(&scene.server, "1", "SREM %s a", PREFIX ":index:nodes");
    EXPECT_FOUND(discovery, "orders", NULL, "b 10.0.0.2:80 orders");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(members_that_are_unknown_or_null_do_no_harm)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_store_original("a", "10.0.0.1:80",
                         "[ {\"name\":\"orders\", \"version\":null, \"meta\":{\"x\":[1,\"\\u0000\"]}},\n"
                         "  {\"version\":\"3\", \"name\":\"billing\", \"weight\":1.5} ]");
    scene_store_original("b", "10.0.0.2:80", "[]");
    server_expect(&scene.server, "1", "HSET %s colour red", PREFIX ":nodes:a");
    EXPECT_FOUND(discovery, "orders", NULL, "a 10.0.0.1:80 orders billing@3");
    EXPECT_FOUND(discovery, NULL, NULL, "a 10.0.0.1:80 orders billing@3; b 10.0.0.2:80");
    ck_assert_int_eq((int)scene_stats(discovery).skipped_records, 0);
    netron_discovery_free(discovery);
}
END_TEST

struct seen {
    int calls;
    size_t count;
    uint64_t timestamps[4];
};

static void record_timestamps(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count,
                              void *arg)
{
    (void)discovery;
    struct seen *seen = arg;
    seen->calls++;
    ck_assert_int_eq(code, 0);
    seen->count = count;
    for (size_t i = 0; i < count; i++)
        seen->timestamps[i] = nodes[i]->timestamp_ms;
}

START_TEST(an_odd_timestamp_counts_as_zero)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    struct seen seen = {0};
    for (char id[] = "a"; id[0] <= 'd'; id[0]++)
        scene_store_original(id, "10.0.0.1:80", ORDERS_1);
    server_expect(&scene.server, "1", "HDEL %s timestamp", PREFIX ":nodes:b");
    server_expect(&scene.server, "0", "HSET %s timestamp yesterday", PREFIX ":nodes:c");
    server_expect(&scene.server, "0", "HSET %s timestamp 99999999999999999999999", PREFIX ":nodes:d");
    ck_assert_int_eq(netron_get_active_nodes(discovery, record_timestamps, &seen), 0);
    AWAIT(&scene.world, seen.calls == 1);
    ck_assert_int_eq((int)seen.count, 4);
    ck_assert_uint_eq(seen.timestamps[0], 1700000000000u);
    for (int i = 1; i < 4; i++)
        ck_assert_uint_eq(seen.timestamps[i], 0);
    netron_discovery_free(discovery);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lookup_original");
    TCase *tcase = scene_case(suite, "originals");
    tcase_add_test(tcase, originals_alone_are_found_by_service_by_version_and_as_active);
    tcase_add_test(tcase, originals_are_found_next_to_ours_in_one_order);
    tcase_add_test(tcase, what_an_original_that_took_our_id_over_says_is_what_is_found);
    tcase_add_test(tcase, an_id_that_we_take_over_from_an_original_is_found_as_ours);
    tcase_add_test(tcase, dead_originals_are_not_found);
    tcase_add_test(tcase, originals_leave_when_they_say_so);
    tcase_add_test(tcase, members_that_are_unknown_or_null_do_no_harm);
    tcase_add_test(tcase, an_odd_timestamp_counts_as_zero);
    tcase = scene_case(suite, "originals behind equal counts");
    tcase_add_test(tcase, an_original_that_took_our_id_over_is_found_by_services_that_we_never_had);
    tcase_add_test(tcase, an_original_is_found_that_came_when_one_of_ours_had_gone);
    return suite_run(suite);
}
