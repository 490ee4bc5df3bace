/* SPDX-License-Identifier: MIT */
/* The answers that the input spoils: which of them, and how. */
#include "client.h"

#define DISTURBANCES_MAX 16

static struct {
    struct disturbance all[DISTURBANCES_MAX];
    size_t count;
    /* Of the answer that was halved, what has not been sent. */
    struct peer *halved_peer; /* NULL: nothing */
    int halved_conn;
    char halved[ANSWER_SIZE];
    size_t halved_length;
    bool has_forged;
} disturbances;

void disturbances_clear(void)
{
    disturbances.count = 0;
}

void disturbances_begin(void)
{
    disturbances.count = 0;
    disturbances.halved_peer = NULL;
    disturbances.has_forged = false;
}

void disturbance_add(const struct disturbance *disturbance)
{
    if (disturbances.count < DISTURBANCES_MAX)
        disturbances.all[disturbances.count++] = *disturbance;
}

bool disturbance_take(enum server_question question, struct disturbance *out)
{
    for (size_t i = 0; i < disturbances.count; i++) {
        struct disturbance *each = &disturbances.all[i];
        if (each->question != QUESTION_ANY && each->question != question)
            continue;
        if (each->skip > 0) {
            each->skip--;
            continue;
        }
        *out = *each;
        if (--each->uses == 0)
            memmove(each, each + 1, (--disturbances.count - i) * sizeof(*each));
        return true;
    }
    return false;
}

void disturbance_forge(void)
{
    disturbances.has_forged = true;
}

bool disturbance_has_forged(void)
{
    return disturbances.has_forged;
}

/* ---- what becomes of the answer ---- */

static void echo(const struct peer_command *command, struct answer *answer)
{
    answer_clear(answer);
    answer_say(answer, "-ERR unknown command '%.64s', with args beginning with: ", peer_word(command, 0));
    for (size_t i = 1; i < peer_word_count(command) && i < 8; i++)
        answer_say(answer, "'%.64s' ", peer_word(command, i));
    answer_say(answer, "\r\n");
    for (size_t i = 0; i + 2 < answer->length; i++)
        if (answer->bytes[i] == '\r' || answer->bytes[i] == '\n')
            answer->bytes[i] = ' ';
}

static void set_answer(struct answer *answer, const uint8_t *bytes, size_t length)
{
    answer->length = length < sizeof(answer->bytes) ? length : sizeof(answer->bytes);
    memcpy(answer->bytes, bytes, answer->length);
}

static void halve(struct peer *peer, int conn, struct input bytes, struct answer *answer)
{
    size_t length = answer->length;
    disturbance_flush();
    answer->length = length > 0 ? input_number(&bytes) % length : 0;
    disturbances.halved_length = length - answer->length;
    memcpy(disturbances.halved, answer->bytes + answer->length, disturbances.halved_length);
    disturbances.halved_peer = peer;
    disturbances.halved_conn = conn;
}

void disturbance_apply(const struct disturbance *disturbance, struct peer *peer, const struct peer_command *command,
                       struct answer *answer)
{
    struct input bytes = disturbance->bytes;
    size_t length = answer->length;
    if (disturbance->kind != WITHHELD && disturbance->kind != CUT_OFF)
        disturbance_forge();
    switch (disturbance->kind) {
    case WITHHELD:
        answer_clear(answer);
        break;
    case INSTEAD:
        set_answer(answer, bytes.at, (size_t)(bytes.end - bytes.at));
        break;
    case HOSTILE:
        answer_clear(answer);
        answer_say(answer, "%s", hostile_answers[input_byte(&bytes) % hostile_answer_count]);
        break;
    case MUTATED:
        answer->length = mutate(answer->bytes, answer->length, sizeof(answer->bytes), bytes);
        break;
    case DOUBLED:
        if (2 * length < sizeof(answer->bytes))
            memcpy(answer->bytes + length, answer->bytes, length);
        answer->length = 2 * length < sizeof(answer->bytes) ? 2 * length : length;
        break;
    case ECHOED:
        echo(command, answer);
        break;
    case HALVED:
        halve(peer, command->conn, bytes, answer);
        break;
    default:
        break;
    }
}

/* ---- on the wire ---- */

bool conn_is_open(const struct peer *peer, int conn)
{
    return conn >= 0 && conn < peer->conn_count && peer->conns[conn] != -1;
}

void disturbance_flush(void)
{
    struct peer *peer = disturbances.halved_peer;
    if (peer != NULL && conn_is_open(peer, disturbances.halved_conn))
        peer_send(peer, disturbances.halved_conn, disturbances.halved, disturbances.halved_length);
    disturbances.halved_peer = NULL;
}

void disturbance_flush_before(const struct peer *peer, int conn)
{
    if (disturbances.halved_peer == peer && disturbances.halved_conn == conn)
        disturbance_flush();
}
