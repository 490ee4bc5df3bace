/* SPDX-License-Identifier: MIT */
#include "rendezvous.h"
#include <math.h>

static uint64_t finalise(uint64_t bits)
{
    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

uint64_t netron_rendezvous_hash(const char *bytes, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return finalise(hash);
}

uint64_t netron_rendezvous_pair(uint64_t key_hash, uint64_t node_hash)
{
    /* The constant keeps the pair of a key and a node of the same name from being 0. */
    return finalise((key_hash ^ node_hash) + UINT64_C(0x9e3779b97f4a7c15));
}

double netron_rendezvous_distance(uint64_t pair, uint32_t weight)
{
    /* 52 bits and a half are what a double holds; the half keeps it off 0, of which there is no logarithm, and off 1.
     */
    double uniform = ((double)(pair >> 12) + 0.5) * 0x1p-52;
    return -log(uniform) / weight;
}
