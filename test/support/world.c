/* SPDX-License-Identifier: MIT */
#include "world.h"
#include <time.h>

#define TICK_MS 3

static void on_tick(evutil_socket_t none, short what, void *arg)
{
    (void)none;
    (void)what;
    (void)arg;
}

void world_open(struct world *world)
{
    const struct timeval period = {0, TICK_MS * 1000};
    world->base = event_base_new();
    ck_assert_ptr_nonnull(world->base);
    world->tick = event_new(world->base, -1, EV_PERSIST, on_tick, NULL);
    ck_assert_int_eq(event_add(world->tick, &period), 0);
}

void world_close(struct world *world)
{
    event_free(world->tick);
    event_base_free(world->base);
}

void world_turn(struct world *world)
{
    event_base_loop(world->base, EVLOOP_ONCE);
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
    ck_assert_int_eq(netron_discovery_new(world->base, options, &discovery), 0);
    return discovery;
}
