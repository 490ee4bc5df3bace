/* SPDX-License-Identifier: MIT */
/* What the tests of the seam's contract (loop.h) share: the reactor, and watches that write down what they are told. */
#ifndef NETRON_TEST_SEAM_H
#define NETRON_TEST_SEAM_H

#include "suite.h"
#include "world.h"
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static struct world world;
static netron_loop *loop;

static inline void open_seam(void)
{
    world_open(&world);
    loop = reactor_loop(world.reactor);
}

static inline void close_seam(void)
{
    world_close(&world);
}

struct watch {
    void *io;
    int fd;
    int calls;
    unsigned seen;                     /* all that it was ever told */
    void (*then)(struct watch *watch); /* what it does about it; NULL = nothing */
    struct watch *other;               /* for that */
    bool is_inside;                    /* its callback, just now */
};

static inline void on_watch(unsigned events, void *arg)
{
    struct watch *watch = arg;
    ck_assert_msg(watch->io != NULL, "a watch was called after it was freed");
    ck_assert_uint_ne(events, 0);
    ck_assert_uint_eq(events & ~(NETRON_READABLE | NETRON_WRITABLE), 0);
    watch->calls++;
    watch->seen |= events;
    watch->is_inside = true;
    if (watch->then != NULL)
        watch->then(watch);
    watch->is_inside = false;
}

static inline void watch_begin(struct watch *watch, unsigned events)
{
    watch->io = loop->io_new(loop, watch->fd, events, on_watch, watch);
    ck_assert_ptr_nonnull(watch->io);
    ck_assert_int_eq(watch->calls, 0); /* never from inside a call */
}

static inline void watch_change(struct watch *watch, unsigned events)
{
    int before = watch->calls;
    ck_assert_int_eq(loop->io_update(loop, watch->io, events), 0);
    ck_assert_int_eq(watch->calls, before);
}

static inline void watch_end(struct watch *watch)
{
    if (watch->io != NULL)
        loop->io_free(loop, watch->io);
    watch->io = NULL;
}

/* Two ends of a connection; nothing blocks. */
static inline void connected_pair(int ends[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
}

static inline void put_byte(int fd)
{
    ck_assert_int_eq(write(fd, "x", 1), 1);
}

/* Turns the loop for that long, and returns how often it turned. A loop that has nothing to do waits, so a few times.
 */
static inline int turns_within(unsigned ms)
{
    int turns = 0;
    for (uint64_t end = world_clock_ms() + ms; world_clock_ms() < end; turns++)
        reactor_turn(world.reactor, ms);
    return turns;
}

#define SPINNING 100 /* turns within 50 ms: a loop that has nothing to do makes two or three */

#endif
