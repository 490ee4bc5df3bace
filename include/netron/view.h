/* SPDX-License-Identifier: MIT */
/*
 * The view: the registry as this process knows it, in memory. Asking it costs no I/O.
 *
 * Behind it stands a replica that proves itself: every change of the registry has a number and a tag, and the sum of
 * the tags is compared with the registry's own. What Pub/Sub loses, doubles or delays is noticed and fetched. When
 * Redis is out of reach the view keeps what it has, and says so.
 *
 * The view exists from the first netron_view_open() or netron_subscribe_to_events() on.
 */
#ifndef NETRON_VIEW_H
#define NETRON_VIEW_H

#include <netron/discovery.h>
#include <netron/node.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Nodes as they were at one moment, ordered by id. It never changes, however the registry moves on, and is counted: who
 * got it from a function here releases it once, and for each retain once more. It may outlive the discovery.
 */
typedef struct netron_snapshot {
    size_t count;
    const netron_node *const *nodes;
} netron_snapshot;

typedef enum netron_view_state {
    NETRON_VIEW_CLOSED = 0, /* not opened yet, or shut down */
    NETRON_VIEW_SYNCING,    /* the first picture is not complete yet */
    NETRON_VIEW_FRESH,      /* complete, and proven so within the last second or so */
    NETRON_VIEW_STALE,      /* a connection is lost, or fetching fails: this is the last known picture */
    NETRON_VIEW_PROTECTED   /* complete, but nodes are kept for now: too many seem to have died at once, or Redis came
                               back without them (kept_count) */
} netron_view_state;

typedef struct netron_view_status {
    size_t size; /* set to sizeof(netron_view_status) by the caller */
    netron_view_state state;
    uint64_t stale_ms;   /* for how long it has been stale; 0 unless STALE */
    uint64_t revision;   /* of the registry, as far as it is known */
    size_t node_count;   /* nodes that lookups can find */
    size_t kept_count;   /* of them: gone from the registry, but kept for a grace period */
    uint64_t syncs;      /* how often changes were fetched */
    uint64_t full_syncs; /* how often everything was */
    uint64_t faults;     /* how often even a full sync did not add up */
} netron_view_status;

/*
 * Opens the view: subscribes, and fetches the registry. A further call changes nothing.
 * Returns 0; NETRON_EDISABLED (options.pubsub_enabled is 0), NETRON_EINVAL (NULL), NETRON_ESHUTDOWN, NETRON_ENOMEM.
 */
NETRON_API int netron_view_open(netron_discovery *discovery);

/* Fills *status. Returns 0 or NETRON_EINVAL (a NULL argument, or a size below that of the first version). */
NETRON_API int netron_view_get_status(const netron_discovery *discovery, netron_view_status *status);

/* "closed", "syncing", "fresh", "stale", "protected"; "unknown" for any other number. A constant string. May be called
 * from anywhere. */
NETRON_API const char *netron_view_state_name(netron_view_state state);

/*
 * The nodes that offer a service of that name, in a version that is wanted: NULL = in whatever version, else an exact
 * version or a range (lookup.h); what is no range accepts its own text only. name NULL: all nodes, and the range is
 * ignored. No node is left out for its state (node.h). While the view is SYNCING that is what is known so far, possibly
 * nothing: wait for FRESH, or the event SYNCED, before concluding that nobody offers a service.
 * Returns a snapshot, which may be empty, to be released by the caller; NULL without memory, and when the view is not
 * open, also after a shutdown. As long as the service does not change it is the same snapshot each time, and
 * nothing is allocated.
 */
NETRON_API const netron_snapshot *netron_view_find(netron_discovery *discovery, const char *name,
                                                   const char *version_range);

/* The node of that id in a snapshot of one, or an empty snapshot; NULL as above. */
NETRON_API const netron_snapshot *netron_view_node(netron_discovery *discovery, const char *id);

/* Holds the snapshot once more, and returns it; NULL is fine. Counted without atomics: retain and release belong to the
 * thread of the loop. */
NETRON_API const netron_snapshot *netron_snapshot_retain(const netron_snapshot *snapshot);
NETRON_API void netron_snapshot_release(const netron_snapshot *snapshot); /* NULL is fine */

#ifdef __cplusplus
}
#endif

#endif
