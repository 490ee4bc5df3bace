/* SPDX-License-Identifier: MIT */
/* Bytes that no honest Redis sends: each ends the connection, soon and with a sentence, and nothing else. */
#include "sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define COMMANDS NETRON_LINK_COMMANDS

START_TEST(bytes_that_nothing_asked_for_end_the_connection)
{
    static const char *const bytes[] = {
        "+OK\r\n",
        "$5\r\nhello\r\n",
        "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n",
        "-ERR max number of clients reached\r\n",
        "?what is this\r\n",
        "$-7\r\n",
        "*-7\r\n",
        "$999999999999999999999\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
    };
    sim_join();
    sim_settle();
    peer_send(&sim.peer, 0, bytes[_i], strlen(bytes[_i]));
    sim_settle();
    ck_assert_int_eq(sim.peer.conns[0], -1);
    ck_assert_int_ne(sim.links.code[COMMANDS], 0);
    if (_i == 3)
        ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "max number of clients reached"));
    else
        ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EPROTOCOL);
    sim_advance(100);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
}
END_TEST

START_TEST(a_reply_in_single_bytes_is_a_reply)
{
    sim.peer.answer = peer_answer_nothing;
    sim_join();
    sim_settle();
    static const char replies[] = "*2\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n+OK\r\n";
    for (size_t i = 0; i < sizeof(replies) - 1; i++) {
        peer_send(&sim.peer, 0, replies + i, 1);
        sim_settle();
    }
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
}
END_TEST

/* Sends the text over and over until the library hangs up; fails the test when it has not after so many bytes. */
static void send_without_end(const char *beginning, const char *text, size_t limit)
{
    size_t length = strlen(text);
    peer_send(&sim.peer, 0, beginning, strlen(beginning));
    for (size_t sent = 0; sim.peer.conns[0] != -1; sent += length) {
        ck_assert_msg(sent < limit, "the library went on reading");
        peer_send(&sim.peer, 0, text, length);
        sim_settle();
    }
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EPROTOCOL);
}

START_TEST(an_array_that_promises_too_much_is_refused_before_it_is_allocated)
{
    static const char *const arrays[] = {
        "*2147483647\r\n",
        "*1048577\r\n",
        "*2\r\n*600000\r\n*-1\r\n",
        "*1000000\r\n*100000\r\n",
    };
    sim_join();
    sim_settle();
    peer_send(&sim.peer, 0, arrays[_i], strlen(arrays[_i]));
    sim_settle();
    if (_i == 2) { /* within the limit: it is waited for */
        ck_assert_int_ne(sim.peer.conns[0], -1);
        return;
    }
    ck_assert_int_eq(sim.peer.conns[0], -1);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EPROTOCOL);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "too many elements"));
}
END_TEST

/* hiredis 1.x sets no limit itself, and frees what is nested by recursion. */
START_TEST(arrays_in_arrays_without_end_are_refused)
{
    static char text[4 * 500000 + 1];
    for (size_t i = 0; i + 4 < sizeof(text); i += 4)
        memcpy(text + i, "*1\r\n", 4);
    sim_join();
    sim_settle();
    for (size_t sent = 0; sent + 50000 < sizeof(text) && sim.peer.conns[0] != -1; sent += 50000) {
        peer_send(&sim.peer, 0, text + sent, 50000);
        sim_settle();
    }
    ck_assert_int_eq(sim.peer.conns[0], -1);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EPROTOCOL);
}
END_TEST

START_TEST(a_line_without_end_is_given_up)
{
    static const char *const beginnings[] = {"+", "-", ":", "$", "*", ""};
    char text[4097];
    memset(text, '1', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    sim_join();
    sim_settle();
    send_without_end(beginnings[_i], text, 256 * 1024);
}
END_TEST

START_TEST(a_long_string_is_no_endless_line)
{
    static char text[100000];
    memset(text, 'x', sizeof(text));
    sim.peer.answer = peer_answer_nothing;
    sim_join();
    sim_settle();
    static const char version[] = "*4\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$4\r\nlong\r\n$100000\r\n";
    peer_send(&sim.peer, 0, version, sizeof(version) - 1);
    for (size_t sent = 0; sent < sizeof(text); sent += 10000) {
        peer_send(&sim.peer, 0, text + sent, 10000);
        sim_settle();
    }
    peer_send(&sim.peer, 0, "\r\n+OK\r\n", 7);
    sim_settle();
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
}
END_TEST

START_TEST(a_password_that_the_server_repeats_is_not_told)
{
    char url[256];
    snprintf(url, sizeof(url), "unix://app:hunter2@%s", sim.peer.path);
    sim.options.url = url;
    sim.peer.answer = peer_answer_refusal;
    sim.peer.refused = "AUTH ";
    sim.peer.refusal = "-ERR unknown command 'AUTH', with args beginning with: 'app' 'hunter2' \r\n";
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EAUTH);
    ck_assert_ptr_null(strstr(sim.links.sentence[COMMANDS], "hunter2"));
    ck_assert_ptr_null(strstr(netron_discovery_error(sim.discovery), "hunter2"));
    ck_assert_int_eq(log_count(&sim.log, "hunter2"), 0);
}
END_TEST

