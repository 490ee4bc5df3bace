/* SPDX-License-Identifier: MIT */
#include "sigpipe.h"
#include <pthread.h>
#include <stddef.h>
#include <time.h>

static void only_sigpipe(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
}

void netron_sigpipe_block(struct netron_sigpipe *guard)
{
    sigset_t set;
    only_sigpipe(&set);
    pthread_sigmask(SIG_BLOCK, &set, &guard->previous);
    guard->was_blocked = sigismember(&guard->previous, SIGPIPE) == 1;
    guard->was_pending = false;
    if (guard->was_blocked) { /* only then can one of the host's own be waiting, which is not ours to take */
        sigset_t pending;
        sigpending(&pending);
        guard->was_pending = sigismember(&pending, SIGPIPE) == 1;
    }
}

void netron_sigpipe_restore(struct netron_sigpipe *guard, bool failed)
{
    if (failed && !guard->was_pending) {
        sigset_t set;
        only_sigpipe(&set);
        const struct timespec at_once = {0, 0};
        sigtimedwait(&set, NULL, &at_once);
    }
    if (!guard->was_blocked)
        pthread_sigmask(SIG_SETMASK, &guard->previous, NULL);
}
