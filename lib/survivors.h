/* SPDX-License-Identifier: MIT */
/*
 * Which of the kept nodes are alive: asks Redis for their heartbeats, before anybody is told as gone.
 *
 * A node whose keys are all lost but the heartbeat goes on beating, and enters the registry again by its next repair
 * beat only. Until then nothing but the heartbeat tells it from a dead one.
 */
#ifndef NETRON_LIB_SURVIVORS_H
#define NETRON_LIB_SURVIVORS_H

#include "link.h"
#include "replica.h"
#include <netron/node.h>

struct netron_survivors {
    struct netron_link *link; /* commands */
    const struct netron_settings *settings;
    struct netron_replica *replica;
    /* Once for each begin, unless it was aborted: everybody was asked for, and the dead are told. why: not everybody
     * could be. From the top level. */
    void (*done)(void *arg, const struct netron_failure *why);
    void *arg;

    char (*ids)[NETRON_NODE_ID_MAX + 1]; /* of the page that is asked for; NULL = none */
    size_t count;
    uint64_t revision; /* that deaths are told with */
    uint64_t ticket;
};

/* Nothing while one is under way. It is the replica's search meanwhile. Returns 0, or a code that says why nobody could
 * be asked; then done is not called. */
int netron_survivors_begin(struct netron_survivors *survivors, uint64_t revision);
void netron_survivors_abort(struct netron_survivors *survivors); /* idempotent */

#endif
