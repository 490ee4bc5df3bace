/* SPDX-License-Identifier: MIT */
/* Lookups that are many at once, begun in callbacks, or on a Redis that is away, slow or refuses. */
#include "scene.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* ---- many ---- */

START_TEST(many_lookups_at_once_are_each_answered_once)
{
    enum { MANY = 300 };
    static struct nodes_recorder by_name[MANY];
    static struct active_recorder by_id[MANY];
    struct nodes_recorder all = {0};
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    scene_enrol(discovery, "a", "h:1", "orders", "1.0.0", NULL, NULL);
    scene_enrol(discovery, "b", "h:2", "billing", NULL, NULL, NULL);
    for (int i = 0; i < MANY; i++) {
        const char *name = i % 3 == 0 ? "orders" : i % 3 == 1 ? "billing" : "nobody";
        ck_assert_int_eq(netron_find_nodes_by_service(discovery, name, NULL, record_nodes, &by_name[i]), 0);
        ck_assert_int_eq(netron_is_node_active(discovery, i % 2 == 0 ? "a" : "x", record_active, &by_id[i]), 0);
    }
    ck_assert_int_eq(netron_get_active_nodes(discovery, record_nodes, &all), 0);
    AWAIT(&scene.world, all.calls == 1 && scene_stats(discovery).lookups == 2 * MANY + 1);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(by_name[i].calls, 1);
        ck_assert_int_eq(by_name[i].code, 0);
        ck_assert_str_eq(by_name[i].text, i % 3 == 0 ? "a h:1 orders@1.0.0" : i % 3 == 1 ? "b h:2 billing" : "");
        ck_assert_int_eq(by_id[i].calls, 1);
        ck_assert_int_eq(by_id[i].active, i % 2 == 0);
    }
    ck_assert_str_eq(all.text, "a h:1 orders@1.0.0; b h:2 billing");
    ck_assert_int_eq((int)scene_stats(discovery).connects, 1);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(lookups_beyond_lookups_max_are_refused)
{
    netron_options options = scene_options();
    options.lookups_max = 3;
    netron_discovery *discovery = scene_join(&options);
    struct nodes_recorder found = {0};
    struct active_recorder active = {0};
    struct nodes_recorder refused = {0};
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_nodes, &found), 0);
    ck_assert_int_eq(netron_get_active_nodes(discovery, record_nodes, &found), 0);
    ck_assert_int_eq(netron_is_node_active(discovery, "a", record_active, &active), 0);
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_nodes, &refused), NETRON_EOVERLOAD);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(discovery), "lookups_max"));
    ck_assert_int_eq(netron_get_active_nodes(discovery, record_nodes, &refused), NETRON_EOVERLOAD);
    ck_assert_int_eq(netron_is_node_active(discovery, "a", record_active, &refused), NETRON_EOVERLOAD);
    AWAIT(&scene.world, found.calls == 2 && active.calls == 1);
    ck_assert_int_eq(found.code, 0);
    EXPECT_FOUND(discovery, "orders", NULL, ""); /* there is room again */
    ck_assert_int_eq(refused.calls, 0);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(by_default_a_thousand_and_twenty_four_may_be_pending)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    static struct active_recorder active;
    for (int i = 0; i < 1024; i++)
        ck_assert_int_eq(netron_is_node_active(discovery, "a", record_active, &active), 0);
    ck_assert_int_eq(netron_is_node_active(discovery, "a", record_active, &active), NETRON_EOVERLOAD);
    AWAIT(&scene.world, active.calls == 1024);
    ck_assert_int_eq(active.code, 0);
    netron_discovery_free(discovery);
}
END_TEST

/* ---- in callbacks ---- */

struct chain {
    int calls;
    int wanted;
    bool is_inside;
};

static void begin_next(netron_discovery *discovery, struct chain *chain);

static void on_link_of_chain(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count,
                             void *arg)
{
    (void)nodes;
    struct chain *chain = arg;
    ck_assert(!chain->is_inside); /* never from inside a call */
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq((int)count, 1);
    chain->calls++;
    begin_next(discovery, chain);
}

