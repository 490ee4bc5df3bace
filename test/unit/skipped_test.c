/* SPDX-License-Identifier: MIT */
/* The room skipped: garbage is counted each time and told once for each id. */
#include "expect.h"
#include "recorders.h"
#include "skipped.h"
#include <stdio.h>

static struct log_recorder lines;

static void begin(struct netron_core *core, struct netron_skipped *skipped)
{
    memset(&lines, 0, sizeof(lines));
    *core = (struct netron_core){.log = {.fn = record_log, .arg = &lines}};
    *skipped = (struct netron_skipped){.core = core};
}

START_TEST(garbage_is_counted_each_time_and_told_once_for_each_id)
{
    struct netron_core core;
    struct netron_skipped skipped;
    begin(&core, &skipped);
    netron_skipped_add(&skipped, "node-1", "record: no JSON");
    netron_skipped_add(&skipped, "node-1", "record: no JSON");
    netron_skipped_add(&skipped, "node-1", "another reason");
    ck_assert_uint_eq(core.stats.skipped_records, 3);
    ck_assert_int_eq(lines.count, 1);
    netron_skipped_add(&skipped, "node-2", "record: no JSON");
    netron_skipped_add(&skipped, "node-", "record: no JSON");
    netron_skipped_add(&skipped, "node-1", "record: no JSON");
    ck_assert_uint_eq(core.stats.skipped_records, 6);
    ck_assert_int_eq(lines.count, 3);
    netron_skipped_clear(&skipped);
}
END_TEST

START_TEST(the_line_is_a_warning_with_the_id_and_the_reason)
{
    struct netron_core core;
    struct netron_skipped skipped;
    char id[] = "node-1\x1b[0m";
    begin(&core, &skipped);
    netron_skipped_add(&skipped, id, "record: the tag is missing or malformed");
    id[0] = 'x'; /* it was copied */
    netron_skipped_add(&skipped, "node-1\x1b[0m", "again");
    ck_assert_int_eq(lines.count, 1);
    ck_assert_int_eq(lines.level[0], NETRON_LOG_WARNING);
    ck_assert_ptr_nonnull(strstr(lines.line[0], "node-1?[0m"));
    ck_assert_ptr_nonnull(strstr(lines.line[0], "record: the tag is missing or malformed"));
    netron_skipped_clear(&skipped);
}
END_TEST

struct tally {
    size_t lines;
    char latest[256];
};

static void count_lines(netron_log_level level, const char *line, void *arg)
{
    struct tally *tally = arg;
    (void)level;
    tally->lines++;
    snprintf(tally->latest, sizeof(tally->latest), "%s", line);
}

START_TEST(a_flood_of_ids_is_counted_but_does_not_flood_log_and_memory)
{
    struct netron_core core;
    struct netron_skipped skipped;
    struct tally told = {.lines = 0};
    void (*const add)(struct netron_skipped *, const char *, const char *) =
        _i == 0 ? netron_skipped_add : netron_skipped_refuse;
    begin(&core, &skipped);
    core.log = (struct netron_log){.fn = count_lines, .arg = &told};
    const uint64_t *counted = _i == 0 ? &core.stats.skipped_records : &core.stats.refused_records;
    for (int i = 0; i < 20000; i++) {
        char id[16];
        snprintf(id, sizeof(id), "node-%d", i);
        add(&skipped, id, "garbage");
        if (i == 1022)
            ck_assert_ptr_nonnull(strstr(told.latest, "node-1022: garbage"));
    }
    ck_assert_uint_eq(*counted, 20000);
    ck_assert_uint_eq(told.lines, 1025);
    add(&skipped, "node-0", "garbage");
    add(&skipped, "node-19999", "garbage");
    ck_assert_uint_eq(*counted, 20002);
    ck_assert_uint_eq(told.lines, 1025); /* the last tells that no more follow */
    ck_assert_str_eq(told.latest,
                     _i == 0
                         ? "skipping: that was the record of the 1024th node; those of further nodes are only counted "
                           "(netron_stats.skipped_records)"
                         : "refusing: that was the record of the 1024th node; those of further nodes are only counted "
                           "(netron_stats.refused_records)");
    netron_skipped_clear(&skipped);
}
END_TEST

START_TEST(after_clearing_an_id_is_told_again)
{
    struct netron_core core;
    struct netron_skipped skipped;
    begin(&core, &skipped);
    netron_skipped_clear(&skipped);
    netron_skipped_add(&skipped, "node-1", "garbage");
    netron_skipped_clear(&skipped);
    netron_skipped_add(&skipped, "node-1", "garbage");
    ck_assert_int_eq(lines.count, 2);
    ck_assert_uint_eq(core.stats.skipped_records, 2);
    netron_skipped_clear(&skipped);
    netron_skipped_clear(&skipped);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("skipped");
    TCase *tcase = suite_case(suite, "skipped");
    tcase_add_test(tcase, garbage_is_counted_each_time_and_told_once_for_each_id);
    tcase_add_test(tcase, the_line_is_a_warning_with_the_id_and_the_reason);
    tcase_add_loop_test(tcase, a_flood_of_ids_is_counted_but_does_not_flood_log_and_memory, 0, 2);
    tcase_add_test(tcase, after_clearing_an_id_is_told_again);
    return suite_run(suite);
}
