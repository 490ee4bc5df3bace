/* SPDX-License-Identifier: MIT */
/* Updates, departures and shutdowns to the millisecond: what is wanted is kept, sent once, and given up in time. */
#include "sim.h"
#include <backoff.h>
#include <string.h>

/* ---- updates ---- */

START_TEST(an_update_goes_out_at_once_and_is_done_when_redis_has_it)
{
    struct done_recorder done = {0};
    const netron_service shop = {"shop", "2"};
    sim_join_and_register();
    sim_advance(100);
    uint64_t at = sim.loop.now;
    ck_assert_int_eq(netron_registration_update_services(sim.registration, &shop, 1, record_done, &done), 0);
    ck_assert_int_eq(done.calls, 0);
    sim_settle();
    ck_assert_uint_eq(sim_registers(), 2);
    ck_assert_uint_eq(sim_register_command(1)->at, at);
    ck_assert(sim_last_register_has("[{\"name\":\"shop\",\"version\":\"2\"}]"));
    ck_assert(sim_last_register_has(" renew "));
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(sim.states.count, 1);
}
END_TEST

START_TEST(an_update_to_the_same_content_sends_nothing_and_is_done)
{
    struct done_recorder done = {0};
    const netron_service web = {"web", "1"};
    sim_join_and_register();
    size_t commands = sim.peer.command_count;
    ck_assert_int_eq(netron_registration_update_services(sim.registration, &web, 1, record_done, &done), 0);
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.1:80", record_done, &done), 0);
    ck_assert_int_eq(done.calls, 0);
    sim_settle();
    ck_assert_int_eq(done.calls, 2);
    ck_assert_int_eq(done.code, 0);
    ck_assert_uint_eq(sim.peer.command_count, commands);
}
END_TEST

START_TEST(of_several_updates_while_redis_is_away_the_latest_is_sent_once_on_return)
{
    struct done_recorder done = {0};
    static const char *const addresses[] = {"10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"};
    sim_join_and_register();
    sim_redis_goes_away();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(netron_registration_update_address(sim.registration, addresses[i], record_done, &done), 0);
    sim_advance(1000);
    ck_assert_int_eq(done.calls, 0);
    ck_assert_str_eq(netron_registration_node(sim.registration)->address, "10.0.0.4:80");
    peer_listen(&sim.peer);
    sim_advance(3000);
    ck_assert_uint_eq(sim_registers(), 2);
    ck_assert(sim_last_register_has(" 10.0.0.4:80 "));
    ck_assert_uint_eq(sim_register_command(1)->at, sim.peer.accepted_at[1]);
    ck_assert_int_eq(done.calls, 3);
    ck_assert_int_eq(done.code, 0);
}
END_TEST

START_TEST(an_update_made_while_another_is_under_way_follows_it)
{
    struct done_recorder first = {0};
    struct done_recorder second = {0};
    sim_join_and_register();
    sim.peer.answer = sim_silent;
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.2:80", record_done, &first), 0);
    sim_settle();
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.3:80", record_done, &second), 0);
    sim_settle();
    ck_assert_uint_eq(sim_registers(), 2);
    sim.peer.answer = peer_answer_well;
    static const char reply[] = "*2\r\n$7\r\nupdated\r\n:2\r\n";
    peer_send(&sim.peer, 0, reply, sizeof(reply) - 1);
    sim_settle();
    ck_assert_uint_eq(sim_registers(), 3);
    ck_assert(sim_last_register_has(" 10.0.0.3:80 "));
    ck_assert_int_eq(first.calls, 1);
    ck_assert_int_eq(second.calls, 1);
}
END_TEST

START_TEST(a_refused_update_is_told_after_its_retries_and_stays_wanted)
{
    struct done_recorder done = {0};
    sim_join_and_register();
    sim.peer.answer = sim_busy;
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.2:80", record_done, &done), 0);
    sim_advance(2999);
    ck_assert_int_eq(done.calls, 0);
    sim_advance(1);
    ck_assert_uint_eq(sim_registers(), 5);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, NETRON_EUNAVAILABLE);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
    sim.peer.answer = peer_answer_well;
    sim_advance(5500);
    ck_assert_uint_eq(sim_registers(), 6);
    ck_assert(sim_last_register_has(" 10.0.0.2:80 "));
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

START_TEST(an_update_pending_when_the_registration_leaves_is_cancelled)
{
    static struct done_recorder update; /* they outlive the test, for its end cancels what is pending */
    static struct done_recorder leave;
    sim_join_and_register();
    sim_redis_goes_away();
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.2:80", record_done, &update), 0);
    ck_assert_int_eq(netron_registration_deregister(sim.registration, record_done, &leave), 0);
    ck_assert_int_eq(update.calls, 0);
    sim_settle();
    ck_assert_int_eq(update.calls, 1);
    ck_assert_int_eq(update.code, NETRON_ECANCELLED);
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.3:80", record_done, &update),
                     NETRON_ESHUTDOWN);
}
END_TEST

