/* SPDX-License-Identifier: MIT */
#include "reactor.h"
#include <check.h>
#include <netron/adapters/libuv.h>

const char *const reactor_name = "libuv";

struct reactor {
    uv_loop_t loop;
    uv_timer_t tick;
    netron_loop *seam;
};

/* The first loop of a process opens a pipe for signals that stays to the end: before descriptors are counted. */
__attribute__((constructor)) static void open_what_stays(void)
{
    uv_loop_t first;
    uv_loop_init(&first);
    uv_loop_close(&first);
}

static void on_tick(uv_timer_t *tick)
{
    (void)tick;
}

struct reactor *reactor_new(void)
{
    struct reactor *reactor = calloc(1, sizeof(*reactor));
    ck_assert_ptr_nonnull(reactor);
    ck_assert_int_eq(uv_loop_init(&reactor->loop), 0);
    ck_assert_int_eq(uv_timer_init(&reactor->loop, &reactor->tick), 0);
    reactor->seam = netron_libuv_loop(&reactor->loop);
    ck_assert_ptr_nonnull(reactor->seam);
    return reactor;
}

netron_loop *reactor_loop(struct reactor *reactor)
{
    return reactor->seam;
}

netron_loop *reactor_loop_again(struct reactor *reactor)
{
    return netron_libuv_loop(&reactor->loop);
}

void reactor_turn(struct reactor *reactor, unsigned wait_ms)
{
    /* Again and again: when the machine is slow, the first one is over before the loop begins to wait. */
    uv_update_time(&reactor->loop);
    ck_assert_int_eq(uv_timer_start(&reactor->tick, on_tick, wait_ms, wait_ms > 0 ? wait_ms : 1), 0);
    uv_run(&reactor->loop, UV_RUN_ONCE);
    uv_timer_stop(&reactor->tick);
}

void reactor_free(struct reactor *reactor)
{
    netron_loop_free(reactor->seam);
    uv_close((uv_handle_t *)&reactor->tick, NULL);
    uv_run(&reactor->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&reactor->loop), 0); /* UV_EBUSY when anything is left */
    free(reactor);
}
