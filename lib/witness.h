/* SPDX-License-Identifier: MIT */
/*
 * The witness: believes records only when they are signed by a trusted key, and remembers what it has believed, so that
 * no older record of a node passes for a new one, and none is checked twice.
 *
 * The view's remembers a node as long as it is there, and for an hour after it left. That of lookups, which hear of no
 * departure, remembers it for an hour after it was seen last. They do not share what they know: the one sees what comes
 * over the events link as well, so its picture may be ahead of an answer that is under way to the other.
 */
#ifndef NETRON_LIB_WITNESS_H
#define NETRON_LIB_WITNESS_H

#include "core.h"
#include "record.h"
#include "settings.h"
#include "skipped.h"

#define NETRON_WITNESS_MEMORY_MS 3600000u
#define NETRON_WITNESS_GONE_MAX 65536u /* beyond, who left first is forgotten first */

struct netron_table_entry;

struct netron_witness {
    struct netron_core *core;
    const struct netron_settings *settings;
    struct netron_skipped *skipped;
    bool hears_departures; /* it is the view's */
    /* A record that was refused as an older one may be a new one of a clock that was set back: when what it was
     * compared with is forgotten, it has to be read again. May be NULL. */
    void (*again)(void *arg);
    void *arg;

    struct netron_table_entry *present; /* table.h */
    struct netron_table_entry *gone;    /* in the order of their going */
    struct netron_deadline forgetting;
};

/* The members up to arg are set before. */
void netron_witness_open(struct netron_witness *witness);
void netron_witness_close(struct netron_witness *witness); /* idempotent */

/*
 * Whether the record, which has just been read with its stamp, is to be believed. If it is not, that is counted and
 * logged, and the record becomes what is known of the node instead: its node as it was, or none. Nothing without
 * trusted keys. Returns 0, or NETRON_ENOMEM, and the record is as it was.
 */
int netron_witness_judge(struct netron_witness *witness, const char *id, struct netron_record *record,
                         const struct netron_stamp *stamp, struct netron_failure *why);

/* The node is not there any more. */
void netron_witness_departed(struct netron_witness *witness, const char *id);

#endif
