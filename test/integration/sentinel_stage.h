/* SPDX-License-Identifier: MIT */
/* A set of Redis and sentinels for each test; on it a node, with a subscription of its own, and a watcher from beside.
 */
#ifndef NETRON_TEST_SENTINEL_STAGE_H
#define NETRON_TEST_SENTINEL_STAGE_H

#include "recorders.h"
#include "sentinel_set.h"
#include "spy.h"
#include "suite.h"
#include "world.h"
#include <stdio.h>
#include <string.h>

#define P "netron:discovery"
#define COMMANDS NETRON_LINK_COMMANDS
#define EVENTS NETRON_LINK_EVENTS
#define BEAT_MS 200u
#define FAILOVER_LIMIT_MS 60000u

static struct sentinel_set set;
static struct world world;
static netron_options options;
static netron_discovery *discovery; /* of node-1 */
static netron_discovery *watcher;
static struct state_recorder states;
static struct link_recorder links;
static struct log_recorder log_lines;
static struct event_recorder heard;   /* by the node */
static struct event_recorder watched; /* by the watcher */

/* Further nodes, each of a discovery of its own. */
#define FLEET_MAX 6
static struct {
    netron_discovery *discovery;
    netron_registration *registration;
    struct state_recorder states;
} fleet[FLEET_MAX];
static int fleet_size;

static inline void open_stage(void)
{
    sentinel_set_start(&set);
    world_open(&world);
    options = world_options(set.url);
    options.heartbeat_interval_ms = BEAT_MS;
    options.heartbeat_ttl_ms = 15000; /* a failover takes up to ten seconds, and nobody is to die of it */
    options.on_link = record_link;
    options.on_link_arg = &links;
    options.log = record_log;
    options.log_arg = &log_lines;
    discovery = watcher = NULL;
}

static inline void close_stage(void)
{
    netron_discovery_free(discovery);
    netron_discovery_free(watcher);
    for (int i = 0; i < fleet_size; i++)
        netron_discovery_free(fleet[i].discovery);
    world_close(&world);
    sentinel_set_stop(&set);
}

static inline TCase *sentinel_case(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);
    tcase_set_timeout(tcase, 150);
    tcase_add_checked_fixture(tcase, open_stage, close_stage);
    return tcase;
}

/* As AWAIT, for what the sentinels need their time for. */
#define AWAIT_LONG(condition)                                                                                          \
    do {                                                                                                               \
        uint64_t await_limit = world_clock_ms() + FAILOVER_LIMIT_MS;                                                   \
        while (!(condition)) {                                                                                         \
            ck_assert_msg(world_clock_ms() < await_limit, "waited in vain for: %s (commands: %s; events: %s)",         \
                          #condition, links.sentence[COMMANDS], links.sentence[EVENTS]);                               \
            world_turn(&world);                                                                                        \
        }                                                                                                              \
    } while (0)

static inline bool are_links_up(void)
{
    return links.is_up[COMMANDS] && links.is_up[EVENTS];
}

static inline uint64_t beats(void)
{
    netron_stats stats = {.size = sizeof(stats)};
    ck_assert_int_eq(netron_discovery_stats(discovery, &stats), 0);
    return stats.beats;
}

static inline void join(void)
{
    netron_service services[2];
    netron_node node = make_node("node-1", "10.0.0.1:4000", services, "users", "1.2.0", "mail", NULL);
    discovery = world_join(&world, &options);
    ck_assert_int_eq(netron_register(discovery, &node, record_state, &states, NULL), 0);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &heard, NULL), 0);
    AWAIT(&world, are_links_up() && latest_state(&states) == NETRON_REGISTERED && heard.synced == 1);
    netron_options plain = options;
    plain.on_link = NULL;
    plain.log = NULL;
    watcher = world_join(&world, &plain);
    ck_assert_int_eq(netron_subscribe_to_events(watcher, record_event, &watched, NULL), 0);
    AWAIT(&world, watched.synced == 1 && watched.count == 1);
}

