/* SPDX-License-Identifier: MIT */
/* What a registration is, and how its user hears of it; and its ends. */
#include "registration_life.h"

static const char *state_name(netron_registration_state state)
{
    return state == 0 ? "new" : netron_registration_state_name(state);
}

bool netron_registration_has_ended(const netron_registration *registration)
{
    return registration->freed || registration->gave_up || registration->state == NETRON_REPLACED ||
           registration->state == NETRON_LEFT;
}

void netron_registration_tell(netron_registration *registration)
{
    if (registration->on_change != NULL && !registration->freed)
        registration->on_change(registration, registration->state, registration->code, registration->arg);
}

/* The one transition function. */
void netron_registration_set_state(netron_registration *registration, netron_registration_state state, int code,
                                   const char *sentence)
{
    struct netron_core *core = registration->core;
    netron_log(&core->log, code == 0 || state == NETRON_REPLACED ? NETRON_LOG_INFO : NETRON_LOG_WARNING,
               "node %s: %s -> %s%s%s", registration->wish.node->id, state_name(registration->state), state_name(state),
               sentence[0] != '\0' ? ": " : "", sentence);
    if (registration->state == NETRON_REGISTERED)
        core->stats.nodes_registered--;
    if (state == NETRON_REGISTERED)
        core->stats.nodes_registered++;
    registration->state = state;
    registration->code = code;
}

/* The user hears of it, and may free the registration. */
void netron_registration_enter(netron_registration *registration, netron_registration_state state, int code,
                               const char *sentence)
{
    if (registration->state == state && registration->code == code)
        return;
    netron_registration_set_state(registration, state, code, sentence);
    netron_registration_tell(registration);
}

/* ---- ends ---- */

/* The end of every registration but by free: its state, what waits for it, and the registrar hear of it. */
static void end(netron_registration *registration, netron_registration_state state, const struct netron_failure *why)
{
    netron_discovery *discovery = registration->registrar->discovery;
    struct netron_registrar *registrar = registration->registrar;
    netron_registration_stop(registration);
    registrar->remaining--;
    registration->gave_up = state == NETRON_FAILED;
    netron_registration_enter(registration, state, why->code, why->sentence);
    netron_completions_run(&registration->updates, UINT64_MAX, registration->core, discovery,
                           why->code != 0 ? why->code : NETRON_ECANCELLED);
    netron_completions_run(&registration->leavers, UINT64_MAX, registration->core, discovery, why->code);
    registrar->ended(registrar->ended_arg, why->code);
}

void netron_registration_replaced(netron_registration *registration)
{
    struct netron_failure why;
    netron_fail(&why, NETRON_EREPLACED, "node %s was registered by another process", registration->wish.node->id);
    netron_core_note(registration->core, &why);
    end(registration, NETRON_REPLACED, &why);
}

void netron_registration_left(netron_registration *registration)
{
    const struct netron_failure nothing = {.code = 0};
    end(registration, NETRON_LEFT, &nothing);
}

void netron_registration_give_up(netron_registration *registration, const struct netron_failure *why)
{
    end(registration, NETRON_FAILED, why);
}
