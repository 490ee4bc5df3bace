/* SPDX-License-Identifier: MIT */
/* What sentinels say, and what they do not say, to the millisecond. */
#include "sentinel_stand.h"
#include <stdio.h>
#include <string.h>

#define COMMANDS NETRON_LINK_COMMANDS
#define EVENTS NETRON_LINK_EVENTS

static void join_with_view(void)
{
    sim.options.pubsub_enabled = 1;
    sim_join();
    ck_assert_int_eq(netron_view_open(sim.discovery), 0);
    sim_settle();
    ck_assert(sim.links.is_up[COMMANDS] && sim.links.is_up[EVENTS]);
}

static void assert_at(int redis, int conns)
{
    ck_assert_int_eq(stand_open_conns(&stand.redis[redis]), conns);
    ck_assert_int_eq(stand_open_conns(&stand.redis[1 - redis]), 0);
}

/* ---- asking ---- */

START_TEST(the_first_sentinel_is_asked_and_watched)
{
    join_with_view();
    ck_assert_uint_eq(stand.sentinel[0].command_count, 3);
    ck_assert_str_eq(stand.sentinel[0].commands[0].text, "CLIENT SETNAME netron");
    ck_assert_str_eq(stand.sentinel[0].commands[1].text, "SENTINEL GET-MASTER-ADDR-BY-NAME main");
    ck_assert_str_eq(stand.sentinel[0].commands[2].text, "SUBSCRIBE +switch-master");
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[0]), 1);
    ck_assert_int_eq(stand.sentinel[1].conn_count + stand.sentinel[2].conn_count, 0);
    assert_at(0, 2);
    ck_assert_uint_eq(peer_count(&stand.redis[0], "ROLE"), 2);
}
END_TEST

START_TEST(a_sentinel_that_hangs_has_its_share_of_the_connect_timeout)
{
    stand.is_silent[0] = stand.is_silent[1] = true;
    sim_join();
    sim_advance(STAND_SHARE_MS - 1);
    ck_assert_int_eq(stand.sentinel[1].conn_count, 0);
    sim_advance(1);
    ck_assert_int_eq(stand.sentinel[1].conn_count, 1);
    sim_advance(STAND_SHARE_MS);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
    /* The one that was right is asked first from now on. */
    peer_hang_up_all(&stand.redis[0]);
    sim_advance(100);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_uint_eq(stand_questions(2), 2);
    ck_assert_int_eq(stand.sentinel[0].conn_count, 1);
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[2]), 1);
}
END_TEST

#define UNKNOWN 40

/* Too many to be asked within one connect timeout, with time to answer for each. */
START_TEST(many_sentinels_that_hang_leave_each_other_time_and_a_turn)
{
    char url[1024];
    size_t length = (size_t)snprintf(url, sizeof(url), "redis+sentinel://");
    for (int i = 0; i < UNKNOWN; i++)
        length += (size_t)snprintf(url + length, sizeof(url) - length, "s%02d.example,", i);
    snprintf(url + length, sizeof(url) - length, "127.0.0.1:%u/main", stand.sentinel[0].port);
    sim.options.url = url;
    sim_join();
    sim_advance(999);
    ck_assert_str_eq(sim.loop.resolving, "s00.example");
    sim_advance(1);
    ck_assert_str_eq(sim.loop.resolving, "s01.example");
    sim_advance(4000);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ETIMEDOUT);
    ck_assert_uint_lt(sim.loop.resolutions, UNKNOWN);
    sim_advance(15000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

START_TEST(sentinels_that_all_hang_are_told_before_the_connect_timeout)
{
    char expected[256];
    stand.is_silent[0] = stand.is_silent[1] = stand.is_silent[2] = true;
    sim_join();
    sim_advance(3 * STAND_SHARE_MS - 1);
    ck_assert_int_eq(sim.links.count[COMMANDS], 0);
    sim_advance(1);
    snprintf(expected, sizeof(expected),
             "no sentinel told where the primary \"main\" is: sentinel 127.0.0.1:%u: it did not answer within %u ms",
             stand.sentinel[0].port, STAND_SHARE_MS);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ETIMEDOUT);
    ck_assert_str_eq(sim.links.sentence[COMMANDS], expected);
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[0]), 0);
    stand.is_silent[1] = false;
    sim_advance(10000);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

