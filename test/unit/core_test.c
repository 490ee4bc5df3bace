/* SPDX-License-Identifier: MIT */
/* The room core: one timer on the loop for all deadlines, and memory that goes when the outermost entry leaves. */
#include "core.h"
#include "expect.h"
#include "fake_loop.h"
#include "recorders.h"
#include <stdlib.h>

static struct fake_loop loop;
static struct log_recorder lines;
static struct netron_core *core;
static char happened[256]; /* one letter for each thing */

/* What the core asks of its timer. */
static unsigned starts;
static unsigned stops;
static uint64_t early_by; /* a timer that is not exact fires so much too soon */
static int (*start_of_loop)(netron_loop *loop, void *timer, uint64_t delay_ms);
static void (*stop_of_loop)(netron_loop *loop, void *timer);

static int count_start(netron_loop *seam, void *timer, uint64_t delay_ms)
{
    starts++;
    return start_of_loop(seam, timer, delay_ms > early_by ? delay_ms - early_by : delay_ms);
}

static void count_stop(netron_loop *seam, void *timer)
{
    stops++;
    stop_of_loop(seam, timer);
}

static void make_core(bool owns_loop)
{
    const struct netron_log log = {.fn = record_log, .arg = &lines};
    memset(&lines, 0, sizeof(lines));
    memset(happened, 0, sizeof(happened));
    starts = stops = 0;
    early_by = 0;
    fake_loop_init(&loop);
    start_of_loop = loop.seam.timer_start;
    stop_of_loop = loop.seam.timer_stop;
    loop.seam.timer_start = count_start;
    loop.seam.timer_stop = count_stop;
    ck_assert_int_eq(netron_core_new(&loop.seam, owns_loop, &log, &core), 0);
}

static void begin(void)
{
    make_core(true);
}

static void end(void)
{
    if (!loop.freed) { /* else the test has disposed of the core */
        netron_core_enter(core);
        netron_core_dispose(core);
        netron_core_leave(core);
    }
    ck_assert(loop.freed);
    fake_loop_clear(&loop);
}

static void note(void *arg)
{
    happened[strlen(happened)] = *(const char *)arg;
}

/* A deadline that notes its letter. */
static void init(struct netron_deadline *deadline, char letter)
{
    static char letters['z' + 1];
    letters[(int)letter] = letter;
    netron_deadline_init(deadline, note, &letters[(int)letter]);
}

static void after(struct netron_deadline *deadline, uint64_t delay_ms)
{
    netron_core_enter(core);
    netron_core_after(core, deadline, delay_ms);
    netron_core_leave(core);
}

static void cancel(struct netron_deadline *deadline)
{
    netron_core_enter(core);
    netron_core_cancel(core, deadline);
    netron_core_leave(core);
}

/* ---- making and unmaking ---- */

START_TEST(a_loop_without_a_timer_makes_no_core_and_stays_the_callers)
{
    const struct netron_log log = {.fn = NULL};
    struct fake_loop other;
    struct netron_core *untouched = core;
    fake_loop_init(&other);
    other.fail_timer_new = 1;
    ck_assert_int_eq(netron_core_new(&other.seam, true, &log, &untouched), NETRON_ELOOP);
    ck_assert_ptr_eq(untouched, core);
    ck_assert(!other.freed);
    fake_loop_clear(&other);
}
END_TEST

START_TEST(an_owned_loop_is_freed_at_the_outermost_leave)
{
    netron_core_enter(core);
    netron_core_enter(core);
    netron_core_dispose(core);
    ck_assert_ptr_null(loop.timers);
    netron_core_leave(core);
    ck_assert(!loop.freed);
    netron_core_leave(core);
    ck_assert(loop.freed);
}
END_TEST

START_TEST(a_loop_that_is_not_owned_stays)
{
    end();
    make_core(false);
    netron_core_enter(core);
    netron_core_dispose(core);
    netron_core_leave(core);
    ck_assert_ptr_null(loop.timers);
    ck_assert(!loop.freed);
    loop.freed = true;
}
END_TEST

