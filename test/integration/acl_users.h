/* SPDX-License-Identifier: MIT */
/* The users of README.md: its ACL SETUSER lines as they stand there, and what a server's ACL refused one of them. */
#ifndef NETRON_TEST_ACL_USERS_H
#define NETRON_TEST_ACL_USERS_H

#include "server.h"

#define ACL_USERS_MAX 16
#define ACL_RULES_MAX 64
#define ACL_COMMANDS_MAX 32

/* A line, without "redis-cli ... ACL SETUSER": the user's name and the rules, of which the first `fixed` grant nothing.
 */
struct acl_user {
    char name[32];
    bool has_port; /* its line says at which, as those at sentinels do */
    int count;
    int fixed;
    char rules[ACL_RULES_MAX][48];
};

struct acl_readme {
    int count;
    struct acl_user users[ACL_USERS_MAX];
    int command_count; /* of the block that says what an operator can do */
    char commands[ACL_COMMANDS_MAX][96];
};

/* Reads the file that NETRON_TEST_README names; ends the program when there is none. */
void acl_read(struct acl_readme *readme);
const struct acl_user *acl_find(const struct acl_readme *readme, const char *name);
/* The line that grants it more, for a cluster. */
const struct acl_user *acl_find_further(const struct acl_readme *readme, const char *name);
void acl_add(struct acl_user *user, const char *rule);
bool acl_has(const struct acl_user *user, const char *rule);

/* Makes the user, but for the rule of that number (negative: with all of them). Returns what the server says. */
const char *acl_make(struct server *server, const struct acl_user *user, int without);
const char *acl_make_at(redisContext *context, const struct acl_user *user, int without);

/* Whether the server has refused the user what the rule grants. */
bool acl_refused(struct server *server, const struct acl_user *user, const char *rule);
bool acl_refused_in(const redisReply *log, const struct acl_user *user, const char *rule);
/* What it refused the user, but for the commands named (NULL = none), as "object object": "" when nothing. */
const char *acl_refusals(struct server *server, const struct acl_user *user, const char *but_for);
const char *acl_refusals_in(const redisReply *log, const struct acl_user *user, const char *but_for);

#endif
