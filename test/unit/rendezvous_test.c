/* SPDX-License-Identifier: MIT */
/* The room rendezvous: the numbers that processes agree on, and that they spread evenly. */
#include "rendezvous.h"
#include "suite.h"
#include <stdio.h>
#include <string.h>

/* Computed apart from this code. When they change, every key of every user moves. */
START_TEST(the_numbers_never_change)
{
    ck_assert_uint_eq(netron_rendezvous_hash("", 0), UINT64_C(0xf52a15e9a9b5e89b));
    ck_assert_uint_eq(netron_rendezvous_hash("a", 1), UINT64_C(0x2c0bdbf481420f8));
    ck_assert_uint_eq(netron_rendezvous_hash("foobar", 6), UINT64_C(0x404da9e3b74078c2));
    ck_assert_uint_eq(netron_rendezvous_hash("\0\xff", 2), UINT64_C(0xa70bee94c6c8447b));
    uint64_t pair = netron_rendezvous_pair(netron_rendezvous_hash("key", 3), netron_rendezvous_hash("node", 4));
    ck_assert_uint_eq(pair, UINT64_C(0x61037d7546b5133a));
}
END_TEST

START_TEST(a_distance_is_the_logarithm_by_the_weight)
{
    ck_assert_double_eq_tol(netron_rendezvous_distance(UINT64_C(1) << 63, 1), 0.6931471805599453, 1e-15);
    ck_assert_double_eq_tol(netron_rendezvous_distance(UINT64_C(1) << 63, 2), 0.34657359027997264, 1e-15);
    ck_assert_double_gt(netron_rendezvous_distance(UINT64_MAX, 65535), 0);
    ck_assert_double_finite(netron_rendezvous_distance(0, 1));
    ck_assert_double_gt(netron_rendezvous_distance(0, 1), netron_rendezvous_distance(UINT64_MAX, 1));
}
END_TEST

/* 64 buckets of 100000 pairs: chi squared has 63 degrees of freedom, thus a mean of 63 and a deviation of 11. */
START_TEST(similar_names_spread_evenly)
{
    int buckets[64] = {0};
    double chi_squared = 0;
    for (int node = 0; node < 10; node++)
        for (int key = 0; key < 10000; key++) {
            char name[32];
            int length = snprintf(name, sizeof(name), "node-%d", node);
            uint64_t node_hash = netron_rendezvous_hash(name, (size_t)length);
            length = snprintf(name, sizeof(name), "user:%d", key);
            uint64_t pair = netron_rendezvous_pair(netron_rendezvous_hash(name, (size_t)length), node_hash);
            buckets[pair >> 58]++;
        }
    for (int i = 0; i < 64; i++)
        chi_squared += (buckets[i] - 1562.5) * (buckets[i] - 1562.5) / 1562.5;
    ck_assert_double_lt(chi_squared, 63 + 4 * 11.3);
}
END_TEST

START_TEST(the_same_weight_makes_the_greatest_pair_the_nearest)
{
    uint64_t key = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t one = netron_rendezvous_pair(key += 17, 1);
        uint64_t other = netron_rendezvous_pair(key, 2);
        ck_assert_int_eq(one > other, netron_rendezvous_distance(one, 3) < netron_rendezvous_distance(other, 3));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rendezvous");
    TCase *tcase = suite_case(suite, "rendezvous");
    tcase_add_test(tcase, the_numbers_never_change);
    tcase_add_test(tcase, a_distance_is_the_logarithm_by_the_weight);
    tcase_add_test(tcase, similar_names_spread_evenly);
    tcase_add_test(tcase, the_same_weight_makes_the_greatest_pair_the_nearest);
    return suite_run(suite);
}
