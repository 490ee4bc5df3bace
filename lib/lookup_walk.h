/* SPDX-License-Identifier: MIT */
/* A lookup from within: shared by lookup.c, which walks through the registry, and lookups.c, which begins and ends it.
 */
#ifndef NETRON_LIB_LOOKUP_WALK_H
#define NETRON_LIB_LOOKUP_WALK_H

#include "candidate_reading.h"
#include "lookup.h"
#include "version_range.h"

enum netron_lookup_source { SOURCE_SERVICE_INDEX, SOURCE_NODE_INDEX, SOURCE_RECORDS };

/* What is asked about one candidate. Each request has its own: answers from elsewhere (detour.h) come when they come.
 */
struct netron_question {
    struct netron_lookup *lookup;
    struct netron_candidate *candidate;
    struct netron_heartbeat heartbeat;
};

struct netron_lookup {
    struct netron_lookups *lookups;
    struct netron_grave grave;
    struct netron_lookup *prev; /* utlist.h wants these names */
    struct netron_lookup *next;
    bool finished;
    unsigned outstanding;
    struct netron_deadline begin;
    void (*step)(struct netron_lookup *lookup); /* what to do when all replies of a round are there */
    struct netron_failure failure;              /* of this round; code 0 = none */

    netron_nodes_fn found;
    netron_active_fn found_active;
    void *arg;
    char *id; /* is_active */
    char *name;
    struct netron_version_range *range;
    char *service_key;

    enum netron_lookup_source source; /* of the ids */
    bool needs_node_index;
    bool needs_records;
    long long indexed; /* as many nodes the index has; negative: it cannot be counted */
    long long adopted; /* and as many there are with a lifetime */
    char cursor[24];
    uint64_t whence;   /* the server that the cursor is from: netron_link_whence() */
    unsigned restarts; /* because it was another one's */
    bool must_restart; /* the source, from its first page on */
    unsigned pages;
    struct netron_candidates candidates;
    size_t fetched; /* how many of the candidates are dealt with */
    size_t fetching;
    struct netron_question *questions; /* one for each of those being fetched */
};

/* Prepares the walk of a lookup whose question is set; it begins with the deadline begin. */
void netron_lookup_prepare(struct netron_lookup *lookup);
/* Calls its callback, with NETRON_ECANCELLED; what is under way will find that it is over. */
void netron_lookup_cancel(struct netron_lookup *lookup);
void netron_lookup_destroy(struct netron_grave *grave);

#endif
