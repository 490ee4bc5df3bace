/* SPDX-License-Identifier: MIT */
/* A small fleet on a real cluster, for the tests of one: each member is a discovery with a view and a node of its own.
 */
#ifndef NETRON_TEST_CLUSTER_FLEET_H
#define NETRON_TEST_CLUSTER_FLEET_H

#include "recorders.h"
#include "redis_cluster.h"
#include "world.h"

#define FLEET_PREFIX "{netron:discovery}"
#define FLEET_KEY FLEET_PREFIX ":registry"
#define LEDGER_MAX 64

/* What the events of one member say, added up. */
struct ledger {
    struct {
        char id[32];
        char address[32];
    } node[LEDGER_MAX];
    size_t count;
    int events;
    int odd;     /* those that cannot follow what was told before: a loss, or a double */
    int expired; /* departures of nodes that were taken for dead */
};

struct member {
    netron_discovery *discovery;
    netron_registration *registration;
    char address[32]; /* that its node should have */
    unsigned changes;
    struct ledger ledger;
    struct state_recorder states;
    struct link_recorder links;
};

extern struct cluster cluster;
extern struct world world;

/* A checked fixture: a loop, and flushed primaries. */
void fleet_begin(void);
void fleet_end(void);

/* Quick beats, and a TTL of 2000 ms. */
netron_options fleet_options(const char *url);
/* Makes the discovery, with a subscription to the events. */
void fleet_open(struct member *member, const netron_options *options);
/* The same, and waits for the first picture. */
void fleet_join(struct member *member, const netron_options *options);
/* Registers its node, "node-<number>" with the service "chat", and waits until it is registered. */
void fleet_enrol(struct member *member, size_t number);
/* All of them: joined, and then each enrolled by its place. */
void fleet_gather(struct member *members, size_t count, const netron_options *options);
/* Gives its node another address. Does not wait. */
void fleet_change(struct member *member);
void fleet_free(struct member *member);

bool fleet_is_fresh(const struct member *member);
size_t fleet_view_count(const struct member *member);
/* How many nodes a lookup finds; it must not fail. */
size_t fleet_find(struct member *member, const char *service);

/* Waits until the registry holds these members' nodes as they want to be, and each member's view and events say just
 * that. */
void fleet_expect_exact(struct member *members, size_t count);
/* None was taken for dead, by others or by itself. */
void fleet_expect_nobody_lost(const struct member *members, size_t count);

#endif
