/* SPDX-License-Identifier: MIT */
#include "link.h"
#include "backoff.h"
#include "detour.h"
#include "handshake.h"
#include "permission.h"
#include "pulse.h"
#include "whereabouts.h"
#include <stddef.h>
#include <stdlib.h>

enum link_state { LINK_IDLE, LINK_FINDING, LINK_CONNECTING, LINK_GREETING, LINK_READY, LINK_WAITING, LINK_CLOSED };

struct netron_link {
    struct netron_core *core;
    struct netron_grave grave;
    const struct netron_settings *settings;
    netron_link_role role;
    enum link_state state;
    struct netron_whereabouts whereabouts;
    struct netron_conn *conn;        /* CONNECTING, GREETING, READY */
    char place[NETRON_ADDRESS_SIZE]; /* where that is, the same for all addresses of a host: news are told once */
    struct netron_handshake handshake;
    struct netron_detours detours; /* in a cluster */
    struct netron_deadline timer;  /* what it means depends on the state: see on_timer() */
    unsigned attempt;
    unsigned hurries; /* how often news of another server cut the waiting short */
    bool is_led;      /* and they will, when the connection has ended */
    uint64_t ready_at;
    struct netron_pulse pulse;
    bool is_role_told; /* that it is not known: once is enough */
    bool is_none_told; /* that the server is in no cluster, likewise */
    unsigned loading;  /* scripts, by their bits */
    struct netron_failure failure;
    const struct netron_link_events *events;
    void *arg;
};

static const char *state_name(enum link_state state)
{
    static const char *const names[] = {"idle", "finding", "connecting", "greeting", "ready", "waiting", "closed"};
    return names[state];
}

static const char *role_name(const struct netron_link *link)
{
    return link->role == NETRON_LINK_EVENTS ? "events" : "commands";
}

static bool is_cluster(const struct netron_link *link)
{
    return link->settings->redis.kind == NETRON_URL_CLUSTER;
}

static void enter_state(struct netron_link *link, enum link_state state, const char *why)
{
    netron_log(&link->core->log, NETRON_LOG_DEBUG, "%s link: %s -> %s (%s)", role_name(link), state_name(link->state),
               state_name(state), why);
    link->state = state;
    netron_core_cancel(link->core, &link->timer);
}

static uint32_t next_delay(struct netron_link *link)
{
    const struct netron_settings *settings = link->settings;
    uint64_t random = netron_core_random(link->core);
    if (netron_failure_needs_operator(link->failure.code))
        return netron_backoff_operator(settings->reconnect_max_ms, random);
    unsigned *attempt = link->is_led ? &link->hurries : &link->attempt;
    link->is_led = false;
    return netron_backoff_reconnect(settings->reconnect_min_ms, settings->reconnect_max_ms, (*attempt)++, random);
}

/* Every end of an attempt or of a connection comes through here. */
static void fall_back(struct netron_link *link, const struct netron_failure *why)
{
    if (link->state == LINK_CLOSED || link->state == LINK_WAITING)
        return;
    /* A connection has to last to count as a success: a server that accepts and drops must not be hammered. */
    if (link->state == LINK_READY && netron_core_now(link->core) - link->ready_at >= link->settings->reconnect_max_ms)
        link->attempt = link->hurries = 0;
    link->failure = *why;
    /* Who gave a name at which the resolver hangs? */
    bool is_unresolved = link->state == LINK_FINDING && why->code == NETRON_ETIMEDOUT &&
                         netron_whereabouts_is_resolving(&link->whereabouts);
    netron_whereabouts_stop(&link->whereabouts);
    /* In a cluster others know at once whether it is worth while to go back to a node that ended the connection; its
     * host may have gone with it, and swallow what is sent there. */
    bool is_gone = link->state == LINK_READY &&
                   (why->code == NETRON_ETIMEDOUT || (is_cluster(link) && why->code == NETRON_EDISCONNECTED));
    bool is_unmet = is_unresolved || link->state == LINK_CONNECTING || link->state == LINK_GREETING;
    /* A server that refuses us is there: it need not be watched for a successor, but asked for at the next attempt. */
    bool was_met = is_unmet && netron_failure_needs_operator(why->code);
    if (is_unmet || is_gone)
        netron_whereabouts_doubt(&link->whereabouts, was_met ? why->sentence : NULL);
    enter_state(link, LINK_WAITING, why->sentence);
    struct netron_conn *conn = link->conn;
    link->conn = NULL;
    netron_core_after(link->core, &link->timer, next_delay(link));
    netron_detours_end(&link->detours, why);
    netron_conn_free(conn);
    if (link->state == LINK_WAITING)
        link->events->down(link->arg, why);
}

