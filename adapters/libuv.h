/* SPDX-License-Identifier: MIT */
/*
 * A netron_loop on a libuv loop (libuv 1.10 or newer).
 *
 * Handles of libuv close in a later turn. So after netron_loop_free() let uv_run() run once more, as before any
 * uv_loop_close(), which otherwise says UV_EBUSY. Host names are resolved by uv_getaddrinfo(), in libuv's own thread
 * pool; a resolution that is cancelled while it is under way keeps the loop busy until the resolver answers. A
 * discovery keeps uv_run() running until it is freed.
 *
 * With a strict standard of C (-std=c99, c11, c17) define _POSIX_C_SOURCE=200809L before the first header of all, best
 * on the command line; gnuNN and C++ need nothing.
 */
#ifndef NETRON_ADAPTERS_LIBUV_H
#define NETRON_ADAPTERS_LIBUV_H

#include "timers.h"
#include <netron/error.h>
#include <netron/loop.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

struct netron_libuv {
    netron_loop seam;
    uv_loop_t *loop;
    struct netron_timers timers;
    uv_timer_t alarm;
    int is_running; /* timers, just now */
};

struct netron_libuv_io {
    uv_poll_t handle;
    unsigned interest;
    netron_io_fn fn;
    void *arg;
};

struct netron_libuv_resolution {
    uv_getaddrinfo_t request;
    netron_resolve_fn fn; /* NULL when cancelled */
    void *arg;
};

static inline struct netron_libuv *netron_libuv_of(netron_loop *loop)
{
    return (struct netron_libuv *)loop->data;
}

/* ---- watches ---- */

static inline int netron_libuv_poll(struct netron_libuv_io *io);

static inline void netron_libuv_on_poll(uv_poll_t *handle, int status, int seen)
{
    struct netron_libuv_io *io = (struct netron_libuv_io *)handle->data;
    unsigned events = 0;
    if (status < 0) {
        events = io->interest;
        netron_libuv_poll(io); /* libuv stops at errors; a watch goes on until it is told otherwise */
    }
    if (seen & UV_READABLE)
        events |= NETRON_READABLE;
    if (seen & UV_WRITABLE)
        events |= NETRON_WRITABLE;
    events &= io->interest;
    if (events != 0)
        io->fn(events, io->arg);
}

static inline int netron_libuv_poll(struct netron_libuv_io *io)
{
    int events = ((io->interest & NETRON_READABLE) ? (int)UV_READABLE : 0) |
                 ((io->interest & NETRON_WRITABLE) ? (int)UV_WRITABLE : 0);
    if (events == 0)
        return uv_poll_stop(&io->handle);
    return uv_poll_start(&io->handle, events, netron_libuv_on_poll);
}

/* Starting takes back what the turn has noticed already, so it is not done for nothing. */
static inline int netron_libuv_io_update(netron_loop *loop, void *handle, unsigned events)
{
    struct netron_libuv_io *io = (struct netron_libuv_io *)handle;
    (void)loop;
    if (events == io->interest)
        return 0;
    io->interest = events;
    return netron_libuv_poll(io) == 0 ? 0 : NETRON_ELOOP;
}

static inline void netron_libuv_on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static inline void netron_libuv_io_free(netron_loop *loop, void *handle)
{
    struct netron_libuv_io *io = (struct netron_libuv_io *)handle;
    (void)loop;
    uv_close((uv_handle_t *)&io->handle, netron_libuv_on_closed);
}

static inline void *netron_libuv_io_new(netron_loop *loop, int fd, unsigned events, netron_io_fn fn, void *arg)
{
    struct netron_libuv_io *io = (struct netron_libuv_io *)calloc(1, sizeof(*io));
    if (io == NULL)
        return NULL;
    io->fn = fn;
    io->arg = arg;
    if (uv_poll_init(netron_libuv_of(loop)->loop, &io->handle, fd) != 0) {
        free(io); /* it never became a handle of the loop */
        return NULL;
    }
    io->handle.data = io;
    if (netron_libuv_io_update(loop, io, events) != 0) {
        netron_libuv_io_free(loop, io);
        return NULL;
    }
    return io;
}

/* ---- timers ---- */

/* The clock of libuv's turn, read anew. */
static inline uint64_t netron_libuv_now(netron_loop *loop)
{
    uv_update_time(netron_libuv_of(loop)->loop);
    return uv_now(netron_libuv_of(loop)->loop);
}

static inline void netron_libuv_on_alarm(uv_timer_t *handle);

/* libuv runs timers for as long as any is due, and looks at nothing else meanwhile: one that is started from inside a
 * timer takes a millisecond at least. */
static inline int netron_libuv_set_alarm(struct netron_libuv *self, uint64_t now, uint64_t least_ms)
{
    const uint64_t next = netron_timers_next(&self->timers);
    const uint64_t delay = next > now ? next - now : 0;
    if (next == NETRON_TIMERS_NEVER)
        return uv_timer_stop(&self->alarm) == 0 ? 0 : NETRON_ELOOP;
    return uv_timer_start(&self->alarm, netron_libuv_on_alarm, delay > least_ms ? delay : least_ms, 0) == 0
               ? 0
               : NETRON_ELOOP;
}

static inline void netron_libuv_on_alarm(uv_timer_t *handle)
{
    struct netron_libuv *self = (struct netron_libuv *)handle->data;
    self->is_running = 1;
    netron_timers_run(&self->timers, netron_libuv_now(&self->seam));
    self->is_running = 0;
    netron_libuv_set_alarm(self, netron_libuv_now(&self->seam), 1); /* cannot fail: the handle is not closing */
}

