/* SPDX-License-Identifier: MIT */
/* What becomes of a primary that nodes of a cluster name, and that cannot be reached, or is reached and refuses us. */
#include "cluster_stand.h"
#include <stdio.h>
#include <string.h>

#define COMMANDS NETRON_LINK_COMMANDS
#define EVENTS NETRON_LINK_EVENTS

/* Node 0 serves, and node 1 is there, too. */
static const char *both_nodes(char *text, size_t size)
{
    snprintf(text, size,
             "*1\r\n*4\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:%u\r\n$1\r\nx\r\n"
             "*3\r\n$9\r\n127.0.0.1\r\n:%u\r\n$1\r\ny\r\n",
             node[0].port, node[1].port);
    return text;
}

START_TEST(a_primary_whose_name_nobody_resolves_is_asked_for_again)
{
    char slots[128];
    snprintf(slots, sizeof(slots), "*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$5\r\nred-0\r\n:%u\r\n$1\r\nx\r\n", node[0].port);
    says[0].slots = says[1].slots = slots;
    sim_join();
    sim_settle();
    ck_assert_str_eq(sim.loop.resolving, "red-0");
    says[0].slots = says[1].slots = NULL; /* all know better now */
    primary = 1;
    sim_advance(10000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

/* Also where it could not be reached before. */
START_TEST(a_primary_that_refuses_us_is_not_watched_for_a_successor)
{
    char slots[256];
    says[0].slots = says[1].slots = both_nodes(slots, sizeof(slots));
    if (_i == 1)
        peer_stop_listening(&node[0]);
    says[0].hello = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    sim_join();
    sim_advance(3000);
    if (_i == 1)
        peer_listen(&node[0]);
    sim_advance(10000);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EAUTH);
    int visits = node[0].conn_count + node[1].conn_count;
    size_t asked = cluster_stand_questions();
    sim_advance(100000); /* with reconnect_max_ms = 10 s */
    ck_assert_int_le(node[0].conn_count + node[1].conn_count - visits, 60);
    ck_assert_uint_le(cluster_stand_questions() - asked, 30);
    says[0].hello = NULL;
    sim_advance(10000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

static int room; /* how many connections node 0 greets */
static peer_answer_fn answer_otherwise;

static const char *answer_while_there_is_room(struct peer *peer, const struct peer_command *command)
{
    if (command->conn >= room && peer_is(command, "HELLO"))
        return "-ERR max number of clients reached\r\n";
    return answer_otherwise(peer, command);
}

START_TEST(a_primary_that_has_one_link_and_no_room_for_the_other_is_reached)
{
    char slots[256];
    says[0].slots = says[1].slots = both_nodes(slots, sizeof(slots));
    answer_otherwise = node[0].answer;
    node[0].answer = answer_while_there_is_room;
    room = PEER_CONNS_MAX;
    sim.options.pubsub_enabled = 1;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    room = node[0].conn_count;
    int visits = node[1].conn_count;
    ck_assert_int_eq(netron_view_open(sim.discovery), 0);
    sim_advance(100000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    ck_assert_int_eq(sim.links.is_up[EVENTS], 0);
    ck_assert_int_le(node[1].conn_count - visits, 50);
    room = PEER_CONNS_MAX;
    sim_advance(10000);
    ck_assert_int_eq(sim.links.is_up[EVENTS], 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cluster_doubt");
    TCase *tcase = cluster_stand_case(suite, "cluster_doubt");
    tcase_add_test(tcase, a_primary_whose_name_nobody_resolves_is_asked_for_again);
    tcase_add_loop_test(tcase, a_primary_that_refuses_us_is_not_watched_for_a_successor, 0, 2);
    tcase_add_test(tcase, a_primary_that_has_one_link_and_no_room_for_the_other_is_reached);
    return suite_run(suite);
}
