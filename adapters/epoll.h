/* SPDX-License-Identifier: MIT */
/*
 * A loop of its own, on Linux' epoll, for programs without a reactor and for reactors without an adapter.
 *
 *   - A program without a reactor:           netron_epoll_run(loop), which ends at netron_epoll_stop(loop).
 *   - A reactor without an adapter:          watches netron_epoll_fd(loop) for readability, level-triggered, and calls
 *                                            netron_epoll_dispatch(loop) when it is. No timer is needed, nothing has to
 *                                            be watched anew: the descriptor stays the same as long as the loop.
 *
 * Public are netron_epoll_loop(), _fd(), _dispatch(), _run() and _stop(); the rest is how they work.
 *
 * Host names need a resolver of yours: loop.h, at `resolve`. Everything belongs to the thread that runs or dispatches.
 * After a fork() the set is the parent's as well: a child must neither dispatch nor use the loop, only exec or exit.
 * With a strict standard of C (-std=c99, c11, c17) define _POSIX_C_SOURCE=200809L before the first header of all, best
 * on the command line; gnuNN and C++ need nothing.
 */
#ifndef NETRON_ADAPTERS_EPOLL_H
#define NETRON_ADAPTERS_EPOLL_H

#include "timers.h"
#include <netron/error.h>
#include <netron/loop.h>

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NETRON_EPOLL_BATCH 32 /* events taken at a time; what is left is ready again in the next turn */
#define NETRON_EPOLL_ALARM_MAX_MS 86400000u

struct netron_epoll_io {
    int fd;
    unsigned interest;
    int is_free; /* its memory goes at the end of the turn, for an event of it may be in the batch */
    netron_io_fn fn;
    void *arg;
    struct netron_epoll_io *next_free;
};

struct netron_epoll {
    netron_loop seam;
    int epoll_fd;
    int timer_fd;
    uint64_t alarm; /* when the timer descriptor becomes readable; NETRON_TIMERS_NEVER = it does not */
    struct netron_timers timers;
    struct netron_epoll_io *free_ios;
    int is_dispatching;
    int is_stopped;
};

static inline struct netron_epoll *netron_epoll_of(netron_loop *loop)
{
    return (struct netron_epoll *)loop->data;
}

/* ---- watches ---- */

static inline int netron_epoll_control(struct netron_epoll *self, int operation, struct netron_epoll_io *io,
                                       unsigned interest)
{
    struct epoll_event event;
    memset(&event, 0, sizeof(event));
    event.events = ((interest & NETRON_READABLE) ? EPOLLIN : 0u) | ((interest & NETRON_WRITABLE) ? EPOLLOUT : 0u);
    event.data.ptr = io;
    return epoll_ctl(self->epoll_fd, operation, io->fd, &event);
}

/* Without interest the descriptor leaves the set: epoll reports its end to whoever watches it for nothing, too, and
 * would do so without pause. */
static inline int netron_epoll_io_update(netron_loop *loop, void *handle, unsigned events)
{
    struct netron_epoll_io *io = (struct netron_epoll_io *)handle;
    int operation = events == 0 ? EPOLL_CTL_DEL : (io->interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD);
    if (events == io->interest)
        return 0;
    if (netron_epoll_control(netron_epoll_of(loop), operation, io, events) != 0)
        return NETRON_ELOOP;
    io->interest = events;
    return 0;
}

static inline void netron_epoll_io_free(netron_loop *loop, void *handle)
{
    struct netron_epoll *self = netron_epoll_of(loop);
    struct netron_epoll_io *io = (struct netron_epoll_io *)handle;
    if (io->interest != 0)
        netron_epoll_control(self, EPOLL_CTL_DEL, io, 0);
    if (!self->is_dispatching) {
        free(io);
        return;
    }
    io->is_free = 1;
    io->next_free = self->free_ios;
    self->free_ios = io;
}

static inline void *netron_epoll_io_new(netron_loop *loop, int fd, unsigned events, netron_io_fn fn, void *arg)
{
    struct netron_epoll_io *io = (struct netron_epoll_io *)calloc(1, sizeof(*io));
    if (io == NULL)
        return NULL;
    io->fd = fd;
    io->fn = fn;
    io->arg = arg;
    if (netron_epoll_io_update(loop, io, events) != 0) {
        free(io);
        return NULL;
    }
    return io;
}

