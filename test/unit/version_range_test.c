/* SPDX-License-Identifier: MIT */
/* The room version_range: a version is wanted as the same text, or not at all. */
#include "expect.h"
#include "version_range.h"

START_TEST(no_wish_accepts_every_version)
{
    ck_assert(netron_version_range_accepts(NULL, NULL));
    ck_assert(netron_version_range_accepts(NULL, ""));
    ck_assert(netron_version_range_accepts(NULL, "1.2.3"));
}
END_TEST

START_TEST(a_wish_accepts_the_same_text_only)
{
    static const struct {
        const char *wanted;
        const char *version;
        bool accepts;
    } cases[] = {
        {"1.2.3", "1.2.3", true}, {"1.2.3", "1.2.30", false}, {"1.2.3", "1.2", false}, {"1.2", "1.2.0", false},
        {"1.2.3", NULL, false},   {"1.2.3", "", false},       {"", NULL, false},       {"1.0", "01.0", false},
        {"beta", "Beta", false},  {"^1.2", "1.2.3", false},   {"^1.2", "^1.2", true},  {"*", "1", false},
        {"", "", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ck_assert_msg(netron_version_range_accepts(cases[i].wanted, cases[i].version) == cases[i].accepts,
                      "\"%s\" of \"%s\"", cases[i].wanted, cases[i].version != NULL ? cases[i].version : "(none)");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("version_range");
    TCase *tcase = suite_case(suite, "version_range");
    tcase_add_test(tcase, no_wish_accepts_every_version);
    tcase_add_test(tcase, a_wish_accepts_the_same_text_only);
    return suite_run(suite);
}
