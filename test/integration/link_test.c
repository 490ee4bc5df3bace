/* SPDX-License-Identifier: MIT */
/* Connections to a real Redis: how they are made, what they say of themselves, and how they come back when broken. */
#include "stage.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static struct link_recorder links;
static struct state_recorder states;
static char url[160];

static void open_links(void)
{
    open_alone();
    options.on_link = record_link;
    options.on_link_arg = &links;
}

/* The same with a TCP port; its number. */
static unsigned port;

static void open_links_on_tcp(void)
{
    char number[16];
    port = server_free_port();
    snprintf(number, sizeof(number), "%u", port);
    const char *const extra[] = {"--port", number, "--bind", "127.0.0.1", NULL};
    server_start(&server, extra);
    open_world();
    options.on_link = record_link;
    options.on_link_arg = &links;
}

/* A node and a subscription, both working. */
static netron_registration *join(void)
{
    netron_registration *registration = begin_registered(&states);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, NULL, NULL, NULL), NETRON_EINVAL);
    static struct event_recorder events;
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &events, NULL), 0);
    AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS] && links.is_up[NETRON_LINK_EVENTS]);
    return registration;
}

/* How many of the lines of CLIENT LIST hold all three. */
static int count_lines(const char *one, const char *two, const char *three)
{
    int count = 0;
    char *rest = NULL;
    redisReply *reply = server_ask(&server, "CLIENT LIST");
    for (char *line = strtok_r(reply->str, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        count += strstr(line, one) != NULL && strstr(line, two) != NULL && strstr(line, three) != NULL;
    freeReplyObject(reply);
    return count;
}

/* ---- where, who, which ---- */

START_TEST(tcp_with_a_number_and_with_a_name)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    snprintf(url, sizeof(url), "redis://%s:%u", hosts[_i], port);
    options.url = url;
    join();
    ck_assert_int_eq(count_lines(" addr=127.0.0.1:", " name=netron ", ""), 2);
    netron_discovery_free(discovery); /* with its resolver */
    discovery = NULL;
    AWAIT(&world, count_clients(&server) == 0);
}
END_TEST

START_TEST(a_database_of_its_own)
{
    if (_i == 0)
        snprintf(url, sizeof(url), "unix://%s?db=3", server.socket);
    else
        snprintf(url, sizeof(url), "redis://127.0.0.1:%u/3", port);
    options.url = url;
    join();
    ck_assert_int_eq(count_lines(" name=netron ", " db=3 ", ""), 2);
    server_expect(&server, "0", "DBSIZE");
    server_expect(&server, "OK", "SELECT 3");
    server_expect(&server, "9", "DBSIZE");
    server_expect(&server, "1", "EXISTS " P ":heartbeat:node-1");
}
END_TEST

START_TEST(both_links_bear_the_name_of_the_client)
{
    options.client_name = "billing-7";
    join();
    ck_assert_int_eq(count_lines(" name=billing-7 ", "", ""), 2);
    ck_assert_int_eq(count_lines(" name=billing-7 ", " sub=1 ", ""), 1);
}
END_TEST

START_TEST(a_user_with_a_password)
{
    static struct log_recorder log; /* it is told of the end as well */
    server_expect(&server, "OK", "ACL SETUSER tester on %s allkeys allchannels +@all", ">p@ss:w/rd");
    snprintf(url, sizeof(url), "unix://%s%s", _i == 0 ? "tester:p%40ss%3Aw%2Frd@" : "", server.socket);
    options.url = url;
    if (_i == 1) {
        options.username = "tester";
        options.password = "p@ss:w/rd";
    }
    options.log = record_log;
    options.log_arg = &log;
    join();
    ck_assert_int_eq(count_lines(" name=netron ", " user=tester ", ""), 2);
    ck_assert_int_gt(log.count, 0);
    ck_assert_int_eq(log_count(&log, "p@ss") + log_count(&log, "p%40ss"), 0);
}
END_TEST

START_TEST(a_password_alone)
{
    server_expect(&server, "OK", "CONFIG SET requirepass secret");
    snprintf(url, sizeof(url), "unix://:secret@%s", server.socket);
    if (_i == 0)
        options.url = url;
    else
        options.password = "secret";
    join();
    ck_assert_int_eq(count_lines(" name=netron ", " user=default ", ""), 2);
}
END_TEST

/* ---- refused ---- */

/* What the link and the node hear at once; retries would take seconds. */
static void assert_refused(int code, const char *words)
{
    options.retry_delay_ms = 2000;
    uint64_t begun = world_clock_ms();
    discovery = world_join(&world, &options);
    states.discovery = discovery;
    begin(discovery, "node-1", &states);
    AWAIT(&world, links.count[NETRON_LINK_COMMANDS] >= 1 && states.count >= 1);
    ck_assert_uint_lt(world_clock_ms() - begun, 2000);
    ck_assert_int_eq(links.code[NETRON_LINK_COMMANDS], code);
    ck_assert_msg(strstr(links.sentence[NETRON_LINK_COMMANDS], words) != NULL, "the link says: %s",
                  links.sentence[NETRON_LINK_COMMANDS]);
    ck_assert_int_eq(states.state[0], NETRON_FAILED);
    ck_assert_int_eq(states.code[0], code);
    ck_assert_ptr_nonnull(strstr(states.sentence, words));
    world_run(&world, 250); /* a further attempt or two are no news */
    ck_assert_int_eq(links.count[NETRON_LINK_COMMANDS], 1);
    ck_assert_int_eq(states.count, 1);
}

static void assert_mended(void)
{
    AWAIT(&world, states.count == 2 && links.is_up[NETRON_LINK_COMMANDS]);
    ck_assert_int_eq(states.state[1], NETRON_REGISTERED);
    ck_assert_int_eq(links.count[NETRON_LINK_COMMANDS], 2);
}

START_TEST(a_wrong_password_is_told_at_once_and_can_be_made_right)
{
    server_expect(&server, "OK", "ACL SETUSER tester on >old allkeys allchannels +@all");
    options.username = "tester";
    options.password = "new-secret";
    assert_refused(NETRON_EAUTH, "WRONGPASS invalid username-password pair");
    ck_assert_ptr_null(strstr(states.sentence, "new-secret"));
    server_expect(&server, "OK", "ACL SETUSER tester resetpass >new-secret");
    assert_mended();
}
END_TEST

START_TEST(a_missing_password_is_told_at_once)
{
    server_expect(&server, "OK", "CONFIG SET requirepass secret");
    assert_refused(NETRON_EAUTH, "NOAUTH");
    server_expect(&server, "OK", "CONFIG SET requirepass %b", "", (size_t)0);
    assert_mended();
}
END_TEST

START_TEST(a_password_that_redis_does_not_want_is_told_at_once)
{
    options.password = "needless";
    assert_refused(NETRON_EAUTH, "AUTH: ");
    server_expect(&server, "OK", "CONFIG SET requirepass needless");
    assert_mended();
}
END_TEST

START_TEST(a_database_that_is_not_there_is_told_at_once)
{
    snprintf(url, sizeof(url), server.tls_port[0] != '\0' ? "%s/16" : "%s?db=16", server.url);
    options.url = url;
    assert_refused(NETRON_EDATABASE, "DB index is out of range");
}
END_TEST

START_TEST(a_user_that_loses_its_password_is_told_so)
{
    server_expect(&server, "OK", "ACL SETUSER tester on >secret allkeys allchannels +@all");
    options.username = "tester";
    options.password = "secret";
    join();
    server_expect(&server, "1", "ACL DELUSER tester"); /* which ends its connections */
    AWAIT(&world, links.code[NETRON_LINK_COMMANDS] == NETRON_EAUTH && links.code[NETRON_LINK_EVENTS] == NETRON_EAUTH);
    AWAIT(&world, latest_state(&states) == NETRON_FAILED && states.code[states.count - 1] == NETRON_EAUTH);
    server_expect(&server, "OK", "ACL SETUSER tester on >secret allkeys allchannels +@all");
    AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS] && links.is_up[NETRON_LINK_EVENTS]);
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
}
END_TEST

