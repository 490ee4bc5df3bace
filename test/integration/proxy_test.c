/* SPDX-License-Identifier: MIT */
/* The failing network of the other tests does what it promises: each mode, seen by a plain socket. */
#include "proxy.h"
#include "server.h"
#include "suite.h"
#include "world.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000
#define SILENCE_MS 100

static struct server server;
static struct proxy proxy;
static int client;

/* ---- a plain client ---- */

static int try_tcp(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)proxy.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int try_unix(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(address.sun_path, proxy.socket);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int connect_client(void)
{
    int fd = try_tcp();
    ck_assert_int_ne(fd, -1);
    return fd;
}

static void say(int fd, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    int length = redisvFormatCommand(&text, format, arguments);
    va_end(arguments);
    ck_assert_int_gt(length, 0);
    ck_assert_int_eq(send(fd, text, (size_t)length, MSG_NOSIGNAL), length);
    redisFreeCommand(text);
}

static bool is_readable(int fd, int wait_ms)
{
    struct pollfd poll_of = {.fd = fd, .events = POLLIN};
    return poll(&poll_of, 1, wait_ms) == 1;
}

static void expect(int fd, const char *expected)
{
    char heard[1024] = "";
    size_t length = 0;
    while (length < strlen(expected)) {
        ck_assert_msg(is_readable(fd, PATIENCE_MS), "heard \"%s\" and no more of \"%s\"", heard, expected);
        ssize_t more = recv(fd, heard + length, strlen(expected) - length, 0);
        ck_assert_msg(more > 0, "heard \"%s\" and then the end, not \"%s\"", heard, expected);
        length += (size_t)more;
    }
    ck_assert_str_eq(heard, expected);
}

static void expect_silence(int fd)
{
    ck_assert_msg(!is_readable(fd, SILENCE_MS), "something came, or the end");
}

/* 0: it was closed; otherwise why it broke. */
static int expect_end(int fd)
{
    char more[64];
    ck_assert_msg(is_readable(fd, PATIENCE_MS), "the connection does not end");
    ssize_t length = recv(fd, more, sizeof(more), 0);
    ck_assert_msg(length <= 0, "more was heard");
    return length == 0 ? 0 : errno;
}

static long long clients_of_server(void)
{
    long long count = 0;
    redisReply *reply = server_ask(&server, "CLIENT LIST");
    for (const char *at = reply->str; (at = strstr(at, "id=")) != NULL; at++)
        count += at == reply->str || at[-1] == '\n';
    freeReplyObject(reply);
    return count - 1; /* but this one */
}

#define EVENTUALLY(condition)                                                                                          \
    do {                                                                                                               \
        uint64_t limit = world_clock_ms() + PATIENCE_MS;                                                               \
        while (!(condition)) {                                                                                         \
            ck_assert_msg(world_clock_ms() < limit, "waited in vain for: %s", #condition);                             \
            poll(NULL, 0, 1);                                                                                          \
        }                                                                                                              \
    } while (0)

/* ---- fixtures ---- */

static void start_server(void)
{
    server_start(&server, NULL);
}

static void stop_server(void)
{
    server_stop(&server);
}

static void open_proxy(void)
{
    server_expect(&server, "OK", "FLUSHALL");
    proxy_start(&proxy, server.socket);
    client = connect_client();
    say(client, "PING");
    expect(client, "+PONG\r\n");
}

static void close_proxy(void)
{
    close(client);
    proxy_stop(&proxy);
    EVENTUALLY(clients_of_server() == 0);
    server_forget(&server);
}

static int subscribe(void)
{
    int fd = connect_client();
    say(fd, "SUBSCRIBE channel");
    expect(fd, "*3\r\n$9\r\nsubscribe\r\n$7\r\nchannel\r\n:1\r\n");
    return fd;
}

static void expect_message(int fd, const char *text)
{
    char expected[128];
    snprintf(expected, sizeof(expected), "*3\r\n$7\r\nmessage\r\n$7\r\nchannel\r\n$%zu\r\n%s\r\n", strlen(text), text);
    expect(fd, expected);
}

/* ---- which link is which ---- */

START_TEST(what_a_connection_says_tells_which_link_it_is)
{
    int events = connect_client();
    say(events, "HELLO 2");
    say(events, "CLIENT SETNAME somebody");
    say(events, "SELECT 0");
    ck_assert(is_readable(events, PATIENCE_MS));
    EVENTUALLY(proxy_count(&proxy, PROXY_GREETING).commands == 3);
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_GREETING).made, 2);
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_GREETING).open, 1);
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_COMMANDS).open, 1);
    say(events, "SUBSCRIBE channel");
    EVENTUALLY(proxy_count(&proxy, PROXY_EVENTS).open == 1);
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_GREETING).open, 0);
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_EVENTS).made, 1);
    close(events);
    EVENTUALLY(proxy_count(&proxy, PROXY_EVENTS).open == 0);
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_COMMANDS).open, 1);
}
END_TEST

