/* SPDX-License-Identifier: MIT */
/* Which node fails so often in a row that it is left alone for a while: counts and times, nothing else. */
#ifndef NETRON_LIB_OUTLIER_H
#define NETRON_LIB_OUTLIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netron_outlier_limits {
    bool disabled;
    uint32_t failures;
    uint32_t base_ms;
    uint32_t max_ms;
    uint32_t max_percent;
};

/* What is remembered of one node; all zero is a good one. */
struct netron_outlier {
    uint32_t failures;  /* in a row */
    uint32_t ejections; /* in a row: not max_ms apart */
    bool is_ejected;
    uint64_t until; /* when the latest ejection ends or ended */
};

/* Counts what became of a request. True when the node should be ejected. What an ejected node still has to tell are the
 * results of earlier requests: they neither prolong nor shorten its time. */
bool netron_outlier_note(struct netron_outlier *outlier, const struct netron_outlier_limits *limits, bool ok);

void netron_outlier_eject(struct netron_outlier *outlier, const struct netron_outlier_limits *limits, uint64_t now);
void netron_outlier_return(struct netron_outlier *outlier);

/* How many of so many nodes may be ejected at once: never the last. */
size_t netron_outlier_allowed(const struct netron_outlier_limits *limits, size_t nodes);

#endif
