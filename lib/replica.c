/* SPDX-License-Identifier: MIT */
#include "replica.h"
#include "node.h"
#include "table.h"
#include <stdlib.h>
#include <string.h>

#define DIGEST_MASK ((UINT64_C(1) << 48) - 1)

struct netron_replica_entry {
    struct netron_table_entry in_table;
    netron_node *node; /* NULL when the record cannot be read */
    uint64_t tag;
    uint64_t revision;
    uint64_t incarnation; /* its hash: to tell a restarted process from one that came back */
    unsigned round;       /* in which it was put last */
    unsigned search;      /* in which it was handed out last */
    bool is_kept;
    char id[];
};

typedef struct netron_replica_entry entry_t;

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

static entry_t *find(const struct netron_replica *replica, const char *id, size_t length)
{
    return netron_table_find(replica->by_id, id, length);
}

static entry_t *add(struct netron_replica *replica, const char *id, size_t length)
{
    entry_t *entry = calloc(1, sizeof(*entry) + length + 1);
    if (entry == NULL)
        return NULL;
    memcpy(entry->id, id, length);
    if (netron_table_add(&replica->by_id, entry, entry->id, length))
        return entry;
    free(entry);
    return NULL;
}

static void forget(struct netron_replica *replica, entry_t *entry)
{
    if (entry->is_kept)
        replica->kept--;
    else
        replica->digest = (replica->digest - entry->tag) & DIGEST_MASK;
    netron_table_remove(&replica->by_id, entry);
    free(entry);
}

static void count_tag(struct netron_replica *replica, entry_t *entry, uint64_t tag)
{
    if (entry->is_kept)
        replica->kept--;
    else
        replica->digest = (replica->digest - entry->tag) & DIGEST_MASK;
    replica->digest = (replica->digest + tag) & DIGEST_MASK;
    entry->is_kept = false;
    entry->tag = tag;
}

static void tell(struct netron_replica *replica, netron_event_type type, netron_node *node, const char *reason,
                 uint64_t revision)
{
    if (!replica->closed)
        replica->changed(replica->arg, type, node, reason, revision);
}

/* The entry's node becomes this one, and the user hears of it. Takes the node; before is let go at the very end, for
 * the user may be looking at it. */
static int exchange(struct netron_replica *replica, entry_t *entry, netron_node *after, const char *reason)
{
    netron_node *before = entry->node;
    uint64_t revision = entry->revision;
    if (netron_catalogue_replace(&replica->catalogue, before, after) != 0) {
        netron_node_free(after);
        return NETRON_ENOMEM;
    }
    entry->node = after;
    if (after != NULL) {
        netron_node_retain(after);
        tell(replica, before == NULL ? NETRON_NODE_REGISTERED : NETRON_NODE_UPDATED, after, "", revision);
        netron_node_free(after);
    } else if (before != NULL) {
        tell(replica, NETRON_NODE_DEREGISTERED, before, reason, revision);
    }
    netron_node_free(before);
    return 0;
}

int netron_replica_put(struct netron_replica *replica, const char *id, size_t length, struct netron_record *record)
{
    entry_t *entry = find(replica, id, length);
    netron_node *node = record->node;
    uint64_t incarnation = hash_of(record->incarnation);
    record->node = NULL;
    if (entry == NULL)
        entry = add(replica, id, length);
    if (entry == NULL) {
        netron_node_free(node);
        return NETRON_ENOMEM;
    }
    bool is_same =
        entry->node != NULL && node != NULL && entry->incarnation == incarnation && netron_node_same(entry->node, node);
    count_tag(replica, entry, record->tag);
    entry->revision = record->revision;
    entry->incarnation = incarnation;
    entry->round = replica->round;
    if (record->ttl_ms > replica->ttl_max)
        replica->ttl_max = record->ttl_ms;
    if (is_same || (entry->node == NULL && node == NULL)) {
        netron_node_free(node);
        return 0;
    }
    if (exchange(replica, entry, node, record->is_refused ? "refused" : "unreadable") == 0)
        return 0;
    count_tag(replica, entry, 0); /* so that the digest tells that something is wanting here */
    return NETRON_ENOMEM;
}