START_TEST(bytes_and_commands_are_counted_each_way)
{
    struct proxy_counts before = proxy_count(&proxy, PROXY_COMMANDS);
    say(client, "ECHO hello");
    expect(client, "$5\r\nhello\r\n");
    struct proxy_counts after = proxy_count(&proxy, PROXY_COMMANDS);
    ck_assert_uint_eq(after.to_server - before.to_server, strlen("*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n"));
    ck_assert_uint_eq(after.to_client - before.to_client, strlen("$5\r\nhello\r\n"));
    ck_assert_uint_eq(after.commands - before.commands, 1);
    ck_assert_uint_eq(after.answered, 0);
}
END_TEST

START_TEST(large_replies_and_many_commands_pass_whole_by_tcp_and_by_unix_socket)
{
    enum { SIZE = 3000000 };
    int fd = _i == 0 ? connect_client() : try_unix();
    char *value = malloc(SIZE);
    char *heard = malloc(SIZE);
    char head[32];
    size_t length = 0;
    for (int i = 0; i < SIZE; i++)
        value[i] = (char)(i * 31 % 251);
    freeReplyObject(server_ask(&server, "SET big %b", value, (size_t)SIZE));
    snprintf(head, sizeof(head), "$%d\r\n", SIZE);
    say(fd, "GET big");
    for (int i = 0; i < 1000; i++)
        say(fd, "INCR counter");
    expect(fd, head);
    while (length < SIZE) {
        ssize_t more = recv(fd, heard + length, SIZE - length, 0);
        ck_assert_int_gt(more, 0);
        length += (size_t)more;
    }
    ck_assert_int_eq(memcmp(heard, value, SIZE), 0);
    expect(fd, "\r\n:1\r\n:2\r\n:3\r\n");
    EVENTUALLY(server_integer(&server, "STRLEN counter") == 4);
    free(value);
    free(heard);
    close(fd);
}
END_TEST

START_TEST(what_is_no_redis_protocol_passes_as_it_is)
{
    ck_assert_int_eq(send(client, "PING\r\n", 6, 0), 6); /* a line, as one types it */
    expect(client, "+PONG\r\n");
}
END_TEST

/* ---- what becomes of bytes ---- */

START_TEST(a_delay_lets_everything_through_later_and_in_order)
{
    uint64_t begun = world_clock_ms();
    proxy_delay(&proxy, PROXY_COMMANDS, _i == 0 ? PROXY_TO_SERVER : PROXY_TO_CLIENT, 150);
    say(client, "ECHO one");
    say(client, "ECHO two");
    expect(client, "$3\r\none\r\n$3\r\ntwo\r\n");
    ck_assert_uint_ge(world_clock_ms() - begun, 150);
    proxy_delay(&proxy, PROXY_COMMANDS, PROXY_BOTH_WAYS, 3600000);
    say(client, "ECHO three");
    expect_silence(client);
    proxy_pass(&proxy, PROXY_COMMANDS, PROXY_BOTH_WAYS); /* nobody waits on for what passes now */
    expect(client, "$5\r\nthree\r\n");
}
END_TEST

START_TEST(a_delayed_end_comes_later_as_well)
{
    proxy_delay(&proxy, PROXY_COMMANDS, PROXY_TO_CLIENT, 150);
    uint64_t begun = world_clock_ms();
    say(client, "QUIT");
    expect(client, "+OK\r\n");
    ck_assert_int_eq(expect_end(client), 0);
    ck_assert_uint_ge(world_clock_ms() - begun, 150);
}
END_TEST

