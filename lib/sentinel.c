/* SPDX-License-Identifier: MIT */
#include "sentinel.h"
#include "credentials.h"
#include "permission.h"
#include "pulse.h"
#include "resolution.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL "+switch-master"
#define WORDS_MAX 3

enum sentinel_state { SENTINEL_FINDING, SENTINEL_CONNECTING, SENTINEL_ASKING, SENTINEL_WATCHING, SENTINEL_CLOSED };

struct netron_sentinel {
    struct netron_core *core;
    struct netron_grave grave;
    const struct netron_settings *settings;
    const struct netron_host *host;
    enum sentinel_state state;
    struct netron_resolution resolution;
    struct netron_conn *conn;
    struct netron_deadline timer; /* the end of the patience; while WATCHING, the next look at the pulse */
    uint64_t patience_ms;
    struct netron_pulse pulse;
    const struct netron_sentinel_events *events;
    void *arg;
};

static void close_all(struct netron_sentinel *sentinel)
{
    struct netron_conn *conn = sentinel->conn;
    sentinel->state = SENTINEL_CLOSED;
    sentinel->conn = NULL;
    netron_resolution_stop(&sentinel->resolution);
    netron_core_cancel(sentinel->core, &sentinel->timer);
    netron_conn_free(conn);
}

static void end(struct netron_sentinel *sentinel, const struct netron_failure *why)
{
    struct netron_failure named;
    char address[NETRON_ADDRESS_SIZE];
    netron_fail(&named, why->code, "sentinel %s: %s",
                netron_address_text(address, sentinel->host->name, sentinel->host->port), why->sentence);
    close_all(sentinel);
    sentinel->events->ended(sentinel->arg, sentinel, &named);
}

static void end_by_reply(struct netron_sentinel *sentinel, const struct netron_reply *reply, const char *what)
{
    struct netron_failure why;
    const char *error = netron_reply_error(reply);
    const struct netron_credentials secret = {.username = sentinel->settings->sentinel_username,
                                              .password = sentinel->settings->sentinel_password};
    netron_permission_fail_beside(CHANNEL, reply, what, &why);
    if (why.code == NETRON_EREDIS && strcmp(what, "AUTH") == 0) /* such as "called without any password configured" */
        why.code = NETRON_EAUTH;
    if (secret.password == NULL && netron_reply_error_is(reply, "NOAUTH"))
        netron_fail(&why, NETRON_EAUTH, "it wants a password, and none is set (options.sentinel_password): %s", error);
    /* A server that does not know AUTH repeats its arguments. */
    if (netron_credentials_leak(&secret, why.sentence))
        netron_fail(&why, why.code, "%s: it refused, in words that hold the password", what);
    end(sentinel, &why);
}

/* ---- what it says ---- */

static bool read_port(const char *text, size_t length, unsigned long *out)
{
    unsigned long port = 0;
    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        port = port * 10 + (unsigned long)(text[i] - '0');
    }
    *out = port;
    return true;
}

static bool read_location(const char *host, size_t host_length, const char *port, size_t port_length,
                          struct netron_location *out)
{
    unsigned long number = 0;
    return host != NULL && port != NULL && read_port(port, port_length, &number) &&
           netron_location_set(out, host, host_length, number);
}

static void on_auth(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_sentinel *sentinel = arg;
    (void)failure; /* the connection tells it as well */
    if (reply != NULL && !netron_reply_is_text(reply, "OK") && sentinel->state != SENTINEL_CLOSED)
        end_by_reply(sentinel, reply, "AUTH");
}

