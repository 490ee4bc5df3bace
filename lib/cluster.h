/* SPDX-License-Identifier: MIT */
/*
 * A topology (topology.h) whose primary is the node of a cluster that serves the registry's slot.
 *
 * It is known from CLUSTER SLOTS, which any node answers, or from a node that says MOVED. While it cannot be reached,
 * the other nodes are asked every second or so whether they have made another one primary.
 */
#ifndef NETRON_LIB_CLUSTER_H
#define NETRON_LIB_CLUSTER_H

#include "settings.h"
#include "topology.h"

/* settings outlives it. Returns 0, NETRON_ENOMEM. */
int netron_cluster_new(struct netron_core *core, const struct netron_settings *settings, struct netron_topology **out);

#endif
