/* SPDX-License-Identifier: MIT */
/* The registrations of a discovery: begun, changed, left and freed. */
#include "backoff.h"
#include "keys.h"
#include "list.h"
#include "node.h"
#include "registration_life.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void destroy(struct netron_grave *grave)
{
    netron_registration *registration =
        (netron_registration *)((char *)grave - offsetof(struct netron_registration, grave));
    netron_wish_clear(&registration->wish);
    free(registration->heartbeat_key);
    free(registration);
}

int netron_registration_new(struct netron_registrar *registrar, const netron_node *node,
                            netron_registration_fn on_change, void *arg, netron_registration **out,
                            struct netron_failure *why)
{
    int code = netron_node_check(node, why);
    if (code != 0)
        return code;
    netron_registration *registration = calloc(1, sizeof(*registration));
    if (registration == NULL)
        return netron_fail(why, NETRON_ENOMEM, "no memory for a registration");
    registration->heartbeat_key = netron_key_name(registrar->settings->key_prefix, NETRON_KEY_HEARTBEAT, node->id);
    if (registration->heartbeat_key == NULL ||
        netron_wish_make(&registration->wish, node, registrar->settings->heartbeat_ttl_ms) != 0) {
        destroy(&registration->grave);
        return netron_fail(why, NETRON_ENOMEM, "no memory for a registration");
    }
    registration->registrar = registrar;
    registration->core = registrar->core;
    registration->state = NETRON_REGISTERING;
    registration->on_change = on_change;
    registration->arg = arg;
    registration->wanted = 1;
    snprintf(registration->incarnation, sizeof(registration->incarnation), "%016" PRIx64,
             netron_core_random(registrar->core));
    DL_APPEND(registrar->all, registration);
    registrar->remaining++;
    netron_registration_begin(registration);
    *out = registration;
    return 0;
}

/* Those that Redis has seen before look after their heartbeat soon, for it may be another Redis now, or an empty one.
 * But a fleet that was cut off at once must not come back at once: it has an interval for it, as long as no lease runs
 * out. */
static uint32_t spread_of_return(const netron_registration *registration)
{
    uint32_t interval = registration->registrar->settings->heartbeat_interval_ms;
    uint64_t now = netron_core_now(registration->core);
    if (!registration->lease.set || registration->lease.at < now)
        return interval;
    uint64_t half = (registration->lease.at - now) / 2;
    return half < interval ? (uint32_t)half : interval;
}

void netron_registrar_link_ready(struct netron_registrar *registrar)
{
    netron_registration *registration;
    DL_FOREACH(registrar->all, registration)
    {
        if (netron_registration_has_ended(registration) || registration->in_flight != OPERATION_NONE)
            continue;
        bool is_urgent = !registration->established || registration->stored != registration->wanted ||
                         registration->state == NETRON_LEAVING;
        uint32_t spread = spread_of_return(registration);
        if (!registration->was_sent) /* tries that found no connection are no tries of what it will do */
            registration->failures = 0;
        /* A replica that was made the primary may lack the latest update, though not the heartbeat. */
        if (registrar->settings->redis.kind != NETRON_URL_SERVER)
            registration->beats = BEATS_PER_REPAIR;
        netron_registration_act_after(
            registration, is_urgent ? 0 : netron_backoff_spread(spread, netron_core_random(registration->core)));
    }
}

void netron_registrar_link_refused(struct netron_registrar *registrar)
{
    netron_registration *registration;
    DL_FOREACH(registrar->all, registration)
    {
        if (netron_registration_has_ended(registration))
            continue;
        registration->failures = registrar->settings->retry_count; /* the next failure is told */
        netron_registration_act_after(registration, 0);
    }
}

void netron_registrar_leave(struct netron_registrar *registrar)
{
    netron_registration *registration;
    DL_FOREACH(registrar->all, registration)
    netron_registration_leave(registration);
}

/* One at a time from the front, for the callbacks may free any of them; what has ended goes to the back. */
void netron_registrar_give_up(struct netron_registrar *registrar, const struct netron_failure *why)
{
    while (registrar->remaining > 0) {
        netron_registration *registration = registrar->all;
        DL_DELETE(registrar->all, registration);
        DL_APPEND(registrar->all, registration);
        if (!netron_registration_has_ended(registration))
            netron_registration_give_up(registration, why);
    }
}

