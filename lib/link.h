/* SPDX-License-Identifier: MIT */
/*
 * One lasting connection to Redis: it connects, introduces itself, proves that it is alive, and begins again whenever
 * that ends.
 *
 *     IDLE -> FINDING -> CONNECTING -> GREETING -> READY
 *               ^             |            |         |
 *               +-- WAITING <-+------------+---------+        and CLOSED from anywhere
 */
#ifndef NETRON_LIB_LINK_H
#define NETRON_LIB_LINK_H

#include "conn.h"
#include "settings.h"

struct netron_link;
struct netron_topology;

/* All are called from the top level; each may free the link, or everything. */
struct netron_link_events {
    void (*ready)(void *arg);
    /* The link was ready and is not any more, or an attempt failed. It goes on trying by itself. */
    void (*down)(void *arg, const struct netron_failure *why);
    void (*message)(void *arg,
                    const struct netron_reply *reply); /* after netron_link_stream(); may be NULL otherwise */
};

/* settings and topology (NULL: the URL names the server) outlive the link. Returns 0, NETRON_ENOMEM. */
int netron_link_new(struct netron_core *core, const struct netron_settings *settings, struct netron_topology *topology,
                    netron_link_role role, const struct netron_link_events *events, void *arg,
                    struct netron_link **out);
void netron_link_open(struct netron_link *link);
/* Nothing is called afterwards but requests in flight, with NETRON_ECANCELLED, from inside. NULL is fine. */
void netron_link_free(struct netron_link *link);

bool netron_link_is_ready(const struct netron_link *link);
/* Why it is not ready: the latest failure, or "not connected yet". */
const struct netron_failure *netron_link_failure(const struct netron_link *link);

/* As netron_conn_send(); NETRON_EDISCONNECTED unless the link is ready. */
int netron_link_send(struct netron_link *link, int argc, const char *const *argv, const size_t *lengths,
                     netron_reply_fn fn, void *arg);
/* The same, for commands that may be said elsewhere when a cluster wants that (detour.h): those that look at a single
 * key, or several of which all have to be there. Scripts are none: where a slot arrives they would take for missing
 * what is still on its way. ticket may be NULL. */
int netron_link_look(struct netron_link *link, int argc, const char *const *argv, const size_t *lengths,
                     netron_reply_fn fn, void *arg, uint64_t *ticket);
void netron_link_cancel(struct netron_link *link, uint64_t ticket);
/* Asked when such an answer is told: a number of the server that it is from. As long as the link is ready, equal
 * numbers mean the same one. */
uint64_t netron_link_whence(const struct netron_link *link);

/* Whether the server is one of a cluster, and all keys and the channel are in one slot of it. Every process of a fleet
 * comes to the same answer. */
bool netron_link_is_in_cluster(const struct netron_link *link);

/* The bits of the scripts that are being loaded on this connection (script.c). NULL when there is none. */
unsigned *netron_link_loading(struct netron_link *link);

/* Unasked replies become messages, until this connection ends. */
void netron_link_stream(struct netron_link *link);

/* What an answer that failed its request means, with what the user lacks (permission.h), whose script is as there. The
 * connection is doubted for it, as below. */
void netron_link_fail(struct netron_link *link, const char *script, const struct netron_reply *reply, const char *what,
                      struct netron_failure *why);

/* To be told of the code of every answer that failed its request: one that was no answer to it (NETRON_EPROTOCOL) may
 * be that to another, and then so are all that follow; the connection is looked at, and ended in that case. */
void netron_link_doubt(struct netron_link *link, int code);

/* Ends the connection, because what came over it makes it useless; the reason decides how soon the next attempt comes.
 */
void netron_link_reject(struct netron_link *link, const struct netron_failure *why);
/* The same, because another server is the right one by now. */
void netron_link_leave(struct netron_link *link, const struct netron_failure *why);

#endif
