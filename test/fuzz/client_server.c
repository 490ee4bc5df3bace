/* SPDX-License-Identifier: MIT */
/* The one server of a fuzzed client: it answers as a registry does, but where the input disturbs it. */
#include "client_user.h"

static struct {
    int events_conn; /* -1: none has subscribed */
    int commands_conn;
} server;

static struct answer answer;

static const char *server_answer(struct peer *peer, const struct peer_command *command)
{
    struct disturbance disturbance = {.kind = DISTURBANCES};
    enum server_question question = redis_question(command);
    peer->command_count = 0; /* nobody asks for them later */
    redis_watch(command);
    disturbance_flush_before(peer, command->conn);
    if (question == QUESTION_SUBSCRIBE)
        server.events_conn = command->conn;
    else if (question != QUESTION_PING && question != QUESTION_GREETING)
        server.commands_conn = command->conn;
    redis_answer(peer, command, command->conn == server.events_conn, &answer);
    if (disturbance_take(question, &disturbance))
        disturbance_apply(&disturbance, peer, command, &answer);
    peer_send(peer, command->conn, answer.bytes, answer.length);
    if (disturbance.kind == CUT_OFF)
        peer_hang_up(peer, command->conn);
    return "";
}

void server_calm(void)
{
    disturbances_clear();
    redis_calm();
    if (sim.peer.listener == -1)
        peer_listen(&sim.peer);
    disturbance_flush();
}

void server_begin(void)
{
    server.events_conn = server.commands_conn = -1;
    disturbances_begin();
    redis_begin();
    server_calm();
    sim.peer.answer = server_answer;
}

void server_set_place(uint8_t flags, char url[URL_SIZE])
{
    snprintf(url, URL_SIZE, "unix://%s%s%s", flags & 1 ? "u:" SECRET "@" : "", sim.peer.path, flags & 2 ? "?db=3" : "");
}

/* ---- unasked ---- */

void server_send(bool to_events, struct input bytes)
{
    int conn = to_events ? server.events_conn : server.commands_conn;
    disturbance_forge();
    if (conn_is_open(&sim.peer, conn))
        peer_send(&sim.peer, conn, (const char *)bytes.at, (size_t)(bytes.end - bytes.at));
}

/* Its events say what its record does not. */
static bool is_garbage(const char *id)
{
    for (size_t i = 0; i < registry.count; i++)
        if (strcmp(registry.nodes[i].id, id) == 0)
            return registry.nodes[i].is_garbage;
    return false;
}

/* The event of an id's latest change, as it is or edited; without an id the bytes are the message. */
void server_send_event(struct input bytes, bool is_mutated, const char *id)
{
    char payload[4096];
    size_t length = (size_t)(bytes.end - bytes.at);
    if (id != NULL) {
        const char *event = registry_event(id);
        length = strlen(event);
        memcpy(payload, event, length);
    } else {
        length = length < sizeof(payload) ? length : sizeof(payload);
        memcpy(payload, bytes.at, length);
    }
    if (is_mutated)
        length = mutate(payload, length, sizeof(payload), bytes);
    if (is_mutated || id == NULL || is_garbage(id))
        disturbance_forge();
    if (!conn_is_open(&sim.peer, server.events_conn))
        return;
    answer_clear(&answer);
    answer_say(&answer, "*3\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n$%zu\r\n", length);
    peer_send(&sim.peer, server.events_conn, answer.bytes, answer.length);
    peer_send(&sim.peer, server.events_conn, payload, length);
    peer_send(&sim.peer, server.events_conn, "\r\n", 2);
}

void server_hang_up(unsigned which)
{
    if (which % 4 == 0)
        peer_hang_up_all(&sim.peer);
    else if (which % 4 == 1 && conn_is_open(&sim.peer, server.commands_conn))
        peer_hang_up(&sim.peer, server.commands_conn);
    else if (which % 4 == 2 && conn_is_open(&sim.peer, server.events_conn))
        peer_hang_up(&sim.peer, server.events_conn);
    else if (which % 4 == 3 && sim.peer.listener != -1)
        peer_stop_listening(&sim.peer);
    else if (which % 4 == 3)
        peer_listen(&sim.peer);
}
