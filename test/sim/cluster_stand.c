/* SPDX-License-Identifier: MIT */
#include "cluster_stand.h"
#include <stdio.h>
#include <string.h>

struct peer node[NODES];
struct cluster_node_says says[NODES];
int primary;
static char url[96];

static const char *answer(struct peer *peer, const struct peer_command *command)
{
    size_t number = (size_t)(peer - node);
    if (says[number].is_silent)
        return "";
    if (peer_is(command, "CLUSTER SLOTS"))
        return says[number].slots != NULL
                   ? says[number].slots
                   : peer_say(peer, "*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:%u\r\n$1\r\nx\r\n",
                              node[primary].port);
    if (peer_is(command, "SSUBSCRIBE ")) /* as before Redis 7 */
        return "-ERR unknown command 'SSUBSCRIBE', with args beginning with: \r\n";
    if (peer_is_sync(command))
        return "*4\r\n$4\r\nfull\r\n$0\r\n\r\n:0\r\n$12\r\n000000000000\r\n";
    if (says[number].hello != NULL && peer_is(command, "HELLO"))
        return says[number].hello;
    if (peer_is(command, "ASKING"))
        return "+OK\r\n";
    if (peer_is_register(command)) { /* EVALSHA sha1 5 and the keys, id, incarnation */
        snprintf(peer->incarnation, sizeof(peer->incarnation), "%s", peer_word(command, 9));
        snprintf(node[1 - number].incarnation, sizeof(peer->incarnation), "%s", peer->incarnation);
        node[0].has_node = node[1].has_node = true;
        return "*2\r\n$10\r\nregistered\r\n:1\r\n";
    }
    if (says[number].beat != NULL && (peer_is(command, "GETEX ") || peer_is(command, "GET ")))
        return says[number].beat;
    return peer_answer_well(peer, command);
}

void cluster_stand_open(void)
{
    memset(says, 0, sizeof(says));
    primary = 0;
    for (size_t i = 0; i < NODES; i++) {
        peer_open_beside(&node[i], &sim.peer);
        node[i].answer = answer;
    }
    snprintf(url, sizeof(url), "redis+cluster://127.0.0.1:%u,127.0.0.1:%u", node[0].port, node[1].port);
    sim.options.url = url;
    sim.options.key_prefix = "{netron:discovery}";
}

void cluster_stand_close(void)
{
    sim.peer.next = NULL;
    for (size_t i = 0; i < NODES; i++)
        peer_close(&node[i]);
}

static void open_both(void)
{
    sim_open();
    cluster_stand_open();
}

static void close_both(void)
{
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
    cluster_stand_close();
    sim_close();
}

TCase *cluster_stand_case(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);
    tcase_add_checked_fixture(tcase, open_both, close_both);
    return tcase;
}

size_t cluster_stand_questions(void)
{
    return peer_count(&node[0], "CLUSTER SLOTS") + peer_count(&node[1], "CLUSTER SLOTS");
}

const char *redirection(char *text, size_t size, const char *word, size_t to)
{
    snprintf(text, size, "-%s %d 127.0.0.1:%u\r\n", word, SLOT, node[to].port);
    return text;
}
