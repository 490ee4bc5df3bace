/* SPDX-License-Identifier: MIT */
/* What a node says of itself, changed while it is registered; and the two steps of a drain, to the millisecond. */
#include "sim.h"
#include <string.h>

#define DRAINING "\"state\":\"draining\",\"reason\":\"shutting down\""

static struct done_recorder left, update; /* they outlive the test, for its end cancels what is pending */

static void drain(uint32_t deadline_ms)
{
    ck_assert_int_eq(netron_registration_drain(sim.registration, deadline_ms, record_done, &left), 0);
}

static void expect_left_at(uint64_t at)
{
    ck_assert_uint_eq(sim_deregisters(), 1);
    ck_assert_uint_eq(sim.peer.commands[sim.peer.command_count - 1].at, at);
    ck_assert_int_eq(left.code, 0);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_LEFT);
}

/* ---- updates ---- */

START_TEST(a_state_is_told_to_redis_at_once_with_its_reason)
{
    sim_join_and_register();
    sim_advance(100);
    ck_assert_int_eq(
        netron_registration_update_state(sim.registration, NETRON_NODE_MAINTENANCE, "new disk", record_done, &update),
        0);
    sim_settle();
    ck_assert_uint_eq(sim_registers(), 2);
    ck_assert_uint_eq(sim_register_command(1)->at, sim.loop.now);
    ck_assert(sim_last_register_has("\"state\":\"maintenance\",\"reason\":\"new disk\"}"));
    ck_assert_int_eq(update.calls, 1);
    ck_assert_int_eq(update.code, 0);
    ck_assert_int_eq(netron_registration_node(sim.registration)->state, NETRON_NODE_MAINTENANCE);
    ck_assert_int_eq(sim.states.count, 1);
    ck_assert_int_eq(netron_registration_update_state(sim.registration, NETRON_NODE_UP, NULL, record_done, &update), 0);
    sim_settle();
    ck_assert_uint_eq(sim_registers(), 3);
    ck_assert(!sim_last_register_has("\"state\"") && !sim_last_register_has("\"reason\""));
}
END_TEST

START_TEST(weight_and_metadata_are_updated_like_everything_else)
{
    static const netron_metadata metadata[] = {{"b", "2"}, {"a", "1"}};
    sim_join_and_register();
    ck_assert_int_eq(netron_registration_update_weight(sim.registration, 7, record_done, &update), 0);
    ck_assert_int_eq(netron_registration_update_metadata(sim.registration, metadata, 2, record_done, &update), 0);
    sim_settle();
    ck_assert_uint_eq(sim_registers(), 2); /* both at once */
    ck_assert(sim_last_register_has("\"weight\":7,\"metadata\":{\"a\":\"1\",\"b\":\"2\"}}"));
    ck_assert_int_eq(update.calls, 2);
    ck_assert_int_eq(netron_registration_update_metadata(sim.registration, NULL, 0, record_done, &update), 0);
    ck_assert_int_eq(netron_registration_update_weight(sim.registration, 0, record_done, &update), 0);
    sim_settle();
    ck_assert_uint_eq(sim_registers(), 3);
    ck_assert(!sim_last_register_has("\"weight\"") && !sim_last_register_has("\"metadata\""));
}
END_TEST

START_TEST(an_update_to_what_redis_has_sends_nothing)
{
    static const netron_metadata metadata[] = {{"b", "2"}, {"a", "1"}};
    static const netron_metadata swapped[] = {{"a", "1"}, {"b", "2"}};
    sim_join_and_register();
    ck_assert_int_eq(netron_registration_update_metadata(sim.registration, metadata, 2, NULL, NULL), 0);
    sim_settle();
    size_t commands = sim.peer.command_count;
    ck_assert_int_eq(netron_registration_update_metadata(sim.registration, swapped, 2, record_done, &update), 0);
    ck_assert_int_eq(netron_registration_update_weight(sim.registration, 1, record_done, &update), 0);
    ck_assert_int_eq(netron_registration_update_state(sim.registration, NETRON_NODE_UP, NULL, record_done, &update), 0);
    ck_assert_int_eq(update.calls, 0);
    sim_settle();
    ck_assert_int_eq(update.calls, 3);
    ck_assert_int_eq(update.code, 0);
    ck_assert_uint_eq(sim.peer.command_count, commands);
}
END_TEST

