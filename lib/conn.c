/* SPDX-License-Identifier: MIT */
#include "conn.h"
#include "bounds.h"
#include "sigpipe.h"
#include "socket.h"
#include "tls.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum conn_state {
    CONN_CONNECTING,
    CONN_SECURING, /* the handshake of TLS */
    CONN_OPEN,
    CONN_CLOSING, /* the socket is closed, the news is not told yet */
    CONN_CLOSED
};

struct netron_conn {
    struct netron_core *core;
    struct netron_grave grave;
    enum conn_state state;
    redisAsyncContext *context; /* NULL from CLOSING on */
    struct netron_tls *tls;     /* NULL without TLS; goes when the context does */
    void *io;
    unsigned interest;
    bool is_tcp;
    bool streams;
    bool has_spoken; /* the server, any byte */
    bool is_doubted; /* a PING is to show whether the answers are in step */
    struct netron_requests requests;
    struct netron_bounds bounds;
    uint64_t begun_at; /* when the reply that is under way began to arrive */
    uint32_t command_timeout_ms;
    uint64_t heard_at;
    struct netron_deadline patience; /* for the oldest request */
    struct netron_deadline farewell; /* tells that the connection is closed */
    struct netron_failure why;
    const struct netron_conn_events *events;
    void *arg;
};

/* ---- the hooks of hiredis: it says what it wants to wait for ---- */

static void change_interest(struct netron_conn *conn, unsigned interest)
{
    if (conn->io == NULL || conn->interest == interest)
        return;
    struct netron_failure why;
    if (conn->core->loop->io_update(conn->core->loop, conn->io, interest) == 0) {
        conn->interest = interest;
    } else {
        netron_fail(&why, NETRON_ELOOP, "the event loop refused to watch the connection");
        netron_conn_close(conn, &why);
    }
}

static void on_add_read(void *arg)
{
    struct netron_conn *conn = arg;
    change_interest(conn, conn->interest | NETRON_READABLE);
}

static void on_remove_read(void *arg)
{
    struct netron_conn *conn = arg;
    change_interest(conn, conn->interest & ~NETRON_READABLE);
}

static void on_add_write(void *arg)
{
    struct netron_conn *conn = arg;
    change_interest(conn, conn->interest | NETRON_WRITABLE);
}

static void on_remove_write(void *arg)
{
    struct netron_conn *conn = arg;
    change_interest(conn, conn->interest & ~NETRON_WRITABLE);
}

/* What has to go while the descriptor is still open. */
static void let_go_of_socket(struct netron_conn *conn)
{
    if (conn->io != NULL)
        conn->core->loop->io_free(conn->core->loop, conn->io);
    conn->io = NULL;
    netron_tls_free(conn->tls);
    conn->tls = NULL;
}

/* What hiredis says of its context or reader, as a code of ours. */
static int code_of(int error, int otherwise)
{
    return error == REDIS_ERR_OOM ? NETRON_ENOMEM : otherwise;
}

static void fail_by_context(const struct netron_conn *conn, struct netron_failure *why)
{
    const redisContext *context = &conn->context->c;
    /* Which is what a port of TLS does when it is spoken to in plain. */
    bool is_abrupt = conn->state == CONN_OPEN && conn->is_tcp && !conn->has_spoken;
    netron_fail(why, code_of(context->err, NETRON_EDISCONNECTED), "connection to Redis lost: %s%s",
                context->errstr[0] != '\0' ? context->errstr : "closed",
                is_abrupt ? ", before it said anything (does this port want TLS, rediss://?)" : "");
}

/* hiredis tears its context down by itself: a write failed, or a connect. The context dies when this returns. */
static void on_context_dying(void *arg)
{
    struct netron_conn *conn = arg;
    struct netron_failure why;
    fail_by_context(conn, &why);
    let_go_of_socket(conn);
    conn->context = NULL;
    netron_conn_close(conn, &why);
}

static void release_context(struct netron_conn *conn)
{
    let_go_of_socket(conn);
    redisAsyncContext *context = conn->context;
    conn->context = NULL;
    if (context == NULL)
        return;
    memset(&context->ev, 0, sizeof(context->ev));
    redisAsyncFree(context);
}

/* ---- closing: one door ---- */

