/* SPDX-License-Identifier: MIT */
/*
 * What a picker stands on in tests: snapshots made by the test, a clock that the test moves, chance with a fixed seed.
 *
 * Nodes are written as "a b:5 c:1@east d!draining": id, weight, zone, state. What reads the same in two snapshots that
 * follow each other is the same node struct in both, as in the view.
 */
#ifndef NETRON_TEST_PICKER_STAND_H
#define NETRON_TEST_PICKER_STAND_H

#include "picker.h"
#include <stdbool.h>

struct stand {
    const netron_snapshot *snapshot; /* what the source finds; NULL = nothing */
    uint64_t now;
    unsigned snapshots; /* that are not freed yet */
    bool source_freed;
    netron_picker *picker;
};

/* Of the chance of the pickers that are made from now on; 1 at first. */
extern uint64_t stand_seed;

/* A stand with a picker of these options over these nodes. */
void stand_open(struct stand *stand, const netron_picker_options *options, const char *nodes);
/* Frees picker and snapshot, and checks that nothing is left. */
void stand_close(struct stand *stand);

/* NULL: the source finds nothing from now on. */
void stand_change(struct stand *stand, const char *nodes);

/* Options of a policy, everything else by default. */
netron_picker_options stand_options(netron_pick_policy policy);

/* Picks, and leaves the pick outstanding. */
const netron_node *stand_pick(struct stand *stand);
/* Picks and reports; what was picked, " " between ids, "-" for NULL, valid until the next call. */
const char *stand_picks(struct stand *stand, int count);
/* Picks until it gets the node of that id, reports the others as ok, and this one as said. */
void stand_report(struct stand *stand, const char *id, int ok);
/* How often it was picked in so many picks, all reported as ok. */
int stand_share(struct stand *stand, const char *id, int picks);

#endif
