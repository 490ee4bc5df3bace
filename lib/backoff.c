/* SPDX-License-Identifier: MIT */
#include "backoff.h"

uint32_t netron_backoff_reconnect(uint32_t min_ms, uint32_t max_ms, unsigned attempt, uint64_t random)
{
    /* Thirty-two doublings of anything but zero exceed every limit, and still fit into 64 bits. */
    uint64_t ceiling = (uint64_t)min_ms << (attempt < 32 ? attempt : 32);
    return netron_backoff_spread(ceiling < max_ms ? (uint32_t)ceiling : max_ms, random);
}

uint32_t netron_backoff_operator(uint32_t max_ms, uint64_t random)
{
    uint32_t half = max_ms / 2;
    return half + netron_backoff_spread(half, random);
}

uint32_t netron_backoff_vary(uint32_t value_ms, uint64_t random)
{
    uint32_t tenth = value_ms / 10;
    uint64_t varied = (uint64_t)(value_ms - tenth) + netron_backoff_spread(2 * tenth, random);
    return varied < UINT32_MAX ? (uint32_t)varied : UINT32_MAX;
}

uint32_t netron_backoff_spread(uint32_t limit_ms, uint64_t random)
{
    return (uint32_t)(random % ((uint64_t)limit_ms + 1));
}
