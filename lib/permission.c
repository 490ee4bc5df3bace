/* SPDX-License-Identifier: MIT */
#include "permission.h"
#include <stdlib.h>
#include <string.h>

/* A mark, a channel each of whose bytes may need an escape, ":*" and the end. */
#define RULE_SIZE (2 * NETRON_CHANNEL_MAX + 8)
#define COMMAND_MAX 40 /* "client|no-evict" and their kin; what is longer was not written by Redis */

/* Redis' words differ between versions, and inside scripts. A user's name in them holds no blank, and so none of these.
 */
static bool is_about_key(const char *error)
{
    return strstr(error, "access a key") != NULL || strstr(error, "of the keys") != NULL;
}

static bool is_about_channel(const char *error)
{
    return strstr(error, "access a channel") != NULL || strstr(error, "of the channels") != NULL ||
           strstr(error, "to the channel") != NULL;
}

/* "~netron:discovery:*": in an ACL a name is a glob pattern, and cannot hold a blank. */
static void write_pattern(char *rule, char mark, const char *name, const char *tail)
{
    *rule++ = mark;
    for (; *name != '\0'; name++) {
        if (strchr("*?[]\\", *name) != NULL)
            *rule++ = '\\';
        if (*name == ' ')
            *rule++ = '?';
        else
            *rule++ = *name;
    }
    memcpy(rule, tail, strlen(tail) + 1);
}

/* "+zadd" of "... to run the 'zadd' command". */
static bool read_command(const char *error, char *rule)
{
    static const char before[] = "to run the '";
    const char *name = strstr(error, before);
    size_t length = name != NULL ? strcspn(name += sizeof(before) - 1, "' ") : 0;
    if (length == 0 || length > COMMAND_MAX || name[length] != '\'')
        return false;
    rule[0] = '+';
    memcpy(rule + 1, name, length);
    rule[1 + length] = '\0';
    return true;
}

static const char *line_of(const char *text, unsigned long number)
{
    for (; number > 1 && text != NULL; number--) {
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    return number == 1 ? text : NULL;
}

/* "+pttl or +pexpire": what the line calls, each written as call('PTTL', ...). */
static bool read_line(const char *error, const char *script, char *rule)
{
    static const char place[] = "@user_script:";
    const char *number = strstr(error, place);
    const char *line = number != NULL ? line_of(script, strtoul(number + sizeof(place) - 1, NULL, 10)) : NULL;
    size_t used = 0;
    for (const char *at = line; at != NULL && *at != '\n' && *at != '\0'; at++) {
        size_t length = at[0] == '(' && at[1] == '\'' ? strspn(at + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;
        if (length == 0 || length > COMMAND_MAX || at[2 + length] != '\'' || used + length + 8 > RULE_SIZE)
            continue;
        memcpy(rule + used, used > 0 ? " or +" : "+", used > 0 ? 5 : 1);
        used += used > 0 ? 5 : 1;
        for (size_t i = 0; i < length; i++)
            rule[used++] = (char)(at[2 + i] - 'A' + 'a');
    }
    rule[used] = '\0';
    return used > 0;
}

/* What the commands that were refused are about. */
struct subject {
    const char *key_prefix; /* NULL: none has a key */
    const char *channel;
    const char *script; /* or NULL */
};

static bool find_rule(const struct subject *subject, const char *error, char *rule)
{
    if (read_command(error, rule))
        return true;
    if (subject->key_prefix != NULL && is_about_key(error))
        write_pattern(rule, '~', subject->key_prefix, ":*");
    else if (is_about_channel(error))
        write_pattern(rule, '&', subject->channel, "");
    else
        return subject->script != NULL && read_line(error, subject->script, rule);
    return true;
}

static int fail(const struct subject *subject, const struct netron_reply *reply, const char *what,
                struct netron_failure *failure)
{
    static const char needs[] = "; the user needs ";
    char rule[RULE_SIZE];
    int code = netron_reply_fail(reply, what, failure);
    const char *error = netron_reply_error(reply);
    if (code != NETRON_EPERM || !find_rule(subject, error, rule))
        return code;
    /* Where there is no room for everything, Redis' words give way; they say less. */
    size_t taken = strlen(what) + 2 + sizeof(needs) + strlen(rule);
    if (taken < NETRON_SENTENCE_SIZE)
        return netron_fail(failure, code, "%s: %.*s%s%s", what, (int)(NETRON_SENTENCE_SIZE - taken), error, needs,
                           rule);
    return netron_fail(failure, code, "the user needs %s: %s: %s", rule, what, error);
}

int netron_permission_fail(const struct netron_settings *settings, const char *script, const struct netron_reply *reply,
                           const char *what, struct netron_failure *failure)
{
    const struct subject subject = {settings->key_prefix, settings->pubsub_channel, script};
    return fail(&subject, reply, what, failure);
}

int netron_permission_fail_beside(const char *channel, const struct netron_reply *reply, const char *what,
                                  struct netron_failure *failure)
{
    const struct subject subject = {NULL, channel, NULL};
    return fail(&subject, reply, what, failure);
}
