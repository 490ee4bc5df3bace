/* SPDX-License-Identifier: MIT */
/* When a registration registers and beats, to the millisecond, and what the answers make of it. */
#include "sim.h"
#include <backoff.h>
#include <stdio.h>
#include <string.h>

#define INTERVAL 5000u
#define TTL 15000u

START_TEST(the_first_register_goes_out_at_once)
{
    sim_join();
    sim_settle();
    sim_advance(777);
    sim_register();
    sim_settle();
    ck_assert_uint_eq(sim_registers(), 1);
    ck_assert_uint_eq(sim_register_command(0)->at, sim.loop.now);
    ck_assert_int_eq(sim.states.count, 1);
    ck_assert_int_eq(sim.states.state[0], NETRON_REGISTERED);
}
END_TEST

START_TEST(beats_come_after_a_random_phase_and_then_at_intervals_varied_by_a_tenth)
{
    sim_join_and_register();
    uint64_t at = sim.loop.now + netron_backoff_spread(INTERVAL, sim_random());
    sim_advance(INTERVAL);
    ck_assert_uint_eq(sim_at("GETEX", 0), at);
    for (int beat = 1; beat < 9; beat++) {
        at += netron_backoff_vary(INTERVAL, sim_random());
        sim_advance(INTERVAL + INTERVAL / 10);
        ck_assert_uint_eq(sim_at("GETEX", beat), at);
        ck_assert_uint_le(at - sim_at("GETEX", beat - 1), INTERVAL + INTERVAL / 10);
        ck_assert_uint_ge(at - sim_at("GETEX", beat - 1), INTERVAL - INTERVAL / 10);
    }
}
END_TEST

START_TEST(a_beat_is_one_getex_of_the_heartbeat_with_the_ttl)
{
    sim_join_and_register();
    size_t before = sim.peer.command_count;
    sim_advance(INTERVAL);
    ck_assert_uint_eq(sim.peer.command_count, before + 1);
    ck_assert_str_eq(sim.peer.commands[before].text, "GETEX netron:discovery:heartbeat:n1 PX 15000");
    ck_assert_int_eq(sim.states.count, 1);
}
END_TEST

START_TEST(every_tenth_beat_is_a_register_call)
{
    sim_join_and_register();
    int beats = 0;
    size_t first = sim.peer.command_count;
    for (int i = 0; i < 40; i++)
        sim_advance(INTERVAL);
    for (size_t i = first; i < sim.peer.command_count && beats < 30; i++) {
        if (peer_is_reconcile(&sim.peer.commands[i]))
            ck_assert_msg(beats % 10 == 0, "the registry is looked after at the repairs only");
        else
            ck_assert_int_eq(peer_is_register(&sim.peer.commands[i]), ++beats % 10 == 0);
    }
    ck_assert_int_eq(beats, 30);
}
END_TEST

START_TEST(a_registration_before_the_connection_goes_out_when_the_connection_is_made)
{
    peer_stop_listening(&sim.peer);
    sim_join();
    sim_register();
    sim_advance(200);
    ck_assert_uint_eq(sim.peer.command_count, 0);
    peer_listen(&sim.peer);
    sim_advance(10000);
    ck_assert_uint_eq(sim_registers(), 1);
    ck_assert_uint_eq(sim_register_command(0)->at, sim.peer.accepted_at[0]);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

START_TEST(an_expired_heartbeat_is_told_as_lost_and_registered_again_at_once)
{
    sim_join_and_register();
    sim.peer.has_node = false;
    sim_advance(INTERVAL);
    ck_assert_uint_eq(sim_registers(), 2);
    ck_assert_uint_eq(sim_register_command(1)->at, sim_at("GETEX", 0));
    ck_assert_int_eq(sim.states.count, 3);
    ck_assert_int_eq(sim.states.state[1], NETRON_LOST);
    ck_assert_int_eq(sim.states.state[2], NETRON_REGISTERED);
}
END_TEST

START_TEST(another_incarnation_ends_the_registration_as_replaced)
{
    sim_join_and_register();
    strcpy(sim.peer.incarnation, "somebody-else");
    sim_advance(INTERVAL);
    ck_assert_int_eq(sim.states.count, 2);
    ck_assert_int_eq(sim.states.state[1], NETRON_REPLACED);
    ck_assert_int_eq(sim.states.code[1], NETRON_EREPLACED);
    sim_advance(60000);
    ck_assert_uint_eq(sim_count("GETEX"), 1);
    ck_assert_uint_eq(sim_registers(), 1);
    ck_assert_uint_gt(sim_count("PING"), 0); /* the link still looks after itself */

    size_t commands = sim.peer.command_count;
    struct done_recorder done = {0};
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.9:80", NULL, NULL), NETRON_EREPLACED);
    ck_assert_int_eq(netron_registration_deregister(sim.registration, record_done, &done), 0);
    sim_settle();
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, NETRON_EREPLACED);
    ck_assert_uint_eq(sim.peer.command_count, commands);
}
END_TEST

