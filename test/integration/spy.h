/* SPDX-License-Identifier: MIT */
/*
 * A connection of the test's own that listens: MONITOR, SUBSCRIBE or SSUBSCRIBE. What it hears is collected up to a
 * mark, so that "nothing was sent" can be told without waiting.
 */
#ifndef NETRON_TEST_SPY_H
#define NETRON_TEST_SPY_H

#include "server.h"
#include <check.h>
#include <stdio.h>
#include <string.h>

#define SPY_LINES_MAX 512

struct spy {
    redisContext *context;
    struct server *server;
    bool subscribes;
    int count;
    char line[SPY_LINES_MAX][768]; /* the command with its words in quotes, or the message; cut when longer */
};

static inline void spy_open(struct spy *spy, struct server *watched, const char *command, const char *channel)
{
    spy->server = watched;
    spy->subscribes = channel != NULL;
    spy->count = 0;
    spy->context = server_connect(watched);
    ck_assert_msg(spy->context != NULL && spy->context->err == 0, "the spy cannot connect");
    const char *words[] = {command, channel};
    redisReply *reply = redisCommandArgv(spy->context, channel != NULL ? 2 : 1, words, NULL);
    ck_assert_msg(reply != NULL && reply->type != REDIS_REPLY_ERROR, "the spy may not listen");
    freeReplyObject(reply);
}

static inline void spy_watch_commands(struct spy *spy, struct server *watched)
{
    spy_open(spy, watched, "MONITOR", NULL);
}

static inline void spy_watch_events(struct spy *spy, struct server *watched)
{
    spy_open(spy, watched, "SUBSCRIBE", "netron:discovery:events");
}

static inline void spy_watch_shard(struct spy *spy, struct server *watched, const char *channel)
{
    spy_open(spy, watched, "SSUBSCRIBE", channel);
}

static inline void spy_close(struct spy *spy)
{
    redisFree(spy->context);
    spy->context = NULL;
}

static inline void spy_note(struct spy *spy, const char *text)
{
    ck_assert_int_lt(spy->count, SPY_LINES_MAX);
    snprintf(spy->line[spy->count++], sizeof(spy->line[0]), "%s", text);
}

/* The next thing heard; false when it was the mark. */
static inline bool spy_hear(struct spy *spy)
{
    void *answer = NULL;
    ck_assert_msg(redisGetReply(spy->context, &answer) == REDIS_OK, "the spy lost its connection");
    redisReply *reply = answer;
    const char *text = reply->type == REDIS_REPLY_ARRAY ? reply->element[reply->elements - 1]->str : reply->str;
    bool is_mark = spy->subscribes ? strcmp(reply->element[0]->str, "pong") == 0 : strstr(text, "\"spy-mark\"") != NULL;
    /* A script's own calls are shown as well, as coming from lua. */
    if (!is_mark && (spy->subscribes || strstr(text, " lua] ") == NULL))
        spy_note(spy, spy->subscribes ? text : strstr(text, "] \"") + 2);
    freeReplyObject(reply);
    return !is_mark;
}

/* Collects all that was said until now. */
static inline void spy_collect(struct spy *spy)
{
    if (spy->subscribes)
        redisAppendCommand(spy->context, "PING");
    else
        server_expect(spy->server, "spy-mark", "ECHO spy-mark");
    while (spy_hear(spy))
        ;
}

/* How many of the lines that were collected so far hold the text. */
static inline int spy_heard(const struct spy *spy, const char *text)
{
    int count = 0;
    for (int i = 0; i < spy->count; i++)
        count += strstr(spy->line[i], text) != NULL;
    return count;
}

/* The same, collecting first. */
static inline int spy_count(struct spy *spy, const char *text)
{
    spy_collect(spy);
    return spy_heard(spy, text);
}

/* Collects and forgets. */
static inline void spy_clear(struct spy *spy)
{
    spy_collect(spy);
    spy->count = 0;
}

/* ---- asking about the registry under the default prefix ---- */

/* How many clients the library has there: its connections are named "netron". */
static inline int count_clients(struct server *watched)
{
    int count = 0;
    redisReply *reply = server_ask(watched, "CLIENT LIST");
    for (const char *at = reply->str; (at = strstr(at, " name=netron ")) != NULL; at++)
        count++;
    freeReplyObject(reply);
    return count;
}

/* An empty server without anybody's command still on its way: the connections of an earlier test are gone. */
static inline void server_empty(struct server *watched)
{
    for (bool is_alone = false; !is_alone;) {
        redisReply *reply = server_ask(watched, "CLIENT LIST");
        is_alone = strchr(reply->str, '\n') == strrchr(reply->str, '\n');
        freeReplyObject(reply);
    }
    server_expect(watched, "OK", "FLUSHALL");
}

/* The sum of the tags of all records, modulo 2^48, as the registry's digest should be. */
static inline void sum_of_tags(struct server *watched, char out[13])
{
    unsigned long long sum = 0;
    redisReply *reply = server_ask(watched, "HVALS netron:discovery:records");
    for (size_t i = 0; i < reply->elements; i++) {
        unsigned long long tag = 0;
        if (sscanf(reply->element[i]->str, "%*u %12llx ", &tag) == 1)
            sum += tag;
    }
    freeReplyObject(reply);
    snprintf(out, 13, "%012llx", sum & 0xffffffffffffULL);
}

static inline bool digest_is_right(struct server *watched)
{
    char expected[13];
    char digest[64];
    sum_of_tags(watched, expected);
    server_text(watched, digest, sizeof(digest), "HGET netron:discovery:registry digest");
    return strcmp(digest, expected) == 0;
}

static inline bool text_is(struct server *watched, const char *expected, const char *format, const char *argument)
{
    char text[1024];
    return server_text(watched, text, sizeof(text), format, argument) && strcmp(text, expected) == 0;
}

#endif