void netron_conn_close(struct netron_conn *conn, const struct netron_failure *why)
{
    if (conn->state == CONN_CLOSING || conn->state == CONN_CLOSED)
        return;
    conn->state = CONN_CLOSING;
    conn->why = *why;
    /* Nobody may hear later what was said in vain: by then it has been said again over another connection, or is not
     * true any more. */
    if (why->code == NETRON_ETIMEDOUT && conn->is_tcp && conn->context != NULL)
        netron_socket_take_back(conn->context->c.fd);
    netron_core_cancel(conn->core, &conn->patience);
    netron_core_after(conn->core, &conn->farewell, 0);
}

static void fail_requests(struct netron_conn *conn, const struct netron_failure *why)
{
    struct netron_request request;
    while (netron_requests_pop(&conn->requests, &request))
        if (request.fn != NULL)
            request.fn(request.arg, NULL, why);
}

static void on_farewell(void *arg)
{
    struct netron_conn *conn = arg;
    release_context(conn);
    fail_requests(conn, &conn->why);
    if (conn->state != CONN_CLOSING) /* freed by one of them */
        return;
    conn->state = CONN_CLOSED;
    conn->events->closed(conn->arg, &conn->why);
}

static void destroy(struct netron_grave *grave)
{
    struct netron_conn *conn = (struct netron_conn *)((char *)grave - offsetof(struct netron_conn, grave));
    netron_requests_clear(&conn->requests);
    free(conn);
}

void netron_conn_free(struct netron_conn *conn)
{
    if (conn == NULL)
        return;
    conn->state = CONN_CLOSED;
    release_context(conn);
    netron_core_cancel(conn->core, &conn->patience);
    netron_core_cancel(conn->core, &conn->farewell);
    struct netron_failure why;
    netron_fail(&why, NETRON_ECANCELLED, "the connection was closed");
    fail_requests(conn, &why);
    netron_core_bury(conn->core, &conn->grave, destroy);
}

/* ---- opening ---- */

static redisAsyncContext *connect_to(const struct netron_endpoint *endpoint)
{
    if (endpoint->path != NULL)
        return redisAsyncConnectUnix(endpoint->path);
    return redisAsyncConnect(endpoint->address, endpoint->port);
}

/* Makes what the connection consists of: the context with its socket, and the TLS that goes over it. */
static int make_socket(struct netron_conn *conn, const struct netron_endpoint *endpoint,
                       const struct netron_settings *settings, struct netron_failure *why)
{
    const struct netron_socket_patience patience = {.idle_ms = settings->ping_interval_ms,
                                                    .user_timeout_ms = settings->tcp_user_timeout_ms};
    const char *name = endpoint->name != NULL ? endpoint->name : endpoint->address;
    conn->is_tcp = endpoint->path == NULL;
    if (conn->is_tcp && settings->redis.tls && netron_tls_new(&settings->tls, name, &conn->tls, why) != 0)
        return why->code;
    redisAsyncContext *context = conn->context = connect_to(endpoint);
    if (context == NULL)
        return netron_fail(why, NETRON_ENOMEM, "no memory for a connection to Redis");
    if (context->err != 0)
        return netron_fail(why, code_of(context->err, NETRON_EDISCONNECTED), "cannot connect: %s", context->errstr);
    context->c.fd = netron_socket_prepare(context->c.fd, conn->is_tcp ? &patience : NULL);
    return 0;
}

static void on_io(unsigned events, void *arg);
static void on_patience(void *arg);

static int watch(struct netron_conn *conn, struct netron_failure *why)
{
    redisAsyncContext *context = conn->context;
    conn->interest = NETRON_WRITABLE;
    conn->io = conn->core->loop->io_new(conn->core->loop, context->c.fd, conn->interest, on_io, conn);
    if (conn->io == NULL)
        return netron_fail(why, NETRON_ELOOP, "the event loop refused to watch the connection");
    context->ev.data = conn;
    context->ev.addRead = on_add_read;
    context->ev.delRead = on_remove_read;
    context->ev.addWrite = on_add_write;
    context->ev.delWrite = on_remove_write;
    context->ev.cleanup = on_context_dying;
    return 0;
}

int netron_conn_open(struct netron_core *core, const struct netron_endpoint *endpoint,
                     const struct netron_settings *settings, const struct netron_conn_events *events, void *arg,
                     struct netron_conn **out, struct netron_failure *why)
{
    struct netron_conn *conn = calloc(1, sizeof(*conn));
    if (conn == NULL)
        return netron_fail(why, NETRON_ENOMEM, "no memory for a connection to Redis");
    conn->core = core;
    conn->command_timeout_ms = settings->command_timeout_ms;
    conn->events = events;
    conn->arg = arg;
    conn->heard_at = netron_core_now(core);
    netron_deadline_init(&conn->patience, on_patience, conn);
    netron_deadline_init(&conn->farewell, on_farewell, conn);
    if (make_socket(conn, endpoint, settings, why) != 0 || watch(conn, why) != 0) {
        release_context(conn);
        free(conn);
        return why->code;
    }
    netron_bounds_set(&conn->bounds, conn->context->c.reader);
    *out = conn;
    return 0;
}

