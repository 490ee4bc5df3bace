/* SPDX-License-Identifier: MIT */
/*
 * What a node is: an id, an address, and the services that it offers.
 *
 * The limits are those of the registry protocol; whatever breaks one is refused before anything is sent
 * (NETRON_ELIMIT). Every text must be valid UTF-8. Control characters (U+0000 to U+001F and U+007F) are
 * refused in ids, addresses, service names and versions, because those end up in keys, logs and terminals.
 */
#ifndef NETRON_NODE_H
#define NETRON_NODE_H

#include <netron/api.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NETRON_NODE_ID_MAX 256         /* bytes */
#define NETRON_ADDRESS_MAX 512         /* bytes */
#define NETRON_SERVICE_NAME_MAX 128    /* bytes */
#define NETRON_SERVICE_VERSION_MAX 64  /* bytes */
#define NETRON_VERSION_RANGE_MAX 256   /* bytes of a wanted version: lookup.h */
#define NETRON_SERVICES_MAX 1024       /* services of one node */

typedef struct netron_service {
    const char *name;    /* 1 to 128 bytes */
    const char *version; /* 1 to 64 bytes; NULL = the service has no version */
} netron_service;

typedef struct netron_node {
    size_t size;                    /* sizeof(netron_node), so that the struct can grow: use NETRON_NODE_INIT */
    const char *id;                 /* 1 to 256 bytes */
    const char *address;            /* where to reach the node, "host:port" or "[ipv6]:port"; 3 to 512 bytes */
    const netron_service *services; /* no pair of name and version twice; may be NULL when service_count is 0 */
    size_t service_count;
    uint64_t timestamp_ms; /* when Redis saw it last change, ms since the epoch; ignored at registration */
} netron_node;

#define NETRON_NODE_INIT {sizeof(netron_node), NULL, NULL, NULL, 0, 0}

/*
 * The first service of that name which the node offers, and of that version unless version is NULL; or NULL.
 * Borrowed from the node. Neither node nor name may be NULL. May be called from anywhere.
 */
NETRON_API const netron_service *netron_node_service(const netron_node *node, const char *name, const char *version);

#ifdef __cplusplus
}
#endif

#endif
