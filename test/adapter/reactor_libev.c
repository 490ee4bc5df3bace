/* SPDX-License-Identifier: MIT */
#include "reactor.h"
#include "resolver.h"
#include <check.h>
#include <netron/adapters/libev.h>

const char *const reactor_name = "libev";

struct reactor {
    struct ev_loop *loop;
    ev_timer tick;
    netron_loop *seam;
    struct resolver *resolver;
};

static void on_tick(struct ev_loop *loop, ev_timer *tick, int seen)
{
    (void)loop;
    (void)tick;
    (void)seen;
}

struct reactor *reactor_new(void)
{
    struct reactor *reactor = calloc(1, sizeof(*reactor));
    ck_assert_ptr_nonnull(reactor);
    reactor->loop = ev_loop_new(EVFLAG_AUTO);
    ck_assert_ptr_nonnull(reactor->loop);
    ev_init(&reactor->tick, on_tick);
    reactor->seam = netron_libev_loop(reactor->loop);
    ck_assert_ptr_nonnull(reactor->seam);
    reactor->resolver = resolver_attach(reactor->seam);
    ck_assert_ptr_nonnull(reactor->resolver);
    return reactor;
}

netron_loop *reactor_loop(struct reactor *reactor)
{
    return reactor->seam;
}

netron_loop *reactor_loop_again(struct reactor *reactor)
{
    return netron_libev_loop(reactor->loop);
}

void reactor_turn(struct reactor *reactor, unsigned wait_ms)
{
    ev_now_update(reactor->loop);
    ev_timer_set(&reactor->tick, wait_ms / 1000., 0.);
    ev_timer_start(reactor->loop, &reactor->tick);
    ev_run(reactor->loop, EVRUN_ONCE);
    ev_timer_stop(reactor->loop, &reactor->tick);
}

void reactor_free(struct reactor *reactor)
{
    resolver_free(reactor->resolver);
    netron_loop_free(reactor->seam);
    ck_assert_int_eq(ev_pending_count(reactor->loop), 0);
    ev_loop_destroy(reactor->loop);
    free(reactor);
}
