/* SPDX-License-Identifier: MIT */
/* The events link to the millisecond, and what a server must not send over it. */
#include "registry.h"
#include <stdio.h>
#include <string.h>

#define EVENTS NETRON_LINK_EVENTS

/* The first change of the registry that the peer has. */
#define GOOD_EVENT                                                                                                     \
    "{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"n2\",\"address\":\"10.0.0.2:80\",\"services\":[],\"timestamp\":5,"     \
    "\"epoch\":\"e1\",\"revision\":1,\"digest\":\"00000000000a\",\"tag\":\"00000000000a\",\"incarnation\":\"i\"}"

static struct event_recorder heard;

static void subscribe(void)
{
    heard = (struct event_recorder){0};
    sim.options.pubsub_enabled = 1;
    sim_join();
    ck_assert_int_eq(netron_subscribe_to_events(sim.discovery, record_event, &heard, NULL), 0);
    sim_settle();
}

/* The events link is the one that SUBSCRIBE came over last. */
static int events_conn(void)
{
    return peer_find(&sim.peer, "SUBSCRIBE", -1)->conn;
}

static void publish(const char *payload)
{
    char bytes[1024];
    int length =
        snprintf(bytes, sizeof(bytes), "*3\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n$%zu\r\n%s\r\n",
                 strlen(payload), payload);
    peer_send(&sim.peer, events_conn(), bytes, (size_t)length);
    sim_settle();
}

static const char *answer_pongs_as_messages(struct peer *peer, const struct peer_command *command)
{
    if (peer_is(command, "PING"))
        return "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
    return peer_answer_well(peer, command);
}

static const char *no_answer_to_ping(struct peer *peer, const struct peer_command *command)
{
    return peer_is(command, "PING") ? "" : peer_answer_well(peer, command);
}

static const char *no_acknowledgement(struct peer *peer, const struct peer_command *command)
{
    return peer_is(command, "SUBSCRIBE") ? "" : peer_answer_well(peer, command);
}

START_TEST(the_events_link_is_up_when_the_subscription_is_acknowledged)
{
    sim.peer.answer = no_acknowledgement;
    subscribe();
    ck_assert_str_eq(peer_find(&sim.peer, "SUBSCRIBE", 0)->text, "SUBSCRIBE netron:discovery:events");
    ck_assert_int_eq(sim.links.count[EVENTS], 0);
    static const char acknowledgement[] = "*3\r\n$9\r\nsubscribe\r\n$23\r\nnetron:discovery:events\r\n:1\r\n";
    peer_send(&sim.peer, events_conn(), acknowledgement, sizeof(acknowledgement) - 1);
    sim_settle();
    ck_assert_int_eq(sim.links.count[EVENTS], 1);
    ck_assert_int_eq(sim.links.code[EVENTS], 0);
}
END_TEST

START_TEST(a_subscription_that_is_not_acknowledged_ends_at_the_command_timeout)
{
    sim.peer.answer = no_acknowledgement;
    subscribe();
    sim_advance(4999);
    ck_assert_int_eq(sim.links.count[EVENTS], 0);
    sim_advance(1);
    ck_assert_int_eq(sim.links.code[EVENTS], NETRON_ETIMEDOUT);
}
END_TEST

START_TEST(a_silent_events_link_is_pinged_and_lives_by_any_bytes)
{
    sim.peer.answer = answer_pongs_as_messages;
    subscribe();
    sim_advance(100000);
    ck_assert_int_eq(sim.links.count[EVENTS], 1);
    ck_assert_uint_ge(sim_count("PING"), 9);
    publish(GOOD_EVENT);
    ck_assert_int_eq(heard.count, 1);
}
END_TEST

