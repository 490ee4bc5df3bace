/* SPDX-License-Identifier: MIT */
/* Users' done callbacks that wait for something. Each is called exactly once. */
#ifndef NETRON_LIB_COMPLETION_H
#define NETRON_LIB_COMPLETION_H

#include "core.h"

struct netron_completion;

struct netron_completions {
    struct netron_completion *first;
    struct netron_completion *last;
    uint64_t order;
};

/* mark: what it waits for, as a number that never falls from one call to the next. done NULL adds nothing.
 * Returns 0 or NETRON_ENOMEM. */
int netron_completions_add(struct netron_completions *completions, uint64_t mark, netron_done_fn done, void *arg);

/* Calls those that wait for up_to or less, oldest first; not those that are added meanwhile. Each is taken off the list
 * before it is called, so the callbacks may do anything; the list itself must survive them. The core's latest failure
 * is one of that code when they are called. */
void netron_completions_run(struct netron_completions *completions, uint64_t up_to, struct netron_core *core,
                            netron_discovery *discovery, int code);

#endif
