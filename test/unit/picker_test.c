/* SPDX-License-Identifier: MIT */
/* The room picker: the policies, nodes that come and go, how long a pick lives, and what is allocated. */
#include "failing_allocations.h"
#include "picker_stand.h"
#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 10000
#define EVERY_POLICY 5

static void open_with(struct stand *stand, netron_pick_policy policy, const char *nodes)
{
    netron_picker_options options = stand_options(policy);
    stand_open(stand, &options, nodes);
}

/* ---- policies ---- */

START_TEST(round_robin_visits_each_once_a_turn)
{
    struct stand stand;
    open_with(&stand, NETRON_PICK_ROUND_ROBIN, "a b:9 c d");
    char first[64];
    strcpy(first, stand_picks(&stand, 4));
    ck_assert_ptr_nonnull(strstr("a b c d a b c d", first));
    for (int turn = 0; turn < 10; turn++)
        ck_assert_str_eq(stand_picks(&stand, 4), first);
    stand_close(&stand);
}
END_TEST

START_TEST(round_robin_does_not_begin_with_the_same_node_everywhere)
{
    int begun[4] = {0};
    for (uint64_t seed = 1; seed <= 400; seed++) { /* mean 100, deviation 9 */
        struct stand stand;
        stand_seed = seed;
        open_with(&stand, NETRON_PICK_ROUND_ROBIN, "a b c d");
        begun[stand_picks(&stand, 1)[0] - 'a']++;
        stand_close(&stand);
    }
    for (int i = 0; i < 4; i++)
        ck_assert_int_gt(begun[i], 60);
}
END_TEST

START_TEST(round_robin_goes_on_when_nodes_come_and_go)
{
    struct stand stand;
    open_with(&stand, NETRON_PICK_ROUND_ROBIN, "a c e g");
    stand_report(&stand, "c", 1);
    stand_change(&stand, "a b c d e g");
    ck_assert_str_eq(stand_picks(&stand, 2), "e g");
    stand_change(&stand, "b d e g"); /* a, whose turn it is, leaves */
    ck_assert_str_eq(stand_picks(&stand, 3), "b d e");
    stand_change(&stand, "b d"); /* nobody stands behind: it begins again in front */
    ck_assert_str_eq(stand_picks(&stand, 3), "b d b");
    stand_change(&stand, "");
    ck_assert_str_eq(stand_picks(&stand, 2), "- -");
    stand_change(&stand, "a b c d e"); /* it was d's turn when they vanished */
    ck_assert_str_eq(stand_picks(&stand, 3), "d e a");
    stand_close(&stand);
}
END_TEST

START_TEST(weighted_is_the_published_order)
{
    struct stand stand;
    open_with(&stand, NETRON_PICK_WEIGHTED, "a:5 b:1 c");
    ck_assert_str_eq(stand_picks(&stand, 7), "a a b a c a a");
    ck_assert_str_eq(stand_picks(&stand, 7), "a a b a c a a");
    stand_close(&stand);
}
END_TEST

START_TEST(weighted_goes_on_when_nodes_come_and_go)
{
    struct stand stand;
    open_with(&stand, NETRON_PICK_WEIGHTED, "a:5 b:1 c:1");
    ck_assert_str_eq(stand_picks(&stand, 3), "a a b");
    stand_change(&stand, "a:5 b:1 c:1 d!draining");
    ck_assert_str_eq(stand_picks(&stand, 4), "a c a a");
    /* Whoever pays for what a giant weighed must not starve once it is gone. */
    stand_change(&stand, "a:1 b:1 c:65535");
    stand_share(&stand, "c", 20000);
    stand_report(&stand, "a", 1);
    stand_change(&stand, "a:1 b:1");
    ck_assert_int_eq(stand_share(&stand, "a", 100), 50);
    stand_close(&stand);
}
END_TEST