START_TEST(an_events_link_that_answers_no_ping_is_made_anew_within_two_intervals)
{
    sim.peer.answer = no_answer_to_ping;
    subscribe();
    int first = events_conn();
    sim_advance(19999);
    ck_assert_int_eq(sim.links.code[EVENTS], 0);
    sim_advance(1);
    ck_assert_int_eq(sim.links.code[EVENTS], NETRON_ETIMEDOUT);
    sim_advance(100);
    ck_assert_int_ne(events_conn(), first);
    ck_assert_int_eq(sim.links.code[EVENTS], 0);
    publish(GOOD_EVENT);
    ck_assert_int_eq(heard.count, 1);
}
END_TEST

START_TEST(a_lost_events_link_is_told_and_subscribed_again)
{
    subscribe();
    peer_hang_up(&sim.peer, events_conn());
    sim_settle();
    ck_assert_int_eq(sim.links.count[EVENTS], 2);
    ck_assert_int_eq(sim.links.code[EVENTS], NETRON_EDISCONNECTED);
    sim_advance(100);
    ck_assert_int_eq(sim.links.count[EVENTS], 3);
    ck_assert_int_eq(sim.links.code[EVENTS], 0);
    ck_assert_uint_eq(sim_count("SUBSCRIBE"), 2);
    ck_assert_int_eq(sim.links.count[NETRON_LINK_COMMANDS], 1);
}
END_TEST

static size_t syncs(void)
{
    size_t count = 0;
    for (size_t i = 0; i < sim.peer.command_count; i++)
        count += peer_is_sync(&sim.peer.commands[i]);
    return count;
}

START_TEST(an_event_in_the_same_bytes_as_the_acknowledgement_is_asked_for_until_it_is_there)
{
    char bytes[1024];
    int length = snprintf(bytes, sizeof(bytes),
                          "*3\r\n$9\r\nsubscribe\r\n$23\r\nnetron:discovery:events\r\n:1\r\n"
                          "*3\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n$%zu\r\n%s\r\n",
                          strlen(GOOD_EVENT), GOOD_EVENT);
    sim.peer.answer = no_acknowledgement;
    subscribe();
    peer_send(&sim.peer, events_conn(), bytes,
              _i == 1 ? (size_t)length
                      : sizeof("*3\r\n$9\r\nsubscribe\r\n$23\r\n"
                               "netron:discovery:events\r\n:1\r\n") -
                            1);
    sim_settle();
    ck_assert_uint_eq(syncs(), _i == 1 ? 3 : 2);
    ck_assert_int_eq(heard.synced, 1);
}
END_TEST

START_TEST(an_event_that_follows_the_picture_is_told_without_asking_redis)
{
    subscribe();
    ck_assert_int_eq(heard.synced, 1);
    size_t before = syncs();
    publish(GOOD_EVENT);
    ck_assert_int_eq(heard.count, 1);
    ck_assert_str_eq(heard.events[0].text, "NODE_REGISTERED n2 10.0.0.2:80");
    ck_assert_uint_eq(heard.events[0].timestamp_ms, 5);
    ck_assert_uint_eq(heard.events[0].revision, 1);
    publish(GOOD_EVENT); /* doubled on the way */
    ck_assert_int_eq(heard.count, 1);
    ck_assert_uint_eq(syncs(), before);
}
END_TEST

START_TEST(the_view_asks_whether_it_missed_anything_at_the_anti_entropy_interval)
{
    subscribe();
    size_t before = syncs();
    sim_advance(27000 - 1);
    ck_assert_uint_eq(syncs(), before);
    sim_advance(6001);
    ck_assert_uint_eq(syncs(), before + 1);
}
END_TEST

