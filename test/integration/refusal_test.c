/* SPDX-License-Identifier: MIT */
/* A real Redis that answers, but not as hoped for: permissions, forgotten scripts, no memory, a replica. */
#include "stage.h"
#include <script_sources.h>

static struct spy spy;
static struct link_recorder links;
static struct state_recorder states;

/* The library's user may do everything; the test's is another. */
static void open_permitted(void)
{
    open_alone();
    server_expect(&server, "OK", "ACL SETUSER tester on >secret allkeys allchannels +@all");
    options.username = "tester";
    options.password = "secret";
    options.on_link = record_link;
    options.on_link_arg = &links;
}

static void permit(const char *rule)
{
    server_expect(&server, "OK", "ACL SETUSER tester %s", rule);
}

/* ---- permissions ---- */

START_TEST(a_node_registers_without_the_permission_to_publish)
{
    permit("resetchannels");
    spy_watch_events(&spy, &server);
    netron_registration *registration = begin_registered(&states);
    server_expect(&server, "9", "DBSIZE");
    struct done_recorder done = {0};
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &done), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    server_expect(&server, "2", "DBSIZE");
    spy_collect(&spy);
    ck_assert_int_eq(spy.count, 0);
    spy_close(&spy);
}
END_TEST

START_TEST(a_forbidden_subscription_is_told_with_its_reason)
{
    static struct event_recorder events;
    permit(_i == 0 ? "resetchannels" : "-subscribe");
    begin_registered(&states);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &events, NULL), 0);
    AWAIT(&world, links.count[NETRON_LINK_EVENTS] == 1);
    ck_assert_int_eq(links.code[NETRON_LINK_EVENTS], NETRON_EPERM);
    ck_assert_ptr_nonnull(strstr(links.sentence[NETRON_LINK_EVENTS], "SUBSCRIBE netron:discovery:events: NOPERM"));
    ck_assert_ptr_nonnull(
        strstr(links.sentence[NETRON_LINK_EVENTS], _i == 0 ? "needs &netron:discovery:events" : "needs +subscribe"));
    ck_assert(links.is_up[NETRON_LINK_COMMANDS]);
    permit(_i == 0 ? "allchannels" : "+subscribe");
    AWAIT(&world, links.is_up[NETRON_LINK_EVENTS]);
    ck_assert_int_eq(states.count, 1);
}
END_TEST

/* The register fails, or the beat of a node that is registered. */
START_TEST(a_forbidden_command_is_named_and_tried_again_later)
{
    static const struct {
        const char *forbid;
        const char *permit;
        const char *rule;
        bool is_registered_before;
    } cases[] = {
        {"-evalsha", "+evalsha", "the user needs +evalsha", false},
        {"-script", "+script", "the user needs +script|load", false}, /* the scripts have to be loaded */
        {"-getex", "+getex", "the user needs +getex", true},
    };
    states.discovery = discovery;
    if (cases[_i].is_registered_before)
        begin_registered(&states);
    permit(cases[_i].forbid);
    if (discovery == NULL) {
        discovery = join_connected();
        begin(discovery, "node-1", &states);
    }
    states.discovery = discovery;
    AWAIT(&world, latest_state(&states) == NETRON_FAILED);
    int told = states.count;
    ck_assert_int_eq(states.code[told - 1], NETRON_EPERM);
    ck_assert_msg(strstr(states.sentence, "NOPERM") != NULL && strstr(states.sentence, cases[_i].rule) != NULL,
                  "the sentence is: %s", states.sentence);
    world_run(&world, 250); /* the same failure again is no news */
    ck_assert_int_eq(states.count, told);
    permit(cases[_i].permit);
    AWAIT(&world, states.count == told + 1);
    ck_assert_int_eq(states.state[told], NETRON_REGISTERED);
    server_expect(&server, "9", "DBSIZE");
}
END_TEST

/* Redis 7.0 names the line of the script instead of the command. */
START_TEST(a_command_that_is_forbidden_inside_a_script_is_named)
{
    static const char *const commands[] = {"zadd", "hget", "sadd", "hset", "hmget", "time", "set", "pttl"};
    char rule[32];
    snprintf(rule, sizeof(rule), "-%s", commands[_i]);
    permit(rule);
    discovery = join_connected();
    states.discovery = discovery;
    begin(discovery, "node-1", &states);
    AWAIT(&world, states.count == 1);
    ck_assert_int_eq(states.state[0], NETRON_FAILED);
    ck_assert_int_eq(states.code[0], NETRON_EPERM);
    rule[0] = '+';
    ck_assert_msg(strstr(states.sentence, "register: ") != NULL && strcasestr(states.sentence, "user") != NULL &&
                      strstr(states.sentence, rule) != NULL,
                  "the sentence is: %s", states.sentence);
    permit(rule);
    AWAIT(&world, states.count == 2);
    ck_assert_int_eq(states.state[1], NETRON_REGISTERED);
    ck_assert(digest_is_right(&server));
}
END_TEST