START_TEST(a_server_that_is_full_says_so_and_is_tried_again)
{
    if (_i == 1) {
        server_expect(&server, "OK", "ACL SETUSER tester on >secret allkeys allchannels +@all");
        options.username = "tester";
        options.password = "secret";
    }
    server_expect(&server, "OK", "CONFIG SET maxclients 1"); /* the test's own */
    discovery = world_join(&world, &options);
    begin(discovery, "node-1", &states);
    AWAIT(&world, links.count[NETRON_LINK_COMMANDS] >= 1);
    /* Over TLS it hangs up before there is anything that it could say it by. */
    bool has_words = server.tls_port[0] == '\0';
    ck_assert_msg(!has_words || strstr(links.sentence[NETRON_LINK_COMMANDS], "max number of clients reached") != NULL,
                  "the link says: %s", links.sentence[NETRON_LINK_COMMANDS]);
    int code = links.code[NETRON_LINK_COMMANDS];
    ck_assert_msg(has_words ? code == NETRON_EREDIS || code == NETRON_EUNAVAILABLE : code == NETRON_EDISCONNECTED,
                  "the link says %d: %s", code, links.sentence[NETRON_LINK_COMMANDS]);
    server_expect(&server, "OK", "CONFIG SET maxclients 100");
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
}
END_TEST

/* ---- broken and back ---- */

