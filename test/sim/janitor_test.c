/* SPDX-License-Identifier: MIT */
/* When the janitor has the registry looked after, and about whom it asks. */
#include "looks.h"

static void hint_of(const char *type, const char *id, unsigned port)
{
    char event[256];
    snprintf(event, sizeof(event),
             "{\"type\":\"%s\",\"nodeId\":\"%s\",\"address\":\"10.0.0.1:%u\",\"services\":[{\"name\":\"web\"}],"
             "\"timestamp\":5}",
             type, id, port);
    registry_send(event);
    sim_settle();
}

/* ---- when it looks ---- */

START_TEST(the_first_look_comes_within_600_ms)
{
    registry_subscribe();
    uint64_t began = sim.loop.now;
    ck_assert_uint_le(looks(), 1);
    sim_advance(600);
    ck_assert_uint_ge(looks(), 1);
    ck_assert_uint_le(look(0)->at - began, 600);
    ck_assert_str_eq(ids_of(look(0)), "");
}
END_TEST

START_TEST(there_is_no_look_before_the_link_is_ready)
{
    peer_stop_listening(&sim.peer);
    registry_subscribe();
    sim_advance(20000);
    ck_assert_uint_eq(looks(), 0);
    peer_listen(&sim.peer);
    while (sim.links.is_up[NETRON_LINK_COMMANDS] == 0)
        sim_advance(1);
    uint64_t ready_at = sim.loop.now;
    sim_advance(600);
    ck_assert_uint_ge(looks(), 1);
    ck_assert_uint_ge(look(0)->at, ready_at - 1);
    ck_assert_uint_le(look(0)->at - ready_at, 600);
}
END_TEST

/* The answer, and how far apart looks are at least and at most. */
static const struct {
    const char *answer;
    uint64_t least, most;
} paces[] = {
    {NOTHING_DUE, 600, 800},
    {"*9\r\n:5000\r\n:0\r\n:0\r\n:0\r\n:3\r\n" TAIL("0"), 600, 800},
    {"*9\r\n:600\r\n:0\r\n:0\r\n:0\r\n:3\r\n" TAIL("0"), 600, 800},
    {"*9\r\n:599\r\n:0\r\n:0\r\n:0\r\n:3\r\n" TAIL("0"), 599, 799},
    {"*9\r\n:100\r\n:0\r\n:0\r\n:0\r\n:3\r\n" TAIL("0"), 100, 300},
    {"*9\r\n:0\r\n:0\r\n:0\r\n:9\r\n:3\r\n" TAIL("0"), 0, 50}, /* more is due than one call looks at */
    {"*9\r\n:0\r\n:0\r\n:0\r\n:0\r\n:3\r\n" TAIL("2"), 0, 50}, /* also beside some that it may not judge */
    {"*9\r\n:9223372036854775807\r\n:0\r\n:0\r\n:0\r\n:3\r\n" TAIL("0"), 600, 800},
    {"*9\r\n:-9223372036854775808\r\n:0\r\n:0\r\n:0\r\n:3\r\n" TAIL("0"), 600, 800},
    {"*9\r\n$1\r\nx\r\n$-1\r\n*0\r\n+x\r\n:3\r\n+x\r\n:1\r\n:2\r\n+x\r\n", 1000, 2000}, /* no outcome at all */
    {"*10\r\n:100\r\n:0\r\n:0\r\n:0\r\n:3\r\n" TAIL("0") ":0\r\n", 100, 300}, /* a newer script may say more */
};

START_TEST(looks_are_as_far_apart_as_what_is_due_allows_and_spread)
{
    uint64_t shortest = UINT64_MAX, longest = 0;
    registry.reconciled = paces[_i].answer;
    registry_subscribe();
    sim_advance(60000);
    ck_assert_uint_ge(looks(), 60000 / (paces[_i].most > 800 ? paces[_i].most : 800) - 1);
    ck_assert_int_eq(log_count(&sim.log, "could not be looked after"), paces[_i].most > 800);
    int count = (int)looks();
    for (int i = 1; i < count; i++) {
        uint64_t apart = look(i)->at - look(i - 1)->at;
        ck_assert_uint_ge(apart, paces[_i].least);
        ck_assert_uint_le(apart, paces[_i].most);
        shortest = apart < shortest ? apart : shortest;
        longest = apart > longest ? apart : longest;
    }
    ck_assert_uint_gt(longest - shortest, (paces[_i].most - paces[_i].least) / 2);
}
END_TEST