START_TEST(an_update_that_breaks_a_limit_changes_nothing)
{
    const netron_metadata twice[] = {{"a", "1"}, {"a", "1"}};
    sim_join_and_register();
    size_t commands = sim.peer.command_count;
    ck_assert_int_eq(
        netron_registration_update_state(sim.registration, NETRON_NODE_UNKNOWN, NULL, record_done, &update),
        NETRON_EINVAL);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(sim.discovery), "node.state"));
    ck_assert_int_eq(netron_registration_update_state(sim.registration, NETRON_NODE_UP, "", record_done, &update),
                     NETRON_EINVAL);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(sim.discovery), "node.reason"));
    ck_assert_int_eq(netron_registration_update_weight(sim.registration, 65536, record_done, &update), NETRON_ELIMIT);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(sim.discovery), "node.weight"));
    ck_assert_int_eq(netron_registration_update_metadata(sim.registration, twice, 2, record_done, &update),
                     NETRON_EINVAL);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(sim.discovery), "node.metadata[1]"));
    ck_assert_int_eq(netron_registration_update_state(NULL, NETRON_NODE_UP, NULL, NULL, NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_registration_update_weight(NULL, 1, NULL, NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_registration_update_metadata(NULL, NULL, 0, NULL, NULL), NETRON_EINVAL);
    sim_settle();
    ck_assert_int_eq(update.calls, 0);
    ck_assert_uint_eq(sim.peer.command_count, commands);
}
END_TEST

START_TEST(a_node_is_registered_with_all_that_it_says)
{
    static const netron_metadata metadata = {"rack", "r1"};
    netron_node node = NETRON_NODE_INIT;
    node.id = "n1";
    node.address = "10.0.0.1:80";
    node.state = NETRON_NODE_STARTING;
    node.zone = "eu-1";
    node.weight = 3;
    node.metadata = &metadata;
    node.metadata_count = 1;
    sim_join();
    ck_assert_int_eq(netron_register(sim.discovery, &node, record_state, &sim.states, &sim.registration), 0);
    sim_settle();
    ck_assert(
        sim_last_register_has("\"services\":[],\"state\":\"starting\",\"weight\":3,\"zone\":\"eu-1\",\"metadata\":{"
                              "\"rack\":\"r1\"}}"));
}
END_TEST

/* ---- drains ---- */

START_TEST(a_drain_is_announced_at_once_and_leaves_at_its_deadline)
{
    sim_join_and_register();
    sim_advance(100);
    uint64_t at = sim.loop.now;
    drain(12345);
    sim_settle();
    ck_assert_uint_eq(sim_registers(), 2);
    ck_assert_uint_eq(sim_register_command(1)->at, at);
    ck_assert(sim_last_register_has(DRAINING "}"));
    ck_assert(sim_last_register_has(" renew "));
    sim_advance(12344);
    ck_assert_int_eq(netron_registration_get_state(sim.registration), NETRON_REGISTERED);
    ck_assert_uint_ge(sim_count("GETEX"), 2); /* it beats on */
    ck_assert_uint_eq(sim_deregisters(), 0);
    ck_assert_int_eq(left.calls, 0);
    sim_advance(1);
    expect_left_at(at + 12345);
    ck_assert_int_eq(left.calls, 1);
    ck_assert_int_eq(sim.states.count, 3);
    ck_assert_int_eq(sim.states.state[1], NETRON_LEAVING);
    size_t commands = sim.peer.command_count;
    sim_advance(20000);
    ck_assert_uint_le(sim.peer.command_count, commands + 2); /* PING */
    ck_assert_uint_eq(sim_deregisters(), 1);
}
END_TEST

START_TEST(without_a_deadline_it_leaves_as_soon_as_redis_has_the_announcement)
{
    sim_join_and_register();
    sim.peer.answer = sim_silent;
    drain(0);
    sim_advance(1000);
    ck_assert_uint_eq(sim_registers(), 2);
    ck_assert_uint_eq(sim_deregisters(), 0);
    sim.peer.answer = peer_answer_well;
    static const char reply[] = "*2\r\n$7\r\nupdated\r\n:2\r\n";
    peer_send(&sim.peer, 0, reply, sizeof(reply) - 1);
    sim_settle();
    expect_left_at(sim.loop.now);
    ck_assert_int_eq(left.calls, 1);
}
END_TEST

START_TEST(without_a_deadline_an_announcement_that_fails_is_tried_as_the_options_say_and_then_it_leaves)
{
    sim_join_and_register();
    sim.peer.answer = sim_busy;
    uint64_t at = sim.loop.now;
    drain(0);
    sim_advance(2999);
    ck_assert_uint_eq(sim_deregisters(), 0);
    sim.peer.answer = peer_answer_refusal;
    sim.peer.refused = sim_register_command(-1)->text;
    sim.peer.refusal = "-BUSY Redis is busy running a script\r\n";
    sim_advance(1);
    ck_assert_uint_eq(sim_registers(), 5);
    expect_left_at(at + 3000);
    ck_assert_int_eq(left.calls, 1);
}
END_TEST

START_TEST(a_node_that_drains_already_keeps_its_reason_and_announces_nothing)
{
    sim_join_and_register();
    ck_assert_int_eq(
        netron_registration_update_state(sim.registration, NETRON_NODE_DRAINING, "moves to eu-2", NULL, NULL), 0);
    sim_settle();
    uint64_t at = sim.loop.now;
    drain(_i == 0 ? 0 : 700);
    sim_advance(700);
    ck_assert_uint_eq(sim_registers(), 2);
    ck_assert_str_eq(netron_registration_node(sim.registration)->reason, "moves to eu-2");
    expect_left_at(at + (_i == 0 ? 0 : 700));
}
END_TEST

START_TEST(a_drain_with_redis_away_ends_at_its_deadline_and_fails_to_leave_as_ever)
{
    sim_join_and_register();
    sim_redis_goes_away();
    drain(_i == 0 ? 4000 : 0);
    /* Nothing but the announcement's tries stands for the deadline 0. */
    sim_advance(_i == 0 ? 3999 : 2999);
    ck_assert_int_ne(netron_registration_get_state(sim.registration), NETRON_LEAVING);
    sim_advance(1);
    ck_assert_int_eq(netron_registration_get_state(sim.registration), NETRON_LEAVING);
    sim_advance(2999);
    ck_assert_int_eq(left.calls, 0);
    sim_advance(1);
    ck_assert_int_eq(left.calls, 1);
    ck_assert_int_eq(left.code, NETRON_EDISCONNECTED);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
}
END_TEST

START_TEST(redis_that_comes_back_during_a_drain_hears_of_it_once)
{
    sim_join_and_register();
    sim_redis_goes_away();
    uint64_t at = sim.loop.now;
    drain(8000);
    sim_advance(1000);
    peer_listen(&sim.peer);
    sim_advance(3000);
    ck_assert_uint_eq(sim_registers(), 2);
    ck_assert_uint_eq(sim_register_command(1)->at, sim.peer.accepted_at[1]);
    ck_assert(sim_last_register_has(DRAINING));
    sim_advance(4000);
    expect_left_at(at + 8000);
}
END_TEST

START_TEST(a_node_that_was_never_sent_leaves_a_drain_without_redis)
{
    peer_stop_listening(&sim.peer);
    sim_join();
    sim_register();
    sim_settle();
    drain(500);
    sim_advance(499);
    ck_assert_int_eq(left.calls, 0);
    sim_advance(1);
    ck_assert_int_eq(left.calls, 1);
    ck_assert_int_eq(left.code, 0);
}
END_TEST

START_TEST(a_node_lost_during_a_drain_is_restored_as_draining)
{
    sim_join_and_register();
    drain(20000);
    sim_settle();
    sim.peer.has_node = false;
    sim_advance(6000);
    ck_assert_uint_eq(sim_registers(), 3);
    ck_assert(sim_last_register_has(DRAINING));
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
    ck_assert_int_eq(left.calls, 0);
}
END_TEST

START_TEST(of_two_drains_the_earlier_deadline_counts_and_both_are_done)
{
    static const struct {
        uint32_t first, second;
        uint64_t left_after; /* from the first; the second comes after 1000 ms */
    } cases[] = {{5000, 2000, 3000}, {5000, 4000, 5000}, {3000, 60000, 3000}, {5000, 0, 1000}, {5000, 3999, 4999}};
    sim_join_and_register();
    uint64_t at = sim.loop.now;
    drain(cases[_i].first);
    sim_advance(1000);
    drain(cases[_i].second);
    sim_settle();
    if (cases[_i].left_after > 1000) {
        sim_advance(cases[_i].left_after - 1001);
        ck_assert_int_eq(left.calls, 0);
        sim_advance(1);
    }
    expect_left_at(at + cases[_i].left_after);
    ck_assert_int_eq(left.calls, 2);
    ck_assert_uint_eq(sim_registers(), 2);
}
END_TEST

START_TEST(a_drain_that_waits_for_its_announcement_is_not_put_off)
{
    sim_join_and_register();
    sim.peer.answer = sim_silent;
    drain(0);
    sim_settle();
    drain(60000);
    sim.peer.answer = peer_answer_well;
    static const char reply[] = "*2\r\n$7\r\nupdated\r\n:2\r\n";
    peer_send(&sim.peer, 0, reply, sizeof(reply) - 1);
    sim_settle();
    expect_left_at(sim.loop.now);
    ck_assert_int_eq(left.calls, 2);
}
END_TEST

START_TEST(deregistering_or_shutting_down_ends_a_drain_at_once)
{
    struct done_recorder done = {0};
    sim_join_and_register();
    drain(60000);
    sim_advance(1000);
    if (_i == 0)
        ck_assert_int_eq(netron_registration_deregister(sim.registration, record_done, &done), 0);
    else
        ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    uint64_t at = sim.loop.now;
    sim_settle();
    expect_left_at(at);
    ck_assert_int_eq(left.calls, 1);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, 0);
    sim_advance(120000);
    ck_assert_int_eq(left.calls, 1);
    ck_assert_uint_eq(sim_deregisters(), 1);
}
END_TEST

