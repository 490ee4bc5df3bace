/* SPDX-License-Identifier: MIT */
/* The ids that a lookup looks at, each once, and what became of them. */
#ifndef NETRON_LIB_CANDIDATES_H
#define NETRON_LIB_CANDIDATES_H

#include "record.h"
#include "version_range.h"
#include <stdbool.h>
#include <stddef.h>

struct netron_candidate {
    const char *id;              /* owned by the table of known ids */
    struct netron_record record; /* from its reply until it is judged */
    bool needs_hash;             /* live, but its record is missing or another owner's */
    netron_node *node;           /* live and wanted */
};

struct netron_table_entry;

struct netron_candidates {
    struct netron_candidate *list;
    size_t count;
    size_t capacity;
    struct netron_table_entry *known; /* a scan may return an id more than once; table.h */
};

/* Adds the id unless it is known. Returns 0 or NETRON_ENOMEM. */
int netron_candidates_add(struct netron_candidates *candidates, const char *id);

/* Takes the node, and holds it if it offers a service of that name in that range; name NULL: any, or none. */
void netron_candidate_keep(struct netron_candidate *candidate, const char *name,
                           const struct netron_version_range *range, netron_node *node);

/* The nodes found; the array is freed by the caller, the nodes stay here. NULL without memory. */
const netron_node **netron_candidates_nodes(const struct netron_candidates *candidates, size_t *count);

void netron_candidates_clear(struct netron_candidates *candidates);

#endif
