/* SPDX-License-Identifier: MIT */
/* What the view makes of losses: links that break, registries that were flushed, nodes that seem dead. */
#include "registry.h"
#include <stdio.h>
#include <string.h>

#define TTL 15000u /* the largest that anybody has, unless a test says more */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void open_with_nodes(int count)
{
    registry_put_many(count);
    registry_subscribe();
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    registry_heard = (struct event_recorder){0};
}

/* How often an event of that beginning was told. */
static int heard(const char *beginning)
{
    int count = 0;
    for (int i = 0; i < registry_heard.count; i++)
        count += strncmp(registry_heard.events[i].text, beginning, strlen(beginning)) == 0;
    return count;
}

static void await_another_sync(void)
{
    sim_advance(33001); /* the anti-entropy period, varied */
}

/* ---- another registry ---- */

/* How the view gets to know of the new one: an event of it, the next look, or a subscription that was lost. */
static void notice(int how, const char *id)
{
    if (how == 0)
        registry_publish(id);
    else if (how == 1)
        peer_hang_up(&sim.peer, registry_events_conn());
    else
        peer_hang_up_all(&sim.peer);
    sim_advance(100); /* a reconnect */
    sim_settle();
}

START_TEST(nodes_that_are_missing_in_another_registry_are_kept_for_the_largest_ttl_and_told_once)
{
    open_with_nodes(4);
    registry_flush("e2");
    registry_put("n01", 10); /* came back as it was */
    registry_put("n02", 99); /* and changed */
    registry_put("new", 1);
    uint64_t noticed_at = sim.loop.now;
    notice(_i, "new");
    ck_assert_int_eq(registry_heard.count, 2);
    ck_assert_int_eq(heard("NODE_UPDATED n02 10.0.0.1:99"), 1);
    ck_assert_int_eq(heard("NODE_REGISTERED new"), 1);
    ck_assert_str_eq(registry_view(), "n00:10 n01:10 n02:99 n03:10 new:1");
    netron_view_status status = registry_status();
    ck_assert_int_eq(status.state, NETRON_VIEW_PROTECTED);
    ck_assert_uint_eq(status.kept_count, 2);
    ck_assert_uint_eq(status.node_count, 5);
    ck_assert_uint_eq(status.revision, 3);
    sim_advance(TTL - (sim.loop.now - noticed_at) - 1);
    ck_assert_int_eq(registry_heard.count, 2);
    registry_put("n03", 10); /* just in time, and silent, for it is what it was */
    registry_publish("n03");
    ck_assert_int_eq(registry_heard.count, 2);
    sim_advance(1 + 100);
    ck_assert_int_eq(registry_heard.count, 3);
    ck_assert_str_eq(registry_heard.events[2].text, "NODE_DEREGISTERED n00 10.0.0.1:10 web (expired)");
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    ck_assert_uint_eq(registry_status().kept_count, 0);
    ck_assert_str_eq(registry_view(), registry_picture());
    sim_advance(100000);
    ck_assert_int_eq(registry_heard.count, 3);
    ck_assert_int_eq(registry_heard.synced, 0);
}
END_TEST

START_TEST(a_larger_ttl_of_any_node_is_waited_for)
{
    const uint32_t longest = 40000;
    registry_put_many(2);
    registry_put_with_ttl("slow", 1, longest);
    registry_subscribe();
    registry_heard = (struct event_recorder){0};
    registry_flush("e2");
    registry_put("n00", 10);
    registry_publish("n00");
    sim_advance(longest - 1);
    ck_assert_int_eq(registry_heard.count, 0);
    ck_assert_uint_eq(registry_status().kept_count, 2);
    sim_advance(1);
    ck_assert_int_eq(registry_heard.count, 2);
    ck_assert_str_eq(registry_view(), "n00:10");
}
END_TEST

START_TEST(a_registry_that_is_gone_keeps_all_nodes_for_the_largest_ttl)
{
    open_with_nodes(3);
    registry_flush("");
    peer_hang_up(&sim.peer, registry_events_conn());
    sim_advance(100);
    sim_settle();
    ck_assert_uint_eq(registry_status().kept_count, 3);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_PROTECTED);
    ck_assert_uint_eq(registry_status().revision, 0);
    registry_flush("e9"); /* born again, and its nodes come back */
    registry_put("n01", 10);
    registry_publish("n01");
    ck_assert_uint_eq(registry_status().kept_count, 2);
    sim_advance(TTL - 101);
    ck_assert_int_eq(registry_heard.count, 0);
    sim_advance(101);
    ck_assert_int_eq(registry_heard.count, 2);
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}
END_TEST

