/* SPDX-License-Identifier: MIT */
#include "handshake.h"
#include "permission.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void conclude(struct netron_handshake *handshake, const struct netron_failure *failure)
{
    if (handshake->failed) /* the first refusal is the cause of the others */
        return;
    handshake->failed = failure != NULL;
    if (failure == NULL && handshake->outstanding > 0)
        return;
    netron_credentials_clear(&handshake->credentials);
    handshake->fn(handshake->arg, failure);
}

typedef bool (*shape_fn)(const struct netron_reply *reply);
typedef int (*refusal_fn)(const struct netron_handshake *handshake, const struct netron_reply *reply,
                          struct netron_failure *why);

static bool is_ok(const struct netron_reply *reply)
{
    return netron_reply_is_text(reply, "OK");
}

/* The value of a name in HELLO's flat list of names and values. */
static const char *hello_value(const struct netron_reply *reply, const char *name)
{
    for (size_t i = 0; i + 1 < netron_reply_count(reply); i += 2)
        if (netron_reply_is_text(netron_reply_at(reply, i), name))
            return netron_reply_text(netron_reply_at(reply, i + 1), NULL);
    return NULL;
}

static bool is_greeting(const struct netron_reply *reply)
{
    return hello_value(reply, "version") != NULL;
}

/* A server that does not know a command repeats its arguments, and anything on the way may repeat anything. */
static void keep_secret(const struct netron_handshake *handshake, const char *what, struct netron_failure *why)
{
    if (netron_credentials_leak(&handshake->credentials, why->sentence))
        netron_fail(why, why->code, "%s: Redis refused it, in words that hold the password", what);
}

/* An answer to one of the commands: how it looks when all is well, and what an error means. */
static void on_answer(struct netron_handshake *handshake, const struct netron_reply *reply,
                      const struct netron_failure *failure, const char *what, shape_fn is_well, refusal_fn refusal)
{
    struct netron_failure why = {0};
    handshake->outstanding--;
    if (reply == NULL) {
        conclude(handshake, failure);
        return;
    }
    int code = is_well(reply) ? 0 : netron_permission_fail(handshake->settings, NULL, reply, what, &why);
    if (netron_reply_error(reply) != NULL)
        code = refusal(handshake, reply, &why);
    if (code != 0)
        keep_secret(handshake, what, &why);
    conclude(handshake, code != 0 ? &why : NULL);
}

static int too_old(const struct netron_reply *reply, const char *what, struct netron_failure *why)
{
    return netron_fail(why, NETRON_EVERSION, "Redis 6.2 or newer is needed; this server is older (%s: %s)", what,
                       netron_reply_error(reply));
}

static bool knows_no_such_call(const struct netron_reply *reply)
{
    static const char arity[] = "ERR wrong number of arguments";
    static const char name[] = "ERR unknown command";
    const char *error = netron_reply_error(reply);
    return strncmp(error, arity, sizeof(arity) - 1) == 0 || strncmp(error, name, sizeof(name) - 1) == 0;
}

static int auth_refused(const struct netron_handshake *handshake, const struct netron_reply *reply,
                        struct netron_failure *why)
{
    (void)handshake;
    if (netron_reply_error_is(reply, "ERR") && strstr(netron_reply_error(reply), "wrong number") != NULL)
        return too_old(reply, "AUTH", why); /* users came with Redis 6 */
    if (why->code == NETRON_EREDIS)         /* such as "AUTH called without any password configured" */
        why->code = NETRON_EAUTH;
    if (strstr(netron_reply_error(reply), "with args") != NULL) /* which may have been changed, or cut off */
        netron_fail(why, why->code, "AUTH: Redis refused it, in words that hold the password");
    return why->code;
}

static int select_refused(const struct netron_handshake *handshake, const struct netron_reply *reply,
                          struct netron_failure *why)
{
    if (why->code == NETRON_EREDIS)
        netron_fail(why, NETRON_EDATABASE, "SELECT %u: %s", (unsigned)handshake->settings->redis.database,
                    netron_reply_error(reply));
    return why->code;
}

/* HELLO without arguments exists since Redis 6.2, the first version that we can use; an ACL may forbid it. */
static int hello_refused(const struct netron_handshake *handshake, const struct netron_reply *reply,
                         struct netron_failure *why)
{
    if (netron_reply_error_is(reply, "NOPERM"))
        return 0;
    if (handshake->credentials.password == NULL && netron_reply_error_is(reply, "NOAUTH"))
        return netron_fail(why, NETRON_EAUTH,
                           "Redis wants a password, and none is set (options.password or the URL): %s",
                           netron_reply_error(reply));
    return knows_no_such_call(reply) ? too_old(reply, "HELLO", why) : why->code;
}

/* The name is a courtesy to the operator: nothing depends on it. */
static int name_refused(const struct netron_handshake *handshake, const struct netron_reply *reply,
                        struct netron_failure *why)
{
    (void)handshake;
    return netron_reply_error_is(reply, "NOPERM") || why->code == NETRON_EREDIS ? 0 : why->code;
}

static void on_auth(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    on_answer(arg, reply, failure, "AUTH", is_ok, auth_refused);
}

