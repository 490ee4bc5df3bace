/* SPDX-License-Identifier: MIT */
/* Leaving a real Redis: one registration, all of them, with Redis there, gone or silent, and what is refused
 * afterwards. */
#include "stage.h"
#include <signal.h>

#define NODES 3

static struct spy spy;
static netron_registration *registrations[NODES];
static struct state_recorder states[NODES];
static struct link_recorder links;
static struct event_recorder events;
static struct done_recorder done;

static const netron_registration_state whole_life[] = {NETRON_REGISTERED, NETRON_LEAVING, NETRON_LEFT};

static void begin_number(int number)
{
    static const char *const ids[] = {"node-0", "node-1", "node-2"};
    registrations[number] = begin(discovery, ids[number], &states[number]);
}

/* Three nodes and a subscription, all of it working. */
static void join(void)
{
    options.on_link = record_link;
    options.on_link_arg = &links;
    discovery = join_connected();
    for (int i = 0; i < NODES; i++)
        begin_number(i);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &events, NULL), 0);
    AWAIT(&world, links.is_up[NETRON_LINK_EVENTS] && events.synced == 1);
    for (int i = 0; i < NODES; i++)
        AWAIT(&world, latest_state(&states[i]) == NETRON_REGISTERED);
}

static void shut_down(void)
{
    ck_assert_int_eq(netron_discovery_shutdown(discovery, record_done, &done), 0);
    ck_assert_int_eq(done.calls, 0);
}

static void assert_whole_life(const struct state_recorder *told)
{
    assert_states(told, 3, whole_life);
    ck_assert_int_eq(told->code[1] | told->code[2], 0);
}

/* ---- all of them ---- */

START_TEST(a_shutdown_takes_every_node_out_and_closes_both_links)
{
    join();
    ck_assert_int_eq(count_clients(&server), 2);
    spy_watch_events(&spy, &server);
    shut_down();
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    AWAIT(&world, count_clients(&server) == 0);
    server_expect(&server, "2", "DBSIZE"); /* registry and changes */
    server_expect(&server, "000000000000", "HGET " P ":registry digest");
    server_expect(&server, "6", "HGET " P ":registry revision");
    spy_collect(&spy);
    ck_assert_int_eq(spy.count, NODES);
    for (int i = 0; i < NODES; i++) {
        char node[32];
        snprintf(node, sizeof(node), "\"nodeId\":\"node-%d\"", i);
        ck_assert_int_eq(spy_heard(&spy, node), 1);
        ck_assert_ptr_nonnull(strstr(spy.line[i], "\"type\":\"NODE_DEREGISTERED\""));
        ck_assert_ptr_nonnull(strstr(spy.line[i], "\"reason\":\"shutdown\"}"));
        ck_assert_ptr_nonnull(strstr(spy.line[i], "\"services\":[{\"name\":\"users\",\"version\":\"1.2.0\"}"));
        assert_whole_life(&states[i]);
    }
    world_run(&world, 250); /* no beat, no new connection */
    ck_assert_int_eq(count_clients(&server), 0);
    ck_assert_int_eq(done.calls, 1);
    spy_close(&spy);
}
END_TEST

START_TEST(a_further_shutdown_joins_or_follows_the_first)
{
    struct done_recorder second = {0};
    struct done_recorder late = {0};
    join();
    shut_down();
    world_turn(&world);
    ck_assert_int_eq(netron_discovery_shutdown(discovery, record_done, &second), 0);
    ck_assert_int_eq(netron_discovery_shutdown(discovery, NULL, NULL), 0);
    AWAIT(&world, done.calls == 1 && second.calls == 1);
    ck_assert_int_eq(done.code | second.code, 0);
    ck_assert_int_eq(netron_discovery_shutdown(discovery, record_done, &late), 0);
    ck_assert_int_eq(late.calls, 0);
    AWAIT(&world, late.calls == 1);
    ck_assert_int_eq(late.code, 0);
    ck_assert_int_eq(netron_discovery_shutdown(NULL, record_done, &late), NETRON_EINVAL);
    world_run(&world, 50);
    ck_assert_int_eq(done.calls + second.calls + late.calls, 3);
}
END_TEST

