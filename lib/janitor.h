/* SPDX-License-Identifier: MIT */
/*
 * The janitor: has Redis make its bookkeeping agree with what stands at the nodes' own keys (script reconcile). That is
 * how crashes are noticed, and how nodes of the original get their place.
 *
 * Every process with a view has one, and any of them is enough: the script is atomic, so each death is told once, by
 * whoever looks first. Nobody judges a silence that is longer than it has itself been connected and served, for after
 * an outage heartbeats are missing that only could not be renewed; nor by a look that took longer than they usually do,
 * for then beats may have been held up as well.
 */
#ifndef NETRON_LIB_JANITOR_H
#define NETRON_LIB_JANITOR_H

#include "event.h"
#include "link.h"
#include "script.h"

struct netron_hint;

#define NETRON_JANITOR_WAYS 8u

struct netron_janitor {
    struct netron_core *core;
    const struct netron_settings *settings;
    struct netron_link *link; /* commands */
    const char *registry_key;
    bool is_open;
    uint64_t looked_at;    /* when the latest look was asked for */
    uint64_t regular_at;   /* and the latest at what is due, not at hints */
    uint64_t connected_at; /* since when the link has been ready, and answered in time */
    uint64_t redis_time;   /* ms, by the latest answer, which came at answered_at; 0 = none yet */
    uint64_t answered_at;
    uint64_t ways[NETRON_JANITOR_WAYS]; /* ms that the latest looks on this connection took; in turn */
    size_t way_count;                   /* ever */
    /* Every look tells which change the registry is at, and which one revision pointed to when the look was asked for.
     * May be NULL, both together. */
    void (*looked)(void *arg, const char *epoch, uint64_t revision, uint64_t known);
    void *arg;
    const uint64_t *revision;
    uint64_t known; /* what it pointed to when the look in flight was asked for */
    struct netron_deadline next_pass;
    struct netron_script_call *call;    /* NULL = none is in flight */
    struct netron_table_entry *hints;   /* ids that the original said something about, table.h */
    char doubted[NETRON_EPOCH_MAX + 1]; /* "" = none */
    bool is_protecting;                 /* expiries were held back at the last look */
    bool was_refused;                   /* the latest look failed */
    bool knows_clock;                   /* a look on this connection was answered, so that a delay can be told */
    bool is_excused;                    /* without a view, and the user on this connection may not look */
};

/* The members up to registry_key are set before. */
void netron_janitor_init(struct netron_janitor *janitor);
void netron_janitor_open(struct netron_janitor *janitor); /* begins to look; idempotent */
void netron_janitor_close(struct netron_janitor *janitor);
/* One look, soon; for processes without a view, so that a fleet without any does not gather what is dead. At most one
 * in a heartbeat interval. */
void netron_janitor_look_once(struct netron_janitor *janitor);
void netron_janitor_link_ready(struct netron_janitor *janitor);
void netron_janitor_link_down(struct netron_janitor *janitor);
/* Redis refused a beat of ours: what seems silent is judged as after a reconnect. */
void netron_janitor_unserved(struct netron_janitor *janitor);

/* Somebody without revisions said something about this node: it is looked at soon, unless a change of it is seen first.
 * False: there is no room for it now. */
bool netron_janitor_hint(struct netron_janitor *janitor, const char *id);
void netron_janitor_seen(struct netron_janitor *janitor, const char *id);
/* The registry of that epoch does not add up however often it is read: the next look has it born again. */
void netron_janitor_doubt(struct netron_janitor *janitor, const char *epoch);

#endif
