/* SPDX-License-Identifier: MIT */
/*
 * What a picker remembers of nodes while snapshots come and go.
 *
 *     seat    one for each node id of the snapshot, and for each that has left it with picks outstanding
 *     lease   one for each node (that is, state of one) of the snapshot, and for each that picks are outstanding of
 *
 * A node that changes has a new node struct, thus a new lease, but keeps its seat. Each seat and each lease hold a
 * reference to their node. What is not needed any more goes with the next snapshot.
 */
#ifndef NETRON_LIB_SEATS_H
#define NETRON_LIB_SEATS_H

#include "outlier.h"
#include <netron/view.h>

struct netron_seat {
    const netron_node *node; /* the latest */
    bool is_present;         /* in the snapshot */
    size_t lease;            /* of the latest node; only while it is present */
    uint64_t in_flight;      /* picks outstanding, those of earlier nodes of this id included */
    uint32_t weight;         /* 1 to 65535 */
    uint64_t id_hash;
    struct netron_outlier outlier;
    double phase;     /* netron_smooth_phase() */
    size_t successor; /* its index in the seats of the next snapshot, while that is adopted */
};

struct netron_lease {
    const netron_node *node;
    uintptr_t address; /* what the leases are ordered by */
    size_t seat;
    uint64_t picks; /* outstanding */
};

/* All zero is valid, and empty. */
struct netron_seats {
    struct netron_seat *seats; /* by id */
    size_t count;
    struct netron_lease *leases; /* by address */
    size_t lease_count;
    uint64_t outstanding; /* picks, all together */
};

/* Follows a snapshot, whose nodes must be counted copies (node.h). Without memory it returns false and changes
 * nothing. */
bool netron_seats_adopt(struct netron_seats *seats, const netron_snapshot *snapshot);
void netron_seats_clear(struct netron_seats *seats);

/* One more pick of a seat that is present. The node is borrowed until netron_seats_give_back(). */
const netron_node *netron_seats_take(struct netron_seats *seats, size_t index);

/* The seat that a pick is given back to; NULL when no pick of the node is outstanding. */
struct netron_seat *netron_seats_give_back(struct netron_seats *seats, const netron_node *node);

#endif
