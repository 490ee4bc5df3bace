/* SPDX-License-Identifier: MIT */
/*
 * The sentinels of the URL, as a topology.
 *
 * Whoever asks starts a search: the sentinels are asked one after the other, each for its share of connect_timeout_ms
 * (of what is left of it a fifth at least), until one says where the primary is. That one stays connected and tells
 * when the primary changes, until the next search has found another; when it is lost, a search finds the next to watch.
 *
 * No sentinel is trusted more than its answers prove to be worth. One whose primary greeted as such is asked first the
 * next time; one whose primary could not be reached, or is none, is asked last. So sentinels that are down, that hang,
 * that lie or are behind cost an attempt, and no more. Only those of the URL are asked: what sentinels say of each
 * other are addresses that may be of no use from here, and the operator's list is the one that he can change.
 */
#ifndef NETRON_LIB_SENTINELS_H
#define NETRON_LIB_SENTINELS_H

#include "settings.h"
#include "topology.h"

/* settings outlives it. Returns 0 or NETRON_ENOMEM. It is freed by netron_topology_free(). */
int netron_sentinels_new(struct netron_core *core, const struct netron_settings *settings,
                         struct netron_topology **out);

#endif
