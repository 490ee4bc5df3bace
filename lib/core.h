/* SPDX-License-Identifier: MIT */
/*
 * The ground that every room of one discovery stands on: its loop, its deadlines, its chance, its log, the latest
 * failure, and the graveyard.
 *
 * Entering and leaving: whatever begins on the stack of the library (a callback of the loop, a call of the user)
 * enters the core and leaves it at the end. An object that is freed becomes inert at once, but its memory is buried:
 * it goes when the outermost entry leaves. So code that called a user's callback may look at its own object
 * afterwards, whatever that callback freed, the discovery itself included.
 */
#ifndef NETRON_LIB_CORE_H
#define NETRON_LIB_CORE_H

#include "deadline.h"
#include "failure.h"
#include "log.h"
#include "random.h"
#include <netron/discovery.h>
#include <stdbool.h>

/* Embedded in every object that can be freed while it is on the stack. */
struct netron_grave {
    struct netron_grave *next;
    void (*destroy)(struct netron_grave *grave);
};

struct netron_core {
    netron_loop *loop;
    bool owns_loop;
    void *timer; /* the only timer on the loop */
    bool timer_runs;
    uint64_t timer_at;
    struct netron_deadlines deadlines;
    struct netron_random random;
    struct netron_log log;
    struct netron_failure failure; /* the latest one, for netron_discovery_error() */
    netron_stats stats;
    unsigned depth;
    bool disposed;
    struct netron_grave *graves;
};

/* loop is owned from success on when owns_loop is set. Returns 0, NETRON_ENOMEM, NETRON_ELOOP. */
int netron_core_new(netron_loop *loop, bool owns_loop, const struct netron_log *log, struct netron_core **out);

/* Takes the timer off the loop; the memory goes when the outermost entry leaves. Must be called between enter and
 * leave, when everything that stands on the core is freed. */
void netron_core_dispose(struct netron_core *core);

void netron_core_enter(struct netron_core *core);
void netron_core_leave(struct netron_core *core);

/* destroy(grave) is called when the outermost entry leaves. Must be called between enter and leave. */
void netron_core_bury(struct netron_core *core, struct netron_grave *grave,
                      void (*destroy)(struct netron_grave *grave));

uint64_t netron_core_now(const struct netron_core *core);
uint64_t netron_core_random(struct netron_core *core);

/* Calls the deadline's function in delay_ms, from the top level of the loop, 0 = in its next turn. Replaces an
 * earlier moment. Must be called between enter and leave. */
void netron_core_after(struct netron_core *core, struct netron_deadline *deadline, uint64_t delay_ms);
void netron_core_cancel(struct netron_core *core, struct netron_deadline *deadline);

/* Makes it the latest failure, and returns its code. */
int netron_core_note(struct netron_core *core, const struct netron_failure *failure);

#endif
