/* SPDX-License-Identifier: MIT */
#include "peer.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <script_sources.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WATCHED_MAX 2048 /* descriptors, of all peers that work together */

static uint64_t now(const struct peer *peer)
{
    return peer->loop != NULL ? peer->loop->now : world_clock_ms();
}

/* ---- what it says ---- */

bool peer_is(const struct peer_command *command, const char *beginning)
{
    return strncmp(command->text, beginning, strlen(beginning)) == 0;
}

static bool is_script(const struct peer_command *command, const struct netron_script_source *script)
{
    return peer_is(command, "EVALSHA ") && strncmp(command->text + 8, script->sha1, 40) == 0;
}

bool peer_is_register(const struct peer_command *command)
{
    return is_script(command, &netron_script_source_register);
}

bool peer_is_deregister(const struct peer_command *command)
{
    return is_script(command, &netron_script_source_deregister);
}

bool peer_is_sync(const struct peer_command *command)
{
    return is_script(command, &netron_script_source_sync);
}

bool peer_is_reconcile(const struct peer_command *command)
{
    return is_script(command, &netron_script_source_reconcile);
}

bool peer_is_handshake(const struct peer_command *command)
{
    return peer_is(command, "HELLO") || peer_is(command, "AUTH ") || peer_is(command, "SELECT ") ||
           peer_is(command, "CLIENT SETNAME ");
}

const char *peer_say(struct peer *peer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(peer->scratch, sizeof(peer->scratch), format, arguments);
    va_end(arguments);
    return peer->scratch;
}

static const char *answer_register(struct peer *peer, const struct peer_command *command)
{
    char incarnation[64] = "";
    bool is_same;
    /* EVALSHA sha1 1 key id incarnation ... */
    sscanf(command->text, "%*s %*s %*s %*s %*s %63s", incarnation);
    is_same = peer->has_node && strcmp(incarnation, peer->incarnation) == 0;
    memcpy(peer->incarnation, incarnation, sizeof(incarnation));
    peer->has_node = true;
    return is_same ? "*2\r\n$7\r\nupdated\r\n:2\r\n" : "*2\r\n$10\r\nregistered\r\n:1\r\n";
}

static const char *answer_sync(struct peer *peer, const struct peer_command *command)
{
    unsigned long long revision = 0;
    char epoch[64] = "";
    /* EVALSHA sha1 1 key epoch revision count; before the first sync the epoch is empty */
    bool is_known = sscanf(command->text, "%*s %*s %*s %*s %63s %llu %*u", epoch, &revision) == 2 &&
                    strcmp(epoch, peer->epoch) == 0 && revision == peer->revision;
    if (!is_known)
        return peer_say(peer, "*4\r\n$4\r\nfull\r\n$%zu\r\n%s\r\n:%" PRIu64 "\r\n$12\r\n%012" PRIx64 "\r\n",
                        strlen(peer->epoch), peer->epoch, peer->revision, peer->digest);
    return peer_say(peer, "*5\r\n$5\r\ndelta\r\n$%zu\r\n%s\r\n:%" PRIu64 "\r\n$12\r\n%012" PRIx64 "\r\n:0\r\n",
                    strlen(peer->epoch), peer->epoch, peer->revision, peer->digest);
}

static const char *answer_view(struct peer *peer, const struct peer_command *command)
{
    if (peer_is_sync(command))
        return answer_sync(peer, command);
    if (peer_is_reconcile(command))
        return peer_say(peer,
                        "*9\r\n:5000\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n$13\r\n%013" PRIu64 "\r\n$%zu\r\n%s\r\n:%" PRIu64
                        "\r\n",
                        now(peer), strlen(peer->epoch), peer->epoch, peer->revision);
    if (peer_is(command, "HMGET netron:discovery:registry "))
        return peer_say(peer, "*2\r\n$%zu\r\n%s\r\n$1\r\n%u\r\n", strlen(peer->epoch), peer->epoch,
                        (unsigned)peer->revision % 10);
    if (peer_is(command, "HSCAN "))
        return "*2\r\n$1\r\n0\r\n*0\r\n";
    return NULL;
}

