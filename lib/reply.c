/* SPDX-License-Identifier: MIT */
#include "reply.h"
#include <hiredis/hiredis.h>
#include <string.h>

static const redisReply *of(const struct netron_reply *reply)
{
    return (const void *)reply;
}

static bool is_type(const struct netron_reply *reply, int type)
{
    return reply != NULL && of(reply)->type == type;
}

const char *netron_reply_text(const struct netron_reply *reply, size_t *length)
{
    if (!is_type(reply, REDIS_REPLY_STRING) && !is_type(reply, REDIS_REPLY_STATUS))
        return NULL;
    if (length != NULL)
        *length = (size_t)of(reply)->len;
    return of(reply)->str;
}

bool netron_reply_is_text(const struct netron_reply *reply, const char *text)
{
    size_t length = 0;
    const char *found = netron_reply_text(reply, &length);
    return found != NULL && length == strlen(text) && memcmp(found, text, length) == 0;
}

bool netron_reply_is_string(const struct netron_reply *reply)
{
    return is_type(reply, REDIS_REPLY_STRING);
}

bool netron_reply_is_nil(const struct netron_reply *reply)
{
    return is_type(reply, REDIS_REPLY_NIL);
}

bool netron_reply_is_array(const struct netron_reply *reply)
{
    return is_type(reply, REDIS_REPLY_ARRAY);
}

bool netron_reply_integer(const struct netron_reply *reply, long long *out)
{
    if (!is_type(reply, REDIS_REPLY_INTEGER))
        return false;
    *out = of(reply)->integer;
    return true;
}

size_t netron_reply_count(const struct netron_reply *reply)
{
    return is_type(reply, REDIS_REPLY_ARRAY) ? (size_t)of(reply)->elements : 0;
}

const struct netron_reply *netron_reply_at(const struct netron_reply *reply, size_t index)
{
    return index < netron_reply_count(reply) ? (const void *)of(reply)->element[index] : NULL;
}

const char *netron_reply_error(const struct netron_reply *reply)
{
    return is_type(reply, REDIS_REPLY_ERROR) ? of(reply)->str : NULL;
}

/* How Redis up to 7.0 begins when an ACL forbids what a script does. */
#define FORBIDDEN_IN_SCRIPT "The user executing the script"

/* How Redis begins when a slot or its cluster is in no state for a script. */
#define ATTEMPTED_IN_SCRIPT "Script attempted to "

/* Where the words of the failed command begin. Redis 6.2 puts what its script says before them: "ERR Error running
 * script (call to f_...): @user_script:7: @user_script: 7: -READONLY You can't ...", and without the first two parts
 * where the script caught the error. */
static const char *words_of(const char *error)
{
    static const char in_script[] = "ERR Error running script";
    static const char caught[] = "@user_script";
    if (strncmp(error, in_script, sizeof(in_script) - 1) != 0 && strncmp(error, caught, sizeof(caught) - 1) != 0)
        return error;
    const char *dash = strstr(error, ": -");
    const char *forbidden = strstr(error, ": " FORBIDDEN_IN_SCRIPT);
    const char *attempted = strstr(error, ": " ATTEMPTED_IN_SCRIPT);
    if (forbidden != NULL)
        return forbidden + 2;
    if (attempted != NULL)
        return attempted + 2;
    return dash != NULL ? dash + 3 : error;
}

static bool begin_with(const char *words, const char *word)
{
    size_t length = strlen(word);
    return strncmp(words, word, length) == 0 && (words[length] == ' ' || words[length] == '\0');
}

bool netron_reply_error_is(const struct netron_reply *reply, const char *word)
{
    const char *error = netron_reply_error(reply);
    return error != NULL && begin_with(words_of(error), word);
}

static int code_of_words(const char *words)
{
    /* Plain ERRs that mean something else than a call that was wrong: one ends the connection before anything is asked,
     * the others are how NOPERM is said inside a script by Redis 6.2, by 7.0, and by later ones and Valkey, and how
     * CLUSTERDOWN and its kin are. */
    static const struct {
        const char *words;
        int code;
    } plain[] = {
        {"ERR max number of clients", NETRON_EUNAVAILABLE},
        {FORBIDDEN_IN_SCRIPT, NETRON_EPERM},
        {"ERR " FORBIDDEN_IN_SCRIPT, NETRON_EPERM},
        {"ERR ACL failure in script", NETRON_EPERM},
        /* a key of a slot that is being moved, a command while the cluster is down; without ERR by Redis 6.2 */
        {"ERR " ATTEMPTED_IN_SCRIPT "access a ", NETRON_EUNAVAILABLE},
        {"ERR " ATTEMPTED_IN_SCRIPT "execute a ", NETRON_EUNAVAILABLE},
        {ATTEMPTED_IN_SCRIPT "access a ", NETRON_EUNAVAILABLE},
        {ATTEMPTED_IN_SCRIPT "execute a ", NETRON_EUNAVAILABLE},
    };
    static const struct {
        const char *word;
        int code;
    } classes[] = {
        {"NOAUTH", NETRON_EAUTH},          {"WRONGPASS", NETRON_EAUTH},       {"NOPERM", NETRON_EPERM},
        {"DENIED", NETRON_EPERM}, /* protected mode */
        {"LOADING", NETRON_EUNAVAILABLE},  {"BUSY", NETRON_EUNAVAILABLE},     {"MASTERDOWN", NETRON_EUNAVAILABLE},
        {"READONLY", NETRON_EUNAVAILABLE}, {"TRYAGAIN", NETRON_EUNAVAILABLE}, {"CLUSTERDOWN", NETRON_EUNAVAILABLE},
        {"MOVED", NETRON_EUNAVAILABLE},    {"ASK", NETRON_EUNAVAILABLE},      {"NOREPLICAS", NETRON_EUNAVAILABLE},
        {"MISCONF", NETRON_EUNAVAILABLE},  {"OOM", NETRON_EUNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (begin_with(words, classes[i].word))
            return classes[i].code;
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (strncmp(words, plain[i].words, strlen(plain[i].words)) == 0)
            return plain[i].code;
    return NETRON_EREDIS;
}

int netron_reply_fail(const struct netron_reply *reply, const char *what, struct netron_failure *failure)
{
    const char *error = netron_reply_error(reply);
    if (error == NULL)
        return netron_fail(failure, NETRON_EPROTOCOL, "%s: unexpected reply", what);
    return netron_fail(failure, code_of_words(words_of(error)), "%s: %s", what, error);
}
