/* SPDX-License-Identifier: MIT */
/*
 * Subscriptions: those who want to hear what changes.
 *
 * Each begins with the picture as it is: the nodes that are there, told as registered, and SYNCED when that is
 * complete. From then on it hears every difference once.
 */
#ifndef NETRON_LIB_SUBSCRIPTION_H
#define NETRON_LIB_SUBSCRIPTION_H

#include "core.h"
#include <netron/event.h>
#include <netron/view.h>

struct netron_subscriptions {
    struct netron_core *core;
    netron_subscription *all; /* a list, utlist.h */
    bool is_synced;           /* the picture is complete */
    const uint64_t *revision; /* of the picture now */
    /* The picture now; the caller releases it. NULL without memory. */
    const netron_snapshot *(*picture)(void *arg);
    void *picture_arg;
};

/* Returns 0, NETRON_ENOMEM. */
int netron_subscriptions_add(struct netron_subscriptions *subscriptions, netron_event_fn on_event, void *arg,
                             netron_subscription **out);
/* Tells all that have their picture. From the top level. */
void netron_subscriptions_tell(struct netron_subscriptions *subscriptions, const netron_event *event);
/* The picture is complete. */
void netron_subscriptions_synced(struct netron_subscriptions *subscriptions);
void netron_subscriptions_free_all(struct netron_subscriptions *subscriptions);

#endif
