/* SPDX-License-Identifier: MIT */
/* Sentinels that fail, each in its way: lib/README.md, "The sentinels". */
#include "peer.h"
#include "sentinel_stage.h"

/* Until something was told of the commands link. */
static void begin(void)
{
    links = (struct link_recorder){0};
    discovery = world_join(&world, &options);
    AWAIT_LONG(links.count[COMMANDS] > 0);
}

static void assert_says(const char *words)
{
    ck_assert_msg(strstr(links.sentence[COMMANDS], words) != NULL, "\"%s\" does not say \"%s\"",
                  links.sentence[COMMANDS], words);
}

START_TEST(sentinels_that_are_down_are_passed_over)
{
    set_member_kill(&set.sentinel[0]);
    join();
    set_member_kill(&set.sentinel[1]);
    assert_whole(0);
    assert_nothing_told();
}
END_TEST

START_TEST(a_sentinel_that_hangs_costs_its_share_of_time)
{
    options.connect_timeout_ms = 2000;
    set_member_freeze(&set.sentinel[0]);
    uint64_t begun = world_clock_ms();
    begin();
    ck_assert_int_eq(links.code[COMMANDS], 0);
    ck_assert_uint_ge(world_clock_ms() - begun, 500 - 10);
    set_member_thaw(&set.sentinel[0]);
}
END_TEST

START_TEST(the_watch_moves_on_and_sees_the_failover)
{
    join();
    set_member_kill(&set.sentinel[0]);
    AWAIT_LONG(log_count(&log_lines, "no sentinel is being watched") > 0);
    set_member_kill(&set.redis[0]);
    int primary = -1;
    AWAIT_LONG((primary = sentinel_set_primary_of(&set, 1)) > 0 && sentinel_set_is_primary(&set, primary));
    assert_whole(primary);
    assert_nothing_told();
}
END_TEST

START_TEST(sentinels_that_are_all_down_are_told_and_found_again)
{
    for (int i = 0; i < SET_SIZE; i++)
        set_member_kill(&set.sentinel[i]);
    begin();
    ck_assert_int_eq(links.code[COMMANDS], NETRON_EDISCONNECTED);
    assert_says("no sentinel told where the primary \"" SET_NAME "\" is: sentinel 127.0.0.1:");
    assert_says(": cannot connect: Connection refused");
    sentinel_set_revive(&set, &set.sentinel[2]);
    AWAIT_LONG(links.is_up[COMMANDS]);
}
END_TEST

START_TEST(links_that_are_up_need_no_sentinel)
{
    join();
    for (int i = 0; i < SET_SIZE; i++)
        set_member_kill(&set.sentinel[i]);
    AWAIT_LONG(log_count(&log_lines, "no sentinel is being watched") > 0);
    assert_whole(0);
    ck_assert_int_eq(links.count[COMMANDS], 1);
    ck_assert_int_eq(links.count[EVENTS], 1);
}
END_TEST

START_TEST(a_name_that_the_sentinels_do_not_know_is_told)
{
    char url[256];
    snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:%u/nobody", set.sentinel[0].port);
    options.url = url;
    begin();
    ck_assert_int_eq(links.code[COMMANDS], NETRON_EUNAVAILABLE);
    assert_says("it knows no primary \"nobody\"");
}
END_TEST

START_TEST(a_redis_is_no_sentinel)
{
    char url[256];
    snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:%u/" SET_NAME, set.redis[0].port);
    options.url = url;
    begin();
    ck_assert_int_eq(links.code[COMMANDS], NETRON_EREDIS);
    assert_says("unknown command");
}
END_TEST

/* ---- a sentinel that lies: it names a replica ---- */

static struct peer unix_peer, liar;

static const char *lie(struct peer *peer, const struct peer_command *command)
{
    char port[8];
    if (peer_is(command, "PING"))
        return "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
    if (!peer_is(command, "SENTINEL "))
        return peer_answer_well(peer, command);
    snprintf(port, sizeof(port), "%u", set.redis[1].port);
    return peer_say(peer, "*2\r\n$9\r\n127.0.0.1\r\n$%zu\r\n%s\r\n", strlen(port), port);
}

