/* SPDX-License-Identifier: MIT */
/* How the view gets its picture and keeps it: deltas, readings in pages, and what the digest decides. */
#include "registry.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void open_with_nodes(int count)
{
    registry_put_many(count);
    registry_subscribe();
    ck_assert_int_eq(registry_heard.count, count);
    ck_assert_int_eq(registry_heard.synced, 1);
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}

static void forget_what_was_heard(void)
{
    registry_heard = (struct event_recorder){0};
    memset(registry.asked, 0, sizeof(registry.asked));
}

static void expect_asked(size_t syncs, size_t readings, size_t pages)
{
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], syncs);
    ck_assert_uint_eq(registry.asked[ASKED_NUMBERS], readings);
    ck_assert_uint_eq(registry.asked[ASKED_PAGE], pages);
}

/* How often an event of that beginning was told. */
static int heard(const char *beginning)
{
    int count = 0;
    for (int i = 0; i < registry_heard.count; i++)
        count += strncmp(registry_heard.events[i].text, beginning, strlen(beginning)) == 0;
    return count;
}

/* ---- reading everything ---- */

START_TEST(the_first_picture_is_read_in_pages_and_proved)
{
    registry.page = 3;
    open_with_nodes(10);
    expect_asked(2, 1, 4); /* are we known? no; numbers, pages; and what changed meanwhile */
    ck_assert_str_eq(peer_find(&sim.peer, "HMGET", 0)->text, "HMGET netron:discovery:registry epoch revision");
    ck_assert(peer_find(&sim.peer, "HMGET", 0) < peer_find(&sim.peer, "HSCAN", 0));
    static const char *const pages[] = {"0", "1003", "1006", "1009"};
    for (int i = 0; i < 4; i++) {
        char text[64];
        snprintf(text, sizeof(text), "HSCAN netron:discovery:records %s COUNT 512", pages[i]);
        ck_assert_str_eq(peer_find(&sim.peer, "HSCAN", i)->text, text);
    }
    netron_view_status status = registry_status();
    ck_assert_uint_eq(status.revision, 10);
    ck_assert_uint_eq(status.node_count, 10);
    ck_assert_uint_eq(status.kept_count, 0);
    ck_assert_uint_eq(status.syncs, 1);
    ck_assert_uint_eq(status.full_syncs, 1);
    ck_assert_uint_eq(status.faults, 0);
    ck_assert_uint_eq(status.stale_ms, 0);
}
END_TEST

START_TEST(an_empty_registry_and_none_at_all_are_pictures_as_well)
{
    if (_i == 1)
        registry_flush("");
    registry_subscribe();
    ck_assert_int_eq(registry_heard.synced, 1);
    ck_assert_int_eq(registry_heard.count, 0);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    registry_flush("e1");
    registry_put("a", 1);
    registry_publish("a");
    ck_assert_str_eq(registry_view(), "a:1");
    ck_assert_int_eq(registry_heard.count, 1);
}
END_TEST

static int change_at; /* the question that changes come before */

static const char *change_in_the_middle(enum registry_question question, size_t number)
{
    static int asked;
    asked = question == ASKED_SYNC && number == 0 ? 0 : asked + 1;
    if (asked == change_at) {
        registry_put("n00", 11);
        registry_put("n08", 11);
        registry_remove("n01");
        registry_remove("n07");
        registry_put("late", 12);
        registry_put("short", 12);
        registry_remove("short");
    }
    return NULL;
}

START_TEST(changes_in_the_middle_of_a_reading_are_in_the_picture)
{
    registry.page = 3;
    registry_put_many(10);
    change_at = _i;
    registry.interrupt = change_in_the_middle;
    registry_subscribe();
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_ptr_nonnull(strstr(registry_view(), "late:12"));
    ck_assert_int_eq(registry_heard.synced, 1);
    ck_assert_uint_eq(registry_status().full_syncs, 1);
    ck_assert_uint_eq(registry_status().revision, registry.revision);
    ck_assert_int_le(heard("NODE_REGISTERED n00"), 1);
    ck_assert_int_eq(heard("NODE_DEREGISTERED n01"), heard("NODE_REGISTERED n01"));
}
END_TEST

