/* SPDX-License-Identifier: MIT */
/*
 * What a node is: an id, an address, the services that it offers, and what others should know before they choose it.
 *
 * The limits are those of the registry protocol; whatever breaks one is refused before anything is sent
 * (NETRON_ELIMIT). Every text must be valid UTF-8. Control characters (U+0000 to U+001F and U+007F) are
 * refused in all of them, because those end up in keys, logs and terminals.
 */
#ifndef NETRON_NODE_H
#define NETRON_NODE_H

#include <netron/api.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NETRON_NODE_ID_MAX 256        /* bytes */
#define NETRON_ADDRESS_MAX 512        /* bytes */
#define NETRON_SERVICE_NAME_MAX 128   /* bytes */
#define NETRON_SERVICE_VERSION_MAX 64 /* bytes */
#define NETRON_VERSION_RANGE_MAX 256  /* bytes of a wanted version: lookup.h */
#define NETRON_SERVICES_MAX 1024      /* services of one node */
#define NETRON_NODE_REASON_MAX 256    /* bytes */
#define NETRON_ZONE_MAX 64            /* bytes */
#define NETRON_WEIGHT_DEFAULT 1
#define NETRON_WEIGHT_MAX 65535
#define NETRON_METADATA_KEY_MAX 128    /* bytes */
#define NETRON_METADATA_SIZE_MAX 16384 /* bytes of a node's metadata, written as one compact JSON object */

typedef struct netron_service {
    const char *name;    /* 1 to 128 bytes */
    const char *version; /* 1 to 64 bytes; NULL = the service has no version */
} netron_service;

typedef struct netron_metadata {
    const char *key;   /* 1 to 128 bytes */
    const char *value; /* may be "", but not NULL */
} netron_metadata;

/* What the node says of itself. Whether it lives is another question: its heartbeat answers that. */
typedef enum netron_node_state {
    NETRON_NODE_UNKNOWN = -1,   /* read only: a state that a newer version wrote; choose another node */
    NETRON_NODE_UP = 0,         /* the default: give it work */
    NETRON_NODE_STARTING = 1,   /* not ready for work yet */
    NETRON_NODE_DRAINING = 2,   /* finishes what it has and leaves: give it nothing new */
    NETRON_NODE_MAINTENANCE = 3 /* there, but not for work */
} netron_node_state;

/*
 * What stands behind timestamp_ms came later: for a program that was compiled with the smaller struct these members
 * count as zero, which is the default of each. In nodes that the library hands out the weight is never 0, and the
 * metadata is ordered by key.
 */
typedef struct netron_node {
    size_t size;                    /* sizeof(netron_node), so that the struct can grow: use NETRON_NODE_INIT */
    const char *id;                 /* 1 to 256 bytes */
    const char *address;            /* where to reach the node, "host:port" or "[ipv6]:port"; 3 to 512 bytes */
    const netron_service *services; /* no pair of name and version twice; may be NULL when service_count is 0 */
    size_t service_count;
    uint64_t timestamp_ms; /* when Redis saw it last change, ms since the epoch; ignored at registration */

    netron_node_state state;
    const char *reason; /* why it is in that state, for people: 1 to 256 bytes; NULL = it does not say */
    uint32_t weight;    /* its share of the work beside other nodes': 1 to 65535; 0 = the default, 1 */
    const char *zone;   /* where it stands, in the fleet's own words: 1 to 64 bytes; NULL = it does not say */
    const netron_metadata *metadata; /* no key twice, 16 KiB in all; may be NULL when metadata_count is 0 */
    size_t metadata_count;
} netron_node;

#define NETRON_NODE_INIT                                                                                               \
    {                                                                                                                  \
        sizeof(netron_node), NULL, NULL, NULL, 0, 0, NETRON_NODE_UP, NULL, 0, NULL, NULL, 0                            \
    }

/*
 * The first service of that name which the node offers, and of that version unless version is NULL; or NULL.
 * Borrowed from the node. Neither node nor name may be NULL. May be called from anywhere.
 */
NETRON_API const netron_service *netron_node_service(const netron_node *node, const char *name, const char *version);

/* "up", "starting", "draining", "maintenance", as in the registry; "unknown" for any other number. A constant string.
 * May be called from anywhere. */
NETRON_API const char *netron_node_state_name(netron_node_state state);

#ifdef __cplusplus
}
#endif

#endif
