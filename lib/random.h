/* SPDX-License-Identifier: MIT */
/* Random numbers for jitter and for incarnations; not for secrets. */
#ifndef NETRON_LIB_RANDOM_H
#define NETRON_LIB_RANDOM_H

#include <stdint.h>

struct netron_random {
    uint64_t state;
};

/* Seeds from the system, so that processes started together differ. */
void netron_random_seed(struct netron_random *random);

/* 64 uniform bits. */
uint64_t netron_random_next(struct netron_random *random);

#endif