static struct netron_random chance;

static const char *change_at_random(enum registry_question question, size_t number)
{
    (void)number;
    uint64_t times = question != ASKED_RECONCILE ? netron_random_next(&chance) % 2 : 0;
    for (; times > 0; times--) {
        char id[16];
        snprintf(id, sizeof(id), "n%02u", (unsigned)(netron_random_next(&chance) % 20));
        if (netron_random_next(&chance) % 3 == 0)
            registry_remove(id);
        else
            registry_put(id, (unsigned)(netron_random_next(&chance) % 4) + 1);
        if (netron_random_next(&chance) % 8 == 0) /* what is older is no longer known */
            registry.floor = registry.revision - netron_random_next(&chance) % 3;
    }
    return NULL;
}

START_TEST(random_changes_at_every_question_end_in_the_same_picture)
{
    chance.state = (uint64_t)_i + 1;
    registry_put_many(20);
    registry.page = (size_t)_i % 7 + 1;
    registry.delta_page = (size_t)_i % 5 + 3;
    registry.interrupt = change_at_random;
    registry_subscribe();
    sim_advance(40000);
    registry.interrupt = NULL;
    sim_advance(40000);
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_uint_eq(registry_status().revision, registry.revision);
    ck_assert_uint_eq(registry_status().faults, 0);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}
END_TEST

static bool is_restless;

static const char *change_the_epoch(enum registry_question question, size_t number)
{
    char epoch[8];
    snprintf(epoch, sizeof(epoch), "f%zu", number % 1000);
    if (is_restless && question == ASKED_PAGE)
        strcpy(registry.epoch, epoch);
    return NULL;
}

START_TEST(a_registry_that_has_another_epoch_after_each_reading_is_given_up_and_tried_again)
{
    registry_put_many(3);
    registry.interrupt = change_the_epoch;
    is_restless = true;
    registry_subscribe();
    ck_assert_uint_eq(registry.asked[ASKED_PAGE], 3);
    ck_assert_int_eq(registry_heard.synced, 0);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_SYNCING);
    ck_assert_int_eq(log_count(&sim.log, "the registry changed all the time while it was read"), 1);
    sim_advance(399);
    ck_assert_uint_le(registry.asked[ASKED_PAGE], 6);
    sim_advance(1);
    ck_assert_uint_ge(registry.asked[ASKED_PAGE], 6);
    is_restless = false;
    sim_advance(1000);
    ck_assert_int_eq(registry_heard.synced, 1);
    ck_assert_int_eq(registry_heard.count, 3);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}
END_TEST

/* ---- deltas ---- */

START_TEST(a_gap_leads_to_one_delta)
{
    open_with_nodes(3);
    forget_what_was_heard();
    registry_put("a", 1);
    registry_remove("n00");
    registry_put("n01", 2);
    registry_publish("n01"); /* the two others were lost */
    expect_asked(1, 0, 0);
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_heard.count, 3);
    ck_assert_str_eq(registry_heard.events[0].text, "NODE_REGISTERED a 10.0.0.1:1 web");
    ck_assert_str_eq(registry_heard.events[1].text, "NODE_DEREGISTERED n00 10.0.0.1:10 web");
    ck_assert_str_eq(registry_heard.events[2].text, "NODE_UPDATED n01 10.0.0.1:2 web");
    ck_assert_uint_eq(registry_heard.events[1].revision, 5);
    registry_publish("a"); /* late, and known */
    registry_publish("n00");
    registry_publish("n01");
    expect_asked(1, 0, 0);
    ck_assert_int_eq(registry_heard.count, 3);
    ck_assert_int_eq(registry_heard.synced, 0);
    ck_assert_uint_eq(registry_status().full_syncs, 1);
}
END_TEST

