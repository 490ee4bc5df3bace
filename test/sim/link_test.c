/* SPDX-License-Identifier: MIT */
/* The life of a link to the millisecond: finding, connecting, greeting, pinging, falling back. */
#include "server.h"
#include "sim.h"
#include <arpa/inet.h>
#include <backoff.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COMMANDS NETRON_LINK_COMMANDS

static const char *version_6_0(struct peer *peer, const struct peer_command *command)
{
    if (peer_is(command, "HELLO"))
        return "-ERR wrong number of arguments for 'hello' command\r\n";
    return peer_answer_well(peer, command);
}

static const char *version_6_1(struct peer *peer, const struct peer_command *command)
{
    if (peer_is(command, "HELLO"))
        return "*2\r\n$7\r\nversion\r\n$7\r\n6.1.240\r\n";
    return peer_answer_well(peer, command);
}

/* None of these is a version, or an old one. */
static const char *const odd_versions[] = {"7", "10.0", "6.", ".1", "x6.0", "", "6.2", "1000000.0"};
static const char *odd_version;

static const char *version_of_a_kind(struct peer *peer, const struct peer_command *command)
{
    static char answer[64];
    if (!peer_is(command, "HELLO"))
        return peer_answer_well(peer, command);
    snprintf(answer, sizeof(answer), "*2\r\n$7\r\nversion\r\n$%zu\r\n%s\r\n", strlen(odd_version), odd_version);
    return answer;
}

static const char *no_setname(struct peer *peer, const struct peer_command *command)
{
    if (peer_is(command, "CLIENT "))
        return "-NOPERM this user has no permissions to run the 'client|setname' command\r\n";
    return peer_answer_well(peer, command);
}

static const char *loading(struct peer *peer, const struct peer_command *command)
{
    (void)peer;
    (void)command;
    return "-LOADING Redis is loading the dataset in memory\r\n";
}

/* ---- greeting ---- */

START_TEST(the_greeting_asks_for_the_version_and_sets_the_name)
{
    sim_join();
    sim_settle();
    ck_assert_uint_eq(sim.peer.command_count, 2);
    ck_assert_str_eq(sim.peer.commands[0].text, "HELLO");
    ck_assert_str_eq(sim.peer.commands[1].text, "CLIENT SETNAME netron");
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
}
END_TEST

START_TEST(a_version_that_cannot_be_read_is_not_held_against_a_server)
{
    odd_version = odd_versions[_i];
    sim.peer.answer = version_of_a_kind;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
}
END_TEST

START_TEST(the_greeting_logs_in_and_selects_when_the_url_says_so)
{
    char url[256];
    snprintf(url, sizeof(url), "unix://al%%69ce:p%%40ss@%s?db=7", sim.peer.path);
    sim.options.url = url;
    sim.options.client_name = "orders-7";
    sim_join();
    sim_settle();
    ck_assert_uint_eq(sim.peer.command_count, 4);
    ck_assert_str_eq(sim.peer.commands[0].text, "AUTH alice p@ss");
    ck_assert_str_eq(sim.peer.commands[1].text, "HELLO");
    ck_assert_str_eq(sim.peer.commands[2].text, "SELECT 7");
    ck_assert_str_eq(sim.peer.commands[3].text, "CLIENT SETNAME orders-7");
    ck_assert_int_eq(log_count(&sim.log, "p@ss"), 0);
    ck_assert_int_eq(log_count(&sim.log, "p%40ss"), 0);
}
END_TEST

START_TEST(credentials_of_the_options_replace_those_of_the_url)
{
    char url[256];
    snprintf(url, sizeof(url), "unix://alice:old@%s", sim.peer.path);
    sim.options.url = url;
    sim.options.password = "new";
    sim_join();
    sim_settle();
    ck_assert_str_eq(sim.peer.commands[0].text, "AUTH alice new");
}
END_TEST

