/* SPDX-License-Identifier: MIT */
/*
 * A primary with two replicas, and three sentinels that watch them, on ports of their own of the loopback address, with
 * their files in a temporary folder. They die with the process that started them, and are ended by their pids.
 * NETRON_TEST_SERVER names the program, which is a sentinel, too.
 */
#ifndef NETRON_TEST_SENTINEL_SET_H
#define NETRON_TEST_SENTINEL_SET_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <sys/types.h>

#define SET_SIZE 3
#define SET_NAME "main" /* of the primary, as the sentinels know it */

struct set_member {
    pid_t pid; /* 0 while it does not run */
    unsigned port;
    unsigned tls_port; /* of what the library and the others use, when there are certificates; else 0 */
};

struct sentinel_set {
    char folder[64];
    char host[64]; /* by which they know each other: an address, or a name that resolves to one */
    struct set_member redis[SET_SIZE];
    struct set_member sentinel[SET_SIZE];
    const char *redis_password;    /* or NULL */
    const char *sentinel_password; /* or NULL */
    const char *certificates;      /* a folder with ca.crt, server.crt and server.key; NULL: without TLS */
    char url[256];                 /* redis+sentinel://..., or rediss+..., without any password */
};

/* host, passwords and certificates are set before. Waits until every sentinel knows all the others; the first Redis is
 * the primary. Fails the test when that cannot be. */
void sentinel_set_start(struct sentinel_set *set);
void sentinel_set_stop(struct sentinel_set *set);

/* SIGKILL, and wait; a killed one can be started again with its files. */
void set_member_kill(struct set_member *member);
void sentinel_set_revive(struct sentinel_set *set, struct set_member *member);
/* SIGSTOP and SIGCONT. */
void set_member_freeze(const struct set_member *member);
void set_member_thaw(const struct set_member *member);

/* Asks one of them, over a connection of the call's own. The caller frees the reply; NULL when there is none within a
 * second. */
redisReply *sentinel_set_ask(const struct sentinel_set *set, const struct set_member *member, const char *format, ...);
/* The answer as text; an integer as its digits; of an array, the first text. "" when there is none. Valid until the
 * next call. */
const char *sentinel_set_text(const struct sentinel_set *set, const struct set_member *member, const char *format, ...);

/* "master", "slave", or "". */
const char *sentinel_set_role(const struct sentinel_set *set, const struct set_member *member);
/* Which Redis the sentinel takes for the primary: its number; -1 for none of them. */
int sentinel_set_primary_of(const struct sentinel_set *set, int sentinel);
/* Whether the Redis of that number is the primary in the eyes of every running sentinel, and in its own. */
bool sentinel_set_is_primary(const struct sentinel_set *set, int number);

#endif