START_TEST(a_late_message_of_a_registry_that_is_gone_tells_nothing)
{
    char first[1024];
    registry_put("a", 1);
    strcpy(first, registry_event("a"));
    registry_put("a", 2);
    registry_subscribe();
    int told = registry_heard.count;
    registry_flush("");
    await_another_sync();
    ck_assert_uint_eq(registry_status().kept_count, 1);
    registry_send(first);
    sim_settle();
    ck_assert_int_eq(registry_heard.count, told);
    ck_assert_str_eq(registry_view(), "a:2");
}
END_TEST

START_TEST(a_view_that_is_shut_down_keeps_nobody)
{
    struct done_recorder done = {0};
    open_with_nodes(4);
    registry_flush("e2");
    registry_put("new", 1);
    notice(0, "new");
    ck_assert_uint_gt(registry_status().kept_count, 0);
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    sim_settle();
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_CLOSED);
    ck_assert_uint_eq(registry_status().kept_count, 0);
    ck_assert_uint_eq(registry_status().node_count, 0);
}
END_TEST

/* Not everybody publishes: who came back unheard, even at the last moment, is found by asking. */
START_TEST(the_registry_is_asked_once_more_before_anybody_who_is_kept_is_told_as_gone)
{
    open_with_nodes(3);
    registry_flush("e2");
    registry_put("n00", 10);
    registry_publish("n00");
    ck_assert_uint_eq(registry_status().kept_count, 2);
    sim_advance(TTL - 1);
    size_t syncs = registry.asked[ASKED_SYNC];
    registry_put("n01", 10);
    sim_advance(1);
    sim_settle();
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], syncs + 1);
    ck_assert_int_eq(registry_heard.count, 1);
    ck_assert_str_eq(registry_heard.events[0].text, "NODE_DEREGISTERED n02 10.0.0.1:10 web (expired)");
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}
END_TEST

/* Whose heartbeats are there whatever else is lost. */
static bool beats;
static unsigned asked_for_beats;

static const char *answer_beats(struct peer *peer, const struct peer_command *command)
{
    static const char *const nobody[] = {"*1\r\n$-1\r\n", "*2\r\n$-1\r\n$1\r\ni\r\n"};
    static const char *const all[] = {"*1\r\n$1\r\ni\r\n", "*2\r\n$1\r\ni\r\n$1\r\ni\r\n"};
    if (!peer_is(command, "MGET netron:discovery:heartbeat:n"))
        return registry_answer(peer, command);
    asked_for_beats++;
    size_t second = strstr(command->text, ":n01") != NULL && strstr(command->text, ":n00") != NULL;
    return beats ? all[second] : nobody[second];
}

/* By the heartbeat alone: everything else of them is lost. */
START_TEST(who_still_beats_is_not_told_as_gone_when_the_grace_is_over)
{
    beats = true;
    asked_for_beats = 0;
    open_with_nodes(2);
    sim.peer.answer = answer_beats;
    registry_flush("");
    peer_hang_up(&sim.peer, registry_events_conn());
    sim_advance(3 * TTL + 1000);
    ck_assert_uint_eq(asked_for_beats, 3); /* once a grace */
    ck_assert_int_eq(registry_heard.count, 0);
    ck_assert_uint_eq(registry_status().kept_count, 2);
    beats = false; /* the first of them */
    sim_advance(TTL);
    ck_assert_int_eq(registry_heard.count, 1);
    ck_assert_str_eq(registry_heard.events[0].text, "NODE_DEREGISTERED n00 10.0.0.1:10 web (expired)");
    sim_advance(TTL);
    ck_assert_int_eq(registry_heard.count, 2);
    ck_assert_str_eq(registry_view(), "");
    ck_assert_uint_eq(asked_for_beats, 5);
    sim_advance(3 * TTL);
    ck_assert_uint_eq(asked_for_beats, 5);
}
END_TEST

