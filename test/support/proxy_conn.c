/* SPDX-License-Identifier: MIT */
#include "proxy_conn.h"
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TEXT_MAX 512

enum kind { GREETING, COMMANDS, EVENTS };
enum way { TO_SERVER, TO_CLIENT };

/* What one end says, cut where its messages end. */
struct speech {
    struct evbuffer *said; /* the beginning of a message that is not whole yet */
    redisReader *reader;   /* NULL when it is no Redis protocol: then it goes through as it comes */
};

/* An answer in the server's place, which waits for its turn. */
struct turn {
    struct turn *next;
    unsigned after; /* so many replies of the server */
    size_t length;
    char bytes[];
};

struct proxy_conn {
    struct proxy_realm *realm;
    struct proxy_conn *next;
    enum kind kind;
    struct bufferevent *client;
    struct bufferevent *server; /* each NULL when it is closed */
    bool is_over;               /* what is still there is about to close */
    struct speech speech[2];    /* by the way it goes */
    struct proxy_pipe pipes[2];
    unsigned unanswered; /* commands that went to the server */
    struct turn *turns;
    size_t injection_length; /* into the next reply */
    char *injection;
};

/* ---- the end ---- */

static void close_speech(struct speech *speech)
{
    evbuffer_free(speech->said);
    if (speech->reader != NULL)
        redisReaderFree(speech->reader);
}

static void free_if_over(struct proxy_conn *conn)
{
    struct proxy_conn **place = &conn->realm->conns;
    if (conn->client != NULL || conn->server != NULL)
        return;
    while (*place != conn)
        place = &(*place)->next;
    *place = conn->next;
    for (int way = 0; way < 2; way++) {
        proxy_pipe_close(&conn->pipes[way]);
        close_speech(&conn->speech[way]);
    }
    while (conn->turns != NULL) {
        struct turn *turn = conn->turns;
        conn->turns = turn->next;
        free(turn);
    }
    free(conn->injection);
    free(conn);
}

static void close_side(struct proxy_conn *conn, struct bufferevent **side)
{
    bool is_client = side == &conn->client;
    if (*side == NULL)
        return;
    bufferevent_free(*side);
    *side = NULL;
    conn->pipes[is_client ? TO_CLIENT : TO_SERVER].out = NULL;
    if (is_client && !conn->is_over)
        conn->realm->counts[conn->kind].open--;
}

/* Says goodbye when all is written, then waits for the other to do so too: with unread bytes in it, closing a socket
 * would be a reset. */
static void say_goodbye(struct bufferevent *side)
{
    if (side != NULL && evbuffer_get_length(bufferevent_get_output(side)) == 0)
        shutdown(bufferevent_getfd(side), SHUT_WR);
}

static void on_over(void *arg)
{
    struct proxy_conn *conn = arg;
    if (conn->is_over)
        return;
    if (conn->client != NULL)
        conn->realm->counts[conn->kind].open--;
    conn->is_over = true;
    conn->pipes[TO_SERVER].out = NULL;
    conn->pipes[TO_CLIENT].out = NULL;
    say_goodbye(conn->client);
    say_goodbye(conn->server);
}

static void on_written(struct bufferevent *side, void *arg)
{
    const struct proxy_conn *conn = arg;
    if (conn->is_over)
        say_goodbye(side);
}

/* ---- kinds ---- */

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

static enum kind kind_by(const char *command)
{
    static const char *const greetings[] = {"AUTH ", "HELLO", "SELECT ", "CLIENT "};
    for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++)
        if (begins_with(command, greetings[i]))
            return GREETING;
    return begins_with(command, "SUBSCRIBE ") ? EVENTS : COMMANDS;
}

static void become(struct proxy_conn *conn, enum kind kind)
{
    struct proxy_counts *counts = conn->realm->counts;
    counts[conn->kind].open--;
    counts[kind].open++;
    counts[kind].made++;
    conn->kind = kind;
    for (int way = 0; way < 2; way++) {
        conn->pipes[way].passed = way == TO_SERVER ? &counts[kind].to_server : &counts[kind].to_client;
        proxy_pipe_set_rule(&conn->pipes[way], conn->realm->rules[kind][way]);
    }
}

/* ---- commands ---- */

static void text_of(const redisReply *command, char text[TEXT_MAX])
{
    text[0] = '\0';
    for (size_t i = 0; i < command->elements; i++) {
        size_t length = strlen(text);
        snprintf(text + length, TEXT_MAX - length, "%s%s", i > 0 ? " " : "",
                 command->element[i]->str != NULL ? command->element[i]->str : "");
    }
}

