/* SPDX-License-Identifier: MIT */
/*
 * One conversation with one sentinel: it is asked where the primary is, and from then on it tells when that changes.
 *
 *     FINDING -> CONNECTING -> ASKING -> WATCHING          and CLOSED from anywhere
 *
 * One connection serves for both. What it is asked and what it is told to tell goes out together, so no change falls
 * between the two; and what it tells is the word of the very sentinel that was believed.
 */
#ifndef NETRON_LIB_SENTINEL_H
#define NETRON_LIB_SENTINEL_H

#include "conn.h"
#include "settings.h"
#include "topology.h"

struct netron_sentinel;

/* All are called from the top level; each may free everything. */
struct netron_sentinel_events {
    /* Once: the primary is there. */
    void (*answered)(void *arg, struct netron_sentinel *sentinel, const struct netron_location *primary);
    /* After that, whenever the sentinels made another one the primary. */
    void (*switched)(void *arg, struct netron_sentinel *sentinel, const struct netron_location *primary);
    /* Once: it has nothing more to say, or no answer at all. The sentence names the sentinel. */
    void (*ended)(void *arg, struct netron_sentinel *sentinel, const struct netron_failure *why);
};

/*
 * Begins to ask. settings and host outlive it; turn: which address of several to take; patience_ms: for the answer.
 * Returns 0 or NETRON_ENOMEM. Between enter and leave.
 */
int netron_sentinel_new(struct netron_core *core, const struct netron_settings *settings,
                        const struct netron_host *host, unsigned turn, uint64_t patience_ms,
                        const struct netron_sentinel_events *events, void *arg, struct netron_sentinel **out);
/* Nothing is called afterwards. NULL is fine. */
void netron_sentinel_free(struct netron_sentinel *sentinel);

const struct netron_host *netron_sentinel_host(const struct netron_sentinel *sentinel);

#endif
