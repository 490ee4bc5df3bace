/* SPDX-License-Identifier: MIT */
/* Commands that a node of a cluster sends to another one, and what becomes of them there. */
#include "cluster_stand.h"
#include <stdio.h>
#include <string.h>

#define COMMANDS NETRON_LINK_COMMANDS
#define MANY 200

static peer_answer_fn answer_otherwise;
static bool is_silent;     /* node 1 does not even greet */
static const char *there;  /* what node 1 answers to lookups; "" for nothing */
static const char *asking; /* and to ASKING; NULL: well; "" as well, for answers come in order */

/* The keys that lookups want have gone from node 0 to node 1. */
static const char *answer(struct peer *peer, const struct peer_command *command)
{
    bool is_there = peer == &node[1];
    if (is_there && is_silent && !peer_is(command, "CLUSTER SLOTS"))
        return "";
    if (is_there && asking != NULL && peer_is(command, "ASKING"))
        return asking;
    if (!peer_is(command, "EXISTS "))
        return answer_otherwise(peer, command);
    return is_there ? there : peer_say(peer, "-ASK %d 127.0.0.1:%u\r\n", SLOT, node[1].port);
}

static void set_answers(void)
{
    answer_otherwise = node[0].answer;
    node[0].answer = node[1].answer = answer;
    is_silent = false;
    there = ":0\r\n";
    asking = NULL;
}

static struct active_recorder looks[MANY];
static int order[MANY]; /* in which they were answered */
static int answered;

static void on_answer(netron_discovery *discovery, int code, int active, void *arg)
{
    record_active(discovery, code, active, arg);
    order[answered++] = (int)((struct active_recorder *)arg - looks);
}

static void look(int count)
{
    char id[16];
    memset(looks, 0, sizeof(looks));
    answered = 0;
    for (int i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "m%d", i);
        ck_assert_int_eq(netron_is_node_active(sim.discovery, id, on_answer, &looks[i]), 0);
    }
    sim_settle();
}

static void join(void)
{
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}

/* They wait for the connection there, or for the answer. */
START_TEST(a_lookup_on_a_detour_hears_why_its_link_was_lost)
{
    is_silent = _i == 0;
    there = asking = "";
    join();
    look(2);
    ck_assert_uint_eq(peer_count(&node[1], "EXISTS"), _i == 0 ? 0 : 2);
    ck_assert_int_eq(answered, 0);
    peer_hang_up_all(&node[0]);
    sim_settle();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(looks[i].calls, 1);
        ck_assert_int_eq(looks[i].code, NETRON_EDISCONNECTED);
    }
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(sim.discovery), "connection to Redis lost"));
}
END_TEST

START_TEST(a_lookup_on_a_detour_hears_that_all_is_freed)
{
    is_silent = _i == 0;
    there = asking = "";
    join();
    look(2);
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
    ck_assert_int_eq(answered, 2);
    ck_assert_int_eq(looks[0].code, NETRON_ECANCELLED);
}
END_TEST

START_TEST(many_on_a_detour_are_answered_in_their_order)
{
    is_silent = true;
    join();
    look(MANY);
    ck_assert_int_eq(answered, 0);
    is_silent = false;
    for (int i = 0; i < node[1].conn_count; i++) /* what was not answered is not said again: it is made anew */
        peer_hang_up(&node[1], i);
    sim_settle();
    ck_assert_int_eq(answered, MANY);
    ck_assert_int_eq(looks[0].code, NETRON_EDISCONNECTED);
    look(MANY);
    ck_assert_int_eq(answered, MANY);
    ck_assert_int_eq(node[1].conn_count, 2 + (peer_count(&node[1], "CLUSTER SLOTS") > 0));
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(order[i], i);
        ck_assert_int_eq(looks[i].code, 0);
    }
}
END_TEST

/* A registration that is freed takes its beat back, among lookups that go on: it waits, or was said there. */
START_TEST(one_of_several_is_taken_back)
{
    char ask[64];
    is_silent = _i == 0;
    there = asking = "";
    sim_join_and_register();
    says[0].beat = redirection(ask, sizeof(ask), "ASK", 1);
    says[1].beat = "";
    while (peer_count(&node[0], "GETEX ") == 0)
        sim_advance(50);
    look(3);
    int told = sim.states.count;
    netron_registration_free(sim.registration);
    there = ":0\r\n";
    asking = NULL;
    peer_hang_up_all(&node[1]);
    sim_settle();
    ck_assert_int_eq(answered, 3);
    ck_assert_int_eq(looks[2].code, NETRON_EDISCONNECTED);
    ck_assert_int_eq(sim.states.count, told);
    is_silent = false;
    look(3);
    ck_assert_int_eq(looks[2].code, 0);
}
END_TEST

/* Of the two refusals the second is only what the first leads to. */
START_TEST(who_may_not_ask_there_is_told_what_is_missing)
{
    char moved[64];
    join();
    asking = "-NOPERM this user has no permissions to run the 'asking' command\r\n";
    there = redirection(moved, sizeof(moved), "MOVED", 0);
    look(2);
    ck_assert_int_eq(looks[0].code, NETRON_EPERM);
    ck_assert_int_eq(looks[1].code, NETRON_EPERM);
    ck_assert_str_eq(netron_discovery_error(sim.discovery),
                     "ASKING: NOPERM this user has no permissions to run the 'asking' command; the user needs +asking");
    there = ":0\r\n"; /* the slot is there by now */
    look(1);
    ck_assert_int_eq(looks[0].code, 0);
    asking = NULL;
    there = "-TRYAGAIN Multiple keys request during rehashing of slot\r\n";
    look(1);
    ck_assert_int_eq(looks[0].code, NETRON_EUNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(sim.discovery), "EXISTS: TRYAGAIN"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("detour");
    TCase *tcase = cluster_stand_case(suite, "detour");
    tcase_add_checked_fixture(tcase, set_answers, NULL);
    tcase_add_loop_test(tcase, a_lookup_on_a_detour_hears_why_its_link_was_lost, 0, 2);
    tcase_add_loop_test(tcase, a_lookup_on_a_detour_hears_that_all_is_freed, 0, 2);
    tcase_add_test(tcase, many_on_a_detour_are_answered_in_their_order);
    tcase_add_loop_test(tcase, one_of_several_is_taken_back, 0, 2);
    tcase_add_test(tcase, who_may_not_ask_there_is_told_what_is_missing);
    return suite_run(suite);
}
