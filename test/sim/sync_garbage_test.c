/* SPDX-License-Identifier: MIT */
/* What the view makes of errors and garbage at each step of a sync: nothing, but for trying again. */
#include "registry.h"
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NODES 6
#define ALWAYS (-1)

/* What is said instead of the usual answer, and to which question: of the kind, that number. */
static enum registry_question bad_question;
static int bad_number;
static const char *bad_answer;
static size_t spoilt;

static const char *spoil(enum registry_question question, size_t number)
{
    if (question != bad_question || (bad_number != ALWAYS && number != (size_t)bad_number))
        return NULL;
    spoilt++;
    return bad_answer;
}

static void put_nodes(void)
{
    for (int i = 0; i < NODES; i++) {
        char id[16];
        snprintf(id, sizeof(id), "n%02d", i);
        registry_put(id, 10);
    }
}

static void say_instead(enum registry_question question, int number, const char *answer)
{
    bad_question = question;
    bad_number = number;
    bad_answer = answer;
    spoilt = 0;
    registry.interrupt = spoil;
    memset(registry.asked, 0, sizeof(registry.asked));
}

/* The steps of a sync that has to read everything in pages of two: delta, numbers, three pages, delta. */
static const struct {
    enum registry_question question;
    int number;
} steps[] = {{ASKED_SYNC, 0}, {ASKED_NUMBERS, 0}, {ASKED_PAGE, 0}, {ASKED_PAGE, 1}, {ASKED_PAGE, 2}, {ASKED_SYNC, 1}};

static const char *const answers[] = {
    /* what Redis says when it has trouble */
    "-ERR unknown command\r\n",
    "-LOADING Redis is loading the dataset in memory\r\n",
    "-BUSY Redis is busy running a script.\r\n",
    "-NOPERM this user has no permissions to run the command\r\n",
    "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "-READONLY You can't write against a read only replica.\r\n",
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    "-\r\n",
    /* what it never says */
    ":0\r\n",
    ":-1\r\n",
    "$-1\r\n",
    "$0\r\n\r\n",
    "+OK\r\n",
    "$4\r\nfull\r\n",
    "*-1\r\n",
    "*0\r\n",
    "*1\r\n$-1\r\n",
    "*1\r\n$4\r\nfull\r\n",
    "*1\r\n$5\r\ndelta\r\n",
    "*2\r\n$4\r\nfull\r\n$-1\r\n",
    "*2\r\n$4\r\nfull\r\n:5\r\n",
    "*2\r\n*0\r\n*0\r\n",
    "*2\r\n:0\r\n*0\r\n",
    "*2\r\n$1\r\n0\r\n$1\r\n0\r\n",
    "*2\r\n$30\r\n012345678901234567890123456789\r\n*0\r\n",
    "*4\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:6\r\n$12\r\n000000000000\r\n",
    "*5\r\n$5\r\ndelta\r\n$5\r\nother\r\n:6\r\n$12\r\n000000000000\r\n:0\r\n",
    "*5\r\n$5\r\ndelta\r\n:1\r\n:6\r\n$12\r\n000000000000\r\n:0\r\n",
    "*5\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:-6\r\n$12\r\n000000000000\r\n:0\r\n",
    "*5\r\n$5\r\ndelta\r\n$2\r\ne1\r\n$2\r\n6x\r\n$12\r\n000000000000\r\n:0\r\n",
    "*5\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:6\r\n$12\r\n00000000000g\r\n:0\r\n",
    "*5\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:6\r\n$11\r\n00000000000\r\n:0\r\n",
    "*5\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:6\r\n:12\r\n:0\r\n",
    "*5\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:6\r\n$12\r\n000000000000\r\n$1\r\n0\r\n",
    "*5\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:9223372036854775807\r\n$12\r\n000000000000\r\n:1\r\n",
    "*8\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:7\r\n$12\r\n000000000000\r\n:0\r\n:1\r\n:2\r\n:3\r\n",
    "*8\r\n+delta\r\n+e1\r\n:7\r\n+000000000000\r\n:1\r\n+n00\r\n:9223372036854775807\r\n+x\r\n",
    "*8\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:7\r\n$12\r\n000000000000\r\n:0\r\n$3\r\nn00\r\n$-1\r\n$7\r\nno line\r\n",
    "*8\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:7\r\n$12\r\n000000000000\r\n:0\r\n$3\r\nnew\r\n:7\r\n:8\r\n",
    "*7\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:7\r\n$12\r\n000000000000\r\n:0\r\n$3\r\nn00\r\n:7\r\n",
};

