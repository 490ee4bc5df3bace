/* SPDX-License-Identifier: MIT */
#include "acl_users.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 1024

/* ---- the lines ---- */

void acl_add(struct acl_user *user, const char *word)
{
    static const char *const grant_nothing[] = {"reset", "resetchannels", "on", ">secret", ">another"};
    if (user->count == ACL_RULES_MAX) {
        fprintf(stderr, "%s has too many rules\n", user->name);
        exit(EXIT_FAILURE);
    }
    snprintf(user->rules[user->count++], sizeof(user->rules[0]), "%s", word);
    for (size_t i = 0; i < sizeof(grant_nothing) / sizeof(grant_nothing[0]); i++)
        if (strcmp(word, grant_nothing[i]) == 0)
            user->fixed = user->count;
}

/* A shell's words, as far as these lines need it: parted by blanks, some in single quotes. True: it goes on. */
static bool add_words(struct acl_user *user, char *line)
{
    char *rest = NULL;
    for (char *word = strtok_r(line, " '\n", &rest); word != NULL; word = strtok_r(NULL, " '\n", &rest)) {
        if (strcmp(word, "\\") == 0)
            return true;
        acl_add(user, word);
    }
    return false;
}

/* What follows "redis-cli ACL SETUSER ", with or without a port between; NULL where the line is another. */
static char *words_of(char *line, bool *has_port)
{
    static const char program[] = "redis-cli ";
    static const char command[] = "ACL SETUSER ";
    unsigned port;
    int length = 0;
    if (strncmp(line, program, strlen(program)) != 0)
        return NULL;
    line += strlen(program);
    *has_port = sscanf(line, "-p %u %n", &port, &length) == 1;
    line += length;
    return strncmp(line, command, strlen(command)) == 0 ? line + strlen(command) : NULL;
}

void acl_read(struct acl_readme *readme)
{
    const char *path = getenv("NETRON_TEST_README");
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    char line[LINE_SIZE];
    struct acl_user *goes_on = NULL;
    bool is_block = false;
    memset(readme, 0, sizeof(*readme));
    if (file == NULL) {
        fprintf(stderr, "NETRON_TEST_README names no file\n");
        exit(EXIT_FAILURE);
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        bool has_port = false;
        char *words = words_of(line, &has_port);
        if (is_block && strncmp(line, "```", 3) != 0)
            snprintf(readme->commands[readme->command_count++], sizeof(readme->commands[0]), "%.*s",
                     (int)strcspn(line, "\n"), line);
        is_block = is_block ? strncmp(line, "```", 3) != 0 : strcmp(line, "```redis\n") == 0;
        if (words != NULL) {
            goes_on = &readme->users[readme->count++];
            goes_on->has_port = has_port;
            size_t length = strcspn(words, " ");
            snprintf(goes_on->name, sizeof(goes_on->name), "%.*s", (int)length, words);
            words += length;
        }
        if (goes_on != NULL && !add_words(goes_on, words != NULL ? words : line))
            goes_on = NULL;
    }
    (void)fclose(file);
}

static const struct acl_user *find_line(const struct acl_readme *readme, const char *name, int which)
{
    for (int i = 0; i < readme->count; i++)
        if (strcmp(readme->users[i].name, name) == 0 && which-- == 0)
            return &readme->users[i];
    fprintf(stderr, "README.md has no such line of a user %s\n", name);
    exit(EXIT_FAILURE);
}

const struct acl_user *acl_find(const struct acl_readme *readme, const char *name)
{
    return find_line(readme, name, 0);
}

const struct acl_user *acl_find_further(const struct acl_readme *readme, const char *name)
{
    return find_line(readme, name, 1);
}

bool acl_has(const struct acl_user *user, const char *rule)
{
    for (int i = 0; i < user->count; i++)
        if (strcmp(user->rules[i], rule) == 0)
            return true;
    return false;
}

const char *acl_make_at(redisContext *context, const struct acl_user *user, int without)
{
    static char said[256];
    const char *words[3 + ACL_RULES_MAX] = {"ACL", "SETUSER", user->name};
    int count = 3;
    for (int i = 0; i < user->count; i++)
        if (i != without)
            words[count++] = user->rules[i];
    redisReply *reply = redisCommandArgv(context, count, words, NULL);
    ck_assert_ptr_nonnull(reply);
    snprintf(said, sizeof(said), "%s", reply->str);
    freeReplyObject(reply);
    return said;
}

const char *acl_make(struct server *server, const struct acl_user *user, int without)
{
    redisContext *context = server_connect(server);
    const char *said = acl_make_at(context, user, without);
    redisFree(context);
    return said;
}

/* ---- what was refused ---- */

/* The value of a name in an entry of ACL LOG. */
static const char *value_of(const redisReply *entry, const char *name)
{
    for (size_t i = 0; i + 1 < entry->elements; i += 2)
        if (strcmp(entry->element[i]->str, name) == 0)
            return entry->element[i + 1]->str;
    return "";
}

bool acl_refused_in(const redisReply *log, const struct acl_user *user, const char *rule)
{
    bool is_refused = false;
    for (size_t i = 0; i < log->elements; i++) {
        const redisReply *entry = log->element[i];
        const char *reason = value_of(entry, "reason");
        if (strcmp(value_of(entry, "username"), user->name) != 0)
            continue;
        if (rule[0] == '+')
            is_refused = is_refused || strcmp(value_of(entry, "object"), rule + 1) == 0;
        else
            is_refused = is_refused || strcmp(reason, rule[0] == '&' ? "channel" : "key") == 0;
    }
    return is_refused;
}

const char *acl_refusals_in(const redisReply *log, const struct acl_user *user, const char *but_for)
{
    static char all[512];
    all[0] = '\0';
    for (size_t i = 0; i < log->elements; i++) {
        const char *object = value_of(log->element[i], "object");
        size_t used = strlen(all);
        if (strcmp(value_of(log->element[i], "username"), user->name) == 0 &&
            (but_for == NULL || strcmp(object, but_for) != 0))
            snprintf(all + used, sizeof(all) - used, " %s", object);
    }
    return all;
}

bool acl_refused(struct server *server, const struct acl_user *user, const char *rule)
{
    redisReply *log = server_ask(server, "ACL LOG");
    bool is_refused = acl_refused_in(log, user, rule);
    freeReplyObject(log);
    return is_refused;
}

const char *acl_refusals(struct server *server, const struct acl_user *user, const char *but_for)
{
    redisReply *log = server_ask(server, "ACL LOG");
    const char *all = acl_refusals_in(log, user, but_for);
    freeReplyObject(log);
    return all;
}
