/* SPDX-License-Identifier: MIT */
/* What each failure of the network leads to: lib/README.md, "The network". */
#include "network.h"

/* What a busy machine may add to a time: less than whatever else would notice, the command timeout for one. */
#define SLACK_MS 2000

/* ---- silence ---- */

static void assert_noticed_by_ping(int which, uint64_t begun)
{
    assert_hit(which, NETRON_ETIMEDOUT, "Redis did not answer");
    for (int role = COMMANDS; role <= EVENTS; role++) {
        if (!hits[which].is_hit[role])
            continue;
        uint64_t after = down[role].at - begun;
        ck_assert_msg(after >= PING_MS - 10 && after <= 2 * PING_MS + slack(SLACK_MS), "link %d was down after %u ms",
                      role, (unsigned)after);
    }
    ck_assert(is_alive("node-1"));
    assert_nobody_noticed();
}

START_TEST(a_half_open_link_is_noticed_within_two_ping_intervals)
{
    join();
    watch();
    uint64_t begun = world_clock_ms();
    proxy_drop(&proxy, hits[_i].links | PROXY_PRESENT, PROXY_BOTH_WAYS);
    assert_noticed_by_ping(_i, begun);
}
END_TEST

START_TEST(a_link_that_loses_all_of_one_way_is_noticed_within_two_ping_intervals)
{
    int which = _i / 2;
    join();
    watch();
    uint64_t begun = world_clock_ms();
    proxy_drop(&proxy, hits[which].links | PROXY_PRESENT, _i % 2 == 0 ? PROXY_TO_SERVER : PROXY_TO_CLIENT);
    assert_noticed_by_ping(which, begun);
}
END_TEST

/* ---- ends ---- */

START_TEST(a_link_that_is_cut_is_back_before_anybody_notices)
{
    int which = _i / 2;
    join();
    watch();
    uint64_t begun = world_clock_ms();
    proxy_cut(&proxy, hits[which].links, _i % 2 == 0 ? PROXY_RESET : PROXY_FINISH);
    assert_hit(which, NETRON_EDISCONNECTED, "connection to Redis lost: ");
    for (int role = COMMANDS; role <= EVENTS; role++)
        if (hits[which].is_hit[role])
            ck_assert_uint_le(down[role].at - begun, slack(SLACK_MS));
    assert_nobody_noticed();
}
END_TEST

START_TEST(a_reply_that_breaks_off_is_a_lost_connection)
{
    join();
    watch();
    proxy_truncate(&proxy, hits[_i].links | PROXY_PRESENT, PROXY_TO_CLIENT, 5); /* of a beat's, or of a PING's */
    assert_hit(_i, NETRON_EDISCONNECTED, "connection to Redis lost: ");
    assert_nobody_noticed();
}
END_TEST

/* ---- slowness ---- */

/* Slow enough to be taken for a failure by who has no patience, and far enough from it that a busy machine, which is
 * slow as well, makes none of it. */
START_TEST(a_slow_network_is_no_failure)
{
    options.ping_interval_ms = 1000;
    options.heartbeat_ttl_ms = 6000;
    join();
    watch();
    if (_i == 0)
        proxy_delay(&proxy, PROXY_ALL, PROXY_BOTH_WAYS, 200);
    else
        proxy_drip(&proxy, PROXY_ALL, PROXY_BOTH_WAYS, 64, 5);
    uint64_t enough = beats(discovery) + 4;
    uint64_t pinged = proxy_count(&proxy, PROXY_EVENTS).commands + 2;
    AWAIT(&world, beats(discovery) >= enough && proxy_count(&proxy, PROXY_EVENTS).commands >= pinged);
    assert_nobody_noticed();
    ck_assert_int_eq(downs[COMMANDS] + downs[EVENTS], 0);
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_GREETING).made, 2);
}
END_TEST

/* The TTL, and how much of it goes by on the way to Redis, and again on the way back. */
static const struct {
    uint32_t ttl;
    unsigned delay;
} slow_lines[] = {{1000, 250}, {2000, 550}};

/* The only one who looks is behind it. */
START_TEST(who_dies_is_told_over_a_slow_line_too)
{
    netron_options plain = world_options(server.url);
    plain.heartbeat_ttl_ms = options.heartbeat_ttl_ms = slow_lines[_i].ttl;
    options.ping_interval_ms = 3000;
    proxy_delay(&proxy, PROXY_COMMANDS, PROXY_BOTH_WAYS, slow_lines[_i].delay);
    netron_discovery *mortal = world_join(&world, &plain);
    begin(mortal, "node-1", &states);
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    discovery = world_join(&world, &options);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &heard, NULL), 0);
    AWAIT(&world, heard.synced == 1 && heard.count == 1);
    netron_discovery_free(mortal);
    AWAIT(&world, heard.count == 2);
    ck_assert_str_eq(heard.events[1].text, "NODE_DEREGISTERED node-1 10.0.0.1:4000 users@1.2.0 mail (expired)");
    ck_assert(!is_alive("node-1"));
    ck_assert_int_eq(downs[COMMANDS] + downs[EVENTS], 0);
}
END_TEST

