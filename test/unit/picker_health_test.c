/* SPDX-License-Identifier: MIT */
/* The room picker: nodes that fail, zones, states. */
#include "picker_stand.h"
#include "suite.h"
#include <stdio.h>
#include <string.h>

#define FAILURES 5
#define BASE_MS 10000u
#define MAX_MS 300000u

static void fail_node(struct stand *stand, const char *id, int times)
{
    for (int i = 0; i < times; i++)
        stand_report(stand, id, 0);
}

static bool is_picked(struct stand *stand, const char *id)
{
    return stand_share(stand, id, 200) > 0;
}

/* ---- ejections ---- */

START_TEST(five_failures_in_a_row_eject_for_ten_seconds)
{
    struct stand stand;
    netron_picker_options options = stand_options((netron_pick_policy)_i);
    stand_open(&stand, &options, "a b c d");
    fail_node(&stand, "b", FAILURES - 1);
    stand_report(&stand, "b", 1);
    fail_node(&stand, "b", FAILURES - 1);
    ck_assert(is_picked(&stand, "b")); /* which reports ok */
    fail_node(&stand, "b", FAILURES);
    ck_assert(!is_picked(&stand, "b"));
    ck_assert(is_picked(&stand, "a") && is_picked(&stand, "c") && is_picked(&stand, "d"));
    stand.now += BASE_MS - 1;
    ck_assert(!is_picked(&stand, "b"));
    stand.now += 1;
    ck_assert(is_picked(&stand, "b"));
    stand_close(&stand);
}
END_TEST

START_TEST(each_ejection_is_longer_up_to_five_minutes)
{
    struct stand stand;
    stand_open(&stand, NULL, "a b");
    for (unsigned ejection = 1; ejection <= 35; ejection++) {
        unsigned time = ejection * BASE_MS < MAX_MS ? ejection * BASE_MS : MAX_MS;
        fail_node(&stand, "a", FAILURES);
        stand.now += time - 1;
        ck_assert_msg(!is_picked(&stand, "a"), "ejection %u is too short", ejection);
        stand.now += 1;
        ck_assert_msg(is_picked(&stand, "a"), "ejection %u is too long", ejection);
    }
    stand.now += MAX_MS; /* it was well for long, and begins anew */
    fail_node(&stand, "a", FAILURES);
    stand.now += BASE_MS;
    ck_assert(is_picked(&stand, "a"));
    stand_close(&stand);
}
END_TEST

START_TEST(late_results_change_nothing)
{
    struct stand stand;
    const netron_node *late[20];
    stand_open(&stand, NULL, "a b");
    for (int i = 0; i < 20; i++) {
        late[i] = stand_pick(&stand);
        netron_picker_report(stand.picker, stand_pick(&stand), 1);
    }
    char id[2] = {late[0]->id[0], '\0'};
    fail_node(&stand, id, FAILURES);
    stand.now += BASE_MS / 2;
    for (int i = 0; i < 20; i++)
        netron_picker_report(stand.picker, late[i], i % 2);
    ck_assert(!is_picked(&stand, id));
    stand.now += BASE_MS / 2;
    ck_assert(is_picked(&stand, id));
    stand_close(&stand);
}
END_TEST

START_TEST(never_more_than_half_and_never_the_last)
{
    static const char *const sets[] = {"a", "a b", "a b c", "a b c d", "a b c d e"};
    for (int set = 0; set < 5; set++) {
        struct stand stand;
        stand_open(&stand, NULL, sets[set]);
        for (int i = 0; i < 300; i++) /* everything fails */
            netron_picker_report(stand.picker, stand_pick(&stand), 0);
        int usable = 0;
        for (int id = 'a'; id <= 'a' + set; id++)
            usable += is_picked(&stand, (char[]){(char)id, '\0'});
        ck_assert_int_eq(usable, set + 1 - (set + 1) / 2);
        stand_close(&stand);
    }
}
END_TEST

