/* SPDX-License-Identifier: MIT */
/* A Redis that stands still for longer than every heartbeat lives, and goes on: nobody has died of it. */
#include "recorders.h"
#include "server.h"
#include "suite.h"
#include "world.h"
#include <signal.h>
#include <stdio.h>

#define NODES 8
#define TTL_MS 1000u

static struct server server;
static struct world world;

static bool is_fresh(netron_discovery *discovery)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(discovery, &status), 0);
    return status.state == NETRON_VIEW_FRESH && status.node_count == NODES;
}

static void enrol(netron_discovery *discovery, netron_registration **registrations)
{
    for (int i = 0; i < NODES; i++) {
        netron_service services[2];
        char id[16];
        snprintf(id, sizeof(id), "node-%d", i);
        const netron_node node = make_node(id, "10.0.0.1:80", services, "web", "1", NULL, NULL);
        ck_assert_int_eq(netron_register(discovery, &node, NULL, NULL, &registrations[i]), 0);
    }
}

static bool are_registered(netron_registration *const *registrations)
{
    for (int i = 0; i < NODES; i++)
        if (netron_registration_get_state(registrations[i]) != NETRON_REGISTERED)
            return false;
    return true;
}

/* The beats that had to wait stand in line with looks that were sent when nothing was amiss: what those then find
 * expired is alive. In the second case the connections are given up meanwhile. */
START_TEST(a_freeze_of_redis_kills_nobody)
{
    static struct event_recorder heard;
    static netron_registration *registrations[NODES];
    server_start(&server, NULL);
    world_open(&world);
    netron_options options = world_options(server.url);
    if (_i == 1)
        options.ping_interval_ms = options.command_timeout_ms = options.connect_timeout_ms = 500;
    netron_discovery *nodes = world_join(&world, &options);
    netron_discovery *watcher = world_join(&world, &options);
    enrol(nodes, registrations);
    ck_assert_int_eq(netron_subscribe_to_events(watcher, record_event, &heard, NULL), 0);
    AWAIT(&world, heard.synced == 1 && are_registered(registrations) && is_fresh(watcher));
    world_run(&world, TTL_MS + 300); /* from now on the watcher may judge a silence of a whole TTL */
    int before = heard.count;

    ck_assert_int_eq(kill(server.pid, SIGSTOP), 0);
    world_run(&world, 2 * TTL_MS);
    ck_assert_int_eq(kill(server.pid, SIGCONT), 0);
    world_run(&world, 500); /* what stood in line is through */
    AWAIT(&world, are_registered(registrations) && is_fresh(watcher));
    world_run(&world, 2 * TTL_MS); /* and nobody is told as dead later on */
    ck_assert_msg(heard.count == before, "told: %s", heard.events[heard.count - 1].text);
    ck_assert(is_fresh(watcher));

    netron_discovery_free(watcher);
    netron_discovery_free(nodes);
    world_close(&world);
    server_stop(&server);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("freeze");
    TCase *tcase = suite_case(suite, "freeze");
    tcase_add_loop_test(tcase, a_freeze_of_redis_kills_nobody, 0, 2);
    return suite_run(suite);
}