START_TEST(a_server_before_6_2_is_refused_with_the_version_that_is_needed)
{
    static const peer_answer_fn old_ones[] = {version_6_0, version_6_1};
    sim.peer.answer = old_ones[_i];
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EVERSION);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "Redis 6.2 or newer is needed"));
    if (_i == 1)
        ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "6.1.240"));
    ck_assert_int_eq(sim.peer.conns[0], -1);
}
END_TEST

START_TEST(a_forbidden_client_setname_is_no_obstacle)
{
    sim.peer.answer = no_setname;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
}
END_TEST

START_TEST(a_loading_server_is_unavailable_and_asked_again)
{
    sim.peer.answer = loading;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EUNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "LOADING"));
    sim.peer.answer = peer_answer_well;
    sim_advance(100);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
    ck_assert_int_eq(sim.links.count[COMMANDS], 2);
}
END_TEST

START_TEST(what_the_greeting_is_refused_with_is_told_at_once_and_tried_again_slowly)
{
    static const struct {
        const char *command;
        const char *reply;
        int code;
    } refusals[] = {
        {"AUTH ", "-WRONGPASS invalid username-password pair or user is disabled.\r\n", NETRON_EAUTH},
        {"AUTH ", "-ERR AUTH <password> called without any password configured\r\n", NETRON_EAUTH},
        {"HELLO", "-NOAUTH HELLO must be called with the client already authenticated\r\n", NETRON_EAUTH},
        {"SELECT ", "-ERR DB index is out of range\r\n", NETRON_EDATABASE},
        {"SELECT ", "-NOPERM this user has no permissions to run the 'select' command\r\n", NETRON_EPERM},
    };
    char url[256];
    snprintf(url, sizeof(url), "unix://:secret@%s?db=9", sim.peer.path);
    sim.options.url = url;
    sim.peer.answer = peer_answer_refusal;
    sim.peer.refused = refusals[_i].command;
    sim.peer.refusal = refusals[_i].reply;
    sim_join();
    sim_register();
    sim_settle();
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    ck_assert_int_eq(sim.links.code[COMMANDS], refusals[_i].code);
    char words[256];
    snprintf(words, sizeof(words), "%.*s", (int)strlen(refusals[_i].reply) - 3, refusals[_i].reply + 1);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], words));
    ck_assert_ptr_null(strstr(sim.links.sentence[COMMANDS], "secret"));
    ck_assert_int_eq(latest_state(&sim.states), NETRON_FAILED);
    ck_assert_int_eq(sim.states.code[0], refusals[_i].code);

    uint64_t at = sim.loop.now + 5000 + netron_backoff_spread(5000, sim_random());
    sim_advance(10000);
    ck_assert_int_eq(sim.peer.conn_count, 2);
    ck_assert_uint_eq(sim.peer.accepted_at[1], at);
    ck_assert_int_eq(sim.links.count[COMMANDS], 1); /* the same sentence is not told twice */

    sim.peer.answer = peer_answer_well;
    sim_advance(10000);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

START_TEST(a_connection_that_is_not_greeted_within_the_connect_timeout_is_given_up)
{
    sim.peer.answer = peer_answer_nothing;
    sim.options.connect_timeout_ms = 1700;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.peer.conn_count, 1);
    sim_advance(1699);
    ck_assert_int_eq(sim.links.count[COMMANDS], 0);
    sim_advance(1);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "1700 ms"));
    ck_assert_int_eq(sim.peer.conns[0], -1);
}
END_TEST

/* ---- falling back ---- */

START_TEST(reconnects_wait_with_full_jitter_up_to_a_ceiling_that_doubles_to_the_limit)
{
    peer_stop_listening(&sim.peer);
    sim.options.reconnect_min_ms = 50;
    sim.options.reconnect_max_ms = 1000;
    sim_join();
    sim_settle();
    for (unsigned attempt = 0; attempt < 12; attempt++) {
        uint32_t delay = netron_backoff_reconnect(50, 1000, attempt, sim_random());
        uint64_t ceiling = 50ull << (attempt < 5 ? attempt : 5);
        ck_assert_uint_le(delay, ceiling < 1000 ? ceiling : 1000);
        ck_assert_uint_eq(fake_loop_next(&sim.loop), delay);
        sim_advance(delay);
    }
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EDISCONNECTED);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "No such file"));
}
END_TEST