START_TEST(weighted_keeps_the_shares_under_constant_change)
{
    struct stand stand;
    int share = 0;
    open_with(&stand, NETRON_PICK_WEIGHTED, "a:3 b:2 c:1");
    for (int i = 0; i < 600; i++) { /* a change after every pick, of a node that is not usable */
        stand_change(&stand, i % 2 == 0 ? "a:3 b:2 c:1 z!starting" : "a:3 b:2 c:1");
        share += stand_share(&stand, "c", 1);
    }
    ck_assert_int_eq(share, 100);
    stand_close(&stand);
}
END_TEST

/* 10000 picks of 4 nodes: the mean is 2500 and the deviation 43. */
START_TEST(random_gives_each_the_same_chance)
{
    struct stand stand;
    open_with(&stand, NETRON_PICK_RANDOM, "a b:9 c d");
    for (const char *id = "abcd"; *id != '\0'; id++) {
        const char name[] = {*id, '\0'};
        int share = stand_share(&stand, name, 10000);
        ck_assert_int_gt(share, 2500 - 4 * 44);
        ck_assert_int_lt(share, 2500 + 4 * 44);
    }
    stand_close(&stand);
}
END_TEST

START_TEST(least_loaded_takes_the_less_loaded_of_two)
{
    struct stand stand;
    const netron_node *outstanding[30];
    open_with(&stand, NETRON_PICK_LEAST_LOADED, "a b");
    /* Of two nodes both are looked at: they are never more than one apart. */
    int load[2] = {0};
    for (int i = 0; i < 30; i++) {
        outstanding[i] = stand_pick(&stand);
        load[outstanding[i]->id[0] - 'a']++;
        ck_assert_int_le(load[0] > load[1] ? load[0] - load[1] : load[1] - load[0], 1);
    }
    /* All of b come back: the next fifteen go there. */
    for (int i = 0; i < 30; i++)
        if (outstanding[i]->id[0] == 'b') {
            netron_picker_report(stand.picker, outstanding[i], i % 5 != 0);
            outstanding[i] = NULL;
        }
    for (int i = 0; i < 30; i++)
        if (outstanding[i] == NULL) {
            outstanding[i] = stand_pick(&stand);
            ck_assert_str_eq(outstanding[i]->id, "b");
        }
    for (int i = 0; i < 30; i++)
        netron_picker_report(stand.picker, outstanding[i], 1);
    stand_close(&stand);
}
END_TEST

START_TEST(least_loaded_minds_the_weights)
{
    struct stand stand;
    const netron_node *outstanding[40];
    int load[2] = {0};
    open_with(&stand, NETRON_PICK_LEAST_LOADED, "a:3 b:1");
    for (int i = 0; i < 40; i++) {
        outstanding[i] = stand_pick(&stand);
        load[outstanding[i]->id[0] - 'a']++;
    }
    ck_assert_int_eq(load[0], 30);
    for (int i = 0; i < 40; i++)
        netron_picker_report(stand.picker, outstanding[i], 1);
    stand_close(&stand);
}
END_TEST

/* With 1000 picks outstanding over 10 nodes, chance alone would leave the fullest about 16 above the mean. */
START_TEST(least_loaded_keeps_many_nodes_level)
{
    struct stand stand;
    const netron_node *outstanding[1000];
    int load[10] = {0};
    open_with(&stand, NETRON_PICK_LEAST_LOADED, "0 1 2 3 4 5 6 7 8 9");
    for (int i = 0; i < 1000; i++) {
        outstanding[i] = stand_pick(&stand);
        load[outstanding[i]->id[0] - '0']++;
    }
    for (int i = 0; i < 10; i++) {
        ck_assert_int_ge(load[i], 95);
        ck_assert_int_le(load[i], 105);
    }
    for (int i = 0; i < 1000; i++)
        netron_picker_report(stand.picker, outstanding[i], 1);
    /* Idle nodes are taken by chance, not always the first. */
    ck_assert_int_lt(stand_share(&stand, "0", 1000), 200);
    stand_close(&stand);
}
END_TEST