START_TEST(a_discovery_without_nodes_shuts_down)
{
    options.on_link = record_link;
    options.on_link_arg = &links;
    discovery = world_join(&world, &options);
    if (_i == 1)
        AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS]);
    shut_down();
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    server_expect(&server, "0", "DBSIZE");
}
END_TEST

START_TEST(a_node_whose_registration_is_on_its_way_is_taken_out_as_well)
{
    options.on_link = record_link;
    options.on_link_arg = &links;
    discovery = world_join(&world, &options);
    AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS]);
    begin_number(0);
    for (int i = 0; i < _i; i++) /* not yet sent, sent, perhaps answered */
        world_turn(&world);
    shut_down();
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    AWAIT(&world, count_clients(&server) == 0);
    server_expect(&server, "0", "EXISTS " P ":heartbeat:node-0 " P ":nodes:node-0 " P ":records " P ":index:nodes");
    ck_assert_int_eq(latest_state(&states[0]), NETRON_LEFT);
}
END_TEST

START_TEST(a_node_that_was_replaced_is_no_failure_to_leave)
{
    join();
    server_expect(&server, "OK", "SET " P ":heartbeat:node-1 another PX 60000");
    shut_down();
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(latest_state(&states[1]), NETRON_REPLACED);
    server_expect(&server, "another", "GET " P ":heartbeat:node-1");
    server_expect(&server, "1", "SCARD " P ":index:nodes");
}
END_TEST

static void free_when_done(netron_discovery *of, int code, void *arg)
{
    record_done(of, code, arg);
    netron_discovery_free(of);
    discovery = NULL;
}

START_TEST(done_may_free_the_discovery)
{
    join();
    ck_assert_int_eq(netron_discovery_shutdown(discovery, free_when_done, &done), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    AWAIT(&world, count_clients(&server) == 0);
    server_expect(&server, "0", "EXISTS " P ":index:nodes");
}
END_TEST

START_TEST(everything_but_shutdown_is_refused_afterwards)
{
    struct done_recorder late = {0};
    struct nodes_recorder nodes = {0};
    struct active_recorder active = {0};
    netron_node node = NETRON_NODE_INIT;
    netron_stats stats = {.size = sizeof(stats)};
    node.id = "late";
    node.address = "a:1";
    join();
    shut_down();
    for (int round = 0; round < 2; round++) {
        netron_registration *none = NULL;
        netron_subscription *no_subscription = NULL;
        ck_assert_int_eq(netron_register(discovery, &node, record_state, &states[0], &none), NETRON_ESHUTDOWN);
        ck_assert_int_eq(netron_find_nodes_by_service(discovery, "users", NULL, record_nodes, &nodes),
                         NETRON_ESHUTDOWN);
        ck_assert_int_eq(netron_get_active_nodes(discovery, record_nodes, &nodes), NETRON_ESHUTDOWN);
        ck_assert_int_eq(netron_is_node_active(discovery, "node-0", record_active, &active), NETRON_ESHUTDOWN);
        ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &events, &no_subscription),
                         NETRON_ESHUTDOWN);
        ck_assert_int_eq(netron_registration_update_address(registrations[0], "a:1", record_done, &late),
                         NETRON_ESHUTDOWN);
        ck_assert_ptr_null(none);
        ck_assert_ptr_null(no_subscription);
        ck_assert_str_ne(netron_discovery_error(discovery), "");
        AWAIT(&world, done.calls == 1);
    }
    ck_assert_int_eq(netron_registration_deregister(registrations[0], record_done, &late), 0);
    AWAIT(&world, late.calls == 1);
    ck_assert_int_eq(late.code, 0);
    ck_assert_int_eq(netron_discovery_stats(discovery, &stats), 0);
    ck_assert_uint_eq(stats.nodes_registered, 0);
    ck_assert_int_eq(nodes.calls + active.calls, 0);
    assert_whole_life(&states[0]);
}
END_TEST

/* ---- one of them ---- */