static inline int netron_libuv_timer_start(netron_loop *loop, void *handle, uint64_t delay_ms)
{
    struct netron_libuv *self = netron_libuv_of(loop);
    const uint64_t now = netron_libuv_now(loop);
    netron_timers_start(&self->timers, (struct netron_timer *)handle, now, delay_ms);
    return self->is_running ? 0 : netron_libuv_set_alarm(self, now, 0);
}

static inline void netron_libuv_timer_stop(netron_loop *loop, void *handle)
{
    struct netron_libuv *self = netron_libuv_of(loop);
    netron_timers_stop(&self->timers, (struct netron_timer *)handle);
    if (!self->is_running)
        netron_libuv_set_alarm(self, netron_libuv_now(loop), 0);
}

static inline void netron_libuv_timer_free(netron_loop *loop, void *handle)
{
    netron_libuv_timer_stop(loop, handle);
    free(handle);
}

/* ---- names ---- */

#define NETRON_LIBUV_ADDRESSES_MAX 16 /* more addresses than this for one name are of no use to anybody */

static inline void netron_libuv_answer(struct netron_libuv_resolution *resolution, int status,
                                       const struct addrinfo *list)
{
    char texts[NETRON_LIBUV_ADDRESSES_MAX][INET6_ADDRSTRLEN];
    const char *addresses[NETRON_LIBUV_ADDRESSES_MAX];
    size_t count = 0;
    for (; list != NULL && count < NETRON_LIBUV_ADDRESSES_MAX; list = list->ai_next) {
        const void *address = NULL;
        if (list->ai_family == AF_INET)
            address = &((const struct sockaddr_in *)(const void *)list->ai_addr)->sin_addr;
        else if (list->ai_family == AF_INET6)
            address = &((const struct sockaddr_in6 *)(const void *)list->ai_addr)->sin6_addr;
        if (address != NULL && inet_ntop(list->ai_family, address, texts[count], INET6_ADDRSTRLEN) != NULL) {
            addresses[count] = texts[count];
            count++;
        }
    }
    if (count > 0)
        resolution->fn(0, addresses, count, NULL, resolution->arg);
    else
        resolution->fn(status == UV_ENOMEM || status == UV_EAI_MEMORY ? NETRON_ENOMEM : NETRON_ERESOLVE, NULL, 0,
                       status != 0 ? uv_strerror(status) : "no address of a known kind", resolution->arg);
}

static inline void netron_libuv_on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct netron_libuv_resolution *resolution = (struct netron_libuv_resolution *)request->data;
    if (resolution->fn != NULL)
        netron_libuv_answer(resolution, status, status == 0 ? list : NULL);
    uv_freeaddrinfo(list);
    free(resolution);
}

static inline void *netron_libuv_resolve(netron_loop *loop, const char *host, netron_resolve_fn fn, void *arg)
{
    struct netron_libuv_resolution *resolution = (struct netron_libuv_resolution *)calloc(1, sizeof(*resolution));
    struct addrinfo hints;
    if (resolution == NULL)
        return NULL;
    memset(&hints, 0, sizeof(hints));
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    resolution->fn = fn;
    resolution->arg = arg;
    resolution->request.data = resolution;
    if (uv_getaddrinfo(netron_libuv_of(loop)->loop, &resolution->request, netron_libuv_on_resolved, host, NULL,
                       &hints) != 0) {
        free(resolution);
        return NULL;
    }
    return resolution;
}

/* One that a thread works on already cannot be called back: its answer is dropped when it comes. */
static inline void netron_libuv_resolve_cancel(netron_loop *loop, void *handle)
{
    struct netron_libuv_resolution *resolution = (struct netron_libuv_resolution *)handle;
    (void)loop;
    resolution->fn = NULL;
    uv_cancel((uv_req_t *)&resolution->request);
}

/* ---- the loop ---- */

static inline void netron_libuv_free(netron_loop *loop)
{
    uv_close((uv_handle_t *)&netron_libuv_of(loop)->alarm, netron_libuv_on_closed);
}

/*
 * The loop stays the caller's and must outlive the netron_loop and what is left of it (above). Returns NULL when there
 * is no memory. Free it with netron_loop_free(), after every discovery on it.
 */
static inline netron_loop *netron_libuv_loop(uv_loop_t *loop)
{
    struct netron_libuv *self = (struct netron_libuv *)calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    if (uv_timer_init(loop, &self->alarm) != 0) {
        free(self); /* it never became a handle of the loop */
        return NULL;
    }
    self->alarm.data = self;
    self->loop = loop;
    self->seam.size = sizeof(netron_loop);
    self->seam.data = self;
    self->seam.io_new = netron_libuv_io_new;
    self->seam.io_update = netron_libuv_io_update;
    self->seam.io_free = netron_libuv_io_free;
    self->seam.timer_new = netron_timers_new;
    self->seam.timer_start = netron_libuv_timer_start;
    self->seam.timer_stop = netron_libuv_timer_stop;
    self->seam.timer_free = netron_libuv_timer_free;
    self->seam.now = netron_libuv_now;
    self->seam.resolve = netron_libuv_resolve;
    self->seam.resolve_cancel = netron_libuv_resolve_cancel;
    self->seam.free = netron_libuv_free;
    return &self->seam;
}

#ifdef __cplusplus
}
#endif

#endif