START_TEST(a_sentinel_that_is_down_is_passed_over_at_once)
{
    peer_stop_listening(&stand.sentinel[0]);
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_uint_eq(stand_questions(1), 1);
}
END_TEST

START_TEST(the_sentinels_may_have_host_names_and_each_address_gets_its_turn)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.1"};
    char url[128];
    snprintf(url, sizeof(url), "redis+sentinel://nowhere.example,sentinel.example:%u/main", stand.sentinel[0].port);
    sim.options.url = url;
    sim_join();
    sim_settle();
    ck_assert_str_eq(sim.loop.resolving, "nowhere.example");
    fake_loop_resolve(&sim.loop, NULL, 0);
    sim_settle();
    ck_assert_str_eq(sim.loop.resolving, "sentinel.example");
    fake_loop_resolve(&sim.loop, addresses, 2); /* nobody listens at the first one */
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ERESOLVE);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "sentinel nowhere.example:26379: cannot resolve"));
    sim_advance(100);
    fake_loop_resolve(&sim.loop, NULL, 0);
    sim_settle();
    fake_loop_resolve(&sim.loop, addresses, 2);
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_uint_eq(stand_questions(0), 1);
}
END_TEST

START_TEST(a_name_that_none_knows_is_told)
{
    peer_stop_listening(&stand.sentinel[0]);
    stand.named[1] = stand.named[2] = -1;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EUNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "it knows no primary \"main\""));
    stand.named[2] = 0;
    sim_advance(100);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

/* ---- hostile answers ---- */

static const char long_host[] =
    "*2\r\n$260\r\nhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh"
    "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh"
    "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh\r\n$1\r\n1\r\n";
static const struct {
    const char *answer;
    int code;
} hostile[] = {
    {"-ERR unknown command 'SENTINEL', with args beginning with: 'GET-MASTER-ADDR-BY-NAME'\r\n", NETRON_EREDIS},
    {"-NOAUTH Authentication required.\r\n", NETRON_EAUTH},
    {"-NOPERM this user has no permissions to run the 'sentinel' command\r\n", NETRON_EPERM},
    {"+OK\r\n", NETRON_EPROTOCOL},
    {":5\r\n", NETRON_EPROTOCOL},
    {"*0\r\n", NETRON_EPROTOCOL},
    {"*1\r\n$9\r\n127.0.0.1\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$9\r\n127.0.0.1\r\n$1\r\n0\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$9\r\n127.0.0.1\r\n$5\r\n65536\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$9\r\n127.0.0.1\r\n$6\r\n100000\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$9\r\n127.0.0.1\r\n$2\r\n1x\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$9\r\n127.0.0.1\r\n$0\r\n\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$9\r\n127.0.0.1\r\n:6379\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$0\r\n\r\n$4\r\n6379\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$3\r\na b\r\n$4\r\n6379\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$3\r\na", NETRON_EPROTOCOL}, /* what follows is no part of it */
    {"*2\r\n$3\r\na\nb\r\n$4\r\n6379\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$2\r\n\xff\xfe\r\n$4\r\n6379\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$5\r\n[::1]\r\n$4\r\n6379\r\n", NETRON_EPROTOCOL},
    {"*2\r\n$-1\r\n$-1\r\n", NETRON_EPROTOCOL},
    {long_host, 0},
    {"HTTP/1.1 400 Bad Request\r\n\r\n", NETRON_EPROTOCOL},
    {"*1000000000\r\n", NETRON_EPROTOCOL},
};

START_TEST(an_answer_that_is_none_leads_to_the_next_sentinel)
{
    stand.answer[0] = hostile[_i].answer;
    sim_join();
    sim_advance(STAND_SHARE_MS);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_uint_eq(stand_questions(1), 1);
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[0]), 0);
}
END_TEST

START_TEST(an_answer_that_is_none_is_told_where_there_is_no_other)
{
    for (int i = 0; i < STAND_SENTINELS; i++)
        stand.answer[i] = hostile[_i].answer;
    sim_join();
    sim_advance(3 * STAND_SHARE_MS);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 0);
    ck_assert_int_ge(sim.links.count[COMMANDS], 1);
    if (hostile[_i].code != 0)
        ck_assert_int_eq(sim.links.code[COMMANDS], hostile[_i].code);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "no sentinel told where the primary \"main\" is"));
}
END_TEST

