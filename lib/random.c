/* SPDX-License-Identifier: MIT */
#include "random.h"
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

void netron_random_seed(struct netron_random *random)
{
    if (getrandom(&random->state, sizeof(random->state), GRND_NONBLOCK) == (ssize_t)sizeof(random->state))
        return;
    /* An early-boot system may have no entropy yet: the process, the clock and the stack differ at least. */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    random->state =
        ((uint64_t)getpid() << 32) ^ ((uint64_t)now.tv_sec << 20) ^ (uint64_t)now.tv_nsec ^ (uint64_t)(uintptr_t)random;
}

/* SplitMix64 (Steele, Lea, Flood 2014): every seed is a good one, and it is enough for spreading load. */
uint64_t netron_random_next(struct netron_random *random)
{
    uint64_t bits = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}
