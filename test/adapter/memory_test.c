/* SPDX-License-Identifier: MIT */
/* Loop objects when memory is out, and more of them than one on a reactor. */
#include "failing_allocations.h"
#include "seam.h"
#include <netron/error.h>
#include <string.h>

static void on_nothing(void *arg)
{
    (void)arg;
    ck_abort_msg("nothing was made that could be called");
}

static void on_no_event(unsigned events, void *arg)
{
    (void)events;
    on_nothing(arg);
}

START_TEST(without_memory_nothing_is_made)
{
    int ends[2];
    connected_pair(ends);
    allocations_left = 0;
    netron_loop *again = reactor_loop_again(world.reactor);
    void *timer = loop->timer_new(loop, on_nothing, NULL);
    void *io = loop->io_new(loop, ends[0], NETRON_READABLE, on_no_event, NULL);
    allocations_left = -1;
    ck_assert_ptr_null(again);
    ck_assert_ptr_null(timer);
    if (io != NULL) { /* GLib has an allocator of its own, which ends the process when there is no memory */
        ck_assert_str_eq(reactor_name, "glib");
        loop->io_free(loop, io);
    }
    turns_within(5);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* All that the table makes, each allocation in turn. */
START_TEST(what_cannot_be_made_leaves_nothing)
{
    int ends[2];
    bool has_had_enough = false;
    connected_pair(ends);
    for (long granted = 0; !has_had_enough; granted++) {
        allocations_left = granted;
        netron_loop *again = reactor_loop_again(world.reactor);
        void *timer = loop->timer_new(loop, on_nothing, NULL);
        void *io = loop->io_new(loop, ends[0], NETRON_READABLE, on_no_event, NULL);
        has_had_enough = allocations_left > 0;
        allocations_left = -1;
        if (io != NULL)
            loop->io_free(loop, io);
        if (timer != NULL)
            loop->timer_free(loop, timer);
        netron_loop_free(again);
        turns_within(2);
        ck_assert_int_lt(granted, 100);
    }
    close(ends[0]);
    close(ends[1]);
}
END_TEST

static uint64_t fired_at;

static void on_fire(void *arg)
{
    (void)arg;
    ck_assert_uint_eq(fired_at, 0);
    fired_at = loop->now(loop);
}

/* A discovery has one, and would never wake up again. */
START_TEST(a_timer_that_was_made_starts_and_stops_without_memory)
{
    void *timer = loop->timer_new(loop, on_fire, NULL);
    void *stopped = loop->timer_new(loop, on_nothing, NULL);
    uint64_t start = loop->now(loop);
    allocations_left = 0;
    int codes[] = {loop->timer_start(loop, timer, 5), loop->timer_start(loop, timer, 30),
                   loop->timer_start(loop, stopped, 1)};
    loop->timer_stop(loop, stopped);
    allocations_left = -1;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(codes[i], 0);
    AWAIT(&world, fired_at != 0);
    ck_assert_uint_ge(fired_at - start, 30);
    turns_within(30);
    loop->timer_free(loop, timer);
    loop->timer_free(loop, stopped);
}
END_TEST

/* Each allocation in turn; what was made until then is taken down, which the sanitizers and valgrind look at. */
START_TEST(a_discovery_that_cannot_be_made_leaves_nothing)
{
    const netron_options options = world_options("unix:///nonexistent");
    bool has_had_enough = false;
    for (long granted = 0; !has_had_enough; granted++) {
        netron_discovery *discovery = NULL;
        allocations_left = granted;
        int code = reactor_discovery_new(world.reactor, &options, &discovery);
        int view_code = code == 0 ? netron_view_open(discovery) : 0;
        has_had_enough = allocations_left > 0;
        allocations_left = -1;
        ck_assert(code == 0 || code == NETRON_ENOMEM || code == NETRON_ELOOP);
        ck_assert(view_code == 0 || view_code == NETRON_ENOMEM || view_code == NETRON_ELOOP);
        ck_assert((code == 0) == (discovery != NULL));
        world_turn(&world);
        netron_discovery_free(discovery);
        ck_assert_int_lt(granted, 1000);
    }
}
END_TEST

START_TEST(a_reactor_may_have_several_loop_objects)
{
    netron_loop *other = reactor_loop_again(world.reactor);
    struct watch watch = {0};
    int ends[2];
    ck_assert_ptr_nonnull(other);
    connected_pair(ends);
    watch.fd = ends[0];
    netron_loop_free(other);
    put_byte(ends[1]);
    watch_begin(&watch, NETRON_READABLE);
    AWAIT(&world, watch.calls > 0);
    watch_end(&watch);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    allocations_of_libraries();
    TCase *tcase = suite_case(suite, reactor_name);
    tcase_add_checked_fixture(tcase, open_seam, close_seam);
    tcase_add_test(tcase, without_memory_nothing_is_made);
    tcase_add_test(tcase, what_cannot_be_made_leaves_nothing);
    tcase_add_test(tcase, a_timer_that_was_made_starts_and_stops_without_memory);
    tcase_add_test(tcase, a_discovery_that_cannot_be_made_leaves_nothing);
    tcase_add_test(tcase, a_reactor_may_have_several_loop_objects);
    return suite_run(suite);
}
