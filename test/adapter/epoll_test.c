/* SPDX-License-Identifier: MIT */
/* What only the loop without a reactor has: running, stopping, one descriptor for others, and an end without a trace.
 */
#include "suite.h"
#include <netron/adapters/epoll.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>

static netron_loop *loop;

static void open_loop(void)
{
    loop = netron_epoll_loop();
    ck_assert_ptr_nonnull(loop);
}

static void close_loop(void)
{
    netron_loop_free(loop);
}

/* Within that time; whether the loop says to others that it has something to do. */
static bool is_ready(int wait_ms)
{
    struct pollfd watched = {.fd = netron_epoll_fd(loop), .events = POLLIN};
    return poll(&watched, 1, wait_ms) == 1;
}

struct counter {
    int calls;
    int until;
    void *timer;
};

static void on_timer(void *arg)
{
    struct counter *counter = arg;
    ck_assert_int_eq(netron_epoll_dispatch(loop), NETRON_EINVAL);
    ck_assert_int_eq(netron_epoll_run(loop), NETRON_EINVAL);
    if (++counter->calls == counter->until)
        netron_epoll_stop(loop);
    else
        ck_assert_int_eq(loop->timer_start(loop, counter->timer, 1), 0);
}

START_TEST(it_runs_until_it_is_stopped)
{
    struct counter counter = {.until = 5};
    counter.timer = loop->timer_new(loop, on_timer, &counter);
    ck_assert_int_eq(loop->timer_start(loop, counter.timer, 0), 0);
    ck_assert_int_eq(netron_epoll_run(loop), 0);
    ck_assert_int_eq(counter.calls, 5);
    counter.until = 7; /* it can be run again */
    ck_assert_int_eq(loop->timer_start(loop, counter.timer, 0), 0);
    ck_assert_int_eq(netron_epoll_run(loop), 0);
    ck_assert_int_eq(counter.calls, 7);
    loop->timer_free(loop, counter.timer);
}
END_TEST

START_TEST(its_descriptor_is_readable_when_a_timer_is_due)
{
    struct counter counter = {.until = 1};
    ck_assert(!is_ready(0));
    counter.timer = loop->timer_new(loop, on_timer, &counter);
    ck_assert_int_eq(loop->timer_start(loop, counter.timer, 60000), 0);
    ck_assert(!is_ready(20));
    ck_assert_int_eq(netron_epoll_dispatch(loop), 0); /* for nothing, which is allowed */
    ck_assert_int_eq(loop->timer_start(loop, counter.timer, 10), 0);
    ck_assert(is_ready(10000));
    while (counter.calls == 0)
        ck_assert_int_eq(netron_epoll_dispatch(loop), 0);
    ck_assert(!is_ready(20));
    loop->timer_free(loop, counter.timer);
}
END_TEST

static void on_io(unsigned events, void *arg)
{
    (void)events;
    ++*(int *)arg;
}

START_TEST(its_descriptor_is_readable_when_a_watch_has_something)
{
    int ends[2];
    int calls = 0;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    void *io = loop->io_new(loop, ends[0], NETRON_READABLE, on_io, &calls);
    ck_assert(!is_ready(20));
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert(is_ready(10000));
    ck_assert_int_eq(netron_epoll_dispatch(loop), 0);
    ck_assert_int_eq(calls, 1);
    loop->io_free(loop, io);
    ck_assert(!is_ready(20));
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* The descriptors of the suite stand below these numbers, so none, or only one more, can be opened. */
START_TEST(a_loop_that_cannot_be_made_leaves_nothing)
{
    struct rlimit limit;
    int next = dup(0);
    ck_assert_int_ge(next, 0);
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit tight = {.rlim_cur = (rlim_t)(next + _i), .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    ck_assert_ptr_null(netron_epoll_loop());
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int again = dup(0);
    ck_assert_int_eq(again, next);
    close(again);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("epoll");
    TCase *tcase = suite_case(suite, "epoll");
    tcase_add_checked_fixture(tcase, open_loop, close_loop);
    tcase_add_test(tcase, it_runs_until_it_is_stopped);
    tcase_add_test(tcase, its_descriptor_is_readable_when_a_timer_is_due);
    tcase_add_test(tcase, its_descriptor_is_readable_when_a_watch_has_something);
    tcase_add_loop_test(tcase, a_loop_that_cannot_be_made_leaves_nothing, 0, 2);
    return suite_run(suite);
}
