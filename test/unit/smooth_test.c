/* SPDX-License-Identifier: MIT */
/* The room smooth: the order of nginx, however it is computed. */
#include "random.h"
#include "smooth.h"
#include "suite.h"
#include <stdlib.h>

#define COUNT_MAX 64

static void start(struct netron_smooth *smooth, const uint32_t *weights, size_t count)
{
    ck_assert(netron_smooth_reserve(smooth, count));
    netron_smooth_restart(smooth);
    for (size_t i = 0; i < count; i++)
        netron_smooth_add(smooth, weights[i], 0);
    netron_smooth_start(smooth);
}

/* The definition, by the letter. */
static size_t next_by_definition(int64_t *credits, const uint32_t *weights, size_t count)
{
    size_t winner = 0;
    int64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += weights[i];
        credits[i] += weights[i];
        if (credits[i] > credits[winner])
            winner = i;
    }
    credits[winner] -= total;
    return winner;
}

START_TEST(the_published_example)
{
    static const uint32_t weights[] = {5, 1, 1};
    static const char expected[] = "aabacaaaabacaaaabacaa";
    struct netron_smooth smooth = {0};
    start(&smooth, weights, 3);
    for (const char *letter = expected; *letter != '\0'; letter++)
        ck_assert_int_eq((int)netron_smooth_next(&smooth) + 'a', *letter);
    netron_smooth_clear(&smooth);
}
END_TEST

START_TEST(one_alone_has_every_turn)
{
    static const uint32_t weights[] = {3};
    struct netron_smooth smooth = {0};
    start(&smooth, weights, 1);
    for (int i = 0; i < 10; i++)
        ck_assert_uint_eq(netron_smooth_next(&smooth), 0);
    netron_smooth_clear(&smooth);
}
END_TEST

/* Narrow ranges of weights make many ties, wide ones many overtakings. */
START_TEST(every_turn_is_that_of_the_definition)
{
    static const uint32_t greatest[] = {1, 2, 3, 10, 100, 65535};
    struct netron_random random = {.state = 7};
    struct netron_smooth smooth = {0};
    for (int round = 0; round < 120; round++) {
        uint32_t weights[COUNT_MAX];
        int64_t credits[COUNT_MAX] = {0};
        size_t count = 1 + (size_t)(netron_random_next(&random) % COUNT_MAX);
        for (size_t i = 0; i < count; i++)
            weights[i] = 1 + (uint32_t)(netron_random_next(&random) % greatest[round % 6]);
        start(&smooth, weights, count);
        for (int turn = 0; turn < 2000; turn++)
            ck_assert_msg(netron_smooth_next(&smooth) == next_by_definition(credits, weights, count),
                          "round %d, turn %d", round, turn);
        for (size_t i = 0; i < count; i++) {
            double phase = (double)credits[i] / (double)smooth.total;
            ck_assert_double_eq_tol(netron_smooth_phase(&smooth, i), phase, 1e-12);
        }
    }
    netron_smooth_clear(&smooth);
}
END_TEST

START_TEST(a_round_gives_each_its_weight)
{
    static const uint32_t weights[] = {7, 1, 13, 2, 2};
    int won[5] = {0};
    struct netron_smooth smooth = {0};
    start(&smooth, weights, 5);
    for (int round = 1; round <= 3; round++) {
        for (int turn = 0; turn < 25; turn++)
            won[netron_smooth_next(&smooth)]++;
        for (int i = 0; i < 5; i++)
            ck_assert_int_eq(won[i], round * (int)weights[i]);
    }
    netron_smooth_clear(&smooth);
}
END_TEST

START_TEST(the_count_of_turns_begins_anew_unnoticed)
{
    static const uint32_t weights[] = {5, 1, 65535, 3};
    int64_t credits[4] = {0};
    struct netron_smooth smooth = {0};
    start(&smooth, weights, 4);
    /* As if so many turns had passed. */
    smooth.turn = NETRON_SMOOTH_TURNS_MAX - 50;
    for (size_t i = 0; i < 4; i++)
        smooth.lines[i].base -= smooth.lines[i].weight * smooth.turn;
    for (size_t position = 1; position < 4; position++)
        smooth.matches[position].expiry = 0;
    for (int turn = 0; turn < 70000; turn++)
        ck_assert_uint_eq(netron_smooth_next(&smooth), next_by_definition(credits, weights, 4));
    ck_assert_int_eq(smooth.turn, 70000 - 50);
    netron_smooth_clear(&smooth);
}
END_TEST

START_TEST(a_phase_continues_where_it_was)
{
    static const uint32_t weights[] = {5, 1, 1};
    struct netron_smooth smooth = {0};
    start(&smooth, weights, 3);
    netron_smooth_next(&smooth);
    netron_smooth_next(&smooth);
    double phases[3];
    for (size_t i = 0; i < 3; i++)
        phases[i] = netron_smooth_phase(&smooth, i);
    ck_assert(netron_smooth_reserve(&smooth, 10)); /* more room does not disturb */
    ck_assert_uint_eq(netron_smooth_next(&smooth), 1);
    netron_smooth_restart(&smooth);
    for (size_t i = 0; i < 3; i++)
        netron_smooth_add(&smooth, weights[i] * 10, phases[i]);
    netron_smooth_start(&smooth);
    for (const char *letter = "bacaa"; *letter != '\0'; letter++)
        ck_assert_int_eq((int)netron_smooth_next(&smooth) + 'a', *letter);
    netron_smooth_clear(&smooth);
}
END_TEST

START_TEST(a_restart_with_the_phases_changes_nothing)
{
    struct netron_random random = {.state = 3};
    struct netron_smooth smooth = {0};
    uint32_t weights[COUNT_MAX];
    int64_t credits[COUNT_MAX] = {0};
    for (size_t i = 0; i < COUNT_MAX; i++)
        weights[i] = 1 + (uint32_t)(netron_random_next(&random) % 1000);
    start(&smooth, weights, COUNT_MAX);
    for (int turn = 0; turn < 5000; turn++) {
        double phases[COUNT_MAX];
        ck_assert_uint_eq(netron_smooth_next(&smooth), next_by_definition(credits, weights, COUNT_MAX));
        for (size_t i = 0; i < COUNT_MAX; i++)
            phases[i] = netron_smooth_phase(&smooth, i);
        netron_smooth_restart(&smooth);
        for (size_t i = 0; i < COUNT_MAX; i++)
            netron_smooth_add(&smooth, weights[i], phases[i]);
        netron_smooth_start(&smooth);
    }
    netron_smooth_clear(&smooth);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("smooth");
    TCase *tcase = suite_case(suite, "smooth");
    tcase_add_test(tcase, the_published_example);
    tcase_add_test(tcase, one_alone_has_every_turn);
    tcase_add_test(tcase, every_turn_is_that_of_the_definition);
    tcase_add_test(tcase, a_round_gives_each_its_weight);
    tcase_add_test(tcase, the_count_of_turns_begins_anew_unnoticed);
    tcase_add_test(tcase, a_phase_continues_where_it_was);
    tcase_add_test(tcase, a_restart_with_the_phases_changes_nothing);
    return suite_run(suite);
}
