/* SPDX-License-Identifier: MIT */
/* What CLUSTER SLOTS says: who serves a slot, and which nodes there are. */
#ifndef NETRON_LIB_SLOT_MAP_H
#define NETRON_LIB_SLOT_MAP_H

#include "reply.h"
#include "topology.h"

struct netron_slot_map {
    struct netron_location primary; /* of the slot; port 0: nobody serves it */
    struct netron_location nodes[NETRON_HOSTS_MAX];
    size_t node_count; /* of all, as many as there is room for; primaries and replicas */
};

/* asked: who answered; a node that does not know its own name leaves it out. Returns 0; on failure, with out undefined,
 * the codes of netron_reply_fail(). */
int netron_slot_map_read(const struct netron_reply *reply, unsigned slot, const struct netron_location *asked,
                         struct netron_slot_map *out, struct netron_failure *why);

#endif