/* The TTL, and how far apart looks are at most: less than a heartbeat lives after the latest beat. */
static const struct {
    uint32_t ttl;
    uint64_t least, most;
} short_ttls[] = {{1000, 250, 333}, {2000, 500, 666}, {2400, 600, 800}, {3000, 600, 800}};

START_TEST(looks_of_a_fleet_with_a_short_ttl_are_closer_together)
{
    registry.reconciled = NOTHING_DUE;
    sim.options.heartbeat_ttl_ms = short_ttls[_i].ttl;
    sim.options.heartbeat_interval_ms = short_ttls[_i].ttl / 3;
    registry_subscribe();
    sim_advance(20000);
    ck_assert_uint_ge(looks(), 20000 / short_ttls[_i].most - 1);
    for (int i = 1; i < (int)looks(); i++) {
        ck_assert_uint_ge(look(i)->at - look(i - 1)->at, short_ttls[_i].least);
        ck_assert_uint_le(look(i)->at - look(i - 1)->at, short_ttls[_i].most);
    }
}
END_TEST

START_TEST(one_look_is_in_flight_at_a_time)
{
    registry.interrupt = hold_back;
    registry_subscribe();
    sim_advance(700);
    ck_assert_uint_eq(looks(), 1);
    for (char id[2] = "a"; id[0] <= 'j'; id[0]++)
        hint_of("NODE_REGISTERED", id, 1);
    sim_advance(3000);
    ck_assert_uint_eq(looks(), 1);
    registry.interrupt = NULL;
    peer_send(&sim.peer, look(0)->conn, NOTHING_DUE, strlen(NOTHING_DUE));
    sim_settle();
    sim_advance(1); /* those that were waiting come at once */
    for (char id[2] = "a"; id[0] <= 'j'; id[0]++)
        ck_assert_uint_eq(asked_about(id), 1);
}
END_TEST

START_TEST(a_link_that_is_lost_in_the_middle_of_a_look_is_no_end_of_looking)
{
    registry.interrupt = hold_back;
    registry_subscribe();
    sim_advance(700);
    peer_hang_up(&sim.peer, look(0)->conn);
    registry.interrupt = NULL;
    sim_advance(100 + 600);
    ck_assert_uint_ge(looks(), 2);
    sim_advance(5000);
    ck_assert_uint_ge(looks(), 2 + 5000 / 800);
}
END_TEST

START_TEST(there_is_no_look_after_the_end)
{
    registry.interrupt = hold_back;
    registry_subscribe();
    sim_advance(700);
    hint_of("NODE_REGISTERED", "a", 1);
    struct done_recorder shut = {0};
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &shut), 0);
    sim_settle();
    ck_assert_int_eq(shut.calls, 1);
    sim_advance(10000);
    ck_assert_uint_eq(looks(), 1);
}
END_TEST

/* ---- hints ---- */

/* What the original says about a: held at port 1. */
static const struct {
    const char *type, *id;
    unsigned port;
    bool is_news;
} hints[] = {
    {"NODE_REGISTERED", "a", 1, false}, {"NODE_UPDATED", "a", 1, false},     {"NODE_UPDATED", "a", 2, true},
    {"NODE_REGISTERED", "a", 2, true},  {"NODE_DEREGISTERED", "a", 1, true}, {"NODE_DEREGISTERED", "a", 2, true},
    {"NODE_UPDATED", "b", 1, true},     {"NODE_REGISTERED", "b", 1, true},   {"NODE_DEREGISTERED", "b", 1, false},
};

