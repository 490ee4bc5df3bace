/* SPDX-License-Identifier: MIT */
/* The room random: SplitMix64 as published, and seeds that differ. */
#include "expect.h"
#include "random.h"

START_TEST(the_numbers_are_those_of_splitmix64)
{
    static const struct {
        uint64_t seed;
        uint64_t wanted[5];
    } cases[] = {
        {0,
         {UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4), UINT64_C(0x06c45d188009454f),
          UINT64_C(0xf88bb8a8724c81ec), UINT64_C(0x1b39896a51a8749b)}},
        {1234567,
         {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973), UINT64_C(9817491932198370423),
          UINT64_C(4593380528125082431), UINT64_C(16408922859458223821)}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_random random = {.state = cases[i].seed};
        for (size_t each = 0; each < COUNT_OF(cases[i].wanted); each++)
            ck_assert_uint_eq(netron_random_next(&random), cases[i].wanted[each]);
    }
}
END_TEST

/* Chance alone makes two of these alike once in 2^58 runs. */
START_TEST(no_two_seeds_are_alike)
{
    struct netron_random random = {0};
    uint64_t seeds[8];
    for (size_t i = 0; i < COUNT_OF(seeds); i++) {
        netron_random_seed(&random);
        seeds[i] = random.state;
        for (size_t other = 0; other < i; other++)
            ck_assert_uint_ne(seeds[i], seeds[other]);
    }
}
END_TEST

/* Four standard deviations around the half of 4096 draws; the seed is fixed, so this holds always or never. */
START_TEST(every_bit_is_set_about_half_the_time)
{
    struct netron_random random = {.state = 42};
    int set[64] = {0};
    for (int draw = 0; draw < 4096; draw++) {
        uint64_t number = netron_random_next(&random);
        for (int bit = 0; bit < 64; bit++)
            set[bit] += (int)(number >> bit & 1);
    }
    for (int bit = 0; bit < 64; bit++)
        ck_assert_msg(set[bit] > 2048 - 128 && set[bit] < 2048 + 128, "bit %d: %d times of 4096", bit, set[bit]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("random");
    TCase *tcase = suite_case(suite, "random");
    tcase_add_test(tcase, the_numbers_are_those_of_splitmix64);
    tcase_add_test(tcase, no_two_seeds_are_alike);
    tcase_add_test(tcase, every_bit_is_set_about_half_the_time);
    return suite_run(suite);
}