static const char *refuse_beats(struct peer *peer, const struct peer_command *command)
{
    static const char *const answers[] = {"-BUSY script\r\n", "*1\r\n$-1\r\n", "+OK\r\n", "*-1\r\n"};
    if (!peer_is(command, "MGET netron:discovery:heartbeat:n"))
        return registry_answer(peer, command);
    return answers[asked_for_beats++ % COUNT(answers)];
}

START_TEST(while_nobody_says_who_beats_nobody_is_told_as_gone)
{
    asked_for_beats = 0;
    open_with_nodes(2);
    sim.peer.answer = refuse_beats;
    registry_flush("e2");
    peer_hang_up(&sim.peer, registry_events_conn());
    sim_advance(4 * TTL + 1000);
    ck_assert_uint_ge(asked_for_beats, 4);
    ck_assert_int_eq(registry_heard.count, 0);
    ck_assert_uint_eq(registry_status().kept_count, 2);
    sim.peer.answer = registry_answer;
    sim_advance(TTL + 1000);
    ck_assert_int_eq(registry_heard.count, 2);
}
END_TEST

static const char *no_answer_about_beats(struct peer *peer, const struct peer_command *command)
{
    if (!peer_is(command, "MGET netron:discovery:heartbeat:n"))
        return registry_answer(peer, command);
    asked_for_beats++;
    return "";
}

START_TEST(a_link_that_is_lost_while_it_is_asked_who_beats_tells_nobody_as_gone)
{
    asked_for_beats = 0;
    open_with_nodes(2);
    sim.peer.answer = no_answer_about_beats;
    registry_flush("e2");
    peer_hang_up(&sim.peer, registry_events_conn());
    sim_advance(TTL + 1000);
    ck_assert_uint_eq(asked_for_beats, 1);
    sim.peer.answer = registry_answer;
    peer_hang_up(&sim.peer, registry_commands_conn());
    sim_advance(1000);
    ck_assert_int_eq(registry_heard.count, 0);
    ck_assert_uint_eq(registry_status().kept_count, 2);
    sim_advance(TTL + 1000);
    ck_assert_int_eq(registry_heard.count, 2);
}
END_TEST

START_TEST(a_second_loss_begins_the_grace_anew_for_what_it_lost)
{
    open_with_nodes(2);
    registry_flush("e2");
    registry_put_many(1);
    registry_publish("n00"); /* n01 is kept */
    sim_advance(TTL - 1000);
    registry_flush("e3");
    registry_put("x", 1);
    registry_publish("x"); /* n00 is kept as well, from now on */
    ck_assert_uint_eq(registry_status().kept_count, 2);
    sim_advance(TTL - 1);
    ck_assert_int_eq(heard("NODE_DEREGISTERED n00"), 0);
    sim_advance(1);
    ck_assert_int_eq(heard("NODE_DEREGISTERED n00"), 1);
    ck_assert_int_eq(heard("NODE_DEREGISTERED n01"), 1);
    ck_assert_int_eq(registry_heard.count, 3);
}
END_TEST

START_TEST(while_redis_is_out_of_reach_nobody_who_is_kept_is_told_as_gone)
{
    open_with_nodes(2);
    registry_flush("e2"); /* Redis crashed, came back empty, ... */
    registry_put("x", 1);
    registry_publish("x");
    ck_assert_uint_eq(registry_status().kept_count, 2);
    sim_advance(1000);
    peer_stop_listening(&sim.peer); /* ... and crashed again */
    peer_hang_up_all(&sim.peer);
    sim_advance(60000);
    ck_assert_int_eq(registry_heard.count, 1);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_STALE);
    peer_listen(&sim.peer);
    registry_flush("e3");
    sim_advance(10001);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_PROTECTED);
    registry_put_many(2); /* their owners are back, too */
    registry_put("x", 1);
    registry_publish("x");
    await_another_sync();
    ck_assert_int_eq(registry_heard.count, 1);
    ck_assert_str_eq(registry_view(), registry_picture());
}
END_TEST

START_TEST(an_outage_within_the_grace_begins_it_anew_when_redis_is_back)
{
    open_with_nodes(2);
    registry_flush("e2");
    registry_put("x", 1);
    registry_publish("x");
    sim_advance(TTL - 1000);
    peer_hang_up_all(&sim.peer);
    sim_settle();
    while (registry_status().state == NETRON_VIEW_STALE)
        sim_advance(1);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_PROTECTED);
    sim_advance(TTL - 2); /* what it came back in may have been the last of the milliseconds */
    ck_assert_int_eq(registry_heard.count, 1);
    sim_advance(2);
    ck_assert_int_eq(registry_heard.count, 3);
    ck_assert_str_eq(registry_view(), "x:1");
}
END_TEST

