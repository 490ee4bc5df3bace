/* SPDX-License-Identifier: MIT */
/* What every test program begins with: one Check suite, told as TAP; descriptors counted around each test. */
#ifndef NETRON_TEST_SUITE_H
#define NETRON_TEST_SUITE_H

#include <check.h>

#ifdef NDEBUG
#error "tests need assertions"
#endif

/* A test case whose tests fail when they leave another number of descriptors open than they found. Memory is watched by
 * the sanitizer and valgrind runs: each test is a process of its own, so each is looked at by itself. */
TCase *suite_case(Suite *suite, const char *name);

/* Runs and frees it. Returns what main() returns: 0 only if tests ran and all passed. */
int suite_run(Suite *suite);

/* How many descriptors this process has open. */
int suite_descriptors(void);
/* How many of them are of a kind, as /proc names it: "anon_inode:[eventfd]". A thread of somebody else that opens a
 * file for a moment is not counted among these. */
int suite_descriptors_of(const char *kind);
/* A library opened so many more just now, which stay to the end of the process. */
void suite_keep_open(int descriptors);

#endif
