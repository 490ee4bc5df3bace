/* SPDX-License-Identifier: MIT */
/* One way of a connection through the proxy: what was said, and is still on its way. */
#ifndef NETRON_TEST_PROXY_PIPE_H
#define NETRON_TEST_PROXY_PIPE_H

#include "proxy_order.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

struct proxy_segment;

struct proxy_pipe {
    struct proxy_rule rule;
    struct evbuffer *waiting;
    struct proxy_segment *first; /* of what waits: when it may go on */
    struct proxy_segment *last;
    struct event *timer;
    uint64_t dripped_at;
    struct bufferevent *out; /* the receiver; NULL when it is gone */
    bool has_ended;          /* the sender has closed */
    uint64_t end_due;
    uint64_t *passed;        /* counts */
    void (*over)(void *arg); /* everything has gone through, the end as well */
    void *arg;
};

void proxy_pipe_open(struct proxy_pipe *pipe, struct event_base *base, void (*over)(void *arg), void *arg);
void proxy_pipe_close(struct proxy_pipe *pipe);
void proxy_pipe_set_rule(struct proxy_pipe *pipe, struct proxy_rule rule);
/* Each may end in over(). */
void proxy_pipe_write(struct proxy_pipe *pipe, const void *bytes, size_t length);
void proxy_pipe_end(struct proxy_pipe *pipe);
/* A sender that resets takes back what is still on its way. */
void proxy_pipe_forget(struct proxy_pipe *pipe);
void proxy_pipe_move(struct proxy_pipe *pipe);

#endif