/* ---- from the connection ---- */

/* What speaks against the server, but not for sure: a proxy may say that it is in no cluster, and stand before one. */
static void tell_doubts(struct netron_link *link)
{
    const struct netron_handshake *handshake = &link->handshake;
    const struct netron_location *at = &link->whereabouts.asker.at;
    bool is_in_none = is_cluster(link) && handshake->is_in_none;
    if (handshake->is_role_unknown && !link->is_role_told)
        netron_log(&link->core->log, NETRON_LOG_WARNING,
                   "%s link: the user may not call ROLE (+role): that a server is a replica shows at the first write",
                   role_name(link));
    if (is_in_none && !link->is_none_told) {
        char address[NETRON_ADDRESS_SIZE];
        netron_log(&link->core->log, NETRON_LOG_WARNING,
                   "%s link: the cluster sent to %s, which says that it is in no cluster", role_name(link),
                   netron_address_text(address, at->host, at->port));
    }
    link->is_role_told = handshake->is_role_unknown;
    link->is_none_told = is_in_none;
}

static void on_greeted(void *arg, const struct netron_failure *failure)
{
    struct netron_link *link = arg;
    if (link->state != LINK_GREETING)
        return;
    if (failure != NULL) {
        fall_back(link, failure);
        return;
    }
    tell_doubts(link);
    enter_state(link, LINK_READY, "greeted");
    link->ready_at = netron_core_now(link->core);
    link->pulse.pinged_at = 0;
    link->loading = 0;
    link->core->stats.connects++;
    netron_core_after(link->core, &link->timer, link->settings->ping_interval_ms);
    link->detours.here = link->whereabouts.asker.at;
    netron_whereabouts_confirm(&link->whereabouts);
    if (link->state == LINK_READY) /* the other link may have had to leave, and its user frees all */
        link->events->ready(link->arg);
}

static void on_opened(void *arg)
{
    struct netron_link *link = arg;
    enum link_state before = link->state;
    uint64_t deadline = link->timer.at;
    uint64_t now = netron_core_now(link->core);
    if (before != LINK_CONNECTING)
        return;
    enter_state(link, LINK_GREETING, "connected");
    netron_core_after(link->core, &link->timer, deadline > now ? deadline - now : 0);
    struct netron_failure why;
    int code = netron_handshake_begin(&link->handshake, link->conn, link->settings, link->role, on_greeted, link, &why);
    if (code != 0 && link->state == LINK_GREETING) /* the supplier of credentials may have freed it */
        fall_back(link, &why);
}

/* Before anything was said to each other. */
static void fail_to_connect(struct netron_link *link, const struct netron_failure *why)
{
    struct netron_failure named = *why;
    if (why->code == NETRON_EDISCONNECTED)
        netron_fail(&named, why->code, "%s: %s", link->place, why->sentence);
    fall_back(link, &named);
}

static void on_closed(void *arg, const struct netron_failure *why)
{
    struct netron_link *link = arg;
    if (link->state == LINK_CONNECTING)
        fail_to_connect(link, why);
    else
        fall_back(link, why);
}

static void on_refused(void *arg, const struct netron_reply *reply, const char *command)
{
    struct netron_link *link = arg;
    struct netron_failure why;
    if (link->state != LINK_READY) /* while greeting, the handshake judges */
        return;
    bool has_moved = is_cluster(link) && netron_reply_error_is(reply, "MOVED");
    /* Nodes of a cluster that say so may be those that were parted from the others, which go on without them. */
    bool is_down = is_cluster(link) && netron_reply_error_is(reply, "CLUSTERDOWN");
    /* A demoted primary, or a user that was changed under us: this connection will not get better. */
    bool is_useless = has_moved || netron_reply_error_is(reply, "READONLY") || netron_reply_error_is(reply, "NOAUTH");
    if (is_useless || is_down)
        netron_whereabouts_doubt(&link->whereabouts, netron_reply_error(reply));
    if (!is_useless)
        return;
    link->is_led = has_moved;
    netron_reply_fail(reply, command, &why);
    netron_conn_close(link->conn, &why);
}

