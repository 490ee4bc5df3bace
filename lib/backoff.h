/* SPDX-License-Identifier: MIT */
/* How long to wait: pure functions of their arguments, `random` being a uniform 64-bit number. */
#ifndef NETRON_LIB_BACKOFF_H
#define NETRON_LIB_BACKOFF_H

#include <stdint.h>

/* "Full jitter": uniform in 0 .. min(max_ms, min_ms * 2^attempt), both ends included; attempt counts from 0. */
uint32_t netron_backoff_reconnect(uint32_t min_ms, uint32_t max_ms, unsigned attempt, uint64_t random);

/* Uniform in the upper half of 0 .. max_ms: after what only an operator can mend. */
uint32_t netron_backoff_operator(uint32_t max_ms, uint64_t random);

/* Uniform in value - value/10 .. value + value/10, both ends included. */
uint32_t netron_backoff_vary(uint32_t value_ms, uint64_t random);

/* Uniform in 0 .. limit_ms, both ends included. */
uint32_t netron_backoff_spread(uint32_t limit_ms, uint64_t random);

#endif