static void on_active_of_chain(netron_discovery *discovery, int code, int active, void *arg)
{
    struct chain *chain = arg;
    ck_assert(!chain->is_inside);
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(active, 1);
    chain->calls++;
    begin_next(discovery, chain);
}

static void begin_next(netron_discovery *discovery, struct chain *chain)
{
    int code = 0;
    chain->is_inside = true;
    if (chain->calls >= chain->wanted)
        ; /* enough */
    else if (chain->calls % 3 == 0)
        code = netron_find_nodes_by_service(discovery, "orders", "1.0.0", on_link_of_chain, chain);
    else if (chain->calls % 3 == 1)
        code = netron_is_node_active(discovery, "a", on_active_of_chain, chain);
    else
        code = netron_get_active_nodes(discovery, on_link_of_chain, chain);
    chain->is_inside = false;
    ck_assert_int_eq(code, 0);
}

START_TEST(each_callback_may_begin_the_next_lookup)
{
    netron_options options = scene_options();
    options.lookups_max = 1; /* a lookup is over when it calls back */
    netron_discovery *discovery = scene_join(&options);
    struct chain chain = {.wanted = 30};
    scene_enrol(discovery, "a", "h:1", "orders", "1.0.0", NULL, NULL);
    begin_next(discovery, &chain);
    AWAIT(&scene.world, chain.calls == chain.wanted);
    netron_discovery_free(discovery);
}
END_TEST

static void free_discovery(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count,
                           void *arg)
{
    int *calls = arg;
    ++*calls;
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq((int)count, 1);
    netron_discovery_free(discovery);
    ck_assert_str_eq(nodes[0]->id, "a"); /* valid until the callback returns */
}

START_TEST(a_callback_may_free_the_discovery)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    struct nodes_recorder others = {0};
    int calls = 0;
    scene_enrol(discovery, "a", "h:1", "orders", "1.0.0", NULL, NULL);
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, free_discovery, &calls), 0);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_nodes, &others), 0);
    AWAIT(&scene.world, calls == 1);
    ck_assert_int_eq(others.calls, 5);
    ck_assert_int_eq(others.code, NETRON_ECANCELLED);
    ck_assert_int_eq((int)others.count, 0);
    world_run(&scene.world, 20);
    ck_assert_int_eq(calls + others.calls, 6);
}
END_TEST

START_TEST(lookups_under_way_are_cancelled_by_free)
{
    const netron_options options = scene_options();
    netron_discovery *discovery = scene_join(&options);
    struct nodes_recorder found = {0};
    struct active_recorder active = {.active = 1};
    ck_assert_int_eq(netron_get_active_nodes(discovery, record_nodes, &found), 0);
    ck_assert_int_eq(netron_is_node_active(discovery, "a", record_active, &active), 0);
    netron_discovery_free(discovery);
    ck_assert_int_eq(found.calls, 1);
    ck_assert_int_eq(found.code, NETRON_ECANCELLED);
    ck_assert_int_eq(active.calls, 1);
    ck_assert_int_eq(active.code, NETRON_ECANCELLED);
    ck_assert_int_eq(active.active, 0);
}
END_TEST

/* ---- away ---- */

