/* SPDX-License-Identifier: MIT */
/* What the users of README.md that are programs are for, and how long a duty of theirs is waited for. */
#ifndef NETRON_TEST_ACL_KINDS_H
#define NETRON_TEST_ACL_KINDS_H

#include "acl_users.h"
#include "world.h"

#define REFUSED_MS 700 /* what depends on a refusal has failed by then */

enum { ALL = 1, REGISTERS = 2, VIEWS = 4, LOOKS_AFTER = 8 };

static const struct kind {
    const char *name;
    unsigned whose;
    const char *tolerated; /* what README.md says that is refused */
} kinds[] = {
    {"netron-member", ALL | REGISTERS | VIEWS | LOOKS_AFTER, NULL},
    {"netron-node", ALL | REGISTERS, "scard"},
    {"netron-watcher", ALL | VIEWS | LOOKS_AFTER, NULL},
    {"netron-reader", ALL | VIEWS, "time"},
};

static const char *missing; /* the rule that is taken away; NULL = none */

typedef bool (*condition_fn)(void);

/* With all rules it has the usual time. Without one, until a server has refused it and a moment has passed. */
static inline bool await_or_refusal(struct world *world, condition_fn is_done, condition_fn is_refused)
{
    uint64_t limit = world_clock_ms() + WORLD_LIMIT_MS;
    bool was_refused = false;
    while (!is_done()) {
        world_turn(world);
        uint64_t now = world_clock_ms();
        if (missing != NULL && !was_refused && is_refused()) {
            was_refused = true;
            limit = now + REFUSED_MS;
        }
        if (now > limit)
            return false;
    }
    return true;
}

#endif