START_TEST(what_the_original_says_is_looked_at_within_300_ms_if_it_is_news)
{
    registry_put("a", 1);
    registry_subscribe();
    sim_advance(20000);
    for (size_t times = 1; times <= 20; times++) {
        uint64_t now = sim.loop.now;
        hint_of(hints[_i].type, hints[_i].id, hints[_i].port);
        hint_of(hints[_i].type, hints[_i].id, hints[_i].port); /* once is enough */
        sim_advance(1000);
        ck_assert_uint_eq(asked_about(hints[_i].id), hints[_i].is_news ? times : 0);
        for (int i = 0; i < (int)looks(); i++)
            if (look(i)->at >= now && ids_of(look(i))[0] != '\0')
                ck_assert_uint_le(look(i)->at - now, 300);
    }
    ck_assert_int_eq(registry_heard.count, 1); /* it is no fact by itself */
}
END_TEST

START_TEST(a_hint_is_dropped_when_a_change_of_the_node_is_seen_first)
{
    int dropped = 0;
    registry_subscribe();
    sim_advance(1000);
    for (int i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof(id), "x%d", i);
        hint_of("NODE_REGISTERED", id, 1);
        bool is_late = asked_about(id) > 0; /* its time was 0 ms */
        registry_put(id, 1);                /* another janitor was quicker */
        registry_publish(id);
        sim_advance(1000);
        ck_assert_uint_eq(asked_about(id), is_late);
        dropped += !is_late;
    }
    ck_assert_int_gt(dropped, 10);
}
END_TEST

START_TEST(a_hint_that_came_while_the_link_was_down_is_looked_at_when_it_is_back)
{
    registry_subscribe();
    sim_advance(1000);
    peer_stop_listening(&sim.peer);
    peer_hang_up(&sim.peer, registry_commands_conn());
    sim_settle();
    hint_of("NODE_REGISTERED", "a", 1);
    sim_advance(3000);
    ck_assert_uint_eq(asked_about("a"), 0);
    peer_listen(&sim.peer);
    sim_advance(10001 + 600);
    ck_assert_uint_eq(asked_about("a"), 1);
}
END_TEST

START_TEST(hints_are_bounded_and_asked_for_64_at_a_time)
{
    enum { KEPT = 4096, SAID = 4500, IN_A_CALL = 64 };
    static char payload[SAID][192];
    size_t asked = 0;
    registry.interrupt = hold_back;
    registry_subscribe();
    sim_advance(600);
    for (int i = 0; i < SAID; i++) {
        snprintf(
            payload[i], sizeof(payload[i]),
            "{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"h%d\",\"address\":\"h:1\",\"services\":[],\"timestamp\":5}", i);
        registry_send(payload[i]);
        if (i % 50 == 0)
            sim_settle();
    }
    sim_settle();
    ck_assert_uint_eq(looks(), 1);
    registry.interrupt = NULL;
    int first = (int)looks();
    peer_send(&sim.peer, look(0)->conn, NOTHING_DUE, strlen(NOTHING_DUE));
    sim_advance(20000);
    int last = (int)looks();
    for (int i = first; i < last; i++) {
        size_t count = 0;
        for (const char *id = ids_of(look(i)); id[0] != '\0'; id = behind_words(id, 1))
            count++;
        ck_assert_uint_le(count, IN_A_CALL);
        asked += count;
    }
    ck_assert_uint_eq(asked, KEPT);
    ck_assert_uint_eq(asked_about("h0"), 1);
    ck_assert_uint_eq(asked_about("h4095"), 1);
    hint_of("NODE_REGISTERED", "h4400", 1); /* there is room again */
    sim_advance(301);
    ck_assert_uint_eq(asked_about("h4400"), 1);
}
END_TEST

