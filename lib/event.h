/* SPDX-License-Identifier: MIT */
/* Events: the JSON objects on the channel (protocol section 5). Everything that is read here is hostile. */
#ifndef NETRON_LIB_EVENT_H
#define NETRON_LIB_EVENT_H

#include "failure.h"
#include "record.h"
#include <netron/event.h>
#include <stdbool.h>
#include <stddef.h>

#define NETRON_EPOCH_MAX 64
#define NETRON_REASON_MAX 64
#define NETRON_EVENT_SIZE_MAX                                                                                          \
    ((size_t)512 * 1024) /* bytes of a message that are looked at; what is longer is no event */

struct netron_parsed_event {
    netron_event_type type;
    netron_node *node;                  /* owned; timestamp_ms is the event's */
    char reason[NETRON_REASON_MAX + 1]; /* why a node left; the reason of a node's state is the node's */
    /* Ours: 0 and "" when the original published the event. */
    uint64_t revision;
    uint64_t tag;
    uint64_t digest;
    uint32_t ttl_ms;
    char epoch[NETRON_EPOCH_MAX + 1];
    char incarnation[NETRON_INCARNATION_MAX + 1];
    struct netron_stamp stamp;
};

/* 0 and an event to be cleared; NETRON_EPROTOCOL with a sentence; NETRON_ENOMEM. Unknown members are ignored. For
 * NODE_DEREGISTERED the original may leave address and services out: they are then empty. A departure has no room for
 * the reason of the node's state, for the departure's own has the same name. */
int netron_event_parse(const char *json, size_t length, struct netron_parsed_event *out, struct netron_failure *why);
void netron_event_clear(struct netron_parsed_event *event);

#endif
