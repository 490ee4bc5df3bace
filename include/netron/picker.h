/* SPDX-License-Identifier: MIT */
/*
 * The picker: which node the next request goes to. It spreads requests over the nodes of one service in the view
 * (view.h), and keeps away from those that fail.
 *
 *     const netron_node *node = netron_picker_pick(picker, NULL, 0);
 *     if (node != NULL)
 *         send_request(node->address, ...);
 *     ...
 *     netron_picker_report(picker, node, it_was_answered);
 *
 * Every pick that returned a node has to be reported, exactly once; until then the node stays as it was picked, however
 * the registry moves on.
 *
 * A node is usable when its state is NETRON_NODE_UP and it is not ejected. A node that fails several times in a row is
 * ejected: nothing is sent to it for a while, which is longer each time that it happens again. It comes back by itself.
 * That is this picker's own knowledge; it is neither published nor shared with other pickers.
 *
 * When the view is lost, or has not the memory for a change, the picker goes on with the nodes that it knows.
 */
#ifndef NETRON_PICKER_H
#define NETRON_PICKER_H

#include <netron/discovery.h>
#include <netron/node.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct netron_picker netron_picker;

typedef enum netron_pick_policy {
    /* In turn, by id; each picker begins at a node of its own choice. Weights do not count. */
    NETRON_PICK_ROUND_ROBIN = 0,
    /* In turn, as often as its weight says, and spread evenly: with the weights 5, 1 and 1 a a b a c a a. The order is
     * that of the "smooth weighted round-robin" of nginx. */
    NETRON_PICK_WEIGHTED,
    /* Each with the same chance. Weights do not count. */
    NETRON_PICK_RANDOM,
    /* Of two nodes taken at random the one with fewer picks outstanding in proportion to its weight ("power of two
     * choices"). Only picks of this picker are known. */
    NETRON_PICK_LEAST_LOADED,
    /* The same key goes to the same node, and the shares of the keys follow the weights ("rendezvous hashing"). All
     * processes agree that see the same usable nodes, so best without a zone. A node that leaves moves only its own
     * keys; one that comes takes only its share. A pick costs time in proportion to the number of nodes. */
    NETRON_PICK_RENDEZVOUS
} netron_pick_policy;

/* For every member zero or NULL means the default. */
typedef struct netron_picker_options {
    size_t size; /* sizeof(netron_picker_options); netron_picker_options_init() sets it */
    netron_pick_policy policy;

    /* The zone of this process. Only nodes of this zone are picked, as long as one of them is usable and at least
     * zone_min_percent of all nodes of the zone (whatever their states) are; otherwise every usable node is, from
     * whatever zone. Default: NULL, zones do not count. It must not be empty. */
    const char *zone;
    uint32_t zone_min_percent; /* default 50; 1 to 100 */

    int ejection_disabled;      /* failures are not counted; default 0 */
    uint32_t ejection_failures; /* so many in a row eject the node; default 5, at most 1000000 */
    /* The first ejection takes ejection_base_ms, the second 2 x, the third 3 x ejection_base_ms and so on, up to
     * ejection_max_ms. A node that was back for ejection_max_ms begins anew. */
    uint32_t ejection_base_ms; /* default 10000; at most a day */
    uint32_t ejection_max_ms;  /* default 300000; at least ejection_base_ms, at most a day */
    /* No node is ejected when that would be more than so many percent of those that are up, and never the last. When
     * others leave so that it is more, those whose time is over first come back early. */
    uint32_t ejection_max_percent; /* default 50; 1 to 100 */
} netron_picker_options;

/* Sets every member to zero, and size. options must not be NULL. May be called from anywhere. */
NETRON_API void netron_picker_options_init(netron_picker_options *options);

/*
 * Makes a picker over the nodes that netron_view_find() finds for service and version_range (NULL as there). The view
 * need not be open yet (netron_view_open()); until it is, there is nothing to pick. options may be NULL for the
 * defaults; what is passed in is copied. As many pickers as are wanted can be made.
 * A picker must be freed by its owner, best before the discovery: when the discovery is gone, only
 * netron_picker_report() for outstanding picks and netron_picker_free() may still be called.
 * Returns 0 and the picker in *out; NETRON_EINVAL, NETRON_ELIMIT, NETRON_ENOMEM; netron_discovery_error() says which
 * argument and why.
 */
NETRON_API int netron_picker_new(netron_discovery *discovery, const char *service, const char *version_range,
                                 const netron_picker_options *options, netron_picker **out);

/*
 * Frees the picker, from any callback. Picks that are outstanding may still be reported, and have to be: their nodes
 * stay valid, and the last report frees the memory that is left. That holds also when the discovery is freed in
 * between. Nothing else may be called with the picker. NULL is fine.
 */
NETRON_API void netron_picker_free(netron_picker *picker);

/*
 * The node for the next request, or NULL when none is usable (or picker is NULL). No I/O, and no allocation as long as
 * the nodes of the service do not change. A change, an ejection and the end of one cost time in proportion to the
 * number of nodes, once; any other pick O(1), with NETRON_PICK_WEIGHTED O(log n), with NETRON_PICK_RENDEZVOUS O(n).
 * key: key_length bytes, for NETRON_PICK_RENDEZVOUS only. A key may hold any bytes, and none. NULL: there is no key,
 * the node is taken at random.
 * The node is borrowed, and neither changes nor goes until the pick is reported; node->state and the rest are what was
 * known then. The same node may be picked any number of times before it is reported.
 */
NETRON_API const netron_node *netron_picker_pick(netron_picker *picker, const char *key, size_t key_length);

/*
 * What became of a pick; node is the pointer that was picked. ok other than 0: the node answered, as far as the node is
 * concerned, so also with the refusal of a request; this ends a row of failures. 0: it could not be reached, or did not
 * answer in time. A request that was given up for reasons that do not lie in the node is best reported as ok.
 * After the last report of a node, the node must not be used any more. A node that is not outstanding is ignored, NULL
 * as well. Costs O(log n); with an ejection O(n).
 */
NETRON_API void netron_picker_report(netron_picker *picker, const netron_node *node, int ok);

#ifdef __cplusplus
}
#endif

#endif
