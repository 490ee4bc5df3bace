/* SPDX-License-Identifier: MIT */
/*
 * The input is a program: a byte that says what happens, and what belongs to it. After each step the loop turns until
 * nothing happens at this moment of its clock. At the end the server answers well for a while, if the first byte says
 * so, and everything has to be whole again; then all is freed, and nothing may be left.
 */
#include "client_user.h"

#define STEPS_MAX 256
#define CONNS_ENOUGH (PEER_CONNS_MAX - 64) /* a step cannot make so many */
#define HEALING_MS 60000

/* ---- steps ---- */

static void send_event(struct input *input)
{
    char id[8];
    uint8_t how = input_byte(input);
    const char *of = how % 3 == 2 ? NULL : program_id(input_byte(input), id);
    struct input bytes = {NULL, NULL};
    if (how % 3 != 0)
        bytes = input_slice(input, input_byte(input));
    server_send_event(bytes, how % 3 == 1, of);
}

static void reconcile_otherwise(struct input *input)
{
    static const long long numbers[] = {0, 5000, -1, 1, 100, INT64_MAX, INT64_MIN, 7};
    uint8_t how = input_byte(input);
    redis_set_reconciled(numbers[how % 8], numbers[how / 8 % 8], how >> 6);
    registry.unadopted = how & 32;
}

static void step(struct input *input)
{
    uint8_t what = input_byte(input) % 16;
    switch (what) {
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
        program_disturb(input, SERVER_QUESTIONS, DISTURBANCES);
        break;
    case 8:
        server_send(false, input_slice(input, input_byte(input)));
        break;
    case 9:
        server_send(true, input_slice(input, input_byte(input)));
        break;
    case 10:
        send_event(input);
        break;
    case 11:
        program_change_registry(input);
        break;
    case 12:
        server_hang_up(input_byte(input));
        break;
    case 13:
        redis_take_over(input_byte(input));
        break;
    case 14:
        if (input_byte(input) & 1)
            reconcile_otherwise(input);
        else
            program_stall_or_refuse(input);
        break;
    default:
        user_begin(input);
        break;
    }
    disturbance_flush();
    fake_loop_settle(&sim.loop);
}

/* ---- an execution ---- */

static void close_peer(void)
{
    peer_close(&sim.peer);
}

/* One listener serves all executions. */
static void begin(void)
{
    static bool has_peer;
    fake_loop_init(&sim.loop);
    if (!has_peer) {
        peer_open(&sim.peer, &sim.loop);
        atexit(close_peer);
        has_peer = true;
    }
    peer_renew(&sim.peer);
    program_begin();
    sim.discovery = NULL;
    memset(&user, 0, sizeof(user));
    server_begin();
}

static void heal(void)
{
    server_calm();
    user.plan.at = user.plan.end;
    for (unsigned passed = 0; passed < HEALING_MS; passed += 10000)
        fake_loop_advance(&sim.loop, 10000);
    user_expect_recovery();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    begin();
    user.says_secret = input_holds(input, SECRET);
    bool is_healing = (input_byte(&input) & 3) == 1;
    user_begin(&input);
    for (unsigned steps = 0; input.at < input.end && steps < STEPS_MAX && sim.peer.conn_count < CONNS_ENOUGH; steps++)
        step(&input);
    if (is_healing)
        heal();
    user_end();
    fake_loop_clear(&sim.loop);
    fake_loop_settle(&sim.loop);
    return 0;
}
