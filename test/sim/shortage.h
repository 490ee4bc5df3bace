/* SPDX-License-Identifier: MIT */
/*
 * A story that is told again and again, with the memory running out at each allocation in turn: first at the first one,
 * then at the second one, until the story is over before any has failed.
 *
 * After each telling there is memory again, and everything has to become whole by itself; what is left over (watches,
 * timers, descriptors, memory) fails the test. Every call of a story either is refused and calls nobody back, or calls
 * back once.
 */
#ifndef NETRON_TEST_SHORTAGE_H
#define NETRON_TEST_SHORTAGE_H

#include "failing_allocations.h"
#include "sim.h"

enum shortage {
    SHORTAGE_OF_ONE,     /* one allocation fails */
    SHORTAGE_OF_SEVERAL, /* a few in a row do */
    SHORTAGE_OF_ALL,     /* all do from there on, to the end of the story */
    SHORTAGES
};

struct shortage_story {
    const char *name;
    void (*begin)(void);    /* with memory; may be NULL */
    void (*tell)(void);     /* memory runs out in here */
    void (*again)(void);    /* with memory: the user makes the calls again that were refused; may be NULL */
    bool (*is_whole)(void); /* is awaited; NULL = nothing has to become whole */
    void (*check)(void);    /* what holds then; may be NULL */
};

/* Tells the story as often as it needs. To be called by a test of a case without sim's fixtures. */
void shortage_run(const struct shortage_story *story, enum shortage shortage);

/* A call with a done callback. Refused: NETRON_ENOMEM or NETRON_ELOOP. */
struct promise {
    int code; /* what the call returned */
    struct done_recorder done;
};
/* The next one of this telling, for the callback to be told to. */
struct promise *promise_new(void);
/* What the call returned; whether it was accepted. */
bool promise_given(struct promise *promise, int code);
/* A call without one: whether it was accepted. */
bool shortage_accepts(int code);

#endif
