/* SPDX-License-Identifier: MIT */
/* A stage with a network in it: the library reaches the server through the proxy, a watcher sees from beside it what
 * others see. */
#ifndef NETRON_TEST_NETWORK_H
#define NETRON_TEST_NETWORK_H

#include "proxy.h"
#include "stage.h"
#include <stdlib.h>

#define COMMANDS NETRON_LINK_COMMANDS
#define EVENTS NETRON_LINK_EVENTS
#define PING_MS 300u
#define BEAT_MS 200u
#define TTL_MS 2000u

static struct proxy proxy;
static struct state_recorder states;
static struct log_recorder log_lines;
/* What on_link told of the discovery behind the proxy. */
static struct link_recorder links;
static int ups[3], downs[3];
static struct {
    uint64_t at;
    int code;
    char sentence[512];
} down[3];                            /* the latest time */
static struct event_recorder heard;   /* behind the proxy */
static struct event_recorder watched; /* beside it */
static netron_discovery *watcher;

static inline void note_link(netron_discovery *from, netron_link_role role, int code, const char *sentence, void *arg)
{
    record_link(from, role, code, sentence, arg);
    if (code == 0) {
        ups[role]++;
        return;
    }
    downs[role]++;
    down[role].at = world_clock_ms();
    down[role].code = code;
    snprintf(down[role].sentence, sizeof(down[role].sentence), "%s", sentence);
}

static inline void open_network(void)
{
    proxy_start(&proxy, server.socket);
    open_world();
    options.url = proxy.url;
    options.heartbeat_interval_ms = BEAT_MS;
    options.heartbeat_ttl_ms = TTL_MS;
    options.ping_interval_ms = PING_MS;
    options.retry_delay_ms = 150; /* so that a reconnect is over before the last try */
    options.on_link = note_link;
    options.on_link_arg = &links;
    options.log = record_log;
    options.log_arg = &log_lines;
    watcher = NULL;
}

static inline void close_network(void)
{
    netron_discovery_free(watcher);
    close_world();
    proxy_stop(&proxy);
}

/* A node, and a subscription, both behind the proxy. */
static inline netron_registration *join(void)
{
    netron_registration *registration = begin_registered(&states);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &heard, NULL), 0);
    AWAIT(&world, links.is_up[COMMANDS] && links.is_up[EVENTS] && heard.synced == 1);
    return registration;
}

/* Somebody beside the proxy, who looks after the registry and knows node-1. */
static inline void watch(void)
{
    netron_options plain = world_options(server.url);
    plain.heartbeat_ttl_ms = options.heartbeat_ttl_ms;
    watcher = world_join(&world, &plain);
    ck_assert_int_eq(netron_subscribe_to_events(watcher, record_event, &watched, NULL), 0);
    AWAIT(&world, watched.synced == 1 && watched.count == 1);
}

/* Where everything is slow, by sanitizers or valgrind, what has an end in time has a later one. */
static inline uint64_t slack(uint64_t ms)
{
    const char *times = getenv("CK_TIMEOUT_MULTIPLIER");
    return ms * (times != NULL && atoi(times) > 0 ? (uint64_t)atoi(times) : 1);
}

static inline bool is_alive(const char *id)
{
    return server_integer(&server, "EXISTS " P ":heartbeat:%s", id) == 1;
}

static inline void assert_says(const char *sentence, const char *words)
{
    ck_assert_msg(strstr(sentence, words) != NULL, "\"%s\" does not say \"%s\"", sentence, words);
}

/* How many of the events are of that node; name with the blanks around it. */
static inline int told_of(const struct event_recorder *recorder, const char *name)
{
    int count = 0;
    for (int i = 0; i < recorder->count; i++)
        count += strstr(recorder->events[i].text, name) != NULL;
    return count;
}

/* Both links work: the node beats, and what happens is heard, once. */
static inline void assert_whole(void)
{
    static int number;
    char address[32];
    uint64_t enough = beats(discovery) + 2;
    netron_view_status status = {.size = sizeof(status)};
    AWAIT(&world, links.is_up[COMMANDS] && links.is_up[EVENTS] && latest_state(&states) == NETRON_REGISTERED);
    AWAIT(&world, netron_view_get_status(discovery, &status) == 0 && status.state == NETRON_VIEW_FRESH);
    int before = told_of(&heard, " another ");
    snprintf(address, sizeof(address), "10.9.9.9:%d", ++number);
    netron_registration *other = NULL;
    netron_node node = make_node("another", address, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(netron_register(discovery, &node, NULL, NULL, &other), 0);
    AWAIT(&world, told_of(&heard, " another ") > before && beats(discovery) >= enough);
    struct done_recorder done = {0};
    ck_assert_int_eq(netron_registration_deregister(other, record_done, &done), 0);
    AWAIT(&world, done.calls == 1 && told_of(&heard, " another ") > before + 1);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(told_of(&heard, " another "), before + 2);
    ck_assert_int_eq(latest_state(&states), NETRON_REGISTERED);
}

/* Of a link and of both; as loops of tests go through them. */
static const struct {
    unsigned links;
    bool is_hit[3];
} hits[] = {
    {PROXY_COMMANDS, {[COMMANDS] = true}},
    {PROXY_EVENTS, {[EVENTS] = true}},
    {PROXY_COMMANDS | PROXY_EVENTS, {[COMMANDS] = true, [EVENTS] = true}},
};

/* The links that are hit go down for that reason and come back, the others do not notice, and nor does anybody else. */
static inline void assert_hit(int which, int code, const char *words)
{
    for (int role = COMMANDS; role <= EVENTS; role++) {
        AWAIT(&world, !hits[which].is_hit[role] || downs[role] > 0);
        ck_assert_int_eq(downs[role], hits[which].is_hit[role]);
        if (!hits[which].is_hit[role])
            continue;
        ck_assert_int_eq(down[role].code, code);
        assert_says(down[role].sentence, words);
        AWAIT(&world, ups[role] == 2);
    }
}

static inline void assert_nobody_noticed(void)
{
    ck_assert_int_eq(states.count, 1);
    assert_whole();
    ck_assert_int_eq(told_of(&watched, " node-1 "), 1);
    ck_assert_int_eq(told_of(&heard, " node-1 "), 1);
}

#endif
