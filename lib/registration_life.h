/* SPDX-License-Identifier: MIT */
/* A registration from within: shared by registration.c, which lives its life, registration_state.c, which says what it
 * is, and registrar.c, which begins and ends it. */
#ifndef NETRON_LIB_REGISTRATION_LIFE_H
#define NETRON_LIB_REGISTRATION_LIFE_H

#include "claimant.h"
#include "completion.h"
#include "registration.h"
#include "script.h"
#include "wish.h"

#define BEATS_PER_REPAIR 10 /* protocol section 3: every tenth beat is a register call */

enum operation { OPERATION_NONE, OPERATION_REGISTER, OPERATION_BEAT, OPERATION_DEREGISTER };

struct netron_registration {
    struct netron_registrar *registrar;
    struct netron_core *core;
    struct netron_grave grave;
    netron_registration *prev; /* utlist.h wants these names */
    netron_registration *next;
    bool freed;

    netron_registration_state state;
    int code; /* what was told with the state */
    netron_registration_fn on_change;
    void *arg;

    struct netron_wish wish;
    uint64_t sequence;         /* the next signature's has to be above it */
    uint64_t claimed_sequence; /* of the record that ours replaced, by a key that is not known here */
    bool is_signed_anew;
    char incarnation[17];
    char *heartbeat_key;

    enum operation in_flight;
    uint64_t ticket;                 /* BEAT, and the question who owns the id */
    struct netron_script_call *call; /* REGISTER, DEREGISTER */
    uint64_t sent_at;
    struct netron_claimant claimant; /* who was found in the place of our incarnation */

    bool attempted;           /* a register was sent, so something may stand in Redis */
    bool established;         /* a register succeeded, so from now on it only renews */
    bool confirmed;           /* as far as is known Redis holds the node */
    bool gave_up;             /* leaving failed for good */
    bool draining;            /* it leaves at the latest when the drain deadline, if that is set, is over; */
    bool leaves_as_announced; /* and as soon as Redis has what is wanted, or has not taken it */
    uint64_t wanted;          /* counts the wishes; what of them was sent, and what Redis has */
    uint64_t sent;
    uint64_t stored;
    unsigned failures; /* of this round of tries */
    int refusal;       /* what Redis said to the latest try, as a code; 0 unless it said no */
    bool was_sent;     /* one of this round's tries reached a connection */
    unsigned beats;    /* since the last register */
    bool only_renews;  /* the beat in flight goes beside a register that was refused, and decides nothing else */

    struct netron_deadline action;  /* act() */
    struct netron_deadline lease;   /* the heartbeat in Redis has run out by now */
    struct netron_deadline settled; /* completions that need no Redis */
    struct netron_deadline drained; /* the time of a drain is over */
    struct netron_completions updates;
    struct netron_completions leavers;
};

/* Prepares the state machine of a registration whose members are set; it acts for the first time in act_after(0). */
void netron_registration_begin(netron_registration *registration);
/* Decides and sends in delay_ms, unless something is in flight then. */
void netron_registration_act_after(netron_registration *registration, uint32_t delay_ms);
/* Calls, in the next turn of the loop, the completions that wait for nothing any more. */
void netron_registration_settle(netron_registration *registration);
/* It leaves in deadline_ms, or with 0 as soon as what is wanted now has been announced; when that is to be earlier
 * already, it stays so. */
void netron_registration_leave_after(netron_registration *registration, uint32_t deadline_ms);
/* From now on it wants to be gone. Told, sent and settled from the top level. */
void netron_registration_leave(netron_registration *registration);
/* The one transition function. The user hears of it by netron_registration_tell(), and may free the registration. */
void netron_registration_set_state(netron_registration *registration, netron_registration_state state, int code,
                                   const char *sentence);
void netron_registration_tell(netron_registration *registration);
/* Both, if it is another state or another reason for it. */
void netron_registration_enter(netron_registration *registration, netron_registration_state state, int code,
                               const char *sentence);
/* The ends. */
void netron_registration_replaced(netron_registration *registration);
void netron_registration_left(netron_registration *registration);
/* It stops trying to leave: ends as FAILED, and its node expires by its TTL. */
void netron_registration_give_up(netron_registration *registration, const struct netron_failure *why);
/* Nothing happens any more: no deadline, no answer. */
void netron_registration_stop(netron_registration *registration);
bool netron_registration_has_ended(const netron_registration *registration);

#endif