START_TEST(a_drain_of_what_leaves_or_has_left_joins_that)
{
    sim_join_and_register();
    ck_assert_int_eq(netron_registration_deregister(sim.registration, NULL, NULL), 0);
    drain(60000);
    sim_settle();
    ck_assert_int_eq(left.calls, 1);
    drain(60000);
    ck_assert_int_eq(left.calls, 1);
    sim_settle();
    ck_assert_int_eq(left.calls, 2);
    ck_assert_int_eq(left.code, 0);
    ck_assert_uint_eq(sim_registers(), 1);
    ck_assert_int_eq(netron_registration_drain(NULL, 0, NULL, NULL), NETRON_EINVAL);
}
END_TEST

START_TEST(a_node_replaced_during_a_drain_is_told_so)
{
    sim_join_and_register();
    drain(60000);
    sim_settle();
    strcpy(sim.peer.incarnation, "another");
    sim_advance(6000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REPLACED);
    ck_assert_int_eq(left.calls, 1);
    ck_assert_int_eq(left.code, NETRON_EREPLACED);
    sim_advance(60000);
    ck_assert_uint_eq(sim_deregisters(), 0);
}
END_TEST

START_TEST(during_a_drain_the_state_stays_and_the_rest_may_change)
{
    sim_join_and_register();
    drain(60000);
    ck_assert_int_eq(netron_registration_update_state(sim.registration, NETRON_NODE_UP, NULL, record_done, &update),
                     NETRON_ESHUTDOWN);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(sim.discovery), "drains"));
    ck_assert_int_eq(netron_registration_update_weight(sim.registration, 9, record_done, &update), 0);
    ck_assert_int_eq(
        netron_registration_update_state(sim.registration, NETRON_NODE_DRAINING, "two jobs left", record_done, &update),
        0);
    sim_settle();
    ck_assert_int_eq(update.calls, 2);
    ck_assert(sim_last_register_has("\"state\":\"draining\",\"reason\":\"two jobs left\",\"weight\":9}"));
}
END_TEST