/* ---- keys ---- */

/* Which node each key goes to, by the first letter of its id. */
static void map_keys(struct stand *stand, char *map)
{
    for (int i = 0; i < KEYS; i++) {
        char key[32];
        int length = snprintf(key, sizeof(key), "user:%d", i);
        const netron_node *node = netron_picker_pick(stand->picker, key, (size_t)length);
        ck_assert_ptr_nonnull(node);
        map[i] = node->id[0];
        netron_picker_report(stand->picker, node, 1);
    }
}

static int count_keys(const char *map, char id)
{
    int count = 0;
    for (int i = 0; i < KEYS; i++)
        count += map[i] == id;
    return count;
}

/* Keys that went elsewhere, and for another reason than that `from` left or `to` came. */
static int count_moved(const char *before, const char *after, char from, char to)
{
    int moved = 0;
    for (int i = 0; i < KEYS; i++)
        moved += before[i] != after[i] && before[i] != from && after[i] != to;
    return moved;
}

START_TEST(a_key_goes_to_the_same_node)
{
    static char first[KEYS], second[KEYS];
    struct stand stand, other;
    open_with(&stand, NETRON_PICK_RENDEZVOUS, "a b c d e");
    map_keys(&stand, first);
    stand_change(&stand, "a b c d e z!draining");
    map_keys(&stand, second);
    ck_assert_mem_eq(first, second, KEYS);
    open_with(&other, NETRON_PICK_RENDEZVOUS, "a b c d e");
    stand_share(&other, "a", 17);
    map_keys(&other, second);
    ck_assert_mem_eq(first, second, KEYS);
    for (int id = 'a'; id <= 'e'; id++) /* mean 2000, deviation 40 */
        ck_assert_int_le(abs(count_keys(first, (char)id) - 2000), 160);
    stand_close(&stand);
    stand_close(&other);
}
END_TEST

static const char *const node_sets[][2] = {{"a b c d e", "a b d e"}, {"a:3 b:1 c:2 d:1 e:5", "a:3 b:1 d:1 e:5"}};
/* Percent of the keys that c has. */
static const double shares[] = {20, 100.0 * 2 / 12};

START_TEST(a_node_that_leaves_moves_only_its_own_keys)
{
    static char before[KEYS], after[KEYS];
    struct stand stand;
    open_with(&stand, NETRON_PICK_RENDEZVOUS, node_sets[_i][0]);
    map_keys(&stand, before);
    stand_change(&stand, node_sets[_i][1]);
    map_keys(&stand, after);
    ck_assert_int_eq(count_keys(after, 'c'), 0);
    ck_assert_int_eq(count_moved(before, after, 'c', '-'), 0);
    stand_close(&stand);
}
END_TEST

START_TEST(a_node_that_comes_takes_only_its_share)
{
    static char before[KEYS], after[KEYS];
    struct stand stand;
    open_with(&stand, NETRON_PICK_RENDEZVOUS, node_sets[_i][1]);
    map_keys(&stand, before);
    stand_change(&stand, node_sets[_i][0]);
    map_keys(&stand, after);
    ck_assert_int_eq(count_moved(before, after, '-', 'c'), 0);
    ck_assert_double_eq_tol(count_keys(after, 'c') * 100.0 / KEYS, shares[_i], 1.6);
    stand_close(&stand);
}
END_TEST

