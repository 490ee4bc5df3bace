/* SPDX-License-Identifier: MIT */
/*
 * A member of a fleet in a program of libuv. Try it in two terminals, and end one by Ctrl-C:
 *
 *     build/examples/on_libuv one 127.0.0.1:7001
 *     build/examples/on_libuv two 127.0.0.1:7002
 */
#include "member.h"
#include <netron/adapters/libuv.h>
#include <signal.h>

struct process {
    uv_loop_t loop;
    uv_signal_t signals[2];
    netron_loop *netron;
    struct member member;
};

static void on_signal(uv_signal_t *watcher, int number)
{
    struct process *process = watcher->data;
    (void)number;
    member_leave(&process->member);
}

/* Ends uv_run(); the handles of netron are closed afterwards, in main(). */
static void on_left(void *arg)
{
    struct process *process = arg;
    uv_close((uv_handle_t *)&process->signals[0], NULL);
    uv_close((uv_handle_t *)&process->signals[1], NULL);
    uv_stop(&process->loop);
}

int main(int argc, char **argv)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    struct process process = {.member = {.left = on_left, .arg = &process}};
    if (uv_loop_init(&process.loop) != 0)
        return 1;
    process.netron = netron_libuv_loop(&process.loop);
    int code = member_start(&process.member, process.netron, argc, argv);
    if (code == 0) {
        for (int i = 0; i < 2; i++) {
            uv_signal_init(&process.loop, &process.signals[i]);
            process.signals[i].data = &process;
            uv_signal_start(&process.signals[i], on_signal, numbers[i]);
        }
        uv_run(&process.loop, UV_RUN_DEFAULT);
        code = process.member.exit_code;
    }
    member_free(&process.member);
    netron_loop_free(process.netron);
    uv_run(&process.loop, UV_RUN_DEFAULT); /* handles of libuv close in a later turn */
    return uv_loop_close(&process.loop) == 0 ? code : 1;
}
