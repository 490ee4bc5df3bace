/* SPDX-License-Identifier: MIT */
/*
 * Registrations: own nodes, kept in Redis as they are wanted.
 *
 * One operation at a time is in flight: register, beat or deregister. What it should be is never queued; it is decided
 * when it is sent, from what is wanted and what Redis is known to hold. See registration.c for the rules.
 */
#ifndef NETRON_LIB_REGISTRATION_H
#define NETRON_LIB_REGISTRATION_H

#include "link.h"
#include <netron/registration.h>

/* What all registrations of a discovery share. */
struct netron_registrar {
    struct netron_core *core;
    const struct netron_settings *settings;
    struct netron_link *link;
    netron_discovery *discovery; /* handed to users' callbacks, never looked into */
    char *registry_key;
    netron_registration *all; /* a list, utlist.h */
    size_t remaining;         /* how many have neither left nor been replaced nor given up leaving */
    uint64_t sequence;        /* the highest by our clock that a node was signed with */
    bool closed;              /* shutting down or freed: no new registrations, no updates */
    bool freed;
    /* A record was looked after: a good moment to look after the registry. */
    void (*repaired)(void *arg);
    /* Redis is there and serves nobody: the beats of others are refused as well. */
    void (*unserved)(void *arg);
    /* A registration has come to an end: LEFT, REPLACED, given up leaving (code), or freed. */
    void (*ended)(void *arg, int code);
    void *ended_arg;
};

int netron_registration_new(struct netron_registrar *registrar, const netron_node *node,
                            netron_registration_fn on_change, void *arg, netron_registration **out,
                            struct netron_failure *why);

/* The commands link is ready: what is due goes out, spread a little. */
void netron_registrar_link_ready(struct netron_registrar *registrar);
/* Redis refuses us in a way that only an operator can mend: said at once, instead of after the retries. */
void netron_registrar_link_refused(struct netron_registrar *registrar);
/* All leave; ended is called for each that has not ended yet. */
void netron_registrar_leave(struct netron_registrar *registrar);
/* Those that have not ended yet end as FAILED, for this reason. */
void netron_registrar_give_up(struct netron_registrar *registrar, const struct netron_failure *why);
void netron_registrar_free_all(struct netron_registrar *registrar);

#endif
