/* SPDX-License-Identifier: MIT */
/* The input as a program, and the steps that are the same whatever stands at the other end. */
#include "client.h"

#define TIME_MAX_MS 240000 /* of the clock, in all; more shows nothing new */

static uint64_t began_at;

void program_begin(void)
{
    began_at = sim.loop.now;
}

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

bool input_holds(struct input input, const char *text)
{
    return input.at < input.end && memmem(input.at, (size_t)(input.end - input.at), text, strlen(text)) != NULL;
}

/* ---- steps ---- */

const char *program_id(uint8_t number, char id[8])
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

void program_change_registry(struct input *input)
{
    char id[8];
    uint8_t what = input_byte(input);
    uint8_t number = input_byte(input);
    switch (what % 8) {
    case 0:
        registry_put(program_id(number, id), 1 + what);
        break;
    case 1:
        registry_remove(program_id(number, id));
        break;
    case 2:
        registry_garble(program_id(number, id));
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
        registry_put_with_ttl(program_id(number, id), 1 + what, 1000u * number);
        break;
    }
}

void program_disturb(struct input *input, unsigned questions, unsigned kinds)
{
    struct disturbance disturbance;
    disturbance.question = (enum server_question)(input_byte(input) % questions);
    uint8_t when = input_byte(input);
    disturbance.skip = when % 16u;
    disturbance.uses = 1 + (when >= 192 ? 4u * (when - 192u) : 0);
    disturbance.kind = (enum disturbance_kind)(input_byte(input) % kinds);
    disturbance.bytes = input_slice(input, input_byte(input));
    disturbance_add(&disturbance);
}

void program_stall_or_refuse(struct input *input)
{
    uint8_t how = input_byte(input);
    if (how < 128) /* the loop stands still, and all that is due comes late */
        sim.loop.now += how * 200u;
    else if (how < 192)
        sim.loop.fail_io_new = how % 4u;
    else
        sim.loop.fail_io_update = how % 4u;
}

void program_pass_time(uint64_t ms)
{
    if (sim.loop.now - began_at < TIME_MAX_MS)
        fake_loop_advance(&sim.loop, ms);
}
