/* SPDX-License-Identifier: MIT */
/*
 * The feed: keeps the replica true to the registry by what the channel says, and tells the subscriptions what changes.
 *
 *     CLOSED -> SUBSCRIBING -> SYNCING -> LIVE          a gap, another history, or the anti-entropy period:
 *                    ^            ^---------+           SYNCING again
 *                    +------------+---------+           the events link is lost
 *
 * Its link is opened by the first who wants to know; it subscribes once, whenever it is ready. What is fetched comes
 * over the commands link.
 */
#ifndef NETRON_LIB_FEED_H
#define NETRON_LIB_FEED_H

#include "janitor.h"
#include "subscription.h"
#include "survivors.h"
#include "sync.h"

enum netron_feed_state { NETRON_FEED_CLOSED, NETRON_FEED_SUBSCRIBING, NETRON_FEED_SYNCING, NETRON_FEED_LIVE };

struct netron_feed {
    struct netron_core *core;
    const struct netron_settings *settings;
    struct netron_link *commands;
    struct netron_topology *topology; /* NULL: the URL names the server */
    const char *registry_key;
    char *records_key;
    void (*changed)(void *arg, const struct netron_failure *why); /* the events link; NULL: it is subscribed */
    void *arg;

    enum netron_feed_state state;
    struct netron_link *link; /* events; NULL while CLOSED */
    struct netron_replica replica;
    struct netron_sync sync;
    struct netron_janitor janitor;
    struct netron_survivors survivors; /* of those who are kept, when the grace is over */
    struct netron_skipped *skipped;
    struct netron_witness witness;
    struct netron_subscriptions subscriptions;
    struct netron_deadline next_sync;   /* the next try while SYNCING, the anti-entropy period while LIVE */
    struct netron_deadline grace;       /* the end of the time for which missing nodes are kept */
    struct netron_deadline search;      /* half of it: what stands at the keys of the missing nodes is looked at */
    bool is_grace_over;                 /* the dead of them go, unless the sync under way finds them */
    char suspect[NETRON_EPOCH_MAX + 1]; /* another epoch that was heard of; after a sync it is ours, or foreign */
    char foreign[NETRON_EPOCH_MAX + 1]; /* of another fleet on the same channel: its events are none of ours */
    uint64_t foreign_until;             /* ms of the loop's clock; later it may be ours: an old history was put back */
    struct netron_deadline gap;         /* a change that a look told of should have been heard of by then */
    char gap_epoch[NETRON_EPOCH_MAX + 1];
    uint64_t gap_revision;
    uint64_t must_reach;  /* a revision that was heard of while SYNCING; UINT64_MAX: of another history */
    unsigned attempts;    /* syncs that failed in a row */
    uint64_t stale_since; /* 0 = not stale; ms of the loop's clock */
    bool garbage_logged;
    const char *subscribing; /* the command with which it subscribed last */
};

/* The members up to arg, and skipped, are set before. Returns 0 or NETRON_ENOMEM. */
int netron_feed_init(struct netron_feed *feed);
/* Returns 0, NETRON_ENOMEM. */
int netron_feed_open(struct netron_feed *feed);
int netron_feed_subscribe(struct netron_feed *feed, netron_event_fn on_event, void *arg, netron_subscription **out);
void netron_feed_commands_ready(struct netron_feed *feed);
void netron_feed_commands_down(struct netron_feed *feed);
void netron_feed_close(struct netron_feed *feed); /* the subscriptions stay, and hear nothing */
void netron_feed_free_all(struct netron_feed *feed);
void netron_feed_clear(struct netron_feed *feed); /* the memory; after it is closed */

void netron_feed_get_status(const struct netron_feed *feed, netron_view_status *status);

#endif