START_TEST(what_is_held_comes_when_it_passes_again)
{
    proxy_hold(&proxy, PROXY_COMMANDS, _i == 0 ? PROXY_TO_SERVER : PROXY_TO_CLIENT);
    say(client, "INCR counter");
    say(client, "QUIT");
    EVENTUALLY(_i == 0 || server_integer(&server, "EXISTS counter") == 1);
    expect_silence(client);
    server_expect(&server, _i == 0 ? "(nil)" : "1", "GET counter");
    proxy_pass(&proxy, PROXY_COMMANDS, PROXY_BOTH_WAYS);
    expect(client, ":1\r\n+OK\r\n");
    ck_assert_int_eq(expect_end(client), 0);
}
END_TEST

START_TEST(what_is_held_comes_after_an_end_and_not_after_a_reset)
{
    const struct linger at_once = {.l_onoff = _i, .l_linger = 0};
    proxy_hold(&proxy, PROXY_COMMANDS, PROXY_BOTH_WAYS);
    say(client, "INCR counter");
    EVENTUALLY(proxy_count(&proxy, PROXY_COMMANDS).commands == 2);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(client);
    EVENTUALLY(proxy_count(&proxy, PROXY_COMMANDS).open == 0);
    proxy_heal(&proxy);
    EVENTUALLY(clients_of_server() == 0);
    server_expect(&server, _i == 0 ? "1" : "(nil)", "GET counter");
    client = connect_client();
}
END_TEST

START_TEST(a_half_open_connection_stays_open_and_carries_nothing)
{
    proxy_drop(&proxy, PROXY_COMMANDS, PROXY_BOTH_WAYS);
    say(client, "INCR counter");
    expect_silence(client);
    freeReplyObject(server_ask(&server, "CLIENT KILL TYPE normal SKIPME yes")); /* even its end is lost */
    expect_silence(client);
    server_expect(&server, "(nil)", "GET counter");
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_COMMANDS).open, 1);
}
END_TEST

START_TEST(what_was_lost_stays_lost)
{
    proxy_drop(&proxy, PROXY_COMMANDS, _i == 0 ? PROXY_TO_SERVER : PROXY_TO_CLIENT);
    say(client, "INCR counter");
    EVENTUALLY(_i == 0 || server_integer(&server, "EXISTS counter") == 1);
    expect_silence(client);
    server_expect(&server, _i == 0 ? "(nil)" : "1", "GET counter");
    proxy_heal(&proxy);
    say(client, "INCR counter");
    expect(client, _i == 0 ? ":1\r\n" : ":2\r\n");
}
END_TEST

START_TEST(the_server_keeps_a_client_whose_end_was_lost)
{
    proxy_drop(&proxy, PROXY_COMMANDS, PROXY_BOTH_WAYS);
    close(client);
    EVENTUALLY(proxy_count(&proxy, PROXY_COMMANDS).open == 0);
    poll(NULL, 0, SILENCE_MS);
    ck_assert_int_eq(clients_of_server(), 1);
    proxy_heal(&proxy);
    EVENTUALLY(clients_of_server() == 0);
    client = connect_client();
}
END_TEST

START_TEST(some_bytes_are_lost_and_the_rest_comes)
{
    proxy_lose(&proxy, PROXY_COMMANDS, PROXY_TO_CLIENT, 4);
    say(client, "ECHO abc");
    expect(client, "abc\r\n");
    say(client, "ECHO abc");
    expect(client, "$3\r\nabc\r\n");
}
END_TEST

START_TEST(a_drip_lets_a_few_bytes_through_at_a_time)
{
    enum { BYTES = 5, PERIOD_MS = 40 };
    char heard[32];
    size_t length = 0;
    uint64_t took = 0;
    proxy_drip(&proxy, PROXY_COMMANDS, PROXY_TO_CLIENT, BYTES, PERIOD_MS);
    uint64_t begun = world_clock_ms();
    say(client, "ECHO 0123456789");
    while (length < 17) {
        ssize_t more = recv(client, heard, sizeof(heard), 0);
        ck_assert_int_gt(more, 0);
        length += (size_t)more;
        took = world_clock_ms() - begun;
        /* Who comes late finds several pieces, but never more of them than there were periods. */
        ck_assert_msg(length <= BYTES * (1 + (took + 1) / PERIOD_MS), "%zu bytes after %u ms", length, (unsigned)took);
    }
    ck_assert_uint_eq(length, 17);
    ck_assert_uint_ge(took, 3 * PERIOD_MS - 1);
}
END_TEST

