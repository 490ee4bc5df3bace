/* SPDX-License-Identifier: MIT */
#include "sentinel_stand.h"
#include <stdio.h>
#include <string.h>

#define QUESTION "SENTINEL GET-MASTER-ADDR-BY-NAME "

struct stand stand;

const char *stand_sentinel(struct peer *peer, const struct peer_command *command)
{
    int number = (int)(peer - stand.sentinel);
    char port[8];
    if (stand.is_silent[number])
        return "";
    if (peer_is(command, "PING"))
        return "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
    if (!peer_is(command, QUESTION))
        return peer_answer_well(peer, command);
    if (stand.answer[number] != NULL)
        return stand.answer[number];
    if (stand.named[number] < 0 || strcmp(command->text, QUESTION "main") != 0)
        return "*-1\r\n";
    snprintf(port, sizeof(port), "%u", stand.redis[stand.named[number]].port);
    return peer_say(peer, "*2\r\n$9\r\n127.0.0.1\r\n$%zu\r\n%s\r\n", strlen(port), port);
}

const char *stand_redis(struct peer *peer, const struct peer_command *command)
{
    if (peer_is(command, "ROLE") && stand.is_replica[peer - stand.redis])
        return "*5\r\n$5\r\nslave\r\n$8\r\n10.0.0.9\r\n:6379\r\n$9\r\nconnected\r\n:14\r\n";
    return peer_answer_well(peer, command);
}

void stand_open(void)
{
    memset(&stand, 0, sizeof(stand));
    for (int i = 0; i < STAND_REDISES; i++) {
        peer_open_beside(&stand.redis[i], &sim.peer);
        stand.redis[i].answer = stand_redis;
    }
    for (int i = 0; i < STAND_SENTINELS; i++) {
        peer_open_beside(&stand.sentinel[i], &sim.peer);
        stand.sentinel[i].answer = stand_sentinel;
    }
    snprintf(stand.url, sizeof(stand.url), "redis+sentinel://127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u/main",
             stand.sentinel[0].port, stand.sentinel[1].port, stand.sentinel[2].port);
    sim.options.url = stand.url;
}

void stand_close(void)
{
    sim.peer.next = NULL;
    for (int i = 0; i < STAND_REDISES; i++)
        peer_close(&stand.redis[i]);
    for (int i = 0; i < STAND_SENTINELS; i++)
        peer_close(&stand.sentinel[i]);
}

static void open_both(void)
{
    sim_open();
    stand_open();
}

static void close_both(void)
{
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
    stand_close();
    sim_close();
}

TCase *stand_case(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);
    tcase_add_checked_fixture(tcase, open_both, close_both);
    return tcase;
}

size_t stand_questions(int sentinel)
{
    return peer_count(&stand.sentinel[sentinel], QUESTION);
}

int stand_open_conns(const struct peer *peer)
{
    int count = 0;
    for (int i = 0; i < peer->conn_count; i++)
        count += peer->conns[i] != -1;
    return count;
}

void stand_tell(int sentinel, const char *payload)
{
    char message[512];
    struct peer *peer = &stand.sentinel[sentinel];
    int length = snprintf(message, sizeof(message), "*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$%zu\r\n%s\r\n",
                          strlen(payload), payload);
    for (int i = 0; i < peer->conn_count; i++)
        if (peer->conns[i] != -1)
            peer_send(peer, i, message, (size_t)length);
}

void stand_switch(int sentinel, const char *name, int redis)
{
    char payload[128];
    snprintf(payload, sizeof(payload), "%s 127.0.0.1 1 127.0.0.1 %u", name, stand.redis[redis].port);
    stand_tell(sentinel, payload);
}
