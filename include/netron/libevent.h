/* SPDX-License-Identifier: MIT */
/*
 * Libevent, the native loop. Most programs need nothing of this file: netron_discovery_new() takes the event_base
 * itself and makes and frees the loop object on its own. It is for those who put several discoveries on one base and
 * want them to share one resolver, or who use the seam for something else.
 */
#ifndef NETRON_LIBEVENT_H
#define NETRON_LIBEVENT_H

#include <netron/loop.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;

/*
 * Makes a loop object on a libevent base (libevent 2.1 or newer). The base stays the caller's and must outlive it.
 * Host names are resolved by evdns; /etc/resolv.conf and /etc/hosts are read for each question that comes alone.
 * Each discovery holds one descriptor more on it, for a timer that libevent has no memory for.
 * Returns 0 and the loop in *out, NETRON_EINVAL, NETRON_ENOMEM. Free it with netron_loop_free().
 */
NETRON_API int netron_libevent_loop_new(struct event_base *base, netron_loop **out);

#ifdef __cplusplus
}
#endif

#endif
