/* SPDX-License-Identifier: MIT */
/* What the small registry says to lookups. */
#include "registry.h"
#include <script_sources.h>
#include <string.h>

#define PREFIX "netron:discovery:"

static const struct registry_node *node_of(const char *id)
{
    for (size_t i = 0; i < registry.count; i++)
        if (registry.nodes[i].port > 0 && strcmp(registry.nodes[i].id, id) == 0)
            return &registry.nodes[i];
    return NULL;
}

static void answer_ids(struct answer *answer)
{
    answer_say(answer, "*2\r\n$1\r\n0\r\n*%zu\r\n", registry.count);
    for (size_t i = 0; i < registry.count; i++)
        answer_say_text(answer, registry.nodes[i].id);
}

static void answer_records(const struct peer_command *command, struct answer *answer)
{
    answer_say(answer, "*%zu\r\n", peer_word_count(command) - 2);
    for (size_t i = 2; i < peer_word_count(command); i++) {
        const struct registry_node *node = node_of(peer_word(command, i));
        if (node != NULL)
            answer_say_text(answer, registry_record(node));
        else
            answer_say(answer, "$-1\r\n");
    }
}

static void answer_heartbeats(const struct peer_command *command, struct answer *answer)
{
    answer_say(answer, "*%zu\r\n", peer_word_count(command) - 1);
    for (size_t i = 1; i < peer_word_count(command); i++) {
        const struct registry_node *node = node_of(peer_behind(peer_word(command, i), PREFIX "heartbeat:"));
        answer_say(answer, "%s",
                   node == NULL              ? "$-1\r\n"
                   : node->revision % 4 == 3 ? "$5\r\nother\r\n"
                                             : "$1\r\ni\r\n");
    }
}

static void answer_hash(const struct peer_command *command, struct answer *answer)
{
    const struct registry_node *node = node_of(peer_behind(peer_word(command, 1), PREFIX "nodes:"));
    if (node == NULL)
        answer_say(answer, "*3\r\n$-1\r\n$-1\r\n$-1\r\n");
    else
        answer_say(answer, "*3\r\n$8\r\n10.0.0.1\r\n$16\r\n[{\"name\":\"web\"}]\r\n$1\r\n5\r\n");
}

bool registry_answer_lookup(const struct peer_command *command, struct answer *answer)
{
    if (peer_is(command, "SCARD "))
        answer_say(answer, ":%zu\r\n", registry.count + registry.unadopted);
    else if (peer_is(command, "ZCARD "))
        answer_say(answer, ":%zu\r\n", registry.count);
    else if (peer_is(command, "SSCAN "))
        answer_ids(answer);
    else if (peer_is(command, "HMGET " PREFIX "records "))
        answer_records(command, answer);
    else if (peer_is(command, "HMGET " PREFIX "nodes:"))
        answer_hash(command, answer);
    else if (peer_is(command, "MGET "))
        answer_heartbeats(command, answer);
    else if (peer_is(command, "EXISTS "))
        answer_say(answer, ":%d\r\n", node_of(peer_behind(peer_word(command, 1), PREFIX "heartbeat:")) != NULL);
    else if (peer_is(command, "SCRIPT LOAD "))
        answer_say(answer, "$40\r\n%s\r\n", netron_script_source_sync.sha1);
    else
        return false;
    return true;
}