static void on_message(void *arg, const struct netron_reply *reply)
{
    struct netron_link *link = arg;
    if (link->events->message != NULL)
        link->events->message(link->arg, reply);
}

static const struct netron_conn_events conn_events = {
    .opened = on_opened,
    .closed = on_closed,
    .refused = on_refused,
    .message = on_message,
};

/* ---- beginning ---- */

static void on_endpoint(void *arg, const struct netron_endpoint *endpoint, const struct netron_failure *failure)
{
    struct netron_link *link = arg;
    struct netron_failure why;
    if (endpoint == NULL) {
        fall_back(link, failure);
        return;
    }
    uint64_t deadline = link->timer.at;
    const char *host = endpoint->name != NULL ? endpoint->name : endpoint->address;
    netron_address_text(link->place, endpoint->path != NULL ? endpoint->path : host, endpoint->port);
    if (netron_conn_open(link->core, endpoint, link->settings, &conn_events, link, &link->conn, &why) != 0) {
        netron_whereabouts_doubt(&link->whereabouts, NULL);
        fail_to_connect(link, &why);
        return;
    }
    uint64_t now = netron_core_now(link->core);
    enter_state(link, LINK_CONNECTING, endpoint->path != NULL ? endpoint->path : endpoint->address);
    netron_core_after(link->core, &link->timer, deadline > now ? deadline - now : 0);
}

/* A connection elsewhere is of no use; and who waits need not wait any longer, but for a while that grows each time, so
 * that nobody's contradicting news can drive it round. */
static void on_moved(void *arg, const struct netron_failure *why)
{
    struct netron_link *link = arg;
    const struct netron_settings *settings = link->settings;
    if (link->state == LINK_READY) { /* requests under way hear the reason */
        link->is_led = true;
        netron_conn_close(link->conn, why);
        return;
    }
    if (link->state == LINK_FINDING || link->state == LINK_CONNECTING || link->state == LINK_GREETING)
        fall_back(link, why);
    if (link->state != LINK_WAITING)
        return;
    uint32_t delay = netron_backoff_reconnect(settings->reconnect_min_ms, settings->reconnect_max_ms, link->hurries++,
                                              netron_core_random(link->core));
    if (netron_core_now(link->core) + delay < link->timer.at)
        netron_core_after(link->core, &link->timer, delay);
}

static const struct netron_whereabouts_events whereabouts_events = {.found = on_endpoint, .moved = on_moved};

static void begin(struct netron_link *link)
{
    enter_state(link, LINK_FINDING, "begin");
    netron_core_after(link->core, &link->timer, link->settings->connect_timeout_ms);
    netron_whereabouts_ask(&link->whereabouts);
}

static void look_at_pulse(struct netron_link *link)
{
    uint64_t next = netron_pulse_check(&link->pulse, link->conn, link->settings->ping_interval_ms,
                                       netron_core_now(link->core), "Redis");
    if (next != UINT64_MAX)
        netron_core_after(link->core, &link->timer, next);
}

static void on_timer(void *arg)
{
    struct netron_link *link = arg;
    struct netron_failure why;
    switch (link->state) {
    case LINK_FINDING:
    case LINK_CONNECTING:
    case LINK_GREETING:
        netron_fail(
            &why, NETRON_ETIMEDOUT, "no connection to Redis within %u ms (%s)", link->settings->connect_timeout_ms,
            link->conn != NULL && netron_conn_is_securing(link->conn) ? "the TLS handshake" : state_name(link->state));
        fall_back(link, &why);
        break;
    case LINK_READY:
        look_at_pulse(link);
        break;
    case LINK_WAITING:
        begin(link);
        break;
    case LINK_IDLE:
    case LINK_CLOSED:
        break;
    }
}

