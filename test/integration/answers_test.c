/* SPDX-License-Identifier: MIT */
/* What each answer of a Redis that cannot serve leads to, in the life of a node: lib/README.md, "What Redis answers".
 */
#include "answers.h"

/* The node hears it, with the command's name. */
static void await_state(netron_registration_state state, int code, const char *words)
{
    AWAIT(&world, latest_state(&states) == state && states.code[states.count - 1] == code);
    assert_says(states.sentence, words);
}

/* What an operator has to mend is told at once, without the retries, which are slow here. */
static bool is_urgent(const struct refusal *refusal)
{
    bool is = refusal->code == NETRON_EPERM || refusal->code == NETRON_EAUTH;
    options.retry_delay_ms = is ? 60000 : options.retry_delay_ms;
    return is;
}

/* What ends the link is told by the link as well, with the name that Redis has for the command. */
static const char *name_of(const struct refusal *refusal, const char *script)
{
    return refusal->ends_the_link ? "" : script;
}

static void begin_node(void)
{
    discovery = world_join(&world, &options);
    states.discovery = discovery;
    begin(discovery, "node-1", &states);
}

/* ---- the handshake ---- */

/* NOPERM is borne here, for HELLO says nothing that is needed. What else changes: a server that does not know HELLO is
 * too old, and one that wants a password from who has none is told so. */
START_TEST(a_refused_greeting_is_told_by_both_links_and_tried_until_it_is_not)
{
    const struct refusal *refusal = &refusals[_i];
    bool is_unknown = strncmp(refusal->answer, "-ERR unknown", 12) == 0;
    int code = is_unknown ? NETRON_EVERSION : refusal->code;
    refuse(refusal, PROXY_GREETING, "HELLO");
    begin_node();
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &heard, NULL), 0);
    if (refusal->code != NETRON_EPERM) {
        await_state(NETRON_FAILED, code, words_of(refusal, "") + 2);
        AWAIT(&world, downs[EVENTS] > 0 && downs[COMMANDS] > 0);
        for (int role = COMMANDS; role <= EVENTS; role++) {
            ck_assert_int_eq(down[role].code, code);
            assert_says(down[role].sentence, words_of(refusal, "") + 2);
            ck_assert_int_eq(downs[role], 1);
        }
        ck_assert(strncmp(down[COMMANDS].sentence, "HELLO: ", 7) == 0 || is_unknown ||
                  strstr(down[COMMANDS].sentence, "wants a password") != NULL);
        proxy_answer_no_more(&proxy);
    }
    uint64_t begun = world_clock_ms();
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED && links.is_up[EVENTS]);
    ck_assert_uint_le(world_clock_ms() - begun, options.reconnect_max_ms + slack(1500));
}
END_TEST

/* ---- registering ---- */

START_TEST(a_refused_registration_is_told_and_made_once_redis_allows)
{
    const struct refusal *refusal = &refusals[_i];
    bool is_told_at_once = is_urgent(refusal);
    refuse(refusal, PROXY_COMMANDS, call_of(&netron_script_source_register));
    begin_node();
    await_state(NETRON_FAILED, refusal->code, words_of(refusal, name_of(refusal, "register")));
    ck_assert(!is_alive("node-1"));
    ck_assert(!is_told_at_once || proxy_count(&proxy, PROXY_COMMANDS).answered == 1);
    if (refusal->ends_the_link) {
        AWAIT(&world, downs[COMMANDS] > 0);
        ck_assert_int_eq(down[COMMANDS].code, refusal->code);
        assert_says(down[COMMANDS].sentence, words_of(refusal, "EVALSHA"));
    } else {
        ck_assert_int_eq(downs[COMMANDS], 0);
    }
    proxy_answer_no_more(&proxy);
    uint64_t begun = world_clock_ms();
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    ck_assert_uint_le(world_clock_ms() - begun, options.reconnect_max_ms + BEAT_MS * 11 / 10 + slack(1500));
    ck_assert(is_alive("node-1"));
}
END_TEST

/* What ends the link refuses everything, so there is nothing to keep alive by. */
START_TEST(a_node_whose_change_is_refused_is_kept_alive_as_it_was)
{
    const struct refusal *refusal = &refusals[_i];
    options.heartbeat_ttl_ms = 1000;
    netron_registration *registration = begin_registered(&states);
    struct done_recorder done = {0};
    states.discovery = discovery;
    watch();
    refuse(refusal, PROXY_COMMANDS, call_of(&netron_script_source_register));
    ck_assert_int_eq(netron_registration_update_address(registration, "10.0.0.2:5000", record_done, &done), 0);
    await_state(NETRON_FAILED, refusal->code, words_of(refusal, "register"));
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, refusal->code);
    world_run(&world, 1500);
    ck_assert(is_alive("node-1"));
    ck_assert_int_eq(watched.count, 1);
    ck_assert_int_eq(downs[COMMANDS], 0);
    proxy_answer_no_more(&proxy);
    AWAIT(&world, watched.count == 2);
    ck_assert_str_eq(watched.events[1].text, "NODE_UPDATED node-1 10.0.0.2:5000 users@1.2.0 mail");
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
}
END_TEST