START_TEST(all_but_one_when_the_options_say_so)
{
    struct stand stand;
    netron_picker_options options = stand_options(NETRON_PICK_RANDOM);
    options.ejection_max_percent = 100;
    options.ejection_failures = 1;
    options.ejection_base_ms = options.ejection_max_ms = 7;
    stand_open(&stand, &options, "a b c");
    fail_node(&stand, "a", 1);
    fail_node(&stand, "c", 1);
    fail_node(&stand, "b", 100);
    ck_assert_str_eq(stand_picks(&stand, 3), "b b b");
    stand.now += 7;
    fail_node(&stand, "a", 1);
    ck_assert(is_picked(&stand, "b") && is_picked(&stand, "c") && !is_picked(&stand, "a"));
    stand_close(&stand);
}
END_TEST

START_TEST(a_failure_that_found_no_room_ejects_when_there_is_some)
{
    struct stand stand;
    stand_open(&stand, NULL, "a b c");
    fail_node(&stand, "a", FAILURES);
    fail_node(&stand, "b", FAILURES); /* one of three is half already */
    stand.now += BASE_MS;
    fail_node(&stand, "b", 1); /* a is back by now, b still in its row */
    ck_assert(is_picked(&stand, "a") && !is_picked(&stand, "b") && is_picked(&stand, "c"));
    stand_close(&stand);
}
END_TEST

START_TEST(those_that_are_first_to_return_do_so_when_others_leave)
{
    struct stand stand;
    stand_open(&stand, NULL, "a b c d");
    fail_node(&stand, "b", FAILURES);
    stand.now += 1;
    fail_node(&stand, "a", FAILURES);
    stand_change(&stand, "a b c"); /* one of three */
    ck_assert(is_picked(&stand, "b") && !is_picked(&stand, "a"));
    stand_change(&stand, "a b c!draining");
    ck_assert(!is_picked(&stand, "a"));
    stand_change(&stand, "a"); /* the last */
    ck_assert(is_picked(&stand, "a"));
    stand_close(&stand);
}
END_TEST

START_TEST(an_ejection_survives_a_change_of_the_node)
{
    struct stand stand;
    stand_open(&stand, NULL, "a b c");
    fail_node(&stand, "b", FAILURES);
    stand_change(&stand, "a b:7 c d");
    ck_assert(!is_picked(&stand, "b"));
    stand_change(&stand, "a b:7!maintenance c d");
    stand_change(&stand, "a b:7 c d");
    ck_assert(!is_picked(&stand, "b"));
    stand.now += BASE_MS;
    ck_assert(is_picked(&stand, "b"));
    /* One that was away is judged anew. */
    fail_node(&stand, "b", FAILURES);
    stand_change(&stand, "a c d");
    stand_picks(&stand, 1);
    stand_change(&stand, "a b c d");
    ck_assert(is_picked(&stand, "b"));
    stand_close(&stand);
}
END_TEST

START_TEST(one_that_is_not_up_does_not_take_the_place_of_another)
{
    struct stand stand;
    stand_open(&stand, NULL, "a b c d");
    fail_node(&stand, "a", FAILURES);
    fail_node(&stand, "b", FAILURES);
    stand_change(&stand, "a!draining b!draining c d");
    fail_node(&stand, "c", FAILURES);
    ck_assert_str_eq(stand_picks(&stand, 3), "d d d");
    stand_close(&stand);
}
END_TEST

START_TEST(a_failure_of_one_that_left_is_of_no_consequence)
{
    struct stand stand;
    netron_picker_options options = stand_options(NETRON_PICK_ROUND_ROBIN);
    options.ejection_failures = 1;
    stand_open(&stand, &options, "a b c");
    const netron_node *node = stand_pick(&stand);
    const netron_node *same = stand_pick(&stand);
    stand_change(&stand, "x y z");
    stand_picks(&stand, 1);
    netron_picker_report(stand.picker, node, 0);
    netron_picker_report(stand.picker, same, 0);
    ck_assert(is_picked(&stand, "x") && is_picked(&stand, "y") && is_picked(&stand, "z"));
    stand_close(&stand);
}
END_TEST

/* The results come late, when the node drains already: they are no reason to leave it out when it is up again. */
START_TEST(one_that_is_not_up_is_not_ejected)
{
    struct stand stand;
    const netron_node *held[FAILURES];
    stand_open(&stand, NULL, "a");
    for (int i = 0; i < FAILURES; i++)
        held[i] = stand_pick(&stand);
    stand_change(&stand, "a!draining b c");
    stand_picks(&stand, 1);
    for (int i = 0; i < FAILURES; i++)
        netron_picker_report(stand.picker, held[i], 0);
    stand_change(&stand, "a b c");
    ck_assert(is_picked(&stand, "a"));
    stand_close(&stand);
}
END_TEST

