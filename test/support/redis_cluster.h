/* SPDX-License-Identifier: MIT */
/*
 * A private Redis Cluster: servers of server.h with ports of their own on 127.0.0.1, joined by hand, which is quicker
 * than redis-cli does it. Tests ask each of them over its Unix socket.
 */
#ifndef NETRON_TEST_CLUSTER_H
#define NETRON_TEST_CLUSTER_H

#include "server.h"
#include <stddef.h>

#define CLUSTER_NODES_MAX 6
#define CLUSTER_NODE_TIMEOUT_MS 1000 /* after that a silent node is taken for dead */

struct cluster {
    size_t count;
    size_t primaries; /* at the start; node i is then a replica of node i % primaries */
    struct server node[CLUSTER_NODES_MAX];
    unsigned port[CLUSTER_NODES_MAX];
    unsigned client_port[CLUSTER_NODES_MAX]; /* the same without TLS */
    const char *scheme;                      /* redis+cluster, or rediss+cluster with NETRON_TEST_TLS=1 */
    char id[CLUSTER_NODES_MAX][41];
    char url[160]; /* of the scheme, with all of them */
};

/* The slots are split evenly among the primaries, in their order. extra as in server_start(). Returns when all agree
 * that the cluster is well, and every replica is up to date. */
void cluster_start(struct cluster *cluster, size_t primaries, size_t replicas, const char *const *extra);
void cluster_stop(struct cluster *cluster);
void cluster_forget(struct cluster *cluster); /* server_forget() for each */

/* A URL of the scheme with that node alone. */
const char *cluster_url_of(const struct cluster *cluster, size_t node, char *out, size_t size);

/* Kills a node, and starts it again with what its folder says of the cluster, and nothing in memory. */
void cluster_kill(struct cluster *cluster, size_t node);
void cluster_start_again(struct cluster *cluster, size_t node);

/* Waits until all that run agree that the cluster is well, and each of its replicas follows its primary. */
void cluster_settle(struct cluster *cluster);

/* Which node serves the key; waits until one does. */
size_t cluster_home_of(struct cluster *cluster, const char *key);
/* Flushes all primaries; and the slot of the key is on no way any more. */
void cluster_flush(struct cluster *cluster, const char *key);
/* A replica of that node; fails the test when there is none. */
size_t cluster_replica_of(struct cluster *cluster, size_t node);

/* The slot of the key leaves its home for the other node: begun, its keys moved (at most so many; how many are left is
 * returned), and ended: all nodes have heard of it then. */
void cluster_move_begin(struct cluster *cluster, const char *key, size_t from, size_t to);
long long cluster_move_keys(struct cluster *cluster, const char *key, size_t from, size_t to, int keys_max);
void cluster_move_key(struct cluster *cluster, const char *key, size_t from, size_t to);
void cluster_move_end(struct cluster *cluster, const char *key, size_t from, size_t to);
/* Begun, moved and ended at once. */
void cluster_move(struct cluster *cluster, const char *key, size_t to);

#endif