START_TEST(keys_follow_the_weights)
{
    static const int weights[] = {3, 1, 2, 1, 5};
    static char map[KEYS], heavier[KEYS];
    struct stand stand;
    open_with(&stand, NETRON_PICK_RENDEZVOUS, node_sets[1][0]);
    map_keys(&stand, map);
    for (int i = 0; i < 5; i++)
        ck_assert_int_le(abs(count_keys(map, (char)('a' + i)) - KEYS * weights[i] / 12), 200);
    /* A weight that grows takes keys from the others, and moves none between them. */
    stand_change(&stand, "a:3 b:4 c:2 d:1 e:5");
    map_keys(&stand, heavier);
    ck_assert_int_eq(count_moved(map, heavier, '-', 'b'), 0);
    ck_assert_int_gt(count_keys(heavier, 'b'), count_keys(map, 'b'));
    stand_close(&stand);
}
END_TEST

START_TEST(equal_weights_map_alike_whatever_they_are)
{
    static char ones[KEYS], sevens[KEYS];
    struct stand stand;
    open_with(&stand, NETRON_PICK_RENDEZVOUS, "a b c");
    map_keys(&stand, ones);
    stand_change(&stand, "a:7 b:7 c:7");
    map_keys(&stand, sevens);
    ck_assert_mem_eq(ones, sevens, KEYS);
    stand_close(&stand);
}
END_TEST

START_TEST(no_key_is_chance_and_the_empty_key_is_a_key)
{
    struct stand stand;
    open_with(&stand, NETRON_PICK_RENDEZVOUS, "a b c d");
    int share = stand_share(&stand, "a", 4000);
    ck_assert_int_gt(share, 800);
    ck_assert_int_lt(share, 1200);
    const netron_node *first = netron_picker_pick(stand.picker, "", 0);
    for (int i = 0; i < 20; i++) {
        const netron_node *node = netron_picker_pick(stand.picker, "", 0);
        ck_assert_ptr_eq(node, first);
        netron_picker_report(stand.picker, node, 1);
    }
    netron_picker_report(stand.picker, first, 1);
    /* Bytes that end no key. */
    int differing = 0;
    for (char i = 0; i < 50; i++) {
        const char key[] = {'x', '\0', i};
        const netron_node *node = netron_picker_pick(stand.picker, key, sizeof(key));
        differing += node != first;
        netron_picker_report(stand.picker, node, 1);
    }
    ck_assert_int_gt(differing, 20);
    stand_close(&stand);
}
END_TEST

/* ---- how long a pick lives ---- */

START_TEST(a_pick_outlives_what_happens_to_the_node)
{
    struct stand stand;
    open_with(&stand, (netron_pick_policy)_i, "a:2");
    stand_picks(&stand, 1);
    const netron_node *first = stand_pick(&stand);
    ck_assert_ptr_eq(stand_pick(&stand), first); /* twice */
    stand_change(&stand, "a:3");
    const netron_node *second = stand_pick(&stand);
    ck_assert_ptr_ne(second, first);
    stand_change(&stand, "");
    ck_assert_ptr_null(stand_pick(&stand));
    stand_change(&stand, "a:4 b");
    stand_report(&stand, "a", 1);
    ck_assert_uint_eq(first->weight, 2);
    ck_assert_uint_eq(second->weight, 3);
    netron_picker_report(stand.picker, first, 1);
    ck_assert_str_eq(first->id, "a");
    netron_picker_report(stand.picker, second, 0);
    netron_picker_report(stand.picker, first, 1);
    stand_close(&stand);
}
END_TEST

START_TEST(what_is_in_flight_is_carried_over_by_id)
{
    struct stand stand;
    const netron_node *held[10], *others[10];
    open_with(&stand, NETRON_PICK_LEAST_LOADED, "a");
    for (int i = 0; i < 10; i++)
        held[i] = stand_pick(&stand);
    stand_change(&stand, "b c"); /* a is away for a moment, with its picks outstanding */
    stand_report(&stand, "b", 1);
    stand_change(&stand, "a:2 b:2");
    for (int i = 0; i < 10; i++) {
        others[i] = stand_pick(&stand);
        ck_assert_str_eq(others[i]->id, "b");
    }
    for (int i = 0; i < 10; i++)
        netron_picker_report(stand.picker, held[i], 1);
    ck_assert_str_eq(stand_picks(&stand, 3), "a a a");
    for (int i = 0; i < 10; i++)
        netron_picker_report(stand.picker, others[i], 1);
    stand_close(&stand);
}
END_TEST