START_TEST(a_lookup_before_there_is_a_connection_ends_in_the_next_turn)
{
    netron_options options = scene_options();
    options.url = "unix:///nowhere/redis.sock";
    netron_discovery *discovery = world_join(&scene.world, &options);
    struct nodes_recorder found = {0};
    struct active_recorder active = {0};
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_nodes, &found), 0);
    ck_assert_int_eq(netron_is_node_active(discovery, "a", record_active, &active), 0);
    ck_assert_int_eq(found.calls + active.calls, 0);
    world_turn(&scene.world);
    ck_assert_int_eq(found.calls, 1);
    ck_assert_int_eq(found.code, NETRON_EDISCONNECTED);
    ck_assert_int_eq((int)found.count, 0);
    ck_assert_int_eq(active.calls, 1);
    ck_assert_int_eq(active.code, NETRON_EDISCONNECTED);
    ck_assert_str_ne(netron_discovery_error(discovery), "");
    ck_assert_int_eq((int)scene_stats(discovery).lookups, 0);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(without_a_connection_a_lookup_says_why_there_is_none)
{
    netron_options options = scene_options();
    struct link_recorder link = {0};
    struct nodes_recorder found = {0};
    options.username = "nobody";
    options.password = "wrong";
    options.on_link = record_link;
    options.on_link_arg = &link;
    netron_discovery *discovery = world_join(&scene.world, &options);
    AWAIT(&scene.world, link.code[NETRON_LINK_COMMANDS] != 0);
    ck_assert_int_eq(link.code[NETRON_LINK_COMMANDS], NETRON_EAUTH);
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_nodes, &found), 0);
    ck_assert_int_eq(found.calls, 0);
    world_turn(&scene.world);
    ck_assert_int_eq(found.calls, 1);
    ck_assert_int_eq(found.code, NETRON_EAUTH);
    ck_assert_str_eq(netron_discovery_error(discovery), link.sentence[NETRON_LINK_COMMANDS]);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(lookups_in_flight_when_redis_dies_end_once_and_work_again_after_its_return)
{
    struct server mortal;
    struct link_recorder link = {0};
    struct nodes_recorder found = {0};
    netron_options options = scene_options();
    server_start(&mortal, NULL);
    options.url = mortal.url;
    options.reconnect_max_ms = 100;
    options.on_link = record_link;
    options.on_link_arg = &link;
    netron_discovery *discovery = scene_join(&options);
    kill(mortal.pid, SIGSTOP); /* so that they are under way for sure */
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(netron_get_active_nodes(discovery, record_nodes, &found), 0);
    world_turn(&scene.world);
    server_kill(&mortal);
    AWAIT(&scene.world, found.calls == 10);
    ck_assert_int_eq(found.code, NETRON_EDISCONNECTED);
    AWAIT(&scene.world, !link.is_up[NETRON_LINK_COMMANDS]);
    ck_assert_int_eq(netron_get_active_nodes(discovery, record_nodes, &found), 0);
    world_turn(&scene.world);
    ck_assert_int_eq(found.calls, 11);
    ck_assert_int_eq(found.code, link.code[NETRON_LINK_COMMANDS]);
    server_start_again(&mortal, NULL);
    AWAIT(&scene.world, link.is_up[NETRON_LINK_COMMANDS]);
    EXPECT_FOUND(discovery, "orders", NULL, "");
    ck_assert_int_eq(found.calls, 11);
    netron_discovery_free(discovery);
    server_stop(&mortal);
}
END_TEST

START_TEST(a_redis_that_does_not_answer_ends_a_lookup_by_the_command_timeout)
{
    struct server mortal;
    struct nodes_recorder found = {0};
    netron_options options = scene_options();
    server_start(&mortal, NULL);
    options.url = mortal.url;
    options.command_timeout_ms = 400;
    options.reconnect_max_ms = 100;
    netron_discovery *discovery = scene_join(&options);
    kill(mortal.pid, SIGSTOP);
    uint64_t begun_at = world_clock_ms();
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_nodes, &found), 0);
    AWAIT(&scene.world, found.calls == 1);
    ck_assert_int_eq(found.code, NETRON_ETIMEDOUT);
    ck_assert_uint_ge(world_clock_ms() - begun_at, 390); /* the loop's clock ticks every few ms */
    ck_assert_uint_lt(world_clock_ms() - begun_at, 3000);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(discovery), "400 ms"));
    kill(mortal.pid, SIGCONT);
    AWAIT(&scene.world, scene_stats(discovery).connects == 2);
    EXPECT_FOUND(discovery, "orders", NULL, "");
    ck_assert_int_eq(found.calls, 1);
    netron_discovery_free(discovery);
    server_stop(&mortal);
}
END_TEST

