/* SPDX-License-Identifier: MIT */
/* The contract of loop.h for timers and the clock, on whatever reactor this is linked with. */
#include "seam.h"

struct alarm {
    void *timer;
    int calls;
    int order;    /* which of all it was, counted from 1 */
    uint64_t due; /* not before */
    int again;    /* so often it starts itself, at that delay: */
    uint64_t again_ms;
    void (*then)(struct alarm *alarm);
    struct alarm *other;
};

static int called; /* how many were, in all */

static void start(struct alarm *alarm, uint64_t delay_ms)
{
    int before = alarm->calls;
    alarm->due = loop->now(loop) + delay_ms;
    ck_assert_int_eq(loop->timer_start(loop, alarm->timer, delay_ms), 0);
    ck_assert_int_eq(alarm->calls, before); /* never from inside a call */
}

static void end(struct alarm *alarm)
{
    if (alarm->timer != NULL)
        loop->timer_free(loop, alarm->timer);
    alarm->timer = NULL;
}

static void on_alarm(void *arg)
{
    struct alarm *alarm = arg;
    ck_assert_msg(alarm->timer != NULL, "a timer was called after it was freed");
    ck_assert_uint_ge(loop->now(loop), alarm->due);
    alarm->due = UINT64_MAX; /* not again, unless it is started */
    alarm->calls++;
    alarm->order = ++called;
    if (alarm->then != NULL)
        alarm->then(alarm);
    if (alarm->again > 0) {
        alarm->again--;
        start(alarm, alarm->again_ms);
    }
}

static void begin(struct alarm *alarm)
{
    alarm->timer = loop->timer_new(loop, on_alarm, alarm);
    ck_assert_ptr_nonnull(alarm->timer);
}

static void begin_and_start(struct alarm *alarm, uint64_t delay_ms)
{
    begin(alarm);
    start(alarm, delay_ms);
}

/* Nothing turns meanwhile, so everything that is due comes in one turn. */
static void stall(unsigned ms)
{
    for (uint64_t end_at = world_clock_ms() + ms; world_clock_ms() < end_at;)
        ;
}

/* ---- one timer ---- */

START_TEST(a_timer_fires_once_and_not_early)
{
    static const uint64_t delays[] = {0, 1, 2, 10, 30};
    struct alarm alarm = {0};
    begin_and_start(&alarm, delays[_i]);
    AWAIT(&world, alarm.calls == 1);
    turns_within(10);
    ck_assert_int_eq(alarm.calls, 1);
    end(&alarm);
}
END_TEST

START_TEST(a_timer_that_was_not_started_does_not_fire)
{
    struct alarm alarm = {0};
    begin(&alarm);
    ck_assert_int_lt(turns_within(50), SPINNING);
    loop->timer_stop(loop, alarm.timer);
    loop->timer_stop(loop, alarm.timer);
    turns_within(5);
    ck_assert_int_eq(alarm.calls, 0);
    end(&alarm);
}
END_TEST

START_TEST(a_timer_that_was_stopped_does_not_fire)
{
    struct alarm alarm = {0};
    begin_and_start(&alarm, (uint64_t)_i);
    stall(2); /* it is due, and nobody has looked yet */
    loop->timer_stop(loop, alarm.timer);
    turns_within(10);
    ck_assert_int_eq(alarm.calls, 0);
    start(&alarm, 1);
    AWAIT(&world, alarm.calls == 1);
    end(&alarm);
}
END_TEST

START_TEST(starting_again_replaces_the_earlier_time)
{
    struct alarm alarm = {0};
    begin_and_start(&alarm, 1);
    start(&alarm, 40); /* that it is not called before this is looked at in its callback */
    AWAIT(&world, alarm.calls == 1);
    start(&alarm, 60000);
    start(&alarm, 2);
    AWAIT(&world, alarm.calls == 2);
    turns_within(5);
    ck_assert_int_eq(alarm.calls, 2);
    end(&alarm);
}
END_TEST

