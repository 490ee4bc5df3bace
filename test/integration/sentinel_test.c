/* SPDX-License-Identifier: MIT */
/* A primary that sentinels know: it is found, and followed to wherever it goes: lib/README.md, "The sentinels". */
#include "sentinel_stage.h"

START_TEST(the_sentinels_say_where_the_primary_is)
{
    join();
    ck_assert_str_eq(on_primary(0, "EXISTS " P ":heartbeat:node-1"), "1");
    ck_assert_int_ge(log_count(&log_lines, "the primary \"" SET_NAME "\" is"), 1);
    assert_whole(0);
    assert_nothing_told();
}
END_TEST

START_TEST(a_primary_that_is_killed_is_followed_to_the_next)
{
    join();
    enlarge_fleet(4);
    AWAIT(&world, is_fresh(watcher, 5));
    int told = watched.count;
    set_member_kill(&set.redis[0]);
    int primary = await_failover(0);
    assert_whole(primary);
    ck_assert_int_eq(watched.count, told + 2); /* of assert_whole() */
    assert_nothing_told();
    for (int i = 0; i < fleet_size; i++)
        ck_assert_int_eq(latest_state(&fleet[i].states), NETRON_REGISTERED);
}
END_TEST

START_TEST(a_primary_that_freezes_is_left_and_not_gone_back_to)
{
    join();
    int told = watched.count;
    set_member_freeze(&set.redis[0]);
    int primary = await_failover(0);
    assert_whole(primary);
    set_member_thaw(&set.redis[0]);
    AWAIT_LONG(strcmp(sentinel_set_role(&set, &set.redis[0]), "slave") == 0);
    assert_whole(primary);
    ck_assert_int_eq(clients_of(0), 0);
    ck_assert_int_eq(watched.count, told + 4);
    assert_nothing_told();
}
END_TEST

START_TEST(a_planned_failover_is_followed_at_once)
{
    join();
    int told = watched.count;
    AWAIT_LONG(strcmp(sentinel_set_text(&set, &set.sentinel[1], "SENTINEL FAILOVER " SET_NAME), "OK") == 0);
    int primary = await_failover(0);
    assert_whole(primary);
    AWAIT_LONG(strcmp(sentinel_set_role(&set, &set.redis[0]), "slave") == 0);
    ck_assert_int_eq(clients_of(0), 0);
    ck_assert_int_eq(watched.count, told + 2);
    assert_nothing_told();
}
END_TEST

/* Nobody but the failed primary knows these changes: the next one has an older history, and goes on with its numbers.
 */
START_TEST(what_a_failover_lost_is_made_true_again)
{
    join();
    enlarge_fleet(2);
    AWAIT(&world, is_fresh(watcher, 3));
    AWAIT_LONG(strcmp(on_primary(1, "HEXISTS " P ":records fleet-1"), "1") == 0 &&
               strcmp(on_primary(2, "HEXISTS " P ":records fleet-1"), "1") == 0);
    for (int i = 1; i < SET_SIZE; i++)
        set_member_freeze(&set.redis[i]);
    AWAIT_LONG(strcmp(on_primary(0, "CLIENT KILL TYPE replica"), "2") == 0);
    struct done_recorder done = {0};
    ck_assert_int_eq(netron_registration_update_address(fleet[0].registration, "10.9.9.9:9", record_done, &done), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    enlarge_fleet(1);
    AWAIT(&world, is_fresh(watcher, 4));
    set_member_kill(&set.redis[0]);
    for (int i = 1; i < SET_SIZE; i++)
        set_member_thaw(&set.redis[i]);
    int primary = await_failover(0);
    /* Each repairs what is its own within a beat, which is told, so that it must not be while others are counted. */
    AWAIT_LONG(strstr(on_primary(primary, "HGET " P ":records fleet-0"), "10.9.9.9:9") != NULL &&
               strcmp(on_primary(primary, "HEXISTS " P ":records fleet-2"), "1") == 0);
    assert_whole(primary);
    assert_no_departure(); /* but some may have seen the old address meanwhile */
    const netron_snapshot *snapshot = netron_view_node(watcher, "fleet-0");
    ck_assert_uint_eq(snapshot->count, 1);
    ck_assert_str_eq(snapshot->nodes[0]->address, "10.9.9.9:9");
    netron_snapshot_release(snapshot);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sentinel");
    TCase *tcase = sentinel_case(suite, "sentinel");
    tcase_add_test(tcase, the_sentinels_say_where_the_primary_is);
    tcase_add_test(tcase, a_primary_that_is_killed_is_followed_to_the_next);
    tcase_add_test(tcase, a_primary_that_freezes_is_left_and_not_gone_back_to);
    tcase_add_test(tcase, a_planned_failover_is_followed_at_once);
    tcase_add_test(tcase, what_a_failover_lost_is_made_true_again);
    return suite_run(suite);
}