/* ---- refusing ---- */

START_TEST(a_command_that_the_acl_forbids_is_told_with_the_words_of_redis)
{
    static const char *const forbidden[] = {"-hmget", "-mget", "-sscan"};
    netron_options options = scene_options();
    scene_fill("node-", 1, "[{\"name\":\"orders\"}]");
    options.username = "limited";
    options.password = "secret";
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        struct nodes_recorder found = {0};
        server_expect(&scene.server, "OK", "ACL SETUSER limited reset on >secret ~* &* +@all %s", forbidden[i]);
        netron_discovery *discovery = scene_join(&options);
        ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_nodes, &found), 0);
        AWAIT(&scene.world, found.calls == 1);
        ck_assert_int_eq(found.code, NETRON_EPERM);
        ck_assert_int_eq((int)found.count, 0);
        ck_assert_ptr_nonnull(strstr(netron_discovery_error(discovery), "NOPERM"));
        ck_assert_int_eq((int)scene_stats(discovery).lookups, 0);
        netron_discovery_free(discovery);
    }
    server_expect(&scene.server, "1", "ACL DELUSER limited");
}
END_TEST

START_TEST(a_redis_that_is_busy_with_a_script_is_told_as_unavailable)
{
    static const char *const extra[] = {"--lua-time-limit", "50", NULL};
    struct server busy;
    struct nodes_recorder found = {0};
    netron_options options = scene_options();
    server_start(&busy, extra);
    options.url = busy.url;
    netron_discovery *discovery = scene_join(&options);
    redisContext *context = server_connect(&busy);
    int is_written = 0;
    redisAppendCommand(context, "EVAL %s 0", "while true do end");
    while (!is_written)
        ck_assert_int_eq(redisBufferWrite(context, &is_written), REDIS_OK);
    do {
        found = (struct nodes_recorder){0}; /* the script may not run yet */
        ck_assert_int_eq(netron_find_nodes_by_service(discovery, "orders", NULL, record_nodes, &found), 0);
        AWAIT(&scene.world, found.calls == 1);
    } while (found.code == 0);
    ck_assert_int_eq(found.code, NETRON_EUNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(discovery), "BUSY"));
    server_expect(&busy, "OK", "SCRIPT KILL");
    void *reply = NULL; /* it is over when the script's caller hears of it */
    ck_assert_int_eq(redisGetReply(context, &reply), REDIS_OK);
    freeReplyObject(reply);
    EXPECT_FOUND(discovery, "orders", NULL, "");
    redisFree(context);
    server_forget(&busy);
    netron_discovery_free(discovery);
    server_stop(&busy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lookup_failure");
    TCase *tcase = scene_case(suite, "many");
    tcase_add_test(tcase, many_lookups_at_once_are_each_answered_once);
    tcase_add_test(tcase, lookups_beyond_lookups_max_are_refused);
    tcase_add_test(tcase, by_default_a_thousand_and_twenty_four_may_be_pending);
    tcase = scene_case(suite, "callbacks");
    tcase_add_test(tcase, each_callback_may_begin_the_next_lookup);
    tcase_add_test(tcase, a_callback_may_free_the_discovery);
    tcase_add_test(tcase, lookups_under_way_are_cancelled_by_free);
    tcase = scene_case(suite, "failures");
    tcase_add_test(tcase, a_lookup_before_there_is_a_connection_ends_in_the_next_turn);
    tcase_add_test(tcase, without_a_connection_a_lookup_says_why_there_is_none);
    tcase_add_test(tcase, lookups_in_flight_when_redis_dies_end_once_and_work_again_after_its_return);
    tcase_add_test(tcase, a_redis_that_does_not_answer_ends_a_lookup_by_the_command_timeout);
    tcase_add_test(tcase, a_command_that_the_acl_forbids_is_told_with_the_words_of_redis);
    tcase_add_test(tcase, a_redis_that_is_busy_with_a_script_is_told_as_unavailable);
    return suite_run(suite);
}