static struct proxy_answer *answer_to(const struct proxy_conn *conn, const char *text)
{
    for (struct proxy_answer *each = conn->realm->answers; each != NULL; each = each->next)
        if ((each->links & (1u << conn->kind)) != 0 && begins_with(text, each->beginning) &&
            (each->is_for_ever || each->times > 0))
            return each;
    return NULL;
}

static void answer_in_turn(struct proxy_conn *conn, const struct proxy_answer *answer)
{
    struct turn **place = &conn->turns;
    if (conn->unanswered == 0 && conn->turns == NULL) {
        proxy_pipe_write(&conn->pipes[TO_CLIENT], answer->bytes, answer->length);
        return;
    }
    struct turn *turn = malloc(sizeof(*turn) + answer->length);
    if (turn == NULL)
        abort();
    *turn = (struct turn){.after = conn->unanswered, .length = answer->length};
    memcpy(turn->bytes, answer->bytes, answer->length);
    while (*place != NULL)
        place = &(*place)->next;
    *place = turn;
}

static void on_command(struct proxy_conn *conn, const redisReply *command, const void *bytes, size_t length)
{
    char text[TEXT_MAX];
    text_of(command, text);
    enum kind kind = conn->kind == GREETING ? kind_by(text) : conn->kind;
    if (kind != conn->kind && !conn->is_over)
        become(conn, kind);
    struct proxy_counts *counts = &conn->realm->counts[conn->kind];
    struct proxy_answer *answer = answer_to(conn, text);
    counts->commands++;
    if (answer == NULL) {
        conn->unanswered++;
        proxy_pipe_write(&conn->pipes[TO_SERVER], bytes, length);
        return;
    }
    if (!answer->is_for_ever)
        answer->times--;
    counts->answered++;
    answer_in_turn(conn, answer);
}

/* ---- replies ---- */

static bool is_message(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 && reply->element[0]->str != NULL &&
           strcmp(reply->element[0]->str, "message") == 0;
}

static void take_turns(struct proxy_conn *conn)
{
    if (conn->unanswered > 0)
        conn->unanswered--;
    for (struct turn *turn = conn->turns; turn != NULL; turn = turn->next)
        turn->after -= turn->after > 0;
    while (conn->turns != NULL && conn->turns->after == 0) {
        struct turn *turn = conn->turns;
        conn->turns = turn->next;
        proxy_pipe_write(&conn->pipes[TO_CLIENT], turn->bytes, turn->length);
        free(turn);
    }
}

static void on_reply(struct proxy_conn *conn, const redisReply *reply, const void *bytes, size_t length)
{
    struct proxy_pipe *pipe = &conn->pipes[TO_CLIENT];
    size_t first = conn->injection != NULL ? length / 2 : length;
    proxy_pipe_write(pipe, bytes, first);
    if (conn->injection != NULL) {
        proxy_pipe_write(pipe, conn->injection, conn->injection_length);
        free(conn->injection);
        conn->injection = NULL;
        proxy_pipe_write(pipe, (const char *)bytes + first, length - first);
    }
    if (!is_message(reply))
        take_turns(conn);
}

/* ---- speech ---- */

static void pass_as_it_is(struct proxy_conn *conn, enum way way)
{
    struct evbuffer *said = conn->speech[way].said;
    size_t length = evbuffer_get_length(said);
    if (length > 0)
        proxy_pipe_write(&conn->pipes[way], evbuffer_pullup(said, -1), length);
    evbuffer_drain(said, length);
}

static void cut_into_messages(struct proxy_conn *conn, enum way way)
{
    struct speech *speech = &conn->speech[way];
    void *message = NULL;
    while (redisReaderGetReply(speech->reader, &message) == REDIS_OK && message != NULL) {
        size_t unread = speech->reader->len - speech->reader->pos;
        size_t length = evbuffer_get_length(speech->said) - unread;
        const void *bytes = evbuffer_pullup(speech->said, (ev_ssize_t)length);
        if (way == TO_SERVER)
            on_command(conn, message, bytes, length);
        else
            on_reply(conn, message, bytes, length);
        evbuffer_drain(speech->said, length);
        freeReplyObject(message);
    }
    if (speech->reader->err != 0) {
        redisReaderFree(speech->reader);
        speech->reader = NULL;
        pass_as_it_is(conn, way);
    }
}

