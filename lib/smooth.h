/* SPDX-License-Identifier: MIT */
/*
 * Smooth weighted round robin: the order of nginx's upstream module, in which each turn every competitor gets its
 * weight as credit, and the one with the most credit, the first of several, wins and pays the sum of all weights.
 *
 * Done by the letter a turn looks at every competitor. Here each is a line over time that rises by its weight, and a
 * kinetic tournament tree (Basch, Guibas, Hershberger 1997) knows who is highest: every match remembers its winner, and
 * the turn in which that can change at the earliest. A turn costs O(log n), now and then O(log^2 n).
 */
#ifndef NETRON_LIB_SMOOTH_H
#define NETRON_LIB_SMOOTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netron_smooth_line {
    int64_t weight;
    int64_t base; /* the credit is base + weight x turn */
    double phase; /* as it was added */
};

struct netron_smooth_match {
    size_t winner;
    int64_t expiry; /* the first turn in which a match in this subtree may end otherwise */
};

/* All zero is valid, and empty. */
struct netron_smooth {
    size_t count;
    size_t capacity;
    int64_t total; /* of the weights */
    int64_t turn;
    struct netron_smooth_line *lines;
    struct netron_smooth_match *matches; /* 1 is the final; those of position p play at 2p and 2p + 1 */
};

/* Turns are counted to here, then from 0 again; so no product with a weight overflows. */
#define NETRON_SMOOTH_TURNS_MAX (INT64_C(1) << 40)

/* Makes room for so many competitors. Without memory it returns false and changes nothing. */
bool netron_smooth_reserve(struct netron_smooth *smooth, size_t capacity);
void netron_smooth_clear(struct netron_smooth *smooth);

/* Begins with no competitors; they are added, within the room, and then the turns start. weight: 1 to 65535. phase: 0,
 * or where the competitor stood in another round (netron_smooth_phase), so that changes do not begin the round anew. */
void netron_smooth_restart(struct netron_smooth *smooth);
void netron_smooth_add(struct netron_smooth *smooth, uint32_t weight, double phase);
void netron_smooth_start(struct netron_smooth *smooth);

/* Whose turn it is, by the order in which they were added. There must be one. */
size_t netron_smooth_next(struct netron_smooth *smooth);

/* The credit as a part of the sum of all weights, between -1 and 1. */
double netron_smooth_phase(const struct netron_smooth *smooth, size_t index);

#endif
