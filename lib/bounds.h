/* SPDX-License-Identifier: MIT */
/* What no honest reply exceeds. hiredis' reader allocates what a server says, as deep as it says, and waits for
 * whatever it promises: this bounds what a hostile or broken server can make it hold, and how long it can make it
 * search. */
#ifndef NETRON_LIB_BOUNDS_H
#define NETRON_LIB_BOUNDS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>

struct netron_bounds {
    redisReplyObjectFunctions functions; /* what the reader calls */
    redisReplyObjectFunctions hiredis;   /* its own */
    size_t bytes;                        /* of the reply that is under way, as far as it is here */
    size_t elements;                     /* of its arrays */
    const char *excess;                  /* what of it is too much; NULL = nothing */
};

/* Puts the bounds, which have to outlive the reader, into it. */
void netron_bounds_set(struct netron_bounds *bounds, redisReader *reader);

/* Bytes were fed to the reader; a reply was taken from it. */
void netron_bounds_arrived(struct netron_bounds *bounds, size_t bytes);
void netron_bounds_finished(struct netron_bounds *bounds, const redisReader *reader);

/* Whether the reply that is under way promises no end; asked when no whole one is left in the reader. */
bool netron_bounds_is_endless(const struct netron_bounds *bounds, const redisReader *reader);

#endif