static void on_select(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    on_answer(arg, reply, failure, "SELECT", is_ok, select_refused);
}

static void on_name(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    on_answer(arg, reply, failure, "CLIENT SETNAME", is_ok, name_refused);
}

/* What is no version is not held against the server. */
static bool is_too_old(const char *version)
{
    char *point = NULL;
    unsigned long major = strtoul(version, &point, 10);
    if (point == version || *point != '.')
        return false;
    char *end = NULL;
    unsigned long minor = strtoul(point + 1, &end, 10);
    return end != point + 1 && (major < 6 || (major == 6 && minor < 2));
}

static void on_hello(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_handshake *handshake = arg;
    const char *version = hello_value(reply, "version");
    const char *mode = hello_value(reply, "mode");
    handshake->is_in_cluster = mode != NULL && strcmp(mode, "cluster") == 0;
    handshake->is_in_none = mode != NULL && !handshake->is_in_cluster;
    if (version != NULL && is_too_old(version)) {
        struct netron_failure why;
        handshake->outstanding--;
        netron_fail(&why, NETRON_EVERSION, "Redis 6.2 or newer is needed; this server is version %.32s", version);
        keep_secret(handshake, "HELLO", &why);
        conclude(handshake, &why);
        return;
    }
    on_answer(handshake, reply, failure, "HELLO", is_greeting, hello_refused);
}

static bool is_primary(const struct netron_reply *reply)
{
    return netron_reply_is_text(netron_reply_at(reply, 0), "master");
}

static int role_refused(const struct netron_handshake *handshake, const struct netron_reply *reply,
                        struct netron_failure *why)
{
    (void)handshake;
    return netron_reply_error_is(reply, "NOPERM") ? 0 : why->code;
}

static void on_role(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_handshake *handshake = arg;
    const struct netron_reply *role = netron_reply_at(reply, 0);
    if (netron_reply_is_text(role, "slave") || netron_reply_is_text(role, "sentinel")) {
        const char *primary = netron_reply_text(netron_reply_at(reply, 1), NULL);
        struct netron_failure why;
        handshake->outstanding--;
        if (netron_reply_is_text(role, "sentinel"))
            netron_fail(&why, NETRON_EUNAVAILABLE, "the server that was named as the primary is a sentinel");
        else
            netron_fail(&why, NETRON_EUNAVAILABLE, "the server that was named as the primary is a replica of %.64s",
                        primary != NULL ? primary : "another");
        keep_secret(handshake, "ROLE", &why);
        conclude(handshake, &why);
        return;
    }
    handshake->is_role_unknown = reply != NULL && netron_reply_error_is(reply, "NOPERM");
    on_answer(handshake, reply, failure, "ROLE", is_primary, role_refused);
}

static int send_words(struct netron_handshake *handshake, struct netron_conn *conn, netron_reply_fn fn, int count,
                      const char *const *words)
{
    size_t lengths[4];
    for (int i = 0; i < count; i++)
        lengths[i] = strlen(words[i]);
    int code = netron_conn_send(conn, count, words, lengths, fn, handshake, NULL);
    if (code == 0)
        handshake->outstanding++;
    return code;
}

static int send_all(struct netron_handshake *handshake, struct netron_conn *conn)
{
    const struct netron_settings *settings = handshake->settings;
    const struct netron_credentials *credentials = &handshake->credentials;
    const char *const with_user[] = {"AUTH", credentials->username, credentials->password};
    const char *const without_user[] = {"AUTH", credentials->password};
    const char *const hello[] = {"HELLO"};
    const char *const role[] = {"ROLE"};
    const char *const name[] = {"CLIENT", "SETNAME", settings->client_name};
    char number[16];
    snprintf(number, sizeof(number), "%u", (unsigned)settings->redis.database);
    const char *const database[] = {"SELECT", number};
    int code = 0;
    if (credentials->username != NULL)
        code = send_words(handshake, conn, on_auth, 3, with_user);
    else if (credentials->password != NULL)
        code = send_words(handshake, conn, on_auth, 2, without_user);
    if (code == 0)
        code = send_words(handshake, conn, on_hello, 1, hello);
    if (code == 0 && settings->redis.database != 0)
        code = send_words(handshake, conn, on_select, 2, database);
    if (code == 0)
        code = send_words(handshake, conn, on_name, 3, name);
    if (code == 0 && settings->redis.kind == NETRON_URL_SENTINELS) /* in a cluster a replica says MOVED */
        code = send_words(handshake, conn, on_role, 1, role);
    return code;
}

int netron_handshake_begin(struct netron_handshake *handshake, struct netron_conn *conn,
                           const struct netron_settings *settings, netron_link_role role, netron_handshake_fn fn,
                           void *arg, struct netron_failure *why)
{
    *handshake = (struct netron_handshake){.settings = settings, .fn = fn, .arg = arg};
    int code = netron_credentials_ask(settings, role, &handshake->credentials, why);
    if (code != 0)
        return code;
    code = send_all(handshake, conn);
    if (code == 0)
        return 0;
    netron_credentials_clear(&handshake->credentials);
    return netron_fail(why, code, "cannot greet Redis: %s", netron_strerror(code));
}
