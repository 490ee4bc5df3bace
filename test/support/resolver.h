/* SPDX-License-Identifier: MIT */
/*
 * A resolver for netron_loops that have none: each question is a thread that asks getaddrinfo(), and answers through a
 * pipe that the loop watches. It shows what loop.h means by the hook.
 */
#ifndef NETRON_TEST_RESOLVER_H
#define NETRON_TEST_RESOLVER_H

#include <netron/loop.h>

struct resolver;

/* Sets the loop's hooks. Fails the test when there is no memory. */
struct resolver *resolver_attach(netron_loop *loop);
/* Before the loop is freed, when no resolution is under way. Waits for the threads of those that were cancelled. */
void resolver_free(struct resolver *resolver);

#endif
