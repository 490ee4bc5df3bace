/* SPDX-License-Identifier: MIT */
/*
 * A netron_loop on sd-event (systemd 229 or newer): one source for each watch, and one for the timers, all of priority
 * SD_EVENT_PRIORITY_NORMAL.
 *
 * Host names need a resolver of yours: loop.h, at `resolve`.
 * With a strict standard of C (-std=c99, c11, c17) define _POSIX_C_SOURCE=200809L before the first header of all, best
 * on the command line; gnuNN and C++ need nothing.
 */
#ifndef NETRON_ADAPTERS_SD_EVENT_H
#define NETRON_ADAPTERS_SD_EVENT_H

#include "timers.h"
#include <netron/error.h>
#include <netron/loop.h>

#include <sys/epoll.h>
#include <systemd/sd-event.h>

#define NETRON_SD_EVENT_ALARM_MAX_MS 86400000u

#ifdef __cplusplus
extern "C" {
#endif

struct netron_sd_event {
    netron_loop seam;
    sd_event *event;
    struct netron_timers timers;
    sd_event_source *alarm;
};

struct netron_sd_event_io {
    sd_event_source *source;
    unsigned interest;
    netron_io_fn fn;
    void *arg;
};

static inline struct netron_sd_event *netron_sd_event_of(netron_loop *loop)
{
    return (struct netron_sd_event *)loop->data;
}

/* ---- watches ---- */

static inline int netron_sd_event_on_io(sd_event_source *source, int fd, uint32_t seen, void *arg)
{
    struct netron_sd_event_io *io = (struct netron_sd_event_io *)arg;
    unsigned events = 0;
    (void)source;
    (void)fd;
    if (seen & (EPOLLIN | EPOLLERR | EPOLLHUP))
        events |= NETRON_READABLE;
    if (seen & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        events |= NETRON_WRITABLE;
    events &= io->interest;
    if (events != 0)
        io->fn(events, io->arg); /* io may be gone now */
    return 0;
}

/* A source without interest is switched off: its end would be told without pause. */
static inline int netron_sd_event_io_update(netron_loop *loop, void *handle, unsigned events)
{
    struct netron_sd_event_io *io = (struct netron_sd_event_io *)handle;
    const uint32_t wanted =
        ((events & NETRON_READABLE) ? (uint32_t)EPOLLIN : 0u) | ((events & NETRON_WRITABLE) ? (uint32_t)EPOLLOUT : 0u);
    (void)loop;
    if (events != 0 && sd_event_source_set_io_events(io->source, wanted) < 0)
        return NETRON_ELOOP;
    if (sd_event_source_set_enabled(io->source, events != 0 ? SD_EVENT_ON : SD_EVENT_OFF) < 0)
        return NETRON_ELOOP;
    io->interest = events;
    return 0;
}

static inline void netron_sd_event_io_free(netron_loop *loop, void *handle)
{
    struct netron_sd_event_io *io = (struct netron_sd_event_io *)handle;
    (void)loop;
    if (io->source != NULL) {
        sd_event_source_set_enabled(io->source, SD_EVENT_OFF); /* for as long as others hold a reference */
        sd_event_source_unref(io->source);
    }
    free(io);
}

static inline void *netron_sd_event_io_new(netron_loop *loop, int fd, unsigned events, netron_io_fn fn, void *arg)
{
    struct netron_sd_event_io *io = (struct netron_sd_event_io *)calloc(1, sizeof(*io));
    if (io == NULL)
        return NULL;
    io->fn = fn;
    io->arg = arg;
    if (sd_event_add_io(netron_sd_event_of(loop)->event, &io->source, fd, EPOLLIN, netron_sd_event_on_io, io) < 0 ||
        netron_sd_event_io_update(loop, io, events) != 0) {
        netron_sd_event_io_free(loop, io);
        return NULL;
    }
    return io;
}

/* ---- timers ---- */

/* To the earliest timer; but within a day, for a time_t may have 32 bits. Nothing is due then, and it is set again. */
static inline int netron_sd_event_set_alarm(struct netron_sd_event *self)
{
    uint64_t next = netron_timers_next(&self->timers);
    uint64_t latest;
    if (next == NETRON_TIMERS_NEVER)
        return sd_event_source_set_enabled(self->alarm, SD_EVENT_OFF) < 0 ? NETRON_ELOOP : 0;
    latest = netron_timers_now(&self->seam) + NETRON_SD_EVENT_ALARM_MAX_MS;
    next = next < latest ? next : latest;
    if (sd_event_source_set_time(self->alarm, next * 1000) < 0)
        return NETRON_ELOOP;
    return sd_event_source_set_enabled(self->alarm, SD_EVENT_ONESHOT) < 0 ? NETRON_ELOOP : 0;
}

static inline int netron_sd_event_on_alarm(sd_event_source *source, uint64_t due, void *arg)
{
    struct netron_sd_event *self = (struct netron_sd_event *)arg;
    (void)source;
    (void)due;
    netron_timers_run(&self->timers, netron_timers_now(&self->seam));
    netron_sd_event_set_alarm(self); /* can only fail with the event loop itself */
    return 0;
}

static inline int netron_sd_event_timer_start(netron_loop *loop, void *handle, uint64_t delay_ms)
{
    struct netron_sd_event *self = netron_sd_event_of(loop);
    netron_timers_start(&self->timers, (struct netron_timer *)handle, netron_timers_now(loop), delay_ms);
    return netron_sd_event_set_alarm(self);
}

static inline void netron_sd_event_timer_stop(netron_loop *loop, void *handle)
{
    struct netron_sd_event *self = netron_sd_event_of(loop);
    netron_timers_stop(&self->timers, (struct netron_timer *)handle);
    netron_sd_event_set_alarm(self);
}

static inline void netron_sd_event_timer_free(netron_loop *loop, void *handle)
{
    netron_sd_event_timer_stop(loop, handle);
    free(handle);
}

/* ---- the loop ---- */

static inline void netron_sd_event_free(netron_loop *loop)
{
    struct netron_sd_event *self = netron_sd_event_of(loop);
    if (self->alarm != NULL) {
        sd_event_source_set_enabled(self->alarm, SD_EVENT_OFF);
        sd_event_source_unref(self->alarm);
    }
    sd_event_unref(self->event);
    free(self);
}

/*
 * The event loop is held until netron_loop_free(). Returns NULL when there is no memory, or sd-event refuses a timer
 * (it has ended, or belongs to the parent process); then nothing of it stays. Free it with netron_loop_free(), after
 * every discovery on it.
 */
static inline netron_loop *netron_sd_event_loop(sd_event *event)
{
    struct netron_sd_event *self = (struct netron_sd_event *)calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->event = sd_event_ref(event);
    self->seam.size = sizeof(netron_loop);
    self->seam.data = self;
    self->seam.io_new = netron_sd_event_io_new;
    self->seam.io_update = netron_sd_event_io_update;
    self->seam.io_free = netron_sd_event_io_free;
    self->seam.timer_new = netron_timers_new;
    self->seam.timer_start = netron_sd_event_timer_start;
    self->seam.timer_stop = netron_sd_event_timer_stop;
    self->seam.timer_free = netron_sd_event_timer_free;
    self->seam.now = netron_timers_now;
    self->seam.free = netron_sd_event_free;
    /* An accuracy of 1 us: 0 would mean 250 ms. It is switched off at once. */
    if (sd_event_add_time(event, &self->alarm, CLOCK_MONOTONIC, 0, 1, netron_sd_event_on_alarm, self) < 0 ||
        netron_sd_event_set_alarm(self) != 0) {
        netron_sd_event_free(&self->seam);
        return NULL;
    }
    return &self->seam;
}

#ifdef __cplusplus
}
#endif

#endif