static void on_said(struct bufferevent *side, void *arg)
{
    struct proxy_conn *conn = arg;
    enum way way = side == conn->client ? TO_SERVER : TO_CLIENT;
    struct speech *speech = &conn->speech[way];
    struct evbuffer *input = bufferevent_get_input(side);
    size_t length = evbuffer_get_length(input);
    if (conn->is_over) {
        evbuffer_drain(input, length);
        return;
    }
    if (speech->reader != NULL)
        redisReaderFeed(speech->reader, (const char *)evbuffer_pullup(input, -1), length);
    evbuffer_add_buffer(speech->said, input);
    if (speech->reader != NULL)
        cut_into_messages(conn, way);
    else
        pass_as_it_is(conn, way);
}

static void on_end(struct bufferevent *side, short what, void *arg)
{
    struct proxy_conn *conn = arg;
    bool is_client = side == conn->client;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0)
        return;
    pass_as_it_is(conn, is_client ? TO_SERVER : TO_CLIENT);
    if (what & BEV_EVENT_ERROR)
        proxy_pipe_forget(&conn->pipes[is_client ? TO_SERVER : TO_CLIENT]);
    close_side(conn, is_client ? &conn->client : &conn->server);
    if (!conn->is_over)
        proxy_pipe_end(&conn->pipes[is_client ? TO_SERVER : TO_CLIENT]);
    free_if_over(conn);
}

/* ---- the beginning ---- */

static struct bufferevent *open_side(struct proxy_conn *conn, int fd)
{
    struct bufferevent *side = bufferevent_socket_new(conn->realm->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (side == NULL)
        abort();
    bufferevent_setcb(side, on_said, on_written, on_end, conn);
    bufferevent_enable(side, EV_READ | EV_WRITE);
    return side;
}

static int connect_upstream(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    if (fd != -1 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    if (fd != -1)
        close(fd);
    return -1;
}

void proxy_conn_begin(struct proxy_realm *realm, int fd)
{
    int upstream = connect_upstream(realm->upstream);
    struct proxy_conn *conn = upstream != -1 ? calloc(1, sizeof(*conn)) : NULL;
    if (conn == NULL) {
        const struct linger at_once = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(fd);
        return;
    }
    conn->realm = realm;
    conn->next = realm->conns;
    realm->conns = conn;
    for (int way = 0; way < 2; way++) {
        conn->speech[way] = (struct speech){.said = evbuffer_new(), .reader = redisReaderCreate()};
        proxy_pipe_open(&conn->pipes[way], realm->base, on_over, conn);
    }
    conn->client = conn->pipes[TO_CLIENT].out = open_side(conn, fd);
    conn->server = conn->pipes[TO_SERVER].out = open_side(conn, upstream);
    realm->counts[GREETING].open++; /* which become() takes back */
    become(conn, GREETING);
}

/* ---- orders ---- */

static bool is_meant(const struct proxy_conn *conn, unsigned links)
{
    return !conn->is_over && (links & (1u << conn->kind)) != 0;
}

void proxy_conns_set_rule(struct proxy_realm *realm, unsigned links, unsigned ways, struct proxy_rule rule)
{
    for (struct proxy_conn *conn = realm->conns; conn != NULL; conn = conn->next)
        for (int way = 0; way < 2; way++)
            if (is_meant(conn, links) && (ways & (1u << way)) != 0)
                proxy_pipe_set_rule(&conn->pipes[way], rule);
}

void proxy_conns_cut(struct proxy_realm *realm, unsigned links, enum proxy_end how)
{
    const struct linger at_once = {1, 0};
    struct proxy_conn *next = NULL;
    for (struct proxy_conn *conn = realm->conns; conn != NULL; conn = next) {
        next = conn->next;
        if (!is_meant(conn, links))
            continue;
        if (how == PROXY_RESET && conn->client != NULL)
            setsockopt(bufferevent_getfd(conn->client), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        if (how == PROXY_RESET || conn->client == NULL) {
            close_side(conn, &conn->client);
            close_side(conn, &conn->server);
            free_if_over(conn);
            continue;
        }
        evbuffer_drain(bufferevent_get_output(conn->client), evbuffer_get_length(bufferevent_get_output(conn->client)));
        on_over(conn);
    }
}

bool proxy_conns_inject(struct proxy_realm *realm, unsigned links, const char *bytes, size_t length, bool amid)
{
    bool has_any = false;
    for (struct proxy_conn *conn = realm->conns; conn != NULL; conn = conn->next) {
        if (!is_meant(conn, links) || conn->client == NULL)
            continue;
        has_any = true;
        if (!amid) {
            proxy_pipe_write(&conn->pipes[TO_CLIENT], bytes, length);
            continue;
        }
        free(conn->injection);
        conn->injection = malloc(length);
        if (conn->injection == NULL)
            abort();
        memcpy(conn->injection, bytes, length);
        conn->injection_length = length;
    }
    return has_any;
}
