/* SPDX-License-Identifier: MIT */
/* What a node of a cluster says when it is the wrong one: "MOVED 3714 10.0.0.7:6379", "ASK 3714 redis-2.example:6379".
 */
#ifndef NETRON_LIB_REDIRECT_H
#define NETRON_LIB_REDIRECT_H

#include "topology.h"

enum netron_redirect_kind {
    NETRON_REDIRECT_NONE,  /* these are other words, or what no node says */
    NETRON_REDIRECT_MOVED, /* the slot belongs to another node */
    NETRON_REDIRECT_ASK    /* it is on its way there, and this key has arrived */
};

/* asked: whom these are the words of; a node that does not know its own name leaves it out, and means the same host.
 * to is written only when the words are a redirection of that slot. Its host is empty where a name should stand and the
 * node has none ("MOVED 3714 ?:6379"): of such a one the port is all that is told. */
enum netron_redirect_kind netron_redirect_parse(const char *words, unsigned slot, const struct netron_location *asked,
                                                struct netron_location *to);

#endif