START_TEST(a_truncated_reply_is_followed_by_the_end)
{
    proxy_truncate(&proxy, PROXY_COMMANDS, PROXY_TO_CLIENT, 6);
    say(client, "ECHO abc");
    expect(client, "$3\r\nab");
    ck_assert_int_eq(expect_end(client), 0);
    close(client);
    client = connect_client();
    EVENTUALLY(clients_of_server() == 1);
}
END_TEST

/* ---- ends ---- */

START_TEST(a_cut_is_a_reset_or_an_end_and_of_one_link_only)
{
    int events = subscribe();
    proxy_cut(&proxy, PROXY_COMMANDS, _i == 0 ? PROXY_RESET : PROXY_FINISH);
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_COMMANDS).open, 0);
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_EVENTS).open, 1);
    ck_assert_int_eq(expect_end(client), _i == 0 ? ECONNRESET : 0);
    EVENTUALLY(clients_of_server() == 1);
    server_expect(&server, "1", "PUBLISH channel text");
    expect_message(events, "text");
    proxy_cut(&proxy, PROXY_EVENTS, _i == 0 ? PROXY_RESET : PROXY_FINISH);
    ck_assert_int_eq(expect_end(events), _i == 0 ? ECONNRESET : 0);
    close(events);
}
END_TEST

START_TEST(a_cut_connection_ends_so_also_when_bytes_are_on_their_way)
{
    proxy_hold(&proxy, PROXY_COMMANDS, PROXY_BOTH_WAYS);
    say(client, "ECHO text");
    say(client, "ECHO text");
    proxy_cut(&proxy, PROXY_ALL, PROXY_FINISH);
    say(client, "ECHO text");
    ck_assert_int_eq(expect_end(client), 0);
}
END_TEST

START_TEST(a_server_that_is_gone_is_the_end_of_its_clients)
{
    struct server own;
    server_start(&own, NULL);
    proxy_stop(&proxy);
    proxy_start(&proxy, own.socket);
    int old = connect_client();
    say(old, "PING");
    expect(old, "+PONG\r\n");
    server_kill(&own);
    ck_assert_int_eq(expect_end(old), 0);
    int fresh = connect_client();
    ck_assert_int_eq(expect_end(fresh), ECONNRESET);
    server_start_again(&own, NULL);
    close(fresh);
    fresh = connect_client();
    say(fresh, "PING");
    expect(fresh, "+PONG\r\n");
    close(old);
    close(fresh);
    server_stop(&own);
}
END_TEST

/* ---- new connections ---- */

START_TEST(new_connections_are_refused_and_accepted_again_at_the_same_place)
{
    proxy_refuse(&proxy, true);
    proxy_refuse(&proxy, true);
    ck_assert_int_eq(try_tcp(), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    ck_assert_int_eq(try_unix(), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    say(client, "PING"); /* who was there stays */
    expect(client, "+PONG\r\n");
    proxy_refuse(&proxy, false);
    proxy_refuse(&proxy, false);
    int fds[] = {connect_client(), try_unix()};
    for (int i = 0; i < 2; i++) {
        say(fds[i], "PING");
        expect(fds[i], "+PONG\r\n");
        close(fds[i]);
    }
}
END_TEST

START_TEST(a_server_can_accept_and_never_answer)
{
    proxy_drop(&proxy, PROXY_GREETING, PROXY_BOTH_WAYS);
    int fd = connect_client();
    say(fd, "HELLO");
    expect_silence(fd);
    say(client, "PING");
    expect(client, "+PONG\r\n");
    close(fd);
}
END_TEST

START_TEST(what_holds_for_present_connections_does_not_for_new_ones)
{
    proxy_drop(&proxy, PROXY_ALL | PROXY_PRESENT, PROXY_BOTH_WAYS);
    int fd = connect_client();
    say(fd, "PING");
    expect(fd, "+PONG\r\n");
    say(client, "PING");
    expect_silence(client);
    close(fd);
}
END_TEST

START_TEST(what_holds_for_a_link_holds_for_later_ones_from_their_first_command)
{
    proxy_drop(&proxy, PROXY_EVENTS, PROXY_BOTH_WAYS);
    int fd = connect_client();
    say(fd, "SELECT 0");
    expect(fd, "+OK\r\n");
    say(fd, "SUBSCRIBE channel");
    expect_silence(fd);
    server_expect(&server, "0", "PUBLISH channel text");
    close(fd);
}
END_TEST

/* ---- words put in ---- */

START_TEST(bytes_are_put_in_between_two_replies)
{
    say(client, "ECHO one");
    expect(client, "$3\r\none\r\n");
    proxy_inject(&proxy, PROXY_COMMANDS, "+garbage\r\n", 10);
    say(client, "ECHO two");
    expect(client, "+garbage\r\n$3\r\ntwo\r\n");
}
END_TEST

START_TEST(bytes_are_put_in_amid_the_next_reply)
{
    proxy_inject_amid(&proxy, PROXY_COMMANDS, "-@-", 3);
    say(client, "ECHO two");
    expect(client, "$3\r\n-@-two\r\n");
    say(client, "ECHO two");
    expect(client, "$3\r\ntwo\r\n");
}
END_TEST

START_TEST(an_answer_in_the_servers_place_comes_in_its_turn)
{
    proxy_answer(&proxy, PROXY_COMMANDS, "INCR ", "-LOADING Redis is loading the dataset in memory\r\n", 2);
    say(client, "ECHO one");
    say(client, "INCR counter");
    say(client, "ECHO two");
    say(client, "INCR counter");
    say(client, "INCR counter");
    expect(client, "$3\r\none\r\n"
                   "-LOADING Redis is loading the dataset in memory\r\n"
                   "$3\r\ntwo\r\n"
                   "-LOADING Redis is loading the dataset in memory\r\n"
                   ":1\r\n");
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_COMMANDS).answered, 2);
}
END_TEST