START_TEST(one_node_leaves_and_the_others_stay)
{
    struct done_recorder joined = {0};
    struct done_recorder late = {0};
    join();
    ck_assert_int_eq(netron_registration_deregister(registrations[1], record_done, &done), 0);
    ck_assert_int_eq(netron_registration_deregister(registrations[1], record_done, &joined), 0);
    ck_assert_int_eq(done.calls, 0);
    AWAIT(&world, done.calls == 1 && joined.calls == 1);
    ck_assert_int_eq(done.code | joined.code, 0);
    server_expect(&server, "0", "EXISTS " P ":nodes:node-1 " P ":heartbeat:node-1");
    server_expect(&server, "0", "HEXISTS " P ":records node-1");
    server_expect(&server, "0", "SISMEMBER " P ":index:service:users node-1");
    server_expect(&server, "2", "SCARD " P ":index:nodes");
    server_expect(&server, "2", "SCARD " P ":index:service:users");
    server_expect(&server, "4", "ZSCORE " P ":changes node-1");
    ck_assert(digest_is_right(&server));
    ck_assert_int_eq(netron_registration_deregister(registrations[1], record_done, &late), 0);
    AWAIT(&world, late.calls == 1);
    ck_assert_int_eq(late.code, 0);
    AWAIT(&world, events.count > 0 && events.events[events.count - 1].type == NETRON_NODE_DEREGISTERED);
    ck_assert_str_eq(events.events[events.count - 1].text,
                     "NODE_DEREGISTERED node-1 10.0.0.1:4000 users@1.2.0 mail (shutdown)");
    world_run(&world, 250); /* some beats of the others */
    server_expect(&server, "0", "EXISTS " P ":nodes:node-1 " P ":heartbeat:node-1");
    ck_assert_int_eq(states[0].count + states[2].count, 2);
    assert_whole_life(&states[1]);
    ck_assert_int_eq(done.calls + joined.calls + late.calls, 3);
    netron_registration_free(registrations[1]);
}
END_TEST

START_TEST(a_node_that_is_gone_already_leaves_well)
{
    join();
    server_expect(&server, "OK", "FLUSHALL");
    ck_assert_int_eq(netron_registration_deregister(registrations[0], record_done, &done), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(latest_state(&states[0]), NETRON_LEFT);
    ck_assert_int_eq(netron_registration_deregister(NULL, record_done, &done), NETRON_EINVAL);
}
END_TEST

START_TEST(an_id_can_be_registered_again_after_it_left)
{
    join();
    ck_assert_int_eq(netron_registration_deregister(registrations[0], NULL, NULL), 0);
    states[0] = (struct state_recorder){0};
    begin_number(0); /* at once, while the other is still leaving */
    AWAIT(&world, latest_state(&states[0]) == NETRON_REGISTERED);
    server_expect(&server, "1", "HEXISTS " P ":records node-0");
    ck_assert(digest_is_right(&server));
}
END_TEST

/* ---- Redis gone, or silent ---- */

START_TEST(a_node_that_was_never_sent_leaves_without_redis)
{
    server_kill(&server);
    options.on_link = record_link;
    options.on_link_arg = &links;
    discovery = world_join(&world, &options);
    begin_number(0);
    world_run(&world, 50);
    ck_assert_int_eq(netron_registration_deregister(registrations[0], record_done, &done), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(latest_state(&states[0]), NETRON_LEFT);
    done.calls = 0;
    begin_number(1);
    shut_down();
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(latest_state(&states[1]), NETRON_LEFT);
}
END_TEST

START_TEST(a_shutdown_without_redis_ends_at_the_deadline)
{
    options.retry_delay_ms = 10000;
    options.shutdown_timeout_ms = 200;
    join();
    server_kill(&server);
    AWAIT(&world, !links.is_up[NETRON_LINK_COMMANDS]);
    uint64_t begun = world_clock_ms();
    shut_down();
    AWAIT(&world, done.calls == 1);
    uint64_t took = world_clock_ms() - begun;
    ck_assert_int_eq(done.code, NETRON_ETIMEDOUT);
    ck_assert_msg(took >= 180 && took < 5000, "it took %u ms", (unsigned)took);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(discovery), "3 nodes"));
    for (int i = 0; i < NODES; i++) {
        ck_assert_int_eq(latest_state(&states[i]), NETRON_FAILED);
        ck_assert_int_eq(states[i].code[states[i].count - 1], NETRON_ETIMEDOUT);
    }
    world_run(&world, 50);
    ck_assert_int_eq(done.calls, 1);
}
END_TEST