static const char *mistake;

static const char *mistaken_once(struct peer *peer, const struct peer_command *command)
{
    bool is_first = peer_is(command, "GETEX ") && peer_count(peer, "GETEX ") == 1;
    return is_first ? mistake : peer_answer_well(peer, command);
}

START_TEST(one_answer_that_names_another_owner_is_not_believed)
{
    static const char *const mistakes[] = {"$13\r\nsomebody-else\r\n", "$2\r\nOK\r\n", "$1\r\n1\r\n"};
    sim_join_and_register();
    mistake = mistakes[_i];
    sim.peer.answer = mistaken_once;
    sim_advance(INTERVAL);
    ck_assert_uint_eq(sim_count("GET "), 1);
    ck_assert_uint_ge(sim_count("PING"), 1); /* before it, so that answers which are a place late are noticed */
    ck_assert(peer_find(&sim.peer, "PING", -1) < peer_find(&sim.peer, "GET ", 0));
    sim_advance(INTERVAL);
    ck_assert_uint_ge(sim_count("GETEX"), 2);
    ck_assert_uint_eq(sim_count("GET "), 1);
    ck_assert_int_eq(sim.states.count, 1);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

static const char *unavailable(struct peer *peer, const struct peer_command *command)
{
    return peer_is_handshake(command) ? peer_answer_well(peer, command) : "-LOADING Redis is loading\r\n";
}

START_TEST(a_failed_register_is_tried_again_after_500_1000_and_1500_ms_then_told_then_tried_at_the_interval)
{
    sim.peer.answer = unavailable;
    sim_join();
    sim_settle();
    sim_register();
    uint64_t at = sim.loop.now;
    sim_advance(2999);
    ck_assert_uint_eq(sim_registers(), 3);
    ck_assert_int_eq(sim.states.count, 0);
    sim_advance(1);
    static const uint64_t moments[] = {0, 500, 1500, 3000};
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(sim_register_command(i)->at, at + moments[i]);
    ck_assert_uint_eq(sim_registers(), 4);
    ck_assert_int_eq(sim.states.count, 1);
    ck_assert_int_eq(sim.states.state[0], NETRON_FAILED);
    ck_assert_int_eq(sim.states.code[0], NETRON_EUNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(sim.states.sentence, "LOADING Redis is loading"));

    for (int i = 0; i < 4; i++)
        sim_random(); /* their tags */
    at = sim.loop.now + netron_backoff_vary(INTERVAL, sim_random());
    sim.peer.answer = peer_answer_well;
    sim_advance(INTERVAL + INTERVAL / 10);
    ck_assert_uint_eq(sim_register_command(4)->at, at);
    ck_assert_int_eq(sim.states.count, 2);
    ck_assert_int_eq(sim.states.state[1], NETRON_REGISTERED);
}
END_TEST

START_TEST(retry_count_and_delay_are_options)
{
    sim.peer.answer = unavailable;
    sim.options.retry_count = 2;
    sim.options.retry_delay_ms = 70;
    sim_join();
    sim_settle();
    sim_register();
    uint64_t at = sim.loop.now;
    sim_advance(1000);
    ck_assert_uint_eq(sim_registers(), 3);
    ck_assert_uint_eq(sim_register_command(1)->at, at + 70);
    ck_assert_uint_eq(sim_register_command(2)->at, at + 210);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
}
END_TEST

START_TEST(a_failed_beat_is_tried_again_the_same_way)
{
    sim_join_and_register();
    sim.peer.answer = unavailable;
    uint64_t at = sim.loop.now + netron_backoff_spread(INTERVAL, sim_random());
    sim_advance(at - sim.loop.now + 2999);
    ck_assert_int_eq(sim.states.count, 1);
    sim_advance(1);
    static const uint64_t moments[] = {0, 500, 1500, 3000};
    ck_assert_uint_eq(sim_count("GETEX"), 4);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(sim_at("GETEX", i), at + moments[i]);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
    sim.peer.answer = peer_answer_well;
    sim_advance(INTERVAL + INTERVAL / 10);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
    ck_assert_int_eq(sim.states.count, 3);
}
END_TEST

START_TEST(a_heartbeat_that_could_not_be_renewed_for_its_whole_ttl_is_told_as_lost_once)
{
    sim_join_and_register();
    uint64_t confirmed_at = sim.loop.now;
    sim.peer.answer = peer_answer_nothing;
    peer_stop_listening(&sim.peer);
    peer_hang_up_all(&sim.peer);
    sim_advance(TTL - 1);
    ck_assert_int_ne(latest_state(&sim.states), NETRON_LOST);
    sim_advance(1);
    ck_assert_uint_eq(sim.loop.now, confirmed_at + TTL);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_LOST);
    ck_assert_int_eq(sim.states.code[sim.states.count - 1], NETRON_EDISCONNECTED);
    int told = sim.states.count;
    sim_advance(10 * TTL);
    ck_assert_int_eq(sim.states.count, told);

    peer_listen(&sim.peer);
    sim.peer.answer = peer_answer_well;
    sim_advance(20000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
    ck_assert_int_eq(sim.states.count, told + 1);
}
END_TEST

static const char *hold_beats(struct peer *peer, const struct peer_command *command)
{
    return peer_is(command, "GETEX") ? "" : peer_answer_well(peer, command);
}

/* Redis was late, or the loop: the lease counts from when it was asked. */
START_TEST(an_answer_that_took_long_is_followed_by_the_next_beat_before_the_lease_is_over)
{
    const uint32_t took = _i == 0 ? 3 * TTL / 5 : INTERVAL * 3 / 4;
    sim.options.command_timeout_ms = sim.options.ping_interval_ms = 10 * TTL;
    sim_join_and_register();
    sim.peer.answer = hold_beats;
    while (sim_count("GETEX") == 0)
        sim_advance(1);
    uint64_t lease_over = sim.loop.now + TTL;
    sim_advance(took);
    ck_assert_uint_eq(sim_count("GETEX"), 1);
    sim.peer.answer = peer_answer_well;
    char alive[96];
    snprintf(alive, sizeof(alive), "$%zu\r\n%s\r\n", strlen(sim.peer.incarnation), sim.peer.incarnation);
    peer_send(&sim.peer, 0, alive, strlen(alive));
    sim_settle();
    uint64_t half = (lease_over - sim.loop.now) / 2;
    sim_advance(half < INTERVAL ? half : INTERVAL);
    ck_assert_uint_ge(sim_count("GETEX"), 2);
    ck_assert_uint_lt(sim_at("GETEX", 1), lease_over);
    ck_assert_int_eq(sim.states.count, 1);
}
END_TEST

/* What it was refused with is told as the reason, and goes on being that. */
START_TEST(a_heartbeat_that_redis_refused_to_renew_for_its_whole_ttl_is_told_as_lost_once)
{
    sim_join_and_register();
    sim.peer.answer = sim_busy;
    sim_advance(TTL - 1);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
    sim_advance(1);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_LOST);
    ck_assert_int_eq(sim.states.code[sim.states.count - 1], NETRON_EUNAVAILABLE);
    int told = sim.states.count;
    sim_advance(10 * TTL);
    ck_assert_int_eq(sim.states.count, told);
    sim.peer.answer = peer_answer_well;
    sim_advance(2 * INTERVAL);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
    ck_assert_int_eq(sim.states.count, told + 1);
}
END_TEST

