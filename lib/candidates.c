/* SPDX-License-Identifier: MIT */
#include "candidates.h"
#include "node.h"
#include "table.h"
#include <stdlib.h>
#include <string.h>

struct netron_candidate_id {
    UT_hash_handle hh;
    char id[];
};

static struct netron_candidate_id *remember(struct netron_candidates *candidates, const char *id)
{
    size_t length = strlen(id);
    struct netron_candidate_id *entry = malloc(sizeof(*entry) + length + 1);
    if (entry == NULL)
        return NULL;
    memcpy(entry->id, id, length + 1);
    HASH_ADD_KEYPTR(hh, candidates->known, entry->id, (unsigned)length, entry);
    if (entry->hh.tbl == NULL) {
        free(entry);
        return NULL;
    }
    return entry;
}

int netron_candidates_add(struct netron_candidates *candidates, const char *id)
{
    struct netron_candidate_id *known = NULL;
    HASH_FIND(hh, candidates->known, id, (unsigned)strlen(id), known);
    if (known != NULL)
        return 0;
    if (candidates->count == candidates->capacity) {
        size_t capacity = candidates->capacity == 0 ? 32 : candidates->capacity * 2;
        struct netron_candidate *list = realloc(candidates->list, capacity * sizeof(*list));
        if (list == NULL)
            return NETRON_ENOMEM;
        candidates->list = list;
        candidates->capacity = capacity;
    }
    known = remember(candidates, id);
    if (known == NULL)
        return NETRON_ENOMEM;
    candidates->list[candidates->count++] = (struct netron_candidate){.id = known->id};
    return 0;
}

void netron_candidates_rewind(struct netron_candidates *candidates, size_t position)
{
    candidates->next_hash = position;
}

struct netron_candidate *netron_candidates_next_hash(struct netron_candidates *candidates)
{
    while (candidates->next_hash < candidates->count) {
        struct netron_candidate *candidate = &candidates->list[candidates->next_hash++];
        if (candidate->needs_hash)
            return candidate;
    }
    return NULL;
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
    struct netron_candidate_id *each = NULL;
    struct netron_candidate_id *next = NULL;
    for (size_t i = 0; i < candidates->count; i++) {
        netron_record_clear(&candidates->list[i].record);
        netron_node_free(candidates->list[i].node);
    }
    free(candidates->list);
    HASH_ITER(hh, candidates->known, each, next)
    {
        HASH_DEL(candidates->known, each);
        free(each);
    }
    *candidates = (struct netron_candidates){0};
}