/* ---- readings that are cut off ---- */

static int cut_at;
static bool cuts_events;
static int questions;

static const char *cut_off(enum registry_question question, size_t number)
{
    (void)number;
    if (question == ASKED_RECONCILE || ++questions != cut_at)
        return NULL;
    peer_hang_up(&sim.peer, cuts_events ? registry_events_conn() : registry_commands_conn());
    return cuts_events ? NULL : "";
}

/* Delta of another history, numbers, pages, delta: the link breaks before each of them. */
START_TEST(a_reading_that_is_cut_off_is_begun_again_and_sweeps_nothing_wrongly)
{
    open_with_nodes(10);
    registry.page = 3;
    cut_at = _i / 4 + 1;
    cuts_events = _i % 2 == 1;
    questions = 0;
    registry_remove("n09");
    registry_put("n00", 11);
    registry.floor = registry.revision;
    registry.interrupt = cut_off;
    registry_publish("n00");
    if (cut_at < 7) /* the answer to the last question may be read before the end of the other link */
        ck_assert_int_eq(heard("NODE_DEREGISTERED"), 0);
    registry_put("n05", 12); /* while nobody listens */
    registry_put("n06", 13);
    registry_remove("n06");
    if (_i / 2 % 2 == 1) /* else the changes since the numbers could still be had */
        registry.floor = registry.revision;
    sim_advance(1000);
    ck_assert_int_ge(questions, cut_at);
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    ck_assert_int_eq(registry_heard.count, 4);
    ck_assert_int_eq(heard("NODE_UPDATED n00 10.0.0.1:11"), 1);
    ck_assert_int_eq(heard("NODE_UPDATED n05 10.0.0.1:12"), 1);
    ck_assert_int_eq(heard("NODE_DEREGISTERED n06 10.0.0.1:10"), 1);
    ck_assert_int_eq(heard("NODE_DEREGISTERED n09 10.0.0.1:10"), 1);
    ck_assert_uint_eq(registry_status().faults, 0);
}
END_TEST

START_TEST(a_reading_of_another_registry_that_is_cut_off_still_keeps_what_is_missing)
{
    open_with_nodes(8);
    registry.page = 2;
    registry_flush("e2");
    registry_put_many(5);
    cut_at = _i / 2 + 1;
    cuts_events = _i % 2 == 1;
    questions = 0;
    registry.interrupt = cut_off;
    registry_publish("n04");
    sim_advance(1000);
    ck_assert_int_ge(questions, cut_at);
    ck_assert_int_eq(registry_heard.count, 0);
    ck_assert_uint_eq(registry_status().kept_count, 3);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_PROTECTED);
    sim_advance(TTL);
    ck_assert_int_eq(registry_heard.count, 3);
    ck_assert_int_eq(heard("NODE_DEREGISTERED n0"), 3);
    ck_assert_str_eq(registry_view(), registry_picture());
}
END_TEST

START_TEST(the_first_reading_may_be_cut_off_as_well_and_tells_each_node_once)
{
    registry_put_many(10);
    registry.page = 3;
    cut_at = _i / 2 + 1;
    cuts_events = _i % 2 == 1;
    questions = 0;
    registry.interrupt = cut_off;
    registry_subscribe();
    if (cut_at < 6)
        ck_assert_int_eq(registry_status().state, NETRON_VIEW_SYNCING);
    sim_advance(1000);
    ck_assert_int_eq(registry_heard.count, 10);
    ck_assert_int_eq(registry_heard.synced, 1);
    ck_assert_str_eq(registry_view(), registry_picture());
}
END_TEST

/* ---- links that were away ---- */

