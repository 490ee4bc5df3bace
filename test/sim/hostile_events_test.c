/* SPDX-License-Identifier: MIT */
/* What a server must not send over the events link: it is skipped or ends the link, and the view stays what the
 * registry is. */
#include "registry.h"
#include <stdint.h>
#include <string.h>

#define EVENTS NETRON_LINK_EVENTS
#define NODES 3
#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

static const char *answer_pongs_as_messages(struct peer *peer, const struct peer_command *command)
{
    return peer_is(command, "PING") ? "*2\r\n$4\r\npong\r\n$0\r\n\r\n" : registry_answer(peer, command);
}

static void begin(void)
{
    registry_put_many(NODES);
    sim.peer.answer = answer_pongs_as_messages;
    registry_subscribe();
    ck_assert_int_eq(registry_heard.count, NODES);
    ck_assert(sim.links.is_up[EVENTS]);
}

static void send_bytes(const char *bytes)
{
    peer_send(&sim.peer, registry_events_conn(), bytes, strlen(bytes));
    sim_settle();
}

static netron_stats stats(void)
{
    netron_stats numbers = {.size = sizeof(numbers)};
    ck_assert_int_eq(netron_discovery_stats(sim.discovery, &numbers), 0);
    return numbers;
}

/* Everything is there, nothing was told twice, and the next event is heard at once. */
static void expect_whole(void)
{
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    ck_assert(sim.links.is_up[EVENTS]);
    ck_assert_int_eq(registry_heard.count, NODES);
    registry_put("n00", 77);
    registry_publish("n00");
    ck_assert_int_eq(registry_heard.count, NODES + 1);
    ck_assert_str_eq(registry_view(), registry_picture());
}

/* Each of these promises something that never comes, and would swallow what follows. With 32 bits hiredis itself
 * refuses what is larger than its memory. */
static const char *const unfinished[] = {
    "$536870912\r\n",
    "*3\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n$536870912\r\n{",
    "*1000000\r\n",
    "*8\r\n*8\r\n*8\r\n",
#if SIZE_MAX > UINT32_MAX
    "$9223372036854775807\r\n",
#endif
};

START_TEST(a_message_whose_rest_never_comes_ends_the_link_however_many_pongs_follow)
{
    sim.options.ping_interval_ms = 1000;
    begin();
    send_bytes(unfinished[_i]);
    sim_advance(4999);
    ck_assert(sim.links.is_up[EVENTS]);
    ck_assert_uint_ge(sim_count("PING"), 2);
    sim_advance(1);
    ck_assert_int_eq(sim.links.code[EVENTS], NETRON_ETIMEDOUT);
    ck_assert_str_eq(sim.links.sentence[EVENTS], "Redis did not end a message within 5000 ms");
    sim_advance(10000);
    expect_whole();
}
END_TEST

/* What follows makes a whole of these: no message, or no protocol. */
static const char *const halves[] = {"*3\r\n$7\r\nmessage\r\n", "*", "+half a line"};

START_TEST(half_a_message_is_told_when_the_next_one_ends_it)
{
    sim.options.ping_interval_ms = 1000;
    begin();
    send_bytes(halves[_i]);
    sim_advance(10000);
    ck_assert(stats().skipped_events > 0 || sim.links.count[EVENTS] == 3);
    expect_whole();
}
END_TEST

START_TEST(messages_that_each_end_in_time_may_overlap_for_ever)
{
    begin();
    send_bytes("*3\r\n$7\r\nmess");
    for (int i = 0; i < 20; i++) {
        sim_advance(1000);
        send_bytes("age\r\n$1\r\nx\r\n$2\r\n{}\r\n*3\r\n$7\r\nmess");
    }
    send_bytes("age\r\n$1\r\nx\r\n$2\r\n{}\r\n");
    sim_advance(10000);
    ck_assert_int_eq(sim.links.count[EVENTS], 1);
    ck_assert_uint_eq(stats().skipped_events, 21);
    expect_whole();
}
END_TEST

