/* SPDX-License-Identifier: MIT */
/*
 * The life of a registration.
 *
 * act() decides what is due and sends it: deregister when leaving; register when Redis is not known to hold what is
 * wanted, and at every tenth beat; else a beat, which is one GETEX. Every answer ends in succeed(), fail_try()
 * or the registration's end, and the first two say when act() comes next.
 *
 * Ownership: the heartbeat key holds the owner's incarnation. The first register follows the user's policy; every later
 * one only renews, so a process that was taken over while it could not beat never takes the id back.
 */
#include "backoff.h"
#include "registration_call.h"
#include <string.h>

static void act(netron_registration *registration);

/* ---- when ---- */

void netron_registration_act_after(netron_registration *registration, uint32_t delay_ms)
{
    netron_core_after(registration->core, &registration->action, delay_ms);
}

static void act_after_interval(netron_registration *registration)
{
    netron_registration_act_after(registration,
                                  netron_backoff_vary(registration->registrar->settings->heartbeat_interval_ms,
                                                      netron_core_random(registration->core)));
}

/* After an answer. One that took long came late from Redis, or was read late by a loop that stood still, and the lease
 * has become short meanwhile. With them the beats of a fleet have come to the same moment, from which they part again.
 */
static void act_within_lease(netron_registration *registration)
{
    const struct netron_settings *settings = registration->registrar->settings;
    uint64_t took = netron_core_now(registration->core) - registration->sent_at;
    uint64_t half = took < settings->heartbeat_ttl_ms ? (settings->heartbeat_ttl_ms - took) / 2 : 0;
    uint32_t limit = half < settings->heartbeat_interval_ms ? (uint32_t)half : settings->heartbeat_interval_ms;
    if (took <= settings->heartbeat_interval_ms / 2)
        act_after_interval(registration);
    else
        netron_registration_act_after(registration,
                                      netron_backoff_spread(limit, netron_core_random(registration->core)));
}

static void forget_in_flight(netron_registration *registration)
{
    if (registration->in_flight == OPERATION_BEAT)
        netron_link_cancel(registration->registrar->link, registration->ticket);
    else if (registration->in_flight != OPERATION_NONE)
        netron_script_cancel(registration->call);
    registration->in_flight = OPERATION_NONE;
}

void netron_registration_stop(netron_registration *registration)
{
    forget_in_flight(registration);
    netron_core_cancel(registration->core, &registration->action);
    netron_core_cancel(registration->core, &registration->lease);
    netron_core_cancel(registration->core, &registration->settled);
    netron_core_cancel(registration->core, &registration->drained);
}

/* ---- outcomes of a try ---- */

/* Why no heartbeat could be renewed: what has been told as the reason stays one; else there is no connection, or Redis
 * refuses, or does not answer. */
static int reason_of_loss(const netron_registration *registration)
{
    const struct netron_link *link = registration->registrar->link;
    if (registration->state == NETRON_FAILED)
        return registration->code;
    if (!netron_link_is_ready(link))
        return netron_link_failure(link)->code;
    return registration->refusal != 0 ? registration->refusal : NETRON_ETIMEDOUT;
}

static void on_lease_over(void *arg)
{
    netron_registration *registration = arg;
    struct netron_failure why;
    if (registration->state == NETRON_LEAVING)
        return;
    netron_fail(&why, reason_of_loss(registration), "node %s could not renew its heartbeat for its whole TTL",
                registration->wish.node->id);
    netron_core_note(registration->core, &why);
    netron_registration_enter(registration, NETRON_LOST, why.code, why.sentence);
}

/* The heartbeat of a node is alive in Redis as of sent_at. */
static void renew_lease(netron_registration *registration)
{
    uint64_t now = netron_core_now(registration->core);
    uint64_t lease_over = registration->sent_at + registration->registrar->settings->heartbeat_ttl_ms;
    netron_core_after(registration->core, &registration->lease, lease_over > now ? lease_over - now : 0);
}

/* Redis has confirmed the node as of sent_at. */
static void succeed(netron_registration *registration)
{
    registration->failures = 0;
    registration->refusal = 0;
    registration->was_sent = false;
    renew_lease(registration);
    netron_registration_enter(registration, NETRON_REGISTERED, 0, "");
}

/* Whether Redis itself said no, rather than not being there. */
static bool is_refusal(int code)
{
    return code != NETRON_EDISCONNECTED && code != NETRON_ETIMEDOUT && code != NETRON_ECANCELLED &&
           code != NETRON_ERESOLVE && code != NETRON_ENOMEM && code != NETRON_EOVERLOAD;
}

