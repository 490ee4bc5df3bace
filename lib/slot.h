/* SPDX-License-Identifier: MIT */
/* The slot that Redis Cluster puts a key or a shard channel into. */
#ifndef NETRON_LIB_SLOT_H
#define NETRON_LIB_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#define NETRON_SLOTS 16384u

/* CRC16 of the hash tag in the name, or of the whole name when it has none, modulo NETRON_SLOTS. */
uint16_t netron_slot_of(const char *name);

/* Whether the name holds a hash tag: then all that begin with it are in one slot. */
bool netron_slot_has_tag(const char *name);

#endif
