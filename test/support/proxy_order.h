/* SPDX-License-Identifier: MIT */
/* What the test says to the proxy's process, and what that answers. */
#ifndef NETRON_TEST_PROXY_ORDER_H
#define NETRON_TEST_PROXY_ORDER_H

#include "proxy.h"
#include <stddef.h>

#define PROXY_BYTES_MAX 32768
#define PROXY_BEGINNING_MAX 128
#define PROXY_KINDS 3 /* of links: greeting, commands, events */

enum proxy_mode {
    PROXY_MODE_PASS,
    PROXY_MODE_DELAY,
    PROXY_MODE_HOLD,
    PROXY_MODE_DROP,
    PROXY_MODE_LOSE,
    PROXY_MODE_DRIP,
    PROXY_MODE_TRUNCATE
};

struct proxy_rule {
    enum proxy_mode mode;
    unsigned bytes;
    unsigned ms;
};

enum proxy_verb {
    PROXY_DO_RULE,
    PROXY_DO_CUT,
    PROXY_DO_INJECT,
    PROXY_DO_ANSWER,
    PROXY_DO_ANSWER_NO_MORE,
    PROXY_DO_REFUSE,
    PROXY_DO_HEAL,
    PROXY_DO_COUNT
};

struct proxy_order {
    enum proxy_verb verb;
    unsigned links;
    unsigned ways;
    struct proxy_rule rule;
    enum proxy_end end;
    bool amid;
    bool refuse;
    unsigned times;
    char beginning[PROXY_BEGINNING_MAX];
    size_t length;
    char bytes[PROXY_BYTES_MAX];
};

struct proxy_report {
    bool is_done;
    struct proxy_counts counts[PROXY_KINDS];
};

/* The process itself; never returns. */
struct proxy_fronts {
    int control;
    int tcp;
    int local;
    const char *upstream;
};
void proxy_run(const struct proxy_fronts *fronts) __attribute__((noreturn));

#endif