START_TEST(a_new_core_knows_its_loop_its_log_and_no_failure)
{
    netron_log(&core->log, NETRON_LOG_INFO, "hello");
    ck_assert_int_eq(log_count(&lines, "hello"), 1);
    ck_assert_uint_eq(netron_core_now(core), loop.now);
    ck_assert_str_eq(core->failure.sentence, "");
    ck_assert_uint_eq(core->stats.size, sizeof(netron_stats));
    ck_assert_uint_ne(netron_core_random(core), netron_core_random(core));
    ck_assert_uint_eq(starts, 0);
    struct netron_failure why;
    netron_fail(&why, NETRON_EPERM, "no");
    ck_assert_int_eq(netron_core_note(core, &why), NETRON_EPERM);
    netron_fail(&why, NETRON_EURL, "what noted it may change");
    ck_assert_str_eq(core->failure.sentence, "no");
    ck_assert_int_eq(core->failure.code, NETRON_EPERM);
}
END_TEST

/* ---- graves ---- */

struct buried {
    struct netron_grave grave; /* first, so that the one is the other */
    const char *name;
    struct buried *buries; /* what its destruction frees as well */
};

static void destroy(struct netron_grave *grave)
{
    struct buried *buried = (struct buried *)grave;
    netron_core_enter(core); /* as what is destroyed may do */
    strcat(happened, buried->name);
    if (buried->buries != NULL)
        netron_core_bury(core, &buried->buries->grave, destroy);
    free(buried);
    netron_core_leave(core);
    strcat(happened, ".");
}

static struct buried *make_buried(const char *name, struct buried *buries)
{
    struct buried *buried = malloc(sizeof(*buried));
    *buried = (struct buried){.name = name, .buries = buries};
    return buried;
}

START_TEST(what_is_buried_goes_when_the_outermost_entry_leaves)
{
    netron_core_enter(core);
    netron_core_enter(core);
    struct buried *buried = make_buried("a", NULL);
    netron_core_bury(core, &buried->grave, destroy);
    netron_core_leave(core);
    ck_assert_str_eq(happened, "");
    ck_assert_str_eq(buried->name, "a"); /* whoever is on the stack may still look at it */
    netron_core_enter(core);
    netron_core_leave(core);
    ck_assert_str_eq(happened, "");
    netron_core_leave(core);
    ck_assert_str_eq(happened, "a.");
    netron_core_enter(core);
    netron_core_leave(core);
    ck_assert_str_eq(happened, "a.");
}
END_TEST

START_TEST(what_a_destruction_buries_goes_in_the_same_leave_one_after_the_other)
{
    netron_core_enter(core);
    netron_core_bury(core, &make_buried("a", make_buried("b", make_buried("c", NULL)))->grave, destroy);
    netron_core_leave(core);
    ck_assert_str_eq(happened, "a.b.c.");
}
END_TEST

START_TEST(the_core_outlives_what_is_buried_with_it)
{
    netron_core_enter(core);
    netron_core_bury(core, &make_buried("a", make_buried("b", NULL))->grave, destroy);
    netron_core_dispose(core);
    netron_core_bury(core, &make_buried("c", NULL)->grave, destroy);
    netron_core_leave(core);
    ck_assert_uint_eq(strlen(happened), strlen("a.b.c."));
    ck_assert(loop.freed);
}
END_TEST

/* ---- deadlines ---- */

START_TEST(a_deadline_is_called_once_at_its_moment_and_not_before)
{
    struct netron_deadline deadline;
    init(&deadline, 'a');
    after(&deadline, 250);
    ck_assert_uint_eq(fake_loop_next(&loop), 250);
    fake_loop_advance(&loop, 249);
    ck_assert_str_eq(happened, "");
    fake_loop_advance(&loop, 1);
    ck_assert_str_eq(happened, "a");
    ck_assert(!deadline.set);
    ck_assert_uint_eq(fake_loop_next(&loop), UINT64_MAX);
    fake_loop_advance(&loop, 1000);
    ck_assert_str_eq(happened, "a");
}
END_TEST

START_TEST(deadlines_come_in_order_and_those_that_are_late_all_at_once)
{
    struct netron_deadline each[4];
    static const uint64_t delays[] = {30, 10, 20, 100};
    netron_core_enter(core);
    for (size_t i = 0; i < COUNT_OF(each); i++) {
        init(&each[i], "abcd"[i]);
        netron_core_after(core, &each[i], delays[i]);
    }
    netron_core_leave(core);
    loop.now += 50; /* the loop was held up */
    fake_loop_settle(&loop);
    ck_assert_str_eq(happened, "bca");
    ck_assert_uint_eq(fake_loop_next(&loop), 50);
    fake_loop_advance(&loop, 50);
    ck_assert_str_eq(happened, "bcad");
}
END_TEST

