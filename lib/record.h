/* SPDX-License-Identifier: MIT */
/* Records: how a node stands in Redis, as text (protocol sections 1 and 7). Everything that is read here is hostile. */
#ifndef NETRON_LIB_RECORD_H
#define NETRON_LIB_RECORD_H

#include "failure.h"
#include "statement.h"
#include <netron/node.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETRON_TAG_DIGITS 12      /* 48 bits in hex */
#define NETRON_INCARNATION_MAX 64 /* what others may use; ours have 16 hex digits */

/* Writing. The caller frees what is returned; NULL without memory. */
char *netron_record_services_json(const netron_service *services, size_t count); /* [{"name":"a","version":"1"}] */
/* {"nodeId":...,"address":...,"services":[...]} and, where they differ from the default, "state", "reason", "weight",
 * "zone", "metadata", "ttl". The node has to be a copy, so that equal content is equal text. */
char *netron_record_body(const netron_node *node, uint32_t ttl_ms);
/* The same, signed: with "sequence" and "signature" as well. */
char *netron_record_signed_body(const netron_node *node, uint32_t ttl_ms, const struct netron_stamp *stamp);

/* Reading. `revision tag incarnation timestamp {...}` */
struct netron_record {
    uint64_t revision;
    uint64_t tag;
    char incarnation[NETRON_INCARNATION_MAX + 1];
    uint32_t ttl_ms;
    netron_node *node; /* owned by the record; timestamp_ms is the record's */
    bool is_refused;   /* witness.h: what it said is not believed */
};

/* 0 and a record to be cleared; NETRON_EPROTOCOL with a sentence (wrong shape, broken JSON, invalid UTF-8, a limit,
 * another id than the expected one); NETRON_ENOMEM. On failure there is no node, and nothing to be cleared; but the tag
 * is there whenever the registry counts one for the line, and 0 otherwise. */
int netron_record_parse(const char *line, size_t length, const char *expected_id, struct netron_record *out,
                        struct netron_failure *why);
/* The same, with what its signature needs; stamp may be NULL. */
int netron_record_parse_signed(const char *line, size_t length, const char *expected_id, struct netron_record *out,
                               struct netron_stamp *stamp, struct netron_failure *why);
/* A record of its JSON alone, as it stands in the node's own hash, and of an incarnation that is known otherwise. */
int netron_record_parse_body(const char *body, size_t length, const char *expected_id, const char *incarnation,
                             struct netron_record *out, struct netron_stamp *stamp, struct netron_failure *why);
void netron_record_clear(struct netron_record *record);
/* Leaves only what the digest needs. */
void netron_record_drop_node(struct netron_record *record);

/* A node from the members of its hash P:nodes:<id>, as the original writes them. A NULL text is a missing member:
 * address and services are required; a missing or odd timestamp counts as 0. Same codes as netron_record_parse(). */
int netron_record_from_hash(const char *id, const char *address, size_t address_length, const char *services,
                            size_t services_length, const char *timestamp, size_t timestamp_length, netron_node **out,
                            struct netron_failure *why);

#endif