START_TEST(freeing_cancels_a_drain)
{
    sim_join_and_register();
    drain(_i < 2 ? 1000 : 0);
    if (_i % 2 == 0) {
        netron_registration_free(sim.registration);
    } else {
        netron_discovery_free(sim.discovery);
        sim.discovery = NULL;
    }
    ck_assert_int_eq(left.calls, 1);
    ck_assert_int_eq(left.code, NETRON_ECANCELLED);
    sim_advance(60000);
    ck_assert_int_eq(left.calls, 1);
    ck_assert_uint_eq(sim_deregisters(), 0);
}
END_TEST

static void free_when_updated(netron_discovery *discovery, int code, void *recorder)
{
    record_done(discovery, code, recorder);
    netron_registration_free(sim.registration);
}

START_TEST(an_update_done_with_the_announcement_may_free_the_registration)
{
    sim_join_and_register();
    ck_assert_int_eq(netron_registration_update_weight(sim.registration, 9, free_when_updated, &update), 0);
    drain(0);
    sim_settle();
    ck_assert_int_eq(update.calls, 1);
    ck_assert_int_eq(left.calls, 1);
    ck_assert_int_eq(left.code, NETRON_ECANCELLED);
    sim_advance(60000);
    ck_assert_uint_eq(sim_deregisters(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("drain");
    TCase *updates = sim_case(suite, "updates");
    tcase_add_test(updates, a_state_is_told_to_redis_at_once_with_its_reason);
    tcase_add_test(updates, weight_and_metadata_are_updated_like_everything_else);
    tcase_add_test(updates, an_update_to_what_redis_has_sends_nothing);
    tcase_add_test(updates, an_update_that_breaks_a_limit_changes_nothing);
    tcase_add_test(updates, a_node_is_registered_with_all_that_it_says);
    TCase *drains = sim_case(suite, "drains");
    tcase_add_test(drains, a_drain_is_announced_at_once_and_leaves_at_its_deadline);
    tcase_add_test(drains, without_a_deadline_it_leaves_as_soon_as_redis_has_the_announcement);
    tcase_add_test(drains,
                   without_a_deadline_an_announcement_that_fails_is_tried_as_the_options_say_and_then_it_leaves);
    tcase_add_loop_test(drains, a_node_that_drains_already_keeps_its_reason_and_announces_nothing, 0, 2);
    tcase_add_loop_test(drains, a_drain_with_redis_away_ends_at_its_deadline_and_fails_to_leave_as_ever, 0, 2);
    tcase_add_test(drains, redis_that_comes_back_during_a_drain_hears_of_it_once);
    tcase_add_test(drains, a_node_that_was_never_sent_leaves_a_drain_without_redis);
    tcase_add_test(drains, a_node_lost_during_a_drain_is_restored_as_draining);
    tcase_add_loop_test(drains, of_two_drains_the_earlier_deadline_counts_and_both_are_done, 0, 5);
    tcase_add_test(drains, a_drain_that_waits_for_its_announcement_is_not_put_off);
    tcase_add_loop_test(drains, deregistering_or_shutting_down_ends_a_drain_at_once, 0, 2);
    tcase_add_test(drains, a_drain_of_what_leaves_or_has_left_joins_that);
    tcase_add_test(drains, a_node_replaced_during_a_drain_is_told_so);
    tcase_add_test(drains, during_a_drain_the_state_stays_and_the_rest_may_change);
    tcase_add_loop_test(drains, freeing_cancels_a_drain, 0, 4);
    tcase_add_test(drains, an_update_done_with_the_announcement_may_free_the_registration);
    return suite_run(suite);
}