START_TEST(a_server_that_accepts_and_drops_is_not_hammered)
{
    sim.options.reconnect_min_ms = 100;
    sim.options.reconnect_max_ms = 10000;
    sim_join();
    sim_settle();
    for (unsigned attempt = 0; attempt < 6; attempt++) {
        peer_hang_up_all(&sim.peer);
        sim_settle();
        ck_assert_uint_eq(fake_loop_next(&sim.loop), netron_backoff_reconnect(100, 10000, attempt, sim_random()));
        sim_advance(fake_loop_next(&sim.loop));
        ck_assert_int_eq(sim.links.code[COMMANDS], 0);
    }
}
END_TEST

START_TEST(a_connection_that_lasted_resets_the_backoff)
{
    sim.options.reconnect_max_ms = 2000;
    sim_join();
    sim_settle();
    for (unsigned attempt = 0; attempt < 3; attempt++) {
        peer_hang_up_all(&sim.peer);
        sim_settle();
        sim_random();
        sim_advance(fake_loop_next(&sim.loop));
    }
    sim_advance(2000);
    peer_hang_up_all(&sim.peer);
    sim_settle();
    ck_assert_uint_eq(fake_loop_next(&sim.loop), netron_backoff_reconnect(100, 2000, 0, sim_random()));
}
END_TEST

START_TEST(a_lost_connection_is_told_once_and_so_is_its_return)
{
    sim_join();
    sim_settle();
    peer_hang_up_all(&sim.peer);
    sim_settle();
    ck_assert_int_eq(sim.links.count[COMMANDS], 2);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EDISCONNECTED);
    sim_advance(100);
    ck_assert_int_eq(sim.links.count[COMMANDS], 3);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
}
END_TEST

/* ---- pinging ---- */

START_TEST(a_silent_link_is_pinged_after_the_ping_interval)
{
    sim_join();
    sim_settle();
    sim_advance(9999);
    ck_assert_uint_eq(sim_count("PING"), 0);
    sim_advance(1);
    ck_assert_uint_eq(sim_count("PING"), 1);
    sim_advance(10000);
    ck_assert_uint_eq(sim_count("PING"), 2);
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
}
END_TEST

START_TEST(a_link_that_beats_sends_no_ping)
{
    sim_join_and_register();
    sim_advance(120000);
    ck_assert_uint_gt(sim_count("GETEX"), 15);
    ck_assert_uint_eq(sim_count("PING"), 0);
}
END_TEST

START_TEST(an_unanswered_ping_ends_the_link_after_another_interval)
{
    sim.options.ping_interval_ms = 3000;
    sim_join();
    sim_settle();
    sim.peer.answer = peer_answer_nothing;
    sim_advance(5999);
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    sim_advance(1);
    ck_assert_int_eq(sim.links.count[COMMANDS], 2);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ETIMEDOUT);
    ck_assert_uint_eq(sim_count("PING"), 1);
}
END_TEST

/* ---- what ends a link ---- */

START_TEST(a_server_that_became_a_replica_is_left)
{
    sim.peer.answer = peer_answer_refusal;
    sim.peer.refused = "EVALSHA";
    sim.peer.refusal = "-READONLY You can't write against a read only replica.\r\n";
    sim_join();
    sim_register();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EUNAVAILABLE);
    ck_assert_int_eq(sim.peer.conns[0], -1);
}
END_TEST

/* ---- finding ---- */

