/* SPDX-License-Identifier: MIT */
/*
 * The replica: the registry's records in memory, with what proves them complete (protocol sections 2 and 6).
 *
 * It holds the tag of every record, also of those that cannot be read, so that its digest can be compared with the
 * registry's. What is told upwards are differences only: a node appeared, changed or left.
 */
#ifndef NETRON_LIB_REPLICA_H
#define NETRON_LIB_REPLICA_H

#include "catalogue.h"
#include "record.h"
#include <netron/event.h>
#include <stdbool.h>

struct netron_table_entry;

/* node is the replica's, valid until the callback returns. The callback may close the replica. */
typedef void (*netron_replica_changed_fn)(void *arg, netron_event_type type, netron_node *node, const char *reason,
                                          uint64_t revision);

struct netron_replica {
    struct netron_table_entry *by_id; /* table.h */
    struct netron_catalogue catalogue;
    uint64_t digest;  /* of what it holds, kept nodes left out */
    size_t kept;      /* nodes that are gone from the registry but not told as gone yet */
    bool kept_anew;   /* some of them since the owner of the replica looked last */
    uint32_t ttl_max; /* ms; the largest heartbeat TTL of any node seen */
    unsigned round;   /* of reading everything */
    unsigned search;  /* for the kept ones */
    bool closed;
    netron_replica_changed_fn changed;
    void *arg;
};

/* Returns 0 or NETRON_ENOMEM. */
int netron_replica_open(struct netron_replica *replica, netron_replica_changed_fn changed, void *arg);
void netron_replica_close(struct netron_replica *replica); /* tells nothing; idempotent */

/* A record of the registry, as its line or as an event has it. Its node is taken from it, also on failure; without one
 * only its tag is held. Returns 0 or NETRON_ENOMEM. */
int netron_replica_put(struct netron_replica *replica, const char *id, size_t length, struct netron_record *record);
/* The id is gone from the registry. Nothing when it is not held. */
void netron_replica_remove(struct netron_replica *replica, const char *id, size_t length, const char *reason,
                           uint64_t revision);

/* What the digest would be with this tag in place of what is held of the id; 0 = with nothing in its place. */
uint64_t netron_replica_digest_with(const struct netron_replica *replica, const char *id, uint64_t tag);
/* Whether the replica holds this change of the id already, or a later one. */
bool netron_replica_holds(const struct netron_replica *replica, const char *id, uint64_t revision, bool is_departure);
/* Whether it holds the tag of that id alone. */
bool netron_replica_is_unread(const struct netron_replica *replica, const char *id);
/* The node of that id, kept ones included; NULL. Borrowed. */
netron_node *netron_replica_node(const struct netron_replica *replica, const char *id);

/* Everything is read anew: what is not put until the sweep is gone. */
void netron_replica_begin_round(struct netron_replica *replica);
/* keep: what was not put is no longer of the registry, but goes on being found until it is put, removed, or dropped. */
void netron_replica_sweep(struct netron_replica *replica, bool keep, uint64_t revision);
/* Hands out the kept ones, each once in a search, until take() has no room for more; true: none is left. It changes
 * nothing of the replica. */
void netron_replica_begin_search(struct netron_replica *replica);
bool netron_replica_search(struct netron_replica *replica, bool (*take)(void *arg, const char *id), void *arg);
/* Tells this one as gone, if it is kept. */
void netron_replica_drop_kept(struct netron_replica *replica, const char *id, const char *reason, uint64_t revision);

#endif