START_TEST(however_many_hints_come_the_regular_looks_go_on)
{
    enum { HINTS = 1200 };
    uint64_t latest = 0, longest = 0;
    registry.reconciled = _i == 0 ? "*9\r\n:0\r\n:0\r\n:0\r\n:0\r\n:3\r\n" TAIL("0") : NOTHING_DUE;
    registry_subscribe();
    sim_advance(16000);
    latest = sim.loop.now;
    size_t before = sim.peer.command_count;
    for (int i = 0; i < HINTS; i++) {
        char id[16];
        snprintf(id, sizeof(id), "h%d", i);
        hint_of("NODE_UPDATED", id, 1);
        sim_advance(3);
    }
    for (size_t i = before; i < sim.peer.command_count; i++) {
        const struct peer_command *each = &sim.peer.commands[i];
        if (!peer_is_reconcile(each) || ids_of(each)[0] != '\0')
            continue;
        longest = each->at - latest > longest ? each->at - latest : longest;
        latest = each->at;
    }
    longest = sim.loop.now - latest > longest ? sim.loop.now - latest : longest;
    ck_assert_uint_le(longest, 800);
    sim_advance(1000);
    for (int i = 0; i < HINTS; i += 13) {
        char id[16];
        snprintf(id, sizeof(id), "h%d", i);
        ck_assert_uint_eq(asked_about(id), 1);
    }
}
END_TEST

/* ---- errors ---- */

static const char *const errors[] = {
    "-ERR no\r\n",
    "-LOADING Redis is loading\r\n",
    "-OOM too much\r\n",
    "-NOPERM no\r\n",
    ":1\r\n",
    "$-1\r\n",
    "*0\r\n",
    "*-1\r\n",
    "*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
    "+OK\r\n",
    "$5\r\nhello\r\n",
};

START_TEST(errors_are_tried_again_after_one_to_two_seconds_and_told_once)
{
    registry.reconciled = errors[_i];
    registry_subscribe();
    sim_advance(30000);
    ck_assert_uint_ge(looks(), 15);
    for (int i = 1; i < (int)looks(); i++) {
        ck_assert_uint_ge(look(i)->at - look(i - 1)->at, 1000);
        ck_assert_uint_le(look(i)->at - look(i - 1)->at, 2000);
    }
    ck_assert_int_eq(log_count(&sim.log, "the registry could not be looked after: reconcile: "), 1);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    registry.reconciled = NULL;
    sim_advance(2000);
    size_t before = looks();
    sim_advance(8000);
    ck_assert_uint_ge(looks(), before + 8000 / 800);
    registry.reconciled = errors[_i];
    sim_advance(3000);
    ck_assert_int_eq(log_count(&sim.log, "the registry could not be looked after"), 2);
}
END_TEST

/* ---- without a view ---- */

START_TEST(a_process_without_a_view_looks_once_at_its_repair_beats)
{
    sim_join_and_register();
    sim_advance(40000);
    ck_assert_uint_eq(looks(), 0);
    sim_advance(160000);
    ck_assert_uint_ge(looks(), 3);
    ck_assert_uint_le(looks(), 4);
    for (int i = 0; i < (int)looks(); i++) {
        uint64_t repaired_at = sim_register_command(i + 1)->at;
        ck_assert_uint_ge(look(i)->at, repaired_at);
        ck_assert_uint_le(look(i)->at - repaired_at, 200);
        /* nobody hears what is not published */
        unsigned long long connected = 0;
        ck_assert_int_eq(sscanf(arguments_of(look(i)), "128  %llu 5 15 15000 ", &connected), 1);
        if (i == 0) /* which nobody could tell to be held up */
            ck_assert_uint_eq(connected, 0);
        else
            ck_assert_uint_gt(connected, TTL_DEFAULT);
    }
}
END_TEST

START_TEST(a_process_whose_own_beat_was_refused_does_not_judge_the_silence_of_others)
{
    unsigned long long connected = 0;
    sim_join_and_register();
    while (looks() == 0)
        sim_advance(100);
    sim_advance(40000);
    sim.peer.refused = "GETEX";
    sim.peer.refusal = "-MISCONF Redis is configured to save RDB snapshots\r\n";
    sim.peer.answer = peer_answer_refusal;
    sim_advance(5500);
    sim.peer.answer = peer_answer_well;
    while (looks() == 1)
        sim_advance(100);
    ck_assert_int_eq(sscanf(arguments_of(look(1)), "128  %llu 5 15 15000 ", &connected), 1);
    ck_assert_uint_lt(connected, TTL_DEFAULT);
    ck_assert_uint_gt(connected, 0);
}
END_TEST

