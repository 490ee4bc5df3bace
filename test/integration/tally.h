/* SPDX-License-Identifier: MIT */
/* What a watcher of many nodes was told, counted for each node: recorders.h writes every event down, but no more than
 * 256. Nodes are told apart by the number at the end of their id. */
#ifndef NETRON_TEST_TALLY_H
#define NETRON_TEST_TALLY_H

#include <netron/netron.h>

#define TALLY_NODES_MAX 16384

/* Zero-initialise it; too large for the stack. */
struct tally {
    int synced;
    int count[NETRON_SYNCED]; /* by the type of event */
    int expired;              /* departures by their reason */
    int shutdown;
    int unexplained;
    unsigned char told[NETRON_SYNCED][TALLY_NODES_MAX]; /* by the type of event and the node's number */
    uint64_t departed_at[TALLY_NODES_MAX];              /* world_clock_ms(), in the order of the departures */
};

/* A netron_event_fn. */
void tally_event(netron_subscription *subscription, const netron_event *event, void *tally);
void tally_note(struct tally *tally, netron_event_type type, const char *id, const char *reason, uint64_t at);
/* Forgets all but that the picture was complete. */
void tally_clear(struct tally *tally);

/* How often that was told of one node, of the node that it was told of most, and how many events there were at all. */
int tally_of(const struct tally *tally, netron_event_type type, const char *id);
int tally_most(const struct tally *tally, netron_event_type type);
int tally_all(const struct tally *tally);

#endif
