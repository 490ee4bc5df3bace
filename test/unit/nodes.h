/* SPDX-License-Identifier: MIT */
/* Nodes and snapshots as short texts: "a web@1 web@2 mail" is the node a at h:1 with these services, "a/h:2" is at h:2.
 */
#ifndef NETRON_TEST_NODES_H
#define NETRON_TEST_NODES_H

#include "node.h"
#include "suite.h"
#include <netron/view.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A copy, to be freed by the test; text NULL = NULL. */
static inline netron_node *node_of(const char *text)
{
    static netron_service services[NETRON_SERVICES_MAX];
    netron_node node = NETRON_NODE_INIT;
    char *rest = NULL;
    if (text == NULL)
        return NULL;
    char *words = strdup(text);
    char *id = strtok_r(words, " ", &rest);
    char *address = strchr(id, '/');
    if (address != NULL)
        *address++ = '\0';
    node.id = id;
    node.address = address != NULL ? address : "h:1";
    node.services = services;
    for (char *name = strtok_r(NULL, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
        char *version = strchr(name, '@');
        if (version != NULL)
            *version++ = '\0';
        services[node.service_count++] = (netron_service){name, version};
    }
    netron_node *copy = netron_node_copy(&node);
    ck_assert_ptr_nonnull(copy);
    free(words);
    return copy;
}

/* The ids in order, parted by blanks. Valid until the next call. */
static inline const char *ids_in(const netron_snapshot *snapshot)
{
    static char text[65536];
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < snapshot->count; i++)
        length +=
            (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i > 0 ? " " : "", snapshot->nodes[i]->id);
    return text;
}

#endif