static void fail_try(netron_registration *registration, const struct netron_failure *why)
{
    const struct netron_settings *settings = registration->registrar->settings;
    netron_core_note(registration->core, why);
    registration->refusal = is_refusal(why->code) ? why->code : 0;
    if (why->code == NETRON_EUNAVAILABLE)
        registration->registrar->unserved(registration->registrar->ended_arg);
    /* What somebody has to allow first is not worth a retry, but worth telling at once. */
    bool is_worth_a_retry = !netron_failure_needs_operator(why->code) && why->code != NETRON_EHELD;
    if (is_worth_a_retry && registration->failures < settings->retry_count) {
        registration->failures++;
        registration->core->stats.retries++;
        netron_registration_act_after(registration, registration->failures * settings->retry_delay_ms);
        return;
    }
    registration->failures = 0;
    registration->was_sent = false;
    if (registration->state == NETRON_LEAVING) {
        netron_registration_give_up(registration, why);
        return;
    }
    act_after_interval(registration);
    /* Being away for a whole TTL has been told as LOST, and goes on being just that. */
    if (registration->state != NETRON_LOST || registration->code != why->code)
        netron_registration_enter(registration, NETRON_FAILED, why->code, why->sentence);
    if (is_refusal(why->code))
        netron_completions_run(&registration->updates, registration->sent, registration->core,
                               registration->registrar->discovery, why->code);
    if (registration->leaves_as_announced)
        netron_registration_leave(registration);
}

/* ---- who owns the id ---- */

static void lost(netron_registration *registration)
{
    struct netron_failure why;
    registration->confirmed = false;
    netron_fail(&why, 0, "its heartbeat was gone from Redis");
    netron_registration_enter(registration, NETRON_LOST, 0, why.sentence);
    if (!netron_registration_has_ended(registration) && registration->in_flight == OPERATION_NONE)
        act(registration);
}

static void on_owner(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    netron_registration *registration = arg;
    struct netron_failure why;
    bool is_own = netron_reply_is_text(reply, registration->incarnation);
    bool is_nobody = netron_reply_is_nil(reply) || netron_reply_error_is(reply, "WRONGTYPE");
    registration->in_flight = OPERATION_NONE;
    if (reply == NULL) {
        fail_try(registration, failure);
    } else if (!is_own && netron_claimant_is(&registration->claimant, reply)) {
        netron_registration_replaced(registration);
    } else if (is_nobody && !registration->claimant.is_anybody) {
        lost(registration);
    } else if (!is_nobody && netron_reply_error(reply) != NULL) {
        netron_link_fail(registration->registrar->link, NULL, reply, "GET", &why);
        fail_try(registration, &why);
    } else {
        netron_fail(&why, NETRON_EPROTOCOL, "Redis contradicts itself about who owns node %s",
                    registration->wish.node->id);
        fail_try(registration, &why);
    }
}

/* The end as REPLACED is final, so one answer is not enough for it: after bytes that got into a connection, or out of
 * it, answers are not those of their questions, and what another registration is told may come to this one. The reply
 * names whom it found; NULL: it was a script's, which does not. */
static void ask_for_owner(netron_registration *registration, const struct netron_reply *reply)
{
    const char *const words[] = {"GET", registration->heartbeat_key};
    const size_t lengths[] = {3, strlen(registration->heartbeat_key)};
    struct netron_failure why;
    netron_claimant_remember(&registration->claimant, reply);
    /* Its PING stands before the question: where all answers are one place late, that is seen first. */
    netron_link_doubt(registration->registrar->link, NETRON_EPROTOCOL);
    registration->in_flight = OPERATION_BEAT;
    int code = netron_link_look(registration->registrar->link, 2, words, lengths, on_owner, registration,
                                &registration->ticket);
    if (code == 0)
        return;
    registration->in_flight = OPERATION_NONE;
    netron_fail(&why, code, "cannot send to Redis: %s", netron_strerror(code));
    fail_try(registration, &why);
}

/* ---- beat ---- */

/* The answer to a beat beside a refused register, whose own next try is set already. False: it decides more than that.
 */