START_TEST(the_handshake_bears_what_an_acl_forbids_in_it)
{
    permit("-hello");
    permit("-client");
    begin_registered(&states);
    ck_assert(links.is_up[NETRON_LINK_COMMANDS]);
    ck_assert_int_eq(count_clients(&server), 0); /* it could not say its name */
}
END_TEST

START_TEST(a_key_pattern_that_forbids_the_prefix_is_told)
{
    permit("resetkeys");
    if (_i == 1) /* the script may begin */
        permit("~netron:discovery:registry");
    discovery = join_connected();
    states.discovery = discovery;
    begin(discovery, "node-1", &states);
    AWAIT(&world, states.count == 1);
    ck_assert_int_eq(states.code[0], NETRON_EPERM);
    ck_assert_msg(strstr(states.sentence, "the user needs ~netron:discovery:*") != NULL, "the sentence is: %s",
                  states.sentence);
    permit("~netron:*");
    AWAIT(&world, states.count == 2);
    ck_assert_int_eq(states.state[1], NETRON_REGISTERED);
}
END_TEST

/* ---- scripts ---- */

START_TEST(forgotten_scripts_are_loaded_again_and_never_evaluated)
{
    options.heartbeat_interval_ms = 20;
    netron_registration *registration = begin_registered(&states);
    server_expect(&server, "OK", "SCRIPT FLUSH");
    spy_watch_commands(&spy, &server);
    uint64_t enough = registers(discovery) + 2;
    AWAIT(&world, registers(discovery) >= enough);
    struct done_recorder done = {0};
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &done), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    spy_collect(&spy);
    int loads = spy_heard(&spy, "\"SCRIPT\" \"LOAD\"");
    int looks = spy_heard(&spy, netron_script_source_reconcile.sha1); /* the registry is looked after at the repairs */
    ck_assert_int_eq(loads, looks > 0 ? 3 : 2);
    ck_assert_int_ge(spy_heard(&spy, netron_script_source_register.sha1), 3);
    ck_assert_int_eq(spy_heard(&spy, netron_script_source_deregister.sha1), 2); /* it had to be loaded */
    ck_assert_int_eq(spy_heard(&spy, "\"EVAL\""), 0);
    ck_assert_int_eq(states.state[0], NETRON_REGISTERED); /* and then LEAVING and LEFT, without any failure */
    ck_assert_int_eq(states.count, 3);
    spy_close(&spy);
}
END_TEST

/* ---- not now ---- */

START_TEST(a_server_without_memory_is_told_and_waited_for)
{
    struct state_recorder late = {0};
    begin_registered(&states);
    server_expect(&server, "OK", "CONFIG SET maxmemory 1");
    late.discovery = discovery;
    begin(discovery, "node-2", &late);
    AWAIT(&world, late.count == 1);
    ck_assert_int_eq(late.state[0], NETRON_FAILED);
    ck_assert_int_eq(late.code[0], NETRON_EUNAVAILABLE);
    ck_assert_msg(strstr(late.sentence, "OOM") != NULL, "the sentence is: %s", late.sentence);
    server_expect(&server, "OK", "CONFIG SET maxmemory 0");
    AWAIT(&world, late.count == 2);
    ck_assert_int_eq(late.state[1], NETRON_REGISTERED);
}
END_TEST

START_TEST(a_server_that_became_a_replica_is_left_and_tried_again)
{
    begin_registered(&states);
    states.discovery = discovery;
    server_expect(&server, "OK", "REPLICAOF 127.0.0.1 1"); /* nobody is there: it keeps its data, read-only */
    AWAIT(&world, latest_state(&states) == NETRON_FAILED);
    ck_assert_int_eq(states.code[states.count - 1], NETRON_EUNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(states.sentence, "READONLY"));
    AWAIT(&world, links.code[NETRON_LINK_COMMANDS] == NETRON_EUNAVAILABLE ||
                      stats_of(discovery).connects > 2); /* it connects again, maybe to the new primary */
    server_expect(&server, "OK", "REPLICAOF NO ONE");
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refusal");
    TCase *tcase = suite_case(suite, "refusals");
    tcase_add_checked_fixture(tcase, open_permitted, close_alone);
    tcase_add_test(tcase, a_node_registers_without_the_permission_to_publish);
    tcase_add_loop_test(tcase, a_forbidden_subscription_is_told_with_its_reason, 0, 2);
    tcase_add_loop_test(tcase, a_forbidden_command_is_named_and_tried_again_later, 0, 3);
    tcase_add_loop_test(tcase, a_command_that_is_forbidden_inside_a_script_is_named, 0, 8);
    tcase_add_test(tcase, the_handshake_bears_what_an_acl_forbids_in_it);
    tcase_add_loop_test(tcase, a_key_pattern_that_forbids_the_prefix_is_told, 0, 2);
    tcase_add_test(tcase, forgotten_scripts_are_loaded_again_and_never_evaluated);
    tcase_add_test(tcase, a_server_without_memory_is_told_and_waited_for);
    tcase_add_test(tcase, a_server_that_became_a_replica_is_left_and_tried_again);
    return suite_run(suite);
}