/* ---- leaving ---- */

START_TEST(leaving_deregisters_at_once_and_ends_as_left)
{
    struct done_recorder done = {0};
    sim_join_and_register();
    sim_advance(100);
    ck_assert_int_eq(netron_registration_deregister(sim.registration, record_done, &done), 0);
    sim_settle();
    ck_assert_uint_eq(sim_deregisters(), 1);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(sim.states.count, 3);
    ck_assert_int_eq(sim.states.state[1], NETRON_LEAVING);
    ck_assert_int_eq(sim.states.state[2], NETRON_LEFT);
    size_t beats = sim_count("GETEX") + sim_registers();
    sim_advance(60000);
    ck_assert_uint_eq(sim_count("GETEX") + sim_registers(), beats);
    ck_assert_int_eq(netron_registration_deregister(sim.registration, record_done, &done), 0);
    sim_settle();
    ck_assert_int_eq(done.calls, 2);
    ck_assert_uint_eq(sim_deregisters(), 1);
}
END_TEST

START_TEST(a_failed_departure_is_tried_three_times_more_and_then_given_up)
{
    struct done_recorder done = {0};
    sim_join_and_register();
    sim.peer.answer = sim_busy;
    uint64_t at = sim.loop.now;
    ck_assert_int_eq(netron_registration_deregister(sim.registration, record_done, &done), 0);
    sim_advance(2999);
    ck_assert_int_eq(done.calls, 0);
    sim_advance(1);
    ck_assert_uint_eq(sim_deregisters(), 4);
    ck_assert_uint_eq(sim.peer.commands[sim.peer.command_count - 1].at, at + 3000);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, NETRON_EUNAVAILABLE);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
    sim_advance(60000);
    ck_assert_uint_eq(sim_deregisters(), 4);
}
END_TEST

START_TEST(a_registration_that_was_never_sent_leaves_without_redis)
{
    struct done_recorder done = {0};
    peer_stop_listening(&sim.peer);
    sim_join();
    sim_register();
    sim_settle();
    ck_assert_int_eq(netron_registration_deregister(sim.registration, record_done, &done), 0);
    ck_assert_int_eq(done.calls, 0);
    sim_settle();
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_LEFT);
}
END_TEST

START_TEST(leaving_while_the_register_is_under_way_deregisters_after_it)
{
    struct done_recorder done = {0};
    sim.peer.answer = sim_silent;
    sim_join();
    sim_register();
    sim_settle();
    ck_assert_uint_eq(sim_registers(), 1);
    ck_assert_int_eq(netron_registration_deregister(sim.registration, record_done, &done), 0);
    sim_settle();
    ck_assert_uint_eq(sim_deregisters(), 1);
    static const char replies[] = "*2\r\n$10\r\nregistered\r\n:1\r\n*2\r\n$12\r\nderegistered\r\n:2\r\n";
    peer_send(&sim.peer, 0, replies, sizeof(replies) - 1);
    sim_settle();
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_LEFT);
    for (int i = 0; i < sim.states.count; i++)
        ck_assert_int_ne(sim.states.state[i], NETRON_REGISTERED);
}
END_TEST

/* ---- shutting down ---- */

START_TEST(shutdown_deregisters_closes_both_links_and_is_done_once)
{
    struct done_recorder done = {0};
    struct event_recorder events = {0};
    sim.options.pubsub_enabled = 1;
    sim_join_and_register();
    ck_assert_int_eq(netron_subscribe_to_events(sim.discovery, record_event, &events, NULL), 0);
    sim_settle();
    ck_assert_int_eq(sim.peer.conn_count, 2);
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    ck_assert_int_eq(done.calls, 0);
    sim_settle();
    ck_assert_uint_eq(sim_deregisters(), 1);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(sim.peer.conns[0], -1);
    ck_assert_int_eq(sim.peer.conns[1], -1);
    ck_assert_uint_eq(fake_loop_next(&sim.loop), UINT64_MAX);
    ck_assert_ptr_null(sim.loop.ios);
}
END_TEST

START_TEST(further_shutdowns_join_the_first_and_later_ones_are_done_too)
{
    struct done_recorder done = {0};
    sim_join_and_register();
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, NULL, NULL), 0);
    sim_settle();
    ck_assert_uint_eq(sim_deregisters(), 1);
    ck_assert_int_eq(done.calls, 2);
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    ck_assert_int_eq(done.calls, 2);
    sim_settle();
    ck_assert_int_eq(done.calls, 3);
    ck_assert_int_eq(done.code, 0);
}
END_TEST

START_TEST(shutdown_ends_at_its_timeout_whatever_redis_does)
{
    struct done_recorder done = {0};
    sim.options.shutdown_timeout_ms = 2500;
    sim_join_and_register();
    if (_i == 0)
        sim_redis_goes_away();
    else
        sim.peer.answer = sim_silent;
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    sim_advance(2499);
    ck_assert_int_eq(done.calls, 0);
    sim_advance(1);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, NETRON_ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(sim.discovery), "2500 ms"));
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
    ck_assert_ptr_null(sim.loop.ios);
    ck_assert_uint_eq(fake_loop_next(&sim.loop), UINT64_MAX);
}
END_TEST

