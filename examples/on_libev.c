/* SPDX-License-Identifier: MIT */
/*
 * A member of a fleet in a program of libev. Try it in two terminals, and end one by Ctrl-C:
 *
 *     build/examples/on_libev one 127.0.0.1:7001
 *     build/examples/on_libev two 127.0.0.1:7002
 */
#include "member.h"
#include "resolver.h"
#include <netron/adapters/libev.h>
#include <signal.h>

struct process {
    struct ev_loop *loop;
    struct member member;
};

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int seen)
{
    struct process *process = watcher->data;
    (void)loop;
    (void)seen;
    member_leave(&process->member);
}

static void on_left(void *arg)
{
    struct process *process = arg;
    ev_break(process->loop, EVBREAK_ALL);
}

int main(int argc, char **argv)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    ev_signal signals[2];
    struct process process = {.loop = ev_loop_new(EVFLAG_AUTO)};
    process.member = (struct member){.left = on_left, .arg = &process};
    if (process.loop == NULL)
        return 1;
    netron_loop *netron = netron_libev_loop(process.loop);
    struct resolver *resolver = resolver_attach(netron); /* without it only numeric addresses could be used */
    int code = member_start(&process.member, netron, argc, argv);
    if (code == 0) {
        for (int i = 0; i < 2; i++) {
            ev_signal_init(&signals[i], on_signal, numbers[i]);
            signals[i].data = &process;
            ev_signal_start(process.loop, &signals[i]);
        }
        ev_run(process.loop, 0);
        for (int i = 0; i < 2; i++)
            ev_signal_stop(process.loop, &signals[i]);
        code = process.member.exit_code;
    }
    member_free(&process.member);
    resolver_free(resolver);
    netron_loop_free(netron);
    ev_loop_destroy(process.loop);
    return code;
}
