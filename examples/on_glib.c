/* SPDX-License-Identifier: MIT */
/*
 * A member of a fleet in a program of GLib. Try it in two terminals, and end one by Ctrl-C:
 *
 *     build/examples/on_glib one 127.0.0.1:7001
 *     build/examples/on_glib two 127.0.0.1:7002
 */
#include "member.h"
#include <glib-unix.h>
#include <netron/adapters/glib.h>
#include <signal.h>

static gboolean on_signal(gpointer arg)
{
    member_leave(arg);
    return G_SOURCE_CONTINUE;
}

static void on_left(void *arg)
{
    g_main_loop_quit(arg);
}

int main(int argc, char **argv)
{
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    netron_loop *netron = netron_glib_loop(g_main_loop_get_context(loop));
    struct member member = {.left = on_left, .arg = loop};
    int code = member_start(&member, netron, argc, argv);
    if (code == 0) {
        guint interrupt = g_unix_signal_add(SIGINT, on_signal, &member);
        guint terminate = g_unix_signal_add(SIGTERM, on_signal, &member);
        g_main_loop_run(loop);
        g_source_remove(interrupt);
        g_source_remove(terminate);
        code = member.exit_code;
    }
    member_free(&member);
    netron_loop_free(netron);
    g_main_loop_unref(loop);
    return code;
}
