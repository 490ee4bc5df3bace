/* SPDX-License-Identifier: MIT */
/* One connection through the proxy: two sockets, a pipe each way, and what goes through them cut into commands and
 * replies. */
#ifndef NETRON_TEST_PROXY_CONN_H
#define NETRON_TEST_PROXY_CONN_H

#include "proxy_pipe.h"

struct proxy_conn;

struct proxy_answer {
    struct proxy_answer *next;
    unsigned links;
    unsigned times; /* left */
    bool is_for_ever;
    char beginning[PROXY_BEGINNING_MAX];
    size_t length;
    char bytes[];
};

/* What holds for all of them. */
struct proxy_realm {
    struct event_base *base;
    const char *upstream;
    struct proxy_rule rules[PROXY_KINDS][2]; /* by kind and way: to the server, to the client */
    struct proxy_answer *answers;
    struct proxy_counts counts[PROXY_KINDS];
    struct proxy_conn *conns;
};

/* Takes the descriptor of the client. */
void proxy_conn_begin(struct proxy_realm *realm, int fd);

/* For all that are such links. */
void proxy_conns_set_rule(struct proxy_realm *realm, unsigned links, unsigned ways, struct proxy_rule rule);
void proxy_conns_cut(struct proxy_realm *realm, unsigned links, enum proxy_end how);
bool proxy_conns_inject(struct proxy_realm *realm, unsigned links, const char *bytes, size_t length, bool amid);

#endif
