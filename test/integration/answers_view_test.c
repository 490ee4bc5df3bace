/* SPDX-License-Identifier: MIT */
/* What each answer of a Redis that cannot serve leads to, for views: lib/README.md, "What Redis answers". */
#include "answers.h"

static netron_view_state view_state(void)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(discovery, &status), 0);
    return status.state;
}

/* node-1, of a process beside the proxy. */
static void settle_neighbour(void)
{
    const netron_options plain = world_options(server.url);
    watcher = world_join(&world, &plain);
    begin(watcher, "node-1", &states);
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
}

static void listen_to_events(void)
{
    discovery = world_join(&world, &options);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &heard, NULL), 0);
}

START_TEST(a_refused_subscription_is_told_by_its_name_and_made_once_redis_allows)
{
    const struct refusal *refusal = &refusals[_i];
    refuse(refusal, PROXY_EVENTS, "SUBSCRIBE");
    listen_to_events();
    AWAIT(&world, downs[EVENTS] > 0);
    ck_assert_int_eq(down[EVENTS].code, refusal->code);
    assert_says(down[EVENTS].sentence,
                words_of(refusal, refusal->ends_the_link ? "SUBSCRIBE" : "SUBSCRIBE " P ":events"));
    AWAIT(&world, proxy_count(&proxy, PROXY_EVENTS).answered > 2);
    ck_assert_int_eq(downs[EVENTS], 1);
    ck_assert_int_eq(view_state(), NETRON_VIEW_SYNCING);
    ck_assert_int_eq(downs[COMMANDS], 0);
    proxy_answer_no_more(&proxy);
    uint64_t begun = world_clock_ms();
    AWAIT(&world, view_state() == NETRON_VIEW_FRESH);
    ck_assert_uint_le(world_clock_ms() - begun, options.reconnect_max_ms + slack(1500));
    ck_assert_int_eq(heard.synced, 1);
}
END_TEST

START_TEST(a_refused_ping_makes_the_subscription_anew)
{
    const struct refusal *refusal = &refusals[_i];
    listen_to_events();
    AWAIT(&world, heard.synced == 1);
    proxy_answer(&proxy, PROXY_EVENTS, "PING", refusal->answer, 1);
    AWAIT(&world, downs[EVENTS] > 0);
    ck_assert_int_eq(down[EVENTS].code, refusal->code);
    assert_says(down[EVENTS].sentence, words_of(refusal, "") + 2);
    AWAIT(&world, ups[EVENTS] == 2 && view_state() == NETRON_VIEW_FRESH);
    ck_assert_int_eq(heard.synced, 1);
}
END_TEST

START_TEST(a_refused_sync_leaves_the_last_picture_stale_until_redis_allows)
{
    const struct refusal *refusal = &refusals[_i];
    options.anti_entropy_interval_ms = 200;
    settle_neighbour();
    listen_to_events();
    AWAIT(&world, heard.synced == 1);
    refuse(refusal, PROXY_COMMANDS, call_of(&netron_script_source_sync));
    AWAIT(&world, view_state() == NETRON_VIEW_STALE);
    AWAIT(&world, log_count(&log_lines, words_of(refusal, "sync")) > 0);
    AWAIT(&world, proxy_count(&proxy, PROXY_COMMANDS).answered >= 2);
    const netron_snapshot *snapshot = netron_view_find(discovery, NULL, NULL);
    ck_assert_uint_eq(snapshot->count, 1);
    netron_snapshot_release(snapshot);
    proxy_answer_no_more(&proxy);
    AWAIT(&world, view_state() == NETRON_VIEW_FRESH);
    ck_assert_int_eq(heard.count, 1);
    ck_assert_int_eq(heard.synced, 1);
}
END_TEST

START_TEST(a_refused_look_after_the_registry_is_logged_with_its_reason)
{
    const struct refusal *refusal = &refusals[_i];
    refuse(refusal, PROXY_COMMANDS, call_of(&netron_script_source_reconcile));
    listen_to_events();
    AWAIT(&world, log_count(&log_lines, words_of(refusal, "reconcile")) > 0);
    ck_assert_int_eq(log_count(&log_lines, "the registry could not be looked after"), 1);
    AWAIT(&world, view_state() == NETRON_VIEW_FRESH);
}
END_TEST

START_TEST(who_died_while_looks_were_refused_is_told_soon_after)
{
    settle_neighbour();
    listen_to_events();
    AWAIT(&world, heard.count == 1);
    refuse(&refusals[1], PROXY_COMMANDS, call_of(&netron_script_source_reconcile));
    netron_discovery_free(watcher);
    watcher = NULL;
    AWAIT(&world, !is_alive("node-1"));
    ck_assert_int_eq(heard.count, 1);
    proxy_answer_no_more(&proxy);
    uint64_t begun = world_clock_ms();
    AWAIT(&world, heard.count == 2);
    ck_assert_uint_le(world_clock_ms() - begun, 3000 + slack(1500));
    ck_assert_str_eq(heard.events[1].text, "NODE_DEREGISTERED node-1 10.0.0.1:4000 users@1.2.0 mail (expired)");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answers_view");
    TCase *tcase = suite_case(suite, "answers");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_answers, close_network);
    tcase_add_loop_test(tcase, a_refused_subscription_is_told_by_its_name_and_made_once_redis_allows, 0, REFUSALS);
    tcase_add_loop_test(tcase, a_refused_ping_makes_the_subscription_anew, 7, REFUSALS);
    tcase_add_loop_test(tcase, a_refused_sync_leaves_the_last_picture_stale_until_redis_allows, 0, REFUSALS);
    tcase_add_loop_test(tcase, a_refused_look_after_the_registry_is_logged_with_its_reason, 0, REFUSALS);
    tcase_add_test(tcase, who_died_while_looks_were_refused_is_told_soon_after);
    return suite_run(suite);
}