START_TEST(what_has_not_the_shape_of_a_message_is_counted_and_the_next_event_is_heard)
{
    static const char *const shapes[] = {
        ":1\r\n",
        "$-1\r\n",
        "*-1\r\n",
        "*0\r\n",
        "$7\r\nmessage\r\n",
        "*1\r\n$7\r\nmessage\r\n",
        "*2\r\n$7\r\nmessage\r\n$1\r\na\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n:5\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$-1\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n*1\r\n$1\r\na\r\n",
        "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\na\r\n$2\r\n{}\r\n",
        "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n",
        "*3\r\n*0\r\n*0\r\n*0\r\n",
    };
    subscribe();
    peer_send(&sim.peer, events_conn(), shapes[_i], strlen(shapes[_i]));
    sim_settle();
    netron_stats stats = {.size = sizeof(stats)};
    ck_assert_int_eq(netron_discovery_stats(sim.discovery, &stats), 0);
    ck_assert_uint_eq(stats.skipped_events, 1);
    publish(GOOD_EVENT);
    ck_assert_int_eq(heard.count, 1);
    ck_assert_int_eq(sim.links.count[EVENTS], 1);
}
END_TEST

START_TEST(an_error_on_the_events_link_ends_it_with_the_words_of_redis)
{
    subscribe();
    static const char error[] = "-NOAUTH Authentication required.\r\n";
    peer_send(&sim.peer, events_conn(), error, sizeof(error) - 1);
    sim_settle();
    ck_assert_int_eq(sim.links.code[EVENTS], NETRON_EAUTH);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[EVENTS], "Authentication required."));
}
END_TEST

START_TEST(a_forbidden_channel_is_told_and_tried_again_slowly)
{
    sim.peer.answer = peer_answer_refusal;
    sim.peer.refused = "SUBSCRIBE";
    sim.peer.refusal = "-NOPERM this user has no permissions to access one of the channels\r\n";
    subscribe();
    ck_assert_int_eq(sim.links.code[EVENTS], NETRON_EPERM);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[EVENTS], "SUBSCRIBE"));
    sim_advance(4999);
    ck_assert_uint_eq(sim_count("SUBSCRIBE"), 1);
    sim_advance(5001);
    ck_assert_uint_eq(sim_count("SUBSCRIBE"), 2);
    ck_assert_int_eq(sim.links.code[NETRON_LINK_COMMANDS], 0);
}
END_TEST

START_TEST(subscribing_needs_pubsub_enabled)
{
    sim_join();
    ck_assert_int_eq(netron_subscribe_to_events(sim.discovery, record_event, &heard, NULL), NETRON_EDISABLED);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(sim.discovery), "pubsub_enabled"));
    sim_advance(1000);
    ck_assert_int_eq(sim.peer.conn_count, 1);
    ck_assert_uint_eq(sim_count("SUBSCRIBE"), 0);
}
END_TEST

/* ---- events of a registry that has records ---- */

static void open_with_a_and_b(void)
{
    registry_open();
    registry_put("a", 1);
    registry_put("b", 1);
    registry_subscribe();
    ck_assert_str_eq(registry_view(), "a:1 b:1");
    registry_heard = (struct event_recorder){0};
    registry.asked[ASKED_SYNC] = registry.asked[ASKED_PAGE] = 0;
}

START_TEST(events_in_a_row_are_applied_without_asking)
{
    open_with_a_and_b();
    for (unsigned i = 2; i < 50; i++) {
        registry_put("a", i);
        registry_publish("a");
        registry_remove("b");
        registry_publish("b");
        registry_publish("a"); /* doubled, and late */
        registry_put("b", i);
        registry_publish("b");
        registry_publish("b");
        ck_assert_str_eq(registry_view(), registry_picture());
    }
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], 0);
    ck_assert_int_eq(registry_heard.count, 48 * 3);
    ck_assert_uint_eq(registry_status().revision, registry.revision);
    ck_assert_str_eq(registry_heard.events[1].text, "NODE_DEREGISTERED b 10.0.0.1:1 web (expired)");
}
END_TEST

