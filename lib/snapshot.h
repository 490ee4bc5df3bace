/* SPDX-License-Identifier: MIT */
/* Counted lists of nodes that never change (netron/view.h). */
#ifndef NETRON_LIB_SNAPSHOT_H
#define NETRON_LIB_SNAPSHOT_H

#include <netron/view.h>

/* Room for count nodes, none in it yet, held once by the caller; NULL without memory. */
netron_snapshot *netron_snapshot_new(size_t capacity);
/* Appends a node, which is retained. Only before anybody else got the snapshot, and at most capacity times. */
void netron_snapshot_add(netron_snapshot *snapshot, netron_node *node);

#endif
