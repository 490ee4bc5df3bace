/* SPDX-License-Identifier: MIT */
#include "world.h"
#include <time.h>

#define TICK_MS 3

void world_open(struct world *world)
{
    *world = (struct world){.reactor = reactor_new()};
}

void world_close(struct world *world)
{
    reactor_free(world->reactor);
}

void world_turn(struct world *world)
{
    if (world->other_end != NULL)
        world->other_end(world->other_end_arg);
    reactor_turn(world->reactor, TICK_MS);
}

void world_run(struct world *world, unsigned ms)
{
    uint64_t end = world_clock_ms() + ms;
    while (world_clock_ms() < end)
        world_turn(world);
}

uint64_t world_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

netron_options world_options(const char *url)
{
    netron_options options;
    netron_options_init(&options);
    options.url = url;
    options.heartbeat_interval_ms = 100;
    options.heartbeat_ttl_ms = 1000;
    options.retry_delay_ms = 20;
    options.reconnect_max_ms = 200;
    options.pubsub_enabled = 1;
    return options;
}

netron_discovery *world_join(struct world *world, const netron_options *options)
{
    netron_discovery *discovery = NULL;
    ck_assert_int_eq(reactor_discovery_new(world->reactor, options, &discovery), 0);
    return discovery;
}
