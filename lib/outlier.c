/* SPDX-License-Identifier: MIT */
#include "outlier.h"

bool netron_outlier_note(struct netron_outlier *outlier, const struct netron_outlier_limits *limits, bool ok)
{
    if (limits->disabled || outlier->is_ejected)
        return false;
    if (ok)
        outlier->failures = 0;
    else if (outlier->failures < limits->failures)
        outlier->failures++;
    return outlier->failures >= limits->failures;
}

void netron_outlier_eject(struct netron_outlier *outlier, const struct netron_outlier_limits *limits, uint64_t now)
{
    if (now >= outlier->until && now - outlier->until >= limits->max_ms)
        outlier->ejections = 0;
    /* Further ones change nothing: the time is at its maximum. */
    if (outlier->ejections < limits->max_ms)
        outlier->ejections++;
    uint64_t time_ms = (uint64_t)limits->base_ms * outlier->ejections;
    outlier->until = now + (time_ms < limits->max_ms ? time_ms : limits->max_ms);
    outlier->is_ejected = true;
    outlier->failures = 0;
}

void netron_outlier_return(struct netron_outlier *outlier)
{
    outlier->is_ejected = false;
}

size_t netron_outlier_allowed(const struct netron_outlier_limits *limits, size_t nodes)
{
    if (nodes < 2)
        return 0;
    size_t share = (size_t)((uint64_t)nodes * limits->max_percent / 100);
    return share < nodes ? share : nodes - 1;
}
