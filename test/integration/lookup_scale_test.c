/* SPDX-License-Identifier: MIT */
/* Lookups among many nodes: every page is read, nobody is told twice, and Redis is asked for no more than needed. */
#include "monitor.h"
#include "scene.h"
#include <stdio.h>
#include <string.h>

#define ORDERS "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]"
#define BILLING "[{\"name\":\"billing\",\"version\":\"1.0.0\"}]"
#define PAGE 512

/* Nodes whose ids have to be node-00000 and on, without a gap. */
struct crowd {
    int calls;
    int code;
    size_t count;
    size_t wrong; /* those not at their place */
};

static void record_crowd(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count,
                         void *arg)
{
    (void)discovery;
    struct crowd *crowd = arg;
    char id[64];
    crowd->calls++;
    crowd->code = code;
    crowd->count = count;
    crowd->wrong = 0;
    for (size_t i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "node-%05zu", i);
        crowd->wrong += strcmp(nodes[i]->id, id) != 0 || strcmp(nodes[i]->address, "10.0.0.1:80") != 0 ||
                        nodes[i]->service_count != 1 || strcmp(nodes[i]->services[0].name, "orders") != 0;
    }
}

static void expect_crowd(netron_discovery *discovery, const char *name, size_t count)
{
    struct crowd crowd = {0};
    int code = name != NULL ? netron_find_nodes_by_service(discovery, name, NULL, record_crowd, &crowd)
                            : netron_get_active_nodes(discovery, record_crowd, &crowd);
    ck_assert_int_eq(code, 0);
    AWAIT(&scene.world, crowd.calls == 1);
    ck_assert_int_eq(crowd.code, 0);
    ck_assert_uint_eq(crowd.count, count);
    ck_assert_uint_eq(crowd.wrong, 0);
}

static const int crowds[] = {1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 1, 1500};
#define CROWDS (int)(sizeof(crowds) / sizeof(crowds[0]))

START_TEST(every_node_is_found_once_and_in_order)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_fill("node-", crowds[_i], ORDERS);
    expect_crowd(discovery, "orders", (size_t)crowds[_i]);
    expect_crowd(discovery, NULL, (size_t)crowds[_i]);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(every_original_is_found_once_and_in_order)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_fill_originals("node-", crowds[_i], ORDERS);
    expect_crowd(discovery, "orders", (size_t)crowds[_i]);
    expect_crowd(discovery, NULL, (size_t)crowds[_i]);
    netron_discovery_free(discovery);
}
END_TEST

static struct monitor monitor;

