/* SPDX-License-Identifier: MIT */
/* From a host name or address and a port to an endpoint, without blocking. A name is resolved anew each time, and of
 * several addresses each attempt takes the next. */
#ifndef NETRON_LIB_RESOLUTION_H
#define NETRON_LIB_RESOLUTION_H

#include "conn.h"

/* endpoint is valid until the callback returns; NULL with a failure. Called from the top level. */
typedef void (*netron_endpoint_fn)(void *arg, const struct netron_endpoint *endpoint,
                                   const struct netron_failure *failure);

struct netron_resolution {
    struct netron_core *core;
    const char *host; /* of the question under way */
    uint16_t port;
    void *handle; /* the loop's; NULL for a literal */
    unsigned turn;
    struct netron_deadline answer;
    netron_endpoint_fn fn;
    void *arg;
};

/* Whether the host is an address, or the loop can resolve names. */
bool netron_resolution_is_possible(const char *host, const netron_loop *loop);

void netron_resolution_init(struct netron_resolution *resolution, struct netron_core *core, netron_endpoint_fn fn,
                            void *arg);
/* Asks; fn is called once, never from inside, unless netron_resolution_stop() comes first. host lives until then. One
 * question at a time. */
void netron_resolution_ask(struct netron_resolution *resolution, const char *host, uint16_t port);
void netron_resolution_stop(struct netron_resolution *resolution);

#endif