static int bind_loopback(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

START_TEST(a_connect_into_a_black_hole_ends_at_the_connect_timeout)
{
    uint16_t port;
    int listener = bind_loopback(&port);
    ck_assert_int_eq(listen(listener, 0), 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int filler[4]; /* they fill the queue of the listener, which accepts nobody: what comes then is dropped */
    for (int i = 0; i < 4; i++) {
        filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connect(filler[i], (struct sockaddr *)&address, sizeof(address)) != 0)
            ck_assert_int_eq(errno, EINPROGRESS);
    }
    char url[64];
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", port);
    sim.options.url = url;
    sim_join();
    sim_settle();
    sim_advance(4999);
    ck_assert_int_eq(sim.links.count[COMMANDS], 0);
    sim_advance(1);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "5000 ms"));
    for (int i = 0; i < 4; i++)
        close(filler[i]);
    close(listener);
}
END_TEST

START_TEST(a_refused_connect_is_told_in_the_systems_words)
{
    char url[64];
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", server_free_port());
    sim.options.url = url;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EDISCONNECTED);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "Connection refused"));
}
END_TEST

START_TEST(a_host_name_is_resolved_anew_for_each_attempt_and_each_address_gets_its_turn)
{
    static const char *const addresses[] = {"127.0.0.1", "127.0.0.2"};
    char url[64];
    snprintf(url, sizeof(url), "redis://redis.example:%u", server_free_port());
    sim.options.url = url;
    sim_join();
    sim_settle();
    ck_assert_str_eq(sim.loop.resolving, "redis.example");
    fake_loop_resolve(&sim.loop, addresses, 2);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "Connection refused"));
    sim_advance(100);
    ck_assert_uint_eq(sim.loop.resolutions, 2);
    fake_loop_resolve(&sim.loop, addresses, 2);
    ck_assert_int_gt(log_count(&sim.log, "connecting (127.0.0.1)"), 0);
    ck_assert_int_gt(log_count(&sim.log, "connecting (127.0.0.2)"), 0);
}
END_TEST

START_TEST(a_name_that_cannot_be_resolved_is_told_and_asked_again)
{
    sim.options.url = "redis://redis.example";
    sim_join();
    sim_settle();
    fake_loop_resolve(&sim.loop, NULL, 0);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ERESOLVE);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "redis.example"));
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "no such host"));
    sim.loop.refuse_to_resolve = true;
    sim_advance(fake_loop_next(&sim.loop));
    ck_assert_uint_eq(sim.loop.resolutions, 2);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "could not be started"));
}
END_TEST

START_TEST(a_resolver_that_never_answers_is_given_up_at_the_connect_timeout)
{
    sim.options.url = "redis://redis.example";
    sim_join();
    sim_advance(4999);
    ck_assert_int_eq(sim.links.count[COMMANDS], 0);
    sim_advance(1);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ETIMEDOUT);
    ck_assert_msg(sim.loop.resolved == NULL, "the resolution was not cancelled");
}
END_TEST

START_TEST(a_host_name_needs_a_loop_that_resolves)
{
    sim.loop.seam.resolve = NULL;
    sim.loop.seam.resolve_cancel = NULL;
    sim.options.url = "redis://redis.example";
    ck_assert_int_eq(netron_discovery_new_on(&sim.loop.seam, &sim.options, &sim.discovery), NETRON_ELOOP);
    ck_assert_ptr_null(sim.discovery);
    ck_assert_int_eq(log_count(&sim.log, "redis.example"), 1);
    sim.options.url = "redis://127.0.0.1:1";
    sim_join();
}
END_TEST

/* ---- a loop that refuses ---- */

START_TEST(a_loop_without_a_timer_cannot_carry_a_discovery)
{
    sim.loop.fail_timer_new = 1;
    ck_assert_int_eq(netron_discovery_new_on(&sim.loop.seam, &sim.options, &sim.discovery), NETRON_ELOOP);
    ck_assert_ptr_null(sim.discovery);
    ck_assert_ptr_null(sim.loop.timers);
}
END_TEST

START_TEST(a_refused_watch_is_told_and_tried_again)
{
    sim.loop.fail_io_new = 1;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ELOOP);
    sim_advance(100);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
}
END_TEST

