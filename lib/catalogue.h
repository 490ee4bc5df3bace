/* SPDX-License-Identifier: MIT */
/*
 * The catalogue: which nodes offer a service, and the snapshots that answer for it.
 *
 * A list of members for each service name, and one of all nodes. A snapshot is made when it is asked for and stands
 * ready until its service changes; those of version ranges are kept beside it.
 */
#ifndef NETRON_LIB_CATALOGUE_H
#define NETRON_LIB_CATALOGUE_H

#include "snapshot.h"
#include <netron/node.h>

struct netron_catalogue_service;
struct netron_table_entry;

struct netron_catalogue {
    struct netron_table_entry *by_name; /* of the services, table.h */
    struct netron_catalogue_service *everyone;
    const netron_snapshot *nobody;
};

/* Returns 0 or NETRON_ENOMEM. */
int netron_catalogue_open(struct netron_catalogue *catalogue);
void netron_catalogue_close(struct netron_catalogue *catalogue); /* idempotent; snapshots that others hold stay */

/* Enters the node in place of another of the same id; either may be NULL, for one that comes or goes. Both outlive the
 * entry: the catalogue holds no reference of its own. Returns 0, or NETRON_ENOMEM and nothing is changed. */
int netron_catalogue_replace(struct netron_catalogue *catalogue, netron_node *before, netron_node *after);

size_t netron_catalogue_count(const struct netron_catalogue *catalogue); /* of all nodes */

/* As netron_view_find(). The snapshot is the caller's to release. */
const netron_snapshot *netron_catalogue_find(struct netron_catalogue *catalogue, const char *name,
                                             const char *version_range);

#endif
