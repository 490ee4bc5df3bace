/* SPDX-License-Identifier: MIT */
/*
 * A netron_loop on a libev loop (libev 4, built with EV_MULTIPLICITY, its default). A discovery keeps ev_run() running
 * until it is freed. libev ends the process when it has no memory; where this header allocates it returns NULL.
 *
 * Host names need a resolver of yours: loop.h, at `resolve`.
 * With a strict standard of C (-std=c99, c11, c17) define _POSIX_C_SOURCE=200809L before the first header of all, best
 * on the command line; gnuNN and C++ need nothing.
 */
#ifndef NETRON_ADAPTERS_LIBEV_H
#define NETRON_ADAPTERS_LIBEV_H

#include "timers.h"
#include <netron/error.h>
#include <netron/loop.h>

#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct netron_libev {
    netron_loop seam;
    struct ev_loop *loop;
};

struct netron_libev_io {
    ev_io watcher;
    struct ev_loop *loop;
    int fd;
    unsigned interest;
    netron_io_fn fn;
    void *arg;
};

struct netron_libev_timer {
    ev_timer watcher;
    netron_timer_fn fn;
    void *arg;
};

static inline struct ev_loop *netron_libev_of(netron_loop *loop)
{
    return ((struct netron_libev *)loop->data)->loop;
}

/* ---- watches ---- */

/* libev tells errors and hang-ups as readable and writable, but may tell both to a watch that asked for one. */
static inline void netron_libev_on_io(struct ev_loop *loop, ev_io *watcher, int seen)
{
    struct netron_libev_io *io = (struct netron_libev_io *)watcher->data;
    unsigned events = 0;
    (void)loop;
    if (seen & EV_READ)
        events |= NETRON_READABLE;
    if (seen & EV_WRITE)
        events |= NETRON_WRITABLE;
    events &= io->interest;
    if (events != 0)
        io->fn(events, io->arg); /* io may be gone now */
}

static inline int netron_libev_io_update(netron_loop *loop, void *handle, unsigned events)
{
    struct netron_libev_io *io = (struct netron_libev_io *)handle;
    (void)loop;
    if (events == io->interest)
        return 0;
    ev_io_stop(io->loop, &io->watcher);
    io->interest = events;
    if (events != 0) {
        ev_io_set(&io->watcher, io->fd,
                  ((events & NETRON_READABLE) ? EV_READ : 0) | ((events & NETRON_WRITABLE) ? EV_WRITE : 0));
        ev_io_start(io->loop, &io->watcher);
    }
    return 0;
}

static inline void netron_libev_io_free(netron_loop *loop, void *handle)
{
    struct netron_libev_io *io = (struct netron_libev_io *)handle;
    (void)loop;
    ev_io_stop(io->loop, &io->watcher); /* takes a pending call back, too */
    free(io);
}

/* libev asserts on descriptors that are none. */
static inline void *netron_libev_io_new(netron_loop *loop, int fd, unsigned events, netron_io_fn fn, void *arg)
{
    struct netron_libev_io *io = fcntl(fd, F_GETFD) >= 0 ? (struct netron_libev_io *)calloc(1, sizeof(*io)) : NULL;
    if (io == NULL)
        return NULL;
    io->loop = netron_libev_of(loop);
    io->fd = fd;
    io->fn = fn;
    io->arg = arg;
    ev_init(&io->watcher, netron_libev_on_io);
    io->watcher.data = io;
    netron_libev_io_update(loop, io, events);
    return io;
}

/* ---- timers ---- */

static inline void netron_libev_on_timer(struct ev_loop *loop, ev_timer *watcher, int seen)
{
    struct netron_libev_timer *timer = (struct netron_libev_timer *)watcher->data;
    (void)loop;
    (void)seen;
    timer->fn(timer->arg); /* timer may be gone now */
}

static inline void *netron_libev_timer_new(netron_loop *loop, netron_timer_fn fn, void *arg)
{
    struct netron_libev_timer *timer = (struct netron_libev_timer *)calloc(1, sizeof(*timer));
    (void)loop;
    if (timer == NULL)
        return NULL;
    timer->fn = fn;
    timer->arg = arg;
    ev_init(&timer->watcher, netron_libev_on_timer);
    timer->watcher.data = timer;
    return timer;
}

/* libev counts from the beginning of its turn, so the clock is read anew. */
static inline int netron_libev_timer_start(netron_loop *loop, void *handle, uint64_t delay_ms)
{
    struct netron_libev_timer *timer = (struct netron_libev_timer *)handle;
    struct ev_loop *theirs = netron_libev_of(loop);
    ev_timer_stop(theirs, &timer->watcher);
    ev_now_update(theirs);
    ev_timer_set(&timer->watcher, (double)delay_ms / 1000, 0.);
    ev_timer_start(theirs, &timer->watcher);
    return 0;
}

static inline void netron_libev_timer_stop(netron_loop *loop, void *handle)
{
    ev_timer_stop(netron_libev_of(loop), &((struct netron_libev_timer *)handle)->watcher);
}

static inline void netron_libev_timer_free(netron_loop *loop, void *handle)
{
    netron_libev_timer_stop(loop, handle);
    free(handle);
}

/* ---- the loop ---- */

static inline void netron_libev_free(netron_loop *loop)
{
    free(loop->data);
}

/*
 * The loop stays the caller's and must outlive the netron_loop. Returns NULL when there is no memory. Free it with
 * netron_loop_free(), after every discovery on it.
 */
static inline netron_loop *netron_libev_loop(struct ev_loop *loop)
{
    struct netron_libev *self = (struct netron_libev *)calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->loop = loop;
    self->seam.size = sizeof(netron_loop);
    self->seam.data = self;
    self->seam.io_new = netron_libev_io_new;
    self->seam.io_update = netron_libev_io_update;
    self->seam.io_free = netron_libev_io_free;
    self->seam.timer_new = netron_libev_timer_new;
    self->seam.timer_start = netron_libev_timer_start;
    self->seam.timer_stop = netron_libev_timer_stop;
    self->seam.timer_free = netron_libev_timer_free;
    self->seam.now = netron_timers_now; /* ev_now() is the time of day */
    self->seam.free = netron_libev_free;
    return &self->seam;
}

#ifdef __cplusplus
}
#endif

#endif
