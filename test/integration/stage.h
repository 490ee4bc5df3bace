/* SPDX-License-Identifier: MIT */
/* What most of these programs begin with: a server, shared or of the test's own, a loop, and a node on it. */
#ifndef NETRON_TEST_STAGE_H
#define NETRON_TEST_STAGE_H

#include "recorders.h"
#include "server.h"
#include "spy.h"
#include "suite.h"
#include "world.h"

#define P "netron:discovery"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct server server;
static struct world world;
static netron_options options;
static netron_discovery *discovery; /* made by the test, freed after it */

static inline void start_server(void)
{
    server_start(&server, NULL);
}

static inline void stop_server(void)
{
    server_stop(&server);
}

static inline void open_world(void)
{
    server_empty(&server);
    world_open(&world);
    options = world_options(server.url);
    discovery = NULL;
}

static inline void close_world(void)
{
    netron_discovery_free(discovery);
    world_close(&world);
    server_forget(&server);
}

/* For those that kill, stop or configure the server. */
static inline void open_alone(void)
{
    server_start(&server, NULL);
    open_world();
}

static inline void close_alone(void)
{
    close_world();
    server_stop(&server);
}

static inline netron_stats stats_of(const netron_discovery *of)
{
    netron_stats stats = {.size = sizeof(stats)};
    ck_assert_int_eq(netron_discovery_stats(of, &stats), 0);
    return stats;
}

/* A discovery that is connected: who registers before is told that there is no connection when that takes longer than
 * the tries, which are quick here. */
static inline netron_discovery *join_connected(void)
{
    netron_discovery *joined = world_join(&world, &options);
    AWAIT(&world, stats_of(joined).connects > 0);
    return joined;
}

/* A node with the services users 1.2.0 and mail. */
static inline netron_registration *begin(netron_discovery *owner, const char *id, struct state_recorder *states)
{
    netron_service services[2];
    netron_node node = make_node(id, "10.0.0.1:4000", services, "users", "1.2.0", "mail", NULL);
    netron_registration *registration = NULL;
    ck_assert_int_eq(netron_register(owner, &node, record_state, states, &registration), 0);
    return registration;
}

/* The usual beginning: node-1, registered. */
static inline netron_registration *begin_registered(struct state_recorder *states)
{
    discovery = join_connected();
    netron_registration *registration = begin(discovery, "node-1", states);
    AWAIT(&world, latest_state(states) == NETRON_REGISTERED);
    return registration;
}

static inline uint64_t beats(const netron_discovery *of)
{
    return stats_of(of).beats;
}

static inline uint64_t registers(const netron_discovery *of)
{
    return stats_of(of).registers;
}

static inline void assert_states(const struct state_recorder *states, int count,
                                 const netron_registration_state *expected)
{
    ck_assert_int_eq(states->count, count);
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(states->state[i], expected[i]);
}

#endif