START_TEST(events_that_were_swapped_on_the_way_are_told_in_the_order_of_their_revisions)
{
    char first[1024];
    open_with_a_and_b();
    registry_put("c", 1);
    snprintf(first, sizeof(first), "%s", registry_event("c"));
    registry_remove("b");
    registry_publish("b");
    registry_send(first);
    sim_settle();
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], 1);
    ck_assert_int_eq(registry_heard.count, 2);
    ck_assert_uint_eq(registry_heard.events[0].revision, 3);
    ck_assert_uint_eq(registry_heard.events[1].revision, 4);
    ck_assert_str_eq(registry_view(), registry_picture());
}
END_TEST

/* Who is not in the older history need not be dead, and has one TTL's time to register again. */
static void expect_the_lost_to_be_kept_for_one_ttl(void)
{
    int before = registry_heard.count;
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_PROTECTED);
    ck_assert_uint_eq(registry_status().kept_count, 1);
    sim_advance(13900);
    ck_assert_int_eq(registry_heard.count, before);
    sim_advance(1200);
    ck_assert_int_eq(registry_heard.count, before + 1);
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
}

/* A failover lost the latest changes: their revisions are used again, for others. */
START_TEST(a_history_that_was_rolled_back_is_noticed_by_its_events)
{
    open_with_a_and_b();
    registry_put("lost", 1);
    registry_publish("lost");
    registry_put("b", 2);
    registry_publish("b");
    registry.count--; /* neither of both ever was */
    registry.revision -= 2;
    registry.nodes[1].port = 1;
    registry.nodes[1].revision = 2;
    if (_i == 0) {
        registry_put("c", 1);
        registry_publish("c"); /* revision 3, again */
    } else {
        registry_put("a", 7);
        registry_publish("a");
    }
    ck_assert_uint_ge(registry.asked[ASKED_SYNC], 1);
    ck_assert_str_eq(registry_view(), _i == 0 ? "a:1 b:1 c:1 lost:1" : "a:7 b:1 lost:1");
    ck_assert_uint_eq(registry_status().revision, 3);
    expect_the_lost_to_be_kept_for_one_ttl();
}
END_TEST

/* A look that found the registry at this change, and nothing due. */
static void answer_looks(uint64_t revision)
{
    static char answer[128];
    snprintf(answer, sizeof(answer), "*9\r\n:5000\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n$1\r\n0\r\n$2\r\ne1\r\n:%llu\r\n",
             (unsigned long long)revision);
    registry.reconciled = answer;
}

/* What is said of a node that changed in what is lost looks like a late message, as long as the registry has not caught
 * up: a look sees that it stands before what was known. */
START_TEST(a_history_that_was_rolled_back_is_noticed_by_a_look_when_its_events_do_not_show_it)
{
    open_with_a_and_b();
    struct registry before = registry;
    for (unsigned i = 2; i < 50; i++) {
        registry_put("a", i);
        registry_publish("a");
    }
    registry_put("lost", 1);
    registry_publish("lost");
    registry = before;
    registry_put("a", 99);
    answer_looks(registry.revision);
    registry_publish("a");
    ck_assert_str_eq(registry_view(), "a:49 b:1 lost:1");
    sim_advance(1000);
    ck_assert_str_eq(registry_view(), "a:99 b:1 lost:1");
    ck_assert_uint_eq(registry_status().revision, registry.revision);
    ck_assert_uint_eq(registry_status().syncs, 2);
    expect_the_lost_to_be_kept_for_one_ttl();
}
END_TEST

static const char *no_answer_to_a_look(enum registry_question question, size_t number)
{
    (void)number;
    return question == ASKED_RECONCILE ? "" : NULL;
}

/* Looks and events come over different links: an event may be there before the answer to a look that is older. */
START_TEST(a_look_that_was_under_way_while_events_came_is_no_sign_of_an_older_history)
{
    open_with_a_and_b();
    answer_looks(registry.revision);
    registry.interrupt = no_answer_to_a_look;
    sim_advance(1000);
    ck_assert_uint_eq(registry.asked[ASKED_RECONCILE], 1);
    registry_put("a", 2);
    registry_publish("a");
    peer_send(&sim.peer, registry_commands_conn(), registry.reconciled, strlen(registry.reconciled));
    sim_settle();
    answer_looks(registry.revision);
    registry.interrupt = NULL;
    sim_advance(1000);
    ck_assert_uint_ge(registry.asked[ASKED_RECONCILE], 2);
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], 0);
}
END_TEST