START_TEST(an_answer_holds_until_it_is_taken_back)
{
    proxy_answer(&proxy, PROXY_COMMANDS, "GETEX counter", "-READONLY You can't write against a read only replica.\r\n",
                 0);
    for (int i = 0; i < 3; i++) {
        say(client, "GETEX counter PX 1000");
        expect(client, "-READONLY You can't write against a read only replica.\r\n");
    }
    say(client, "GETEX other");
    expect(client, "$-1\r\n");
    proxy_answer_no_more(&proxy);
    say(client, "GETEX counter PX 1000");
    expect(client, "$-1\r\n");
}
END_TEST

START_TEST(a_command_can_get_no_answer_at_all)
{
    proxy_answer(&proxy, PROXY_COMMANDS, "INCR counter", "", 1);
    say(client, "INCR counter");
    expect_silence(client);
    say(client, "INCR counter");
    expect(client, ":1\r\n");
}
END_TEST

START_TEST(answers_are_for_one_kind_of_link)
{
    proxy_answer(&proxy, PROXY_EVENTS, "", "-NOPERM this user has no permissions\r\n", 0);
    proxy_answer(&proxy, PROXY_GREETING, "HELLO", "-NOAUTH Authentication required.\r\n", 0);
    int events = connect_client();
    say(events, "HELLO");
    say(events, "SELECT 0");
    expect(events, "-NOAUTH Authentication required.\r\n+OK\r\n");
    say(events, "SUBSCRIBE channel");
    expect(events, "-NOPERM this user has no permissions\r\n");
    say(client, "PING");
    expect(client, "+PONG\r\n");
    close(events);
}
END_TEST

START_TEST(messages_of_a_channel_are_nobodys_turn)
{
    int events = subscribe();
    proxy_answer(&proxy, PROXY_EVENTS, "PING", "+SECOND\r\n", 1);
    proxy_hold(&proxy, PROXY_EVENTS, PROXY_TO_SERVER);
    say(events, "PING");
    say(events, "PING");
    EVENTUALLY(proxy_count(&proxy, PROXY_EVENTS).commands == 3);
    server_expect(&server, "1", "PUBLISH channel text");
    expect(events, "+SECOND\r\n");
    expect_message(events, "text");
    proxy_answer(&proxy, PROXY_EVENTS, "PING", "+FOURTH\r\n", 1);
    say(events, "PING");
    EVENTUALLY(proxy_count(&proxy, PROXY_EVENTS).commands == 4);
    server_expect(&server, "1", "PUBLISH channel text");
    expect_message(events, "text");
    expect_silence(events); /* the one before has not been answered yet */
    proxy_pass(&proxy, PROXY_EVENTS, PROXY_BOTH_WAYS);
    expect(events, "*2\r\n$4\r\npong\r\n$0\r\n\r\n+FOURTH\r\n");
    close(events);
}
END_TEST

