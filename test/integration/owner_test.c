/* SPDX-License-Identifier: MIT */
/* Who owns an id: take-over, rejection, and what a process that lost its id leaves alone. */
#include "stage.h"

static struct spy spy;

START_TEST(a_foreign_heartbeat_ends_the_registration_and_is_left_alone)
{
    struct state_recorder states = {0};
    struct done_recorder left = {0};
    struct done_recorder updated = {0};
    netron_registration *registration = begin_registered(&states);
    states.discovery = discovery;
    server_expect(&server, "OK", "SET %s another PX 60000", P ":heartbeat:node-1");
    AWAIT(&world, states.count == 2);
    ck_assert_int_eq(states.state[1], NETRON_REPLACED);
    ck_assert_int_eq(states.code[1], NETRON_EREPLACED);
    ck_assert_ptr_nonnull(strstr(states.sentence, "node-1"));
    spy_watch_commands(&spy, &server);
    ck_assert_int_eq(netron_registration_update_address(registration, "10.0.0.2:1", record_done, &updated),
                     NETRON_EREPLACED);
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &left), 0);
    AWAIT(&world, left.calls == 1);
    ck_assert_int_eq(left.code, NETRON_EREPLACED);
    world_run(&world, 250);
    spy_collect(&spy);
    ck_assert_msg(spy.count == 0, "a replaced node sent %s", spy.line[0]);
    spy_close(&spy);
    ck_assert_int_eq(updated.calls, 0);
    ck_assert_int_eq(states.count, 2);
    server_expect(&server, "another", "GET %s", P ":heartbeat:node-1");
    server_expect(&server, "1", "EXISTS %s", P ":nodes:node-1");
    server_expect(&server, "1", "HGET %s revision", P ":registry");
}
END_TEST

START_TEST(a_deregistration_that_meets_a_foreign_heartbeat_touches_nothing)
{
    struct state_recorder states = {0};
    struct done_recorder left = {0};
    netron_registration *registration = begin_registered(&states);
    server_expect(&server, "OK", "SET %s another PX 60000", P ":heartbeat:node-1");
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &left), 0);
    AWAIT(&world, left.calls == 1);
    ck_assert_int_eq(left.code, NETRON_EREPLACED);
    ck_assert_int_eq(latest_state(&states), NETRON_REPLACED);
    server_expect(&server, "another", "GET %s", P ":heartbeat:node-1");
    server_expect(&server, "1", "EXISTS %s", P ":nodes:node-1");
    server_expect(&server, "1", "HEXISTS %s node-1", P ":records");
}
END_TEST

START_TEST(the_newest_process_takes_an_id_over)
{
    struct state_recorder older = {0};
    struct state_recorder newer = {0};
    struct done_recorder left = {0};
    char before[64];
    netron_registration *registration = begin_registered(&older);
    server_text(&server, before, sizeof(before), "GET %s", P ":heartbeat:node-1");
    spy_watch_events(&spy, &server);
    netron_discovery *second = join_connected();
    begin(second, "node-1", &newer);
    AWAIT(&world, newer.count == 1 && older.count == 2);
    ck_assert_int_eq(newer.state[0], NETRON_REGISTERED);
    ck_assert_int_eq(older.state[1], NETRON_REPLACED);
    ck_assert(!text_is(&server, before, "GET %s", P ":heartbeat:node-1"));
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &left), 0);
    uint64_t enough = beats(second) + 3;
    AWAIT(&world, left.calls == 1 && beats(second) >= enough);
    ck_assert_int_eq(left.code, NETRON_EREPLACED);
    ck_assert_int_eq(older.count, 2);
    ck_assert_int_eq(newer.count, 1);
    ck_assert_int_eq(spy_count(&spy, "\"type\":\"NODE_UPDATED\""), 1);
    ck_assert_int_eq(spy.count, 1);
    ck_assert(digest_is_right(&server));
    spy_close(&spy);
    netron_discovery_free(second);
}
END_TEST

START_TEST(registering_an_id_twice_in_one_process_replaces_the_first)
{
    struct state_recorder first = {0};
    struct state_recorder second = {0};
    begin_registered(&first);
    begin(discovery, "node-1", &second);
    AWAIT(&world, latest_state(&first) == NETRON_REPLACED && latest_state(&second) == NETRON_REGISTERED);
    netron_stats stats = {.size = sizeof(stats)};
    netron_discovery_stats(discovery, &stats);
    ck_assert_uint_eq(stats.nodes_registered, 1);
}
END_TEST

START_TEST(a_rejected_registration_waits_for_the_holder_to_leave)
{
    struct state_recorder holder = {0};
    struct state_recorder waiter = {0};
    struct done_recorder left = {0};
    char before[64];
    netron_registration *registration = begin_registered(&holder);
    server_text(&server, before, sizeof(before), "GET %s", P ":heartbeat:node-1");
    options.registration_policy = NETRON_REJECT;
    netron_discovery *second = join_connected();
    waiter.discovery = second;
    begin(second, "node-1", &waiter);
    AWAIT(&world, waiter.count == 1);
    ck_assert_int_eq(waiter.state[0], NETRON_FAILED);
    ck_assert_int_eq(waiter.code[0], NETRON_EHELD);
    ck_assert_ptr_nonnull(strstr(waiter.sentence, "node-1 is held"));
    server_expect(&server, before, "GET %s", P ":heartbeat:node-1");
    ck_assert_int_eq(holder.count, 1);
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &left), 0);
    AWAIT(&world, waiter.count == 2);
    ck_assert_int_eq(waiter.state[1], NETRON_REGISTERED);
    ck_assert_int_eq(left.calls, 1);
    ck_assert_int_eq(left.code, 0);
    netron_discovery_free(second);
}
END_TEST

START_TEST(a_rejected_registration_takes_the_id_of_a_dead_holder)
{
    struct state_recorder states = {0};
    begin_registered(&states);
    netron_discovery_free(discovery); /* without leaving */
    server_expect(&server, "1", "PEXPIRE %s 1", P ":heartbeat:node-1");
    options.registration_policy = NETRON_REJECT;
    states = (struct state_recorder){0};
    begin_registered(&states);
    ck_assert(digest_is_right(&server));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("owner");
    TCase *tcase = suite_case(suite, "owners");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_add_test(tcase, a_foreign_heartbeat_ends_the_registration_and_is_left_alone);
    tcase_add_test(tcase, a_deregistration_that_meets_a_foreign_heartbeat_touches_nothing);
    tcase_add_test(tcase, the_newest_process_takes_an_id_over);
    tcase_add_test(tcase, registering_an_id_twice_in_one_process_replaces_the_first);
    tcase_add_test(tcase, a_rejected_registration_waits_for_the_holder_to_leave);
    tcase_add_test(tcase, a_rejected_registration_takes_the_id_of_a_dead_holder);
    return suite_run(suite);
}