/* Well-formed, but true of no registry: each leads to one sync, and is told to nobody. */
static const struct {
    const char *epoch;
    unsigned long long revision;
    const char *digest;
} lies[] = {
    {"e1", 3, "000000000000"}, {"e1", 4, "000000000000"}, {"e1", 9007199254740993, "ffffffffffff"},
    {"e2", 3, "000000000000"}, {"", 3, "000000000000"},   {"e1", 9223372036854775807, "000000000000"},
    {"e1", 2, "000000000000"}, {"e1", 1, "000000000000"},
};

START_TEST(an_event_that_lies_leads_to_one_sync)
{
    char event[512];
    open_with_a_and_b();
    snprintf(event, sizeof(event),
             "{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"x\",\"address\":\"h:1\",\"services\":[],\"timestamp\":5,"
             "\"epoch\":\"%s\",\"revision\":%llu,\"digest\":\"%s\",\"tag\":\"00000000000a\",\"incarnation\":\"i\"}",
             lies[_i].epoch, lies[_i].revision, lies[_i].digest);
    registry_send(event);
    sim_settle();
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], 1);
    ck_assert_uint_eq(registry.asked[ASKED_PAGE], 0);
    ck_assert_int_eq(registry_heard.count, 0);
    ck_assert_str_eq(registry_view(), "a:1 b:1");
    ck_assert_uint_eq(registry_status().revision, 2);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    ck_assert_uint_eq(registry_status().faults, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("feed");
    TCase *link = sim_case(suite, "link");
    tcase_add_test(link, the_events_link_is_up_when_the_subscription_is_acknowledged);
    tcase_add_test(link, a_subscription_that_is_not_acknowledged_ends_at_the_command_timeout);
    tcase_add_test(link, a_silent_events_link_is_pinged_and_lives_by_any_bytes);
    tcase_add_test(link, an_events_link_that_answers_no_ping_is_made_anew_within_two_intervals);
    tcase_add_test(link, a_lost_events_link_is_told_and_subscribed_again);
    tcase_add_test(link, a_forbidden_channel_is_told_and_tried_again_slowly);
    tcase_add_test(link, subscribing_needs_pubsub_enabled);
    TCase *messages = sim_case(suite, "messages");
    tcase_add_loop_test(messages, an_event_in_the_same_bytes_as_the_acknowledgement_is_asked_for_until_it_is_there, 0,
                        2);
    tcase_add_test(messages, an_event_that_follows_the_picture_is_told_without_asking_redis);
    tcase_add_test(messages, the_view_asks_whether_it_missed_anything_at_the_anti_entropy_interval);
    tcase_add_loop_test(messages, what_has_not_the_shape_of_a_message_is_counted_and_the_next_event_is_heard, 0, 13);
    tcase_add_test(messages, an_error_on_the_events_link_ends_it_with_the_words_of_redis);
    TCase *histories = sim_case(suite, "histories");
    tcase_add_test(histories, events_in_a_row_are_applied_without_asking);
    tcase_add_test(histories, events_that_were_swapped_on_the_way_are_told_in_the_order_of_their_revisions);
    tcase_add_loop_test(histories, a_history_that_was_rolled_back_is_noticed_by_its_events, 0, 2);
    tcase_add_test(histories, a_history_that_was_rolled_back_is_noticed_by_a_look_when_its_events_do_not_show_it);
    tcase_add_test(histories, a_look_that_was_under_way_while_events_came_is_no_sign_of_an_older_history);
    tcase_add_loop_test(histories, an_event_that_lies_leads_to_one_sync, 0, sizeof(lies) / sizeof(lies[0]));
    return suite_run(suite);
}