void netron_registrar_free_all(struct netron_registrar *registrar)
{
    registrar->freed = true;
    while (registrar->all != NULL)
        netron_registration_free(registrar->all);
}

/* ---- the public side ---- */

static int make_wish(const netron_registration *registration, const netron_node *node, struct netron_wish *wish,
                     struct netron_failure *why)
{
    if (netron_wish_make(wish, node, registration->registrar->settings->heartbeat_ttl_ms) == 0)
        return 0;
    return netron_fail(why, NETRON_ENOMEM, "no memory for an update");
}

static bool is_new(const netron_registration *registration, const struct netron_wish *wish)
{
    return !netron_node_same(wish->node, registration->wish.node);
}

/* Takes the wish, and makes it the wanted content unless it is already. */
static void want(netron_registration *registration, struct netron_wish *wish)
{
    if (is_new(registration, wish)) {
        netron_wish_clear(&registration->wish);
        registration->wish = *wish;
        registration->wanted++;
    } else {
        netron_wish_clear(wish);
    }
    if (registration->stored != registration->wanted && registration->in_flight == OPERATION_NONE &&
        netron_link_is_ready(registration->registrar->link)) {
        registration->failures = 0;
        netron_registration_act_after(registration, 0);
    }
    netron_registration_settle(registration);
}

static int refuse_update(netron_registration *registration, const netron_node *node, struct netron_failure *why)
{
    const char *id = registration->wish.node->id;
    if (registration->state == NETRON_REPLACED)
        return netron_fail(why, NETRON_EREPLACED, "node %s was registered by another process", id);
    if (netron_registration_has_ended(registration) || registration->registrar->closed ||
        registration->state == NETRON_LEAVING)
        return netron_fail(why, NETRON_ESHUTDOWN, "node %s is leaving", id);
    if (registration->draining && node->state != NETRON_NODE_DRAINING)
        return netron_fail(why, NETRON_ESHUTDOWN, "node %s drains, and is about to leave", id);
    return netron_node_check(node, why);
}

/* Every update: the node that is wanted now, with what is to be different. */
static int update(netron_registration *registration, const netron_node *node, netron_done_fn done, void *arg)
{
    struct netron_failure why = {0};
    struct netron_wish wish = {0};
    struct netron_core *core = registration->core;
    netron_core_enter(core);
    int code = refuse_update(registration, node, &why);
    if (code == 0)
        code = make_wish(registration, node, &wish, &why);
    if (code == 0 && netron_completions_add(&registration->updates, registration->wanted + is_new(registration, &wish),
                                            done, arg) != 0)
        code = netron_fail(&why, NETRON_ENOMEM, "no memory for an update");
    if (code == 0) {
        want(registration, &wish);
    } else {
        netron_wish_clear(&wish);
        netron_core_note(core, &why);
    }
    netron_core_leave(core);
    return code;
}

int netron_registration_update_services(netron_registration *registration, const netron_service *services, size_t count,
                                        netron_done_fn done, void *arg)
{
    if (registration == NULL)
        return NETRON_EINVAL;
    netron_node node = *registration->wish.node;
    node.services = services;
    node.service_count = count;
    return update(registration, &node, done, arg);
}

int netron_registration_update_address(netron_registration *registration, const char *address, netron_done_fn done,
                                       void *arg)
{
    if (registration == NULL)
        return NETRON_EINVAL;
    netron_node node = *registration->wish.node;
    node.address = address;
    return update(registration, &node, done, arg);
}

int netron_registration_update_state(netron_registration *registration, netron_node_state state, const char *reason,
                                     netron_done_fn done, void *arg)
{
    if (registration == NULL)
        return NETRON_EINVAL;
    netron_node node = *registration->wish.node;
    node.state = state;
    node.reason = reason;
    return update(registration, &node, done, arg);
}

int netron_registration_update_weight(netron_registration *registration, uint32_t weight, netron_done_fn done,
                                      void *arg)
{
    if (registration == NULL)
        return NETRON_EINVAL;
    netron_node node = *registration->wish.node;
    node.weight = weight;
    return update(registration, &node, done, arg);
}

