/* SPDX-License-Identifier: MIT */
/*
 * The loop seam: all that the library needs of a reactor.
 *
 * A netron_loop is a table of functions over somebody's event loop. <netron/libevent.h> makes one from a libevent
 * base; users of libevent never see this file. <netron/adapters/libuv.h>, libev.h, glib.h and sd-event.h make one from
 * those, and <netron/adapters/epoll.h> from nothing. To plug in another reactor, watch the one descriptor of epoll.h and
 * call its dispatch; or fill the table, and obey this contract:
 *
 *   - Level-triggered: a watch is called again for as long as its descriptor stays ready.
 *   - Errors and hang-ups of the descriptor are reported as both NETRON_READABLE and NETRON_WRITABLE, as far as
 *     the watch asked for them.
 *   - No callback runs from inside a call of this table. Not even for a timer of 0 ms, or for a name that was
 *     resolved at once: they wait for the next turn of the loop.
 *   - io_free, timer_free, timer_stop and resolve_cancel may be called from any callback (the first three also from that
 *     of the very object), and also when the loop has already noticed that it is ready. Afterwards its callback never
 *     runs again.
 *   - io_update and timer_start may be called from any callback, also from the object's own. What a watch is no longer
 *     watched for is not reported any more, even when the loop has already noticed it.
 *   - Timers that are due run in the order of their times; never early; and a timer that starts itself at 0 ms again and
 *     again does not keep the watches from being served. Any delay is taken, UINT64_MAX ms included.
 *   - Constructors may fail. The library copes, and tries again later.
 *   - A descriptor is still open when io_free is called for it; one watch at a time exists for a descriptor.
 *   - All calls and callbacks happen in the thread of the loop.
 *
 * What the library keeps on a loop for each discovery: one timer, one watch for each connection to Redis (at most two;
 * with a redis+sentinel URL, at most two more to sentinels; with a redis+cluster URL, at most two more to other nodes,
 * one to ask where the slot is and one while it is being moved), and one resolution at a time for each connection.
 *
 * Lifetime: the maker of a netron_loop frees it with netron_loop_free(), after every discovery on it was freed, and
 * before the reactor below it is. Freeing a discovery inside a callback leaves its last few bytes in use until that
 * callback has returned, so free the loop object after that, not in the same callback.
 */
#ifndef NETRON_LOOP_H
#define NETRON_LOOP_H

#include <netron/api.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NETRON_READABLE 1u
#define NETRON_WRITABLE 2u

typedef struct netron_loop netron_loop;

/* events: which of NETRON_READABLE and NETRON_WRITABLE are true; never 0. */
typedef void (*netron_io_fn)(unsigned events, void *arg);
typedef void (*netron_timer_fn)(void *arg);
/* code 0: addresses holds count numeric IPv4 or IPv6 addresses, in the resolver's order, valid until the callback
 * returns. Otherwise NETRON_ERESOLVE or NETRON_ENOMEM, count 0, and reason is a short text of the resolver's. */
typedef void (*netron_resolve_fn)(int code, const char *const *addresses, size_t count, const char *reason, void *arg);

struct netron_loop {
    size_t size; /* sizeof(netron_loop) where the table was filled: it may grow at its end */
    void *data;  /* the adapter's own */

    /* Watches fd for the events (which may be 0 for none yet). NULL when that fails. */
    void *(*io_new)(netron_loop *loop, int fd, unsigned events, netron_io_fn fn, void *arg);
    /* Replaces the events that are watched for. Returns 0 or a negative NETRON_E code. */
    int (*io_update)(netron_loop *loop, void *io, unsigned events);
    void (*io_free)(netron_loop *loop, void *io);

    /* A one-shot timer, not started. NULL when that fails. */
    void *(*timer_new)(netron_loop *loop, netron_timer_fn fn, void *arg);
    /* Starts or restarts the timer, relative to now, on a monotonic clock. Returns 0 or a negative NETRON_E code. */
    int (*timer_start)(netron_loop *loop, void *timer, uint64_t delay_ms);
    void (*timer_stop)(netron_loop *loop, void *timer);
    void (*timer_free)(netron_loop *loop, void *timer);

    /* Milliseconds of the monotonic clock that the timers run on. It may be cached for one turn of the loop. */
    uint64_t (*now)(netron_loop *loop);

    /* Optional (both or none): resolve begins to resolve a host name, which it has to copy, and never waits. Returns a
     * handle which lives until the callback has returned or resolve_cancel was called; NULL when it could not be begun,
     * which is tried again later. It is called from inside functions of the library; several resolutions, also of the
     * same name, may be under way at a time. resolve_cancel never waits either; it is called when the answer takes longer
     * than options.connect_timeout_ms, too, and not for a handle whose callback has begun.
     * Without them only numeric addresses and Unix sockets can be used, and a URL with a host name is refused with
     * NETRON_ELOOP. Where an adapter has none (libev, sd-event, epoll), set both to functions of your own, over a resolver
     * library or a thread, before the first discovery is made on the loop; `resolver` is theirs to use. Answer through a
     * descriptor that io_new watches, or a timer, as the contract above wants: examples/resolver.c does. */
    void *(*resolve)(netron_loop *loop, const char *host, netron_resolve_fn fn, void *arg);
    void (*resolve_cancel)(netron_loop *loop, void *resolution);

    /* Releases the table and what the adapter holds; not the reactor. */
    void (*free)(netron_loop *loop);

    void *resolver; /* whatever resolve and resolve_cancel need; nobody else looks at it */
};

/* Calls loop->free; NULL is fine. */
NETRON_API void netron_loop_free(netron_loop *loop);

#ifdef __cplusplus
}
#endif

#endif
