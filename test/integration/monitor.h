/* SPDX-License-Identifier: MIT */
/* Which commands Redis was given between two moments. */
#ifndef NETRON_TEST_MONITOR_H
#define NETRON_TEST_MONITOR_H

#include "server.h"

#define MONITOR_COMMANDS_MAX 4096

struct monitor_command {
    char name[24];
    int words;     /* its name included */
    char last[24]; /* the last of them */
};

struct monitor {
    redisContext *context;
    int count;
    struct monitor_command commands[MONITOR_COMMANDS_MAX];
};

void monitor_begin(struct monitor *monitor, struct server *server);
void monitor_end(struct monitor *monitor, struct server *server);
/* How many there were of that name, of how many words the longest was, and all together. */
int monitor_count(const struct monitor *monitor, const char *name);
int monitor_longest(const struct monitor *monitor, const char *name);
int monitor_words(const struct monitor *monitor, const char *name);
/* Whether all of that name end with the word. */
bool monitor_all_end_with(const struct monitor *monitor, const char *name, const char *word);

#endif