static void leave(struct netron_replica *replica, entry_t *entry, const char *reason, uint64_t revision)
{
    netron_node *node = entry->node;
    forget(replica, entry);
    if (node == NULL)
        return;
    netron_catalogue_replace(&replica->catalogue, node, NULL); /* taking out needs no memory */
    tell(replica, NETRON_NODE_DEREGISTERED, node, reason, revision);
    netron_node_free(node);
}

void netron_replica_remove(struct netron_replica *replica, const char *id, size_t length, const char *reason,
                           uint64_t revision)
{
    entry_t *entry = find(replica, id, length);
    if (entry != NULL)
        leave(replica, entry, reason, revision);
}

uint64_t netron_replica_digest_with(const struct netron_replica *replica, const char *id, uint64_t tag)
{
    const entry_t *entry = find(replica, id, strlen(id));
    uint64_t held = entry != NULL && !entry->is_kept ? entry->tag : 0;
    return (replica->digest - held + tag) & DIGEST_MASK;
}

bool netron_replica_holds(const struct netron_replica *replica, const char *id, uint64_t revision, bool is_departure)
{
    const entry_t *entry = find(replica, id, strlen(id));
    if (entry == NULL || entry->is_kept)
        return is_departure;
    return is_departure ? entry->revision > revision : entry->revision >= revision;
}

bool netron_replica_is_unread(const struct netron_replica *replica, const char *id)
{
    const entry_t *entry = find(replica, id, strlen(id));
    return entry != NULL && entry->node == NULL;
}

netron_node *netron_replica_node(const struct netron_replica *replica, const char *id)
{
    const entry_t *entry = find(replica, id, strlen(id));
    return entry != NULL ? entry->node : NULL;
}

/* ---- reading everything ---- */

void netron_replica_begin_round(struct netron_replica *replica)
{
    replica->round++;
}

static void keep_entry(struct netron_replica *replica, entry_t *entry)
{
    if (entry->is_kept)
        return;
    replica->digest = (replica->digest - entry->tag) & DIGEST_MASK;
    replica->kept++;
    replica->kept_anew = true;
    entry->is_kept = true;
}

/* The user's callback can do nothing to the table but close it: changes come from the loop alone. */
void netron_replica_sweep(struct netron_replica *replica, bool keep, uint64_t revision)
{
    entry_t *entry = NULL;
    entry_t *next = NULL;
    for (entry = netron_table_first(replica->by_id); entry != NULL && !replica->closed; entry = next) {
        next = netron_table_next(entry);
        if (entry->round == replica->round || entry->is_kept)
            continue;
        if (keep && entry->node != NULL)
            keep_entry(replica, entry);
        else
            leave(replica, entry, "", revision);
    }
}

void netron_replica_begin_search(struct netron_replica *replica)
{
    replica->search++;
}

bool netron_replica_search(struct netron_replica *replica, bool (*take)(void *arg, const char *id), void *arg)
{
    entry_t *entry = netron_table_first(replica->by_id);
    for (; entry != NULL; entry = netron_table_next(entry)) {
        if (!entry->is_kept || entry->search == replica->search)
            continue;
        if (!take(arg, entry->id))
            return false;
        entry->search = replica->search;
    }
    return true;
}

void netron_replica_drop_kept(struct netron_replica *replica, const char *id, const char *reason, uint64_t revision)
{
    entry_t *entry = find(replica, id, strlen(id));
    if (entry != NULL && entry->is_kept)
        leave(replica, entry, reason, revision);
}

/* ---- beginning and end ---- */

int netron_replica_open(struct netron_replica *replica, netron_replica_changed_fn changed, void *arg)
{
    *replica = (struct netron_replica){.changed = changed, .arg = arg};
    return netron_catalogue_open(&replica->catalogue);
}

void netron_replica_close(struct netron_replica *replica)
{
    replica->closed = true;
    replica->kept = 0; /* a view that is shut down still has a status */
    netron_catalogue_close(&replica->catalogue);
    while (replica->by_id != NULL) {
        entry_t *entry = netron_table_take(&replica->by_id);
        netron_node_free(entry->node);
        free(entry);
    }
}
