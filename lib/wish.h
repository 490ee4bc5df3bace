/* SPDX-License-Identifier: MIT */
/* What should stand in the registry for a node: its content, and the same as the texts that the script takes. */
#ifndef NETRON_LIB_WISH_H
#define NETRON_LIB_WISH_H

#include "keyring.h"
#include "node.h"
#include <stdint.h>

struct netron_wish {
    netron_node *node;
    char *services_json;
    char *body;
    uint64_t sequence; /* of its signature; 0 = it is not signed */
};

/* Copies the node, which has been checked. Returns 0, or NETRON_ENOMEM and leaves wish alone. */
int netron_wish_make(struct netron_wish *wish, const netron_node *node, uint32_t ttl_ms);
/* Signs what is wanted: the body says so afterwards. Returns 0, or NETRON_ENOMEM and leaves the wish alone. */
int netron_wish_sign(struct netron_wish *wish, const struct netron_keyring *keyring, const char *key_prefix,
                     const char *incarnation, uint32_t ttl_ms, uint64_t sequence);
void netron_wish_clear(struct netron_wish *wish);

#endif