START_TEST(a_node_struct_that_comes_back_is_one_lease)
{
    struct stand stand;
    open_with(&stand, NETRON_PICK_ROUND_ROBIN, "a");
    const netron_snapshot *former = stand.snapshot;
    const netron_node *node = stand_pick(&stand);
    /* Another snapshot in between, then the first one again. */
    stand.snapshot = NULL;
    stand_change(&stand, "a:5");
    const netron_node *changed = stand_pick(&stand);
    const netron_snapshot *latter = stand.snapshot;
    stand.snapshot = former;
    ck_assert_ptr_eq(stand_pick(&stand), node);
    netron_picker_report(stand.picker, node, 1);
    netron_picker_report(stand.picker, changed, 1);
    ck_assert_str_eq(node->id, "a");
    netron_picker_report(stand.picker, node, 1);
    stand_change(&stand, NULL);
    stand.snapshot = latter;
    stand_close(&stand);
}
END_TEST

START_TEST(a_report_without_a_pick_is_ignored)
{
    struct stand stand;
    const netron_node stranger = NETRON_NODE_INIT;
    open_with(&stand, NETRON_PICK_LEAST_LOADED, "a b");
    netron_picker_report(stand.picker, &stranger, 0); /* before the first pick */
    const netron_node *node = stand_pick(&stand);
    netron_picker_report(stand.picker, &stranger, 0);
    netron_picker_report(stand.picker, NULL, 0);
    netron_picker_report(NULL, node, 0);
    for (int i = 0; i < 20; i++) /* once is due, the rest is one too many */
        netron_picker_report(stand.picker, node, 0);
    ck_assert_int_gt(stand_share(&stand, "a", 100), 20);
    ck_assert_int_gt(stand_share(&stand, "b", 100), 20);
    stand_close(&stand);
}
END_TEST

START_TEST(a_freed_picker_stays_for_its_picks)
{
    struct stand stand;
    open_with(&stand, NETRON_PICK_ROUND_ROBIN, "a b");
    const netron_node *one = stand_pick(&stand);
    const netron_node *other = stand_pick(&stand);
    netron_picker *picker = stand.picker;
    stand_close(&stand);
    ck_assert_str_ne(one->id, other->id);
    netron_picker_report(picker, other, 0);
    ck_assert_uint_eq(one->weight, 1);
    netron_picker_report(picker, one, 1);
}
END_TEST

/* ---- nothing, and too little ---- */

START_TEST(nothing_to_pick_is_null)
{
    struct stand stand;
    open_with(&stand, (netron_pick_policy)_i, NULL);
    ck_assert_ptr_null(netron_picker_pick(stand.picker, "key", 3));
    stand_change(&stand, "");
    ck_assert_ptr_null(netron_picker_pick(stand.picker, "key", 3));
    stand_change(&stand, "a!starting b!draining c!maintenance d!unknown");
    ck_assert_ptr_null(netron_picker_pick(stand.picker, "key", 3));
    stand_change(&stand, "a!starting b!draining c!maintenance d!unknown e");
    ck_assert_str_eq(stand_picks(&stand, 3), "e e e");
    ck_assert_ptr_null(netron_picker_pick(NULL, "key", 3));
    netron_picker_free(NULL);
    stand_close(&stand);
}
END_TEST

START_TEST(when_the_source_finds_nothing_the_last_nodes_stay)
{
    struct stand stand;
    open_with(&stand, NETRON_PICK_ROUND_ROBIN, "a b");
    stand_picks(&stand, 1);
    stand_change(&stand, NULL);
    ck_assert_int_eq(stand_share(&stand, "a", 10), 5);
    stand_close(&stand);
}
END_TEST