int netron_link_new(struct netron_core *core, const struct netron_settings *settings, struct netron_topology *topology,
                    netron_link_role role, const struct netron_link_events *events, void *arg, struct netron_link **out)
{
    struct netron_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        return NETRON_ENOMEM;
    link->core = core;
    link->settings = settings;
    link->role = role;
    link->events = events;
    link->arg = arg;
    netron_fail(&link->failure, NETRON_EDISCONNECTED, "not connected to Redis yet");
    netron_deadline_init(&link->timer, on_timer, link);
    netron_whereabouts_init(&link->whereabouts, core, &settings->redis, topology, &whereabouts_events, link);
    netron_detours_init(&link->detours, core, settings, topology);
    *out = link;
    return 0;
}

void netron_link_open(struct netron_link *link)
{
    if (link->state == LINK_IDLE)
        begin(link);
}

static void destroy(struct netron_grave *grave)
{
    free((char *)grave - offsetof(struct netron_link, grave));
}

void netron_link_free(struct netron_link *link)
{
    struct netron_failure why;
    if (link == NULL)
        return;
    netron_whereabouts_clear(&link->whereabouts);
    enter_state(link, LINK_CLOSED, "freed");
    netron_fail(&why, NETRON_ECANCELLED, "the connection was closed");
    netron_detours_end(&link->detours, &why);
    netron_conn_free(link->conn);
    link->conn = NULL;
    netron_core_bury(link->core, &link->grave, destroy);
}

bool netron_link_is_ready(const struct netron_link *link)
{
    return link->state == LINK_READY;
}

const struct netron_failure *netron_link_failure(const struct netron_link *link)
{
    return &link->failure;
}

int netron_link_send(struct netron_link *link, int argc, const char *const *argv, const size_t *lengths,
                     netron_reply_fn fn, void *arg)
{
    if (link->state != LINK_READY)
        return NETRON_EDISCONNECTED;
    return netron_conn_send(link->conn, argc, argv, lengths, fn, arg, NULL);
}

int netron_link_look(struct netron_link *link, int argc, const char *const *argv, const size_t *lengths,
                     netron_reply_fn fn, void *arg, uint64_t *ticket)
{
    if (link->state != LINK_READY)
        return NETRON_EDISCONNECTED;
    if (is_cluster(link))
        return netron_detours_send(&link->detours, link->conn, argc, argv, lengths, fn, arg, ticket);
    return netron_conn_send(link->conn, argc, argv, lengths, fn, arg, ticket);
}

void netron_link_cancel(struct netron_link *link, uint64_t ticket)
{
    if (is_cluster(link))
        netron_detours_cancel(&link->detours, ticket);
    else if (link->conn != NULL)
        netron_conn_cancel(link->conn, ticket);
}

uint64_t netron_link_whence(const struct netron_link *link)
{
    return link->detours.whence;
}

bool netron_link_is_in_cluster(const struct netron_link *link)
{
    return link->settings->is_in_one_slot && (is_cluster(link) || link->handshake.is_in_cluster);
}

unsigned *netron_link_loading(struct netron_link *link)
{
    return link->state == LINK_READY ? &link->loading : NULL;
}

void netron_link_stream(struct netron_link *link)
{
    if (link->conn != NULL)
        netron_conn_stream(link->conn);
}

void netron_link_doubt(struct netron_link *link, int code)
{
    if (link->state == LINK_READY && code == NETRON_EPROTOCOL)
        netron_conn_doubt(link->conn);
}

void netron_link_fail(struct netron_link *link, const char *script, const struct netron_reply *reply, const char *what,
                      struct netron_failure *why)
{
    int code = netron_permission_fail(link->settings, script, reply, what, why);
    if (!is_cluster(link) && netron_reply_error_is(reply, "MOVED"))
        netron_fail(why, code, "%s: %s (it is a node of a cluster, which a URL %s+cluster:// follows)", what,
                    netron_reply_error(reply), link->settings->redis.tls ? "rediss" : "redis");
    netron_link_doubt(link, code);
}

void netron_link_reject(struct netron_link *link, const struct netron_failure *why)
{
    if (link->conn != NULL)
        netron_conn_close(link->conn, why);
}

void netron_link_leave(struct netron_link *link, const struct netron_failure *why)
{
    if (link->state != LINK_READY)
        return;
    link->is_led = true;
    netron_whereabouts_doubt(&link->whereabouts, why->sentence);
    netron_conn_close(link->conn, why);
}