START_TEST(a_report_knows_that_time_has_passed)
{
    struct stand stand;
    const netron_node *held[FAILURES];
    netron_picker_options options = stand_options(NETRON_PICK_LEAST_LOADED);
    stand_open(&stand, &options, "b");
    for (int i = 0; i < FAILURES; i++)
        held[i] = stand_pick(&stand);
    stand_change(&stand, "a b c");
    fail_node(&stand, "a", FAILURES);
    stand.now += BASE_MS; /* a is back, though no pick has noticed it */
    for (int i = 0; i < FAILURES; i++)
        netron_picker_report(stand.picker, held[i], 0);
    ck_assert(is_picked(&stand, "a") && !is_picked(&stand, "b") && is_picked(&stand, "c"));
    stand_close(&stand);
}
END_TEST

START_TEST(nobody_is_ejected_when_it_is_disabled)
{
    struct stand stand;
    netron_picker_options options = stand_options(NETRON_PICK_ROUND_ROBIN);
    options.ejection_disabled = 1;
    stand_open(&stand, &options, "a b");
    fail_node(&stand, "a", 100);
    ck_assert_int_eq(stand_share(&stand, "a", 100), 50);
    stand_close(&stand);
}
END_TEST

START_TEST(round_robin_stays_exact_across_an_ejection)
{
    struct stand stand;
    netron_picker_options options = stand_options(NETRON_PICK_ROUND_ROBIN);
    options.ejection_failures = 1;
    stand_open(&stand, &options, "a b c d");
    stand_report(&stand, "b", 0);
    ck_assert_str_eq(stand_picks(&stand, 4), "c d a c");
    stand.now += BASE_MS;
    ck_assert_str_eq(stand_picks(&stand, 4), "d a b c");
    stand_close(&stand);
}
END_TEST

START_TEST(an_ejection_moves_only_the_keys_of_that_node)
{
    struct stand stand;
    char before[100], after[100];
    netron_picker_options options = stand_options(NETRON_PICK_RENDEZVOUS);
    stand_open(&stand, &options, "a:2 b c d");
    for (int round = 0; round < 3; round++) {
        char *map = round == 0 ? before : after;
        for (char key = 0; key < 100; key++) {
            const netron_node *node = netron_picker_pick(stand.picker, &key, 1);
            map[(int)key] = node->id[0];
            netron_picker_report(stand.picker, node, 1);
        }
        if (round == 0)
            fail_node(&stand, "b", FAILURES);
        for (int i = 0; round == 1 && i < 100; i++)
            ck_assert(before[i] == 'b' ? after[i] != 'b' : after[i] == before[i]);
        if (round == 1)
            stand.now += BASE_MS;
    }
    ck_assert_mem_eq(before, after, 100);
    stand_close(&stand);
}
END_TEST

/* ---- zones ---- */

static void open_zone(struct stand *stand, netron_pick_policy policy, uint32_t min_percent, const char *nodes)
{
    netron_picker_options options = stand_options(policy);
    options.zone = "east";
    options.zone_min_percent = min_percent;
    stand_open(stand, &options, nodes);
}

START_TEST(the_own_zone_comes_first)
{
    struct stand stand;
    open_zone(&stand, (netron_pick_policy)_i, 0, "a@east b@west c d@east");
    ck_assert(!is_picked(&stand, "b") && !is_picked(&stand, "c"));
    ck_assert(is_picked(&stand, "a") && is_picked(&stand, "d"));
    stand_close(&stand);
}
END_TEST