START_TEST(an_error_said_before_the_greeting_is_not_taken_for_an_old_version)
{
    static const struct {
        const char *reply;
        int code;
    } errors[] = {
        {"-ERR max number of clients reached\r\n", NETRON_EUNAVAILABLE},
        {"-DENIED Redis is running in protected mode\r\n", NETRON_EPERM},
        {"-ERR something else\r\n", NETRON_EREDIS},
    };
    sim.peer.answer = peer_answer_refusal;
    sim.peer.refused = "HELLO";
    sim.peer.refusal = errors[_i].reply;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], errors[_i].code);
    ck_assert_ptr_null(strstr(sim.links.sentence[COMMANDS], "6.2"));
}
END_TEST

/* One beat gets no answer of its own: none at all, or one that takes the next answer for its second half. */
static const char *const missing_answers[] = {"", "*2\r\n$1\r\na\r\n"};
static const char *missing_answer;

static const char *miss_a_beat(struct peer *peer, const struct peer_command *command)
{
    if (peer_is(command, "EXISTS "))
        return ":1\r\n";
    if (!peer_is(command, "GETEX ") || missing_answer == NULL)
        return peer_answer_well(peer, command);
    const char *answer = missing_answer;
    missing_answer = NULL;
    return answer;
}

/* With a question every second no answer is late, so it is not the timeout that notices. */
START_TEST(answers_that_are_out_of_step_are_noticed_and_the_connection_is_made_anew)
{
    struct active_recorder active = {0};
    sim.peer.answer = miss_a_beat;
    sim_join_and_register();
    missing_answer = missing_answers[_i];
    for (int second = 0; second < 20; second++) {
        ck_assert_int_eq(netron_is_node_active(sim.discovery, "n1", record_active, &active), 0);
        sim_advance(1000);
    }
    ck_assert_ptr_null(missing_answer);
    ck_assert_int_eq(sim.links.count[COMMANDS], 3);
    ck_assert_int_ge(log_count(&sim.log, "out of step"), 1);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
    sim_advance(10000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
    ck_assert_int_eq(active.calls, 20);
    ck_assert_int_eq(active.active, 1);
}
END_TEST

START_TEST(an_answer_of_the_wrong_shape_alone_does_not_end_the_connection)
{
    sim.peer.answer = miss_a_beat;
    sim_join_and_register();
    missing_answer = ":7\r\n";
    sim_advance(20000);
    ck_assert_ptr_null(missing_answer);
    ck_assert_uint_eq(sim_count("PING"), 1);
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile");
    TCase *replies = sim_case(suite, "replies");
    tcase_add_loop_test(replies, bytes_that_nothing_asked_for_end_the_connection, 0, 9);
    tcase_add_test(replies, a_reply_in_single_bytes_is_a_reply);
    tcase_add_loop_test(replies, an_array_that_promises_too_much_is_refused_before_it_is_allocated, 0, 4);
    tcase_add_test(replies, arrays_in_arrays_without_end_are_refused);
    tcase_add_loop_test(replies, a_line_without_end_is_given_up, 0, 6);
    tcase_add_test(replies, a_long_string_is_no_endless_line);
    tcase_add_loop_test(replies, answers_that_are_out_of_step_are_noticed_and_the_connection_is_made_anew, 0, 2);
    tcase_add_test(replies, an_answer_of_the_wrong_shape_alone_does_not_end_the_connection);
    TCase *greeting = sim_case(suite, "greeting");
    tcase_add_test(greeting, a_password_that_the_server_repeats_is_not_told);
    tcase_add_loop_test(greeting, an_error_said_before_the_greeting_is_not_taken_for_an_old_version, 0, 3);
    return suite_run(suite);
}