static bool is_watched(const struct peer *peer)
{
    bool is_open = false;
    for (int i = 0; i < peer->conn_count; i++)
        is_open = is_open || peer->conns[i] != -1;
    return is_open;
}

START_TEST(a_sentinel_that_names_a_replica_is_not_believed_for_long)
{
    char url[256];
    peer_open_in_world(&unix_peer, &world);
    peer_open_beside(&liar, &unix_peer);
    liar.answer = lie;
    snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:%u,127.0.0.1:%u/" SET_NAME, liar.port, set.sentinel[1].port);
    options.url = url;
    begin();
    ck_assert_int_eq(links.code[COMMANDS], NETRON_EUNAVAILABLE);
    assert_says("is a replica of 127.0.0.1");
    AWAIT_LONG(links.is_up[COMMANDS]);
    AWAIT_LONG(clients_of(1) == 0 && clients_of(0) == 1 && !is_watched(&liar));
    netron_discovery_free(discovery);
    discovery = NULL;
    unix_peer.next = NULL;
    peer_close(&liar);
    peer_close(&unix_peer);
}
END_TEST

/* ---- passwords, and names ---- */

static void open_secret(void)
{
    set = (struct sentinel_set){.redis_password = "of-redis", .sentinel_password = "of-sentinel"};
    open_stage();
    options.password = "of-redis";
}

START_TEST(sentinels_want_a_password_of_their_own)
{
    begin();
    ck_assert_int_eq(links.code[COMMANDS], NETRON_EAUTH);
    assert_says("options.sentinel_password");
    netron_discovery_free(discovery);
    options.sentinel_password = "of-redis";
    begin();
    ck_assert_int_eq(links.code[COMMANDS], NETRON_EAUTH);
    assert_says("WRONGPASS");
    netron_discovery_free(discovery);
    options.sentinel_password = "of-sentinel";
    join();
    set_member_kill(&set.redis[0]);
    int primary = await_failover(0);
    assert_whole(primary);
    assert_nothing_told();
    ck_assert_int_eq(log_count(&log_lines, "of-sentinel") + log_count(&log_lines, "of-redis"), 0);
}
END_TEST

static void open_named(void)
{
    set = (struct sentinel_set){.host = "localhost"};
    open_stage();
}

START_TEST(sentinels_may_give_host_names)
{
    join();
    ck_assert_int_ge(log_count(&log_lines, "the primary \"" SET_NAME "\" is localhost:"), 1);
    set_member_kill(&set.redis[0]);
    int primary = await_failover(0);
    assert_whole(primary);
    assert_nothing_told();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sentinel_faults");
    TCase *tcase = sentinel_case(suite, "sentinels");
    tcase_add_test(tcase, sentinels_that_are_down_are_passed_over);
    tcase_add_test(tcase, a_sentinel_that_hangs_costs_its_share_of_time);
    tcase_add_test(tcase, the_watch_moves_on_and_sees_the_failover);
    tcase_add_test(tcase, sentinels_that_are_all_down_are_told_and_found_again);
    tcase_add_test(tcase, links_that_are_up_need_no_sentinel);
    tcase_add_test(tcase, a_name_that_the_sentinels_do_not_know_is_told);
    tcase_add_test(tcase, a_redis_is_no_sentinel);
    tcase_add_test(tcase, a_sentinel_that_names_a_replica_is_not_believed_for_long);

    tcase = suite_case(suite, "passwords");
    tcase_set_timeout(tcase, 150);
    tcase_add_checked_fixture(tcase, open_secret, close_stage);
    tcase_add_test(tcase, sentinels_want_a_password_of_their_own);

    tcase = suite_case(suite, "names");
    tcase_set_timeout(tcase, 150);
    tcase_add_checked_fixture(tcase, open_named, close_stage);
    tcase_add_test(tcase, sentinels_may_give_host_names);
    return suite_run(suite);
}