START_TEST(after_a_reconnect_the_heartbeat_is_looked_after_within_an_interval_and_before_its_lease_is_over)
{
    sim.options.heartbeat_ttl_ms = _i == 0 ? TTL : 2 * INTERVAL;
    sim_join_and_register();
    uint64_t lease_over = sim.loop.now + sim.options.heartbeat_ttl_ms;
    sim_random(); /* the phase */
    sim_advance(1);
    peer_hang_up_all(&sim.peer);
    uint64_t reconnect = netron_backoff_reconnect(100, 10000, 0, sim_random());
    uint64_t half = (lease_over - sim.loop.now - reconnect) / 2;
    uint32_t spread = half < INTERVAL ? (uint32_t)half : INTERVAL;
    uint64_t at = sim.loop.now + reconnect + netron_backoff_spread(spread, sim_random());
    sim_advance(reconnect + spread);
    ck_assert_uint_ge(sim_count("GETEX"), 1);
    ck_assert_uint_eq(sim_at("GETEX", 0), at);
    ck_assert_uint_lt(at, lease_over);
}
END_TEST

START_TEST(a_beat_unanswered_for_the_command_timeout_ends_the_connection)
{
    sim.options.command_timeout_ms = 1200;
    sim_join_and_register();
    sim.peer.answer = peer_answer_nothing;
    sim_advance(INTERVAL);
    uint64_t beat_at = sim_at("GETEX", 0);
    sim_advance(1200);
    ck_assert_int_eq(sim.links.code[NETRON_LINK_COMMANDS], NETRON_ETIMEDOUT);
    ck_assert_int_eq(sim.peer.conns[0], -1);
    ck_assert_uint_le(beat_at + 1200, sim.loop.now);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[NETRON_LINK_COMMANDS], "1200 ms"));
}
END_TEST

