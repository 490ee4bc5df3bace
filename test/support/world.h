/* SPDX-License-Identifier: MIT */
/* A reactor that runs until something has happened, for tests on a real Redis. */
#ifndef NETRON_TEST_WORLD_H
#define NETRON_TEST_WORLD_H

#include "reactor.h"
#include <check.h>

struct world {
    struct reactor *reactor;
    /* Called before each turn: lets the other end of a connection work, when it is in this process. May be NULL. */
    bool (*other_end)(void *arg);
    void *other_end_arg;
};

void world_open(struct world *world);
void world_close(struct world *world);
/* Runs the loop until its next event, at most for a few milliseconds: what is awaited may happen outside the loop. */
void world_turn(struct world *world);
/* Runs the loop for that long: only to see that something does not happen. */
void world_run(struct world *world, unsigned ms);
uint64_t world_clock_ms(void); /* monotonic */

#define WORLD_LIMIT_MS 10000u

/* Runs the loop until the condition is true; fails the test when it has not become so within WORLD_LIMIT_MS. */
#define AWAIT(world, condition)                                                                                        \
    do {                                                                                                               \
        uint64_t await_limit = world_clock_ms() + WORLD_LIMIT_MS;                                                      \
        while (!(condition)) {                                                                                         \
            ck_assert_msg(world_clock_ms() < await_limit, "waited in vain for: %s", #condition);                       \
            world_turn(world);                                                                                         \
        }                                                                                                              \
    } while (0)

/* Options for quick tests: beats every 100 ms, a TTL of 1000 ms, Pub/Sub enabled. */
netron_options world_options(const char *url);
/* A discovery on the reactor; the test frees it. */
netron_discovery *world_join(struct world *world, const netron_options *options);

#endif