START_TEST(a_reply_that_takes_longer_than_the_command_timeout_ends_the_link)
{
    options.command_timeout_ms = 400;
    join();
    watch();
    proxy_drip(&proxy, PROXY_COMMANDS, PROXY_TO_CLIENT, 1, 100); /* it is heard, but never the end of it */
    AWAIT(&world, downs[COMMANDS] > 0);
    ck_assert_int_eq(links.code[COMMANDS], NETRON_ETIMEDOUT);
    ck_assert_str_eq(links.sentence[COMMANDS], "Redis did not answer within 400 ms");
    ck_assert_int_eq(downs[EVENTS], 0);
    proxy_heal(&proxy);
    assert_whole();
    ck_assert_int_eq(told_of(&watched, " node-1 "), 1);
}
END_TEST

/* ---- no connection ---- */

START_TEST(connections_that_are_refused_are_tried_until_they_are_not)
{
    join();
    watch();
    proxy_refuse(&proxy, true);
    proxy_cut(&proxy, PROXY_ALL, PROXY_RESET);
    AWAIT(&world, links.code[COMMANDS] != 0 &&
                      strstr(links.sentence[COMMANDS], ": cannot connect: Connection refused") != NULL &&
                      strstr(links.sentence[EVENTS], "Connection refused") != NULL);
    ck_assert_int_eq(links.code[COMMANDS], NETRON_EDISCONNECTED);
    ck_assert_int_eq(links.code[EVENTS], NETRON_EDISCONNECTED);
    int told = downs[COMMANDS];
    AWAIT(&world, watched.count == 2);
    ck_assert_int_eq(latest_state(&states), NETRON_LOST);
    ck_assert_int_eq(states.code[states.count - 1], NETRON_EDISCONNECTED);
    ck_assert_int_eq(downs[COMMANDS], told); /* further attempts are no news */
    proxy_refuse(&proxy, false);
    uint64_t begun = world_clock_ms();
    AWAIT(&world, watched.count == 3);
    ck_assert_uint_le(world_clock_ms() - begun, options.reconnect_max_ms + BEAT_MS * 11 / 10 + slack(SLACK_MS));
    assert_whole();
}
END_TEST

START_TEST(a_server_that_accepts_and_never_answers_is_given_up_at_the_connect_timeout)
{
    options.connect_timeout_ms = 300;
    proxy_drop(&proxy, PROXY_GREETING, PROXY_BOTH_WAYS);
    uint64_t begun = world_clock_ms();
    discovery = world_join(&world, &options);
    states.discovery = discovery;
    begin(discovery, "node-1", &states);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &heard, NULL), 0);
    AWAIT(&world, downs[COMMANDS] == 1 && downs[EVENTS] == 1);
    for (int role = COMMANDS; role <= EVENTS; role++) {
        ck_assert_int_eq(links.code[role], NETRON_ETIMEDOUT);
        assert_says(links.sentence[role], "no connection to Redis within 300 ms");
        ck_assert_uint_ge(down[role].at - begun, 290);
        ck_assert_uint_le(down[role].at - begun, 300 + slack(SLACK_MS));
    }
    AWAIT(&world, proxy_count(&proxy, PROXY_GREETING).made >= 6); /* it goes on */
    AWAIT(&world, latest_state(&states) == NETRON_FAILED);
    ck_assert_int_eq(states.code[states.count - 1], NETRON_ETIMEDOUT);
    proxy_heal(&proxy);
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    assert_whole();
}
END_TEST

/* ---- partitions ---- */

