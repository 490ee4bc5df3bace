/* SPDX-License-Identifier: MIT */
/* The room replica: records, the digest that proves them complete, and differences that are told exactly once. */
#include "expect.h"
#include "failing_allocations.h"
#include "replica_stand.h"

static const char *found(const char *name)
{
    const netron_snapshot *snapshot = netron_catalogue_find(&replica.catalogue, name, NULL);
    const char *ids = ids_in(snapshot);
    netron_snapshot_release(snapshot);
    return ids;
}

/* ---- one by one ---- */

START_TEST(a_node_appears_changes_and_leaves_and_each_is_told_once)
{
    put("a", "a web@1", 7, 100);
    expect_heard("+a@7 ");
    ck_assert_uint_eq(replica.digest, 100);
    ck_assert_str_eq(netron_replica_node(&replica, "a")->services[0].version, "1");
    put("a", "a web@2", 8, 40);
    expect_heard("~a@8 ");
    ck_assert_uint_eq(replica.digest, 40);
    ck_assert_str_eq(netron_replica_node(&replica, "a")->services[0].version, "2");
    ck_assert_str_eq(found("web"), "a");
    remove_id("a", "expired", 9);
    expect_heard("-a@9(expired) ");
    ck_assert_uint_eq(replica.digest, 0);
    ck_assert_ptr_null(netron_replica_node(&replica, "a"));
    ck_assert_str_eq(found("web"), "");
    remove_id("a", "expired", 10);
    expect_heard("");
}
END_TEST

START_TEST(what_says_the_same_is_held_but_not_told)
{
    put("a", "a web@1", 7, 100);
    expect_heard("+a@7 ");
    put("a", "a web@1", 8, 50);
    expect_heard("");
    ck_assert_uint_eq(replica.digest, 50);
    ck_assert(netron_replica_holds(&replica, "a", 8, false));
}
END_TEST

START_TEST(another_incarnation_of_the_same_content_is_an_update)
{
    put("a", "a web@1", 7, 100);
    ck_assert_int_eq(put_record("a", "a web@1", 8, 50, "j"), 0);
    expect_heard("+a@7 ~a@8 ");
}
END_TEST

static const char *const same_or_not[][2] = {
    {"a", "a web"},      {"a web", "a"},         {"a/h:1", "a/h:2"},           {"a web", "a web@1"},
    {"a web", "a mail"}, {"a web@1", "a web@2"}, {"a web mail", "a mail web"},
};

START_TEST(whatever_differs_is_an_update)
{
    put("a", same_or_not[_i][0], 1, 1);
    put("a", same_or_not[_i][1], 2, 2);
    put("a", same_or_not[_i][1], 3, 3);
    put("a", same_or_not[_i][0], 4, 4);
    expect_heard("+a@1 ~a@2 ~a@4 ");
}
END_TEST

START_TEST(ids_are_told_apart_by_every_byte)
{
    put("a", "a", 1, 1);
    put("ab", "ab", 2, 2);
    struct netron_record record = {.revision = 3, .tag = 4};
    ck_assert_int_eq(netron_replica_put(&replica, "a\0b", 3, &record), 0);
    ck_assert_uint_eq(replica.digest, 7);
    netron_replica_remove(&replica, "a\0b", 3, "", 4);
    ck_assert_uint_eq(replica.digest, 3);
    remove_id("a", "", 5);
    ck_assert_uint_eq(replica.digest, 2);
    expect_heard("+a@1 +ab@2 -a@5 ");
}
END_TEST

START_TEST(the_digest_is_the_sum_of_the_tags_modulo_2_to_the_48)
{
    const uint64_t largest = (UINT64_C(1) << 48) - 1;
    put("a", "a", 1, largest);
    put("b", "b", 2, 2);
    ck_assert_uint_eq(replica.digest, 1);
    put("a", "a", 3, 0);
    ck_assert_uint_eq(replica.digest, 2);
    put("b", "b", 4, largest);
    put("a", "a", 5, largest);
    ck_assert_uint_eq(replica.digest, largest - 1);
    remove_id("b", "", 6);
    ck_assert_uint_eq(replica.digest, largest);
}
END_TEST

/* ---- records that cannot be read ---- */

START_TEST(an_unreadable_record_holds_its_tag_and_is_no_node)
{
    put("a", NULL, 1, 5);
    expect_heard("");
    ck_assert_uint_eq(replica.digest, 5);
    ck_assert_ptr_null(netron_replica_node(&replica, "a"));
    ck_assert_uint_eq(netron_catalogue_count(&replica.catalogue), 0);
    ck_assert(netron_replica_holds(&replica, "a", 1, false));
    put("a", NULL, 2, 6);
    ck_assert_uint_eq(replica.digest, 6);
    remove_id("a", "expired", 3);
    expect_heard("");
    ck_assert_uint_eq(replica.digest, 0);
}
END_TEST

