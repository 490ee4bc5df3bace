/* SPDX-License-Identifier: MIT */
#include "keys.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *netron_key_name(const char *prefix, enum netron_key key, const char *tail)
{
    static const char *const middles[] = {
        [NETRON_KEY_REGISTRY] = ":registry",
        [NETRON_KEY_RECORDS] = ":records",
        [NETRON_KEY_EXPIRY] = ":expiry",
        [NETRON_KEY_NODE_INDEX] = ":index:nodes",
        [NETRON_KEY_SERVICE_INDEX] = ":index:service:",
        [NETRON_KEY_NODE] = ":nodes:",
        [NETRON_KEY_HEARTBEAT] = ":heartbeat:",
    };
    const char *middle = middles[key];
    size_t size = strlen(prefix) + strlen(middle) + strlen(tail) + 1;
    char *name = malloc(size);
    if (name != NULL)
        snprintf(name, size, "%s%s%s", prefix, middle, tail);
    return name;
}
