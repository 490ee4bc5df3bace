/* SPDX-License-Identifier: MIT */
#include "conn.h"
#include "bounds.h"
#include "sigpipe.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum conn_state {
    CONN_CONNECTING,
    CONN_OPEN,
    CONN_CLOSING, /* the socket is closed, the news is not told yet */
    CONN_CLOSED
};

struct netron_conn {
    struct netron_core *core;
    struct netron_grave grave;
    enum conn_state state;
    redisAsyncContext *context; /* NULL from CLOSING on */
    void *io;
    unsigned interest;
    bool is_tcp;
    bool streams;
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

static void unwatch(struct netron_conn *conn)
{
    if (conn->io != NULL)
        conn->core->loop->io_free(conn->core->loop, conn->io);
    conn->io = NULL;
}

/* What hiredis says of its context or reader, as a code of ours. */
static int code_of(int error, int otherwise)
{
    return error == REDIS_ERR_OOM ? NETRON_ENOMEM : otherwise;
}

static void fail_by_context(const redisContext *context, struct netron_failure *why)
{
    netron_fail(why, code_of(context->err, NETRON_EDISCONNECTED), "connection to Redis lost: %s",
                context->errstr[0] != '\0' ? context->errstr : "closed");
}

/* hiredis tears its context down by itself: a write failed, or a connect. The context dies when this returns. */
static void on_context_dying(void *arg)
{
    struct netron_conn *conn = arg;
    struct netron_failure why;
    fail_by_context(&conn->context->c, &why);
    unwatch(conn);
    conn->context = NULL;
    netron_conn_close(conn, &why);
}

static void release_context(struct netron_conn *conn)
{
    unwatch(conn); /* first, for the descriptor must still be open then */
    redisAsyncContext *context = conn->context;
    conn->context = NULL;
    if (context == NULL)
        return;
    memset(&context->ev, 0, sizeof(context->ev));
    redisAsyncFree(context);
}

/* ---- closing: one door ---- */

/* Nobody may hear later what was said in vain: by then it has been said again over another connection, or is not true
 * any more. An orderly end would let the system go on delivering it for minutes. */
static void take_back_what_is_unsent(const struct netron_conn *conn)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (conn->is_tcp && conn->context != NULL)
        setsockopt(conn->context->c.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void netron_conn_close(struct netron_conn *conn, const struct netron_failure *why)
{
    if (conn->state == CONN_CLOSING || conn->state == CONN_CLOSED)
        return;
    conn->state = CONN_CLOSING;
    conn->why = *why;
    if (why->code == NETRON_ETIMEDOUT)
        take_back_what_is_unsent(conn);
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

static void set_socket_options(struct netron_conn *conn)
{
    int fd = conn->context->c.fd;
    int flags = fcntl(fd, F_GETFD);
    if (flags != -1)
        fcntl(fd, F_SETFD, flags | FD_CLOEXEC); /* hiredis leaves it open for child processes */
    /* In a process that closed its standard input the socket can be 0, which hiredis 0.14.1 never closes. */
    int moved = fd == 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (moved != -1) {
        close(fd);
        fd = conn->context->c.fd = moved;
    }
    if (conn->is_tcp) {
        /* Not redisEnableKeepAlive(): where one of its options is missing it poisons the context. */
        int on = 1;
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
}

static void on_io(unsigned events, void *arg);
static void on_patience(void *arg);

int netron_conn_open(struct netron_core *core, const struct netron_endpoint *endpoint, uint32_t command_timeout_ms,
                     const struct netron_conn_events *events, void *arg, struct netron_conn **out,
                     struct netron_failure *why)
{
    struct netron_conn *conn = calloc(1, sizeof(*conn));
    redisAsyncContext *context = conn != NULL ? connect_to(endpoint) : NULL;
    if (context == NULL) {
        free(conn);
        return netron_fail(why, NETRON_ENOMEM, "no memory for a connection to Redis");
    }
    if (context->err != 0) {
        netron_fail(why, code_of(context->err, NETRON_EDISCONNECTED), "cannot connect to Redis: %s", context->errstr);
        goto failed;
    }
    conn->core = core;
    conn->context = context;
    conn->is_tcp = endpoint->path == NULL;
    conn->command_timeout_ms = command_timeout_ms;
    conn->events = events;
    conn->arg = arg;
    conn->heard_at = netron_core_now(core);
    netron_deadline_init(&conn->patience, on_patience, conn);
    netron_deadline_init(&conn->farewell, on_farewell, conn);
    set_socket_options(conn);
    netron_bounds_set(&conn->bounds, context->c.reader);
    conn->interest = NETRON_WRITABLE;
    conn->io = core->loop->io_new(core->loop, context->c.fd, conn->interest, on_io, conn);
    if (conn->io == NULL) {
        netron_fail(why, NETRON_ELOOP, "the event loop refused to watch the connection");
        goto failed;
    }
    context->ev.data = conn;
    context->ev.addRead = on_add_read;
    context->ev.delRead = on_remove_read;
    context->ev.addWrite = on_add_write;
    context->ev.delWrite = on_remove_write;
    context->ev.cleanup = on_context_dying;
    *out = conn;
    return 0;

failed:
    redisAsyncFree(context);
    free(conn);
    return why->code;
}

/* Whether the socket is connected by now. hiredis 0.14.1 takes any wake-up without an error for success. */
static bool has_connected(struct netron_conn *conn)
{
    int fd = conn->context->c.fd;
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    if (error != 0) {
        struct netron_failure why;
        netron_fail(&why, NETRON_EDISCONNECTED, "cannot connect to Redis: %s", strerror(error));
        netron_conn_close(conn, &why);
        return false;
    }
    struct sockaddr_storage peer;
    length = sizeof(peer);
    if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0)
        return true;
    /* hiredis 1.3 takes a Unix socket whose server has no room for it for one that connects; nothing will come. */
    if (!conn->is_tcp) {
        struct netron_failure why;
        netron_fail(&why, NETRON_EDISCONNECTED, "cannot connect to Redis: %s", strerror(EAGAIN));
        netron_conn_close(conn, &why);
    }
    return false;
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

/* Gives one reply to the request that waits for it. */
static void dispatch(struct netron_conn *conn, const struct netron_reply *reply)
{
    struct netron_request request;
    if (netron_reply_error(reply) != NULL) {
        const struct netron_request *refused = netron_requests_first(&conn->requests);
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

/* When something has to be there. A message counts from its first byte: one whose rest never comes would swallow all
 * that follow it, and the PONGs with them. */
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

static void read_in(struct netron_conn *conn)
{
    redisContext *context = &conn->context->c;
    size_t before = context->reader->len;
    if (redisBufferRead(context) != REDIS_OK) {
        struct netron_failure why;
        fail_by_context(context, &why);
        netron_conn_close(conn, &why);
        return;
    }
    /* Bytes are the sign of life; a wake-up without any is none. */
    size_t arrived = context->reader->len - before;
    if (arrived > 0)
        conn->heard_at = netron_core_now(conn->core);
    if (conn->bounds.bytes == 0)
        conn->begun_at = conn->heard_at;
    netron_bounds_arrived(&conn->bounds, arrived);
    parse_replies(conn);
    if (conn->state == CONN_OPEN && !conn->patience.set && due(conn) != UINT64_MAX)
        netron_core_after(conn->core, &conn->patience, conn->command_timeout_ms);
}

/* Not redisAsyncHandleWrite(), which would end the context at a failure, and with it what Redis said before it hung up:
 * that it is full, for one. */
static void write_out(struct netron_conn *conn)
{
    redisContext *context = &conn->context->c;
    struct netron_sigpipe guard;
    int is_done = 0;
    netron_sigpipe_block(&guard);
    bool has_failed = redisBufferWrite(context, &is_done) != REDIS_OK;
    netron_sigpipe_restore(&guard, has_failed);
    if (!has_failed) {
        change_interest(conn, NETRON_READABLE | (is_done ? 0 : NETRON_WRITABLE));
        return;
    }
    struct netron_failure why;
    fail_by_context(context, &why);
    while (conn->state == CONN_OPEN && netron_conn_has_unread(conn)) {
        context->err = 0;
        read_in(conn);
    }
    netron_conn_close(conn, &why); /* unless that did */
}

static void on_io(unsigned events, void *arg)
{
    struct netron_conn *conn = arg;
    struct netron_core *core = conn->core;
    netron_core_enter(core);
    if (conn->state == CONN_CONNECTING && has_connected(conn)) {
        conn->state = CONN_OPEN;
        conn->heard_at = netron_core_now(core);
        greet(conn);
        if (conn->state == CONN_OPEN)
            conn->events->opened(conn->arg);
    } else if (conn->state == CONN_OPEN) {
        /* Reading comes first: a server that hangs up has often said why. */
        if ((events & NETRON_READABLE) || netron_conn_has_unread(conn))
            read_in(conn);
        if (conn->state == CONN_OPEN && (events & NETRON_WRITABLE))
            write_out(conn);
    }
    if (conn->state == CONN_CLOSING) /* told by the farewell; until then a broken descriptor must not spin */
        release_context(conn);
    netron_core_leave(core);
}

bool netron_conn_has_unread(const struct netron_conn *conn)
{
    int unread = 0;
    return conn->context != NULL && ioctl(conn->context->c.fd, FIONREAD, &unread) == 0 && unread > 0;
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
    const struct netron_request request = {
        .command = argv[0], .fn = fn, .arg = arg, .due = netron_core_now(conn->core) + conn->command_timeout_ms};
    uint64_t given = netron_requests_push(&conn->requests, &request);
    if (ticket != NULL)
        *ticket = given;
    if (!conn->patience.set && conn->state == CONN_OPEN)
        netron_core_after(conn->core, &conn->patience, conn->command_timeout_ms);
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

uint64_t netron_conn_heard_at(const struct netron_conn *conn)
{
    return conn->heard_at;
}