START_TEST(a_record_that_becomes_unreadable_is_a_departure_and_mended_an_arrival)
{
    put("a", "a web", 1, 5);
    put("a", NULL, 2, 6);
    ck_assert_uint_eq(replica.digest, 6);
    ck_assert_str_eq(found("web"), "");
    put("a", "a web", 3, 7);
    ck_assert_uint_eq(replica.digest, 7);
    expect_heard("+a@1 -a@2(unreadable) +a@3 ");
    put("a", NULL, 4, 8);
    remove_id("a", "expired", 5);
    expect_heard("-a@4(unreadable) ");
}
END_TEST

/* ---- what it holds ---- */

static const struct {
    uint64_t revision;
    bool is_departure;
    bool holds;
} held[] = {
    /* of a record of revision 5 */
    {4, false, true}, {5, false, true}, {6, false, false}, {4, true, true}, {5, true, false}, {6, true, false},
};

START_TEST(a_change_is_held_when_it_or_a_later_one_of_the_id_was_seen)
{
    put("a", "a", 5, 1);
    ck_assert(netron_replica_holds(&replica, "a", held[_i].revision, held[_i].is_departure) == held[_i].holds);
    ck_assert(!netron_replica_holds(&replica, "b", held[_i].revision, false));
    ck_assert(netron_replica_holds(&replica, "b", held[_i].revision, true)); /* it is gone already */
    netron_replica_begin_round(&replica);
    netron_replica_sweep(&replica, true, 9); /* of another history from now on */
    ck_assert(!netron_replica_holds(&replica, "a", held[_i].revision, false));
    ck_assert(netron_replica_holds(&replica, "a", held[_i].revision, true));
}
END_TEST

START_TEST(the_largest_ttl_is_remembered)
{
    static const uint32_t ttls[] = {1000, 5000, 4999, 86400000, 1};
    uint32_t largest = 0;
    for (size_t i = 0; i < COUNT_OF(ttls); i++) {
        struct netron_record record = {.revision = i + 1, .tag = 1, .ttl_ms = ttls[i], .node = node_of("a")};
        ck_assert_int_eq(netron_replica_put(&replica, "a", 1, &record), 0);
        largest = ttls[i] > largest ? ttls[i] : largest;
        ck_assert_uint_eq(replica.ttl_max, largest);
    }
}
END_TEST

/* ---- rounds ---- */

START_TEST(what_is_not_put_until_the_sweep_is_gone)
{
    put("a", "a", 1, 1);
    put("b", "b web", 2, 2);
    put("c", "c", 3, 4);
    put("d", NULL, 4, 8);
    netron_replica_begin_round(&replica);
    put("b", "b web", 2, 2);
    put("e", "e", 5, 16);
    expect_heard("+a@1 +b@2 +c@3 +e@5 ");
    ck_assert_uint_eq(replica.digest, 31);
    netron_replica_sweep(&replica, false, 9);
    expect_heard("-a@9 -c@9 ");
    ck_assert_uint_eq(replica.digest, 18);
    ck_assert_uint_eq(replica.kept, 0);
    netron_replica_sweep(&replica, false, 10);
    expect_heard("");
    ck_assert_str_eq(found(NULL), "b e");
}
END_TEST

START_TEST(a_round_that_is_begun_again_counts_from_its_last_beginning)
{
    put("a", "a", 1, 1);
    put("b", "b", 2, 2);
    netron_replica_begin_round(&replica);
    put("a", "a", 1, 1);
    netron_replica_begin_round(&replica);
    put("b", "b", 2, 2);
    netron_replica_sweep(&replica, false, 3);
    expect_heard("+a@1 +b@2 -a@3 ");
}
END_TEST

static void keep_a_and_b(void)
{
    put("a", "a web", 1, 1);
    put("b", "b web", 2, 2);
    put("u", NULL, 3, 4);
    netron_replica_begin_round(&replica);
    put("c", "c web", 1, 8);
    netron_replica_sweep(&replica, true, 1);
    expect_heard("+a@1 +b@2 +c@1 ");
}

START_TEST(what_is_kept_is_found_but_counts_neither_in_the_digest_nor_as_held)
{
    keep_a_and_b();
    ck_assert_uint_eq(replica.kept, 2);
    ck_assert_uint_eq(replica.digest, 8);
    ck_assert_str_eq(found("web"), "a b c");
    ck_assert_str_eq(netron_replica_node(&replica, "a")->id, "a");
    netron_replica_sweep(&replica, true, 2); /* again: nothing is kept twice */
    netron_replica_sweep(&replica, false, 2);
    ck_assert_uint_eq(replica.kept, 2);
    ck_assert_uint_eq(replica.digest, 8);
    expect_heard("");
}
END_TEST

