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
#define TIME_MAX_MS 240000 /* of the clock, in all; more shows nothing new */

static uint64_t began_at;

uint8_t input_byte(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

unsigned input_number(struct input *input)
{
    unsigned high = input_byte(input);
    return high << 8 | input_byte(input);
}

struct input input_slice(struct input *input, size_t length)
{
    size_t left = (size_t)(input->end - input->at);
    struct input slice = {input->at, input->at + (length < left ? length : left)};
    input->at = slice.end;
    return slice;
}

/* ---- steps ---- */

static const char *id_of(uint8_t number, char id[8])
{
    snprintf(id, 8, number & 0x80 ? "own%u" : "n%02u", number & 0x80 ? number % (unsigned)USER_IDS : number % 16u);
    return id;
}

/* No two registries have the same epoch: tags would be the same for different changes. */
static void flush_registry(void)
{
    char epoch[3] = {'e', (char)(registry.epoch[1] < 'z' ? registry.epoch[1] + 1 : 'z'), '\0'};
    if (strcmp(registry.epoch, epoch) != 0)
        registry_flush(epoch);
}

static void change_registry(struct input *input)
{
    char id[8];
    uint8_t what = input_byte(input);
    uint8_t number = input_byte(input);
    switch (what % 8) {
    case 0:
        registry_put(id_of(number, id), 1 + what);
        break;
    case 1:
        registry_remove(id_of(number, id));
        break;
    case 2:
        registry_garble(id_of(number, id));
        break;
    case 3:
        flush_registry();
        break;
    case 4:
        registry.floor = registry.revision;
        break;
    case 5:
        registry.page = number % 8;
        registry.delta_page = number / 8 % 8;
        break;
    case 6:
        registry.lies = number % 4;
        break;
    default:
        registry_put_with_ttl(id_of(number, id), 1 + what, 1000u * number);
        break;
    }
}

static void disturb(struct input *input)
{
    struct disturbance disturbance;
    disturbance.question = (enum server_question)(input_byte(input) % SERVER_QUESTIONS);
    uint8_t when = input_byte(input);
    disturbance.skip = when % 16u;
    disturbance.uses = 1 + (when >= 192 ? 4u * (when - 192u) : 0);
    disturbance.kind = (enum disturbance_kind)(input_byte(input) % DISTURBANCES);
    disturbance.bytes = input_slice(input, input_byte(input));
    server_disturb(&disturbance);
}

static void send_event(struct input *input)
{
    char id[8];
    uint8_t how = input_byte(input);
    const char *of = how % 3 == 2 ? NULL : id_of(input_byte(input), id);
    struct input bytes = {NULL, NULL};
    if (how % 3 != 0)
        bytes = input_slice(input, input_byte(input));
    server_send_event(bytes, how % 3 == 1, of);
}

static void stall_or_refuse(struct input *input)
{
    uint8_t how = input_byte(input);
    if (how < 128) /* the loop stands still, and all that is due comes late */
        sim.loop.now += how * 200u;
    else if (how < 192)
        sim.loop.fail_io_new = how % 4u;
    else
        sim.loop.fail_io_update = how % 4u;
}

static void reconcile_otherwise(struct input *input)
{
    static const long long numbers[] = {0, 5000, -1, 1, 100, INT64_MAX, INT64_MIN, 7};
    uint8_t how = input_byte(input);
    server_set_reconciled(numbers[how % 8], numbers[how / 8 % 8], how >> 6);
    server_set_unadopted(how & 32);
}

static void pass_time(uint64_t ms)
{
    if (sim.loop.now - began_at < TIME_MAX_MS)
        fake_loop_advance(&sim.loop, ms);
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
        pass_time(input_byte(input) * 4u);
        break;
    case 5:
        pass_time(input_byte(input) * 80u);
        break;
    case 6:
    case 7:
        disturb(input);
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
        change_registry(input);
        break;
    case 12:
        server_hang_up(input_byte(input));
        break;
    case 13:
        server_take_over(input_byte(input));
        break;
    case 14:
        if (input_byte(input) & 1)
            reconcile_otherwise(input);
        else
            stall_or_refuse(input);
        break;
    default:
        user_begin(input);
        break;
    }
    server_flush();
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
    began_at = sim.loop.now;
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

static bool contains(const uint8_t *data, size_t size, const char *text)
{
    return size > 0 && memmem(data, size, text, strlen(text)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    begin();
    user.says_secret = contains(data, size, SECRET);
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
