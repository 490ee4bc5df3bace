/* SPDX-License-Identifier: MIT */
#include "monitor.h"
#include <check.h>
#include <stdio.h>
#include <string.h>

#define LAST_WORD "the end of what is monitored"

void monitor_begin(struct monitor *monitor, struct server *server)
{
    monitor->count = 0;
    monitor->context = server_connect(server);
    ck_assert(monitor->context != NULL && monitor->context->err == 0);
    redisReply *reply = redisCommand(monitor->context, "MONITOR");
    ck_assert(reply != NULL && strcmp(reply->str, "OK") == 0);
    freeReplyObject(reply);
}

/* 1339518083.107412 [0 127.0.0.1:60866] "SCARD" "netron:discovery:index:nodes" */
static void note(struct monitor *monitor, const char *line)
{
    const char *name = strstr(line, "] \"");
    ck_assert_ptr_nonnull(name);
    ck_assert_int_lt(monitor->count, MONITOR_COMMANDS_MAX);
    name += 3;
    const char *last = name;
    int words = 1;
    for (const char *gap = strstr(name, "\" \""); gap != NULL; gap = strstr(gap + 1, "\" \"")) {
        words++;
        last = gap + 3;
    }
    struct monitor_command *command = &monitor->commands[monitor->count++];
    command->words = words;
    snprintf(command->name, sizeof(command->name), "%.*s", (int)strcspn(name, "\""), name);
    snprintf(command->last, sizeof(command->last), "%.*s", (int)strcspn(last, "\""), last);
}

void monitor_end(struct monitor *monitor, struct server *server)
{
    bool is_over = false;
    server_expect(server, LAST_WORD, "ECHO %s", LAST_WORD);
    while (!is_over) {
        void *reply = NULL;
        ck_assert_int_eq(redisGetReply(monitor->context, &reply), REDIS_OK);
        const char *line = ((const redisReply *)reply)->str;
        is_over = strstr(line, LAST_WORD) != NULL;
        if (!is_over)
            note(monitor, line);
        freeReplyObject(reply);
    }
    redisFree(monitor->context);
}

int monitor_count(const struct monitor *monitor, const char *name)
{
    int count = 0;
    for (int i = 0; i < monitor->count; i++)
        count += strcmp(monitor->commands[i].name, name) == 0;
    return count;
}

int monitor_longest(const struct monitor *monitor, const char *name)
{
    int longest = 0;
    for (int i = 0; i < monitor->count; i++)
        if (strcmp(monitor->commands[i].name, name) == 0 && monitor->commands[i].words > longest)
            longest = monitor->commands[i].words;
    return longest;
}

int monitor_words(const struct monitor *monitor, const char *name)
{
    int words = 0;
    for (int i = 0; i < monitor->count; i++)
        if (strcmp(monitor->commands[i].name, name) == 0)
            words += monitor->commands[i].words;
    return words;
}

bool monitor_all_end_with(const struct monitor *monitor, const char *name, const char *word)
{
    for (int i = 0; i < monitor->count; i++)
        if (strcmp(monitor->commands[i].name, name) == 0 && strcmp(monitor->commands[i].last, word) != 0)
            return false;
    return true;
}
