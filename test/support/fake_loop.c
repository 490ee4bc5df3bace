/* SPDX-License-Identifier: MIT */
#include "fake_loop.h"
#include <check.h>
#include <netron/error.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define TURNS_MAX 5000 /* at one moment of the clock; what needs more spins */

#define FEW 8

struct fake_io {
    struct fake_io *prev, *next;
    int fd;
    unsigned events;
    netron_io_fn fn;
    void *arg;
    bool visited; /* in this turn */
};

struct fake_timer {
    struct fake_timer *prev, *next;
    bool runs;
    uint64_t at;
    netron_timer_fn fn;
    void *arg;
};

static struct fake_loop *of(netron_loop *seam)
{
    return seam->data;
}

static bool fails(unsigned *count)
{
    if (*count == 0)
        return false;
    --*count;
    return true;
}

/* ---- the table ---- */

static void *io_new(netron_loop *seam, int fd, unsigned events, netron_io_fn fn, void *arg)
{
    struct fake_loop *loop = of(seam);
    struct fake_io *each;
    if (fails(&loop->fail_io_new))
        return NULL;
    DL_FOREACH(loop->ios, each)
    ck_assert_msg(each->fd != fd, "a second watch for one descriptor");
    struct fake_io *io = calloc(1, sizeof(*io));
    if (io == NULL)
        return NULL;
    *io = (struct fake_io){.fd = fd, .events = events, .fn = fn, .arg = arg, .visited = true};
    DL_APPEND(loop->ios, io);
    loop->watches++;
    return io;
}

static int io_update(netron_loop *seam, void *handle, unsigned events)
{
    struct fake_io *io = handle;
    if (fails(&of(seam)->fail_io_update))
        return NETRON_ELOOP;
    io->events = events;
    return 0;
}

static void io_free(netron_loop *seam, void *handle)
{
    struct fake_io *io = handle;
    struct pollfd descriptor = {.fd = io->fd};
    poll(&descriptor, 1, 0);
    ck_assert_msg((descriptor.revents & POLLNVAL) == 0, "the descriptor was closed before its watch was freed");
    DL_DELETE(of(seam)->ios, io);
    free(io);
}

static void *timer_new(netron_loop *seam, netron_timer_fn fn, void *arg)
{
    struct fake_loop *loop = of(seam);
    if (fails(&loop->fail_timer_new))
        return NULL;
    struct fake_timer *timer = calloc(1, sizeof(*timer));
    if (timer == NULL)
        return NULL;
    *timer = (struct fake_timer){.fn = fn, .arg = arg};
    DL_APPEND(loop->timers, timer);
    return timer;
}

static int timer_start(netron_loop *seam, void *handle, uint64_t delay_ms)
{
    struct fake_timer *timer = handle;
    if (fails(&of(seam)->fail_timer_start))
        return NETRON_ELOOP;
    timer->runs = true;
    timer->at = of(seam)->now + delay_ms;
    return 0;
}

static void timer_stop(netron_loop *seam, void *handle)
{
    (void)seam;
    struct fake_timer *timer = handle;
    timer->runs = false;
}

static void timer_free(netron_loop *seam, void *handle)
{
    DL_DELETE(of(seam)->timers, (struct fake_timer *)handle);
    free(handle);
}

static uint64_t now(netron_loop *seam)
{
    return of(seam)->now;
}

static void *resolve(netron_loop *seam, const char *host, netron_resolve_fn fn, void *arg)
{
    struct fake_loop *loop = of(seam);
    ck_assert_msg(loop->resolved == NULL, "two resolutions at a time");
    loop->resolutions++;
    if (loop->refuse_to_resolve)
        return NULL;
    strncpy(loop->resolving, host, sizeof(loop->resolving) - 1);
    loop->resolved = fn;
    loop->resolved_arg = arg;
    return loop->resolving;
}

static void resolve_cancel(netron_loop *seam, void *resolution)
{
    ck_assert_ptr_eq(resolution, of(seam)->resolving);
    of(seam)->resolved = NULL;
}

static void loop_free(netron_loop *seam)
{
    of(seam)->freed = true;
}

void fake_loop_init(struct fake_loop *loop)
{
    *loop = (struct fake_loop){.now = 1000000};
    loop->seam = (netron_loop){
        .size = sizeof(netron_loop),
        .data = loop,
        .io_new = io_new,
        .io_update = io_update,
        .io_free = io_free,
        .timer_new = timer_new,
        .timer_start = timer_start,
        .timer_stop = timer_stop,
        .timer_free = timer_free,
        .now = now,
        .resolve = resolve,
        .resolve_cancel = resolve_cancel,
        .free = loop_free,
    };
}

