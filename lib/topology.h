/* SPDX-License-Identifier: MIT */
/*
 * Which server is the primary, where the URL names others that know it: sentinels, or the nodes of a cluster. There is
 * one for each discovery, that its links share; each asks through its whereabouts, embedded here as an asker.
 *
 * This file is what the kinds have in common: who asks, who was told what, and who has to leave. A kind (sentinels.c)
 * embeds it as its first member, and finds out.
 */
#ifndef NETRON_LIB_TOPOLOGY_H
#define NETRON_LIB_TOPOLOGY_H

#include "core.h"
#include "url.h"

struct netron_topology;

/* A host name or address, and a port; 0 = none. */
struct netron_location {
    char host[NETRON_HOST_MAX + 1];
    uint16_t port;
};

/* Returns false for what cannot be one: the bytes are a server's. */
bool netron_location_set(struct netron_location *location, const char *host, size_t length, unsigned long port);
bool netron_location_same(const struct netron_location *one, const struct netron_location *other);

/* The functions are called from the top level; each may free everything. */
struct netron_asker {
    struct netron_asker *next;
    bool asks;
    bool is_there;             /* the server there has greeted it, and the connection stands */
    bool is_due;               /* the news that are being told are for it, too */
    struct netron_location at; /* what it was told last; stays while it is not told otherwise */
    /* Once for each question: at is set, or there is a failure. */
    void (*answer)(void *arg, const struct netron_failure *failure);
    /* The primary is another than at: leave. */
    void (*moved)(void *arg, const struct netron_failure *why);
    void *arg;
};

/* None of them calls an asker from inside. */
struct netron_topology_kind {
    /* Somebody asks: netron_topology_tell() has to follow, within connect_timeout_ms. */
    void (*ask)(struct netron_topology *topology);
    /* The server at this place has greeted as the primary. */
    void (*confirmed)(struct netron_topology *topology, const struct netron_location *at);
    /* It could not be reached, or is none; words: with which Redis said so ("READONLY ...", "MOVED ..."), or NULL. */
    void (*doubted)(struct netron_topology *topology, const struct netron_location *at, const char *words);
    /* Of a cluster: the one node of that port beside this one, for a node that is named by its port alone. False: there
     * is none, or several; it will ask. */
    bool (*find)(struct netron_topology *topology, uint16_t port, const struct netron_location *beside,
                 struct netron_location *out);
    /* Between enter and leave; its memory is buried. */
    void (*free)(struct netron_topology *topology);
};

struct netron_topology {
    const struct netron_topology_kind *kind;
    struct netron_core *core;
    struct netron_asker *askers;
};

/* ---- for the askers ---- */

void netron_topology_join(struct netron_topology *topology, struct netron_asker *asker);
void netron_topology_leave(struct netron_topology *topology, struct netron_asker *asker); /* idempotent */
void netron_topology_ask(struct netron_topology *topology, struct netron_asker *asker);
/* The server that it was told is the primary: whoever was told another leaves that, for the links of a discovery have
 * to be at one and the same. */
void netron_topology_confirm(struct netron_topology *topology, struct netron_asker *asker);
void netron_topology_doubt(struct netron_topology *topology, struct netron_asker *asker, const char *words);
/* As the kind's find, which is NULL where nobody would ask. */
bool netron_topology_find(struct netron_topology *topology, uint16_t port, const struct netron_location *beside,
                          struct netron_location *out);
/* After every asker has left. NULL is fine. */
void netron_topology_free(struct netron_topology *topology);

/* ---- for the kinds, from the top level ---- */

/* The primary was found, asked for or not: who asks is answered, who was told another is told to leave. NULL: it was
 * not, and who asks hears why. */
void netron_topology_tell(struct netron_topology *topology, const struct netron_location *primary,
                          const struct netron_failure *failure);
/* What of the time until ends whoever is asked next has, in ms, when so many are left to be asked; one share more is
 * that of the primary itself. It is not split into more shares than five, for what many would have each is too little
 * for any of them; below the least there is no point in asking. */
#define NETRON_TOPOLOGY_LEAST_SHARE_MS 20u
uint64_t netron_topology_share(uint64_t now, uint64_t ends, size_t left);
/* Whether anybody waits for an answer. */
bool netron_topology_is_asked(const struct netron_topology *topology);
/* Whether anybody has a connection to that server. */
bool netron_topology_is_reached(const struct netron_topology *topology, const struct netron_location *at);

#endif