static inline void enlarge_fleet(int count)
{
    netron_options plain = options;
    plain.on_link = NULL;
    plain.log = NULL;
    for (int i = 0; i < count; i++) {
        char id[32];
        int number = fleet_size++;
        snprintf(id, sizeof(id), "fleet-%d", number);
        netron_node node = make_node(id, "10.0.1.1:80", NULL, NULL, NULL, NULL, NULL);
        fleet[number].discovery = world_join(&world, &plain);
        ck_assert_int_eq(netron_register(fleet[number].discovery, &node, record_state, &fleet[number].states,
                                         &fleet[number].registration),
                         0);
        AWAIT(&world, latest_state(&fleet[number].states) == NETRON_REGISTERED);
    }
}

/* What the Redis of that number says. */
#define on_primary(number, ...) sentinel_set_text(&set, &set.redis[number], __VA_ARGS__)

/* How many clients the library has there. */
static inline int clients_of(int number)
{
    int count = 0;
    const char *list = on_primary(number, "CLIENT LIST");
    for (const char *at = list; (at = strstr(at, " name=netron ")) != NULL; at++)
        count++;
    return count;
}

/* The number of the Redis that is the primary instead of that one. */
static inline int await_failover(int old)
{
    int primary = old;
    AWAIT_LONG((primary = sentinel_set_primary_of(&set, 0)) != old && primary >= 0 &&
               sentinel_set_is_primary(&set, primary));
    return primary;
}

static inline bool digest_is_exact(int primary)
{
    unsigned long long sum = 0;
    char expected[13];
    redisReply *reply = sentinel_set_ask(&set, &set.redis[primary], "HVALS " P ":records");
    for (size_t i = 0; reply != NULL && i < reply->elements; i++) {
        unsigned long long tag = 0;
        if (sscanf(reply->element[i]->str, "%*u %12llx ", &tag) == 1)
            sum += tag;
    }
    freeReplyObject(reply);
    snprintf(expected, sizeof(expected), "%012llx", sum & 0xffffffffffffULL);
    return strcmp(on_primary(primary, "HGET " P ":registry digest"), expected) == 0;
}

static inline bool is_fresh(const netron_discovery *of, size_t nodes)
{
    netron_view_status status = {.size = sizeof(status)};
    return netron_view_get_status(of, &status) == 0 && status.state == NETRON_VIEW_FRESH && status.node_count == nodes;
}

/* Nobody that stayed was told as gone. */
static inline void assert_no_departure(void)
{
    for (int i = 0; i < watched.count; i++)
        ck_assert_msg(strncmp(watched.events[i].text, "NODE_DEREGISTERED ", 18) != 0 ||
                          strncmp(watched.events[i].text + 18, "other-", 6) == 0,
                      "told: %s", watched.events[i].text);
}

/* The same, and nothing was told twice, or to one of them only. */
static inline void assert_nothing_told(void)
{
    assert_no_departure();
    ck_assert_int_eq(heard.count, watched.count);
}

/* Both links of both discoveries are at that Redis, the node beats there, and what happens is heard, once. */
static inline void assert_whole(int primary)
{
    static int number;
    size_t nodes = 1 + (size_t)fleet_size;
    AWAIT_LONG(are_links_up() && clients_of(primary) == 4 + fleet_size);
    uint64_t enough = beats() + 2;
    AWAIT_LONG(beats() >= enough && is_fresh(discovery, nodes) && is_fresh(watcher, nodes));
    ck_assert_str_eq(on_primary(primary, "EXISTS " P ":heartbeat:node-1"), "1");
    int before = watched.count;
    char id[32];
    snprintf(id, sizeof(id), "other-%d", ++number);
    netron_node node = make_node(id, "10.0.0.2:4000", NULL, NULL, NULL, NULL, NULL);
    netron_registration *other = NULL;
    ck_assert_int_eq(netron_register(discovery, &node, NULL, NULL, &other), 0);
    AWAIT(&world, watched.count == before + 1 && is_fresh(watcher, nodes + 1));
    struct done_recorder done = {0};
    ck_assert_int_eq(netron_registration_deregister(other, record_done, &done), 0);
    AWAIT(&world, done.calls == 1 && watched.count == before + 2 && is_fresh(discovery, nodes));
    ck_assert_int_eq(done.code, 0);
    ck_assert(digest_is_exact(primary));
}

#endif
