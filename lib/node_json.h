/* SPDX-License-Identifier: MIT */
/* Nodes out of other people's JSON: what the readers of records and of events share. The only header of this library
 * that shows a jansson type; record.c and event.c alone include it. */
#ifndef NETRON_LIB_NODE_JSON_H
#define NETRON_LIB_NODE_JSON_H

#include "failure.h"
#include "statement.h"
#include <jansson.h>
#include <netron/node.h>
#include <stddef.h>
#include <stdint.h>

/* The largest record that breaks no limit, every byte of it escaped, has less. */
#define NETRON_JSON_SIZE_MAX ((size_t)512 * 1024)

/* What is read, for the sentences ("record", "hash", "event"), and where they go. */
struct netron_json_source {
    const char *name;
    struct netron_failure *why;
};

/* All of these return 0, NETRON_EPROTOCOL with a sentence, and where they allocate NETRON_ENOMEM. */

/* A whole text that is an object or an array, as type says. *out is the caller's to json_decref(). */
int netron_json_load(const struct netron_json_source *source, const char *text, size_t length, json_type type,
                     json_t **out);

/* min to max bytes of valid UTF-8 without control characters; NULL is a missing member. */
int netron_json_check_text(const struct netron_json_source *source, const char *member, const char *text, size_t length,
                           size_t min, size_t max);

/* The same of an object's member, which has to be a string; borrowed from it. */
int netron_json_member(const struct netron_json_source *source, const json_t *object, const char *member, size_t min,
                       size_t max, const char **out);

/* The heartbeat TTL in ms; the default where there is none, or none that could be. */
uint32_t netron_json_ttl(const json_t *object);

/* What a signed node has beside; what is missing or could not be is as the stamp says. The state is that of an object
 * whose node has been read. */
void netron_json_stamp(const json_t *object, struct netron_stamp *out);

/* A node of texts that are checked already and of services that are not. NULL for services is a missing member. */
int netron_json_node(const struct netron_json_source *source, const char *id, const char *address,
                     const json_t *services, uint64_t timestamp_ms, netron_node **out);

/* The same with what this library's nodes say beyond that, read from the members of an object: state, reason, weight,
 * zone, metadata. What is missing or null has its default. */
int netron_json_full_node(const struct netron_json_source *source, const char *id, const char *address,
                          const json_t *services, const json_t *members, uint64_t timestamp_ms, netron_node **out);

#endif
