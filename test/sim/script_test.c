/* SPDX-License-Identifier: MIT */
/* A script that Redis does not have, and several calls that want it at once. */
#include "sim.h"
#include <string.h>

#define NODES 3

static struct state_recorder states[NODES];
static int forgotten;       /* so many calls of it are still answered with NOSCRIPT */
static const char *refusal; /* of SCRIPT LOAD */

static const char *answer(struct peer *peer, const struct peer_command *command)
{
    if (peer_is(command, "SCRIPT LOAD "))
        return refusal != NULL ? refusal : "+OK\r\n";
    if (peer_is_register(command) && forgotten > 0) {
        forgotten--;
        return "-NOSCRIPT No matching script. Please use EVAL.\r\n";
    }
    return peer_answer_well(peer, command);
}

static void register_all(void)
{
    static const char *const ids[NODES] = {"n1", "n2", "n3"};
    memset(states, 0, sizeof(states));
    sim.peer.answer = answer;
    sim_join();
    sim_settle();
    for (int i = 0; i < NODES; i++) {
        netron_service services[2];
        netron_registration *registration = NULL;
        netron_node node = make_node(ids[i], "10.0.0.1:80", services, "web", "1", NULL, NULL);
        states[i].discovery = sim.discovery;
        ck_assert_int_eq(netron_register(sim.discovery, &node, record_state, &states[i], &registration), 0);
    }
    sim_settle();
}

START_TEST(a_script_that_several_want_is_loaded_once)
{
    forgotten = NODES;
    refusal = NULL;
    register_all();
    for (int i = 0; i < NODES; i++)
        ck_assert_int_eq(latest_state(&states[i]), NETRON_REGISTERED);
    ck_assert_uint_eq(sim_count("SCRIPT LOAD "), 1);
}
END_TEST

START_TEST(all_who_want_a_script_hear_why_it_cannot_be_loaded)
{
    forgotten = 1000;
    refusal = "-NOPERM this user has no permissions to run the 'script|load' command\r\n";
    register_all();
    for (int i = 0; i < NODES; i++) {
        ck_assert_int_eq(latest_state(&states[i]), NETRON_FAILED);
        ck_assert_int_eq(states[i].code[states[i].count - 1], NETRON_EPERM);
        ck_assert_ptr_nonnull(strstr(states[i].sentence, "the user needs +script|load"));
    }
    ck_assert_uint_eq(sim_count("SCRIPT LOAD "), NODES);
}
END_TEST

/* It is forgotten again before those hear of it who did not load it themselves. */
START_TEST(a_script_that_is_forgotten_again_is_loaded_by_who_relied_on_another)
{
    forgotten = 2 * NODES;
    refusal = NULL;
    register_all();
    for (int i = 1; i < NODES; i++)
        ck_assert_int_eq(latest_state(&states[i]), NETRON_REGISTERED);
    sim_advance(10000);
    ck_assert_int_eq(latest_state(&states[0]), NETRON_REGISTERED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("script");
    TCase *tcase = sim_case(suite, "script");
    tcase_add_test(tcase, a_script_that_several_want_is_loaded_once);
    tcase_add_test(tcase, all_who_want_a_script_hear_why_it_cannot_be_loaded);
    tcase_add_test(tcase, a_script_that_is_forgotten_again_is_loaded_by_who_relied_on_another);
    return suite_run(suite);
}