START_TEST(below_the_least_share_all_zones_are_used)
{
    static const struct {
        uint32_t min_percent;
        const char *nodes;
        bool overflows; /* to x, which is elsewhere */
    } cases[] = {
        {0, "a@east x@west", false},
        {0, "a@east!draining x@west", true},
        {0, "a@east b@east!draining x@west", false},
        {0, "a@east b@east!draining c@east!unknown x@west", true},
        {30, "a@east b@east!draining c@east!unknown x@west", false},
        {34, "a@east b@east!draining c@east!unknown x@west", true},
        {100, "a@east b@east x@west", false},
        {100, "a@east b@east c@east!starting x@west", true},
        {1, "b@west c@north x", true},
        {1, "a@eastern c@north x@EAST", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stand stand;
        open_zone(&stand, NETRON_PICK_ROUND_ROBIN, cases[i].min_percent, cases[i].nodes);
        ck_assert_msg(is_picked(&stand, "x") == cases[i].overflows, "case %zu", i);
        stand_close(&stand);
    }
}
END_TEST

START_TEST(ejections_make_a_zone_overflow_and_returns_end_it)
{
    struct stand stand;
    open_zone(&stand, NETRON_PICK_WEIGHTED, 0, "a@east b@east c@east x@west y@west z@west");
    fail_node(&stand, "a", FAILURES);
    ck_assert(!is_picked(&stand, "x")); /* two of three */
    stand.now += 1;
    fail_node(&stand, "b", FAILURES);
    ck_assert(is_picked(&stand, "c") && is_picked(&stand, "x") && is_picked(&stand, "y") && is_picked(&stand, "z"));
    fail_node(&stand, "c", FAILURES); /* the whole zone */
    ck_assert(!is_picked(&stand, "c") && is_picked(&stand, "x"));
    stand.now += BASE_MS - 1; /* a is back: one of three */
    ck_assert(is_picked(&stand, "a") && is_picked(&stand, "x"));
    stand.now += 1;
    ck_assert(is_picked(&stand, "b") && !is_picked(&stand, "x"));
    stand_close(&stand);
}
END_TEST

/* ---- states ---- */

START_TEST(a_change_of_state_takes_a_node_out_and_back)
{
    struct stand stand;
    netron_picker_options options = stand_options((netron_pick_policy)_i);
    stand_open(&stand, &options, "a b");
    const netron_node *held = stand_pick(&stand);
    stand_change(&stand, "a b!draining");
    ck_assert_str_eq(stand_picks(&stand, 3), "a a a");
    stand_change(&stand, "a!maintenance b!draining");
    ck_assert_ptr_null(stand_pick(&stand));
    netron_picker_report(stand.picker, held, 1);
    stand_change(&stand, "a b");
    ck_assert(is_picked(&stand, "a") && is_picked(&stand, "b"));
    stand_close(&stand);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("picker_health");
    TCase *tcase = suite_case(suite, "ejections");
    /* Without a key the last policy is chance, so that every node is picked by all five. */
    tcase_add_loop_test(tcase, five_failures_in_a_row_eject_for_ten_seconds, 0, 5);
    tcase_add_test(tcase, each_ejection_is_longer_up_to_five_minutes);
    tcase_add_test(tcase, late_results_change_nothing);
    tcase_add_test(tcase, never_more_than_half_and_never_the_last);
    tcase_add_test(tcase, all_but_one_when_the_options_say_so);
    tcase_add_test(tcase, a_failure_that_found_no_room_ejects_when_there_is_some);
    tcase_add_test(tcase, those_that_are_first_to_return_do_so_when_others_leave);
    tcase_add_test(tcase, an_ejection_survives_a_change_of_the_node);
    tcase_add_test(tcase, one_that_is_not_up_does_not_take_the_place_of_another);
    tcase_add_test(tcase, a_failure_of_one_that_left_is_of_no_consequence);
    tcase_add_test(tcase, one_that_is_not_up_is_not_ejected);
    tcase_add_test(tcase, a_report_knows_that_time_has_passed);
    tcase_add_test(tcase, nobody_is_ejected_when_it_is_disabled);
    tcase_add_test(tcase, round_robin_stays_exact_across_an_ejection);
    tcase_add_test(tcase, an_ejection_moves_only_the_keys_of_that_node);
    tcase = suite_case(suite, "zones");
    tcase_add_loop_test(tcase, the_own_zone_comes_first, 0, 5);
    tcase_add_test(tcase, below_the_least_share_all_zones_are_used);
    tcase_add_test(tcase, ejections_make_a_zone_overflow_and_returns_end_it);
    tcase = suite_case(suite, "states");
    tcase_add_loop_test(tcase, a_change_of_state_takes_a_node_out_and_back, 0, 5);
    return suite_run(suite);
}