/* Whichever link was lost: what happened meanwhile is fetched the moment it is back, and not when a look shows it. */
START_TEST(what_was_missed_is_fetched_as_soon_as_a_link_is_back)
{
    open_with_nodes(3);
    size_t syncs = registry.asked[ASKED_SYNC];
    peer_hang_up(&sim.peer, _i == 0 ? registry_events_conn() : registry_commands_conn());
    sim_settle();
    registry_put("n01", 99);
    registry_remove("n02");
    registry_put("unheard", 1);
    ck_assert_int_eq(registry_heard.count, 0);
    sim_advance(100); /* the first reconnect comes by then */
    sim_settle();
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], syncs + 1);
    ck_assert_uint_eq(registry.asked[ASKED_PAGE], 1); /* of the beginning: this was a delta */
    ck_assert_int_eq(registry_heard.count, 3);
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}
END_TEST

/* ---- stale ---- */

START_TEST(without_the_events_link_the_view_is_stale_and_says_for_how_long)
{
    open_with_nodes(3);
    peer_stop_listening(&sim.peer);
    peer_hang_up(&sim.peer, registry_events_conn());
    sim_settle();
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_STALE);
    ck_assert_uint_eq(registry_status().stale_ms, 0);
    sim_advance(7654);
    ck_assert_uint_eq(registry_status().stale_ms, 7654);
    ck_assert_str_eq(registry_view(), registry_picture());
    registry_remove("n00");
    peer_listen(&sim.peer);
    sim_advance(10001);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    ck_assert_uint_eq(registry_status().stale_ms, 0);
    ck_assert_int_eq(registry_heard.count, 1);
    ck_assert_str_eq(registry_view(), registry_picture());
}
END_TEST

START_TEST(a_gap_that_cannot_be_filled_makes_the_view_stale_until_the_commands_link_is_back)
{
    open_with_nodes(3);
    peer_stop_listening(&sim.peer);
    peer_hang_up(&sim.peer, registry_commands_conn());
    sim_settle();
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_STALE); /* events still come, but nothing could be fetched */
    registry_put("a", 1);
    registry_publish("a");
    ck_assert_int_eq(registry_heard.count, 1);
    registry_put("lost", 1);
    registry_put("b", 1);
    registry_publish("b");
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_STALE);
    sim_advance(2345);
    ck_assert_uint_eq(registry_status().stale_ms, 2345);
    ck_assert_int_eq(registry_heard.count, 1);
    size_t syncs = registry.asked[ASKED_SYNC];
    peer_listen(&sim.peer);
    sim_advance(10001);
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], syncs + 1);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    ck_assert_str_eq(registry_view(), registry_picture());
}
END_TEST

START_TEST(the_view_looks_for_what_it_missed_only_when_it_can)
{
    open_with_nodes(3);
    size_t syncs = registry.asked[ASKED_SYNC];
    registry_put("silent", 1); /* never published */
    await_another_sync();
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], syncs + 1);
    ck_assert_int_eq(registry_heard.count, 1);
    peer_stop_listening(&sim.peer);
    peer_hang_up(&sim.peer, registry_commands_conn());
    sim_advance(100000); /* the time for a look comes, and passes */
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], syncs + 1);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_STALE);
    registry_put("silent", 2);
    peer_listen(&sim.peer);
    sim_advance(10001 + 30000);
    ck_assert_uint_ge(registry.asked[ASKED_SYNC], syncs + 2);
    ck_assert_int_eq(registry_heard.count, 2);
}
END_TEST

START_TEST(a_view_that_never_was_complete_is_no_stale_one)
{
    peer_stop_listening(&sim.peer);
    registry_subscribe();
    sim_advance(5000);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_SYNCING);
    ck_assert_uint_eq(registry_status().stale_ms, 0);
    peer_listen(&sim.peer);
    sim_advance(20001);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}
END_TEST

START_TEST(expiries_that_are_held_back_make_the_view_protected)
{
    registry.reconciled = "*9\r\n:100\r\n:5\r\n:0\r\n:7\r\n:20\r\n:0\r\n$1\r\n0\r\n:0\r\n:0\r\n";
    open_with_nodes(3);
    sim_advance(1000);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_PROTECTED);
    ck_assert_uint_eq(registry_status().kept_count, 0);
    ck_assert_int_eq(log_count(&sim.log, "their expiry is held back"), 1);
    peer_hang_up(&sim.peer, registry_events_conn());
    sim_settle();
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_STALE); /* the greater evil */
    sim_advance(1000);
    registry.reconciled = NULL;
    sim_advance(1000);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}
END_TEST

/* ---- callbacks ---- */

static int frees_at;

