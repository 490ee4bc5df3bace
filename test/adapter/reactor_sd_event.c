/* SPDX-License-Identifier: MIT */
#include "reactor.h"
#include "resolver.h"
#include <check.h>
#include <fcntl.h>
#include <netron/adapters/sd-event.h>

const char *const reactor_name = "sd-event";

struct reactor {
    sd_event *event;
    netron_loop *seam;
    struct resolver *resolver;
};

struct reactor *reactor_new(void)
{
    struct reactor *reactor = calloc(1, sizeof(*reactor));
    ck_assert_ptr_nonnull(reactor);
    ck_assert_int_ge(sd_event_new(&reactor->event), 0);
    reactor->seam = netron_sd_event_loop(reactor->event);
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
    return netron_sd_event_loop(reactor->event);
}

void reactor_turn(struct reactor *reactor, unsigned wait_ms)
{
    ck_assert_int_ge(sd_event_run(reactor->event, (uint64_t)wait_ms * 1000), 0);
}

void reactor_free(struct reactor *reactor)
{
    resolver_free(reactor->resolver);
    netron_loop_free(reactor->seam);
    int fd = sd_event_get_fd(reactor->event);
    sd_event_unref(reactor->event);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1); /* nobody else holds it */
    free(reactor);
}
