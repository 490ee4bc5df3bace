/* SPDX-License-Identifier: MIT */
/*
 * The reactor that a test runs on. Each program links one of test/adapter/reactor_*.c, so the same tests run on every
 * reactor that the library has an adapter for; most programs are only built for libevent.
 */
#ifndef NETRON_TEST_REACTOR_H
#define NETRON_TEST_REACTOR_H

#include <netron/netron.h>
#include <stdbool.h>

struct event_base;
struct reactor;

extern const char *const reactor_name;

struct reactor *reactor_new(void);
netron_loop *reactor_loop(struct reactor *reactor);
/* One turn of the loop as its users turn it, which waits for up to that long. */
void reactor_turn(struct reactor *reactor, unsigned wait_ms);
/* Frees the netron_loop first, lets the reactor finish what is left of it, and looks that nothing stays behind. */
void reactor_free(struct reactor *reactor);

/* One more loop object on the same reactor, for netron_loop_free(); NULL when that fails. */
netron_loop *reactor_loop_again(struct reactor *reactor);

/* A discovery as the users of this reactor make it; returns what that returned. */
int reactor_discovery_new(struct reactor *reactor, const netron_options *options, netron_discovery **out);

/* Of libevent only. */
struct event_base *reactor_base(struct reactor *reactor);

#endif