START_TEST(a_host_name_that_a_sentinel_gives_is_resolved)
{
    static const char *const addresses[] = {"127.0.0.1"};
    char answer[64];
    char port[8];
    snprintf(port, sizeof(port), "%u", stand.redis[0].port);
    snprintf(answer, sizeof(answer), "*2\r\n$12\r\nmain.example\r\n$%zu\r\n%s\r\n", strlen(port), port);
    stand.answer[0] = answer;
    sim_join();
    sim_settle();
    ck_assert_str_eq(sim.loop.resolving, "main.example");
    fake_loop_resolve(&sim.loop, addresses, 1);
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
}
END_TEST

START_TEST(a_host_name_that_nobody_resolves_leads_to_the_next_sentinel)
{
    stand.answer[0] = "*2\r\n$12\r\nmain.example\r\n$4\r\n6379\r\n";
    sim_join();
    sim_advance(5000);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ETIMEDOUT);
    sim_advance(200);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_uint_eq(stand_questions(1), 1);
}
END_TEST

START_TEST(a_host_name_without_a_resolver_leads_to_the_next_sentinel)
{
    sim.loop.seam.resolve = NULL;
    sim.loop.seam.resolve_cancel = NULL;
    stand.answer[0] = "*2\r\n$12\r\nmain.example\r\n$4\r\n6379\r\n";
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_ERESOLVE);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "the event loop has no resolver"));
    sim_advance(100);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_uint_eq(stand_questions(1), 1);
}
END_TEST

/* ---- the wrong server ---- */

START_TEST(a_replica_is_left_and_whoever_named_it_is_asked_last)
{
    stand.named[0] = 1;
    stand.is_replica[1] = true;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EUNAVAILABLE);
    ck_assert_str_eq(sim.links.sentence[COMMANDS], "the server that was named as the primary is a replica of 10.0.0.9");
    sim_advance(100);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    assert_at(0, 1);
    for (int i = 0; i < 3; i++) {
        peer_hang_up_all(&stand.redis[0]);
        sim_advance(5000);
    }
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_uint_eq(stand_questions(0), 1);
}
END_TEST

START_TEST(a_primary_that_is_not_there_is_asked_for_elsewhere)
{
    stand.named[0] = 1;
    peer_stop_listening(&stand.redis[1]);
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EDISCONNECTED);
    sim_advance(100);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_uint_eq(stand_questions(1), 1);
}
END_TEST

static const char *role_answer;

static const char *odd_role(struct peer *peer, const struct peer_command *command)
{
    return peer_is(command, "ROLE") ? role_answer : stand_redis(peer, command);
}

START_TEST(what_has_no_role_is_no_primary)
{
    static const char *const answers[] = {"+OK\r\n",
                                          "*0\r\n",
                                          "*1\r\n*1\r\n$6\r\nmaster\r\n",
                                          "$-1\r\n",
                                          "*2\r\n$8\r\nsentinel\r\n*0\r\n",
                                          "*1\r\n$5\r\nslave\r\n",
                                          "-ERR unknown command 'ROLE'\r\n"};
    role_answer = answers[_i];
    stand.redis[0].answer = odd_role;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 0);
    ck_assert_int_eq(sim.links.count[COMMANDS], 1);
}
END_TEST

START_TEST(a_role_that_may_not_be_asked_is_said_once)
{
    role_answer = "-NOPERM this user has no permissions to run the 'role' command\r\n";
    stand.redis[0].answer = odd_role;
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    peer_hang_up_all(&stand.redis[0]);
    sim_advance(200);
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_int_eq(log_count(&sim.log, "the user may not call ROLE"), 1);
}
END_TEST

/* ---- the watch ---- */

