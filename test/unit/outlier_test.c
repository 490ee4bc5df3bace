/* SPDX-License-Identifier: MIT */
/* The room outlier: how many failures, how long, how many at once. */
#include "outlier.h"
#include "suite.h"

static const struct netron_outlier_limits limits = {.failures = 3, .base_ms = 100, .max_ms = 250, .max_percent = 50};

START_TEST(failures_count_in_a_row_only)
{
    struct netron_outlier outlier = {0};
    ck_assert(!netron_outlier_note(&outlier, &limits, false));
    ck_assert(!netron_outlier_note(&outlier, &limits, false));
    ck_assert(!netron_outlier_note(&outlier, &limits, true));
    ck_assert(!netron_outlier_note(&outlier, &limits, false));
    ck_assert(!netron_outlier_note(&outlier, &limits, false));
    ck_assert(netron_outlier_note(&outlier, &limits, false));
    /* As long as it is not ejected, each further one asks for it. */
    ck_assert(netron_outlier_note(&outlier, &limits, false));
    ck_assert(!netron_outlier_note(&outlier, &limits, true));
}
END_TEST

START_TEST(what_an_ejected_one_tells_does_not_count)
{
    struct netron_outlier outlier = {.failures = 3};
    netron_outlier_eject(&outlier, &limits, 1000);
    for (int i = 0; i < 10; i++)
        ck_assert(!netron_outlier_note(&outlier, &limits, false));
    ck_assert(!netron_outlier_note(&outlier, &limits, true));
    ck_assert(outlier.is_ejected);
    ck_assert_uint_eq(outlier.until, 1100);
    netron_outlier_return(&outlier);
    ck_assert(!netron_outlier_note(&outlier, &limits, false));
    ck_assert(!netron_outlier_note(&outlier, &limits, false));
    ck_assert(netron_outlier_note(&outlier, &limits, false));
}
END_TEST

START_TEST(nothing_counts_when_it_is_disabled)
{
    struct netron_outlier_limits disabled = limits;
    struct netron_outlier outlier = {0};
    disabled.disabled = true;
    for (int i = 0; i < 10; i++)
        ck_assert(!netron_outlier_note(&outlier, &disabled, false));
}
END_TEST

START_TEST(each_time_is_longer_until_it_was_back_for_long)
{
    static const struct {
        uint64_t back_for;
        uint64_t time;
    } cases[] = {{0, 100}, {0, 200}, {10, 250}, {249, 250}, {250, 100}, {0, 200}, {1000000, 100}};
    struct netron_outlier outlier = {0};
    uint64_t now = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        now += cases[i].back_for;
        netron_outlier_eject(&outlier, &limits, now);
        ck_assert_msg(outlier.until - now == cases[i].time, "case %zu", i);
        now = outlier.until;
        netron_outlier_return(&outlier);
    }
}
END_TEST

START_TEST(one_that_came_back_early_does_not_begin_anew)
{
    struct netron_outlier outlier = {0};
    netron_outlier_eject(&outlier, &limits, 1000);
    netron_outlier_return(&outlier);
    netron_outlier_eject(&outlier, &limits, 1010);
    ck_assert_uint_eq(outlier.until, 1210);
}
END_TEST

START_TEST(so_many_may_be_ejected)
{
    static const struct {
        uint32_t percent;
        size_t nodes;
        size_t allowed;
    } cases[] = {
        {50, 0, 0},  {50, 1, 0},  {50, 2, 1},  {50, 3, 1},  {50, 4, 2},  {50, 5, 2},      {50, 101, 50}, {10, 9, 0},
        {10, 10, 1}, {100, 0, 0}, {100, 1, 0}, {100, 2, 1}, {100, 9, 8}, {99, 1000, 990}, {1, 99, 0},    {1, 100, 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct netron_outlier_limits some = limits;
        some.max_percent = cases[i].percent;
        ck_assert_msg(netron_outlier_allowed(&some, cases[i].nodes) == cases[i].allowed, "case %zu", i);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("outlier");
    TCase *tcase = suite_case(suite, "outlier");
    tcase_add_test(tcase, failures_count_in_a_row_only);
    tcase_add_test(tcase, what_an_ejected_one_tells_does_not_count);
    tcase_add_test(tcase, nothing_counts_when_it_is_disabled);
    tcase_add_test(tcase, each_time_is_longer_until_it_was_back_for_long);
    tcase_add_test(tcase, one_that_came_back_early_does_not_begin_anew);
    tcase_add_test(tcase, so_many_may_be_ejected);
    return suite_run(suite);
}
