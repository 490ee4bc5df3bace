/* SPDX-License-Identifier: MIT */
#include "visit.h"

static void enter_state(struct netron_visit *visit, enum netron_visit_state state, const char *why)
{
    static const char *const names[] = {"idle", "finding", "connecting", "greeting", "ready"};
    netron_log(&visit->core->log, NETRON_LOG_DEBUG, "visit to %s:%u: %s -> %s (%s)", visit->at.host,
               (unsigned)visit->at.port, names[visit->state], names[state], why);
    visit->state = state;
}

/* Requests under way are failed from inside, by the connection's end; they find no visit any more. */
void netron_visit_end(struct netron_visit *visit)
{
    struct netron_conn *conn = visit->conn;
    if (visit->state == NETRON_VISIT_IDLE)
        return;
    enter_state(visit, NETRON_VISIT_IDLE, "ended");
    netron_resolution_stop(&visit->resolution);
    netron_core_cancel(visit->core, &visit->patience);
    visit->conn = NULL;
    netron_conn_free(conn);
}

static void fail(struct netron_visit *visit, const struct netron_failure *why)
{
    const struct netron_failure reason = *why; /* it may be one of the connection that ends here */
    if (visit->state == NETRON_VISIT_IDLE)
        return;
    netron_visit_end(visit);
    visit->events->ended(visit->arg, &reason);
}

static void on_patience(void *arg)
{
    struct netron_visit *visit = arg;
    struct netron_failure why;
    netron_fail(&why, NETRON_ETIMEDOUT, "no connection within %u ms", visit->settings->connect_timeout_ms);
    fail(visit, &why);
}

/* ---- from the connection ---- */

static void on_greeted(void *arg, const struct netron_failure *failure)
{
    struct netron_visit *visit = arg;
    if (visit->state != NETRON_VISIT_GREETING)
        return;
    if (failure != NULL) {
        fail(visit, failure);
        return;
    }
    enter_state(visit, NETRON_VISIT_READY, "greeted");
    netron_core_cancel(visit->core, &visit->patience);
    visit->events->ready(visit->arg);
}

static void on_opened(void *arg)
{
    struct netron_visit *visit = arg;
    struct netron_failure why;
    enter_state(visit, NETRON_VISIT_GREETING, "connected");
    int code = netron_handshake_begin(&visit->handshake, visit->conn, visit->settings, NETRON_LINK_COMMANDS, on_greeted,
                                      visit, &why);
    if (code != 0)
        fail(visit, &why); /* nothing, if all is freed already */
}

static void on_closed(void *arg, const struct netron_failure *why)
{
    fail(arg, why);
}

static const struct netron_conn_events conn_events = {.opened = on_opened, .closed = on_closed};

/* ---- beginning ---- */

static void on_endpoint(void *arg, const struct netron_endpoint *endpoint, const struct netron_failure *failure)
{
    struct netron_visit *visit = arg;
    struct netron_failure why;
    if (endpoint == NULL) {
        fail(visit, failure);
        return;
    }
    enter_state(visit, NETRON_VISIT_CONNECTING, endpoint->address);
    if (netron_conn_open(visit->core, endpoint, visit->settings, &conn_events, visit, &visit->conn, &why) != 0)
        fail(visit, &why);
}

void netron_visit_init(struct netron_visit *visit, struct netron_core *core, const struct netron_settings *settings,
                       const struct netron_visit_events *events, void *arg)
{
    *visit = (struct netron_visit){.core = core, .settings = settings, .events = events, .arg = arg};
    netron_deadline_init(&visit->patience, on_patience, visit);
    netron_resolution_init(&visit->resolution, core, on_endpoint, visit);
}

void netron_visit_begin(struct netron_visit *visit, const struct netron_location *at)
{
    netron_visit_end(visit);
    visit->at = *at;
    enter_state(visit, NETRON_VISIT_FINDING, "begin");
    netron_core_after(visit->core, &visit->patience, visit->settings->connect_timeout_ms);
    netron_resolution_ask(&visit->resolution, visit->at.host, visit->at.port);
}

int netron_visit_send(struct netron_visit *visit, int argc, const char *const *argv, const size_t *lengths,
                      netron_reply_fn fn, void *arg)
{
    if (visit->state != NETRON_VISIT_READY)
        return NETRON_EDISCONNECTED;
    return netron_conn_send(visit->conn, argc, argv, lengths, fn, arg, NULL);
}
