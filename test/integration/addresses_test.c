/* SPDX-License-Identifier: MIT */
/* Redis by TCP: a name with several addresses of which some are dead, IPv6, and what is set on the sockets. */
#include "stage.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define QUESTIONS_MAX 8

static struct link_recorder links;
static char url[64];
static unsigned port;

static void serve_on(const char *address)
{
    char number[16];
    port = server_free_port();
    snprintf(number, sizeof(number), "%u", port);
    const char *const extra[] = {"--port", number, "--bind", address, NULL};
    server_start(&server, extra);
    open_world();
    options.on_link = record_link;
    options.on_link_arg = &links;
    options.url = url;
}

static void close_all(void)
{
    netron_discovery_free(discovery);
    world_close(&world);
    server_forget(&server);
    server_stop(&server);
}

/* ---- a resolver of the test's own ---- */

static const char *const *answer;
static size_t answer_count;
static int asked;

static struct question {
    netron_resolve_fn fn; /* NULL: none */
    void *arg;
} questions[QUESTIONS_MAX];

static void *resolve(netron_loop *loop, const char *host, netron_resolve_fn fn, void *arg)
{
    (void)loop;
    ck_assert_str_eq(host, "redis.test");
    asked++;
    for (int i = 0; i < QUESTIONS_MAX; i++) {
        if (questions[i].fn == NULL) {
            questions[i] = (struct question){fn, arg};
            return &questions[i];
        }
    }
    ck_abort_msg("too many questions");
}

static void resolve_cancel(netron_loop *loop, void *resolution)
{
    (void)loop;
    ((struct question *)resolution)->fn = NULL;
}

static bool answer_questions(void *arg)
{
    (void)arg;
    for (int i = 0; i < QUESTIONS_MAX; i++) {
        const struct question question = questions[i];
        questions[i].fn = NULL;
        if (question.fn != NULL)
            question.fn(0, answer, answer_count, NULL, question.arg);
    }
    return true;
}

static void join_by_name(void)
{
    static struct event_recorder events;
    netron_loop *loop = reactor_loop(world.reactor);
    loop->resolve = resolve;
    loop->resolve_cancel = resolve_cancel;
    world.other_end = answer_questions;
    snprintf(url, sizeof(url), "redis://redis.test:%u", port);
    ck_assert_int_eq(netron_discovery_new_on(loop, &options, &discovery), 0);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &events, NULL), 0);
}

/* ---- names ---- */

/* Whatever the order: a dead address costs the shortest wait, not the longest. */
START_TEST(a_name_with_dead_addresses_leads_to_the_live_one)
{
    static const char *const orders[3][3] = {{"127.0.0.1", "127.0.0.3", "127.0.0.2"},
                                             {"127.0.0.1", "127.0.0.2", "127.0.0.3"},
                                             {"127.0.0.2", "127.0.0.1", "127.0.0.3"}};
    serve_on("127.0.0.2");
    answer = orders[_i];
    answer_count = 3;
    options.reconnect_min_ms = 50;
    options.reconnect_max_ms = 600000; /* nobody could wait for that */
    join_by_name();
    AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS] && links.is_up[NETRON_LINK_EVENTS]);
    ck_assert_int_ge(asked, 2);
    /* And when what it leads to changes, the next connection goes there: a name is asked for anew each time. */
    static const char *const later[] = {"127.0.0.2"};
    answer = later;
    answer_count = 1;
    int before = asked;
    server_integer(&server, "CLIENT KILL TYPE normal SKIPME yes");
    AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS] && asked > before);
}
END_TEST

/* It is one thing that fails, however many addresses it has. */
START_TEST(a_name_with_dead_addresses_only_is_told_once)
{
    static const char *const dead[] = {"127.0.0.1", "127.0.0.3", "127.0.0.4"};
    char words[64];
    serve_on("127.0.0.2");
    answer = dead;
    answer_count = 3;
    options.reconnect_min_ms = 10;
    options.reconnect_max_ms = 50;
    join_by_name();
    AWAIT(&world, asked >= 8);
    snprintf(words, sizeof(words), "redis.test:%u: cannot connect: Connection refused", port);
    ck_assert_str_eq(links.sentence[NETRON_LINK_COMMANDS], words);
    ck_assert_int_eq(links.count[NETRON_LINK_COMMANDS], 1);
    ck_assert_int_eq(links.count[NETRON_LINK_EVENTS], 1);
}
END_TEST

START_TEST(an_address_of_ipv6)
{
    static struct state_recorder states;
    serve_on("::1");
    snprintf(url, sizeof(url), "redis://[::1]:%u", port);
    begin_registered(&states);
    redisReply *reply = server_ask(&server, "CLIENT LIST");
    ck_assert_ptr_nonnull(strstr(reply->str, " addr=[::1]:"));
    freeReplyObject(reply);
}
END_TEST

START_TEST(a_name_with_addresses_of_both_kinds)
{
    static const char *const addresses[] = {"127.0.0.1", "::1"};
    serve_on("::1");
    answer = addresses;
    answer_count = 2;
    options.reconnect_max_ms = 600000;
    join_by_name();
    AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS] && links.is_up[NETRON_LINK_EVENTS]);
}
END_TEST

/* ---- sockets ---- */

static int socket_option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);
    ck_assert_int_eq(getsockopt(fd, level, name, &value, &length), 0);
    return value;
}

/* The library's connection: of this process the only one to that port. */
static int connection(void)
{
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in peer = {0};
        socklen_t length = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == port)
            return fd;
    }
    ck_abort_msg("there is no connection");
}

START_TEST(the_system_watches_over_the_connection)
{
    static const struct {
        uint32_t ping_ms, user_ms;
        int idle_s, interval_s, user;
    } cases[] = {{0, 0, 10, 3, 0},
                 {30000, 2500, 30, 10, 2500},
                 {500, 1, 1, 1, 1},
                 {86400000, 0, 32767, 28800, 0},
                 {10000, 86400000, 10, 3, 86400000}};
    serve_on("127.0.0.1");
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", port);
    options.ping_interval_ms = cases[_i].ping_ms;
    options.tcp_user_timeout_ms = cases[_i].user_ms;
    discovery = world_join(&world, &options);
    AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS]);
    int fd = connection();
    ck_assert_int_ne(socket_option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    ck_assert_int_ne(socket_option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_eq(socket_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), cases[_i].idle_s);
    ck_assert_int_eq(socket_option(fd, IPPROTO_TCP, TCP_KEEPINTVL), cases[_i].interval_s);
    ck_assert_int_eq(socket_option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    ck_assert_int_eq(socket_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), cases[_i].user);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("addresses");
    TCase *tcase = suite_case(suite, "TCP");
    tcase_add_checked_fixture(tcase, NULL, close_all);
    tcase_add_loop_test(tcase, a_name_with_dead_addresses_leads_to_the_live_one, 0, 3);
    tcase_add_test(tcase, a_name_with_dead_addresses_only_is_told_once);
    tcase_add_test(tcase, an_address_of_ipv6);
    tcase_add_test(tcase, a_name_with_addresses_of_both_kinds);
    tcase_add_loop_test(tcase, the_system_watches_over_the_connection, 0, 5);
    return suite_run(suite);
}