START_TEST(a_shutdown_without_redis_ends_when_the_retries_are_over)
{
    join();
    server_kill(&server);
    shut_down();
    uint64_t begun = world_clock_ms();
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, NETRON_EDISCONNECTED);
    ck_assert_uint_lt(world_clock_ms() - begun, 5000); /* the deadline */
    ck_assert_int_eq(latest_state(&states[0]), NETRON_FAILED);
}
END_TEST

START_TEST(a_shutdown_with_a_silent_redis_ends_at_the_deadline)
{
    struct nodes_recorder nodes = {0};
    options.shutdown_timeout_ms = 200;
    join();
    kill(server.pid, SIGSTOP);
    ck_assert_int_eq(netron_get_active_nodes(discovery, record_nodes, &nodes), 0);
    world_turn(&world);
    shut_down();
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, NETRON_ETIMEDOUT);
    ck_assert_int_eq(nodes.calls, 1);
    ck_assert_int_eq(nodes.code, NETRON_ECANCELLED);
    world_run(&world, 50);
    ck_assert_int_eq(nodes.calls, 1);
    kill(server.pid, SIGCONT);
}
END_TEST

START_TEST(a_shutdown_survives_a_short_silence_of_redis)
{
    options.heartbeat_ttl_ms = 60000;
    join();
    kill(server.pid, SIGSTOP);
    shut_down();
    world_run(&world, 150);
    ck_assert_int_eq(done.calls, 0);
    kill(server.pid, SIGCONT);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    server_expect(&server, "2", "DBSIZE");
    assert_whole_life(&states[0]);
}
END_TEST

START_TEST(a_deregistration_without_redis_is_told_after_the_retries)
{
    join();
    server_kill(&server);
    ck_assert_int_eq(netron_registration_deregister(registrations[0], record_done, &done), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, NETRON_EDISCONNECTED);
    ck_assert_int_eq(latest_state(&states[0]), NETRON_FAILED);
    int told = states[0].count;
    server_start_again(&server, NULL);
    AWAIT(&world, latest_state(&states[1]) == NETRON_REGISTERED && latest_state(&states[2]) == NETRON_REGISTERED);
    world_run(&world, 150);
    ck_assert_int_eq(states[0].count, told); /* it has ended */
    server_expect(&server, "0", "EXISTS " P ":heartbeat:node-0");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shutdown");
    TCase *tcase = suite_case(suite, "on a shared server");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_add_test(tcase, a_shutdown_takes_every_node_out_and_closes_both_links);
    tcase_add_test(tcase, a_further_shutdown_joins_or_follows_the_first);
    tcase_add_loop_test(tcase, a_discovery_without_nodes_shuts_down, 0, 2);
    tcase_add_loop_test(tcase, a_node_whose_registration_is_on_its_way_is_taken_out_as_well, 0, 4);
    tcase_add_test(tcase, a_node_that_was_replaced_is_no_failure_to_leave);
    tcase_add_test(tcase, done_may_free_the_discovery);
    tcase_add_test(tcase, everything_but_shutdown_is_refused_afterwards);
    tcase_add_test(tcase, one_node_leaves_and_the_others_stay);
    tcase_add_test(tcase, a_node_that_is_gone_already_leaves_well);
    tcase_add_test(tcase, an_id_can_be_registered_again_after_it_left);
    tcase = suite_case(suite, "on a server of its own");
    tcase_add_checked_fixture(tcase, open_alone, close_alone);
    tcase_add_test(tcase, a_node_that_was_never_sent_leaves_without_redis);
    tcase_add_test(tcase, a_shutdown_without_redis_ends_at_the_deadline);
    tcase_add_test(tcase, a_shutdown_without_redis_ends_when_the_retries_are_over);
    tcase_add_test(tcase, a_shutdown_with_a_silent_redis_ends_at_the_deadline);
    tcase_add_test(tcase, a_shutdown_survives_a_short_silence_of_redis);
    tcase_add_test(tcase, a_deregistration_without_redis_is_told_after_the_retries);
    return suite_run(suite);
}
