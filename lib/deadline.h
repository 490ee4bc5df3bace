/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: a heap of moments at which something has to happen. A deadline is embedded in its owner, so setting one
 * never allocates and never fails. The heap knows no clock and no timer; core puts it on the loop's.
 */
#ifndef NETRON_LIB_DEADLINE_H
#define NETRON_LIB_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct netron_deadline {
    uint64_t at;    /* ms of the loop's clock */
    uint64_t order; /* equal moments come in the order in which they were set */
    struct netron_deadline *child;
    struct netron_deadline *next;     /* sibling */
    struct netron_deadline *previous; /* sibling, or the parent of a first child */
    bool set;
    void (*fn)(void *arg);
    void *arg;
};

struct netron_deadlines {
    struct netron_deadline *first;
    uint64_t order;
};

/* Must be called once before the others. */
void netron_deadline_init(struct netron_deadline *deadline, void (*fn)(void *arg), void *arg);

/* Sets or moves it. */
void netron_deadlines_set(struct netron_deadlines *deadlines, struct netron_deadline *deadline, uint64_t at);

/* Removes it if it is set. */
void netron_deadlines_clear(struct netron_deadlines *deadlines, struct netron_deadline *deadline);

#endif