static void start_late(struct alarm *alarm)
{
    stall(30); /* what the loop takes for the time is old now */
    start(alarm->other, 20);
}

START_TEST(a_delay_counts_from_the_call_and_not_from_the_turn)
{
    struct alarm alarm = {0};
    struct alarm first = {.then = start_late, .other = &alarm};
    begin(&alarm);
    begin(&first);
    if (_i == 0) {
        world_turn(&world);
        start_late(&first);
    } else {
        start(&first, 0);
    }
    AWAIT(&world, alarm.calls == 1); /* it looks whether that is early */
    end(&first);
    end(&alarm);
}
END_TEST

START_TEST(a_very_long_timer_neither_fires_nor_disturbs_the_others)
{
    static const uint64_t delays[] = {86400000, UINT32_MAX, UINT64_C(1) << 42, UINT64_MAX / 1000, UINT64_MAX};
    struct alarm slow = {0};
    struct alarm quick = {0};
    begin(&slow);
    ck_assert_int_eq(loop->timer_start(loop, slow.timer, delays[_i]), 0);
    begin_and_start(&quick, 5);
    AWAIT(&world, quick.calls == 1);
    ck_assert_int_lt(turns_within(50), SPINNING);
    ck_assert_int_eq(slow.calls, 0);
    start(&slow, 1);
    AWAIT(&world, slow.calls == 1);
    end(&slow);
    end(&quick);
}
END_TEST

/* ---- inside callbacks ---- */

START_TEST(a_timer_may_start_itself_again)
{
    struct alarm alarm = {.again = 20, .again_ms = (uint64_t)_i};
    begin_and_start(&alarm, 0);
    AWAIT(&world, alarm.calls == 21);
    turns_within(5);
    ck_assert_int_eq(alarm.calls, 21);
    end(&alarm);
}
END_TEST

static void start_other(struct alarm *alarm)
{
    start(alarm->other, 0);
}

