/* SPDX-License-Identifier: MIT */
/* The looks of a janitor as they came to the scripted peer: when, and what they said. */
#ifndef NETRON_TEST_LOOKS_H
#define NETRON_TEST_LOOKS_H

#include "registry.h"
#include <stdio.h>
#include <string.h>

#define TTL_DEFAULT 15000u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* What an answer ends with: not judged, time, and no word of epoch and revision. */
#define TAIL(unjudged) ":" unjudged "\r\n$1\r\n0\r\n:0\r\n:0\r\n"
#define NOTHING_DUE "*9\r\n:-1\r\n:0\r\n:0\r\n:0\r\n:0\r\n" TAIL("0")

static inline size_t looks(void)
{
    size_t count = 0;
    for (size_t i = 0; i < sim.peer.command_count; i++)
        count += peer_is_reconcile(&sim.peer.commands[i]);
    return count;
}

/* Of that position; negative: from the end. */
static inline const struct peer_command *look(int position)
{
    if (position < 0)
        position += (int)looks();
    for (size_t i = 0; i < sim.peer.command_count; i++)
        if (peer_is_reconcile(&sim.peer.commands[i]) && position-- == 0)
            return &sim.peer.commands[i];
    ck_abort_msg("there was no such look");
    return NULL;
}

static inline const char *behind_words(const char *text, int words)
{
    for (; words > 0; words--) {
        text = strchr(text, ' ');
        if (text == NULL)
            return "";
        text++;
    }
    return text;
}

/* "page channel connected floor share window expected doubted id ..."; expected and doubted may be empty */
static inline const char *arguments_of(const struct peer_command *command)
{
    return behind_words(command->text, 4);
}

static inline const char *ids_of(const struct peer_command *command)
{
    return behind_words(command->text, 12);
}

/* How often any look asked about that id. */
static inline size_t asked_about(const char *id)
{
    size_t count = 0;
    char words[1100], word[32];
    snprintf(word, sizeof(word), " %s ", id);
    for (size_t i = 0; i < sim.peer.command_count; i++) {
        if (!peer_is_reconcile(&sim.peer.commands[i]))
            continue;
        snprintf(words, sizeof(words), " %s ", ids_of(&sim.peer.commands[i]));
        count += strstr(words, word) != NULL;
    }
    return count;
}

/* For how long it says that it has been connected, and what time it expects. */
static inline uint64_t said_connected(const struct peer_command *command)
{
    const char *arguments = arguments_of(command);
    unsigned long long connected = 0;
    ck_assert_msg(sscanf(arguments, "128 netron:discovery:events %llu 5 15 15000 ", &connected) == 1, "%s", arguments);
    return connected;
}

static inline uint64_t said_expected(const struct peer_command *command)
{
    unsigned long long expected = 0;
    sscanf(behind_words(command->text, 10), "%llu", &expected);
    return expected;
}

/* An answer that does not come yet: registry.interrupt. */
static inline const char *hold_back(enum registry_question question, size_t number)
{
    (void)number;
    return question == ASKED_RECONCILE ? "" : NULL;
}

#endif