START_TEST(both_links_follow_a_switch)
{
    char expected[64];
    join_with_view();
    stand.named[0] = stand.named[1] = stand.named[2] = 1;
    stand_switch(0, "main", 1);
    sim_settle();
    snprintf(expected, sizeof(expected), "the primary is 127.0.0.1:%u now", stand.redis[1].port);
    ck_assert_int_eq(sim.links.code[COMMANDS], NETRON_EUNAVAILABLE);
    ck_assert_str_eq(sim.links.sentence[COMMANDS], expected);
    ck_assert_str_eq(sim.links.sentence[EVENTS], expected);
    ck_assert_int_eq(stand_open_conns(&stand.redis[0]), 0);
    sim_advance(100);
    ck_assert(sim.links.is_up[COMMANDS] && sim.links.is_up[EVENTS]);
    assert_at(1, 2);
    stand_switch(0, "main", 1); /* no news */
    sim_advance(1000);
    assert_at(1, 2);
    ck_assert_int_eq(stand.redis[1].conn_count, 2);
}
END_TEST

START_TEST(a_switch_of_another_primary_is_none_of_ours)
{
    static const char *const payloads[] = {"mainly 127.0.0.1 1 127.0.0.1 2", "mai 127.0.0.1 1 127.0.0.1 2", "main", "",
                                           "other nonsense"};
    join_with_view();
    stand_tell(0, payloads[_i]);
    sim_advance(1000);
    ck_assert_int_eq(stand.redis[0].conn_count, 2);
    ck_assert_int_eq(stand.sentinel[0].conn_count, 1);
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[0]), 1);
}
END_TEST

START_TEST(a_switch_to_nowhere_ends_the_watch_and_no_link)
{
    static const char *const payloads[] = {"main ",
                                           "main 127.0.0.1 1 127.0.0.1",
                                           "main 127.0.0.1 1 127.0.0.1 0",
                                           "main 127.0.0.1 1 127.0.0.1 99999",
                                           "main 127.0.0.1 1 127.0.0.1 6379 more",
                                           "main 127.0.0.1 1  6379",
                                           "main a b c d"};
    join_with_view();
    stand_tell(0, payloads[_i]);
    sim_settle();
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[0]), 0);
    sim_advance(100);
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[1]), 1);
    ck_assert_int_eq(stand.redis[0].conn_count, 2);
    assert_at(0, 2);
}
END_TEST

START_TEST(what_is_no_message_ends_the_watch_and_no_link)
{
    static const char *const garbage[] = {"+OK\r\n",      ":1\r\n",    "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n:1\r\n",
                                          "-ERR out\r\n", "what?\r\n", "*-1\r\n"};
    join_with_view();
    peer_send(&stand.sentinel[0], 0, garbage[_i], strlen(garbage[_i]));
    sim_settle();
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[0]), 0);
    sim_advance(100);
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[1]), 1);
    assert_at(0, 2);
    ck_assert_int_eq(stand.redis[0].conn_count, 2);
}
END_TEST

START_TEST(a_lost_watch_is_made_elsewhere_and_what_it_finds_is_followed)
{
    join_with_view();
    stand.named[1] = 1;
    peer_hang_up_all(&stand.sentinel[0]);
    sim_advance(100);
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[1]), 1);
    ck_assert_int_eq(log_count(&sim.log, "no sentinel is being watched"), 1);
    sim_advance(100);
    ck_assert(sim.links.is_up[COMMANDS] && sim.links.is_up[EVENTS]);
    assert_at(1, 2);
}
END_TEST

static int warnings_of(const char *words)
{
    int count = 0;
    for (int i = 0; i < sim.log.count; i++)
        count += sim.log.level[i] == NETRON_LOG_WARNING && strstr(sim.log.line[i], words) != NULL;
    return count;
}

START_TEST(sentinels_that_are_all_gone_disturb_no_link_and_are_found_again)
{
    join_with_view();
    for (int i = 0; i < STAND_SENTINELS; i++) {
        peer_stop_listening(&stand.sentinel[i]);
        peer_hang_up_all(&stand.sentinel[i]);
    }
    sim_advance(120000);
    assert_at(0, 2);
    ck_assert_int_eq(stand.redis[0].conn_count, 2);
    ck_assert_int_eq(warnings_of("no sentinel is being watched"), 1);
    for (int i = 0; i < STAND_SENTINELS; i++)
        peer_listen(&stand.sentinel[i]);
    sim_advance(10000);
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[0]) + stand_open_conns(&stand.sentinel[1]) +
                         stand_open_conns(&stand.sentinel[2]),
                     1);
    assert_at(0, 2);
}
END_TEST