const char *peer_answer_well(struct peer *peer, const struct peer_command *command)
{
    const char *view = answer_view(peer, command);
    if (view != NULL)
        return view;
    if (peer_is(command, "HELLO"))
        return "*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n";
    if (peer_is_handshake(command))
        return "+OK\r\n";
    if (peer_is(command, "ROLE"))
        return "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
    if (peer_is(command, "PING"))
        return "+PONG\r\n";
    if (peer_is(command, "SUBSCRIBE "))
        return peer_say(peer, "*3\r\n$9\r\nsubscribe\r\n$%zu\r\n%s\r\n:1\r\n", strlen(command->text + 10),
                        command->text + 10);
    if (peer_is_register(command))
        return answer_register(peer, command);
    if (peer_is_deregister(command)) {
        peer->has_node = false;
        return "*2\r\n$12\r\nderegistered\r\n:3\r\n";
    }
    if (peer_is(command, "GETEX ") || peer_is(command, "GET "))
        return peer->has_node ? peer_say(peer, "$%zu\r\n%s\r\n", strlen(peer->incarnation), peer->incarnation)
                              : "$-1\r\n";
    ck_abort_msg("the peer has no answer to: %s", command->text);
    return "";
}

const char *peer_answer_refusal(struct peer *peer, const struct peer_command *command)
{
    return peer_is(command, peer->refused) ? peer->refusal : peer_answer_well(peer, command);
}

void peer_tell_story(struct peer *peer, const struct peer_step *story, size_t steps)
{
    peer->story = story;
    peer->steps = steps;
    peer->answer = peer_answer_story;
}

const char *peer_answer_story(struct peer *peer, const struct peer_command *command)
{
    int conn = command->conn;
    if (peer->is_stalled[conn])
        return "";
    if (peer->steps == 0 || !peer_is(command, peer->story->command))
        return peer_answer_well(peer, command);
    const struct peer_step *step = peer->story++;
    const char *answer = step->answer != NULL ? step->answer : peer_answer_well(peer, command);
    peer->steps--;
    peer->is_stalled[conn] = step->then == PEER_STALL;
    if (step->then != PEER_HANG_UP)
        return answer;
    peer_send(peer, conn, answer, strlen(answer));
    peer_hang_up(peer, conn);
    return "";
}

const char *peer_answer_nothing(struct peer *peer, const struct peer_command *command)
{
    (void)peer;
    (void)command;
    return "";
}

/* ---- the sockets ---- */