static void on_address(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_sentinel *sentinel = arg;
    struct netron_location primary;
    struct netron_failure why;
    size_t host_length = 0;
    size_t port_length = 0;
    (void)failure;
    if (reply == NULL || sentinel->state != SENTINEL_ASKING)
        return;
    const char *host = netron_reply_text(netron_reply_at(reply, 0), &host_length);
    const char *port = netron_reply_text(netron_reply_at(reply, 1), &port_length);
    if (netron_reply_is_nil(reply)) {
        netron_fail(&why, NETRON_EUNAVAILABLE, "it knows no primary \"%s\"", sentinel->settings->redis.primary_name);
        end(sentinel, &why);
    } else if (!read_location(host, host_length, port, port_length, &primary)) {
        end_by_reply(sentinel, reply, "SENTINEL GET-MASTER-ADDR-BY-NAME");
    } else {
        sentinel->state = SENTINEL_WATCHING;
        netron_core_after(sentinel->core, &sentinel->timer, sentinel->settings->ping_interval_ms);
        sentinel->events->answered(sentinel->arg, sentinel, &primary);
    }
}

static void on_subscribed(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_sentinel *sentinel = arg;
    (void)failure;
    if (reply == NULL || sentinel->state == SENTINEL_CLOSED)
        return;
    if (!netron_reply_is_text(netron_reply_at(reply, 0), "subscribe") ||
        !netron_reply_is_text(netron_reply_at(reply, 1), CHANNEL))
        end_by_reply(sentinel, reply, "SUBSCRIBE " CHANNEL);
}

/* The words of "name old-host old-port new-host new-port" behind the name. False when there are other than four. */
static bool read_switch(const char *payload, size_t length, struct netron_location *primary)
{
    const char *words[4];
    size_t lengths[4];
    size_t count = 0;
    const char *end_of_all = payload + length;
    while (count < 4 && payload < end_of_all) {
        const char *blank = memchr(payload, ' ', (size_t)(end_of_all - payload));
        words[count] = payload;
        lengths[count++] = (size_t)((blank != NULL ? blank : end_of_all) - payload);
        payload = blank != NULL ? blank + 1 : end_of_all;
    }
    return count == 4 && payload == end_of_all && read_location(words[2], lengths[2], words[3], lengths[3], primary);
}

/* It tells of all the primaries that it watches. */
static void on_message(void *arg, const struct netron_reply *reply)
{
    struct netron_sentinel *sentinel = arg;
    const char *name = sentinel->settings->redis.primary_name;
    size_t name_length = strlen(name);
    size_t length = 0;
    struct netron_location primary;
    struct netron_failure why;
    if (netron_reply_is_text(netron_reply_at(reply, 0), "pong"))
        return;
    const char *payload = netron_reply_text(netron_reply_at(reply, 2), &length);
    if (!netron_reply_is_text(netron_reply_at(reply, 0), "message") || payload == NULL) {
        bool is_refused = netron_reply_error(reply) != NULL; /* the one thing that it is still asked */
        end_by_reply(sentinel, reply, is_refused ? "PING" : "SUBSCRIBE " CHANNEL);
        return;
    }
    if (length <= name_length || memcmp(payload, name, name_length) != 0 || payload[name_length] != ' ')
        return;
    if (!read_switch(payload + name_length + 1, length - name_length - 1, &primary)) {
        netron_fail(&why, NETRON_EPROTOCOL, CHANNEL ": it does not say where the primary is");
        end(sentinel, &why);
    } else if (sentinel->state == SENTINEL_WATCHING) {
        sentinel->events->switched(sentinel->arg, sentinel, &primary);
    }
}

/* ---- what it is asked ---- */

static int say(struct netron_sentinel *sentinel, netron_reply_fn fn, int count, const char *const *words)
{
    size_t lengths[WORDS_MAX];
    for (int i = 0; i < count; i++)
        lengths[i] = strlen(words[i]);
    return netron_conn_send(sentinel->conn, count, words, lengths, fn, sentinel, NULL);
}

