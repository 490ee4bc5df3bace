/* SPDX-License-Identifier: MIT */
#include "request.h"
#include <stdlib.h>

#define REQUESTS_MAX (size_t)(1u << 17) /* bounds what a Redis that accepts but never answers can make us hold */

static struct netron_request *slot(const struct netron_requests *requests, size_t position)
{
    return &requests->ring[(requests->head + position) & (requests->capacity - 1)];
}

int netron_requests_reserve(struct netron_requests *requests)
{
    if (requests->count < requests->capacity)
        return 0;
    if (requests->count >= REQUESTS_MAX)
        return NETRON_EOVERLOAD;
    size_t capacity = requests->capacity == 0 ? 16 : requests->capacity * 2;
    struct netron_request *ring = calloc(capacity, sizeof(*ring));
    if (ring == NULL)
        return NETRON_ENOMEM;
    for (size_t i = 0; i < requests->count; i++)
        ring[i] = *slot(requests, i);
    free(requests->ring);
    requests->ring = ring;
    requests->capacity = capacity;
    requests->head = 0;
    return 0;
}

uint64_t netron_requests_push(struct netron_requests *requests, const struct netron_request *request)
{
    *slot(requests, requests->count) = *request;
    return requests->head_ticket + requests->count++;
}

bool netron_requests_pop(struct netron_requests *requests, struct netron_request *out)
{
    if (requests->count == 0)
        return false;
    *out = *slot(requests, 0);
    requests->head = (requests->head + 1) & (requests->capacity - 1);
    requests->head_ticket++;
    requests->count--;
    return true;
}

void netron_requests_send(struct netron_requests *requests, uint64_t due)
{
    for (size_t i = requests->count; i > 0 && slot(requests, i - 1)->due == NETRON_REQUEST_UNSENT; i--)
        slot(requests, i - 1)->due = due;
}

const struct netron_request *netron_requests_first(const struct netron_requests *requests)
{
    return requests->count == 0 ? NULL : slot(requests, 0);
}

void netron_requests_cancel(struct netron_requests *requests, uint64_t ticket)
{
    if (ticket >= requests->head_ticket && ticket - requests->head_ticket < requests->count)
        slot(requests, (size_t)(ticket - requests->head_ticket))->fn = NULL;
}

void netron_requests_clear(struct netron_requests *requests)
{
    free(requests->ring);
    *requests = (struct netron_requests){.head_ticket = requests->head_ticket + requests->count};
}
