/* SPDX-License-Identifier: MIT */
/* The room slot. The numbers are what CLUSTER KEYSLOT of a server says; cluster_test asks it for more of them. */
#include "expect.h"
#include "slot.h"

START_TEST(a_name_is_in_the_slot_that_redis_puts_it_into)
{
    static const struct {
        const char *name;
        unsigned slot;
    } cases[] = {
        {"", 0},
        {"123456789", 12739},
        {"foo", 12182},
        {"{foo}", 12182},
        {"x{foo}y", 12182},
        {"foo{}{bar}", 8363},
        {"foo{{bar}}zap", 4015},
        {"foo{bar}{zap}", 5061},
        {"foo{bar", 15278},
        {"}foo{bar}", 5061},
        {"{netron:discovery}:registry", 3714},
        {"{netron:discovery}:events", 3714},
        {"netron:discovery:registry", 2585},
        {"\xc3\xa9", 10180},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ck_assert_msg(netron_slot_of(cases[i].name) == cases[i].slot, "%s: %u", cases[i].name,
                      netron_slot_of(cases[i].name));
}
END_TEST

START_TEST(a_tag_is_what_the_first_braces_hold)
{
    ck_assert(netron_slot_has_tag("{a}"));
    ck_assert(netron_slot_has_tag("a{b}c"));
    ck_assert(netron_slot_has_tag("{{}"));
    ck_assert(netron_slot_has_tag("}{a}"));
    ck_assert(!netron_slot_has_tag(""));
    ck_assert(!netron_slot_has_tag("netron:discovery"));
    ck_assert(!netron_slot_has_tag("{}"));
    ck_assert(!netron_slot_has_tag("{}{a}"));
    ck_assert(!netron_slot_has_tag("{a"));
    ck_assert(!netron_slot_has_tag("a}"));
    ck_assert(!netron_slot_has_tag("}a{"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slot");
    TCase *tcase = suite_case(suite, "slot");
    tcase_add_test(tcase, a_name_is_in_the_slot_that_redis_puts_it_into);
    tcase_add_test(tcase, a_tag_is_what_the_first_braces_hold);
    return suite_run(suite);
}