static int say_all(struct netron_sentinel *sentinel)
{
    const struct netron_settings *settings = sentinel->settings;
    const char *const with_user[] = {"AUTH", settings->sentinel_username, settings->sentinel_password};
    const char *const without_user[] = {"AUTH", settings->sentinel_password};
    const char *const name[] = {"CLIENT", "SETNAME", settings->client_name};
    const char *const question[] = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", settings->redis.primary_name};
    const char *const subscription[] = {"SUBSCRIBE", CHANNEL};
    int code = 0;
    if (settings->sentinel_username != NULL)
        code = say(sentinel, on_auth, 3, with_user);
    else if (settings->sentinel_password != NULL)
        code = say(sentinel, on_auth, 2, without_user);
    if (code == 0) /* a courtesy to the operator: whatever the answer */
        code = say(sentinel, NULL, 3, name);
    if (code == 0)
        code = say(sentinel, on_address, 3, question);
    return code == 0 ? say(sentinel, on_subscribed, 2, subscription) : code;
}

static void on_opened(void *arg)
{
    struct netron_sentinel *sentinel = arg;
    struct netron_failure why;
    sentinel->state = SENTINEL_ASKING;
    netron_conn_stream(sentinel->conn);
    int code = say_all(sentinel);
    if (code != 0) {
        netron_fail(&why, code, "cannot ask it: %s", netron_strerror(code));
        end(sentinel, &why);
    }
}

static void on_closed(void *arg, const struct netron_failure *why)
{
    end(arg, why);
}

static const struct netron_conn_events conn_events = {
    .opened = on_opened,
    .closed = on_closed,
    .message = on_message,
};

static void on_endpoint(void *arg, const struct netron_endpoint *endpoint, const struct netron_failure *failure)
{
    struct netron_sentinel *sentinel = arg;
    struct netron_failure why;
    if (endpoint == NULL) {
        end(sentinel, failure);
        return;
    }
    sentinel->state = SENTINEL_CONNECTING;
    if (netron_conn_open(sentinel->core, endpoint, sentinel->settings, &conn_events, sentinel, &sentinel->conn, &why) !=
        0)
        end(sentinel, &why);
}

static void on_timer(void *arg)
{
    struct netron_sentinel *sentinel = arg;
    struct netron_failure why;
    if (sentinel->state != SENTINEL_WATCHING) {
        netron_fail(&why, NETRON_ETIMEDOUT, "it did not answer within %llu ms",
                    (unsigned long long)sentinel->patience_ms);
        end(sentinel, &why);
        return;
    }
    uint64_t next = netron_pulse_check(&sentinel->pulse, sentinel->conn, sentinel->settings->ping_interval_ms,
                                       netron_core_now(sentinel->core), "it");
    if (next != UINT64_MAX)
        netron_core_after(sentinel->core, &sentinel->timer, next);
}

/* ---- beginning and end ---- */

int netron_sentinel_new(struct netron_core *core, const struct netron_settings *settings,
                        const struct netron_host *host, unsigned turn, uint64_t patience_ms,
                        const struct netron_sentinel_events *events, void *arg, struct netron_sentinel **out)
{
    struct netron_sentinel *sentinel = calloc(1, sizeof(*sentinel));
    if (sentinel == NULL)
        return NETRON_ENOMEM;
    sentinel->core = core;
    sentinel->settings = settings;
    sentinel->host = host;
    sentinel->patience_ms = patience_ms;
    sentinel->events = events;
    sentinel->arg = arg;
    netron_deadline_init(&sentinel->timer, on_timer, sentinel);
    netron_resolution_init(&sentinel->resolution, core, on_endpoint, sentinel);
    sentinel->resolution.turn = turn;
    netron_core_after(core, &sentinel->timer, patience_ms);
    netron_resolution_ask(&sentinel->resolution, host->name, host->port);
    *out = sentinel;
    return 0;
}

static void destroy(struct netron_grave *grave)
{
    free((char *)grave - offsetof(struct netron_sentinel, grave));
}

void netron_sentinel_free(struct netron_sentinel *sentinel)
{
    if (sentinel == NULL)
        return;
    close_all(sentinel);
    netron_core_bury(sentinel->core, &sentinel->grave, destroy);
}

const struct netron_host *netron_sentinel_host(const struct netron_sentinel *sentinel)
{
    return sentinel->host;
}