static bool only_renewed(netron_registration *registration, const struct netron_reply *reply)
{
    bool is_alive = netron_reply_is_text(reply, registration->incarnation);
    if (!registration->only_renews || (reply != NULL && netron_reply_error(reply) == NULL && !is_alive))
        return false;
    if (is_alive) {
        registration->core->stats.beats++;
        renew_lease(registration);
    }
    if (!registration->action.set) /* it came while this was in flight */
        netron_registration_act_after(registration, 0);
    return true;
}

static void on_beat(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    netron_registration *registration = arg;
    struct netron_failure why;
    registration->in_flight = OPERATION_NONE;
    if (only_renewed(registration, reply))
        return;
    if (reply == NULL) {
        fail_try(registration, failure);
    } else if (netron_reply_is_text(reply, registration->incarnation)) {
        registration->core->stats.beats++;
        registration->beats++;
        if (registration->stored != registration->wanted)
            netron_registration_act_after(registration, 0);
        else
            act_within_lease(registration);
        succeed(registration);
    } else if (netron_reply_is_nil(reply) || netron_reply_error_is(reply, "WRONGTYPE")) {
        lost(registration);
    } else if (netron_reply_is_string(reply)) {
        ask_for_owner(registration, reply);
    } else {
        netron_link_fail(registration->registrar->link, NULL, reply, "GETEX", &why);
        fail_try(registration, &why);
    }
}

/* ---- register ---- */

static void leave_if_announced(netron_registration *registration)
{
    if (registration->leaves_as_announced && registration->confirmed && registration->stored == registration->wanted)
        netron_registration_leave(registration);
}

static void stored(netron_registration *registration)
{
    bool is_first = !registration->established;
    bool is_repair = registration->beats + 1 >= BEATS_PER_REPAIR;
    registration->core->stats.registers++;
    registration->established = true;
    registration->confirmed = true;
    registration->stored = registration->sent;
    registration->beats = 0;
    if (registration->stored != registration->wanted)
        netron_registration_act_after(registration, 0);
    else if (is_first) /* a random phase, so that a fleet that was started together does not beat together */
        netron_registration_act_after(registration,
                                      netron_backoff_spread(registration->registrar->settings->heartbeat_interval_ms,
                                                            netron_core_random(registration->core)));
    else
        act_within_lease(registration);
    if (is_repair)
        registration->registrar->repaired(registration->registrar->ended_arg);
    succeed(registration);
    netron_completions_run(&registration->updates, registration->stored, registration->core,
                           registration->registrar->discovery, 0);
    leave_if_announced(registration);
}

/* Redis refuses to register (it is out of memory, say), but may well let a heartbeat be renewed: what is held is kept.
 */
static void keep_alive(netron_registration *registration)
{
    if (netron_registration_has_ended(registration) || !registration->confirmed ||
        registration->state == NETRON_LEAVING || registration->in_flight != OPERATION_NONE ||
        !netron_link_is_ready(registration->registrar->link))
        return;
    registration->sent_at = netron_core_now(registration->core);
    if (netron_registration_send_beat(registration, on_beat) == 0)
        registration->only_renews = true;
    else
        registration->in_flight = OPERATION_NONE;
}

static void on_register(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    netron_registration *registration = arg;
    struct netron_failure why;
    const struct netron_reply *outcome = netron_reply_at(reply, 0);
    registration->in_flight = OPERATION_NONE;
    if (reply == NULL) {
        fail_try(registration, failure);
    } else if (netron_reply_is_text(outcome, "registered") || netron_reply_is_text(outcome, "updated") ||
               netron_reply_is_text(outcome, "unchanged")) {
        netron_registration_outrank(registration, reply);
        stored(registration);
    } else if (netron_reply_is_text(outcome, "fenced")) {
        ask_for_owner(registration, NULL);
    } else if (netron_reply_is_text(outcome, "held")) {
        long long remaining = 0;
        netron_reply_integer(netron_reply_at(reply, 1), &remaining);
        netron_fail(&why, NETRON_EHELD, "node %s is held by a live process, for %lld ms more unless it renews that",
                    registration->wish.node->id, remaining);
        fail_try(registration, &why);
    } else {
        netron_link_fail(registration->registrar->link, netron_script_source_register.text, reply, "register", &why);
        fail_try(registration, &why);
        keep_alive(registration);
    }
}

/* ---- deregister ---- */

