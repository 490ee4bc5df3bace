/* SPDX-License-Identifier: MIT */
/*
 * A connection beside the links, to a server that another one named: for one question, or for what a cluster wants to
 * have said there. It is not made again when it ends.
 *
 *     IDLE -> FINDING -> CONNECTING -> GREETING -> READY -> IDLE
 */
#ifndef NETRON_LIB_VISIT_H
#define NETRON_LIB_VISIT_H

#include "handshake.h"
#include "resolution.h"
#include "topology.h"

/* Both are called from the top level; each may begin another visit, end it, or free everything. */
struct netron_visit_events {
    void (*ready)(void *arg);
    /* It could not be made, or is lost; requests under way have been failed for the same reason. */
    void (*ended)(void *arg, const struct netron_failure *why);
};

enum netron_visit_state {
    NETRON_VISIT_IDLE,
    NETRON_VISIT_FINDING,
    NETRON_VISIT_CONNECTING,
    NETRON_VISIT_GREETING,
    NETRON_VISIT_READY
};

/* Embedded in its owner, which is buried, not freed, when it can be freed while it is on the stack. */
struct netron_visit {
    struct netron_core *core;
    const struct netron_settings *settings;
    enum netron_visit_state state;
    struct netron_location at;
    struct netron_resolution resolution;
    struct netron_conn *conn;
    struct netron_handshake handshake;
    struct netron_deadline patience; /* until it is READY */
    const struct netron_visit_events *events;
    void *arg;
};

void netron_visit_init(struct netron_visit *visit, struct netron_core *core, const struct netron_settings *settings,
                       const struct netron_visit_events *events, void *arg);
/* Ends the one before. None of the events comes from inside. */
void netron_visit_begin(struct netron_visit *visit, const struct netron_location *at);
/* As netron_conn_send(); NETRON_EDISCONNECTED unless it is READY. */
int netron_visit_send(struct netron_visit *visit, int argc, const char *const *argv, const size_t *lengths,
                      netron_reply_fn fn, void *arg);
/* ended is not called; requests under way are failed with NETRON_ECANCELLED, from inside. Idempotent. */
void netron_visit_end(struct netron_visit *visit);

#endif
