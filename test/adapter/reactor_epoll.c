/* SPDX-License-Identifier: MIT */
/* The loop without a reactor, as a reactor without an adapter uses it: one descriptor, and a call when it is readable.
 */
#include "reactor.h"
#include "resolver.h"
#include <check.h>
#include <netron/adapters/epoll.h>
#include <poll.h>

const char *const reactor_name = "epoll";

struct reactor {
    netron_loop *seam;
    struct resolver *resolver;
};

struct reactor *reactor_new(void)
{
    struct reactor *reactor = calloc(1, sizeof(*reactor));
    ck_assert_ptr_nonnull(reactor);
    reactor->seam = netron_epoll_loop();
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
    (void)reactor;
    return netron_epoll_loop();
}

void reactor_turn(struct reactor *reactor, unsigned wait_ms)
{
    struct pollfd watched = {.fd = netron_epoll_fd(reactor->seam), .events = POLLIN};
    if (poll(&watched, 1, (int)wait_ms) == 1)
        ck_assert_int_eq(netron_epoll_dispatch(reactor->seam), 0);
}

void reactor_free(struct reactor *reactor)
{
    resolver_free(reactor->resolver);
    netron_loop_free(reactor->seam);
    free(reactor);
}
