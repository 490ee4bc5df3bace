/* SPDX-License-Identifier: MIT */
#include "snapshot.h"
#include "node.h"
#include <stddef.h>
#include <stdlib.h>

struct counted_snapshot {
    netron_snapshot snapshot; /* first: the one is the other */
    size_t references;
    netron_node *nodes[];
};

/* What users hold is const; what it counts is not theirs. */
static struct counted_snapshot *counted(const netron_snapshot *snapshot)
{
    union {
        const netron_snapshot *given;
        struct counted_snapshot *counted;
    } same = {.given = snapshot};
    return same.counted;
}

netron_snapshot *netron_snapshot_new(size_t capacity)
{
    if (capacity > (SIZE_MAX - sizeof(struct counted_snapshot)) / sizeof(netron_node *))
        return NULL;
    struct counted_snapshot *made = malloc(sizeof(*made) + capacity * sizeof(netron_node *));
    if (made == NULL)
        return NULL;
    made->references = 1;
    made->snapshot.count = 0;
    made->snapshot.nodes = (const netron_node *const *)made->nodes;
    return (netron_snapshot *)made;
}

void netron_snapshot_add(netron_snapshot *snapshot, netron_node *node)
{
    counted(snapshot)->nodes[snapshot->count++] = netron_node_retain(node);
}

const netron_snapshot *netron_snapshot_retain(const netron_snapshot *snapshot)
{
    if (snapshot != NULL)
        counted(snapshot)->references++;
    return snapshot;
}

void netron_snapshot_release(const netron_snapshot *snapshot)
{
    if (snapshot == NULL || --counted(snapshot)->references > 0)
        return;
    struct counted_snapshot *last = counted(snapshot);
    for (size_t i = 0; i < snapshot->count; i++)
        netron_node_free(last->nodes[i]);
    free(last);
}
