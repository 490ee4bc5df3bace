/* SPDX-License-Identifier: MIT */
/* What nodes of a cluster say, and what none should say, to the millisecond. */
#include "cluster_stand.h"
#include <stdio.h>
#include <string.h>

#define COMMANDS NETRON_LINK_COMMANDS
#define SHARE_MS 1666u

/* ---- asking ---- */

START_TEST(whoever_is_asked_leads_to_the_primary)
{
    primary = _i;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_uint_eq(cluster_stand_questions(), 1);
    ck_assert_uint_ge(peer_count(&node[primary], "HELLO"), 1);
}
END_TEST

START_TEST(nodes_that_hang_have_a_share_of_the_connect_timeout_each)
{
    says[0].is_silent = says[1].is_silent = true;
    sim_join();
    sim_settle();
    ck_assert_int_eq(node[0].conn_count + node[1].conn_count, 1);
    for (int asked = 1; asked < 4; asked++) { /* each stands in the URL once; then all of it is told */
        sim_advance(SHARE_MS);
        if (asked < 2)
            ck_assert_int_eq(node[0].conn_count + node[1].conn_count, asked + 1);
    }
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "no answer within 1667 ms"));
    says[0].is_silent = says[1].is_silent = false;
    sim_advance(20000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

#define UNKNOWN 20

/* Node 0 serves, and tells of nodes whose names nobody finds out for us. */
static void tell_of_many(char *text, size_t size)
{
    size_t length =
        (size_t)snprintf(text, size, "*1\r\n*%d\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:%u\r\n$1\r\nx\r\n",
                         3 + UNKNOWN, node[0].port);
    for (int i = 0; i < UNKNOWN; i++)
        length += (size_t)snprintf(text + length, size - length, "*3\r\n$5\r\nred%02d\r\n:6379\r\n$1\r\nx\r\n", i);
    says[0].slots = says[1].slots = text;
}

START_TEST(nodes_that_were_heard_of_and_hang_leave_time_for_those_of_the_url)
{
    char text[2048];
    tell_of_many(text, sizeof(text));
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    peer_stop_listening(&node[0]);
    peer_hang_up_all(&node[0]);
    says[1].slots = NULL;
    primary = 1;
    sim_advance(5000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

START_TEST(that_nobody_answers_is_told_within_the_connect_timeout)
{
    char text[2048];
    tell_of_many(text, sizeof(text));
    sim_join();
    sim_settle();
    for (size_t i = 0; i < NODES; i++) {
        peer_stop_listening(&node[i]);
        peer_hang_up_all(&node[i]);
    }
    sim_advance(60000);
    ck_assert_int_ge(sim.links.count[COMMANDS], 3);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "cluster node "));
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], ": cannot connect: Connection refused"));
}
END_TEST

static const struct {
    const char *answer;
    int code;
} hostile[] = {
    {"-ERR This instance has cluster support disabled\r\n", NETRON_EREDIS},
    {"-NOPERM this user has no permissions to run the 'cluster|slots' command\r\n", NETRON_EPERM},
    {"-CLUSTERDOWN The cluster is down\r\n", NETRON_EUNAVAILABLE},
    {"-MOVED 3714 127.0.0.1:1\r\n", NETRON_EUNAVAILABLE},
    {"+OK\r\n", NETRON_EPROTOCOL},
    {"*0\r\n", NETRON_EUNAVAILABLE},
    {"*-1\r\n", NETRON_EPROTOCOL},
    {"*1\r\n*0\r\n", NETRON_EPROTOCOL},
    {"*1\r\n*3\r\n:0\r\n:99999\r\n*3\r\n$9\r\n127.0.0.1\r\n:1\r\n$1\r\nx\r\n", NETRON_EPROTOCOL},
    {"*1\r\n*3\r\n:0\r\n:3713\r\n*3\r\n$9\r\n127.0.0.1\r\n:1\r\n$1\r\nx\r\n", NETRON_EUNAVAILABLE},
    {"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:0\r\n$1\r\nx\r\n", NETRON_EUNAVAILABLE},
    {"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$3\r\na/b\r\n:1\r\n$1\r\nx\r\n", NETRON_EUNAVAILABLE},
    {"*1000000000\r\n", NETRON_EPROTOCOL},
    {"HTTP/1.1 400 Bad Request\r\n\r\n", NETRON_EPROTOCOL},
};