int netron_registration_update_metadata(netron_registration *registration, const netron_metadata *metadata,
                                        size_t count, netron_done_fn done, void *arg)
{
    if (registration == NULL)
        return NETRON_EINVAL;
    netron_node node = *registration->wish.node;
    node.metadata = metadata;
    node.metadata_count = count;
    return update(registration, &node, done, arg);
}

/* In a callback that the end of the registration, or of the whole discovery, calls. */
static int refuse_when_freed(netron_registration *registration)
{
    struct netron_failure why;
    if (!registration->freed && !registration->registrar->freed)
        return 0;
    netron_fail(&why, NETRON_ESHUTDOWN, "node %s is being freed", registration->wish.node->id);
    return netron_core_note(registration->core, &why);
}

int netron_registration_deregister(netron_registration *registration, netron_done_fn done, void *arg)
{
    if (registration == NULL)
        return NETRON_EINVAL;
    struct netron_core *core = registration->core;
    netron_core_enter(core);
    int code = refuse_when_freed(registration);
    if (code == 0)
        code = netron_completions_add(&registration->leavers, 0, done, arg);
    if (code == 0 && netron_registration_has_ended(registration))
        netron_registration_settle(registration);
    else if (code == 0)
        netron_registration_leave(registration);
    netron_core_leave(core);
    return code;
}

/* A node that said before that it drains keeps its own reason for that. */
static int begin_drain(netron_registration *registration, uint32_t deadline_ms, netron_done_fn done, void *arg,
                       struct netron_failure *why)
{
    struct netron_wish wish = {0};
    netron_node node = *registration->wish.node;
    if (node.state != NETRON_NODE_DRAINING) {
        node.state = NETRON_NODE_DRAINING;
        node.reason = "shutting down";
    }
    int code = make_wish(registration, &node, &wish, why);
    if (code == 0 && netron_completions_add(&registration->leavers, 0, done, arg) != 0)
        code = netron_fail(why, NETRON_ENOMEM, "no memory for a drain");
    if (code == 0) {
        want(registration, &wish);
        netron_registration_leave_after(registration, deadline_ms);
    } else {
        netron_wish_clear(&wish);
    }
    return code;
}

int netron_registration_drain(netron_registration *registration, uint32_t deadline_ms, netron_done_fn done, void *arg)
{
    struct netron_failure why = {0};
    if (registration == NULL)
        return NETRON_EINVAL;
    if (netron_registration_has_ended(registration) || registration->state == NETRON_LEAVING)
        return netron_registration_deregister(registration, done, arg); /* it is too late for anything else */
    struct netron_core *core = registration->core;
    netron_core_enter(core);
    int code = refuse_when_freed(registration);
    if (code == 0) {
        code = begin_drain(registration, deadline_ms, done, arg, &why);
        if (code != 0)
            netron_core_note(core, &why);
    }
    netron_core_leave(core);
    return code;
}

void netron_registration_free(netron_registration *registration)
{
    if (registration == NULL || registration->freed)
        return;
    struct netron_core *core = registration->core;
    struct netron_registrar *registrar = registration->registrar;
    netron_core_enter(core);
    bool had_ended = netron_registration_has_ended(registration);
    registration->freed = true;
    netron_registration_stop(registration);
    DL_DELETE(registrar->all, registration);
    if (registration->state == NETRON_REGISTERED)
        core->stats.nodes_registered--;
    netron_completions_run(&registration->updates, UINT64_MAX, registration->core, registrar->discovery,
                           NETRON_ECANCELLED);
    netron_completions_run(&registration->leavers, UINT64_MAX, registration->core, registrar->discovery,
                           NETRON_ECANCELLED);
    netron_core_bury(core, &registration->grave, destroy);
    if (!had_ended) {
        registrar->remaining--;
        registrar->ended(registrar->ended_arg, 0);
    }
    netron_core_leave(core);
}

const char *netron_registration_state_name(netron_registration_state state)
{
    static const char *const names[] = {"registering", "registered", "lost", "failed", "replaced", "leaving", "left"};
    bool is_known = state >= NETRON_REGISTERING && state <= NETRON_LEFT;
    return is_known ? names[state - NETRON_REGISTERING] : "unknown";
}

netron_registration_state netron_registration_get_state(const netron_registration *registration)
{
    return registration->state;
}

const netron_node *netron_registration_node(const netron_registration *registration)
{
    return registration->wish.node;
}
