/* SPDX-License-Identifier: MIT */
#include "reactor.h"
#include <check.h>
#include <event2/event.h>
#include <netron/libevent.h>
#include <stdlib.h>

const char *const reactor_name = "libevent";

struct reactor {
    struct event_base *base;
    struct event *tick;
    netron_loop *loop; /* made when a test wants it */
};

static void on_tick(evutil_socket_t none, short what, void *arg)
{
    (void)none;
    (void)what;
    (void)arg;
}

struct reactor *reactor_new(void)
{
    struct reactor *reactor = calloc(1, sizeof(*reactor));
    ck_assert_ptr_nonnull(reactor);
    reactor->base = event_base_new();
    ck_assert_ptr_nonnull(reactor->base);
    reactor->tick = evtimer_new(reactor->base, on_tick, NULL);
    ck_assert_ptr_nonnull(reactor->tick);
    return reactor;
}

netron_loop *reactor_loop(struct reactor *reactor)
{
    if (reactor->loop == NULL)
        ck_assert_int_eq(netron_libevent_loop_new(reactor->base, &reactor->loop), 0);
    return reactor->loop;
}

netron_loop *reactor_loop_again(struct reactor *reactor)
{
    netron_loop *loop = NULL;
    return netron_libevent_loop_new(reactor->base, &loop) == 0 ? loop : NULL;
}

void reactor_turn(struct reactor *reactor, unsigned wait_ms)
{
    const struct timeval wait = {(time_t)(wait_ms / 1000), (suseconds_t)(wait_ms % 1000) * 1000};
    ck_assert_int_eq(evtimer_add(reactor->tick, &wait), 0);
    event_base_loop(reactor->base, EVLOOP_ONCE);
    evtimer_del(reactor->tick);
}

void reactor_free(struct reactor *reactor)
{
    netron_loop_free(reactor->loop);
    event_base_loop(reactor->base, EVLOOP_NONBLOCK); /* what was asked of name servers ends with a failure now */
    event_free(reactor->tick);
    event_base_free(reactor->base);
    free(reactor);
}

/* The native way: the discovery makes its loop object itself. */
int reactor_discovery_new(struct reactor *reactor, const netron_options *options, netron_discovery **out)
{
    return netron_discovery_new(reactor->base, options, out);
}

struct event_base *reactor_base(struct reactor *reactor)
{
    return reactor->base;
}
