/* SPDX-License-Identifier: MIT */
/*
 * A member of a fleet in a program of sd-event. Try it in two terminals, and end one by Ctrl-C:
 *
 *     build/examples/on_sd_event one 127.0.0.1:7001
 *     build/examples/on_sd_event two 127.0.0.1:7002
 */
#include "member.h"
#include "resolver.h"
#include <netron/adapters/sd-event.h>
#include <signal.h>

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
    (void)source;
    (void)info;
    member_leave(arg);
    return 0;
}

static void on_left(void *arg)
{
    sd_event_exit(arg, 0);
}

int main(int argc, char **argv)
{
    sigset_t signals;
    sd_event *event = NULL;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* as sd-event wants it */
    if (sd_event_new(&event) < 0)
        return 1;
    netron_loop *netron = netron_sd_event_loop(event);
    struct member member = {.left = on_left, .arg = event};
    struct resolver *resolver = resolver_attach(netron); /* without it only numeric addresses could be used */
    int code = member_start(&member, netron, argc, argv);
    if (code == 0) {
        sd_event_add_signal(event, NULL, SIGINT, on_signal, &member);
        sd_event_add_signal(event, NULL, SIGTERM, on_signal, &member);
        sd_event_loop(event);
        code = member.exit_code;
    }
    member_free(&member);
    resolver_free(resolver);
    netron_loop_free(netron);
    sd_event_unref(event);
    return code;
}