START_TEST(a_watch_that_cannot_be_changed_ends_the_connection_and_it_is_made_anew)
{
    sim.loop.fail_io_update = 1;
    sim_join();
    sim_settle();
    sim_advance(100);
    ck_assert_int_eq(sim.links.code[COMMANDS], 0);
    ck_assert_int_eq(sim.peer.conn_count, 2);
    ck_assert_int_eq(sim.peer.conns[0], -1);
}
END_TEST

START_TEST(an_incomplete_table_is_refused)
{
    sim.loop.seam.timer_stop = NULL;
    ck_assert_int_eq(netron_discovery_new_on(&sim.loop.seam, &sim.options, &sim.discovery), NETRON_EINVAL);
    ck_assert_int_eq(netron_discovery_new_on(NULL, &sim.options, &sim.discovery), NETRON_EINVAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("link");
    TCase *greeting = sim_case(suite, "greeting");
    tcase_add_test(greeting, the_greeting_asks_for_the_version_and_sets_the_name);
    tcase_add_loop_test(greeting, a_version_that_cannot_be_read_is_not_held_against_a_server, 0,
                        sizeof(odd_versions) / sizeof(odd_versions[0]));
    tcase_add_test(greeting, the_greeting_logs_in_and_selects_when_the_url_says_so);
    tcase_add_test(greeting, credentials_of_the_options_replace_those_of_the_url);
    tcase_add_loop_test(greeting, a_server_before_6_2_is_refused_with_the_version_that_is_needed, 0, 2);
    tcase_add_test(greeting, a_forbidden_client_setname_is_no_obstacle);
    tcase_add_test(greeting, a_loading_server_is_unavailable_and_asked_again);
    tcase_add_loop_test(greeting, what_the_greeting_is_refused_with_is_told_at_once_and_tried_again_slowly, 0, 5);
    tcase_add_test(greeting, a_connection_that_is_not_greeted_within_the_connect_timeout_is_given_up);
    TCase *falling = sim_case(suite, "falling back");
    tcase_add_test(falling, reconnects_wait_with_full_jitter_up_to_a_ceiling_that_doubles_to_the_limit);
    tcase_add_test(falling, a_server_that_accepts_and_drops_is_not_hammered);
    tcase_add_test(falling, a_connection_that_lasted_resets_the_backoff);
    tcase_add_test(falling, a_lost_connection_is_told_once_and_so_is_its_return);
    TCase *pinging = sim_case(suite, "pinging");
    tcase_add_test(pinging, a_silent_link_is_pinged_after_the_ping_interval);
    tcase_add_test(pinging, a_link_that_beats_sends_no_ping);
    tcase_add_test(pinging, an_unanswered_ping_ends_the_link_after_another_interval);
    tcase_add_test(falling, a_server_that_became_a_replica_is_left);
    TCase *finding = sim_case(suite, "finding");
    tcase_add_test(finding, a_connect_into_a_black_hole_ends_at_the_connect_timeout);
    tcase_add_test(finding, a_refused_connect_is_told_in_the_systems_words);
    tcase_add_test(finding, a_host_name_is_resolved_anew_for_each_attempt_and_each_address_gets_its_turn);
    tcase_add_test(finding, a_name_that_cannot_be_resolved_is_told_and_asked_again);
    tcase_add_test(finding, a_resolver_that_never_answers_is_given_up_at_the_connect_timeout);
    tcase_add_test(finding, a_host_name_needs_a_loop_that_resolves);
    TCase *refusing = sim_case(suite, "a loop that refuses");
    tcase_add_test(refusing, a_loop_without_a_timer_cannot_carry_a_discovery);
    tcase_add_test(refusing, a_refused_watch_is_told_and_tried_again);
    tcase_add_test(refusing, a_watch_that_cannot_be_changed_ends_the_connection_and_it_is_made_anew);
    tcase_add_test(refusing, an_incomplete_table_is_refused);
    return suite_run(suite);
}
