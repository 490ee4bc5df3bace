/* SPDX-License-Identifier: MIT */
/*
 * Events: what changes in the registry, as nodes publish it on the Pub/Sub channel.
 *
 * The nodes of this library publish changes only; those of the original publish a NODE_UPDATED with every heartbeat
 * as well. Pub/Sub keeps nothing for those who are away: what happens while the events link is down is not heard.
 * options.on_link tells when the subscription works and when it is lost.
 */
#ifndef NETRON_EVENT_H
#define NETRON_EVENT_H

#include <netron/discovery.h>
#include <netron/node.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct netron_subscription netron_subscription;

typedef enum netron_event_type {
    NETRON_NODE_REGISTERED = 1,
    NETRON_NODE_UPDATED,
    NETRON_NODE_DEREGISTERED
} netron_event_type;

typedef struct netron_event {
    size_t size; /* sizeof(netron_event) as the library knows it */
    netron_event_type type;
    const netron_node *node; /* after the change; for NODE_DEREGISTERED as it was before. timestamp_ms is the event's */
    const char *reason;      /* why a node left ("shutdown", "expired"); "" when the event does not say */
    uint64_t revision;       /* the registry's count of changes; 0 when the original implementation published it */
} netron_event;

/* The event is valid until the callback returns. Any call is allowed inside. */
typedef void (*netron_event_fn)(netron_subscription *subscription, const netron_event *event, void *arg);

/* "NODE_REGISTERED" and so on; "" for any other number. A constant string. */
NETRON_API const char *netron_event_type_name(netron_event_type type);

/*
 * Hears the events from now on, those of this process's own nodes included. The first subscription opens the events
 * link. out may be NULL: the subscription then lives as long as the discovery.
 * Returns 0; NETRON_EDISABLED (options.pubsub_enabled is 0), NETRON_EINVAL, NETRON_ESHUTDOWN, NETRON_ENOMEM,
 * NETRON_ELOOP.
 */
NETRON_API int netron_subscribe_to_events(netron_discovery *discovery, netron_event_fn on_event, void *arg,
                                          netron_subscription **out);

/* Ends a subscription, from any callback, its own included. The events link stays. NULL is fine. */
NETRON_API void netron_subscription_free(netron_subscription *subscription);

#ifdef __cplusplus
}
#endif

#endif
