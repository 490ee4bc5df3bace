/* SPDX-License-Identifier: MIT */
/* Allocations of the library, counted, and made to fail. Linked with --wrap for malloc, calloc, realloc and strdup. */
#ifndef NETRON_TEST_ALLOCATIONS_H
#define NETRON_TEST_ALLOCATIONS_H

extern unsigned long allocations;
/* So many more succeed, then all fail; negative = none fails. */
extern long allocations_left;

#endif