START_TEST(after_a_partition_longer_than_the_ttl_the_node_is_back_within_one_beat_and_told_once)
{
    options.connect_timeout_ms = 300;
    join();
    watch();
    uint64_t begun = world_clock_ms();
    proxy_hold(&proxy, PROXY_ALL, PROXY_BOTH_WAYS);
    AWAIT(&world, watched.count == 2);
    ck_assert_uint_le(world_clock_ms() - begun, TTL_MS + 1000 + slack(SLACK_MS));
    ck_assert_str_eq(watched.events[1].text, "NODE_DEREGISTERED node-1 10.0.0.1:4000 users@1.2.0 mail (expired)");
    ck_assert_int_eq(latest_state(&states), NETRON_LOST);
    ck_assert_int_eq(states.code[states.count - 1], NETRON_ETIMEDOUT);
    proxy_heal(&proxy);
    AWAIT(&world, links.is_up[COMMANDS]);
    begun = world_clock_ms();
    AWAIT(&world, watched.count == 3);
    ck_assert_uint_le(world_clock_ms() - begun, BEAT_MS * 11 / 10 + slack(SLACK_MS));
    ck_assert_str_eq(watched.events[2].text, "NODE_REGISTERED node-1 10.0.0.1:4000 users@1.2.0 mail");
    assert_whole();
    ck_assert_int_eq(told_of(&watched, " node-1 "), 3);
}
END_TEST

/* Shorter than it takes to notice, and longer. */
START_TEST(a_partition_shorter_than_the_ttl_is_no_event)
{
    options.connect_timeout_ms = 300;
    join();
    watch();
    proxy_hold(&proxy, PROXY_ALL, PROXY_BOTH_WAYS);
    world_run(&world, _i == 0 ? PING_MS * 2 / 3 : 3 * PING_MS);
    if (_i == 1) /* where all is slow the shorter one may be noticed as well */
        ck_assert_int_gt(downs[COMMANDS], 0);
    proxy_heal(&proxy);
    assert_whole();
    ck_assert_int_eq(told_of(&watched, " node-1 "), 1);
    ck_assert_int_eq(told_of(&heard, " node-1 "), 1);
}
END_TEST

/* ---- what comes late ---- */

/* TCP goes on delivering for a while what was said on a connection, when whoever said it has closed it. */
START_TEST(what_was_said_on_a_connection_that_was_given_up_takes_no_id_back)
{
    struct state_recorder newer = {0};
    netron_options beside = world_options(server.url);
    watcher = world_join(&world, &beside);
    begin(watcher, "another", &newer); /* so that Redis has the script */
    AWAIT(&world, latest_state(&newer) == NETRON_REGISTERED);
    newer.count = 0;
    discovery = world_join(&world, &options);
    AWAIT(&world, links.is_up[COMMANDS]);
    struct active_recorder found = {0};
    ck_assert_int_eq(netron_is_node_active(discovery, "another", record_active, &found), 0);
    AWAIT(&world, found.calls == 1);
    proxy_hold(&proxy, PROXY_COMMANDS | PROXY_PRESENT, PROXY_TO_SERVER);
    begin(discovery, "node-1", &states);
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED); /* over another connection */
    ck_assert_int_eq(down[COMMANDS].code, NETRON_ETIMEDOUT);
    begin(watcher, "node-1", &newer);
    AWAIT(&world, latest_state(&newer) == NETRON_REGISTERED && latest_state(&states) == NETRON_REPLACED);
    proxy_heal(&proxy);
    uint64_t enough = beats(watcher) + 10;
    AWAIT(&world, beats(watcher) >= enough || latest_state(&newer) != NETRON_REGISTERED);
    ck_assert_int_eq(newer.count, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network_faults");
    TCase *tcase = suite_case(suite, "network");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_network, close_network);
    tcase_add_loop_test(tcase, a_half_open_link_is_noticed_within_two_ping_intervals, 0, 3);
    tcase_add_loop_test(tcase, a_link_that_loses_all_of_one_way_is_noticed_within_two_ping_intervals, 0, 6);
    tcase_add_loop_test(tcase, a_link_that_is_cut_is_back_before_anybody_notices, 0, 6);
    tcase_add_loop_test(tcase, a_reply_that_breaks_off_is_a_lost_connection, 0, 2);
    tcase_add_loop_test(tcase, a_slow_network_is_no_failure, 0, 2);
    tcase_add_loop_test(tcase, who_dies_is_told_over_a_slow_line_too, 0, COUNT(slow_lines));
    tcase_add_test(tcase, a_reply_that_takes_longer_than_the_command_timeout_ends_the_link);
    tcase_add_test(tcase, connections_that_are_refused_are_tried_until_they_are_not);
    tcase_add_test(tcase, a_server_that_accepts_and_never_answers_is_given_up_at_the_connect_timeout);
    tcase_add_test(tcase, after_a_partition_longer_than_the_ttl_the_node_is_back_within_one_beat_and_told_once);
    tcase_add_loop_test(tcase, a_partition_shorter_than_the_ttl_is_no_event, 0, 2);
    tcase_add_test(tcase, what_was_said_on_a_connection_that_was_given_up_takes_no_id_back);
    return suite_run(suite);
}