START_TEST(what_is_kept_leaves_when_it_is_dropped_and_is_told_exactly_once)
{
    keep_a_and_b();
    drop_all_kept("expired", 7);
    expect_heard("-a@7(expired) -b@7(expired) ");
    ck_assert_uint_eq(replica.kept, 0);
    ck_assert_uint_eq(replica.digest, 8);
    drop_all_kept("expired", 8);
    expect_heard("");
    ck_assert_str_eq(found(NULL), "c");
}
END_TEST

static char taken[16];
static size_t room;

static bool take_one(void *arg, const char *id)
{
    ck_assert_ptr_eq(arg, &room);
    if (strlen(taken) >= room)
        return false;
    strcat(taken, id);
    return true;
}

START_TEST(what_is_kept_is_handed_out_once_in_a_search_as_there_is_room)
{
    keep_a_and_b();
    for (int searches = 0; searches < 2; searches++) {
        netron_replica_begin_search(&replica);
        taken[room = 0] = '\0';
        ck_assert(!netron_replica_search(&replica, take_one, &room));
        room = 1;
        ck_assert(!netron_replica_search(&replica, take_one, &room));
        ck_assert_uint_eq(strlen(taken), 1);
        room = 3;
        ck_assert(netron_replica_search(&replica, take_one, &room));
        ck_assert(netron_replica_search(&replica, take_one, &room));
        ck_assert(strcmp(taken, "ab") == 0 || strcmp(taken, "ba") == 0);
    }
}
END_TEST

START_TEST(what_is_kept_comes_back_silently_or_changed_or_goes)
{
    keep_a_and_b();
    put("a", "a web", 2, 16);
    expect_heard("");
    ck_assert_uint_eq(replica.kept, 1);
    ck_assert_uint_eq(replica.digest, 24);
    put("b", "b mail", 3, 32);
    expect_heard("~b@3 ");
    ck_assert_uint_eq(replica.kept, 0);
    ck_assert_uint_eq(replica.digest, 56);
    netron_replica_begin_round(&replica);
    netron_replica_sweep(&replica, true, 3);
    ck_assert_uint_eq(replica.kept, 3);
    ck_assert_uint_eq(replica.digest, 0);
    remove_id("a", "shutdown", 4);
    expect_heard("-a@4(shutdown) ");
    ck_assert_uint_eq(replica.kept, 2);
    ck_assert_uint_eq(replica.digest, 0);
    put("b", NULL, 5, 64);
    expect_heard("-b@5(unreadable) ");
    ck_assert_uint_eq(replica.kept, 1);
    ck_assert_uint_eq(replica.digest, 64);
    drop_all_kept("expired", 6);
    expect_heard("-c@6(expired) ");
}
END_TEST

/* ---- a callback that closes the replica ---- */

static void arrive(void)
{
    put("z", "z", 10, 1);
}

static void change(void)
{
    put("a", "a changed", 10, 1);
}

static void spoil(void)
{
    put("a", NULL, 10, 1);
}

static void leave(void)
{
    remove_id("a", "shutdown", 10);
}

static void sweep(void)
{
    netron_replica_begin_round(&replica);
    netron_replica_sweep(&replica, false, 10);
}

static void drop(void)
{
    netron_replica_begin_round(&replica);
    netron_replica_sweep(&replica, true, 10);
    drop_all_kept("expired", 10);
}

static const struct {
    void (*happens)(void);
    const char *heard;
} closings[] = {
    {arrive, "+z@10 "},          {change, "~a@10 "}, {spoil, "-a@10(unreadable) "},
    {leave, "-a@10(shutdown) "}, {sweep, "-a@10 "},  {drop, "-a@10(expired) "},
};

START_TEST(a_callback_may_close_the_replica_and_hears_nothing_after_it)
{
    put("a", "a", 1, 1);
    put("b", "b", 2, 2);
    put("c", "c", 3, 4);
    expect_heard("+a@1 +b@2 +c@3 ");
    closes_at = 1;
    closings[_i].happens();
    expect_heard(closings[_i].heard);
    ck_assert(replica.closed);
    ck_assert_ptr_null(netron_replica_node(&replica, "b"));
    remove_id("b", "expired", 11);
    netron_replica_sweep(&replica, false, 11);
    drop_all_kept("expired", 11);
    netron_replica_close(&replica);
    expect_heard("");
}
END_TEST

/* ---- without memory ---- */