START_TEST(the_register_call_carries_policy_ttl_content_and_channel)
{
    sim.options.heartbeat_ttl_ms = 20000;
    sim.options.pubsub_enabled = 1;
    sim_join_and_register();
    char expected[512];
    char incarnation[64];
    char tag[64];
    snprintf(incarnation, sizeof(incarnation), "%s", sim.peer.incarnation);
    ck_assert_uint_eq(strlen(incarnation), 16);
    sscanf(sim_register_command(0)->text, "%*s %*s %*s %*s %*s %*s %63s", tag);
    ck_assert_uint_eq(strspn(tag, "0123456789abcdef"), 12);
    ck_assert_uint_eq(strlen(tag), 12);
    snprintf(expected, sizeof(expected),
             " 1 netron:discovery:registry n1 %s %s take-over 20000 10.0.0.1:80 [{\"name\":\"web\",\"version\":\"1\"}] "
             "{\"nodeId\":\"n1\",\"address\":\"10.0.0.1:80\",\"services\":[{\"name\":\"web\",\"version\":\"1\"}],"
             "\"ttl\":20000} netron:discovery:events web",
             incarnation, tag);
    ck_assert_str_eq(sim_register_command(0)->text + 48, expected);
}
END_TEST

START_TEST(two_registrations_of_one_process_have_two_incarnations)
{
    sim_join_and_register();
    char first[64];
    strcpy(first, sim.peer.incarnation);
    sim.peer.has_node = false;
    sim_register();
    sim_settle();
    ck_assert_str_ne(sim.peer.incarnation, first);
}
END_TEST

static const char *out_of_memory(struct peer *peer, const struct peer_command *command)
{
    return peer_is_register(command) ? "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
                                     : peer_answer_well(peer, command);
}