START_TEST(a_long_delta_comes_in_pages)
{
    open_with_nodes(30);
    forget_what_was_heard();
    registry.delta_page = 4;
    for (int i = 0; i < 10; i++) {
        char id[16];
        snprintf(id, sizeof(id), "n%02d", i);
        registry_remove(id);
    }
    registry_publish("n09");
    expect_asked(3, 0, 0);
    ck_assert_int_eq(registry_heard.count, 10);
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_uint_eq(registry_status().syncs, 2);
}
END_TEST

START_TEST(a_delta_from_below_the_floor_is_a_reading_that_tells_differences_only)
{
    open_with_nodes(6);
    forget_what_was_heard();
    registry.page = 2;
    registry_remove("n00");
    registry_put("n01", 11);
    registry_put("new", 1);
    registry.floor = registry.revision;
    registry_publish("new");
    expect_asked(2, 1, 4);
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_heard.count, 3);
    ck_assert_int_eq(heard("NODE_UPDATED n01 10.0.0.1:11"), 1);
    ck_assert_int_eq(heard("NODE_REGISTERED new"), 1);
    ck_assert_int_eq(heard("NODE_DEREGISTERED n00"), 1); /* by the sweep */
}
END_TEST

START_TEST(an_unreadable_record_is_skipped_and_counts_in_the_digest)
{
    registry_put_many(3);
    registry_garble("n01");
    registry_garble("bad");
    registry_subscribe();
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    ck_assert_uint_eq(registry_status().faults, 0);
    ck_assert_str_eq(registry_view(), "n00:10 n02:10");
    ck_assert_int_eq(log_count(&sim.log, "skipping the record of node bad"), 1);
    registry_put("bad", 4);
    registry_garble("n00");
    registry_put("n02", 5);
    registry_publish("n02");
    ck_assert_str_eq(registry_view(), "bad:4 n02:5");
    ck_assert_int_eq(heard("NODE_DEREGISTERED n00 10.0.0.1:10 web (unreadable)"), 1);
    ck_assert_uint_eq(registry_status().full_syncs, 1);
}
END_TEST

/* ---- digests ---- */

START_TEST(a_digest_that_differs_leads_to_one_reading)
{
    open_with_nodes(4);
    forget_what_was_heard();
    registry.lies = 1;
    registry_put("lost", 1);
    registry_put("a", 1);
    registry_publish("a");
    expect_asked(2, 1, 1);
    ck_assert_int_eq(registry_heard.count, 2);
    ck_assert_uint_eq(registry_status().full_syncs, 2);
    ck_assert_uint_eq(registry_status().faults, 0);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}
END_TEST

START_TEST(an_event_whose_digest_differs_leads_to_a_sync)
{
    char event[1024];
    open_with_nodes(4);
    forget_what_was_heard();
    registry_put("a", 1);
    strcpy(event, registry_event("a"));
    memcpy(strstr(event, "\"digest\":\"") + 10, "ffff", 4);
    registry_send(event);
    sim_settle();
    expect_asked(1, 0, 0); /* the registry says what we have: that event lied */
    ck_assert_int_eq(registry_heard.count, 1);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}
END_TEST

START_TEST(a_reading_that_does_not_add_up_is_a_fault_that_is_tried_again_after_growing_pauses)
{
    uint64_t longest = 0;
    open_with_nodes(4);
    forget_what_was_heard();
    registry.lies = -1;
    registry_put("lost", 1);
    registry_put("a", 1);
    registry_publish("a");
    expect_asked(2, 1, 1);
    ck_assert_uint_eq(registry_status().faults, 1);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_STALE);
    uint64_t since = sim.loop.now;
    for (unsigned attempt = 0; attempt < 12; attempt++) {
        uint64_t failed_at = sim.loop.now;
        uint64_t faults = registry_status().faults;
        uint64_t limit = UINT64_C(200) << attempt;
        while (registry_status().faults == faults)
            sim_advance(1);
        uint64_t pause = sim.loop.now - failed_at;
        ck_assert_uint_ge(pause, 200);
        ck_assert_uint_le(pause, 200 + (limit < 10000 ? limit : 10000));
        longest = pause > longest ? pause : longest;
        ck_assert_uint_eq(registry_status().stale_ms, sim.loop.now - since);
    }
    ck_assert_uint_gt(longest, 3000);
    expect_asked(26, 13, 13);
    ck_assert_int_eq(registry_heard.count, 2); /* nothing twice, and nothing gone */
    ck_assert_int_eq(log_count(&sim.log, "the registry's digest does not match its records"), 13);
    registry.lies = 0;
    sim_advance(10200);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    ck_assert_uint_eq(registry_status().stale_ms, 0);
    ck_assert_uint_eq(registry_status().faults, 13);
    ck_assert_int_eq(registry_heard.count, 2);
}
END_TEST