void fake_loop_clear(struct fake_loop *loop)
{
    ck_assert_msg(loop->ios == NULL, "a watch is left on the loop");
    ck_assert_msg(loop->timers == NULL, "a timer is left on the loop");
    ck_assert_msg(loop->resolved == NULL, "a resolution is left on the loop");
}

/* ---- running ---- */

static struct pollfd descriptor_of(const struct fake_io *io)
{
    struct pollfd descriptor = {.fd = io->events != 0 ? io->fd : -1};
    if (io->events & NETRON_READABLE)
        descriptor.events |= POLLIN;
    if (io->events & NETRON_WRITABLE)
        descriptor.events |= POLLOUT;
    return descriptor;
}

/* Most turns find nothing, and one question tells that of the first few watches, which are all that most loops have. */
static bool is_quiet(const struct fake_loop *loop)
{
    struct pollfd descriptors[FEW];
    nfds_t count = 0;
    const struct fake_io *io;
    DL_FOREACH(loop->ios, io)
    {
        if (count == FEW)
            return false;
        descriptors[count++] = descriptor_of(io);
    }
    return poll(descriptors, count, 0) == 0;
}

/* Any callback may free any watch, so the walk begins again after each; a watch is called once in a turn. */
static bool run_ios(struct fake_loop *loop)
{
    bool ran = false;
    struct fake_io *io;
    if (is_quiet(loop))
        return false;
    DL_FOREACH(loop->ios, io)
    io->visited = false;
    for (;;) {
        io = loop->ios;
        while (io != NULL && io->visited)
            io = io->next;
        if (io == NULL)
            return ran;
        io->visited = true;
        struct pollfd descriptor = descriptor_of(io);
        unsigned ready = 0;
        if (io->events != 0 && poll(&descriptor, 1, 0) > 0) {
            if (descriptor.revents & (POLLIN | POLLERR | POLLHUP))
                ready |= NETRON_READABLE;
            if (descriptor.revents & (POLLOUT | POLLERR | POLLHUP))
                ready |= NETRON_WRITABLE;
        }
        ready &= io->events;
        if (ready != 0) {
            ran = true;
            io->fn(ready, io->arg);
        }
    }
}

static struct fake_timer *first_timer(const struct fake_loop *loop)
{
    struct fake_timer *first = NULL;
    struct fake_timer *timer;
    DL_FOREACH(loop->timers, timer)
    if (timer->runs && (first == NULL || timer->at < first->at))
        first = timer;
    return first;
}

static bool run_timer(struct fake_loop *loop)
{
    struct fake_timer *timer = first_timer(loop);
    if (timer == NULL || timer->at > loop->now)
        return false;
    timer->runs = false;
    timer->fn(timer->arg);
    return true;
}

void fake_loop_settle(struct fake_loop *loop)
{
    bool busy = true;
    for (unsigned turn = 0; busy; turn++) {
        ck_assert_msg(turn < TURNS_MAX, "the library spins");
        busy = run_ios(loop);
        busy = run_timer(loop) || busy;
        if (loop->other_end != NULL)
            busy = loop->other_end(loop->other_end_arg) || busy;
    }
}

uint64_t fake_loop_next(const struct fake_loop *loop)
{
    const struct fake_timer *timer = first_timer(loop);
    if (timer == NULL)
        return UINT64_MAX;
    return timer->at > loop->now ? timer->at - loop->now : 0;
}

void fake_loop_advance(struct fake_loop *loop, uint64_t ms)
{
    uint64_t target = loop->now + ms;
    for (;;) {
        fake_loop_settle(loop);
        uint64_t next = fake_loop_next(loop);
        if (next == UINT64_MAX || loop->now + next > target)
            break;
        loop->now += next;
    }
    loop->now = target;
}

void fake_loop_resolve(struct fake_loop *loop, const char *const *addresses, size_t count)
{
    netron_resolve_fn fn = loop->resolved;
    ck_assert_msg(fn != NULL, "nothing is being resolved");
    loop->resolved = NULL;
    if (addresses != NULL)
        fn(0, addresses, count, NULL, loop->resolved_arg);
    else
        fn(NETRON_ERESOLVE, NULL, 0, "no such host", loop->resolved_arg);
    fake_loop_settle(loop);
}