START_TEST(a_pick_allocates_nothing)
{
    struct stand stand;
    open_with(&stand, (netron_pick_policy)_i, "a:3 b c:2 d e f");
    stand_picks(&stand, 1);
    unsigned long before = allocations;
    for (int i = 0; i < 1000; i++) {
        const netron_node *one = netron_picker_pick(stand.picker, "some key", 8);
        const netron_node *other = netron_picker_pick(stand.picker, "some other key", 14);
        netron_picker_report(stand.picker, one, i % 7 == 0);
        netron_picker_report(stand.picker, other, 0);
        stand.now += 1000; /* so that ejections begin and end as well */
    }
    ck_assert_uint_eq(allocations, before);
    stand_change(&stand, "a b");
    stand_picks(&stand, 1);
    ck_assert_uint_gt(allocations, before); /* they are counted indeed */
    stand_close(&stand);
}
END_TEST

/* Check allocates as well: nothing of it may be called while allocations fail. */
START_TEST(without_memory_the_former_nodes_are_picked)
{
    bool failed = true;
    long granted = 0;
    for (; failed; granted++) {
        struct stand stand;
        open_with(&stand, (netron_pick_policy)_i, "a b:2");
        const netron_node *held = stand_pick(&stand);
        stand_change(&stand, "c d:2 e f g");
        allocations_left = granted;
        const netron_node *node = stand_pick(&stand);
        allocations_left = -1;
        failed = strchr("ab", node->id[0]) != NULL;
        netron_picker_report(stand.picker, node, 1);
        node = stand_pick(&stand); /* the next one tries again */
        ck_assert_ptr_nonnull(strchr("cdefg", node->id[0]));
        netron_picker_report(stand.picker, node, 1);
        netron_picker_report(stand.picker, held, 1);
        stand_close(&stand);
    }
    ck_assert_int_gt(granted, 2);
}
END_TEST

START_TEST(without_memory_there_is_no_picker)
{
    netron_picker_options options = stand_options(NETRON_PICK_ROUND_ROBIN);
    const struct netron_picker_source source = {0};
    const struct netron_random random = {0};
    options.zone = "east";
    for (long granted = 0; granted < 2; granted++) {
        struct netron_failure why = {0};
        netron_picker *picker = NULL;
        allocations_left = granted;
        int code = netron_picker_new_on(&source, &random, &options, &why, &picker);
        allocations_left = -1;
        ck_assert_int_eq(code, NETRON_ENOMEM);
        ck_assert_ptr_null(picker);
        ck_assert_int_ne(why.sentence[0], '\0');
    }
}
END_TEST

/* ---- options ---- */

static void refuse(const netron_picker_options *options, int code, const char *member)
{
    const struct netron_picker_source source = {0};
    const struct netron_random random = {0};
    struct netron_failure why = {0};
    netron_picker *picker = NULL;
    ck_assert_int_eq(netron_picker_new_on(&source, &random, options, &why, &picker), code);
    ck_assert_msg(strstr(why.sentence, member) != NULL, "\"%s\" does not name %s", why.sentence, member);
    ck_assert_ptr_null(picker);
}

START_TEST(options_are_checked)
{
    const netron_picker_options good = stand_options(NETRON_PICK_ROUND_ROBIN);
    netron_picker_options options = good;
    options.size = 8;
    refuse(&options, NETRON_EINVAL, "options.size");
    options = stand_options((netron_pick_policy)5);
    refuse(&options, NETRON_EINVAL, "options.policy");
    options = good;
    options.zone = "";
    refuse(&options, NETRON_EINVAL, "options.zone");
    options = good;
    options.zone_min_percent = 101;
    refuse(&options, NETRON_ELIMIT, "options.zone_min_percent");
    options = good;
    options.ejection_failures = 1000001;
    refuse(&options, NETRON_ELIMIT, "options.ejection_failures");
    options = good;
    options.ejection_base_ms = 300001;
    refuse(&options, NETRON_EINVAL, "options.ejection_base_ms");
    options = good;
    options.ejection_max_ms = 86400001;
    refuse(&options, NETRON_ELIMIT, "options.ejection_max_ms");
    options = good;
    options.ejection_max_percent = 101;
    refuse(&options, NETRON_ELIMIT, "options.ejection_max_percent");
}
END_TEST