static inline void netron_epoll_report(struct netron_epoll_io *io, uint32_t seen)
{
    unsigned events = 0;
    if (seen & (EPOLLIN | EPOLLERR | EPOLLHUP))
        events |= NETRON_READABLE;
    if (seen & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        events |= NETRON_WRITABLE;
    events &= io->interest; /* another watch of the batch may have changed it */
    if (!io->is_free && events != 0)
        io->fn(events, io->arg);
}

/* ---- timers ---- */

/* Sets the descriptor to the earliest timer, when that is another than before; but within a day, for a time_t may have
 * 32 bits. Nothing is due then, and it is set again. */
static inline int netron_epoll_set_alarm(struct netron_epoll *self)
{
    uint64_t next = netron_timers_next(&self->timers);
    struct itimerspec when;
    if (next == self->alarm)
        return 0;
    if (next != NETRON_TIMERS_NEVER && next > netron_timers_now(&self->seam) + NETRON_EPOLL_ALARM_MAX_MS)
        next = netron_timers_now(&self->seam) + NETRON_EPOLL_ALARM_MAX_MS;
    memset(&when, 0, sizeof(when)); /* all zero = never */
    if (next != NETRON_TIMERS_NEVER) {
        when.it_value.tv_sec = (time_t)(next / 1000);
        when.it_value.tv_nsec = (long)(next % 1000) * 1000000 + 1; /* never zero, and in the past it is due at once */
    }
    if (timerfd_settime(self->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) != 0)
        return NETRON_ELOOP;
    self->alarm = next;
    return 0;
}

static inline int netron_epoll_timer_start(netron_loop *loop, void *handle, uint64_t delay_ms)
{
    struct netron_epoll *self = netron_epoll_of(loop);
    netron_timers_start(&self->timers, (struct netron_timer *)handle, netron_timers_now(loop), delay_ms);
    return self->is_dispatching ? 0 : netron_epoll_set_alarm(self); /* otherwise set at the end of the turn */
}

static inline void netron_epoll_timer_stop(netron_loop *loop, void *handle)
{
    netron_timers_stop(&netron_epoll_of(loop)->timers, (struct netron_timer *)handle);
}

static inline void netron_epoll_timer_free(netron_loop *loop, void *handle)
{
    netron_epoll_timer_stop(loop, handle);
    free(handle);
}

/* ---- turning ---- */

/* The descriptor that becomes readable when netron_epoll_dispatch() has something to do. It belongs to the loop: do not
 * close it, nor change it. */
static inline int netron_epoll_fd(netron_loop *loop)
{
    return netron_epoll_of(loop)->epoll_fd;
}

/* Waits for up to timeout_ms (-1 = for ever) and serves what is ready. */
static inline int netron_epoll_turn(netron_loop *loop, int timeout_ms)
{
    struct netron_epoll *self = netron_epoll_of(loop);
    struct epoll_event events[NETRON_EPOLL_BATCH];
    uint64_t expirations;
    int count;
    if (self->is_dispatching)
        return NETRON_EINVAL;
    count = epoll_wait(self->epoll_fd, events, NETRON_EPOLL_BATCH, timeout_ms);
    if (count < 0)
        return errno == EINTR ? 0 : NETRON_ELOOP;
    self->is_dispatching = 1;
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr != NULL)
            netron_epoll_report((struct netron_epoll_io *)events[i].data.ptr, events[i].events);
        else if (read(self->timer_fd, &expirations, sizeof(expirations)) > 0)
            self->alarm = NETRON_TIMERS_NEVER;
    }
    netron_timers_run(&self->timers, netron_timers_now(loop));
    self->is_dispatching = 0;
    while (self->free_ios != NULL) {
        struct netron_epoll_io *io = self->free_ios;
        self->free_ios = io->next_free;
        free(io);
    }
    return netron_epoll_set_alarm(self);
}

/*
 * Serves what is ready, and never waits: to be called whenever netron_epoll_fd() is readable, at the top level of the
 * other reactor. Returns 0; NETRON_EINVAL from inside a callback of this loop; NETRON_ELOOP when the system refused.
 */
static inline int netron_epoll_dispatch(netron_loop *loop)
{
    return netron_epoll_turn(loop, 0);
}

/* Serves the loop until netron_epoll_stop() is called; a signal does not end it. Returns 0, or what
 * netron_epoll_dispatch() can return. */
static inline int netron_epoll_run(netron_loop *loop)
{
    struct netron_epoll *self = netron_epoll_of(loop);
    int code = 0;
    self->is_stopped = 0;
    do {
        code = netron_epoll_turn(loop, -1);
    } while (!netron_epoll_of(loop)->is_stopped && code == 0);
    return code;
}

/* Ends netron_epoll_run() after this turn. May be called from any callback of the loop; not from another thread and not
 * from a signal handler. To stop at a signal, block it and watch a signalfd:
 *     void *io = loop->io_new(loop, signal_fd, NETRON_READABLE, on_signal, arg);
 * and free that by loop->io_free(loop, io) before the loop. */
static inline void netron_epoll_stop(netron_loop *loop)
{
    netron_epoll_of(loop)->is_stopped = 1;
}

/* ---- the loop ---- */

static inline void netron_epoll_free(netron_loop *loop)
{
    struct netron_epoll *self = netron_epoll_of(loop);
    if (self->timer_fd >= 0)
        close(self->timer_fd);
    if (self->epoll_fd >= 0)
        close(self->epoll_fd);
    free(self);
}

static inline int netron_epoll_watch_timers(struct netron_epoll *self)
{
    struct epoll_event event;
    memset(&event, 0, sizeof(event)); /* data.ptr NULL is the mark of the timer descriptor */
    event.events = EPOLLIN;
    return epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, self->timer_fd, &event);
}

/*
 * Makes a loop, with two descriptors (close-on-exec). Returns NULL when there is no memory, or no descriptor left; then
 * nothing of it stays. Free it with netron_loop_free(), after every discovery on it, and not from its own callbacks.
 */
static inline netron_loop *netron_epoll_loop(void)
{
    struct netron_epoll *self = (struct netron_epoll *)calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->seam.size = sizeof(netron_loop);
    self->seam.data = self;
    self->seam.io_new = netron_epoll_io_new;
    self->seam.io_update = netron_epoll_io_update;
    self->seam.io_free = netron_epoll_io_free;
    self->seam.timer_new = netron_timers_new;
    self->seam.timer_start = netron_epoll_timer_start;
    self->seam.timer_stop = netron_epoll_timer_stop;
    self->seam.timer_free = netron_epoll_timer_free;
    self->seam.now = netron_timers_now;
    self->seam.free = netron_epoll_free;
    self->alarm = NETRON_TIMERS_NEVER;
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    self->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (self->epoll_fd < 0 || self->timer_fd < 0 || netron_epoll_watch_timers(self) != 0) {
        netron_epoll_free(&self->seam);
        return NULL;
    }
    return &self->seam;
}

#ifdef __cplusplus
}
#endif

#endif
