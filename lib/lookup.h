/* SPDX-License-Identifier: MIT */
/* Lookups: asking Redis directly which nodes there are. */
#ifndef NETRON_LIB_LOOKUP_H
#define NETRON_LIB_LOOKUP_H

#include "link.h"
#include "witness.h"
#include <netron/lookup.h>

struct netron_lookup;

/* What all lookups of a discovery share. */
struct netron_lookups {
    struct netron_core *core;
    const struct netron_settings *settings;
    struct netron_link *link;
    netron_discovery *discovery;
    struct netron_skipped skipped;
    struct netron_witness witness;
    size_t page; /* ids in one command, at most 512 */
    char *node_index_key;
    char *expiry_key;
    char *records_key;
    struct netron_lookup *pending; /* a list, utlist.h */
    size_t count;
};

/* Fills the keys; the other members are the owner's to set before. Returns 0 or NETRON_ENOMEM. */
int netron_lookups_open(struct netron_lookups *lookups);
/* Ends what is pending with NETRON_ECANCELLED, from inside. */
void netron_lookups_cancel_all(struct netron_lookups *lookups);
void netron_lookups_close(struct netron_lookups *lookups);

/* name NULL: all nodes. Callbacks and codes as in netron/lookup.h. */
int netron_lookups_find(struct netron_lookups *lookups, const char *name, const char *version, netron_nodes_fn found,
                        void *arg, struct netron_failure *why);
int netron_lookups_is_active(struct netron_lookups *lookups, const char *id, netron_active_fn found, void *arg,
                             struct netron_failure *why);

#endif
