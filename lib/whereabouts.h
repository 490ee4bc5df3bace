/* SPDX-License-Identifier: MIT */
/* Where Redis is: turns the URL into endpoints, resolving a host name anew each time, without blocking. */
#ifndef NETRON_LIB_WHEREABOUTS_H
#define NETRON_LIB_WHEREABOUTS_H

#include "conn.h"
#include "url.h"

/* endpoint is valid until the callback returns; NULL with a failure. Called from the top level. */
typedef void (*netron_endpoint_fn)(void *arg, const struct netron_endpoint *endpoint,
                                   const struct netron_failure *failure);

struct netron_whereabouts {
    struct netron_core *core;
    const struct netron_url *url; /* outlives it */
    void *resolution;
    unsigned turn; /* a name with several addresses: each attempt takes the next */
    struct netron_deadline answer;
    netron_endpoint_fn fn;
    void *arg;
};

/* Whether the URL can be used on this loop at all: 0, or NETRON_ELOOP when it has a host name to resolve and the loop
 * has no resolver. */
int netron_whereabouts_check(const struct netron_url *url, const netron_loop *loop, struct netron_failure *why);

void netron_whereabouts_init(struct netron_whereabouts *whereabouts, struct netron_core *core,
                             const struct netron_url *url, netron_endpoint_fn fn, void *arg);
/* Asks; fn is called once, never from inside, unless netron_whereabouts_stop() comes first. One question at a time. */
void netron_whereabouts_ask(struct netron_whereabouts *whereabouts);
void netron_whereabouts_stop(struct netron_whereabouts *whereabouts);

#endif
