/* SPDX-License-Identifier: MIT */
/*
 * One connection to Redis, from connect to closed. It is never used again after that; link makes the next one.
 *
 * What hiredis does here: its async context connects, buffers and writes the commands through the event hooks, and its
 * reader parses what arrives. What it does not do here is match replies to requests: hiredis 0.14.1 aborts the process
 * on replies that nobody asked for and on unexpected Pub/Sub shapes, swallows PONGs on a subscribed connection, and
 * frees itself under its own callbacks. So replies are taken from its reader, at the top level, and go to the requests
 * in order. No callback of hiredis ever reaches the rooms above, and every byte of a server is survivable.
 */
#ifndef NETRON_LIB_CONN_H
#define NETRON_LIB_CONN_H

#include "core.h"
#include "request.h"
#include "settings.h"

struct netron_conn;

/* Where to connect: a path, or a numeric address with a port. Borrowed for the call. */
struct netron_endpoint {
    const char *path;
    const char *address;
    uint16_t port;
    const char *name; /* of the host, which a certificate has to be of where there is TLS; NULL: the address */
};

/* All are called from the top level; each may free the connection, or everything. */
struct netron_conn_events {
    void (*opened)(void *arg); /* the handshake of TLS included */
    /* Once, after every request in flight has been failed with the same reason; not after netron_conn_free(). */
    void (*closed)(void *arg, const struct netron_failure *why);
    /* An error reply to that command, before its request hears of it: some mean that the whole connection is of no use.
     * NULL: the requests alone hear of it. */
    void (*refused)(void *arg, const struct netron_reply *reply, const char *command);
    /* What arrives unasked once netron_conn_stream() was called; before, that ends the connection. */
    void (*message)(void *arg, const struct netron_reply *reply);
};

/*
 * Begins to connect, with TLS when the URL of the settings says so. Of them are also command_timeout_ms (a request
 * unanswered for so long ends the connection) and what TCP is to bear; they outlive the call only.
 * Returns 0; NETRON_EDISCONNECTED (the attempt failed at once; where, the caller knows and tells), NETRON_ETLS (a file
 * is not there or does not fit), NETRON_ENOMEM, NETRON_ELOOP. Between enter and leave.
 */
int netron_conn_open(struct netron_core *core, const struct netron_endpoint *endpoint,
                     const struct netron_settings *settings, const struct netron_conn_events *events, void *arg,
                     struct netron_conn **out, struct netron_failure *why);

/* Closes the socket. Requests in flight are failed with NETRON_ECANCELLED from inside; closed is not called. */
void netron_conn_free(struct netron_conn *conn);

/* Ends the connection for this reason; closed is called from the top level. */
void netron_conn_close(struct netron_conn *conn, const struct netron_failure *why);

/*
 * Sends a command; fn is called once with the reply. argv[0] is a constant. ticket may be NULL.
 * Returns 0; NETRON_EDISCONNECTED, NETRON_EOVERLOAD, NETRON_ENOMEM: then nothing was sent.
 */
int netron_conn_send(struct netron_conn *conn, int argc, const char *const *argv, const size_t *lengths,
                     netron_reply_fn fn, void *arg, uint64_t *ticket);
void netron_conn_cancel(struct netron_conn *conn, uint64_t ticket);

/* From now on what no request waits for is a message, and PING is answered by one. */
void netron_conn_stream(struct netron_conn *conn);
/* Sends PING; whatever arrives is proof of life, see netron_conn_heard_at(). */
int netron_conn_ping(struct netron_conn *conn);
/* An answer had the wrong shape for its request: ends the connection if the answers are out of step with the requests.
 */
void netron_conn_doubt(struct netron_conn *conn);
/* Whether bytes wait in the socket: then silence is our own, not the server's. */
bool netron_conn_has_unread(const struct netron_conn *conn);
/* Whether it is connected, and the handshake of TLS is under way. */
bool netron_conn_is_securing(const struct netron_conn *conn);
/* When the last byte arrived (or the connection was opened), ms of the loop's clock. */
uint64_t netron_conn_heard_at(const struct netron_conn *conn);

#endif