START_TEST(a_lookup_reads_the_nodes_that_match_and_no_others)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_fill("other-", 5000, BILLING);
    scene_fill("node-", 10, ORDERS);
    monitor_begin(&monitor, &scene.server);
    expect_crowd(discovery, "orders", 10);
    monitor_end(&monitor, &scene.server);
    ck_assert_int_eq(monitor.count, 5);
    ck_assert_int_eq(monitor_count(&monitor, "SCARD"), 1);
    ck_assert_int_eq(monitor_count(&monitor, "ZCARD"), 1);
    ck_assert_int_eq(monitor_count(&monitor, "SSCAN"), 1);
    ck_assert_int_eq(monitor_count(&monitor, "HMGET"), 1);
    ck_assert_int_eq(monitor_longest(&monitor, "HMGET"), 2 + 10);
    ck_assert_int_eq(monitor_count(&monitor, "MGET"), 1);
    ck_assert_int_eq(monitor_longest(&monitor, "MGET"), 1 + 10);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_lookup_that_matches_nothing_asks_three_small_questions)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_fill("other-", 1000, BILLING);
    monitor_begin(&monitor, &scene.server);
    EXPECT_FOUND(discovery, "orders", NULL, "");
    monitor_end(&monitor, &scene.server);
    ck_assert_int_eq(monitor.count, 3);
    ck_assert_int_eq(monitor_count(&monitor, "SCARD"), 1);
    ck_assert_int_eq(monitor_count(&monitor, "ZCARD"), 1);
    ck_assert_int_eq(monitor_count(&monitor, "SSCAN"), 1);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(whether_a_node_is_active_is_one_question)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_fill("node-", 3, ORDERS);
    monitor_begin(&monitor, &scene.server);
    ck_assert(scene_is_active(discovery, "node-00001"));
    monitor_end(&monitor, &scene.server);
    ck_assert_int_eq(monitor.count, 1);
    ck_assert_int_eq(monitor_count(&monitor, "EXISTS"), 1);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(no_command_is_over_more_than_a_page)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_fill("node-", 1500, ORDERS);
    monitor_begin(&monitor, &scene.server);
    expect_crowd(discovery, "orders", 1500);
    expect_crowd(discovery, NULL, 1500);
    monitor_end(&monitor, &scene.server);
    ck_assert_int_gt(monitor_longest(&monitor, "HMGET"), 2 + PAGE / 2);
    ck_assert_int_le(monitor_longest(&monitor, "HMGET"), 2 + PAGE);
    ck_assert_int_le(monitor_longest(&monitor, "MGET"), 1 + PAGE);
    ck_assert(monitor_all_end_with(&monitor, "SSCAN", "512"));
    ck_assert_int_eq(monitor_count(&monitor, "HMGET"), monitor_count(&monitor, "MGET"));
    ck_assert_int_le(monitor_count(&monitor, "HMGET"), 2 * 6); /* scans return about a page each */
    ck_assert_int_eq(monitor.count, monitor_count(&monitor, "SCARD") + monitor_count(&monitor, "ZCARD") +
                                        monitor_count(&monitor, "SSCAN") + 2 * monitor_count(&monitor, "HMGET"));
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(an_original_among_ours_costs_a_look_at_all_and_one_hash)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_fill("node-", 100, ORDERS);
    scene_store_original("node-00100", "10.0.0.1:80", ORDERS);
    monitor_begin(&monitor, &scene.server);
    expect_crowd(discovery, "orders", 101);
    monitor_end(&monitor, &scene.server);
    const int fetches = monitor_count(&monitor, "MGET");
    ck_assert_int_eq(monitor_count(&monitor, "SSCAN"), 2);
    ck_assert_int_le(fetches, 2);
    ck_assert_int_eq(monitor_words(&monitor, "MGET"), fetches + 101); /* each id once */
    ck_assert_int_eq(monitor_words(&monitor, "HMGET"), 2 * fetches + 101 + 5);
    ck_assert_int_eq(monitor.count, 2 + 2 + 2 * fetches + 1);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(five_thousand_nodes_are_found)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_fill("node-", 5000, ORDERS);
    expect_crowd(discovery, NULL, 5000);
    expect_crowd(discovery, "orders", 5000);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(nodes_that_stay_are_found_once_while_others_come_and_go)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    struct crowd crowd = {0};
    scene_fill("node-", 2000, ORDERS);
    scene_fill("passing-", 2000, ORDERS);
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_crowd, &crowd), 0);
    for (int i = 0; crowd.calls == 0; i++) { /* the index grows and shrinks under the scan */
        server_expect(&scene.server, "1", "SREM %s passing-%05d", PREFIX ":index:service:orders", i);
        server_expect(&scene.server, "1", "SREM %s passing-%05d", PREFIX ":index:nodes", i);
        server_expect(&scene.server, "1", "DEL %s%05d", PREFIX ":heartbeat:passing-", i);
        world_turn(&scene.world);
    }
    ck_assert_int_eq(crowd.code, 0);
    ck_assert_uint_ge(crowd.count, 2000);
    ck_assert_uint_le(crowd.count, 4000);
    ck_assert_uint_eq(crowd.wrong, crowd.count - 2000); /* node-... sorts before passing-... */
    netron_discovery_free(discovery);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lookup_scale");
    TCase *tcase = scene_case(suite, "pages");
    tcase_add_loop_test(tcase, every_node_is_found_once_and_in_order, 0, CROWDS);
    tcase_add_loop_test(tcase, every_original_is_found_once_and_in_order, 0, CROWDS);
    tcase_add_test(tcase, five_thousand_nodes_are_found);
    tcase_add_test(tcase, nodes_that_stay_are_found_once_while_others_come_and_go);
    tcase = scene_case(suite, "cost");
    tcase_add_test(tcase, a_lookup_reads_the_nodes_that_match_and_no_others);
    tcase_add_test(tcase, a_lookup_that_matches_nothing_asks_three_small_questions);
    tcase_add_test(tcase, whether_a_node_is_active_is_one_question);
    tcase_add_test(tcase, no_command_is_over_more_than_a_page);
    tcase_add_test(tcase, an_original_among_ours_costs_a_look_at_all_and_one_hash);
    return suite_run(suite);
}
