/* SPDX-License-Identifier: MIT */
#include "candidates.h"
#include "array.h"
#include "node.h"
#include "table.h"
#include <stdlib.h>
#include <string.h>

struct netron_candidate_id {
    struct netron_table_entry in_table;
    char id[];
};

static struct netron_candidate_id *remember(struct netron_candidates *candidates, const char *id)
{
    size_t length = strlen(id);
    struct netron_candidate_id *entry = malloc(sizeof(*entry) + length + 1);
    if (entry == NULL)
        return NULL;
    memcpy(entry->id, id, length + 1);
    if (netron_table_add(&candidates->known, entry, entry->id, length))
        return entry;
    free(entry);
    return NULL;
}

int netron_candidates_add(struct netron_candidates *candidates, const char *id)
{
    if (netron_table_find(candidates->known, id, strlen(id)) != NULL)
        return 0;
    if (candidates->count == candidates->capacity) {
        struct netron_candidate *list = netron_array_grow(candidates->list, &candidates->capacity, 32, sizeof(*list));
        if (list == NULL)
            return NETRON_ENOMEM;
        candidates->list = list;
    }
    const struct netron_candidate_id *known = remember(candidates, id);
    if (known == NULL)
        return NETRON_ENOMEM;
    candidates->list[candidates->count++] = (struct netron_candidate){.id = known->id};
    return 0;
}

void netron_candidate_keep(struct netron_candidate *candidate, const char *name,
                           const struct netron_version_range *range, netron_node *node)
{
    bool is_wanted = name == NULL;
    for (size_t i = 0; i < node->service_count && !is_wanted; i++)
        is_wanted =
            strcmp(node->services[i].name, name) == 0 && netron_version_range_accepts(range, node->services[i].version);
    if (is_wanted)
        candidate->node = node;
    else
        netron_node_free(node);
}

const netron_node **netron_candidates_nodes(const struct netron_candidates *candidates, size_t *count)
{
    const netron_node **nodes = malloc((candidates->count + 1) * sizeof(*nodes)); /* +1: not NULL for none */
    if (nodes == NULL)
        return NULL;
    *count = 0;
    for (size_t i = 0; i < candidates->count; i++)
        if (candidates->list[i].node != NULL)
            nodes[(*count)++] = candidates->list[i].node;
    return nodes;
}

void netron_candidates_clear(struct netron_candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        netron_record_clear(&candidates->list[i].record);
        netron_node_free(candidates->list[i].node);
    }
    free(candidates->list);
    while (candidates->known != NULL)
        free(netron_table_take(&candidates->known));
    *candidates = (struct netron_candidates){0};
}