/* Whether the socket is connected by now. hiredis 0.14.1 takes any wake-up without an error for success. */
static bool has_connected(struct netron_conn *conn)
{
    bool is_connected = false;
    int error = netron_socket_connection(conn->context->c.fd, conn->is_tcp, &is_connected);
    if (error != 0) {
        struct netron_failure why;
        netron_fail(&why, NETRON_EDISCONNECTED, "cannot connect: %s", strerror(error));
        netron_conn_close(conn, &why);
    }
    return is_connected;
}

/* ---- the traffic ---- */

/* hiredis learns that it is connected, and begins to read. */
static void greet(struct netron_conn *conn)
{
    struct netron_sigpipe guard;
    netron_sigpipe_block(&guard);
    redisAsyncHandleWrite(conn->context);
    netron_sigpipe_restore(&guard, conn->context == NULL);
}

/* From here on it can be used, unless the handshake waits or has failed. */
static void secure(struct netron_conn *conn)
{
    struct netron_failure why;
    unsigned interest = 0;
    if (conn->tls != NULL && netron_tls_handshake(conn->tls, &conn->context->c, &interest, &why) != 0) {
        netron_conn_close(conn, &why);
        return;
    }
    change_interest(conn, interest != 0 ? interest : NETRON_READABLE);
    if (interest != 0 || conn->state != CONN_SECURING)
        return;
    conn->state = CONN_OPEN;
    conn->heard_at = netron_core_now(conn->core);
    conn->events->opened(conn->arg);
}

/* Gives one reply to the request that waits for it. */
static void dispatch(struct netron_conn *conn, const struct netron_reply *reply)
{
    struct netron_request request;
    if (netron_reply_error(reply) != NULL) {
        const struct netron_request *refused = netron_requests_first(&conn->requests);
        if (conn->events->refused != NULL)
            conn->events->refused(conn->arg, reply, refused != NULL ? refused->command : "Redis");
        if (conn->state == CONN_CLOSED)
            return;
    }
    if (netron_requests_pop(&conn->requests, &request)) {
        if (request.fn != NULL)
            request.fn(request.arg, reply, NULL);
    } else if (conn->streams) {
        conn->events->message(conn->arg, reply);
    } else {
        struct netron_failure why;
        if (netron_reply_error(reply) != NULL) /* such as "max number of clients reached", said before any command */
            netron_reply_fail(reply, "Redis closed the connection", &why);
        else
            netron_fail(&why, NETRON_EPROTOCOL, "Redis sent a reply that nothing asked for");
        netron_conn_close(conn, &why);
    }
}

/* When something has to be there; UINT64_MAX: nothing has to. A message counts from its first byte: one whose rest
 * never comes would swallow all that follow it, and the PONGs with them. */
static uint64_t due(const struct netron_conn *conn)
{
    const struct netron_request *oldest = netron_requests_first(&conn->requests);
    if (oldest != NULL)
        return oldest->due;
    return conn->streams && conn->bounds.bytes > 0 ? conn->begun_at + conn->command_timeout_ms : UINT64_MAX;
}

static void fail_by_reader(const struct netron_conn *conn, const redisReader *reader, struct netron_failure *why)
{
    const char *excess = conn->bounds.excess;
    if (excess == NULL && reader->err == REDIS_ERR_OOM)
        netron_fail(why, NETRON_ENOMEM, "no memory for a reply of Redis");
    else
        netron_fail(why, NETRON_EPROTOCOL, "Redis sent what is no Redis protocol: %s",
                    excess != NULL ? excess : reader->errstr);
}

static void parse_replies(struct netron_conn *conn)
{
    struct netron_failure why;
    while (conn->state == CONN_OPEN) {
        redisReader *reader = conn->context->c.reader;
        void *reply = NULL;
        if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
            fail_by_reader(conn, reader, &why);
            netron_conn_close(conn, &why);
        }
        if (reply == NULL)
            break;
        netron_bounds_finished(&conn->bounds, reader);
        conn->begun_at = netron_core_now(conn->core);
        dispatch(conn, reply);
        freeReplyObject(reply);
    }
    if (conn->state == CONN_OPEN && netron_bounds_is_endless(&conn->bounds, conn->context->c.reader)) {
        netron_fail(&why, NETRON_EPROTOCOL, "Redis sent a reply without end");
        netron_conn_close(conn, &why);
    }
}

