/* SPDX-License-Identifier: MIT */
/*
 * Where a link finds Redis: turns the URL into endpoints, one for each attempt to connect, without blocking. The server
 * is the one that the URL names, or the primary that its topology knows.
 */
#ifndef NETRON_LIB_WHEREABOUTS_H
#define NETRON_LIB_WHEREABOUTS_H

#include "resolution.h"
#include "topology.h"
#include "url.h"

/* Both are called from the top level; each may free everything. */
struct netron_whereabouts_events {
    netron_endpoint_fn found;
    /* Redis is elsewhere now: leave the connection that there is, or do not wait long for the next one. */
    void (*moved)(void *arg, const struct netron_failure *why);
};

struct netron_whereabouts {
    struct netron_core *core;
    const struct netron_url *url;     /* outlives it */
    struct netron_topology *topology; /* NULL: the URL names the server; else the link's discovery keeps it */
    struct netron_asker asker;        /* of the topology */
    struct netron_resolution resolution;
    struct netron_deadline answer; /* a path is known at once, but answers come from the top level only */
    const struct netron_whereabouts_events *events;
    void *arg;
};

/* Whether the URL can be used on this loop at all: 0, or NETRON_ELOOP when it has a host name to resolve and the loop
 * has no resolver. */
int netron_whereabouts_check(const struct netron_url *url, const netron_loop *loop, struct netron_failure *why);

void netron_whereabouts_init(struct netron_whereabouts *whereabouts, struct netron_core *core,
                             const struct netron_url *url, struct netron_topology *topology,
                             const struct netron_whereabouts_events *events, void *arg);
/* Asks; found is called once, never from inside, unless netron_whereabouts_stop() comes first. One question at a time.
 */
void netron_whereabouts_ask(struct netron_whereabouts *whereabouts);
void netron_whereabouts_stop(struct netron_whereabouts *whereabouts);
/* Whether the question has come as far as the name of a host, and the loop has not answered yet. */
bool netron_whereabouts_is_resolving(const struct netron_whereabouts *whereabouts);
/* What became of the endpoint: it has greeted, or is the wrong one (words as in topology.h). The first may call moved
 * of the other link. */
void netron_whereabouts_confirm(struct netron_whereabouts *whereabouts);
void netron_whereabouts_doubt(struct netron_whereabouts *whereabouts, const char *words);
/* Stops for good. */
void netron_whereabouts_clear(struct netron_whereabouts *whereabouts);

#endif