START_TEST(a_deadline_of_0_ms_waits_for_the_loop)
{
    struct netron_deadline deadline;
    init(&deadline, 'a');
    after(&deadline, 0);
    ck_assert_str_eq(happened, "");
    ck_assert_uint_eq(fake_loop_next(&loop), 0);
    fake_loop_settle(&loop);
    ck_assert_str_eq(happened, "a");
}
END_TEST

static struct netron_deadline chain[3];

static void set_next(void *arg)
{
    struct netron_deadline *deadline = arg;
    size_t position = (size_t)(deadline - chain);
    strcat(happened, "(");
    if (position + 1 < COUNT_OF(chain))
        netron_core_after(core, &chain[position + 1], 0);
    strcat(happened, ")");
}

static bool mark_turn(void *arg)
{
    (void)arg;
    strcat(happened, "|");
    return false;
}

START_TEST(what_is_set_from_within_a_deadline_waits_for_the_next_turn)
{
    struct netron_deadline other;
    loop.other_end = mark_turn; /* between two turns descriptors have theirs */
    for (size_t i = 0; i < COUNT_OF(chain); i++)
        netron_deadline_init(&chain[i], set_next, &chain[i]);
    init(&other, 'x');
    netron_core_enter(core);
    netron_core_after(core, &chain[0], 0);
    netron_core_after(core, &other, 0);
    netron_core_leave(core);
    fake_loop_settle(&loop);
    ck_assert_str_eq(happened, "()x|()|()||");
}
END_TEST

static void set_itself(void *arg)
{
    static int times;
    strcat(happened, "s");
    if (++times < 3)
        netron_core_after(core, arg, 40);
}

START_TEST(a_deadline_may_set_itself_again)
{
    struct netron_deadline deadline;
    netron_deadline_init(&deadline, set_itself, &deadline);
    after(&deadline, 40);
    fake_loop_advance(&loop, 80);
    ck_assert_str_eq(happened, "ss");
    fake_loop_advance(&loop, 500);
    ck_assert_str_eq(happened, "sss");
}
END_TEST

static void cancel_other(void *arg)
{
    strcat(happened, "k");
    netron_core_cancel(core, arg);
}

START_TEST(a_deadline_may_cancel_one_that_is_due_as_well)
{
    struct netron_deadline killer;
    struct netron_deadline victim;
    netron_deadline_init(&killer, cancel_other, &victim);
    init(&victim, 'v');
    netron_core_enter(core);
    netron_core_after(core, &killer, 10);
    netron_core_after(core, &victim, 10);
    netron_core_leave(core);
    fake_loop_advance(&loop, 100);
    ck_assert_str_eq(happened, "k");
}
END_TEST

static void dispose_core(void *arg)
{
    (void)arg;
    strcat(happened, "d");
    netron_core_dispose(core);
}

START_TEST(nothing_is_called_behind_a_deadline_that_disposes_of_the_core)
{
    struct netron_deadline last;
    struct netron_deadline never;
    netron_deadline_init(&last, dispose_core, NULL);
    init(&never, 'n');
    netron_core_enter(core);
    netron_core_after(core, &last, 10);
    netron_core_after(core, &never, 10);
    netron_core_leave(core);
    fake_loop_advance(&loop, 100);
    ck_assert_str_eq(happened, "d");
    ck_assert(loop.freed);
}
END_TEST

/* ---- the timer ---- */

START_TEST(the_timer_is_started_again_only_when_the_first_moment_changes)
{
    struct netron_deadline first;
    struct netron_deadline second;
    init(&first, '1');
    init(&second, '2');
    after(&first, 100);
    ck_assert_uint_eq(starts, 1);
    after(&second, 200); /* behind the first */
    after(&first, 100);  /* to where it is */
    cancel(&second);
    after(&second, 300);
    ck_assert_uint_eq(starts, 1);
    after(&second, 50);
    ck_assert_uint_eq(starts, 2);
    ck_assert_uint_eq(fake_loop_next(&loop), 50);
    cancel(&second);
    ck_assert_uint_eq(fake_loop_next(&loop), 100);
    ck_assert_uint_eq(stops, 0);
    cancel(&first);
    ck_assert_uint_eq(stops, 1);
    ck_assert_uint_eq(fake_loop_next(&loop), UINT64_MAX);
    cancel(&first);
    ck_assert_uint_eq(stops, 1);
}
END_TEST