static const char *refuse_pages(enum registry_question question, size_t number)
{
    (void)number;
    return question == ASKED_PAGE ? "-LOADING Redis is loading the dataset in memory\r\n" : NULL;
}

/* How many looks say that the registry of this epoch does not add up. */
static size_t doubts_of(const char *epoch)
{
    size_t count = 0;
    char word[24];
    snprintf(word, sizeof(word), " %s", epoch);
    for (size_t i = 0; i < sim.peer.command_count; i++) {
        const char *text = sim.peer.commands[i].text;
        count += peer_is_reconcile(&sim.peer.commands[i]) && strcmp(text + strlen(text) - strlen(word), word) == 0;
    }
    return count;
}

START_TEST(a_registry_that_does_not_add_up_twice_is_doubted_and_another_one_that_cannot_be_read_is_not)
{
    open_with_nodes(4);
    registry.lies = -1;
    registry_put("lost", 1);
    registry_put("a", 1);
    registry_publish("a");
    ck_assert_uint_eq(registry_status().faults, 1);
    ck_assert_uint_eq(doubts_of("e1"), 0);
    while (registry_status().faults < 2)
        sim_advance(1);
    sim_advance(1000);
    ck_assert_uint_ge(doubts_of("e1"), 1);
    registry_flush("e2");
    registry_put_many(4);
    registry.lies = 0;
    registry.interrupt = refuse_pages;
    sim_advance(60000);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_STALE);
    ck_assert_uint_eq(doubts_of("e2"), 0);
    registry.interrupt = NULL;
    sim_advance(20000);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    ck_assert_uint_eq(doubts_of("e2"), 0);
}
END_TEST

/* ---- while a sync is under way ---- */

static bool holds_back;
static size_t held_from; /* among the peer's commands */

static const char *hold_back(enum registry_question question, size_t number)
{
    (void)number;
    if (!holds_back && question == ASKED_SYNC) {
        holds_back = true;
        held_from = sim.peer.command_count - 1;
    }
    return "";
}

/* Answers all that was held back, as of now and in its order. */
static void release(void)
{
    size_t count = sim.peer.command_count;
    registry.interrupt = NULL;
    for (size_t i = held_from; i < count; i++) {
        const struct peer_command *command = &sim.peer.commands[i];
        if (peer_is(command, "PING") || sim.peer.conns[command->conn] == -1)
            continue;
        const char *text = registry_answer(&sim.peer, command);
        peer_send(&sim.peer, command->conn, text, strlen(text));
    }
}

static void begin_a_sync_that_waits(void)
{
    open_with_nodes(3);
    registry.interrupt = hold_back;
    holds_back = false;
    registry_put("lost", 1);
    registry_put("a", 1);
    registry_publish("a");
    forget_what_was_heard();
}

START_TEST(an_event_beyond_what_a_sync_reached_leads_to_one_more)
{
    begin_a_sync_that_waits();
    release();
    registry_put("b", 1);
    registry_send(registry_event("b")); /* over the other link, it may be read first */
    sim_settle();
    ck_assert_uint_le(registry.asked[ASKED_SYNC], 2);
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_heard.count, 3);
    ck_assert_int_eq(registry_heard.synced, 0);
}
END_TEST

