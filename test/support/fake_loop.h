/* SPDX-License-Identifier: MIT */
/*
 * A netron_loop on a virtual clock: time passes only when a test says so, and then from timer to timer, so that every
 * timing rule can be asserted to the millisecond. Descriptors are real ones, polled without waiting.
 */
#ifndef NETRON_TEST_FAKE_LOOP_H
#define NETRON_TEST_FAKE_LOOP_H

#include <netron/loop.h>
#include <stdbool.h>

struct fake_io;
struct fake_timer;

struct fake_loop {
    netron_loop seam;
    uint64_t now;
    struct fake_io *ios;
    struct fake_timer *timers;
    bool freed;
    unsigned watches; /* how many there ever were: one for each try to connect */

    /* Called after each turn: lets the other end of a connection work. Returns whether it did anything. */
    bool (*other_end)(void *arg);
    void *other_end_arg;

    /* How many of the next calls fail. */
    unsigned fail_io_new, fail_io_update, fail_timer_new, fail_timer_start;

    /* The resolution under way, if any. */
    char resolving[256];
    netron_resolve_fn resolved;
    void *resolved_arg;
    unsigned resolutions; /* how many were begun */
    bool refuse_to_resolve;
};

void fake_loop_init(struct fake_loop *loop);
/* Fails the test when a watch or timer is left. */
void fake_loop_clear(struct fake_loop *loop);

/* Runs whatever is ready at this moment of the clock, until nothing is. A loop that spins fails the test. */
void fake_loop_settle(struct fake_loop *loop);
/* Lets that much time pass, stopping at every timer on the way. */
void fake_loop_advance(struct fake_loop *loop, uint64_t ms);
/* When the next timer is due, from now; UINT64_MAX when none runs. */
uint64_t fake_loop_next(const struct fake_loop *loop);

/* Answers the resolution under way: addresses NULL = it failed. */
void fake_loop_resolve(struct fake_loop *loop, const char *const *addresses, size_t count);

#endif
