/* SPDX-License-Identifier: MIT */
/*
 * Allocations, counted, and made to fail: those of the library and of whatever else is linked into the program (by
 * --wrap, which the dependency of this name in test/meson.build asks for), and after allocations_of_libraries() those
 * that jansson, libevent and hiredis make for it.
 * What Check allocates for an assertion neither counts nor fails.
 */
#ifndef NETRON_TEST_FAILING_ALLOCATIONS_H
#define NETRON_TEST_FAILING_ALLOCATIONS_H

#include <stdbool.h>

extern unsigned long allocations;
/* So many more succeed, then they fail; negative = none fails. */
extern long allocations_left;
/* How many fail then, before all succeed again; negative = all do until allocations_left is set anew. */
extern long allocations_failing;
extern unsigned long allocations_failed;
/* Whose count and fail; all, unless a test says otherwise. */
enum { ALLOCATIONS_LINKED = 1, ALLOCATIONS_OF_JANSSON = 2, ALLOCATIONS_OF_LIBEVENT = 4, ALLOCATIONS_OF_HIREDIS = 8 };
extern unsigned allocations_meant;

/* Before the first call of libevent. Left out are, for they have no use for a failure:
 *   - hiredis before 1.0, which ends the process by design,
 *   - the text of a token that jansson is reading, of which it would drop bytes without a word. */
void allocations_of_libraries(void);

/* What the test itself allocates neither counts nor fails between these two; they can be nested. */
void allocations_are_ours(void);
void allocations_are_theirs(void);

#endif
