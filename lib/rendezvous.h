/* SPDX-License-Identifier: MIT */
/*
 * Rendezvous hashing, "highest random weight" (Thaler, Ravishankar 1998): every pair of a key and a node has a number
 * that looks random and is always the same, and the key goes to the node with the best one.
 *
 * Part of what processes have to agree on: other numbers send every key elsewhere.
 */
#ifndef NETRON_LIB_RENDEZVOUS_H
#define NETRON_LIB_RENDEZVOUS_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a in 64 bits (Fowler, Noll, Vo), through the finaliser of SplitMix64 (Steele, Lea, Flood 2014), because FNV
 * alone spreads texts that differ in their last byte badly. For keys and for ids. */
uint64_t netron_rendezvous_hash(const char *bytes, size_t length);

/* The number of a pair. Among nodes of the same weight the greatest wins. */
uint64_t netron_rendezvous_pair(uint64_t key_hash, uint64_t node_hash);

/* Among nodes of different weights the smallest distance wins: -ln(pair) / weight, the logarithm method (Schindelhauer,
 * Schomaker 2005). A change of one weight moves no key between other nodes. With the same weights it gives the same
 * winner as the greatest pair. */
double netron_rendezvous_distance(uint64_t pair, uint32_t weight);

#endif