/* Whatever was answered once, a minute later the view is what the registry is. */
static void expect_that_it_recovers(void)
{
    sim_advance(50000);
    registry.interrupt = NULL;
    ck_assert_uint_gt(spoilt, 0);
    ck_assert_str_eq(registry_view(), registry_picture());
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    ck_assert_uint_eq(registry_status().revision, registry.revision);
    ck_assert_uint_eq(registry_status().kept_count, 0);
}

START_TEST(a_wrong_answer_at_a_step_of_the_first_sync_delays_the_picture_only)
{
    size_t step = (size_t)_i % COUNT(steps);
    put_nodes();
    registry.page = 2;
    say_instead(steps[step].question, steps[step].number, answers[_i]);
    registry_subscribe();
    expect_that_it_recovers();
    ck_assert_int_eq(registry_heard.synced, 1);
}
END_TEST

START_TEST(a_wrong_answer_at_each_step_of_a_later_reading_is_read_over)
{
    put_nodes();
    registry.page = 2;
    registry_subscribe();
    for (size_t step = 0; step < COUNT(steps); step++) {
        registry_heard.count = 0;
        registry_remove("n00");
        registry_put("n01", 20 + (unsigned)step);
        registry_put("n05", 30 + (unsigned)step);
        registry.floor = registry.revision;
        say_instead(steps[step].question, steps[step].number, answers[_i]);
        registry_publish("n05");
        expect_that_it_recovers();
        ck_assert_int_ge(registry_heard.count, 2);
        registry_put("n00", 10);
        registry_publish("n00");
    }
    ck_assert_int_eq(registry_heard.synced, 1);
}
END_TEST

START_TEST(a_wrong_answer_to_a_delta_is_asked_for_again)
{
    put_nodes();
    registry_subscribe();
    registry_remove("n00");
    registry_put("n01", 11);
    say_instead(ASKED_SYNC, 0, answers[_i]);
    registry_publish("n01");
    expect_that_it_recovers();
}
END_TEST

START_TEST(errors_of_redis_change_nothing_of_what_is_held_and_are_told_once)
{
    put_nodes();
    registry_subscribe();
    registry_remove("n00");
    registry_put("n01", 11);
    say_instead(ASKED_SYNC, ALWAYS, answers[_i]);
    registry_publish("n01");
    int lines = log_count(&sim.log, "sync: ");
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_STALE);
    ck_assert_uint_eq(registry_status().node_count, NODES);
    ck_assert_int_eq(registry_heard.count, NODES);
    sim_advance(60000);
    ck_assert_uint_ge(spoilt, 6);
    ck_assert_uint_le(spoilt, 40); /* after growing pauses */
    ck_assert_int_eq(registry_heard.count, NODES);
    int warnings = 0;
    for (int i = 0; i < sim.log.count; i++)
        warnings += sim.log.level[i] == NETRON_LOG_WARNING && strncmp(sim.log.line[i], "sync: ", 6) == 0;
    ck_assert_int_eq(warnings, 1);
    ck_assert_int_ge(log_count(&sim.log, "sync: "), lines);
    registry.interrupt = NULL;
    sim_advance(10201);
    ck_assert_int_eq(registry_status().state, NETRON_VIEW_FRESH);
    ck_assert_int_eq(registry_heard.count, NODES + 2);
    if (strncmp(answers[_i], "-READONLY", 9) != 0) /* that is no primary any more: the link looks for another */
        ck_assert_int_eq(sim.links.count[NETRON_LINK_COMMANDS], 1);
}
END_TEST