/* Lengths and depths that are refused before anything is allocated or awaited, and no protocol at all. */
static const char *const refused[] = {
    "*2147483647\r\n",
    "*2147483648\r\n",
    "*4294967297\r\n",
    "*9223372036854775807\r\n",
    "*1048577\r\n",
    "*1000000\r\n*1000000\r\n",
    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
    "$-2\r\n",
    "*-2\r\n",
    "$99999999999999999999\r\n",
    "*1x\r\n",
    ":x\r\n",
    "HTTP/1.1 400 Bad Request\r\n",
};

START_TEST(what_no_server_sends_ends_the_link_at_once)
{
    begin();
    send_bytes(refused[_i]);
    ck_assert_int_eq(sim.links.code[EVENTS], NETRON_EPROTOCOL);
    sim_advance(10000);
    expect_whole();
}
END_TEST

/* Whole messages of other shapes: other channels' and other kinds', nils and numbers where texts should be. */
static const char *const odd[] = {
    "$-1\r\n",
    "*-1\r\n",
    "*0\r\n",
    ":1\r\n",
    "$0\r\n\r\n",
    "+OK\r\n",
    "*1\r\n$7\r\nmessage\r\n",
    "*2\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n",
    "*3\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n$-1\r\n",
    "*3\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n:1\r\n",
    "*3\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n*1\r\n$2\r\n{}\r\n",
    "*3\r\n$-1\r\n$-1\r\n$-1\r\n",
    "*3\r\n:1\r\n:2\r\n:3\r\n",
    "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$23\r\nnetron:discovery:events\r\n$2\r\n{}\r\n",
    "*3\r\n$9\r\nsubscribe\r\n$23\r\nnetron:discovery:events\r\n:1\r\n",
    "*3\r\n$9\r\nsubscribe\r\n$-1\r\n:1\r\n",
    "*3\r\n$11\r\nunsubscribe\r\n$23\r\nnetron:discovery:events\r\n:0\r\n",
    "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n",
    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
    "*3\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n$5\r\n{\"a\":\r\n",
    "*3\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n$4\r\n\xff\xfe\x00x\r\n",
};

START_TEST(a_message_of_another_shape_is_skipped_counted_and_told_once_a_connection)
{
    begin();
    for (int times = 0; times < 3; times++) {
        if (_i == COUNT(odd) - 1) /* it holds a NUL */
            peer_send(&sim.peer, registry_events_conn(), odd[_i], strlen(odd[_i]) + 4);
        else
            send_bytes(odd[_i]);
        sim_settle();
    }
    ck_assert_uint_eq(stats().skipped_events, 3);
    ck_assert_int_eq(log_count(&sim.log, "skipping a message"), 1);
    ck_assert_int_eq(sim.links.count[EVENTS], 1);
    expect_whole();
}
END_TEST

START_TEST(an_error_among_the_messages_ends_the_link)
{
    begin();
    send_bytes("-ERR something\r\n");
    ck_assert_int_eq(sim.links.code[EVENTS], NETRON_EREDIS);
    sim_advance(10000);
    expect_whole();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile_events");
    TCase *tcase = sim_case(suite, "events");
    tcase_add_checked_fixture(tcase, registry_open, NULL);
    tcase_add_loop_test(tcase, a_message_whose_rest_never_comes_ends_the_link_however_many_pongs_follow, 0,
                        COUNT(unfinished));
    tcase_add_loop_test(tcase, half_a_message_is_told_when_the_next_one_ends_it, 0, COUNT(halves));
    tcase_add_test(tcase, messages_that_each_end_in_time_may_overlap_for_ever);
    tcase_add_loop_test(tcase, what_no_server_sends_ends_the_link_at_once, 0, COUNT(refused));
    tcase_add_loop_test(tcase, a_message_of_another_shape_is_skipped_counted_and_told_once_a_connection, 0, COUNT(odd));
    tcase_add_test(tcase, an_error_among_the_messages_ends_the_link);
    return suite_run(suite);
}