START_TEST(a_node_whose_repair_is_refused_stays_alive_by_its_beats)
{
    sim_join_and_register();
    sim.peer.answer = out_of_memory;
    if (_i == 1)
        ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.9:80", NULL, NULL), 0);
    uint64_t last = sim.loop.now;
    for (int i = 0; i < 60; i++) {
        sim_advance(INTERVAL);
        ck_assert_uint_gt(sim_count("GETEX"), 0);
        ck_assert_uint_lt(sim_at("GETEX", -1) - last, 2 * INTERVAL + INTERVAL / 5);
        last = sim_at("GETEX", -1);
    }
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
    ck_assert_int_eq(sim.states.code[sim.states.count - 1], NETRON_EUNAVAILABLE);
    for (int i = 0; i < sim.states.count; i++)
        ck_assert_int_ne(sim.states.state[i], NETRON_LOST);
    sim.peer.answer = peer_answer_well;
    sim_advance(2 * INTERVAL);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

START_TEST(beside_a_refused_repair_a_lost_or_taken_heartbeat_is_seen)
{
    sim_join_and_register();
    sim.peer.answer = out_of_memory;
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.9:80", NULL, NULL), 0);
    if (_i == 0)
        sim.peer.has_node = false;
    else
        strcpy(sim.peer.incarnation, "somebody-else");
    sim_settle();
    ck_assert_int_eq(latest_state(&sim.states), _i == 0 ? NETRON_LOST : NETRON_REPLACED);
}
END_TEST

static const char *hang_up(struct peer *peer, const struct peer_command *command)
{
    if (peer_is_handshake(command))
        return peer_answer_well(peer, command);
    peer_hang_up(peer, command->conn);
    return "";
}

START_TEST(tries_that_each_cost_a_connection_are_counted_and_told)
{
    sim.peer.answer = hang_up;
    sim.options.reconnect_max_ms = 100;
    sim_join();
    sim_register();
    sim_advance(1000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
    ck_assert_int_eq(sim.states.code[0], NETRON_EDISCONNECTED);
}
END_TEST

static const char *held(struct peer *peer, const struct peer_command *command)
{
    return peer_is_register(command) ? "*2\r\n$4\r\nheld\r\n:4321\r\n" : peer_answer_well(peer, command);
}

START_TEST(a_held_id_is_told_with_the_time_that_its_holder_has_left)
{
    sim.options.registration_policy = NETRON_REJECT;
    sim.peer.answer = held;
    sim_join();
    sim_register();
    sim_advance(3000);
    ck_assert_ptr_nonnull(strstr(sim_register_command(0)->text, " reject "));
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
    ck_assert_int_eq(sim.states.code[0], NETRON_EHELD);
    ck_assert_ptr_nonnull(strstr(sim.states.sentence, "4321 ms"));
    sim.peer.answer = peer_answer_well;
    sim_advance(INTERVAL + INTERVAL / 10);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
    /* What it owns now it only renews: never is it taken back from a later owner. */
    sim.peer.has_node = false;
    sim_advance(INTERVAL);
    ck_assert_ptr_nonnull(strstr(sim_register_command(-1)->text, " renew "));
}
END_TEST

static const char *nonsense(struct peer *peer, const struct peer_command *command)
{
    return peer_is_handshake(command) || peer_is(command, "PING") ? peer_answer_well(peer, command) : ":42\r\n";
}

START_TEST(an_answer_that_makes_no_sense_is_a_failed_try_not_a_success)
{
    sim.peer.answer = nonsense;
    sim_join();
    sim_register();
    sim_advance(3000);
    ck_assert_uint_eq(sim_registers(), 4);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
    ck_assert_int_eq(sim.states.code[0], NETRON_EPROTOCOL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("beat");
    TCase *timing = sim_case(suite, "timing");
    tcase_add_test(timing, the_first_register_goes_out_at_once);
    tcase_add_test(timing, beats_come_after_a_random_phase_and_then_at_intervals_varied_by_a_tenth);
    tcase_add_test(timing, a_beat_is_one_getex_of_the_heartbeat_with_the_ttl);
    tcase_add_test(timing, every_tenth_beat_is_a_register_call);
    tcase_add_test(timing, a_registration_before_the_connection_goes_out_when_the_connection_is_made);
    tcase_add_test(timing,
                   a_failed_register_is_tried_again_after_500_1000_and_1500_ms_then_told_then_tried_at_the_interval);
    tcase_add_test(timing, retry_count_and_delay_are_options);
    tcase_add_test(timing, a_failed_beat_is_tried_again_the_same_way);
    tcase_add_test(timing, a_heartbeat_that_could_not_be_renewed_for_its_whole_ttl_is_told_as_lost_once);
    tcase_add_loop_test(timing, an_answer_that_took_long_is_followed_by_the_next_beat_before_the_lease_is_over, 0, 2);
    tcase_add_test(timing, a_heartbeat_that_redis_refused_to_renew_for_its_whole_ttl_is_told_as_lost_once);
    tcase_add_loop_test(
        timing, after_a_reconnect_the_heartbeat_is_looked_after_within_an_interval_and_before_its_lease_is_over, 0, 2);
    tcase_add_test(timing, a_beat_unanswered_for_the_command_timeout_ends_the_connection);
    TCase *answers = sim_case(suite, "answers");
    tcase_add_test(answers, an_expired_heartbeat_is_told_as_lost_and_registered_again_at_once);
    tcase_add_test(answers, another_incarnation_ends_the_registration_as_replaced);
    tcase_add_loop_test(answers, one_answer_that_names_another_owner_is_not_believed, 0, 3);
    tcase_add_test(answers, the_register_call_carries_policy_ttl_content_and_channel);
    tcase_add_test(answers, two_registrations_of_one_process_have_two_incarnations);
    tcase_add_loop_test(answers, a_node_whose_repair_is_refused_stays_alive_by_its_beats, 0, 2);
    tcase_add_loop_test(answers, beside_a_refused_repair_a_lost_or_taken_heartbeat_is_seen, 0, 2);
    tcase_add_test(answers, tries_that_each_cost_a_connection_are_counted_and_told);
    tcase_add_test(answers, a_held_id_is_told_with_the_time_that_its_holder_has_left);
    tcase_add_test(answers, an_answer_that_makes_no_sense_is_a_failed_try_not_a_success);
    return suite_run(suite);
}