START_TEST(a_killed_connection_is_made_again_and_the_node_beats_on)
{
    join();
    server_integer(&server, "CLIENT KILL TYPE %s SKIPME yes", _i == 0 ? "normal" : "pubsub");
    netron_link_role role = _i == 0 ? NETRON_LINK_COMMANDS : NETRON_LINK_EVENTS;
    AWAIT(&world, links.count[role] == 2);
    ck_assert_int_eq(links.code[role], NETRON_EDISCONNECTED);
    AWAIT(&world, links.count[role] == 3);
    ck_assert(links.is_up[role]);
    uint64_t enough = beats(discovery) + 3;
    AWAIT(&world, beats(discovery) >= enough);
    ck_assert_int_eq(count_clients(&server), 2);
    ck_assert_int_eq(links.count[3 - role], 1);
    ck_assert_int_eq(states.count, 1); /* the node never noticed */
}
END_TEST

START_TEST(a_server_that_comes_back_empty_gets_its_node_again)
{
    join();
    server_kill(&server);
    AWAIT(&world, links.count[NETRON_LINK_COMMANDS] == 2 && links.count[NETRON_LINK_EVENTS] == 2);
    ck_assert_int_eq(links.code[NETRON_LINK_COMMANDS], NETRON_EDISCONNECTED);
    server_start_again(&server, NULL);
    AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS] && links.is_up[NETRON_LINK_EVENTS]);
    AWAIT(&world, server_integer(&server, "EXISTS " P ":heartbeat:node-1") == 1);
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    server_expect(&server, "9", "DBSIZE");
    ck_assert_int_eq(count_clients(&server), 2);
}
END_TEST

static volatile sig_atomic_t pipes_broken;

static void on_sigpipe(int number)
{
    (void)number;
    pipes_broken = 1;
}

/* What is written after the other end died must not raise it. */
START_TEST(no_broken_pipe_raises_a_signal)
{
    signal(SIGPIPE, on_sigpipe);
    netron_registration *registration = join();
    char address[32];
    for (int turns = 0; turns < 4; turns++) {
        snprintf(address, sizeof(address), "10.0.0.2:%d", turns + 1);
        ck_assert_int_eq(netron_registration_update_address(registration, address, NULL, NULL), 0);
        for (int i = 0; i < turns; i++)
            world_turn(&world);
        server_kill(&server);
        AWAIT(&world, !links.is_up[NETRON_LINK_COMMANDS] && !links.is_up[NETRON_LINK_EVENTS]);
        server_start_again(&server, NULL);
        AWAIT(&world, text_is(&server, address, "HGET %s address", P ":nodes:node-1"));
        AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS] && links.is_up[NETRON_LINK_EVENTS]);
    }
    sigset_t pending;
    sigset_t blocked;
    sigpending(&pending);
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    ck_assert_int_eq(pipes_broken, 0);
    ck_assert_int_eq(sigismember(&pending, SIGPIPE), 0);
    ck_assert_int_eq(sigismember(&blocked, SIGPIPE), 0);
    signal(SIGPIPE, SIG_DFL);
}
END_TEST

START_TEST(every_descriptor_is_closed_in_child_programs)
{
    bool before[256] = {false};
    int looked_at = 0;
    for (int fd = 0; fd < 256; fd++)
        before[fd] = fcntl(fd, F_GETFD) != -1;
    snprintf(url, sizeof(url), "redis://localhost:%u", port);
    options.url = url;
    join();
    for (int fd = 0; fd < 256; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (before[fd] || flags == -1)
            continue;
        ck_assert_msg((flags & FD_CLOEXEC) != 0, "descriptor %d stays open", fd);
        looked_at++;
    }
    ck_assert_int_ge(looked_at, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("link");
    TCase *tcase = suite_case(suite, "TCP");
    tcase_add_checked_fixture(tcase, open_links_on_tcp, close_alone);
    tcase_add_loop_test(tcase, tcp_with_a_number_and_with_a_name, 0, 2);
    tcase_add_loop_test(tcase, a_database_of_its_own, 0, 2);
    tcase_add_test(tcase, every_descriptor_is_closed_in_child_programs);
    tcase = suite_case(suite, "Unix socket");
    tcase_add_checked_fixture(tcase, open_links, close_alone);
    tcase_add_test(tcase, both_links_bear_the_name_of_the_client);
    tcase_add_loop_test(tcase, a_user_with_a_password, 0, 2);
    tcase_add_loop_test(tcase, a_password_alone, 0, 2);
    tcase_add_test(tcase, a_wrong_password_is_told_at_once_and_can_be_made_right);
    tcase_add_test(tcase, a_missing_password_is_told_at_once);
    tcase_add_test(tcase, a_password_that_redis_does_not_want_is_told_at_once);
    tcase_add_test(tcase, a_database_that_is_not_there_is_told_at_once);
    tcase_add_test(tcase, a_user_that_loses_its_password_is_told_so);
    tcase_add_loop_test(tcase, a_server_that_is_full_says_so_and_is_tried_again, 0, 2);
    tcase_add_loop_test(tcase, a_killed_connection_is_made_again_and_the_node_beats_on, 0, 2);
    tcase_add_test(tcase, a_server_that_comes_back_empty_gets_its_node_again);
    tcase_add_test(tcase, no_broken_pipe_raises_a_signal);
    return suite_run(suite);
}
