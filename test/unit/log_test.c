/* SPDX-License-Identifier: MIT */
/* The room log: one printable line for the user's function, and nothing at all without one. */
#include "expect.h"
#include "log.h"
#include "recorders.h"
#include <stdint.h>

START_TEST(the_function_gets_level_line_and_argument)
{
    struct log_recorder recorder = {0};
    const struct netron_log log = {.fn = record_log, .arg = &recorder};
    netron_log(&log, NETRON_LOG_ERROR, "plain");
    netron_log(&log, NETRON_LOG_DEBUG, "%s has %d of %zu", "node-1", -3, (size_t)7);
    ck_assert_int_eq(recorder.count, 2);
    ck_assert_int_eq(recorder.level[0], NETRON_LOG_ERROR);
    ck_assert_str_eq(recorder.line[0], "plain");
    ck_assert_int_eq(recorder.level[1], NETRON_LOG_DEBUG);
    ck_assert_str_eq(recorder.line[1], "node-1 has -3 of 7");
}
END_TEST

START_TEST(a_line_is_one_line_and_cannot_steer_a_terminal)
{
    struct log_recorder recorder = {0};
    const struct netron_log log = {.fn = record_log, .arg = &recorder};
    netron_log(&log, NETRON_LOG_WARNING, "id %s", "a\r\nERROR b\x1b[2J\x7f\xc2\x9b \xff Z\xc3\xbcrich %s%n");
    ck_assert_str_eq(recorder.line[0], "id a??ERROR b?[2J??? ? Z\xc3\xbcrich %s%n");
}
END_TEST

START_TEST(without_a_function_nothing_is_formatted)
{
    const struct netron_log log = {.fn = NULL};
    /* Whoever formats this reads from address 1. */
    const char *unreadable = (const char *)(uintptr_t)1;
    netron_log(&log, NETRON_LOG_ERROR, "%s", unreadable);
}
END_TEST

struct length_recorder {
    size_t length;
    bool is_printable;
};

static void record_length(netron_log_level level, const char *line, void *arg)
{
    struct length_recorder *recorder = arg;
    (void)level;
    recorder->length = strlen(line);
    recorder->is_printable = netron_text_is_utf8(line, recorder->length);
}

START_TEST(a_line_that_is_far_too_long_is_cut_and_stays_utf_8)
{
    struct length_recorder recorder = {0};
    const struct netron_log log = {.fn = record_length, .arg = &recorder};
    static char text[100001];
    for (size_t shift = 0; shift < 3; shift++) {
        for (size_t at = 0; at + 3 < sizeof(text); at += 3)
            memcpy(text + at, "\xe2\x82\xac", 3);
        text[sizeof(text) - 1] = '\0';
        netron_log(&log, NETRON_LOG_INFO, "%.*s%s", (int)shift, "xx", text);
        ck_assert_uint_gt(recorder.length, 500); /* the longest sentence and what may stand around it */
        ck_assert_uint_lt(recorder.length, 5000);
        ck_assert(recorder.is_printable);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = suite_case(suite, "log");
    tcase_add_test(tcase, the_function_gets_level_line_and_argument);
    tcase_add_test(tcase, a_line_is_one_line_and_cannot_steer_a_terminal);
    tcase_add_test(tcase, without_a_function_nothing_is_formatted);
    tcase_add_test(tcase, a_line_that_is_far_too_long_is_cut_and_stays_utf_8);
    return suite_run(suite);
}