START_TEST(the_timer_is_moved_once_however_often_deadlines_were)
{
    struct netron_deadline deadline;
    init(&deadline, 'a');
    netron_core_enter(core);
    for (uint64_t delay = 500; delay > 100; delay--) {
        netron_core_enter(core);
        netron_core_after(core, &deadline, delay);
        netron_core_leave(core);
    }
    netron_core_cancel(core, &deadline);
    netron_core_after(core, &deadline, 70);
    ck_assert_uint_eq(starts, 0);
    netron_core_leave(core);
    ck_assert_uint_eq(starts, 1);
    ck_assert_uint_eq(stops, 0);
    ck_assert_uint_eq(fake_loop_next(&loop), 70);
}
END_TEST

START_TEST(a_timer_that_fires_too_soon_calls_nothing_and_is_started_again)
{
    struct netron_deadline deadline;
    early_by = 7;
    init(&deadline, 'a');
    after(&deadline, 100);
    fake_loop_advance(&loop, 99);
    ck_assert_str_eq(happened, "");
    ck_assert_uint_gt(starts, 1);
    fake_loop_advance(&loop, 1);
    ck_assert_str_eq(happened, "a");
}
END_TEST

START_TEST(a_timer_that_was_refused_is_told_and_tried_again)
{
    struct netron_deadline deadline;
    init(&deadline, 'a');
    loop.fail_timer_start = 1;
    after(&deadline, 100);
    ck_assert_uint_eq(fake_loop_next(&loop), UINT64_MAX);
    ck_assert_int_eq(log_count(&lines, "timer"), 1);
    ck_assert_int_eq(lines.level[0], NETRON_LOG_ERROR);
    loop.now += 30;
    netron_core_enter(core);
    netron_core_leave(core);
    ck_assert_uint_eq(fake_loop_next(&loop), 70);
    fake_loop_advance(&loop, 70);
    ck_assert_str_eq(happened, "a");
    ck_assert_int_eq(lines.count, 1);
}
END_TEST

static TCase *core_case(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);
    tcase_add_checked_fixture(tcase, begin, end);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("core");
    TCase *tcase = core_case(suite, "life");
    tcase_add_test(tcase, a_loop_without_a_timer_makes_no_core_and_stays_the_callers);
    tcase_add_test(tcase, an_owned_loop_is_freed_at_the_outermost_leave);
    tcase_add_test(tcase, a_loop_that_is_not_owned_stays);
    tcase_add_test(tcase, a_new_core_knows_its_loop_its_log_and_no_failure);
    tcase_add_test(tcase, what_is_buried_goes_when_the_outermost_entry_leaves);
    tcase_add_test(tcase, what_a_destruction_buries_goes_in_the_same_leave_one_after_the_other);
    tcase_add_test(tcase, the_core_outlives_what_is_buried_with_it);
    tcase = core_case(suite, "deadlines");
    tcase_add_test(tcase, a_deadline_is_called_once_at_its_moment_and_not_before);
    tcase_add_test(tcase, deadlines_come_in_order_and_those_that_are_late_all_at_once);
    tcase_add_test(tcase, a_deadline_of_0_ms_waits_for_the_loop);
    tcase_add_test(tcase, what_is_set_from_within_a_deadline_waits_for_the_next_turn);
    tcase_add_test(tcase, a_deadline_may_set_itself_again);
    tcase_add_test(tcase, a_deadline_may_cancel_one_that_is_due_as_well);
    tcase_add_test(tcase, nothing_is_called_behind_a_deadline_that_disposes_of_the_core);
    tcase = core_case(suite, "timer");
    tcase_add_test(tcase, the_timer_is_started_again_only_when_the_first_moment_changes);
    tcase_add_test(tcase, the_timer_is_moved_once_however_often_deadlines_were);
    tcase_add_test(tcase, a_timer_that_fires_too_soon_calls_nothing_and_is_started_again);
    tcase_add_test(tcase, a_timer_that_was_refused_is_told_and_tried_again);
    return suite_run(suite);
}
