/* SPDX-License-Identifier: MIT */
#include "core.h"
#include <stdlib.h>

static void on_timer(void *arg);

int netron_core_new(netron_loop *loop, bool owns_loop, const struct netron_log *log, struct netron_core **out)
{
    struct netron_core *core = calloc(1, sizeof(*core));
    if (core == NULL)
        return NETRON_ENOMEM;
    core->loop = loop;
    core->owns_loop = owns_loop;
    core->log = *log;
    core->stats.size = sizeof(core->stats);
    netron_random_seed(&core->random);
    core->timer = loop->timer_new(loop, on_timer, core);
    if (core->timer == NULL) {
        free(core);
        return NETRON_ELOOP;
    }
    *out = core;
    return 0;
}

void netron_core_dispose(struct netron_core *core)
{
    core->loop->timer_free(core->loop, core->timer);
    core->timer = NULL;
    core->disposed = true;
}

/* The timer follows the first deadline once, on the way out, however often deadlines moved meanwhile. */
static void align_timer(struct netron_core *core)
{
    const struct netron_deadline *first = core->deadlines.first;
    if (first == NULL) {
        if (core->timer_runs)
            core->loop->timer_stop(core->loop, core->timer);
        core->timer_runs = false;
        return;
    }
    if (core->timer_runs && core->timer_at == first->at)
        return;
    uint64_t now = netron_core_now(core);
    uint64_t delay = first->at > now ? first->at - now : 0;
    core->timer_runs = core->loop->timer_start(core->loop, core->timer, delay) == 0;
    core->timer_at = first->at;
    if (!core->timer_runs)
        netron_log(&core->log, NETRON_LOG_ERROR, "the event loop refused to start a timer");
}

void netron_core_enter(struct netron_core *core)
{
    core->depth++;
}

void netron_core_leave(struct netron_core *core)
{
    if (core->depth > 1) {
        core->depth--;
        return;
    }
    while (core->graves != NULL) {
        struct netron_grave *grave = core->graves;
        core->graves = grave->next;
        grave->destroy(grave);
    }
    core->depth = 0;
    if (!core->disposed) {
        align_timer(core);
        return;
    }
    if (core->owns_loop)
        netron_loop_free(core->loop);
    free(core);
}

void netron_core_bury(struct netron_core *core, struct netron_grave *grave, void (*destroy)(struct netron_grave *grave))
{
    grave->destroy = destroy;
    grave->next = core->graves;
    core->graves = grave;
}

static void on_timer(void *arg)
{
    struct netron_core *core = arg;
    netron_core_enter(core);
    core->timer_runs = false;
    uint64_t now = netron_core_now(core);
    /* What is set from here on waits for the next turn, so that deadlines of 0 ms cannot starve the descriptors. */
    uint64_t limit = core->deadlines.order;
    while (!core->disposed) {
        struct netron_deadline *first = core->deadlines.first;
        if (first == NULL || first->at > now || first->order >= limit)
            break;
        netron_deadlines_clear(&core->deadlines, first);
        first->fn(first->arg);
    }
    netron_core_leave(core);
}

uint64_t netron_core_now(const struct netron_core *core)
{
    return core->loop->now(core->loop);
}

uint64_t netron_core_random(struct netron_core *core)
{
    return netron_random_next(&core->random);
}

void netron_core_after(struct netron_core *core, struct netron_deadline *deadline, uint64_t delay_ms)
{
    netron_deadlines_set(&core->deadlines, deadline, netron_core_now(core) + delay_ms);
}

void netron_core_cancel(struct netron_core *core, struct netron_deadline *deadline)
{
    netron_deadlines_clear(&core->deadlines, deadline);
}

int netron_core_note(struct netron_core *core, const struct netron_failure *failure)
{
    core->failure = *failure;
    return failure->code;
}
