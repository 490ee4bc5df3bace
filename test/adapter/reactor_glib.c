/* SPDX-License-Identifier: MIT */
#include "reactor.h"
#include "suite.h"
#include <check.h>
#include <netron/adapters/glib.h>
#include <pthread.h>

const char *const reactor_name = "glib";

struct reactor {
    GMainContext *context;
    netron_loop *seam;
};

static gboolean on_tick(gpointer arg)
{
    (void)arg;
    return G_SOURCE_CONTINUE;
}

static void on_known(GObject *resolver, GAsyncResult *result, gpointer arg)
{
    g_resolver_free_addresses(g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, NULL));
    *(gboolean *)arg = TRUE;
}

#define WAKE_UP "anon_inode:[eventfd]"

/* The first lookup of a process starts a worker that stays to its end, with what wakes it up. Only that is counted: a
 * thread that is just beginning, of GLib or of the test, may have a file open for a moment. */
static void start_resolver(void)
{
    GMainContext *context = g_main_context_new();
    const int before = suite_descriptors_of(WAKE_UP);
    GResolver *resolver = g_resolver_get_default();
    gboolean is_known = FALSE;
    g_main_context_push_thread_default(context);
    g_resolver_lookup_by_name_async(resolver, "localhost", NULL, on_known, &is_known);
    g_main_context_pop_thread_default(context);
    while (!is_known)
        g_main_context_iteration(context, TRUE);
    g_object_unref(resolver);
    suite_keep_open(suite_descriptors_of(WAKE_UP) - before);
    g_main_context_unref(context);
}

struct reactor *reactor_new(void)
{
    static pthread_once_t is_started = PTHREAD_ONCE_INIT;
    struct reactor *reactor = calloc(1, sizeof(*reactor));
    ck_assert_ptr_nonnull(reactor);
    pthread_once(&is_started, start_resolver); /* before another thread opens anything */
    reactor->context = g_main_context_new();
    reactor->seam = netron_glib_loop(reactor->context);
    ck_assert_ptr_nonnull(reactor->seam);
    return reactor;
}

netron_loop *reactor_loop(struct reactor *reactor)
{
    return reactor->seam;
}

netron_loop *reactor_loop_again(struct reactor *reactor)
{
    return netron_glib_loop(reactor->context);
}

void reactor_turn(struct reactor *reactor, unsigned wait_ms)
{
    GSource *tick = g_timeout_source_new(wait_ms);
    g_source_set_callback(tick, on_tick, NULL, NULL);
    g_source_attach(tick, reactor->context);
    g_main_context_iteration(reactor->context, TRUE);
    g_source_destroy(tick);
    g_source_unref(tick);
}

void reactor_free(struct reactor *reactor)
{
    struct netron_glib *inside = netron_glib_of(reactor->seam);
    inside->references++;
    netron_loop_free(reactor->seam);
    while (inside->references > 1) /* resolutions that were cancelled */
        g_main_context_iteration(reactor->context, TRUE);
    netron_glib_release(inside);
    g_main_context_unref(reactor->context);
    free(reactor);
}
