/* SPDX-License-Identifier: MIT */
/*
 * A resolver for loops that bring none (libev, sd-event, epoll): each question is a thread that asks getaddrinfo(), and
 * the loop hears of the answer through a socket. It shows what loop.h wants of resolve and resolve_cancel.
 */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <netron/loop.h>

struct resolver;

/* Sets the loop's hooks. NULL: no memory. */
struct resolver *resolver_attach(netron_loop *loop);
/* After the discoveries on the loop were freed, and before the loop is. Waits for the threads of those questions that
 * were cancelled, so at worst as long as the name servers take. NULL is fine. */
void resolver_free(struct resolver *resolver);

#endif