/* ---- beats ---- */

START_TEST(a_refused_beat_is_told_and_made_up_for_before_the_node_expires)
{
    const struct refusal *refusal = &refusals[_i];
    bool is_told_at_once = is_urgent(refusal);
    begin_registered(&states);
    states.discovery = discovery;
    watch();
    refuse(refusal, PROXY_COMMANDS, "GETEX");
    await_state(NETRON_FAILED, refusal->code, words_of(refusal, "GETEX"));
    ck_assert(!is_told_at_once || proxy_count(&proxy, PROXY_COMMANDS).answered == 1);
    AWAIT(&world, !refusal->ends_the_link || downs[COMMANDS] > 0);
    ck_assert_int_eq(downs[COMMANDS] > 0, refusal->ends_the_link);
    if (refusal->ends_the_link)
        assert_says(down[COMMANDS].sentence, words_of(refusal, "GETEX"));
    proxy_answer_no_more(&proxy);
    uint64_t begun = world_clock_ms();
    uint64_t enough = beats(discovery) + 1;
    AWAIT(&world, beats(discovery) >= enough && latest_state(&states) == NETRON_REGISTERED);
    ck_assert_uint_le(world_clock_ms() - begun, options.reconnect_max_ms + BEAT_MS * 11 / 10 + slack(1500));
    ck_assert_int_eq(watched.count, 1); /* it was never gone */
}
END_TEST

START_TEST(a_node_that_expired_of_refused_beats_is_back_within_one_beat)
{
    options.heartbeat_ttl_ms = 1000;
    begin_registered(&states);
    states.discovery = discovery;
    watch();
    refuse(&refusals[_i], PROXY_COMMANDS, "GETEX");
    AWAIT(&world, watched.count == 2);
    AWAIT(&world, latest_state(&states) == NETRON_LOST);
    ck_assert_int_eq(states.code[states.count - 1], refusals[_i].code);
    int told = states.count;
    world_run(&world, 2 * BEAT_MS);
    ck_assert_int_eq(states.count, told); /* that it is refused on is no news */
    proxy_answer_no_more(&proxy);
    uint64_t begun = world_clock_ms();
    AWAIT(&world, watched.count == 3);
    ck_assert_uint_le(world_clock_ms() - begun, options.reconnect_max_ms + BEAT_MS * 11 / 10 + slack(1500));
    ck_assert_int_eq(watched.events[2].type, NETRON_NODE_REGISTERED);
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
}
END_TEST

/* ---- leaving, asking ---- */

START_TEST(a_refused_departure_is_told_and_the_node_expires)
{
    const struct refusal *refusal = &refusals[_i];
    netron_registration *registration = begin_registered(&states);
    struct done_recorder done = {0};
    states.discovery = discovery;
    refuse(refusal, PROXY_COMMANDS, call_of(&netron_script_source_deregister));
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &done), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, refusal->code);
    await_state(NETRON_FAILED, refusal->code, words_of(refusal, name_of(refusal, "deregister")));
    ck_assert_int_le(server_integer(&server, "PTTL " P ":heartbeat:node-1"), (long long)TTL_MS);
}
END_TEST

START_TEST(a_refused_lookup_is_told_and_the_next_one_answered)
{
    const struct refusal *refusal = &refusals[_i];
    struct nodes_recorder found = {0};
    begin_registered(&states);
    refuse(refusal, PROXY_COMMANDS, "SSCAN");
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "users", NULL, record_nodes, &found), 0);
    AWAIT(&world, found.calls == 1);
    ck_assert_int_eq(found.code, refusal->code);
    assert_says(netron_discovery_error(discovery), words_of(refusal, "SSCAN"));
    proxy_answer_no_more(&proxy);
    AWAIT(&world, !refusal->ends_the_link || ups[COMMANDS] == 2);
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "users", NULL, record_nodes, &found), 0);
    AWAIT(&world, found.calls == 2);
    ck_assert_int_eq(found.code, 0);
    ck_assert_uint_eq(found.count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answers");
    TCase *tcase = suite_case(suite, "answers");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_answers, close_network);
    tcase_add_loop_test(tcase, a_refused_greeting_is_told_by_both_links_and_tried_until_it_is_not, 0, REFUSALS);
    tcase_add_loop_test(tcase, a_refused_registration_is_told_and_made_once_redis_allows, 0, REFUSALS);
    tcase_add_loop_test(tcase, a_node_whose_change_is_refused_is_kept_alive_as_it_was, 4, 6);
    tcase_add_loop_test(tcase, a_refused_beat_is_told_and_made_up_for_before_the_node_expires, 0, REFUSALS);
    tcase_add_loop_test(tcase, a_node_that_expired_of_refused_beats_is_back_within_one_beat, 0, 2);
    tcase_add_loop_test(tcase, a_refused_departure_is_told_and_the_node_expires, 0, REFUSALS);
    tcase_add_loop_test(tcase, a_refused_lookup_is_told_and_the_next_one_answered, 0, REFUSALS);
    return suite_run(suite);
}