/* Pages of half pairs, numbers, and nothing: what can be read is read, and the digest tells of the rest. */
static const char *const odd_pages[] = {
    "*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n",
    "*2\r\n$1\r\n0\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
    "*2\r\n$1\r\n0\r\n*2\r\n:1\r\n:2\r\n",
    "*2\r\n$1\r\n0\r\n*2\r\n$-1\r\n$-1\r\n",
    "*2\r\n$1\r\n0\r\n*2\r\n*0\r\n*0\r\n",
    "*2\r\n$1\r\n0\r\n*2\r\n$0\r\n\r\n$0\r\n\r\n",
    "*2\r\n$1\r\nx\r\n*0\r\n",
    "*2\r\n$0\r\n\r\n*0\r\n",
    "*3\r\n$1\r\n0\r\n*0\r\n*0\r\n",
};

START_TEST(odd_pages_do_not_become_nodes)
{
    put_nodes();
    say_instead(ASKED_PAGE, 0, odd_pages[_i]);
    registry_subscribe();
    expect_that_it_recovers();
    ck_assert_int_eq(registry_heard.count, NODES);
}
END_TEST

START_TEST(a_cursor_that_never_ends_is_given_up)
{
    size_t pages = 0;
    static const char answer[] = "*2\r\n$1\r\n7\r\n*0\r\n";
    put_nodes();
    say_instead(ASKED_PAGE, ALWAYS, "");
    registry_subscribe();
    while (log_count(&sim.log, "HSCAN does not end") == 0) {
        ck_assert_uint_eq(spoilt, pages + 1);
        ck_assert_uint_le(++pages, 65536);
        int conn = registry_commands_conn();
        sim.peer.command_count = 0;
        peer_send(&sim.peer, conn, answer, sizeof(answer) - 1);
        sim_settle();
        sim.log.count = pages % 100 == 0 ? 0 : sim.log.count;
    }
    ck_assert_uint_ge(pages, 65536);
    registry.interrupt = NULL;
    sim_advance(1000);
    ck_assert_str_eq(registry_view(), registry_picture());
}
END_TEST

START_TEST(a_delta_that_says_more_but_gets_nowhere_ends_in_a_reading)
{
    put_nodes();
    registry_subscribe();
    registry_put("n00", 2);
    registry_put("n01", 2);
    say_instead(ASKED_SYNC, 0, "*5\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:8\r\n$12\r\n000000000000\r\n:1\r\n");
    registry_publish("n01");
    ck_assert_uint_eq(registry.asked[ASKED_SYNC], 2);
    ck_assert_uint_eq(registry.asked[ASKED_PAGE], 1);
    ck_assert_str_eq(registry_view(), registry_picture());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sync_garbage");
    TCase *tcase = sim_case(suite, "garbage");
    tcase_add_checked_fixture(tcase, registry_open, NULL);
    tcase_add_loop_test(tcase, a_wrong_answer_at_a_step_of_the_first_sync_delays_the_picture_only, 0, COUNT(answers));
    tcase_add_loop_test(tcase, a_wrong_answer_at_each_step_of_a_later_reading_is_read_over, 0, COUNT(answers));
    tcase_add_loop_test(tcase, a_wrong_answer_to_a_delta_is_asked_for_again, 0, COUNT(answers));
    tcase_add_loop_test(tcase, errors_of_redis_change_nothing_of_what_is_held_and_are_told_once, 0, 8);
    tcase_add_loop_test(tcase, odd_pages_do_not_become_nodes, 0, COUNT(odd_pages));
    tcase_add_test(tcase, a_cursor_that_never_ends_is_given_up);
    tcase_add_test(tcase, a_delta_that_says_more_but_gets_nowhere_ends_in_a_reading);
    return suite_run(suite);
}