START_TEST(shutdown_retries_as_the_options_say)
{
    struct done_recorder done = {0};
    sim_join_and_register();
    sim.peer.answer = sim_busy;
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    sim_advance(2999);
    ck_assert_int_eq(done.calls, 0);
    sim_advance(1);
    ck_assert_uint_eq(sim_deregisters(), 4);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, NETRON_EUNAVAILABLE);
}
END_TEST

START_TEST(shutdown_succeeds_when_redis_comes_back_in_time)
{
    struct done_recorder done = {0};
    sim_join_and_register();
    sim_redis_goes_away();
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    sim_advance(400);
    peer_listen(&sim.peer);
    sim_advance(4000);
    ck_assert_uint_eq(sim_deregisters(), 1);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, 0);
}
END_TEST

START_TEST(shutdown_cancels_pending_lookups_and_refuses_everything_else)
{
    struct done_recorder done = {0};
    struct nodes_recorder nodes = {0};
    netron_service services[2];
    const netron_node node = make_node("n2", "10.0.0.2:80", services, "web", NULL, NULL, NULL);
    sim_join_and_register();
    sim.peer.answer = sim_silent;
    ck_assert_int_eq(netron_find_nodes_by_service(sim.discovery, "web", NULL, record_nodes, &nodes), 0);
    sim_settle();
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    ck_assert_int_eq(netron_register(sim.discovery, &node, NULL, NULL, NULL), NETRON_ESHUTDOWN);
    ck_assert_int_eq(netron_get_active_nodes(sim.discovery, record_nodes, &nodes), NETRON_ESHUTDOWN);
    ck_assert_int_eq(netron_is_node_active(sim.discovery, "n1", record_active, NULL), NETRON_ESHUTDOWN);
    ck_assert_int_eq(netron_subscribe_to_events(sim.discovery, record_event, NULL, NULL), NETRON_ESHUTDOWN);
    sim_advance(5000);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(nodes.calls, 1);
    ck_assert_int_eq(nodes.code, NETRON_ECANCELLED);
}
END_TEST

static void free_the_discovery(netron_discovery *discovery, int code, void *recorder)
{
    record_done(discovery, code, recorder);
    netron_discovery_free(discovery);
    sim.discovery = NULL;
}

START_TEST(done_may_free_the_discovery)
{
    struct done_recorder done = {0};
    sim_join_and_register();
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, free_the_discovery, &done), 0);
    sim_settle();
    ck_assert_int_eq(done.calls, 1);
}
END_TEST

START_TEST(free_cancels_a_shutdown_under_way)
{
    struct done_recorder done = {0};
    sim_join_and_register();
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, NETRON_ECANCELLED);
    sim_advance(60000);
    ck_assert_int_eq(done.calls, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wish");
    TCase *updates = sim_case(suite, "updates");
    tcase_add_test(updates, an_update_goes_out_at_once_and_is_done_when_redis_has_it);
    tcase_add_test(updates, an_update_to_the_same_content_sends_nothing_and_is_done);
    tcase_add_test(updates, of_several_updates_while_redis_is_away_the_latest_is_sent_once_on_return);
    tcase_add_test(updates, an_update_made_while_another_is_under_way_follows_it);
    tcase_add_test(updates, a_refused_update_is_told_after_its_retries_and_stays_wanted);
    tcase_add_test(updates, an_update_pending_when_the_registration_leaves_is_cancelled);
    TCase *leaving = sim_case(suite, "leaving");
    tcase_add_test(leaving, leaving_deregisters_at_once_and_ends_as_left);
    tcase_add_test(leaving, a_failed_departure_is_tried_three_times_more_and_then_given_up);
    tcase_add_test(leaving, a_registration_that_was_never_sent_leaves_without_redis);
    tcase_add_test(leaving, leaving_while_the_register_is_under_way_deregisters_after_it);
    TCase *shutdown = sim_case(suite, "shutdown");
    tcase_add_test(shutdown, shutdown_deregisters_closes_both_links_and_is_done_once);
    tcase_add_test(shutdown, further_shutdowns_join_the_first_and_later_ones_are_done_too);
    tcase_add_loop_test(shutdown, shutdown_ends_at_its_timeout_whatever_redis_does, 0, 2);
    tcase_add_test(shutdown, shutdown_retries_as_the_options_say);
    tcase_add_test(shutdown, shutdown_succeeds_when_redis_comes_back_in_time);
    tcase_add_test(shutdown, shutdown_cancels_pending_lookups_and_refuses_everything_else);
    tcase_add_test(shutdown, done_may_free_the_discovery);
    tcase_add_test(shutdown, free_cancels_a_shutdown_under_way);
    return suite_run(suite);
}
