/* SPDX-License-Identifier: MIT */
/*
 * A netron_loop on a GMainContext (GLib 2.36 or newer, with gio-2.0): one GSource for each watch, and one for the
 * timers, all of priority G_PRIORITY_DEFAULT. GLib does not call a source from inside itself: while one of the
 * library's callbacks runs the context again (a dialogue, a synchronous call over D-Bus), timers stand still, and
 * heartbeats with them.
 *
 * Host names are resolved by the default GResolver, which uses threads of its own. A resolution that is cancelled while
 * it is under way holds the context until it is over, in a later turn; a context that never turns again is never freed.
 *
 * GLib ends the process when there is no memory; where this header allocates by itself it returns NULL.
 * With a strict standard of C (-std=c99, c11, c17) define _POSIX_C_SOURCE=200809L before the first header of all, best
 * on the command line; gnuNN and C++ need nothing.
 */
#ifndef NETRON_ADAPTERS_GLIB_H
#define NETRON_ADAPTERS_GLIB_H

#include "timers.h"
#include <netron/error.h>
#include <netron/loop.h>

#include <gio/gio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct netron_glib {
    netron_loop seam;
    unsigned references; /* the user's, and one for each resolution that is not over */
    GMainContext *context;
    struct netron_timers timers;
    GSource *alarm;
};

/* GLib allocates it, as a source with more in it, and keeps it until its dispatch has returned. */
struct netron_glib_io {
    GSource source;
    int fd;
    gpointer tag; /* NULL while the descriptor is not watched */
    unsigned interest;
    netron_io_fn fn;
    void *arg;
};

struct netron_glib_alarm {
    GSource source;
    struct netron_glib *loop;
};

struct netron_glib_resolution {
    struct netron_glib *loop;
    GCancellable *cancellable;
    netron_resolve_fn fn; /* NULL when cancelled */
    void *arg;
};

static inline struct netron_glib *netron_glib_of(netron_loop *loop)
{
    return (struct netron_glib *)loop->data;
}

static inline void netron_glib_release(struct netron_glib *self)
{
    if (--self->references > 0)
        return;
    g_main_context_unref(self->context);
    free(self);
}

/* ---- watches ---- */

static inline gboolean netron_glib_dispatch_io(GSource *source, GSourceFunc unused, gpointer unused_arg)
{
    struct netron_glib_io *io = (struct netron_glib_io *)(void *)source;
    unsigned seen = io->tag != NULL ? (unsigned)g_source_query_unix_fd(source, io->tag) : 0;
    unsigned events = 0;
    (void)unused;
    (void)unused_arg;
    if (seen & (G_IO_IN | G_IO_HUP | G_IO_ERR | G_IO_NVAL))
        events |= NETRON_READABLE;
    if (seen & (G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL))
        events |= NETRON_WRITABLE;
    events &= io->interest;
    if (events != 0)
        io->fn(events, io->arg);
    return G_SOURCE_CONTINUE; /* without effect if it was destroyed meanwhile */
}

/* A descriptor without interest leaves the poll, which would tell its end again and again. */
static inline int netron_glib_io_update(netron_loop *loop, void *handle, unsigned events)
{
    struct netron_glib_io *io = (struct netron_glib_io *)handle;
    const GIOCondition condition =
        (GIOCondition)(((events & NETRON_READABLE) ? G_IO_IN : 0) | ((events & NETRON_WRITABLE) ? G_IO_OUT : 0));
    (void)loop;
    io->interest = events;
    if (events == 0 && io->tag != NULL) {
        g_source_remove_unix_fd(&io->source, io->tag);
        io->tag = NULL;
    } else if (events != 0 && io->tag == NULL) {
        io->tag = g_source_add_unix_fd(&io->source, io->fd, condition);
    } else if (events != 0) {
        g_source_modify_unix_fd(&io->source, io->tag, condition);
    }
    return 0;
}

static inline void netron_glib_io_free(netron_loop *loop, void *handle)
{
    struct netron_glib_io *io = (struct netron_glib_io *)handle;
    (void)loop;
    g_source_destroy(&io->source);
    g_source_unref(&io->source);
}

/* GLib takes the table as one that can be written, and keeps the pointer for as long as any source lives. */
static inline GSourceFuncs *netron_glib_io_functions(void)
{
    static GSourceFuncs functions = {NULL, NULL, netron_glib_dispatch_io, NULL, NULL, NULL};
    return &functions;
}

static inline void *netron_glib_io_new(netron_loop *loop, int fd, unsigned events, netron_io_fn fn, void *arg)
{
    GSource *source;
    struct netron_glib_io *io;
    if (fd < 0) /* poll() would pass it by in silence */
        return NULL;
    source = g_source_new(netron_glib_io_functions(), sizeof(struct netron_glib_io));
    io = (struct netron_glib_io *)(void *)source;
    io->fd = fd;
    io->tag = NULL;
    io->fn = fn;
    io->arg = arg;
    netron_glib_io_update(loop, io, events);
    g_source_attach(source, netron_glib_of(loop)->context);
    return io;
}

/* ---- timers ---- */

static inline void netron_glib_set_alarm(struct netron_glib *self)
{
    const uint64_t next = netron_timers_next(&self->timers);
    g_source_set_ready_time(self->alarm, next > G_MAXINT64 / 1000 ? -1 : (gint64)next * 1000);
}

static inline gboolean netron_glib_dispatch_alarm(GSource *source, GSourceFunc unused, gpointer unused_arg)
{
    struct netron_glib *self = ((struct netron_glib_alarm *)(void *)source)->loop;
    (void)unused;
    (void)unused_arg;
    netron_timers_run(&self->timers, (uint64_t)g_get_monotonic_time() / 1000);
    netron_glib_set_alarm(self);
    return G_SOURCE_CONTINUE;
}

