/* SPDX-License-Identifier: MIT */
/* Every key name of the protocol (section 1). */
#ifndef NETRON_LIB_KEYS_H
#define NETRON_LIB_KEYS_H

enum netron_key {
    NETRON_KEY_REGISTRY,      /* P:registry */
    NETRON_KEY_RECORDS,       /* P:records */
    NETRON_KEY_EXPIRY,        /* P:expiry */
    NETRON_KEY_NODE_INDEX,    /* P:index:nodes */
    NETRON_KEY_SERVICE_INDEX, /* P:index:service:<name> */
    NETRON_KEY_NODE,          /* P:nodes:<id> */
    NETRON_KEY_HEARTBEAT      /* P:heartbeat:<id> */
};

/* The name of a key, freed by the caller; NULL without memory. tail is "" for the keys that have none. */
char *netron_key_name(const char *prefix, enum netron_key key, const char *tail);

#endif
