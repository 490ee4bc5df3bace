/* SPDX-License-Identifier: MIT */
/*
 * Statements: what a node's signature is over. Not the JSON, which can be spelt in many ways, but this:
 *
 *     "netron-discovery node record", a NUL, the version of this form (1)
 *     key prefix, algorithm, key id, node id, incarnation
 *     sequence (64 bits), heartbeat TTL in ms (32)
 *     address, state, reason, weight (32), zone
 *     number of services (32), each with its name and version
 *     number of metadata (32), each with its key and value, in the order of the keys
 *
 * Each text stands behind its length (32 bits); a text that is not there has no bytes. Numbers are big-endian.
 */
#ifndef NETRON_LIB_STATEMENT_H
#define NETRON_LIB_STATEMENT_H

#include <netron/node.h>
#include <netron/signature.h>
#include <stddef.h>
#include <stdint.h>

#define NETRON_STATE_NAME_MAX 64 /* bytes; of a state that this version does not know */
#define NETRON_SEQUENCE_MAX (UINT64_C(1) << 53)
/* "hmac-sha256:" key id ":" base64 of 64 bytes at the most */
#define NETRON_SIGNATURE_TEXT_MAX (12 + NETRON_KEY_ID_MAX + 1 + 88)

/* What a record has beside its node when it is signed. */
struct netron_stamp {
    uint64_t sequence;                             /* 0 = none that could be */
    char signature[NETRON_SIGNATURE_TEXT_MAX + 1]; /* "" = none that could be */
    char state[NETRON_STATE_NAME_MAX + 1];         /* in the words of who wrote it */
};

struct netron_statement {
    const char *key_prefix;
    const char *algorithm; /* its name */
    const char *key_id;
    const char *incarnation;
    uint64_t sequence;
    uint32_t ttl_ms;
    const char *state;
    const netron_node *node; /* a copy of node.h: its metadata is in order */
};

/* "hmac-sha256", "ed25519"; NULL for an algorithm that is none. */
const char *netron_signature_algorithm_name(netron_signature_algorithm algorithm);

/* Freed by the caller; NULL without memory. spare bytes are free behind the length. */
unsigned char *netron_statement_write(const struct netron_statement *statement, size_t spare, size_t *length);

#endif