START_TEST(options_may_come_from_a_newer_header)
{
    struct {
        netron_picker_options known;
        uint64_t unknown;
    } newer = {.known = stand_options(NETRON_PICK_WEIGHTED)};
    struct stand stand;
    newer.known.size = sizeof(newer);
    stand_open(&stand, &newer.known, "a:5 b c");
    ck_assert_str_eq(stand_picks(&stand, 7), "a a b a c a a");
    stand_close(&stand);
    newer.unknown = 1;
    refuse(&newer.known, NETRON_EINVAL, "options.size");
    stand_open(&stand, NULL, "a b");
    ck_assert_int_eq(stand_share(&stand, "a", 10), 5);
    stand_close(&stand);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("picker");
    TCase *tcase = suite_case(suite, "policies");
    tcase_add_test(tcase, round_robin_visits_each_once_a_turn);
    tcase_add_test(tcase, round_robin_does_not_begin_with_the_same_node_everywhere);
    tcase_add_test(tcase, round_robin_goes_on_when_nodes_come_and_go);
    tcase_add_test(tcase, weighted_is_the_published_order);
    tcase_add_test(tcase, weighted_goes_on_when_nodes_come_and_go);
    tcase_add_test(tcase, weighted_keeps_the_shares_under_constant_change);
    tcase_add_test(tcase, random_gives_each_the_same_chance);
    tcase_add_test(tcase, least_loaded_takes_the_less_loaded_of_two);
    tcase_add_test(tcase, least_loaded_minds_the_weights);
    tcase_add_test(tcase, least_loaded_keeps_many_nodes_level);
    tcase = suite_case(suite, "keys");
    tcase_add_test(tcase, a_key_goes_to_the_same_node);
    tcase_add_loop_test(tcase, a_node_that_leaves_moves_only_its_own_keys, 0, 2);
    tcase_add_loop_test(tcase, a_node_that_comes_takes_only_its_share, 0, 2);
    tcase_add_test(tcase, keys_follow_the_weights);
    tcase_add_test(tcase, equal_weights_map_alike_whatever_they_are);
    tcase_add_test(tcase, no_key_is_chance_and_the_empty_key_is_a_key);
    tcase = suite_case(suite, "picks");
    tcase_add_loop_test(tcase, a_pick_outlives_what_happens_to_the_node, 0, EVERY_POLICY);
    tcase_add_test(tcase, what_is_in_flight_is_carried_over_by_id);
    tcase_add_test(tcase, a_node_struct_that_comes_back_is_one_lease);
    tcase_add_test(tcase, a_report_without_a_pick_is_ignored);
    tcase_add_test(tcase, a_freed_picker_stays_for_its_picks);
    tcase = suite_case(suite, "nothing and too little");
    tcase_add_loop_test(tcase, nothing_to_pick_is_null, 0, EVERY_POLICY);
    tcase_add_test(tcase, when_the_source_finds_nothing_the_last_nodes_stay);
    tcase_add_loop_test(tcase, a_pick_allocates_nothing, 0, EVERY_POLICY);
    tcase_add_loop_test(tcase, without_memory_the_former_nodes_are_picked, 0, EVERY_POLICY);
    tcase_add_test(tcase, without_memory_there_is_no_picker);
    tcase = suite_case(suite, "options");
    tcase_add_test(tcase, options_are_checked);
    tcase_add_test(tcase, options_may_come_from_a_newer_header);
    return suite_run(suite);
}