static const struct {
    const char *before;
    const char *after;
    const char *heard;
} puts_without_memory[] = {
    {NULL, "a web new-1 new-2", "+a@9 "},
    {NULL, NULL, ""},
    {"a web", "a mail new-1 new-2", "~a@9 "},
    {"a", "a web", "~a@9 "},
};

START_TEST(without_memory_a_record_is_missing_in_the_digest_and_told_when_it_comes_again)
{
    const char *before = puts_without_memory[_i].before;
    long granted = 0;
    for (int code = NETRON_ENOMEM; code != 0; granted++) {
        for (char other[2] = "b"; other[0] <= 'e'; other[0]++) /* a full list has to grow */
            put(other, other, 1, 1000);
        if (before != NULL)
            put("a", before, 2, 3);
        heard[heard_length = 0] = '\0';
        struct netron_record record = {.revision = 9, .tag = 500, .node = node_of(puts_without_memory[_i].after)};
        allocations_left = granted;
        code = netron_replica_put(&replica, "a", 1, &record);
        allocations_left = -1;
        ck_assert_ptr_null(record.node);
        if (code != 0) {
            expect_heard("");
            ck_assert_int_eq(code, NETRON_ENOMEM);
            ck_assert_uint_ne(replica.digest, 4500);
            put("a", puts_without_memory[_i].after, 9, 500);
        }
        ck_assert_uint_eq(replica.digest, 4500);
        expect_heard(puts_without_memory[_i].heard);
        netron_replica_close(&replica);
        open_replica();
    }
    ck_assert_int_gt(granted, 1);
}
END_TEST

START_TEST(leaving_sweeping_and_keeping_need_no_memory)
{
    for (char id[2] = "a"; id[0] <= 'z'; id[0]++)
        put(id, id, 1, 1);
    heard[heard_length = 0] = '\0';
    allocations_left = 0;
    netron_replica_remove(&replica, "a", 1, "expired", 2);
    netron_replica_begin_round(&replica);
    netron_replica_sweep(&replica, true, 3);
    netron_replica_remove(&replica, "b", 1, "expired", 4);
    drop_all_kept("expired", 5);
    allocations_left = -1;
    ck_assert_uint_eq(replica.digest, 0);
    ck_assert_uint_eq(replica.kept, 0);
    ck_assert_int_eq(strncmp(heard, "-a@2(expired) -b@4(expired) -c@5(expired) ", 42), 0);
    ck_assert_uint_eq(netron_catalogue_count(&replica.catalogue), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica");
    TCase *tcase = suite_case(suite, "replica");
    tcase_add_checked_fixture(tcase, open_replica, close_replica);
    tcase_add_test(tcase, a_node_appears_changes_and_leaves_and_each_is_told_once);
    tcase_add_test(tcase, what_says_the_same_is_held_but_not_told);
    tcase_add_test(tcase, another_incarnation_of_the_same_content_is_an_update);
    tcase_add_loop_test(tcase, whatever_differs_is_an_update, 0, COUNT_OF(same_or_not));
    tcase_add_test(tcase, ids_are_told_apart_by_every_byte);
    tcase_add_test(tcase, the_digest_is_the_sum_of_the_tags_modulo_2_to_the_48);
    tcase_add_test(tcase, an_unreadable_record_holds_its_tag_and_is_no_node);
    tcase_add_test(tcase, a_record_that_becomes_unreadable_is_a_departure_and_mended_an_arrival);
    tcase_add_loop_test(tcase, a_change_is_held_when_it_or_a_later_one_of_the_id_was_seen, 0, COUNT_OF(held));
    tcase_add_test(tcase, the_largest_ttl_is_remembered);
    tcase_add_test(tcase, what_is_not_put_until_the_sweep_is_gone);
    tcase_add_test(tcase, a_round_that_is_begun_again_counts_from_its_last_beginning);
    tcase_add_test(tcase, what_is_kept_is_found_but_counts_neither_in_the_digest_nor_as_held);
    tcase_add_test(tcase, what_is_kept_leaves_when_it_is_dropped_and_is_told_exactly_once);
    tcase_add_test(tcase, what_is_kept_is_handed_out_once_in_a_search_as_there_is_room);
    tcase_add_test(tcase, what_is_kept_comes_back_silently_or_changed_or_goes);
    tcase_add_loop_test(tcase, a_callback_may_close_the_replica_and_hears_nothing_after_it, 0, COUNT_OF(closings));
    tcase_add_loop_test(tcase, without_memory_a_record_is_missing_in_the_digest_and_told_when_it_comes_again, 0,
                        COUNT_OF(puts_without_memory));
    tcase_add_test(tcase, leaving_sweeping_and_keeping_need_no_memory);
    return suite_run(suite);
}