START_TEST(a_watch_that_is_silent_is_pinged_and_given_up)
{
    join_with_view();
    sim_advance(25000);
    ck_assert_uint_ge(peer_count(&stand.sentinel[0], "PING"), 2);
    ck_assert_int_eq(stand.sentinel[0].conn_count, 1);
    stand.is_silent[0] = true;
    sim_advance(20000);
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[0]), 0);
    ck_assert_int_gt(log_count(&sim.log, "it did not answer a PING within 10000 ms"), 0);
    sim_advance(200);
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[1]), 1);
    assert_at(0, 2);
}
END_TEST

static const char *no_subscription(struct peer *peer, const struct peer_command *command)
{
    if (peer_is(command, "SUBSCRIBE "))
        return "-NOPERM this user has no permissions to access one of the channels\r\n";
    return stand_sentinel(peer, command);
}

START_TEST(sentinels_that_may_not_be_watched_are_asked_now_and_then)
{
    for (int i = 0; i < STAND_SENTINELS; i++)
        stand.sentinel[i].answer = no_subscription;
    join_with_view();
    sim_advance(30000);
    ck_assert_int_eq(warnings_of("no sentinel is being watched: "), 1);
    ck_assert_int_eq(warnings_of("; the user needs &+switch-master"), 1);
    size_t questions = stand_questions(0) + stand_questions(1) + stand_questions(2);
    ck_assert_uint_ge(questions, 3);
    ck_assert_uint_le(questions, 9);
    assert_at(0, 2);
    stand.named[0] = stand.named[1] = stand.named[2] = 1;
    sim_advance(11000);
    assert_at(1, 2);
}
END_TEST

static const char *no_ping(struct peer *peer, const struct peer_command *command)
{
    if (peer_is(command, "PING"))
        return "-NOPERM this user has no permissions to run the 'ping' command\r\n";
    return stand_sentinel(peer, command);
}

/* They were not there at first, which is another trouble. */
START_TEST(sentinels_that_may_not_be_pinged_are_told_of_once)
{
    for (int i = 0; i < STAND_SENTINELS; i++) {
        stand.sentinel[i].answer = no_ping;
        peer_stop_listening(&stand.sentinel[i]);
    }
    sim_join();
    sim_settle();
    ck_assert_int_eq(warnings_of("no sentinel is being watched: "), 1);
    for (int i = 0; i < STAND_SENTINELS; i++)
        peer_listen(&stand.sentinel[i]);
    sim_advance(120000);
    ck_assert_int_eq(warnings_of("no sentinel is being watched: "), 2);
    ck_assert_int_eq(
        warnings_of(": PING: NOPERM this user has no permissions to run the 'ping' command; the user needs "
                    "+ping"),
        1);
}
END_TEST

START_TEST(news_that_contradict_each_other_do_not_drive_the_links_round)
{
    join_with_view();
    stand.is_replica[1] = true;
    for (int i = 0; i < 200; i++) {
        stand_switch(0, "main", 1 - i % 2);
        sim_advance(50);
    }
    ck_assert_int_le(stand.redis[0].conn_count + stand.redis[1].conn_count, 60);
    sim_advance(20000);
    ck_assert(sim.links.is_up[COMMANDS] && sim.links.is_up[EVENTS]);
    assert_at(0, 2);
}
END_TEST

/* ---- passwords ---- */

static const char *wrong_password(struct peer *peer, const struct peer_command *command)
{
    (void)peer;
    if (peer_is(command, "AUTH "))
        return role_answer;
    return "-NOAUTH Authentication required.\r\n";
}

START_TEST(the_sentinels_have_a_password_of_their_own)
{
    static const char *const users[] = {NULL, "watcher"};
    sim.options.password = "of-redis";
    sim.options.sentinel_username = users[_i];
    sim.options.sentinel_password = "of-sentinel";
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.is_up[COMMANDS], 1);
    ck_assert_str_eq(stand.sentinel[0].commands[0].text, _i == 0 ? "AUTH of-sentinel" : "AUTH watcher of-sentinel");
    ck_assert_str_eq(stand.redis[0].commands[0].text, "AUTH of-redis");
}
END_TEST