START_TEST(an_answer_that_is_none_leads_to_the_next_node)
{
    says[0].slots = hostile[_i].answer;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

START_TEST(an_answer_that_is_none_is_told_where_there_is_no_other)
{
    says[0].slots = says[1].slots = hostile[_i].answer;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 0);
    ck_assert_int_eq(sim.links.code[COMMANDS], hostile[_i].code);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "cluster node 127.0.0.1:"));
}
END_TEST

START_TEST(nodes_that_want_a_password_are_told)
{
    says[0].hello = says[1].hello = "-NOAUTH HELLO must be called with the client already authenticated\r\n";
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EAUTH);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "cluster node 127.0.0.1:"));
}
END_TEST

/* Both links, and whoever watches for a failover, want to know each time. */
START_TEST(what_only_an_operator_can_mend_is_asked_rarely)
{
    if (_i == 0)
        says[0].hello = says[1].hello = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    else
        says[0].slots = says[1].slots = "-ERR This instance has cluster support disabled\r\n";
    sim_join();
    sim_advance(100000); /* with reconnect_max_ms = 10 s */
    unsigned visits = (unsigned)(node[0].conn_count + node[1].conn_count);
    ck_assert_uint_ge(visits, 2 * 10);
    ck_assert_uint_le(visits, 2 * 50);
    says[0] = says[1] = (struct cluster_node_says){0};
    sim_advance(10000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

START_TEST(nodes_that_are_not_there_are_asked_ever_more_rarely)
{
    peer_stop_listening(&node[0]);
    says[1].hello = "-LOADING Redis is loading the dataset in memory\r\n";
    sim_join();
    sim_advance(100000);
    ck_assert_int_le(node[1].conn_count, 60);
    says[1].hello = NULL;
    primary = 1;
    sim_advance(10000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

/* ---- redirections ---- */

START_TEST(a_beat_that_is_sent_elsewhere_is_said_there)
{
    char ask[64];
    sim_join_and_register();
    says[0].beat = redirection(ask, sizeof(ask), "ASK", 1);
    sim_advance(20000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
    ck_assert_int_eq(sim.states.count, 1);
    ck_assert_uint_ge(peer_count(&node[1], "GETEX "), 3);
    ck_assert_uint_eq(peer_count(&node[1], "ASKING"), peer_count(&node[1], "GETEX "));
    ck_assert_int_eq(node[1].conn_count, 1 + (peer_count(&node[1], "CLUSTER SLOTS") > 0)); /* one for all of them */
}
END_TEST

/* Each of the two says that the other is the right one. */
START_TEST(nodes_that_send_in_a_circle_are_not_hammered)
{
    char first[64];
    char second[64];
    static const char *const words[] = {"MOVED", "ASK"};
    sim.options.reconnect_max_ms = 2000;
    sim_join_and_register();
    says[0].beat = redirection(first, sizeof(first), words[_i], 1);
    says[1].beat = redirection(second, sizeof(second), words[_i], 0);
    sim_advance(60000);
    ck_assert_uint_le((unsigned)(node[0].conn_count + node[1].conn_count), 150);
    ck_assert_uint_le(peer_count(&node[0], "GETEX ") + peer_count(&node[1], "GETEX "), 150);
    says[0].beat = says[1].beat = NULL;
    sim_advance(20000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

/* As where the nodes are to be called by a name that they were not given. */
static const char *nameless(char *text, size_t size, const char *word)
{
    snprintf(text, size, "-%s %d ?:%u\r\n", word, SLOT, node[1].port);
    return text;
}

/* Node 0 serves, and node 1 is there, too. */
static void tell_of_both(char *text, size_t size)
{
    snprintf(text, size,
             "*1\r\n*4\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:%u\r\n$1\r\nx\r\n"
             "*3\r\n$9\r\n127.0.0.1\r\n:%u\r\n$1\r\ny\r\n",
             node[0].port, node[1].port);
    says[0].slots = says[1].slots = text;
}

START_TEST(a_slot_that_moved_to_a_node_without_a_name_is_asked_for)
{
    char moved[64];
    sim_join_and_register();
    says[0].beat = nameless(moved, sizeof(moved), "MOVED");
    primary = 1;
    sim_advance(20000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
    ck_assert_uint_ge(peer_count(&node[1], "GETEX "), 2);
    ck_assert_int_eq(sim.loop.resolutions, 0);
}
END_TEST

/* The node is known by its port, or becomes known because it was not. */
START_TEST(a_key_that_went_to_a_node_without_a_name_is_found_by_the_port)
{
    char ask[64];
    char slots[256];
    if (_i == 0)
        tell_of_both(slots, sizeof(slots));
    sim_join_and_register();
    says[0].beat = nameless(ask, sizeof(ask), "ASK");
    tell_of_both(slots, sizeof(slots));
    sim_advance(30000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
    if (_i == 0)
        ck_assert_int_eq(sim.states.count, 1);
    ck_assert_uint_ge(peer_count(&node[1], "GETEX "), 2);
    ck_assert_int_eq(sim.loop.resolutions, 0);
}
END_TEST

static const char *answer_asking(struct peer *peer, const struct peer_command *command)
{
    return peer_is(command, "ASKING") ? "+OK\r\n" : peer_answer_well(peer, command);
}

/* The move to node 1 is given up, and one to a third begins. */
START_TEST(a_second_move_is_followed_at_once)
{
    char ask[64];
    static struct peer third;
    sim_join_and_register();
    peer_open_beside(&third, &sim.peer);
    third.answer = answer_asking;
    third.has_node = true;
    memcpy(third.incarnation, node[0].incarnation, sizeof(third.incarnation));
    says[0].beat = redirection(ask, sizeof(ask), "ASK", 1);
    while (peer_count(&node[1], "GETEX ") == 0)
        sim_advance(100);
    snprintf(ask, sizeof(ask), "-ASK %d 127.0.0.1:%u\r\n", SLOT, third.port);
    sim_advance(20000);
    ck_assert_int_eq(sim.states.count, 1);
    ck_assert_uint_ge(peer_count(&third, "GETEX "), 2);
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
    sim.peer.next = third.next;
    peer_close(&third);
}
END_TEST

START_TEST(a_detour_is_not_cut_short_while_an_answer_is_awaited)
{
    char ask[64];
    sim.options.command_timeout_ms = 25000;
    sim_join_and_register();
    says[0].beat = redirection(ask, sizeof(ask), "ASK", 1);
    says[1].beat = "";
    while (peer_count(&node[1], "GETEX ") == 0)
        sim_advance(100);
    int open = node[1].conn_count - 1;
    sim_advance(20000);
    ck_assert_int_ne(node[1].conns[open], -1);
}
END_TEST

/* ---- what becomes of the links ---- */

START_TEST(a_primary_that_hangs_up_is_not_gone_back_to_while_others_know_better)
{
    char slots[256];
    tell_of_both(slots, sizeof(slots));
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    says[1].slots = NULL;
    primary = 1;
    says[0].is_silent = true; /* as a host that is gone swallows what is sent to it */
    peer_hang_up_all(&node[0]);
    sim_advance(1000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

START_TEST(news_reach_a_link_that_still_looks_for_the_old_host)
{
    char slots[128];
    char moved[64];
    const char *address = "127.0.0.1";
    snprintf(slots, sizeof(slots), "*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$5\r\nred-0\r\n:%u\r\n$1\r\nx\r\n", node[0].port);
    says[0].slots = says[1].slots = slots;
    sim.options.pubsub_enabled = 1;
    sim_join();
    sim_settle();
    fake_loop_resolve(&sim.loop, &address, 1);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    sim_register();
    sim_settle();
    ck_assert_int_eq(netron_view_open(sim.discovery), 0);
    sim_settle();
    ck_assert_str_eq(sim.loop.resolving, "red-0");
    says[0].beat = redirection(moved, sizeof(moved), "MOVED", 1);
    says[0].slots = says[1].slots = NULL;
    primary = 1;
    while (peer_count(&node[0], "GETEX ") == 0)
        sim_advance(50);
    sim_advance(1500);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_int_eq(sim.links.is_up[NETRON_LINK_EVENTS], 1);
}
END_TEST

static const char *const no_ways[] = {
    "-MOVED\r\n",
    "-MOVED 3714\r\n",
    "-MOVED 1 127.0.0.1:1\r\n",
    "-MOVED 3714 127.0.0.1:0\r\n",
    "-MOVED 3714 127.0.0.1:99999\r\n",
    "-MOVED 3714 a b:1\r\n",
    "-MOVED 3714 \xff:1\r\n",
    "-ASK\r\n",
    "-ASK 3714 127.0.0.1:0\r\n",
    "-ASK 1 127.0.0.1:1\r\n",
    "-ASK 3714 u@h:1\r\n",
    "-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
    "-CLUSTERDOWN The cluster is down\r\n",
};

/* An address that was a node's, and is another's by now. */
START_TEST(a_server_of_no_cluster_is_said_once_and_left_when_it_ends)
{
    says[1].hello = "*4\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n";
    primary = 1;
    sim_join_and_register();
    peer_hang_up_all(&node[1]);
    sim_advance(5000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_int_eq(log_count(&sim.log, "which says that it is in no cluster"), 1);
    primary = 0;
    peer_hang_up_all(&node[1]);
    sim_advance(10000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
    for (int i = 0; i < node[1].conn_count; i++)
        ck_assert_int_eq(node[1].conns[i], -1);
    ck_assert_int_eq(log_count(&sim.log, "which says that it is in no cluster"), 1);
}
END_TEST

START_TEST(a_redirection_that_leads_nowhere_is_a_refusal)
{
    sim.options.reconnect_max_ms = 2000;
    sim_join_and_register();
    says[0].beat = no_ways[_i];
    sim_advance(30000);
    ck_assert_uint_le((unsigned)(node[0].conn_count + node[1].conn_count), 150);
    ck_assert_int_ne(latest_state(&sim.states), NETRON_REPLACED);
    says[0].beat = NULL;
    sim_advance(20000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

/* The node that a beat is sent to hangs, says nothing to the beat, or is not there. */
START_TEST(whoever_is_freed_on_a_detour_leaves_nothing)
{
    char ask[64];
    sim_join_and_register();
    says[0].beat = redirection(ask, sizeof(ask), "ASK", 1);
    says[1].is_silent = _i == 0;
    says[1].beat = _i == 1 ? "" : NULL;
    if (_i == 2)
        peer_stop_listening(&node[1]);
    sim_advance(6000);
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
}
END_TEST

START_TEST(a_detour_that_leads_nowhere_costs_the_beat_alone)
{
    char ask[64];
    sim_join_and_register();
    says[0].beat = redirection(ask, sizeof(ask), "ASK", 1);
    says[1].is_silent = _i == 0;
    says[1].beat = _i == 1 ? "" : NULL;
    if (_i == 2)
        peer_stop_listening(&node[1]);
    sim_advance(60000);
    ck_assert_int_ne(latest_state(&sim.states), NETRON_REGISTERED);
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    says[0].beat = NULL;
    sim_advance(20000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

START_TEST(a_name_that_cannot_be_resolved_costs_the_beat_alone)
{
    sim_join_and_register();
    sim.loop.seam.resolve = NULL;
    sim.loop.seam.resolve_cancel = NULL;
    says[0].beat = "-ASK 3714 redis-2.example:6379\r\n";
    sim_advance(60000);
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    says[0].beat = NULL;
    sim_advance(20000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

START_TEST(a_cluster_without_shard_channels_is_heard_on_the_other_kind)
{
    sim.options.pubsub_enabled = 1;
    sim_join();
    ck_assert_int_eq(netron_view_open(sim.discovery), 0);
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[NETRON_LINK_EVENTS], 1);
    ck_assert_int_eq(sim.links.count[NETRON_LINK_EVENTS], 1);
    ck_assert_uint_eq(peer_count(&node[0], "SSUBSCRIBE {netron:discovery}:events"), 1);
    ck_assert_uint_eq(peer_count(&node[0], "SUBSCRIBE {netron:discovery}:events"), 1);
}
END_TEST

/* The records leave between two pages of the first picture: the second comes from where the cursor says nothing. */
static const char *answer_of_a_registry(struct peer *peer, const struct peer_command *command)
{
    if (peer_is(command, "SSUBSCRIBE "))
        return "-ERR unknown command 'SSUBSCRIBE', with args beginning with: \r\n";
    if (peer_is_sync(command))
        return "*4\r\n$4\r\nfull\r\n$4\r\naaaa\r\n:1\r\n$12\r\n000000000000\r\n";
    if (peer_is(command, "HMGET {netron:discovery}:registry"))
        return "*2\r\n$4\r\naaaa\r\n$1\r\n1\r\n";
    if (peer == &node[0] && peer_is(command, "HSCAN {netron:discovery}:records 0 "))
        return "*2\r\n$1\r\n7\r\n*0\r\n";
    if (peer == &node[0] && peer_is(command, "HSCAN "))
        return peer_say(peer, "-ASK %d 127.0.0.1:%u\r\n", SLOT, node[1].port);
    if (peer_is(command, "HSCAN "))
        return "*2\r\n$1\r\n0\r\n*0\r\n";
    if (peer_is(command, "CLUSTER SLOTS"))
        return peer_say(peer, "*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:%u\r\n$1\r\nx\r\n", node[0].port);
    return answer_asking(peer, command);
}

START_TEST(a_picture_of_two_nodes_is_none)
{
    node[0].answer = node[1].answer = answer_of_a_registry;
    sim.options.pubsub_enabled = 1;
    sim_join();
    ck_assert_int_eq(netron_view_open(sim.discovery), 0);
    sim_advance(20000);
    size_t syncs = 0;
    for (size_t i = 0; i < node[0].command_count; i++)
        syncs += peer_is_sync(&node[0].commands[i]);
    ck_assert_uint_eq(syncs, 1); /* none that would have proved it */
    ck_assert_uint_ge(peer_count(&node[0], "HSCAN {netron:discovery}:records 0 "), 2);
    ck_assert_uint_eq(peer_count(&node[1], "HSCAN {netron:discovery}:records 0 "), 0);
    ck_assert_uint_ge(peer_count(&node[1], "HSCAN {netron:discovery}:records 7 "), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cluster");
    TCase *tcase = cluster_stand_case(suite, "cluster");
    tcase_add_loop_test(tcase, whoever_is_asked_leads_to_the_primary, 0, NODES);
    tcase_add_test(tcase, nodes_that_hang_have_a_share_of_the_connect_timeout_each);
    tcase_add_test(tcase, nodes_that_were_heard_of_and_hang_leave_time_for_those_of_the_url);
    tcase_add_test(tcase, that_nobody_answers_is_told_within_the_connect_timeout);
    tcase_add_loop_test(tcase, an_answer_that_is_none_leads_to_the_next_node, 0,
                        (int)(sizeof(hostile) / sizeof(hostile[0])));
    tcase_add_loop_test(tcase, an_answer_that_is_none_is_told_where_there_is_no_other, 0,
                        (int)(sizeof(hostile) / sizeof(hostile[0])));
    tcase_add_test(tcase, a_beat_that_is_sent_elsewhere_is_said_there);
    tcase_add_loop_test(tcase, nodes_that_send_in_a_circle_are_not_hammered, 0, 2);
    tcase_add_test(tcase, a_slot_that_moved_to_a_node_without_a_name_is_asked_for);
    tcase_add_loop_test(tcase, a_key_that_went_to_a_node_without_a_name_is_found_by_the_port, 0, 2);
    tcase_add_test(tcase, a_second_move_is_followed_at_once);
    tcase_add_test(tcase, a_detour_is_not_cut_short_while_an_answer_is_awaited);
    tcase_add_test(tcase, a_primary_that_hangs_up_is_not_gone_back_to_while_others_know_better);
    tcase_add_test(tcase, news_reach_a_link_that_still_looks_for_the_old_host);
    tcase_add_test(tcase, a_server_of_no_cluster_is_said_once_and_left_when_it_ends);
    tcase_add_loop_test(tcase, a_redirection_that_leads_nowhere_is_a_refusal, 0,
                        (int)(sizeof(no_ways) / sizeof(no_ways[0])));
    tcase_add_loop_test(tcase, whoever_is_freed_on_a_detour_leaves_nothing, 0, 3);
    tcase_add_loop_test(tcase, a_detour_that_leads_nowhere_costs_the_beat_alone, 0, 3);
    tcase_add_test(tcase, nodes_that_want_a_password_are_told);
    tcase_add_loop_test(tcase, what_only_an_operator_can_mend_is_asked_rarely, 0, 2);
    tcase_add_test(tcase, nodes_that_are_not_there_are_asked_ever_more_rarely);
    tcase_add_test(tcase, a_name_that_cannot_be_resolved_costs_the_beat_alone);
    tcase_add_test(tcase, a_cluster_without_shard_channels_is_heard_on_the_other_kind);
    tcase_add_test(tcase, a_picture_of_two_nodes_is_none);
    return suite_run(suite);
}