static void on_deregister(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    netron_registration *registration = arg;
    struct netron_failure why;
    const struct netron_reply *outcome = netron_reply_at(reply, 0);
    registration->in_flight = OPERATION_NONE;
    if (reply == NULL) {
        fail_try(registration, failure);
    } else if (netron_reply_is_text(outcome, "deregistered") || netron_reply_is_text(outcome, "gone")) {
        netron_registration_left(registration);
    } else if (netron_reply_is_text(outcome, "fenced")) {
        ask_for_owner(registration, NULL);
    } else {
        netron_link_fail(registration->registrar->link, netron_script_source_deregister.text, reply, "deregister",
                         &why);
        fail_try(registration, &why);
    }
}

/* ---- deciding ---- */

static void act(netron_registration *registration)
{
    struct netron_link *link = registration->registrar->link;
    struct netron_failure why;
    int code;
    netron_core_cancel(registration->core, &registration->action);
    if (!netron_link_is_ready(link)) {
        fail_try(registration, netron_link_failure(link));
        return;
    }
    uint64_t previously_sent_at = registration->sent_at;
    registration->sent_at = netron_core_now(registration->core);
    if (registration->state == NETRON_LEAVING)
        code = netron_registration_send_deregister(registration, on_deregister);
    else if (!registration->confirmed || registration->stored != registration->wanted ||
             registration->beats + 1 >= BEATS_PER_REPAIR)
        code = netron_registration_send_register(registration, on_register);
    else
        code = netron_registration_send_beat(registration, on_beat);
    registration->was_sent = registration->was_sent || code == 0;
    if (code != 0) {
        registration->in_flight = OPERATION_NONE;
        registration->sent_at = previously_sent_at;
        netron_fail(&why, code, "cannot send to Redis: %s", netron_strerror(code));
        fail_try(registration, &why);
    }
}

static void on_action(void *arg)
{
    netron_registration *registration = arg;
    if (registration->in_flight != OPERATION_NONE)
        return;
    /* Nothing was ever sent, so nothing has to be taken back. */
    if (registration->state == NETRON_LEAVING && !registration->attempted)
        netron_registration_left(registration);
    else
        act(registration);
}

/* Completions that wait for nothing any more, but may not be called from inside the call that added them. */
static void on_settled(void *arg)
{
    netron_registration *registration = arg;
    netron_discovery *discovery = registration->registrar->discovery;
    if (netron_registration_has_ended(registration)) {
        netron_completions_run(&registration->leavers, UINT64_MAX, registration->core, discovery, registration->code);
        return;
    }
    if (registration->state == NETRON_LEAVING) {
        netron_registration_tell(registration);
        netron_completions_run(&registration->updates, UINT64_MAX, registration->core, discovery, NETRON_ECANCELLED);
    } else if (registration->confirmed) {
        netron_completions_run(&registration->updates, registration->stored, registration->core, discovery, 0);
        leave_if_announced(registration);
    }
}

void netron_registration_leave(netron_registration *registration)
{
    if (netron_registration_has_ended(registration) || registration->state == NETRON_LEAVING)
        return;
    forget_in_flight(registration); /* an answer to it changes nothing; Redis has it before what follows */
    netron_core_cancel(registration->core, &registration->lease);
    netron_core_cancel(registration->core, &registration->drained);
    registration->failures = 0;
    netron_registration_set_state(registration, NETRON_LEAVING, 0, "");
    netron_registration_settle(registration); /* tells it */
    netron_registration_act_after(registration, 0);
}

static void on_drained(void *arg)
{
    netron_registration_leave(arg);
}

void netron_registration_leave_after(netron_registration *registration, uint32_t deadline_ms)
{
    struct netron_deadline *drained = &registration->drained;
    if (deadline_ms == 0) {
        registration->leaves_as_announced = true;
        registration->failures = 0;
        if (registration->in_flight == OPERATION_NONE) /* without Redis, too: then the tries are counted from now on */
            netron_registration_act_after(registration, 0);
    } else if (!registration->leaves_as_announced &&
               (!drained->set || netron_core_now(registration->core) + deadline_ms < drained->at)) {
        netron_core_after(registration->core, drained, deadline_ms);
    }
    registration->draining = true;
}

void netron_registration_settle(netron_registration *registration)
{
    netron_core_after(registration->core, &registration->settled, 0);
}

void netron_registration_begin(netron_registration *registration)
{
    netron_deadline_init(&registration->action, on_action, registration);
    netron_deadline_init(&registration->lease, on_lease_over, registration);
    netron_deadline_init(&registration->settled, on_settled, registration);
    netron_deadline_init(&registration->drained, on_drained, registration);
    netron_registration_act_after(registration, 0);
}
