/* SPDX-License-Identifier: MIT */
/*
 * Detours: while a slot of a cluster is moved key by key, its node sends whoever asks for a key that has gone already
 * to where it went (ASK), for that command alone. A command is kept until its answer, so that it can be said again
 * there, over one connection that all detours of a link share.
 */
#ifndef NETRON_LIB_DETOUR_H
#define NETRON_LIB_DETOUR_H

#include "table.h"
#include "visit.h"

struct netron_errand;

/* Embedded in its link. */
struct netron_detours {
    struct netron_core *core;
    struct netron_topology *topology; /* NULL: it will not be in a cluster */
    unsigned slot;
    struct netron_location here; /* the node that the link is connected to; set by it */
    struct netron_visit visit;
    struct netron_table_entry *errands; /* all that are under way, by their tickets: there can be thousands */
    struct netron_errand *waiting;      /* those that wait for the visit: a list, list.h */
    size_t away;                        /* how many wait for it, or were said there */
    uint64_t tickets;                   /* given so far */
    uint64_t visits;                    /* begun so far */
    uint64_t whence;                    /* of the latest answer: the number of its visit, 0 for the node here */
    struct netron_failure refusal;      /* of the latest ASKING; code 0: it was allowed */
    const struct netron_failure *why;   /* while all ends: what those who were said there hear */
    struct netron_deadline rest;        /* nobody was sent on a detour for a while: the visit ends */
};

/* topology outlives the last answer. */
void netron_detours_init(struct netron_detours *detours, struct netron_core *core,
                         const struct netron_settings *settings, struct netron_topology *topology);
/* As netron_conn_send(), over that connection first. The ticket is one for netron_detours_cancel(). */
int netron_detours_send(struct netron_detours *detours, struct netron_conn *conn, int argc, const char *const *argv,
                        const size_t *lengths, netron_reply_fn fn, void *arg, uint64_t *ticket);
void netron_detours_cancel(struct netron_detours *detours, uint64_t ticket);
/* Who is on a detour hears why there is no answer, from inside; the others by their connection. */
void netron_detours_end(struct netron_detours *detours, const struct netron_failure *why);

#endif
