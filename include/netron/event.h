/* SPDX-License-Identifier: MIT */
/*
 * Events: what changes in the registry.
 *
 * They are the differences of the view (view.h), not messages: a node appears, its content changes, it leaves. Each is
 * told once, however often the connection was lost meanwhile, and what stayed the same over a loss is not told at all.
 * The nodes of the original are told the same way: their heartbeats, which they publish as updates, are none.
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
    NETRON_NODE_DEREGISTERED,
    NETRON_SYNCED /* the first picture is complete: all nodes that are there have been told as registered */
} netron_event_type;

typedef struct netron_event {
    size_t size; /* sizeof(netron_event) as the library knows it */
    netron_event_type type;
    /* After the change; for NODE_DEREGISTERED as it was before; for SYNCED a node whose id and address are "". Never
     * NULL. timestamp_ms is the time of Redis at which it last changed. */
    const netron_node *node;
    /* Why a node left: "shutdown", "expired", "unreadable" (its record became garbage), "refused" (it became one
     * that no trusted key has signed: signature.h); "" when the view learned of it
     * by fetching instead of hearing it (a connection was lost, or a message), and for all other events. */
    const char *reason;
    uint64_t revision; /* the registry's count of changes, at the change or when it was noticed */
} netron_event;

/* The event is valid until the callback returns. Any call is allowed inside. */
typedef void (*netron_event_fn)(netron_subscription *subscription, const netron_event *event, void *arg);

/* "NODE_REGISTERED" and so on, "SYNCED"; "" for any other number. A constant string. */
NETRON_API const char *netron_event_type_name(netron_event_type type);

/*
 * Hears the registry from now on: first every node that is there as NODE_REGISTERED, then SYNCED, then every change,
 * those of this process's own nodes included. The first subscription opens the view, if netron_view_open() has not.
 * out may be NULL: the subscription then lives as long as the discovery.
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