/* A socket of the peer's port, or of a free one. */
static int bind_to_port(struct peer *peer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    address.sin_port = htons(peer->port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    peer->port = ntohs(address.sin_port);
    return fd;
}

/* Takes a port once, and keeps it: while nobody listens there, it must become nobody else's. */
static void listen_on_tcp(struct peer *peer)
{
    if (peer->port == 0)
        peer->reserve = bind_to_port(peer);
    peer->listener = bind_to_port(peer);
    ck_assert_int_eq(listen(peer->listener, 16), 0);
}

void peer_listen(struct peer *peer)
{
    if (peer->port != 0) {
        listen_on_tcp(peer);
        return;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, peer->path);
    peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(peer->listener, 0);
    ck_assert_int_eq(bind(peer->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(peer->listener, 16), 0);
}

void peer_stop_listening(struct peer *peer)
{
    close(peer->listener);
    if (peer->port == 0)
        unlink(peer->path);
    peer->listener = -1;
}

/* Of a connection that the library has done with: its port is free again at once, and not a minute later. */
static void leave_no_trace(const struct peer *peer, int conn)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (peer->port != 0 && peer->conns[conn] != -1)
        setsockopt(peer->conns[conn], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

void peer_hang_up(struct peer *peer, int conn)
{
    if (peer->conns[conn] == -1)
        return;
    close(peer->conns[conn]);
    redisReaderFree(peer->readers[conn]);
    peer->conns[conn] = -1;
    peer->readers[conn] = NULL;
}

void peer_hang_up_all(struct peer *peer)
{
    for (int i = 0; i < peer->conn_count; i++)
        peer_hang_up(peer, i);
}

void peer_send(struct peer *peer, int conn, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(peer->conns[conn], bytes, length, MSG_NOSIGNAL);
        if (sent < 0) { /* the library has closed it, or reads no more: the test sees what follows from that */
            ck_assert_msg(errno == EPIPE || errno == ECONNRESET, "send: %s", strerror(errno));
            return;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void note(struct peer *peer, int conn, const redisReply *words)
{
    ck_assert_msg(words->type == REDIS_REPLY_ARRAY, "a command that is no array");
    ck_assert_msg(peer->command_count < PEER_COMMANDS_MAX, "too many commands");
    struct peer_command *command = &peer->commands[peer->command_count++];
    command->at = now(peer);
    command->conn = conn;
    command->words = words;
    command->text[0] = '\0';
    for (size_t i = 0; i < words->elements; i++) {
        size_t length = strlen(command->text);
        snprintf(command->text + length, sizeof(command->text) - length, "%s%s", i > 0 ? " " : "",
                 words->element[i]->str);
    }
    const char *answer = peer->answer(peer, command);
    command->words = NULL;
    if (answer[0] != '\0' && peer->conns[conn] != -1)
        peer_send(peer, conn, answer, strlen(answer));
}

static bool read_commands(struct peer *peer, int conn)
{
    char bytes[16384];
    ssize_t length = recv(peer->conns[conn], bytes, sizeof(bytes), 0);
    if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return false;
    if (length <= 0) {
        leave_no_trace(peer, conn);
        peer_hang_up(peer, conn);
        return true;
    }
    redisReaderFeed(peer->readers[conn], bytes, (size_t)length);
    for (;;) {
        void *words = NULL;
        if (peer->conns[conn] == -1)
            return true;
        ck_assert_int_eq(redisReaderGetReply(peer->readers[conn], &words), REDIS_OK);
        if (words == NULL)
            return true;
        note(peer, conn, words);
        freeReplyObject(words);
    }
}

static bool take_connection(struct peer *peer)
{
    int fd = accept4(peer->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd == -1)
        return false;
    ck_assert_int_lt(peer->conn_count, PEER_CONNS_MAX);
    int on = 1;
    if (peer->port != 0) /* what waits for an acknowledgement does so by the real clock */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    peer->conns[peer->conn_count] = fd;
    peer->readers[peer->conn_count] = redisReaderCreate();
    peer->accepted_at[peer->conn_count++] = now(peer);
    if (peer->greeting != NULL)
        peer_send(peer, peer->conn_count - 1, peer->greeting, strlen(peer->greeting));
    return true;
}

/* One poll tells of all, for this is called in every turn of the loop; it passes over what is -1. */
static bool work_alone(struct peer *peer)
{
    struct pollfd ready[PEER_CONNS_MAX + 1];
    int count = peer->conn_count;
    bool worked = false;
    for (int i = 0; i <= count; i++)
        ready[i] = (struct pollfd){.fd = i < count ? peer->conns[i] : peer->listener, .events = POLLIN};
    if (poll(ready, (nfds_t)count + 1, 0) <= 0)
        return false;
    for (int i = 0; i < count; i++)
        if (ready[i].revents != 0 && peer->conns[i] == ready[i].fd)
            worked = read_commands(peer, i) || worked;
    if (ready[count].revents != 0 && peer->listener == ready[count].fd)
        worked = take_connection(peer) || worked;
    return worked;
}

static size_t watch(const struct peer *peer, struct pollfd *out, size_t room)
{
    size_t count = 0;
    for (int i = 0; i <= peer->conn_count; i++) {
        int fd = i < peer->conn_count ? peer->conns[i] : peer->listener;
        ck_assert_uint_lt(count, room);
        if (fd != -1)
            out[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    return count;
}

static bool is_any_ready(const struct pollfd *ready, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ready[i].revents != 0)
            return true;
    return false;
}

/* Of several most have nothing to do in most turns, and one question tells that. */
static bool work(void *arg)
{
    struct pollfd ready[WATCHED_MAX];
    struct peer *first = arg;
    size_t count = 0;
    bool worked = false;
    if (first->next == NULL)
        return work_alone(first);
    for (struct peer *peer = first; peer != NULL; peer = peer->next) {
        peer->watched = watch(peer, ready + count, WATCHED_MAX - count);
        count += peer->watched;
    }
    if (poll(ready, (nfds_t)count, 0) <= 0)
        return false;
    count = 0;
    for (struct peer *peer = first; peer != NULL; peer = peer->next) {
        if (is_any_ready(ready + count, peer->watched))
            worked = work_alone(peer) || worked;
        count += peer->watched;
    }
    return worked;
}

static void open_peer(struct peer *peer)
{
    peer->answer = peer_answer_well;
    peer->epoch = "e1";
    strcpy(peer->folder, "/tmp/netron-peer-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(peer->folder));
    snprintf(peer->path, sizeof(peer->path), "%s/socket", peer->folder);
    snprintf(peer->url, sizeof(peer->url), "unix://%s", peer->path);
    peer->commands = calloc(PEER_COMMANDS_MAX, sizeof(*peer->commands));
    peer_listen(peer);
}

void peer_open(struct peer *peer, struct fake_loop *loop)
{
    *peer = (struct peer){.loop = loop};
    open_peer(peer);
    loop->other_end = work;
    loop->other_end_arg = peer;
}

void peer_open_in_world(struct peer *peer, struct world *world)
{
    *peer = (struct peer){.world = world};
    open_peer(peer);
    world->other_end = work;
    world->other_end_arg = peer;
}

void peer_open_beside(struct peer *peer, struct peer *first)
{
    *peer = (struct peer){.loop = first->loop, .world = first->world, .next = first->next};
    first->next = peer;
    peer->answer = peer_answer_well;
    peer->epoch = "e1";
    peer->commands = calloc(PEER_COMMANDS_MAX, sizeof(*peer->commands));
    listen_on_tcp(peer);
    snprintf(peer->url, sizeof(peer->url), "redis://127.0.0.1:%u", peer->port);
}

void peer_close(struct peer *peer)
{
    peer_hang_up_all(peer);
    if (peer->listener != -1)
        peer_stop_listening(peer);
    free(peer->commands);
    if (peer->port != 0) { /* the first one works no more without its own */
        close(peer->reserve);
        return;
    }
    rmdir(peer->folder);
    if (peer->loop != NULL)
        peer->loop->other_end = NULL;
    else
        peer->world->other_end = NULL;
}

void peer_renew(struct peer *peer)
{
    int fd;
    for (int i = 0; i < peer->conn_count; i++)
        leave_no_trace(peer, i);
    peer_hang_up_all(peer);
    if (peer->listener == -1)
        peer_listen(peer);
    while ((fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC)) != -1)
        close(fd);
    peer->conn_count = 0;
    peer->command_count = 0;
    peer->answer = peer_answer_well;
    peer->epoch = "e1";
    peer->has_node = false;
    peer->revision = peer->digest = 0;
    peer->loop->other_end = work;
    peer->loop->other_end_arg = peer;
}

/* ---- what it heard ---- */

size_t peer_word_count(const struct peer_command *command)
{
    return ((const redisReply *)command->words)->elements;
}

const char *peer_word(const struct peer_command *command, size_t position)
{
    const redisReply *words = command->words;
    return position < words->elements ? words->element[position]->str : "";
}

const char *peer_behind(const char *text, const char *beginning)
{
    size_t length = strlen(beginning);
    return strncmp(text, beginning, length) == 0 ? text + length : "";
}

size_t peer_count(const struct peer *peer, const char *beginning)
{
    size_t count = 0;
    for (size_t i = 0; i < peer->command_count; i++)
        count += peer_is(&peer->commands[i], beginning);
    return count;
}

const struct peer_command *peer_find(const struct peer *peer, const char *beginning, int position)
{
    int count = (int)peer_count(peer, beginning);
    if (position < 0)
        position += count;
    for (size_t i = 0; i < peer->command_count; i++)
        if (peer_is(&peer->commands[i], beginning) && position-- == 0)
            return &peer->commands[i];
    ck_abort_msg("there was no such command: %s", beginning);
    return NULL;
}