START_TEST(healing_ends_all_of_it)
{
    proxy_refuse(&proxy, true);
    proxy_drop(&proxy, PROXY_ALL, PROXY_BOTH_WAYS);
    proxy_answer(&proxy, PROXY_ALL, "", "-ERR no\r\n", 0);
    proxy_heal(&proxy);
    int fd = connect_client();
    say(fd, "PING");
    say(client, "PING");
    expect(fd, "+PONG\r\n");
    expect(client, "+PONG\r\n");
    close(fd);
}
END_TEST

static bool is_there(void)
{
    int fd = try_tcp();
    if (fd != -1)
        close(fd);
    return fd != -1;
}

START_TEST(it_dies_with_the_process_that_started_it)
{
    int way[2];
    struct proxy orphan;
    ck_assert_int_eq(pipe(way), 0);
    pid_t child = fork();
    if (child == 0) {
        proxy_start(&orphan, server.socket);
        ck_assert_int_eq(write(way[1], &orphan, sizeof(orphan)), sizeof(orphan));
        raise(SIGKILL);
    }
    ck_assert_int_eq(read(way[0], &orphan, sizeof(orphan)), sizeof(orphan));
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    proxy_stop(&proxy);
    proxy.port = orphan.port;
    EVENTUALLY(!is_there());
    unlink(orphan.socket);
    rmdir(orphan.folder);
    close(way[0]);
    close(way[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy");
    TCase *tcase = suite_case(suite, "proxy");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_proxy, close_proxy);
    tcase_add_test(tcase, what_a_connection_says_tells_which_link_it_is);
    tcase_add_test(tcase, bytes_and_commands_are_counted_each_way);
    tcase_add_loop_test(tcase, large_replies_and_many_commands_pass_whole_by_tcp_and_by_unix_socket, 0, 2);
    tcase_add_test(tcase, what_is_no_redis_protocol_passes_as_it_is);
    tcase_add_loop_test(tcase, a_delay_lets_everything_through_later_and_in_order, 0, 2);
    tcase_add_test(tcase, a_delayed_end_comes_later_as_well);
    tcase_add_loop_test(tcase, what_is_held_comes_when_it_passes_again, 0, 2);
    tcase_add_loop_test(tcase, what_is_held_comes_after_an_end_and_not_after_a_reset, 0, 2);
    tcase_add_test(tcase, a_half_open_connection_stays_open_and_carries_nothing);
    tcase_add_loop_test(tcase, what_was_lost_stays_lost, 0, 2);
    tcase_add_test(tcase, the_server_keeps_a_client_whose_end_was_lost);
    tcase_add_test(tcase, some_bytes_are_lost_and_the_rest_comes);
    tcase_add_test(tcase, a_drip_lets_a_few_bytes_through_at_a_time);
    tcase_add_test(tcase, a_truncated_reply_is_followed_by_the_end);
    tcase_add_loop_test(tcase, a_cut_is_a_reset_or_an_end_and_of_one_link_only, 0, 2);
    tcase_add_test(tcase, a_cut_connection_ends_so_also_when_bytes_are_on_their_way);
    tcase_add_test(tcase, a_server_that_is_gone_is_the_end_of_its_clients);
    tcase_add_test(tcase, new_connections_are_refused_and_accepted_again_at_the_same_place);
    tcase_add_test(tcase, a_server_can_accept_and_never_answer);
    tcase_add_test(tcase, what_holds_for_present_connections_does_not_for_new_ones);
    tcase_add_test(tcase, what_holds_for_a_link_holds_for_later_ones_from_their_first_command);
    tcase_add_test(tcase, bytes_are_put_in_between_two_replies);
    tcase_add_test(tcase, bytes_are_put_in_amid_the_next_reply);
    tcase_add_test(tcase, an_answer_in_the_servers_place_comes_in_its_turn);
    tcase_add_test(tcase, an_answer_holds_until_it_is_taken_back);
    tcase_add_test(tcase, a_command_can_get_no_answer_at_all);
    tcase_add_test(tcase, answers_are_for_one_kind_of_link);
    tcase_add_test(tcase, messages_of_a_channel_are_nobodys_turn);
    tcase_add_test(tcase, healing_ends_all_of_it);
    tcase_add_test(tcase, it_dies_with_the_process_that_started_it);
    return suite_run(suite);
}