/* As Redis does it with more than one node. */
static const char *answer_each_node(struct peer *peer, const struct peer_command *command)
{
    char id[16], each[16], incarnation[64] = "";
    if (sscanf(command->text, "GETEX netron:discovery:heartbeat:%15s", id) != 1)
        return peer_answer_well(peer, command);
    for (size_t i = 0; i < peer->command_count; i++)
        if (peer_is_register(&peer->commands[i]) && sscanf(peer->commands[i].text, "%*s %*s %*s %*s %15s", each) == 1 &&
            strcmp(each, id) == 0)
            sscanf(peer->commands[i].text, "%*s %*s %*s %*s %*s %63s", incarnation);
    return peer_say(peer, "$%zu\r\n%s\r\n", strlen(incarnation), incarnation);
}

START_TEST(many_nodes_of_a_process_look_at_most_once_in_an_interval)
{
    sim.peer.answer = answer_each_node;
    sim_join_and_register();
    for (int i = 0; i < 20; i++) {
        char id[16];
        netron_service services[2];
        snprintf(id, sizeof(id), "m%d", i);
        netron_node node = make_node(id, "10.0.0.1:80", services, "web", "1", NULL, NULL);
        ck_assert_int_eq(netron_register(sim.discovery, &node, record_state, &sim.states, NULL), 0);
        sim_advance(100);
    }
    sim_advance(200000);
    ck_assert_uint_ge(sim_registers(), 60);
    ck_assert_uint_ge(looks(), 3);
    ck_assert_uint_le(looks(), 16);
    for (int i = 1; i < (int)looks(); i++)
        ck_assert_uint_ge(look(i)->at - look(i - 1)->at, 5000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("janitor");
    TCase *times = sim_case(suite, "times");
    tcase_add_checked_fixture(times, registry_open, NULL);
    tcase_add_test(times, the_first_look_comes_within_600_ms);
    tcase_add_test(times, there_is_no_look_before_the_link_is_ready);
    tcase_add_loop_test(times, looks_are_as_far_apart_as_what_is_due_allows_and_spread, 0, COUNT(paces));
    tcase_add_loop_test(times, looks_of_a_fleet_with_a_short_ttl_are_closer_together, 0, COUNT(short_ttls));
    tcase_add_test(times, one_look_is_in_flight_at_a_time);
    tcase_add_test(times, a_link_that_is_lost_in_the_middle_of_a_look_is_no_end_of_looking);
    tcase_add_test(times, there_is_no_look_after_the_end);
    tcase_add_loop_test(times, errors_are_tried_again_after_one_to_two_seconds_and_told_once, 0, COUNT(errors));
    TCase *hinted = sim_case(suite, "hints");
    tcase_add_checked_fixture(hinted, registry_open, NULL);
    tcase_add_loop_test(hinted, what_the_original_says_is_looked_at_within_300_ms_if_it_is_news, 0, COUNT(hints));
    tcase_add_test(hinted, a_hint_is_dropped_when_a_change_of_the_node_is_seen_first);
    tcase_add_test(hinted, a_hint_that_came_while_the_link_was_down_is_looked_at_when_it_is_back);
    tcase_add_test(hinted, hints_are_bounded_and_asked_for_64_at_a_time);
    tcase_add_loop_test(hinted, however_many_hints_come_the_regular_looks_go_on, 0, 2);
    TCase *viewless = sim_case(suite, "without a view");
    tcase_add_test(viewless, a_process_without_a_view_looks_once_at_its_repair_beats);
    tcase_add_test(viewless, a_process_whose_own_beat_was_refused_does_not_judge_the_silence_of_others);
    tcase_add_test(viewless, many_nodes_of_a_process_look_at_most_once_in_an_interval);
    return suite_run(suite);
}
