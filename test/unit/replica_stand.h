/* SPDX-License-Identifier: MIT */
/* A replica for the tests of a program, and what it tells, written down. */
#ifndef NETRON_TEST_REPLICA_STAND_H
#define NETRON_TEST_REPLICA_STAND_H

#include "nodes.h"
#include "replica.h"
#include <inttypes.h>

static struct netron_replica replica;
static char heard[65536]; /* "+a@1 ~a@2 -a@3(expired) " */
static size_t heard_length;
static int closes_at; /* the callback that closes the replica: 1 = the next one; 0 = none */

static inline void hear(void *arg, netron_event_type type, netron_node *node, const char *reason, uint64_t revision)
{
    if (arg != &replica) /* no assertion unless it fails: they allocate, and there may be no memory */
        ck_abort_msg("the argument is another one");
    heard_length += (size_t)snprintf(heard + heard_length, sizeof(heard) - heard_length, "%c%s@%" PRIu64,
                                     type == NETRON_NODE_REGISTERED ? '+' : (type == NETRON_NODE_UPDATED ? '~' : '-'),
                                     node->id, revision);
    if (reason[0] != '\0')
        heard_length += (size_t)snprintf(heard + heard_length, sizeof(heard) - heard_length, "(%s)", reason);
    heard_length += (size_t)snprintf(heard + heard_length, sizeof(heard) - heard_length, " ");
    if (heard_length >= sizeof(heard))
        ck_abort_msg("heard too much");
    if (closes_at > 0 && --closes_at == 0) {
        netron_replica_close(&replica);
        ck_assert_str_ne(node->id, ""); /* whoever closes it may go on reading what was told */
    }
}

static inline void expect_heard(const char *expected)
{
    ck_assert_str_eq(heard, expected);
    heard[heard_length = 0] = '\0';
}

static inline void open_replica(void)
{
    heard[heard_length = 0] = '\0';
    closes_at = 0;
    ck_assert_int_eq(netron_replica_open(&replica, hear, &replica), 0);
}

static inline void close_replica(void)
{
    netron_replica_close(&replica);
}

/* node NULL: a record that cannot be read. */
static inline int put_record(const char *id, const char *node, uint64_t revision, uint64_t tag, const char *incarnation)
{
    struct netron_record record = {.revision = revision, .tag = tag, .ttl_ms = 15000, .node = node_of(node)};
    strcpy(record.incarnation, incarnation);
    int code = netron_replica_put(&replica, id, strlen(id), &record);
    ck_assert_ptr_null(record.node);
    return code;
}

static inline void put(const char *id, const char *node, uint64_t revision, uint64_t tag)
{
    ck_assert_int_eq(put_record(id, node, revision, tag, "i"), 0);
}

struct kept_ids {
    char ids[64][16];
    int count;
};

static inline bool note_kept(void *arg, const char *id)
{
    struct kept_ids *kept = arg;
    ck_assert_int_lt(kept->count, 64);
    strcpy(kept->ids[kept->count++], id);
    return true;
}

static inline void drop_all_kept(const char *reason, uint64_t revision)
{
    struct kept_ids kept = {.count = 0};
    netron_replica_begin_search(&replica);
    netron_replica_search(&replica, note_kept, &kept);
    for (int i = 0; i < kept.count; i++)
        netron_replica_drop_kept(&replica, kept.ids[i], reason, revision);
}

static inline void remove_id(const char *id, const char *reason, uint64_t revision)
{
    netron_replica_remove(&replica, id, strlen(id), reason, revision);
}

#endif
