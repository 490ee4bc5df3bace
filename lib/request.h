/* SPDX-License-Identifier: MIT */
/*
 * Requests: the calls in flight on one connection, in the order in which Redis will answer them.
 *
 * A ring that grows, so that a steady beat allocates nothing. A request is known by its ticket, a number that counts
 * up; a cancelled one keeps its place, for its reply will still come.
 */
#ifndef NETRON_LIB_REQUEST_H
#define NETRON_LIB_REQUEST_H

#include "failure.h"
#include "reply.h"
#include <stdbool.h>
#include <stdint.h>

/* Called exactly once for each request that was not cancelled: with the reply and no failure (an error reply is a
 * reply), or with the reply NULL and the reason why there will be none. */
typedef void (*netron_reply_fn)(void *arg, const struct netron_reply *reply, const struct netron_failure *failure);

#define NETRON_REQUEST_UNSENT UINT64_MAX

struct netron_request {
    const char *command; /* its first word, a constant */
    netron_reply_fn fn;  /* NULL when cancelled */
    void *arg;
    uint64_t due; /* ms of the loop's clock; NETRON_REQUEST_UNSENT: nobody can be late with it */
};

struct netron_requests {
    struct netron_request *ring;
    size_t capacity; /* a power of two, or 0 */
    size_t head;
    size_t count;
    uint64_t head_ticket;
};

/* Makes room for one more: 0, NETRON_EOVERLOAD (too many in flight), NETRON_ENOMEM. */
int netron_requests_reserve(struct netron_requests *requests);
/* Appends after a successful reserve, and returns the ticket. */
uint64_t netron_requests_push(struct netron_requests *requests, const struct netron_request *request);
/* Takes the oldest; false when there is none. */
bool netron_requests_pop(struct netron_requests *requests, struct netron_request *out);
/* Those that are unsent, the latest of all, are due then. */
void netron_requests_send(struct netron_requests *requests, uint64_t due);
const struct netron_request *netron_requests_first(const struct netron_requests *requests);
/* Never calls its function. A ticket that is not in flight is ignored. */
void netron_requests_cancel(struct netron_requests *requests, uint64_t ticket);
void netron_requests_clear(struct netron_requests *requests);

#endif
