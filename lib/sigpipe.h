/* SPDX-License-Identifier: MIT */
/* Keeps SIGPIPE from the host program while hiredis writes: it uses write(2), which raises the signal on a connection
 * that the peer has reset. The calling thread's signal mask is as before afterwards. */
#ifndef NETRON_LIB_SIGPIPE_H
#define NETRON_LIB_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct netron_sigpipe {
    sigset_t previous;
    bool was_blocked;
    bool was_pending;
};

void netron_sigpipe_block(struct netron_sigpipe *guard);
/* failed: the write did not succeed, so a signal may have to be taken back. */
void netron_sigpipe_restore(struct netron_sigpipe *guard, bool failed);

#endif