/* Itself, or each other. */
START_TEST(timers_that_start_at_once_again_and_again_let_watches_be_served)
{
    int ends[2];
    struct alarm other = {.then = start_other};
    struct alarm alarm = {.again = _i == 0 ? 1000000 : 0, .then = _i == 0 ? NULL : start_other, .other = &other};
    other.other = &alarm;
    connected_pair(ends);
    struct watch watch = {.fd = ends[0]};
    put_byte(ends[1]);
    begin(&other);
    begin_and_start(&alarm, 0);
    watch_begin(&watch, NETRON_READABLE);
    AWAIT(&world, watch.calls > 3 && alarm.calls > 3);
    ck_assert_int_lt(alarm.calls, 1000000);
    watch_end(&watch);
    end(&alarm);
    end(&other);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(a_timer_may_be_freed_in_its_own_callback)
{
    struct alarm alarm = {.then = end};
    begin_and_start(&alarm, (uint64_t)_i);
    AWAIT(&world, alarm.calls == 1);
    turns_within(5);
}
END_TEST

static void stop_itself(struct alarm *alarm)
{
    start(alarm, 0);
    loop->timer_stop(loop, alarm->timer);
}

START_TEST(a_timer_may_be_stopped_in_its_own_callback)
{
    struct alarm alarm = {.then = stop_itself};
    begin_and_start(&alarm, 1);
    AWAIT(&world, alarm.calls == 1);
    turns_within(10);
    ck_assert_int_eq(alarm.calls, 1);
    end(&alarm);
}
END_TEST

static void stop_other(struct alarm *alarm)
{
    loop->timer_stop(loop, alarm->other->timer);
}

static void free_other(struct alarm *alarm)
{
    end(alarm->other);
}

static void delay_other(struct alarm *alarm)
{
    start(alarm->other, 20);
}

/* Both are due in the same turn. */
START_TEST(a_timer_may_be_stopped_freed_or_put_off_in_anothers_callback)
{
    static void (*const ways[])(struct alarm *) = {stop_other, free_other, delay_other};
    struct alarm second = {0};
    struct alarm first = {.then = ways[_i], .other = &second};
    begin(&second);
    begin_and_start(&first, 1);
    start(&second, 2);
    stall(10);
    AWAIT(&world, first.calls == 1);
    if (_i == 2)
        AWAIT(&world, second.calls == 1); /* that it is not early is looked at in its callback */
    turns_within(10);
    ck_assert_int_eq(second.calls, _i == 2);
    end(&first);
    end(&second);
}
END_TEST

START_TEST(a_timer_may_be_started_in_anothers_callback)
{
    struct alarm second = {0};
    struct alarm first = {.then = start_other, .other = &second};
    begin(&second);
    begin_and_start(&first, 0);
    AWAIT(&world, second.calls == 1);
    end(&first);
    end(&second);
}
END_TEST

/* ---- the order ---- */

START_TEST(timers_run_in_the_order_of_their_times)
{
    static const uint64_t delays[][4] = {{10, 30, 50, 70}, {70, 50, 30, 10}, {50, 10, 70, 30}, {30, 70, 10, 50}};
    struct alarm alarms[4] = {0};
    uint64_t due[4]; /* between this and */
    uint64_t due_by[4];
    for (int i = 0; i < 4; i++)
        begin(&alarms[i]);
    for (int i = 0; i < 4; i++) {
        start(&alarms[i], delays[_i][i]);
        due[i] = alarms[i].due;
        due_by[i] = loop->now(loop) + delays[_i][i];
    }
    stall(100); /* all are due at once */
    AWAIT(&world, called == 4);
    for (int i = 0; i < 4; i++) {
        for (int other = 0; other < 4; other++) /* a slow machine may have taken its time to start them */
            ck_assert(due_by[i] + 2 >= due[other] || alarms[i].order < alarms[other].order);
        end(&alarms[i]);
    }
}
END_TEST

/* ---- the clock ---- */

/* The time of day is decades away from it. */
START_TEST(the_clock_is_the_monotonic_one)
{
    uint64_t before = world_clock_ms();
    uint64_t now = loop->now(loop);
    ck_assert_uint_ge(now + 10, before); /* a clock that is kept for a turn, or a coarse one */
    ck_assert_uint_le(now, world_clock_ms());
    for (int i = 0; i < 20; i++) {
        world_turn(&world);
        ck_assert_uint_ge(loop->now(loop), now);
        now = loop->now(loop);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("timers");
    TCase *tcase = suite_case(suite, reactor_name);
    tcase_add_checked_fixture(tcase, open_seam, close_seam);
    tcase_add_loop_test(tcase, a_timer_fires_once_and_not_early, 0, 5);
    tcase_add_test(tcase, a_timer_that_was_not_started_does_not_fire);
    tcase_add_loop_test(tcase, a_timer_that_was_stopped_does_not_fire, 0, 2);
    tcase_add_test(tcase, starting_again_replaces_the_earlier_time);
    tcase_add_loop_test(tcase, a_delay_counts_from_the_call_and_not_from_the_turn, 0, 2);
    tcase_add_loop_test(tcase, a_very_long_timer_neither_fires_nor_disturbs_the_others, 0, 5);
    tcase_add_loop_test(tcase, a_timer_may_start_itself_again, 0, 2);
    tcase_add_loop_test(tcase, timers_that_start_at_once_again_and_again_let_watches_be_served, 0, 2);
    tcase_add_loop_test(tcase, a_timer_may_be_freed_in_its_own_callback, 0, 2);
    tcase_add_test(tcase, a_timer_may_be_stopped_in_its_own_callback);
    tcase_add_loop_test(tcase, a_timer_may_be_stopped_freed_or_put_off_in_anothers_callback, 0, 3);
    tcase_add_test(tcase, a_timer_may_be_started_in_anothers_callback);
    tcase_add_loop_test(tcase, timers_run_in_the_order_of_their_times, 0, 4);
    tcase_add_test(tcase, the_clock_is_the_monotonic_one);
    return suite_run(suite);
}
