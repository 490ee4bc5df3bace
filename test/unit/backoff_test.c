/* SPDX-License-Identifier: MIT */
/* The room backoff: how long to wait, exactly, for given random numbers. */
#include "backoff.h"
#include "expect.h"
#include <limits.h>
#include <stdbool.h>

START_TEST(spread_reaches_both_ends)
{
    static const struct {
        uint32_t limit;
        uint64_t random;
        uint32_t wanted;
    } cases[] = {
        {0, 0, 0},
        {0, UINT64_MAX, 0},
        {9, 0, 0},
        {9, 9, 9},
        {9, 10, 0},
        {9, 123456789, 9},
        {1, UINT64_MAX, 1},
        {UINT32_MAX, UINT32_MAX, UINT32_MAX},
        {UINT32_MAX, UINT64_C(1) << 32, 0},
        {UINT32_MAX, UINT64_MAX, UINT32_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ck_assert_uint_eq(netron_backoff_spread(cases[i].limit, cases[i].random), cases[i].wanted);
}
END_TEST

START_TEST(spread_gives_every_value_the_same_chance)
{
    int seen[500] = {0};
    for (uint64_t random = 0; random < 3 * COUNT_OF(seen); random++)
        seen[netron_backoff_spread(COUNT_OF(seen) - 1, random)]++;
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        ck_assert_int_eq(seen[i], 3);
}
END_TEST

START_TEST(what_an_operator_has_to_mend_is_waited_for_in_the_upper_half)
{
    ck_assert_uint_eq(netron_backoff_operator(10000, 0), 5000);
    ck_assert_uint_eq(netron_backoff_operator(10000, 5000), 10000);
    ck_assert_uint_eq(netron_backoff_operator(1, UINT64_MAX), 0);
}
END_TEST

START_TEST(vary_reaches_a_tenth_both_ways_and_no_more)
{
    static const struct {
        uint32_t value;
        uint64_t random;
        uint32_t wanted;
    } cases[] = {
        {5000, 0, 4500},
        {5000, 500, 5000},
        {5000, 1000, 5500},
        {5000, 1001, 4500},
        {0, 7, 0},
        {1, 7, 1},
        {9, UINT64_MAX, 9},
        {10, 0, 9},
        {10, 1, 10},
        {10, 2, 11},
        {10, 3, 9},
        {86400000, 0, 77760000},
        {86400000, 17280000, 95040000},
        {UINT32_MAX, 0, UINT32_MAX - UINT32_MAX / 10},
        {UINT32_MAX, UINT32_MAX / 10, UINT32_MAX},
        {UINT32_MAX, UINT32_MAX / 10 + 1, UINT32_MAX}, /* no number of 32 bits is above */
        {UINT32_MAX, UINT32_MAX / 10 * 2, UINT32_MAX},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t varied = netron_backoff_vary(cases[i].value, cases[i].random);
        ck_assert_msg(varied == cases[i].wanted, "vary(%u, %llu) is %u, not %u", cases[i].value,
                      (unsigned long long)cases[i].random, varied, cases[i].wanted);
    }
}
END_TEST

START_TEST(vary_gives_every_value_of_the_range_the_same_chance)
{
    int seen[301] = {0};
    for (uint64_t random = 0; random < 2 * COUNT_OF(seen); random++) {
        uint32_t varied = netron_backoff_vary(1500, random);
        ck_assert(varied >= 1350 && varied <= 1650);
        seen[varied - 1350]++;
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        ck_assert_int_eq(seen[i], 2);
}
END_TEST

/* The longest wait is what the random number of the same value asks for; one more begins again at 0. */
static void expect_ceiling(uint32_t min_ms, uint32_t max_ms, unsigned attempt, uint32_t ceiling)
{
    uint32_t longest = netron_backoff_reconnect(min_ms, max_ms, attempt, ceiling);
    uint32_t shortest = netron_backoff_reconnect(min_ms, max_ms, attempt, (uint64_t)ceiling + 1);
    ck_assert_msg(longest == ceiling, "attempt %u of %u..%u: %u, not %u", attempt, min_ms, max_ms, longest, ceiling);
    ck_assert_msg(shortest == 0, "attempt %u of %u..%u: more than %u is waited", attempt, min_ms, max_ms, ceiling);
    ck_assert_uint_eq(netron_backoff_reconnect(min_ms, max_ms, attempt, 0), 0);
}

START_TEST(reconnects_wait_up_to_twice_as_long_each_time)
{
    static const uint32_t ceilings[] = {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000};
    for (unsigned attempt = 0; attempt < COUNT_OF(ceilings); attempt++)
        expect_ceiling(100, 10000, attempt, ceilings[attempt]);
}
END_TEST

START_TEST(no_attempt_overflows_the_wait)
{
    static const unsigned attempts[] = {25, 31, 32, 33, 63, 64, 65, 1000, UINT_MAX};
    for (size_t i = 0; i < COUNT_OF(attempts); i++) {
        expect_ceiling(100, 10000, attempts[i], 10000);
        expect_ceiling(10000, 10000, attempts[i], 10000);
        expect_ceiling(UINT32_MAX, UINT32_MAX, attempts[i], UINT32_MAX);
    }
    expect_ceiling(1, UINT32_MAX, 0, 1);
    expect_ceiling(1, UINT32_MAX, 31, UINT32_C(1) << 31);
    expect_ceiling(1, UINT32_MAX, 32, UINT32_MAX);
    expect_ceiling(1, UINT32_MAX, UINT_MAX, UINT32_MAX);
}
END_TEST

START_TEST(the_cap_holds_from_the_first_attempt_on)
{
    expect_ceiling(500, 300, 0, 300);
    expect_ceiling(300, 300, 0, 300);
    expect_ceiling(299, 300, 0, 299);
    expect_ceiling(299, 300, 1, 300);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backoff");
    TCase *tcase = suite_case(suite, "backoff");
    tcase_add_test(tcase, spread_reaches_both_ends);
    tcase_add_test(tcase, spread_gives_every_value_the_same_chance);
    tcase_add_test(tcase, what_an_operator_has_to_mend_is_waited_for_in_the_upper_half);
    tcase_add_test(tcase, vary_reaches_a_tenth_both_ways_and_no_more);
    tcase_add_test(tcase, vary_gives_every_value_of_the_range_the_same_chance);
    tcase_add_test(tcase, reconnects_wait_up_to_twice_as_long_each_time);
    tcase_add_test(tcase, no_attempt_overflows_the_wait);
    tcase_add_test(tcase, the_cap_holds_from_the_first_attempt_on);
    return suite_run(suite);
}