/* What is read goes to hiredis' reader. */
static int receive(struct netron_conn *conn, struct netron_failure *why)
{
    redisContext *context = &conn->context->c;
    if (conn->tls != NULL)
        return netron_tls_read(conn->tls, context, why);
    if (redisBufferRead(context) == REDIS_OK)
        return 0;
    fail_by_context(conn, why);
    return why->code;
}

static void read_in(struct netron_conn *conn)
{
    redisContext *context = &conn->context->c;
    size_t before = context->reader->len;
    struct netron_failure why;
    if (receive(conn, &why) != 0) {
        netron_conn_close(conn, &why);
        return;
    }
    /* Bytes are the sign of life; a wake-up without any is none. */
    size_t arrived = context->reader->len - before;
    if (arrived > 0) {
        conn->heard_at = netron_core_now(conn->core);
        conn->has_spoken = true;
    }
    if (conn->bounds.bytes == 0)
        conn->begun_at = conn->heard_at;
    netron_bounds_arrived(&conn->bounds, arrived);
    parse_replies(conn);
    if (conn->state == CONN_OPEN && !conn->patience.set && due(conn) != UINT64_MAX)
        netron_core_after(conn->core, &conn->patience, conn->command_timeout_ms);
}

/* Not redisAsyncHandleWrite(), which would end the context at a failure, and with it what Redis said before it hung up:
 * that it is full, for one. */
static int transmit(struct netron_conn *conn, unsigned *interest, struct netron_failure *why)
{
    redisContext *context = &conn->context->c;
    if (conn->tls != NULL) {
        int code = netron_tls_write(conn->tls, context, why);
        if (code == 0)
            *interest = netron_tls_interest(conn->tls, context);
        return code;
    }
    struct netron_sigpipe guard;
    int is_done = 0;
    netron_sigpipe_block(&guard);
    bool has_failed = redisBufferWrite(context, &is_done) != REDIS_OK;
    netron_sigpipe_restore(&guard, has_failed);
    *interest = NETRON_READABLE | (is_done ? 0 : NETRON_WRITABLE);
    if (!has_failed)
        return 0;
    fail_by_context(conn, why);
    return why->code;
}

static void write_out(struct netron_conn *conn)
{
    redisContext *context = &conn->context->c;
    struct netron_failure why;
    unsigned interest;
    /* Not before: a host that kept its loop after the call would take its own delay for that of Redis. */
    netron_requests_send(&conn->requests, netron_core_now(conn->core) + conn->command_timeout_ms);
    if (!conn->patience.set && due(conn) != UINT64_MAX)
        netron_core_after(conn->core, &conn->patience, conn->command_timeout_ms);
    if (transmit(conn, &interest, &why) == 0) {
        change_interest(conn, interest);
        return;
    }
    /* Without memory hiredis has lost its buffer: whoever answered what is read now would write to none. */
    while (conn->state == CONN_OPEN && why.code != NETRON_ENOMEM && netron_conn_has_unread(conn)) {
        context->err = 0;
        read_in(conn);
    }
    netron_conn_close(conn, &why); /* unless that did */
}

static void exchange(struct netron_conn *conn, unsigned events)
{
    /* Reading comes first: a server that hangs up has often said why. With TLS reading may wait for writing. */
    if ((events & NETRON_READABLE) || conn->tls != NULL || netron_conn_has_unread(conn))
        read_in(conn);
    if (conn->state == CONN_OPEN && conn->tls != NULL)
        change_interest(conn, netron_tls_interest(conn->tls, &conn->context->c));
    if (conn->state == CONN_OPEN && (events & NETRON_WRITABLE))
        write_out(conn);
}

static void on_io(unsigned events, void *arg)
{
    struct netron_conn *conn = arg;
    struct netron_core *core = conn->core;
    netron_core_enter(core);
    if (conn->state == CONN_CONNECTING && has_connected(conn)) {
        conn->state = CONN_SECURING;
        greet(conn);
        if (conn->state == CONN_SECURING)
            secure(conn);
    } else if (conn->state == CONN_SECURING) {
        secure(conn);
    } else if (conn->state == CONN_OPEN) {
        exchange(conn, events);
    }
    if (conn->state == CONN_CLOSING) /* told by the farewell; until then a broken descriptor must not spin */
        release_context(conn);
    netron_core_leave(core);
}

