/* SPDX-License-Identifier: MIT */
/*
 * A member of a fleet, on whatever event loop: the part that is the same in on_libuv.c, on_libev.c, on_glib.c,
 * on_sd_event.c and on_epoll.c. It registers, tells what it hears, finds the others, and leaves.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include <netron/netron.h>
#include <stdbool.h>

struct member {
    netron_discovery *discovery;
    const char *id;
    void (*left)(void *arg); /* called once: everything is over, stop the loop */
    void *arg;
    bool is_leaving;
    int exit_code;
};

/* argv: ID HOST:PORT. Returns 0, or what the process should exit with; then nothing of the member is left. */
int member_start(struct member *member, netron_loop *loop, int argc, char **argv);
/* Takes the node out of the registry; `left` is called afterwards. Further calls do nothing. */
void member_leave(struct member *member);
/* After the loop has stopped. */
void member_free(struct member *member);

#endif
