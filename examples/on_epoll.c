/* SPDX-License-Identifier: MIT */
/*
 * A member of a fleet in a program that has a loop of its own making: here it is poll() over a descriptor for signals
 * and the one of netron. A reactor without an adapter does just the same: it watches netron_epoll_fd() and calls
 * netron_epoll_dispatch(). A program without any loop calls netron_epoll_run() instead.
 *
 *     build/examples/on_epoll one 127.0.0.1:7001
 *     build/examples/on_epoll two 127.0.0.1:7002
 */
#include "member.h"
#include "resolver.h"
#include <netron/adapters/epoll.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>

static void on_left(void *arg)
{
    *(bool *)arg = true;
}

static int serve(struct member *member, netron_loop *netron, int signal_fd, const bool *is_over)
{
    struct pollfd watched[] = {{.fd = signal_fd, .events = POLLIN}, {.fd = netron_epoll_fd(netron), .events = POLLIN}};
    struct signalfd_siginfo info;
    while (!*is_over) {
        if (poll(watched, 2, -1) < 0)
            continue; /* interrupted */
        if (watched[0].revents != 0 && read(signal_fd, &info, sizeof(info)) > 0)
            member_leave(member);
        if (watched[1].revents != 0 && netron_epoll_dispatch(netron) != 0)
            return 1;
    }
    return member->exit_code;
}

int main(int argc, char **argv)
{
    sigset_t signals;
    bool is_over = false;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    netron_loop *netron = netron_epoll_loop();
    struct member member = {.left = on_left, .arg = &is_over};
    struct resolver *resolver = resolver_attach(netron); /* without it only numeric addresses could be used */
    int code = member_start(&member, netron, argc, argv);
    if (code == 0 && netron != NULL)
        code = serve(&member, netron, signal_fd, &is_over);
    member_free(&member);
    resolver_free(resolver);
    netron_loop_free(netron);
    close(signal_fd);
    return code;
}
