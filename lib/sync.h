/* SPDX-License-Identifier: MIT */
/*
 * Sync: brings the replica to where the registry is, and proves that it is there.
 *
 *     IDLE -> DELTA (script sync: what changed since our revision) -> IDLE
 *               |  ^                             not our history, or the digests differ
 *               v  |
 *             READING (everything, by HSCAN, a page at a time), and then the changes since it began
 */
#ifndef NETRON_LIB_SYNC_H
#define NETRON_LIB_SYNC_H

#include "event.h"
#include "link.h"
#include "replica.h"
#include "script.h"
#include "witness.h"

enum netron_sync_state { NETRON_SYNC_IDLE, NETRON_SYNC_DELTA, NETRON_SYNC_READING };

struct netron_sync {
    struct netron_core *core;
    struct netron_link *link; /* commands */
    const char *registry_key;
    const char *records_key;
    struct netron_replica *replica;
    struct netron_skipped *skipped;
    struct netron_witness *witness;
    unsigned page; /* records in one answer */
    /* Once for each begin, unless it was aborted. why NULL: the digests agree. From the top level. */
    void (*done)(void *arg, const struct netron_failure *why);
    void *arg;

    enum netron_sync_state state;
    char epoch[NETRON_EPOCH_MAX + 1]; /* of the replica; "" = no registry */
    uint64_t revision;

    struct netron_script_call *call;
    uint64_t tickets[2]; /* READING: of the numbers and of the page */
    unsigned outstanding;
    struct netron_failure failure; /* of the round under way */
    char cursor[24];
    unsigned pages;
    unsigned answers;   /* of the reading */
    uint64_t whence;    /* the server they are from: netron_link_whence() */
    unsigned readings;  /* since begin: a registry that never stays itself must not keep us for ever */
    bool must_read;     /* whatever the numbers say */
    bool must_sweep;    /* a reading has begun, and is not whole yet */
    bool keeps_missing; /* another registry or history: what is missing in it is not known to be dead */

    uint64_t syncs;
    uint64_t full_syncs;
    uint64_t faults;
    unsigned faults_in_a_row; /* of this epoch */
    bool is_doubted;          /* the round that ended was one of several: this registry will never add up */
};

/* Nothing while one is under way. */
void netron_sync_begin(struct netron_sync *sync);
/* The next one reads everything, whatever the numbers say. */
void netron_sync_doubt(struct netron_sync *sync);
void netron_sync_abort(struct netron_sync *sync);
bool netron_sync_is_idle(const struct netron_sync *sync);

#endif
