/* SPDX-License-Identifier: MIT */
/* A Redis that comes back with what it had, forgets it, becomes somebody's replica, or changes its password. */
#include "watched.h"

static struct server other; /* the primary, where there is one */

static void open_stage(void)
{
    static const char *const extra[] = {"--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0", NULL};
    open_watched(extra);
}

static void expect_revision(const char *expected)
{
    server_expect(&server, expected, "HGET %s revision", P ":registry");
}

/* ---- what it has ---- */

START_TEST(a_redis_that_restarts_with_its_data_within_the_ttl_is_a_lost_connection_and_nothing_else)
{
    options.heartbeat_ttl_ms = 6000;
    begin_watched();
    server_expect(&server, "OK", "SAVE");
    server_kill(&server);
    AWAIT(&world, !links.is_up[NETRON_LINK_COMMANDS]);
    server_start_again(&server, NULL);
    uint64_t enough = beats(discovery) + 3;
    AWAIT(&world, beats(discovery) >= enough && is_fresh());
    ck_assert_int_eq(latest_state(&states), NETRON_REGISTERED);
    ck_assert_int_eq(states.count == 1 || states.state[1] == NETRON_FAILED, 1); /* not LOST */
    expect_nothing_told();
    expect_revision("1");
    ck_assert(digest_is_right(&server));
}
END_TEST

START_TEST(a_redis_that_restarts_with_its_data_beyond_the_ttl_kills_nobody)
{
    begin_judged();
    server_expect(&server, "OK", "SAVE");
    server_kill(&server);
    AWAIT(&world, latest_state(&states) == NETRON_LOST);
    world_run(&world, options.heartbeat_ttl_ms / 2);
    server_start_again(&server, NULL);
    expect_nothing_told_later();
    expect_revision("1"); /* what stood there was right */
}
END_TEST

START_TEST(a_flush_is_told_to_the_owner_and_kills_nobody)
{
    static const netron_registration_state lost_and_back[] = {NETRON_REGISTERED, NETRON_LOST, NETRON_REGISTERED};
    begin_judged();
    /* A repair would put the node back and not know that it was gone: there is none for the next nine beats. */
    uint64_t before = registers(discovery);
    AWAIT(&world, registers(discovery) > before);
    server_expect(&server, "OK", "FLUSHALL");
    AWAIT(&world, states.count == 3);
    assert_states(&states, 3, lost_and_back);
    expect_nothing_told_later();
}
END_TEST

/* ---- a replica ---- */

static bool info_has(const char *text)
{
    char info[8192];
    server_text(&server, info, sizeof(info), "INFO replication");
    return strstr(info, text) != NULL;
}

static void follow_other(void)
{
    static const char *const extra[] = {"--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0", NULL};
    char port[16];
    snprintf(port, sizeof(port), "%u", server_free_port());
    server_start(&other, extra);
    server_expect(&other, "OK", "CONFIG SET port %s", port);
    server_expect(&server, "OK", "REPLICAOF 127.0.0.1 %s", port);
    AWAIT(&world, info_has("master_link_status:up"));
}

static void be_promoted(void)
{
    server_expect(&server, "OK", "REPLICAOF NO ONE");
    server_stop(&other);
}

START_TEST(a_replica_is_told_as_such_and_asked_again_until_it_is_promoted)
{
    follow_other();
    discovery = join_connected();
    states.discovery = discovery;
    begin(discovery, "node-1", &states);
    AWAIT(&world, latest_state(&states) == NETRON_FAILED);
    ck_assert_int_eq(states.code[0], NETRON_EUNAVAILABLE);
    ck_assert_msg(strstr(states.sentence, "READONLY") != NULL, "the sentence is: %s", states.sentence);
    uint64_t enough = stats_of(discovery).connects + 2; /* the address may lead to another one next time */
    AWAIT(&world, stats_of(discovery).connects >= enough);
    be_promoted();
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS]);
    ck_assert(digest_is_right(&server));
}
END_TEST

/* It forgets everything, for its primary is empty. */
START_TEST(a_primary_that_is_demoted_under_us_and_promoted_again_beyond_the_ttl_kills_nobody)
{
    begin_judged();
    follow_other();
    AWAIT(&world, latest_state(&states) == NETRON_FAILED || latest_state(&states) == NETRON_LOST);
    ck_assert_int_eq(states.code[states.count - 1], NETRON_EUNAVAILABLE);
    world_run(&world, options.heartbeat_ttl_ms * 3 / 2);
    ck_assert_uint_eq(watchers_view().node_count, 1);
    expect_nothing_told();
    be_promoted();
    expect_nothing_told_later();
}
END_TEST

/* ---- a password ---- */

static bool are_up(int expected)
{
    return links.is_up[NETRON_LINK_COMMANDS] == expected && links.is_up[NETRON_LINK_EVENTS] == expected;
}

/* Connections that are there are let live by Redis; the next ones are told. */
START_TEST(a_password_that_is_changed_is_told_at_the_next_connection_and_can_be_made_right)
{
    static struct event_recorder events;
    server_expect(&server, "OK", "CONFIG SET requirepass %s", _i == 0 ? "" : "old");
    options.password = _i == 0 ? NULL : "old";
    begin_registered(&states);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &events, NULL), 0);
    AWAIT(&world, are_up(1));
    server_expect(&server, "OK", "CONFIG SET requirepass new");
    uint64_t enough = beats(discovery) + 3;
    AWAIT(&world, beats(discovery) >= enough);
    ck_assert_int_eq(states.count, 1);
    server_integer(&server, "CLIENT KILL TYPE normal SKIPME yes");
    server_integer(&server, "CLIENT KILL TYPE pubsub");
    AWAIT(&world, links.code[NETRON_LINK_COMMANDS] == NETRON_EAUTH && links.code[NETRON_LINK_EVENTS] == NETRON_EAUTH);
    ck_assert_ptr_nonnull(strstr(links.sentence[NETRON_LINK_COMMANDS], _i == 0 ? "NOAUTH" : "WRONGPASS"));
    AWAIT(&world, latest_state(&states) == NETRON_FAILED && states.code[states.count - 1] == NETRON_EAUTH);
    server_expect(&server, "OK", "CONFIG SET requirepass %s", _i == 0 ? "" : "old");
    AWAIT(&world, are_up(1) && latest_state(&states) == NETRON_REGISTERED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_faults");
    TCase *tcase = suite_case(suite, "what it has");
    tcase_add_checked_fixture(tcase, open_stage, close_watched);
    tcase_add_test(tcase, a_redis_that_restarts_with_its_data_within_the_ttl_is_a_lost_connection_and_nothing_else);
    tcase_add_test(tcase, a_redis_that_restarts_with_its_data_beyond_the_ttl_kills_nobody);
    tcase_add_test(tcase, a_flush_is_told_to_the_owner_and_kills_nobody);
    tcase = suite_case(suite, "a replica");
    tcase_add_checked_fixture(tcase, open_stage, close_watched);
    tcase_add_test(tcase, a_replica_is_told_as_such_and_asked_again_until_it_is_promoted);
    tcase_add_test(tcase, a_primary_that_is_demoted_under_us_and_promoted_again_beyond_the_ttl_kills_nobody);
    tcase = suite_case(suite, "a password");
    tcase_add_checked_fixture(tcase, open_stage, close_watched);
    tcase_add_loop_test(tcase, a_password_that_is_changed_is_told_at_the_next_connection_and_can_be_made_right, 0, 2);
    return suite_run(suite);
}
