/* SPDX-License-Identifier: MIT */
/*
 * The feed: what the channel says, on its way to the subscriptions.
 *
 * The link is opened by the first subscription and subscribes once, whenever it is ready. Messages pass through one
 * function, deliver(); that is where a replica can stand between the channel and the user.
 */
#ifndef NETRON_LIB_FEED_H
#define NETRON_LIB_FEED_H

#include "event.h"
#include "link.h"

struct netron_feed {
    struct netron_core *core;
    const struct netron_settings *settings;
    struct netron_link *link;  /* NULL before the first subscription */
    netron_subscription *all;  /* a list, utlist.h */
    uint64_t order;            /* counts subscriptions, so that an event reaches only those that were there before it */
    bool garbage_logged;
    void (*changed)(void *arg, const struct netron_failure *why); /* NULL: the subscription is acknowledged */
    void *arg;
};

/* Returns 0, NETRON_ENOMEM. */
int netron_feed_subscribe(struct netron_feed *feed, netron_event_fn on_event, void *arg, netron_subscription **out);
void netron_feed_close(struct netron_feed *feed); /* the link; the subscriptions stay, and hear nothing */
void netron_feed_free_all(struct netron_feed *feed);

#endif
