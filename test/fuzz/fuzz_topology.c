/* SPDX-License-Identifier: MIT */
/*
 * A whole client that has to find its server: by sentinels, or in a cluster, as the first byte says. The input is a
 * program as that of fuzz_client.c, in which the servers contradict each other, send the client to and fro, and come
 * and go. At the end they answer well for a while, if the first byte says so, and everything has to be whole again;
 * then all is freed, and nothing may be left. All the time nobody is asked more often than the waits between tries
 * allow.
 */
#include "client_user.h"
#include "topology_server.h"

#define STEPS_MAX 256
#define HEALING_MS 90000
#define SLICE_MS 10000
#define TRIES_AT_ONCE 48u  /* to connect: what follows from one step, whatever it is */
#define TRIES_WHEN_WELL 3u /* in a slice of time, when all was well for a while */

/* While nothing is well each link tries after half of reconnect_max_ms, on the average, and each time three sentinels
 * or nodes are asked before the server; and beside that the nodes of a cluster are watched. */
static void expect_patience(unsigned before, uint64_t ms)
{
    unsigned tries = sim.loop.watches - before;
    unsigned a_second = sim.options.reconnect_max_ms > 0 ? 16 : 8;
    FUZZ_EXPECT(tries <= TRIES_AT_ONCE + a_second * ms / 1000, "%u tries to connect within %u ms", tries, (unsigned)ms);
}

static void send_or_announce(struct input *input)
{
    uint8_t how = input_byte(input);
    uint8_t what = input_byte(input);
    struct input bytes = input_slice(input, how / 2u);
    if (how & 1)
        topology_announce(what, bytes);
    else
        topology_send(what, bytes);
}

static void step(struct input *input)
{
    switch (input_byte(input) % 16) {
    case 0:
    case 1:
    case 2:
        user_act(input);
        break;
    case 3:
        user_plan(input_slice(input, input_byte(input) % 64u));
        break;
    case 4:
        program_pass_time(input_byte(input) * 4u);
        break;
    case 5:
        program_pass_time(input_byte(input) * 80u);
        break;
    case 6:
    case 7:
    case 8:
        program_disturb(input, TOPOLOGY_QUESTIONS, TOPOLOGY_DISTURBANCES);
        break;
    case 9:
        send_or_announce(input);
        break;
    case 10:
        topology_switch(input_byte(input));
        break;
    case 11:
        program_change_registry(input);
        break;
    case 12:
        topology_go_away(input_byte(input));
        break;
    case 13:
        redis_take_over(input_byte(input));
        break;
    case 14:
        program_stall_or_refuse(input);
        break;
    default:
        user_begin(input);
        break;
    }
    disturbance_flush();
    fake_loop_settle(&sim.loop);
}

static netron_stats get_stats(void)
{
    netron_stats stats = {.size = sizeof(stats)};
    if (user_exists())
        netron_discovery_stats(user.discovery, &stats);
    return stats;
}

static void heal(void)
{
    unsigned tries = 0;
    netron_stats before = {0};
    server_calm();
    user.plan.at = user.plan.end;
    for (unsigned passed = 0; passed < HEALING_MS; passed += SLICE_MS) {
        before = get_stats();
        tries = sim.loop.watches;
        fake_loop_advance(&sim.loop, SLICE_MS);
        expect_patience(tries, SLICE_MS);
    }
    netron_stats after = get_stats();
    tries = sim.loop.watches - tries;
    FUZZ_EXPECT(tries <= TRIES_WHEN_WELL, "%u tries to connect, when all was well", tries);
    /* Every tenth beat is a register. */
    FUZZ_EXPECT(after.nodes_registered == 0 || after.beats + after.registers > before.beats + before.registers,
                "nobody's heart beats");
    user_expect_recovery();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    uint8_t how = input_byte(&input);
    fake_loop_init(&sim.loop);
    program_begin();
    sim.discovery = NULL;
    memset(&user, 0, sizeof(user));
    user.says_secret = input_holds(input, SECRET);
    topology_open((how & 1) != 0);
    user_begin(&input);
    for (unsigned steps = 0; input.at < input.end && steps < STEPS_MAX && topology_has_room(); steps++) {
        unsigned before = sim.loop.watches;
        uint64_t began_at = sim.loop.now;
        step(&input);
        expect_patience(before, sim.loop.now - began_at);
    }
    if ((how & 6) == 2)
        heal();
    user_end();
    fake_loop_clear(&sim.loop);
    fake_loop_settle(&sim.loop);
    return 0;
}