static inline GSourceFuncs *netron_glib_alarm_functions(void)
{
    static GSourceFuncs functions = {NULL, NULL, netron_glib_dispatch_alarm, NULL, NULL, NULL};
    return &functions;
}

static inline uint64_t netron_glib_now(netron_loop *loop)
{
    (void)loop;
    return (uint64_t)g_get_monotonic_time() / 1000;
}

static inline int netron_glib_timer_start(netron_loop *loop, void *handle, uint64_t delay_ms)
{
    struct netron_glib *self = netron_glib_of(loop);
    netron_timers_start(&self->timers, (struct netron_timer *)handle, netron_glib_now(loop), delay_ms);
    netron_glib_set_alarm(self);
    return 0;
}

static inline void netron_glib_timer_stop(netron_loop *loop, void *handle)
{
    struct netron_glib *self = netron_glib_of(loop);
    netron_timers_stop(&self->timers, (struct netron_timer *)handle);
    netron_glib_set_alarm(self);
}

static inline void netron_glib_timer_free(netron_loop *loop, void *handle)
{
    netron_glib_timer_stop(loop, handle);
    free(handle);
}

/* ---- names ---- */

#define NETRON_GLIB_ADDRESSES_MAX 16 /* more addresses than this for one name are of no use to anybody */

static inline void netron_glib_answer(struct netron_glib_resolution *resolution, GList *list, const GError *error)
{
    gchar *texts[NETRON_GLIB_ADDRESSES_MAX];
    const char *addresses[NETRON_GLIB_ADDRESSES_MAX];
    size_t count = 0;
    for (; list != NULL && count < NETRON_GLIB_ADDRESSES_MAX; list = list->next) {
        texts[count] = g_inet_address_to_string((GInetAddress *)list->data);
        addresses[count] = texts[count];
        count++;
    }
    if (count > 0)
        resolution->fn(0, addresses, count, NULL, resolution->arg);
    else
        resolution->fn(NETRON_ERESOLVE, NULL, 0, error != NULL ? error->message : "no address", resolution->arg);
    for (size_t i = 0; i < count; i++)
        g_free(texts[i]);
}

static inline void netron_glib_on_resolved(GObject *resolver, GAsyncResult *result, gpointer arg)
{
    struct netron_glib_resolution *resolution = (struct netron_glib_resolution *)arg;
    GError *error = NULL;
    GList *list = g_resolver_lookup_by_name_finish((GResolver *)(void *)resolver, result, &error);
    if (resolution->fn != NULL)
        netron_glib_answer(resolution, list, error);
    g_resolver_free_addresses(list);
    g_clear_error(&error);
    g_object_unref(resolution->cancellable);
    netron_glib_release(resolution->loop);
    g_free(resolution);
}

/* The answer comes to the context that is the thread's default at the time of the question. */
static inline void *netron_glib_resolve(netron_loop *loop, const char *host, netron_resolve_fn fn, void *arg)
{
    struct netron_glib *self = netron_glib_of(loop);
    GResolver *resolver = g_resolver_get_default();
    struct netron_glib_resolution *resolution = g_new0(struct netron_glib_resolution, 1);
    self->references++;
    resolution->loop = self;
    resolution->cancellable = g_cancellable_new();
    resolution->fn = fn;
    resolution->arg = arg;
    g_main_context_push_thread_default(self->context);
    g_resolver_lookup_by_name_async(resolver, host, resolution->cancellable, netron_glib_on_resolved, resolution);
    g_main_context_pop_thread_default(self->context);
    g_object_unref(resolver);
    return resolution;
}

static inline void netron_glib_resolve_cancel(netron_loop *loop, void *handle)
{
    struct netron_glib_resolution *resolution = (struct netron_glib_resolution *)handle;
    (void)loop;
    resolution->fn = NULL;
    g_cancellable_cancel(resolution->cancellable);
}

/* ---- the loop ---- */

static inline void netron_glib_free(netron_loop *loop)
{
    struct netron_glib *self = netron_glib_of(loop);
    g_source_destroy(self->alarm);
    g_source_unref(self->alarm);
    netron_glib_release(self);
}

/*
 * context: NULL = the default one. It is held until netron_loop_free(), and has to be run by the thread that uses the
 * discoveries on it. Returns NULL when there is no memory. Free it with netron_loop_free(), after every discovery on
 * it.
 */
static inline netron_loop *netron_glib_loop(GMainContext *context)
{
    struct netron_glib *self = (struct netron_glib *)calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    self->references = 1;
    self->context = g_main_context_ref(context != NULL ? context : g_main_context_default());
    self->alarm = g_source_new(netron_glib_alarm_functions(), sizeof(struct netron_glib_alarm));
    ((struct netron_glib_alarm *)(void *)self->alarm)->loop = self;
    g_source_attach(self->alarm, self->context);
    self->seam.size = sizeof(netron_loop);
    self->seam.data = self;
    self->seam.io_new = netron_glib_io_new;
    self->seam.io_update = netron_glib_io_update;
    self->seam.io_free = netron_glib_io_free;
    self->seam.timer_new = netron_timers_new;
    self->seam.timer_start = netron_glib_timer_start;
    self->seam.timer_stop = netron_glib_timer_stop;
    self->seam.timer_free = netron_glib_timer_free;
    self->seam.now = netron_glib_now;
    self->seam.resolve = netron_glib_resolve;
    self->seam.resolve_cancel = netron_glib_resolve_cancel;
    self->seam.free = netron_glib_free;
    return &self->seam;
}

#ifdef __cplusplus
}
#endif

#endif
