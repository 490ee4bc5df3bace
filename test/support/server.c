/* SPDX-License-Identifier: MIT */
#include "server.h"
#include "server_tls.h"
#include "suite.h"
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_LIMIT_MS 10000
#define ARGUMENTS_MAX 80
#define CONTROL_USER "control"
#define CONTROL_PASSWORD "of the test"
#define CONTROL_RULE (">" CONTROL_PASSWORD)

static const char *program(void)
{
    const char *named = getenv("NETRON_TEST_SERVER");
    return named != NULL && named[0] != '\0' ? named : "redis-server";
}

static void run(const struct server *server, const char *const *extra, pid_t parent)
{
    const char *arguments[ARGUMENTS_MAX] = {
        program(), "--port",       "0", "--unixsocket", server->socket, "--dir", server->folder, "--save",
        "",        "--appendonly", "no"};
    /* Whoever comes in as the library does may not look at all keys, nor at what others do, nor change the server. */
    static const char *const users[] = {"--user",   "default", "on",     "nopass",     "~*",       "&*",
                                        "+@all",    "-keys",   "-scan",  "-config",    "-monitor", "-flushall",
                                        "-flushdb", "-debug",  "--user", CONTROL_USER, "on",       CONTROL_RULE,
                                        "~*",       "&*",      "+@all"};
    size_t count = 11;
    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
        arguments[count++] = users[i];
    count += server_tls_arguments(server, arguments + count);
    for (; extra != NULL && *extra != NULL && count + 1 < ARGUMENTS_MAX; extra++)
        arguments[count++] = *extra;
    char log[128];
    snprintf(log, sizeof(log), "%s/log", server->folder);
    int output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    union {
        const char **given;
        char *const *taken;
    } words = {.given = arguments};
    execvp(words.taken[0], words.taken);
    _exit(127);
}

static bool answers(const struct server *server)
{
    redisContext *context = redisConnectUnix(server->socket);
    redisReply *reply = context != NULL && context->err == 0 ? redisCommand(context, "PING") : NULL;
    /* Whatever it says, it serves: a password may be wanted. */
    bool is_there = reply != NULL && strncmp(reply->str, "LOADING", 7) != 0;
    if (reply != NULL)
        freeReplyObject(reply);
    if (context != NULL)
        redisFree(context);
    return is_there;
}

static void pause_a_moment(void)
{
    const struct timespec moment = {0, 2000000};
    nanosleep(&moment, NULL);
}

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", program(), what);
    exit(EXIT_FAILURE);
}

static uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void server_start_again(struct server *server, const char *const *extra)
{
    pid_t parent = getpid();
    uint64_t limit = clock_ms() + START_LIMIT_MS;
    unlink(server->socket);
    server->pid = fork();
    if (server->pid == 0)
        run(server, extra, parent);
    if (server->pid < 0)
        die("cannot be forked");
    while (!answers(server)) {
        int status;
        if (waitpid(server->pid, &status, WNOHANG) == server->pid)
            die("ended at once");
        if (clock_ms() > limit)
            die("does not answer");
        pause_a_moment();
    }
}

void server_start(struct server *server, const char *const *extra)
{
    *server = (struct server){0};
    strcpy(server->folder, "/tmp/netron-test-XXXXXX");
    if (mkdtemp(server->folder) == NULL)
        die("no temporary folder");
    snprintf(server->socket, sizeof(server->socket), "%s/redis.sock", server->folder);
    snprintf(server->url, sizeof(server->url), "unix://%s", server->socket);
    server_tls_begin(server);
    server_start_again(server, extra);
}

void server_kill(struct server *server)
{
    server_forget(server);
    if (server->pid <= 0)
        return;
    kill(server->pid, SIGKILL); /* also one that is stopped, which says nothing more */
    /* A test's process is a child of the one that started the server, which alone can wait for it: then the socket
     * tells. */
    if (waitpid(server->pid, NULL, 0) == -1)
        while (answers(server))
            pause_a_moment();
    server->pid = 0;
}

void server_stop(struct server *server)
{
    char file[160];
    static const char *const files[] = {"redis.sock", "log", "users.acl", "dump.rdb", "nodes.conf"};
    server_kill(server);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(file, sizeof(file), "%s/%s", server->folder, files[i]);
        unlink(file);
    }
    server_tls_end(server);
    rmdir(server->folder);
}

/* Whoever is to serve there lets its address be used again. So does what holds it, from now on, and is in nobody's way
 * but of those who look for a free port. */
bool server_hold_port(unsigned *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    const int on = 1;
    int held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(held, 0);
    if (bind(held, (struct sockaddr *)&address, length) != 0) {
        close(held);
        return false;
    }
    ck_assert_int_eq(setsockopt(held, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    ck_assert_int_eq(getsockname(held, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    suite_keep_open(1);
    return true;
}

unsigned server_free_port(void)
{
    unsigned port = 0;
    ck_assert(server_hold_port(&port));
    return port;
}

/* ---- asking ---- */

redisContext *server_connect(const struct server *server)
{
    redisContext *context = redisConnectUnix(server->socket);
    ck_assert_msg(context != NULL && context->err == 0, "cannot connect to the server");
    redisReply *reply = redisCommand(context, "AUTH %s %s", CONTROL_USER, CONTROL_PASSWORD);
    ck_assert_msg(reply != NULL && reply->type == REDIS_REPLY_STATUS, "the test is not known to the server");
    freeReplyObject(reply);
    return context;
}

static redisReply *ask(struct server *server, const char *format, va_list arguments)
{
    if (server->context != NULL && server->context_owner != getpid())
        server->context = NULL; /* of the process that forked us: left to it */
    if (server->context == NULL) {
        server->context = server_connect(server);
        server->context_owner = getpid();
    }
    redisReply *reply = redisvCommand(server->context, format, arguments);
    ck_assert_msg(reply != NULL, "the server did not answer: %s", server->context->errstr);
    return reply;
}

redisReply *server_ask(struct server *server, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask(server, format, arguments);
    va_end(arguments);
    return reply;
}

void server_expect(struct server *server, const char *expected, const char *format, ...)
{
    va_list arguments;
    char number[32];
    va_start(arguments, format);
    redisReply *reply = ask(server, format, arguments);
    va_end(arguments);
    const char *text = reply->str;
    if (reply->type == REDIS_REPLY_NIL) {
        text = "(nil)";
    } else if (reply->type == REDIS_REPLY_INTEGER) {
        snprintf(number, sizeof(number), "%lld", reply->integer);
        text = number;
    }
    ck_assert_msg(text != NULL && strcmp(text, expected) == 0, "\"%s\" was answered \"%s\", not \"%s\"", format,
                  text != NULL ? text : "(an array)", expected);
    freeReplyObject(reply);
}

long long server_integer(struct server *server, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask(server, format, arguments);
    va_end(arguments);
    ck_assert_msg(reply->type == REDIS_REPLY_INTEGER, "\"%s\" is not answered by a number", format);
    long long number = reply->integer;
    freeReplyObject(reply);
    return number;
}

bool server_text(struct server *server, char *out, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask(server, format, arguments);
    va_end(arguments);
    bool is_text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
    ck_assert_msg(is_text || reply->type == REDIS_REPLY_NIL, "\"%s\" is not answered by a text", format);
    snprintf(out, size, "%s", is_text ? reply->str : "");
    freeReplyObject(reply);
    return is_text;
}

void server_forget(struct server *server)
{
    if (server->context != NULL && server->context_owner == getpid())
        redisFree(server->context);
    server->context = NULL;
}