START_TEST(events_that_a_sync_reached_lead_to_no_other)
{
    begin_a_sync_that_waits();
    for (int times = 0; times < 3; times++) {
        registry_publish("lost");
        registry_publish("a");
    }
    expect_asked(0, 0, 0); /* one at a time */
    release();
    sim_settle();
    expect_asked(1, 0, 0);
    ck_assert_int_eq(registry_heard.count, 2);
    ck_assert_str_eq(registry_view(), registry_picture());
}
END_TEST

START_TEST(an_event_of_another_history_in_the_middle_leads_to_one_more_sync)
{
    begin_a_sync_that_waits();
    registry_send("{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"x\",\"address\":\"h:1\",\"services\":[],\"timestamp\":5,"
                  "\"epoch\":\"other\",\"revision\":1,\"digest\":\"00000000000a\",\"tag\":\"00000000000a\","
                  "\"incarnation\":\"i\"}");
    sim_settle();
    release();
    sim_settle();
    expect_asked(2, 0, 0);
    ck_assert_int_eq(registry_heard.count, 2);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}
END_TEST

/* A sync fails with its link, whose return begins the next one; the retry that was due for the first must not make it
 * forget what was heard meanwhile. */
START_TEST(what_was_heard_while_a_sync_waits_is_not_forgotten_when_an_earlier_retry_comes_due)
{
    begin_a_sync_that_waits();
    holds_back = false;
    peer_hang_up(&sim.peer, registry_commands_conn());
    sim_advance(100);
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], 1); /* the link is back, and its sync waits */
    registry_put("b", 1);
    registry_publish("b");
    sim_advance(2000);
    struct registry_node *b = &registry.nodes[registry.count - 1];
    uint64_t revision = b->revision;
    b->port = 0; /* the answer is as old as the question */
    b->revision = 0;
    registry.revision = revision - 1;
    release();
    b->port = 1;
    b->revision = registry.revision = revision;
    sim_advance(1000);
    ck_assert_str_eq(registry_view(), registry_picture());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sync");
    TCase *reading = sim_case(suite, "reading");
    tcase_add_checked_fixture(reading, registry_open, NULL);
    tcase_add_test(reading, the_first_picture_is_read_in_pages_and_proved);
    tcase_add_loop_test(reading, an_empty_registry_and_none_at_all_are_pictures_as_well, 0, 2);
    tcase_add_loop_test(reading, changes_in_the_middle_of_a_reading_are_in_the_picture, 1, 7);
    tcase_add_loop_test(reading, random_changes_at_every_question_end_in_the_same_picture, 0, 40);
    tcase_add_test(reading, a_registry_that_has_another_epoch_after_each_reading_is_given_up_and_tried_again);
    TCase *deltas = sim_case(suite, "deltas");
    tcase_add_checked_fixture(deltas, registry_open, NULL);
    tcase_add_test(deltas, a_gap_leads_to_one_delta);
    tcase_add_test(deltas, a_long_delta_comes_in_pages);
    tcase_add_test(deltas, a_delta_from_below_the_floor_is_a_reading_that_tells_differences_only);
    tcase_add_test(deltas, an_unreadable_record_is_skipped_and_counts_in_the_digest);
    tcase_add_test(deltas, a_digest_that_differs_leads_to_one_reading);
    tcase_add_test(deltas, an_event_whose_digest_differs_leads_to_a_sync);
    tcase_add_test(deltas, a_reading_that_does_not_add_up_is_a_fault_that_is_tried_again_after_growing_pauses);
    tcase_add_test(deltas, a_registry_that_does_not_add_up_twice_is_doubted_and_another_one_that_cannot_be_read_is_not);
    TCase *meanwhile = sim_case(suite, "meanwhile");
    tcase_add_checked_fixture(meanwhile, registry_open, NULL);
    tcase_add_test(meanwhile, an_event_beyond_what_a_sync_reached_leads_to_one_more);
    tcase_add_test(meanwhile, events_that_a_sync_reached_lead_to_no_other);
    tcase_add_test(meanwhile, an_event_of_another_history_in_the_middle_leads_to_one_more_sync);
    tcase_add_test(meanwhile, what_was_heard_while_a_sync_waits_is_not_forgotten_when_an_earlier_retry_comes_due);
    return suite_run(suite);
}
