/* SPDX-License-Identifier: MIT */
/*
 * Timers of a netron_loop over one alarm of a reactor: for the adapters whose reactor has no timers of its own, or does
 * not promise to run those that are due in order. Nothing for users.
 *
 * A list in order of what is due next, for there are few: the library keeps one timer for each discovery. Times are
 * milliseconds of the adapter's clock; NETRON_TIMERS_NEVER is no time at all.
 */
#ifndef NETRON_ADAPTERS_TIMERS_H
#define NETRON_ADAPTERS_TIMERS_H

#include <netron/loop.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NETRON_TIMERS_NEVER UINT64_MAX

struct netron_timer {
    struct netron_timer *next;
    int is_started;
    uint64_t due;
    uint64_t turn; /* in which it was started */
    netron_timer_fn fn;
    void *arg;
};

struct netron_timers {
    struct netron_timer *first; /* due first */
    uint64_t turn;              /* counts the calls of netron_timers_run() */
};

/* The loop's now(): milliseconds of CLOCK_MONOTONIC. */
static inline uint64_t netron_timers_now(netron_loop *loop)
{
    struct timespec now;
    (void)loop;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The loop's timer_new(). */
static inline void *netron_timers_new(netron_loop *loop, netron_timer_fn fn, void *arg)
{
    struct netron_timer *timer = (struct netron_timer *)calloc(1, sizeof(*timer));
    (void)loop;
    if (timer != NULL) {
        timer->fn = fn;
        timer->arg = arg;
    }
    return timer;
}

static inline void netron_timers_stop(struct netron_timers *timers, struct netron_timer *timer)
{
    struct netron_timer **at = &timers->first;
    if (!timer->is_started)
        return;
    while (*at != timer)
        at = &(*at)->next;
    *at = timer->next;
    timer->is_started = 0;
}

/* Of those that are due at the same time the one that was started first is first. */
static inline void netron_timers_start(struct netron_timers *timers, struct netron_timer *timer, uint64_t now,
                                       uint64_t delay_ms)
{
    struct netron_timer **at = &timers->first;
    netron_timers_stop(timers, timer);
    timer->due = delay_ms < NETRON_TIMERS_NEVER - now ? now + delay_ms : NETRON_TIMERS_NEVER;
    timer->turn = timers->turn;
    timer->is_started = 1;
    while (*at != NULL && (*at)->due <= timer->due)
        at = &(*at)->next;
    timer->next = *at;
    *at = timer;
}

/* When the next one is due, or NETRON_TIMERS_NEVER. */
static inline uint64_t netron_timers_next(const struct netron_timers *timers)
{
    return timers->first != NULL ? timers->first->due : NETRON_TIMERS_NEVER;
}

/* Runs what is due, one after the other; each callback may start, stop and free any. What is started meanwhile waits
 * for the next call, or a timer of 0 ms that starts itself would never let go. Must not be called from a callback. */
static inline void netron_timers_run(struct netron_timers *timers, uint64_t now)
{
    const uint64_t turn = ++timers->turn;
    for (;;) {
        struct netron_timer *timer = timers->first;
        while (timer != NULL && timer->due <= now && timer->turn == turn)
            timer = timer->next;
        if (timer == NULL || timer->due > now)
            return;
        netron_timers_stop(timers, timer);
        timer->fn(timer->arg); /* timer may be gone now */
    }
}

#ifdef __cplusplus
}
#endif

#endif