static void free_discovery(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    (void)arg;
    if (--frees_at != 0)
        return;
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
    ck_assert_ptr_nonnull(event->node->id); /* lasts until the callback returns */
}

/* Picture, SYNCED, changes by a delta, a sweep, an event, the end of a grace: the callback that is numbered frees. */
START_TEST(the_discovery_may_be_freed_at_each_event)
{
    registry_put_many(4);
    sim.options.pubsub_enabled = 1;
    sim_join();
    frees_at = _i + 1;
    ck_assert_int_eq(netron_subscribe_to_events(sim.discovery, free_discovery, NULL, NULL), 0);
    for (int step = 0; step < 5 && sim.discovery != NULL; step++) {
        if (step == 1) {
            registry_put("n00", 2);
            registry_remove("n01");
            registry_put("n04", 3);
            registry_publish("n04");
        } else if (step == 2) {
            registry_remove("n02");
            registry_put("n05", 1);
            registry.floor = registry.revision;
            registry_publish("n05");
        } else if (step == 3) {
            registry_put("n06", 1);
            registry_publish("n06");
        } else if (step == 4) {
            registry_flush("e2");
            registry_put("n07", 1);
            registry_publish("n07");
            sim_advance(TTL);
        }
        sim_settle();
    }
    ck_assert_ptr_null(sim.discovery);
    ck_assert_int_eq(frees_at, 0);
    sim_advance(1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sync_loss");
    TCase *epochs = sim_case(suite, "epochs");
    tcase_add_checked_fixture(epochs, registry_open, NULL);
    tcase_add_loop_test(epochs, nodes_that_are_missing_in_another_registry_are_kept_for_the_largest_ttl_and_told_once,
                        0, 3);
    tcase_add_test(epochs, a_larger_ttl_of_any_node_is_waited_for);
    tcase_add_test(epochs, a_registry_that_is_gone_keeps_all_nodes_for_the_largest_ttl);
    tcase_add_test(epochs, a_late_message_of_a_registry_that_is_gone_tells_nothing);
    tcase_add_test(epochs, a_view_that_is_shut_down_keeps_nobody);
    tcase_add_test(epochs, the_registry_is_asked_once_more_before_anybody_who_is_kept_is_told_as_gone);
    tcase_add_test(epochs, who_still_beats_is_not_told_as_gone_when_the_grace_is_over);
    tcase_add_test(epochs, while_nobody_says_who_beats_nobody_is_told_as_gone);
    tcase_add_test(epochs, a_link_that_is_lost_while_it_is_asked_who_beats_tells_nobody_as_gone);
    tcase_add_test(epochs, a_second_loss_begins_the_grace_anew_for_what_it_lost);
    tcase_add_test(epochs, while_redis_is_out_of_reach_nobody_who_is_kept_is_told_as_gone);
    tcase_add_test(epochs, an_outage_within_the_grace_begins_it_anew_when_redis_is_back);
    TCase *cuts = sim_case(suite, "cuts");
    tcase_add_checked_fixture(cuts, registry_open, NULL);
    tcase_add_loop_test(cuts, a_reading_that_is_cut_off_is_begun_again_and_sweeps_nothing_wrongly, 0, 28);
    tcase_add_loop_test(cuts, a_reading_of_another_registry_that_is_cut_off_still_keeps_what_is_missing, 0, 12);
    tcase_add_loop_test(cuts, the_first_reading_may_be_cut_off_as_well_and_tells_each_node_once, 0, 14);
    TCase *states = sim_case(suite, "states");
    tcase_add_checked_fixture(states, registry_open, NULL);
    tcase_add_loop_test(states, what_was_missed_is_fetched_as_soon_as_a_link_is_back, 0, 2);
    tcase_add_test(states, without_the_events_link_the_view_is_stale_and_says_for_how_long);
    tcase_add_test(states, a_gap_that_cannot_be_filled_makes_the_view_stale_until_the_commands_link_is_back);
    tcase_add_test(states, the_view_looks_for_what_it_missed_only_when_it_can);
    tcase_add_test(states, a_view_that_never_was_complete_is_no_stale_one);
    tcase_add_test(states, expiries_that_are_held_back_make_the_view_protected);
    tcase_add_loop_test(states, the_discovery_may_be_freed_at_each_event, 0, 14);
    return suite_run(suite);
}
