/* SPDX-License-Identifier: MIT */
/* Calls made from inside callbacks, at the moments at which they once went wrong. */
#include "sim.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct done_recorder update, leave, shut;
static struct nodes_recorder nodes;
static int called_back;

static void leave_from_inside(netron_discovery *discovery, int code, void *arg)
{
    (void)arg;
    record_done(discovery, code, &update);
    called_back = netron_registration_deregister(sim.registration, record_done, &leave);
}

START_TEST(a_registration_that_is_being_freed_cannot_leave_any_more)
{
    sim_join_and_register();
    sim.peer.answer = sim_silent;
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.2:80", leave_from_inside, NULL), 0);
    sim_settle();
    if (_i == 0) {
        netron_registration_free(sim.registration);
    } else {
        netron_discovery_free(sim.discovery);
        sim.discovery = NULL;
    }
    ck_assert_int_eq(update.calls, 1);
    ck_assert_int_eq(update.code, NETRON_ECANCELLED);
    ck_assert_int_eq(called_back, NETRON_ESHUTDOWN);
    sim_advance(60000);
    ck_assert_int_eq(leave.calls, 0);
}
END_TEST

static void free_in_lookup(netron_discovery *discovery, int code, const netron_node *const *list, size_t count,
                           void *arg)
{
    record_nodes(discovery, code, list, count, arg);
    netron_discovery_free(discovery);
    sim.discovery = NULL;
}

START_TEST(a_lookup_that_shutdown_cancels_may_free_the_discovery)
{
    sim_join_and_register();
    sim.peer.answer = sim_silent;
    ck_assert_int_eq(netron_find_nodes_by_service(sim.discovery, "web", NULL, free_in_lookup, &nodes), 0);
    sim_settle();
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &shut), 0);
    sim_advance(5000);
    ck_assert_int_eq(nodes.calls, 1);
    ck_assert_int_eq(nodes.code, NETRON_ECANCELLED);
    ck_assert_int_eq(shut.calls, 1);
}
END_TEST

static void free_registration_in_lookup(netron_discovery *discovery, int code, const netron_node *const *list,
                                        size_t count, void *arg)
{
    record_nodes(discovery, code, list, count, arg);
    netron_registration_free(sim.registration);
}

START_TEST(what_a_dead_link_fails_is_told_the_true_reason_and_may_free_what_else_is_in_flight)
{
    sim.options.ping_interval_ms = 1000;
    sim.options.command_timeout_ms = 60000;
    sim_join_and_register();
    sim.peer.answer = sim_silent;
    ck_assert_int_eq(netron_find_nodes_by_service(sim.discovery, "web", NULL, free_registration_in_lookup, &nodes), 0);
    sim_settle();
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.2:80", record_done, &update), 0);
    sim_advance(2000);
    ck_assert_int_eq(sim.links.code[NETRON_LINK_COMMANDS], NETRON_ETIMEDOUT);
    ck_assert_int_eq(nodes.calls, 1);
    ck_assert_int_eq(nodes.code, NETRON_ETIMEDOUT);
    ck_assert_int_eq(update.calls, 1);
    ck_assert_int_eq(update.code, NETRON_ECANCELLED);
    sim_advance(60000);
}
END_TEST

static void free_when_left(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    record_state(registration, state, code, arg);
    if (state == NETRON_LEFT)
        netron_registration_free(registration);
}

START_TEST(a_registration_freed_when_it_has_left_does_not_hold_up_the_shutdown)
{
    netron_service services[2];
    const netron_node node = make_node("n1", "10.0.0.1:80", services, "web", "1", NULL, NULL);
    sim_join();
    ck_assert_int_eq(netron_register(sim.discovery, &node, free_when_left, &sim.states, NULL), 0);
    sim_settle();
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &shut), 0);
    sim_settle();
    ck_assert_int_eq(latest_state(&sim.states), NETRON_LEFT);
    ck_assert_int_eq(shut.calls, 1);
    ck_assert_int_eq(shut.code, 0);
}
END_TEST

START_TEST(options_that_were_never_set_up_are_refused_without_being_looked_into)
{
    netron_options garbage;
    memset(&garbage, 0xa5, sizeof(garbage));
    ck_assert_int_eq(netron_discovery_new_on(&sim.loop.seam, &garbage, &sim.discovery), NETRON_EINVAL);
    memset(&garbage, 0, sizeof(garbage));
    ck_assert_int_eq(netron_discovery_new_on(&sim.loop.seam, &garbage, &sim.discovery), NETRON_EINVAL);
    ck_assert_ptr_null(sim.discovery);
}
END_TEST

START_TEST(a_process_without_standard_input_leaks_no_descriptor)
{
    int input = dup(STDIN_FILENO);
    close(STDIN_FILENO);
    sim_join_and_register();
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
    sim_settle(); /* the peer, too, closes what it has */
    ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFD), -1);
    dup2(input, STDIN_FILENO);
    close(input);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reentry");
    TCase *tcase = sim_case(suite, "reentry");
    tcase_add_loop_test(tcase, a_registration_that_is_being_freed_cannot_leave_any_more, 0, 2);
    tcase_add_test(tcase, a_lookup_that_shutdown_cancels_may_free_the_discovery);
    tcase_add_test(tcase, what_a_dead_link_fails_is_told_the_true_reason_and_may_free_what_else_is_in_flight);
    tcase_add_test(tcase, a_registration_freed_when_it_has_left_does_not_hold_up_the_shutdown);
    tcase_add_test(tcase, options_that_were_never_set_up_are_refused_without_being_looked_into);
    tcase_add_test(tcase, a_process_without_standard_input_leaks_no_descriptor);
    return suite_run(suite);
}