START_TEST(a_password_that_is_refused_is_told_and_never_repeated)
{
    static const char *const answers[] = {
        "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
        "-ERR AUTH <password> called without any password configured for the default user.\r\n",
        "-ERR unknown command 'AUTH', with args beginning with: 'of-sentinel'\r\n", "+of-sentinel\r\n"};
    role_answer = answers[_i];
    for (int i = 0; i < STAND_SENTINELS; i++)
        stand.sentinel[i].answer = wrong_password;
    sim.options.sentinel_password = "of-sentinel";
    sim_join();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], _i == 3 ? NETRON_EPROTOCOL : NETRON_EAUTH);
    ck_assert_ptr_null(strstr(sim.links.sentence[COMMANDS], "of-sentinel"));
    ck_assert_int_eq(log_count(&sim.log, "of-sentinel"), 0);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("sentinel");
    TCase *tcase = stand_case(suite, "asking");
    tcase_add_test(tcase, the_first_sentinel_is_asked_and_watched);
    tcase_add_test(tcase, a_sentinel_that_hangs_has_its_share_of_the_connect_timeout);
    tcase_add_test(tcase, many_sentinels_that_hang_leave_each_other_time_and_a_turn);
    tcase_add_test(tcase, sentinels_that_all_hang_are_told_before_the_connect_timeout);
    tcase_add_test(tcase, a_sentinel_that_is_down_is_passed_over_at_once);
    tcase_add_test(tcase, the_sentinels_may_have_host_names_and_each_address_gets_its_turn);
    tcase_add_test(tcase, a_name_that_none_knows_is_told);
    tcase_add_loop_test(tcase, an_answer_that_is_none_leads_to_the_next_sentinel, 0, COUNT(hostile));
    tcase_add_loop_test(tcase, an_answer_that_is_none_is_told_where_there_is_no_other, 0, COUNT(hostile));
    tcase_add_test(tcase, a_host_name_that_a_sentinel_gives_is_resolved);
    tcase_add_test(tcase, a_host_name_that_nobody_resolves_leads_to_the_next_sentinel);
    tcase_add_test(tcase, a_host_name_without_a_resolver_leads_to_the_next_sentinel);

    tcase = stand_case(suite, "roles");
    tcase_add_test(tcase, a_replica_is_left_and_whoever_named_it_is_asked_last);
    tcase_add_test(tcase, a_primary_that_is_not_there_is_asked_for_elsewhere);
    tcase_add_loop_test(tcase, what_has_no_role_is_no_primary, 0, 7);
    tcase_add_test(tcase, a_role_that_may_not_be_asked_is_said_once);

    tcase = stand_case(suite, "the watch");
    tcase_add_test(tcase, both_links_follow_a_switch);
    tcase_add_loop_test(tcase, a_switch_of_another_primary_is_none_of_ours, 0, 5);
    tcase_add_loop_test(tcase, a_switch_to_nowhere_ends_the_watch_and_no_link, 0, 7);
    tcase_add_loop_test(tcase, what_is_no_message_ends_the_watch_and_no_link, 0, 6);
    tcase_add_test(tcase, a_lost_watch_is_made_elsewhere_and_what_it_finds_is_followed);
    tcase_add_test(tcase, sentinels_that_are_all_gone_disturb_no_link_and_are_found_again);
    tcase_add_test(tcase, a_watch_that_is_silent_is_pinged_and_given_up);
    tcase_add_test(tcase, sentinels_that_may_not_be_watched_are_asked_now_and_then);
    tcase_add_test(tcase, sentinels_that_may_not_be_pinged_are_told_of_once);
    tcase_add_test(tcase, news_that_contradict_each_other_do_not_drive_the_links_round);

    tcase = stand_case(suite, "passwords");
    tcase_add_loop_test(tcase, the_sentinels_have_a_password_of_their_own, 0, 2);
    tcase_add_loop_test(tcase, a_password_that_is_refused_is_told_and_never_repeated, 0, 4);
    return suite_run(suite);
}