/* Unless we do not want to read: then what is there stays unread for a reason. */
bool netron_conn_has_unread(const struct netron_conn *conn)
{
    int unread = 0;
    return conn->context != NULL && (conn->interest & NETRON_READABLE) &&
           ioctl(conn->context->c.fd, FIONREAD, &unread) == 0 && unread > 0;
}

/* Every request has the same patience, so the oldest is due first: one deadline serves all, moved only when it fires.
 */
static void on_patience(void *arg)
{
    struct netron_conn *conn = arg;
    uint64_t now = netron_core_now(conn->core);
    uint64_t at = due(conn);
    if (at == UINT64_MAX)
        return;
    if (at > now) {
        netron_core_after(conn->core, &conn->patience, at - now);
        return;
    }
    if (netron_conn_has_unread(conn)) { /* the answer may be there: it was us who were late */
        netron_core_after(conn->core, &conn->patience, 0);
        return;
    }
    struct netron_failure why;
    netron_fail(&why, NETRON_ETIMEDOUT, "Redis did not %s within %u ms",
                netron_requests_first(&conn->requests) != NULL ? "answer" : "end a message", conn->command_timeout_ms);
    netron_conn_close(conn, &why);
}

static int append(struct netron_conn *conn, int argc, const char *const *argv, const size_t *lengths)
{
    /* The interface of hiredis lacks a const here; it changes nothing. */
    union {
        const char *const *given;
        const char **taken;
    } arguments = {.given = argv};
    if (redisAppendCommandArgv(&conn->context->c, argc, arguments.taken, lengths) != REDIS_OK) {
        struct netron_failure why;
        netron_fail(&why, NETRON_ENOMEM, "no memory for a command");
        netron_conn_close(conn, &why); /* hiredis marks the context as failed, whether bytes were added or not */
        return NETRON_ENOMEM;
    }
    on_add_write(conn);
    return 0;
}

int netron_conn_send(struct netron_conn *conn, int argc, const char *const *argv, const size_t *lengths,
                     netron_reply_fn fn, void *arg, uint64_t *ticket)
{
    if (conn->state != CONN_OPEN)
        return NETRON_EDISCONNECTED;
    int code = netron_requests_reserve(&conn->requests);
    if (code != 0)
        return code;
    code = append(conn, argc, argv, lengths);
    if (code != 0)
        return code;
    const struct netron_request request = {.command = argv[0], .fn = fn, .arg = arg, .due = NETRON_REQUEST_UNSENT};
    uint64_t given = netron_requests_push(&conn->requests, &request);
    if (ticket != NULL)
        *ticket = given;
    return 0;
}

void netron_conn_cancel(struct netron_conn *conn, uint64_t ticket)
{
    netron_requests_cancel(&conn->requests, ticket);
}

void netron_conn_stream(struct netron_conn *conn)
{
    conn->streams = true;
}

/* That bytes came, or that the connection broke, is noted elsewhere. But an answer to something else shows that one is
 * missing, or was swallowed by another: all further ones would go to the wrong requests. */
static void on_pong(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_conn *conn = arg;
    struct netron_failure why;
    (void)failure;
    conn->is_doubted = false;
    if (reply == NULL || netron_reply_error(reply) != NULL || netron_reply_is_text(reply, "PONG"))
        return;
    netron_fail(&why, NETRON_EPROTOCOL, "Redis answered a PING with something else: its answers are out of step");
    netron_conn_close(conn, &why);
}

int netron_conn_ping(struct netron_conn *conn)
{
    static const char *const ping[] = {"PING"};
    static const size_t lengths[] = {4};
    if (!conn->streams)
        return netron_conn_send(conn, 1, ping, lengths, on_pong, conn, NULL);
    /* No place in the queue: a message can come before the answer, and the answer is one of the messages. */
    return conn->state == CONN_OPEN ? append(conn, 1, ping, lengths) : NETRON_EDISCONNECTED;
}

void netron_conn_doubt(struct netron_conn *conn)
{
    if (!conn->streams && !conn->is_doubted)
        conn->is_doubted = netron_conn_ping(conn) == 0;
}

bool netron_conn_is_securing(const struct netron_conn *conn)
{
    return conn->state == CONN_SECURING;
}

uint64_t netron_conn_heard_at(const struct netron_conn *conn)
{
    return conn->heard_at;
}
