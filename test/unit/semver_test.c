/* SPDX-License-Identifier: MIT */
/* The room semver: which texts are versions, and which of two comes first. */
#include "garbage.h"
#include "semver.h"
#include "suite.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(a_version_is_taken_apart)
{
    static const struct {
        const char *text;
        uint64_t numbers[3];
        const char *prerelease; /* NULL = a release */
    } cases[] = {
        {"0.0.0", {0, 0, 0}, NULL},
        {"0.0.4", {0, 0, 4}, NULL},
        {"1.2.3", {1, 2, 3}, NULL},
        {"10.20.30", {10, 20, 30}, NULL},
        {"v1.2.3", {1, 2, 3}, NULL},
        {" 1.2.3", {1, 2, 3}, NULL},
        {"1.2.3 ", {1, 2, 3}, NULL},
        {" \t\n\v\f\r1.2.3 \t\n\v\f\r", {1, 2, 3}, NULL},
        {"  v1.2.3-a  ", {1, 2, 3}, "a"},
        {"9007199254740991.0.0", {UINT64_C(9007199254740991), 0, 0}, NULL},
        {"0.9007199254740991.0", {0, UINT64_C(9007199254740991), 0}, NULL},
        {"0.0.9007199254740991", {0, 0, UINT64_C(9007199254740991)}, NULL},
        {"1.0.0-0", {1, 0, 0}, "0"},
        {"1.0.0-alpha", {1, 0, 0}, "alpha"},
        {"1.0.0-ALPHA", {1, 0, 0}, "ALPHA"},
        {"1.0.0-alpha.1", {1, 0, 0}, "alpha.1"},
        {"1.0.0-0.3.7", {1, 0, 0}, "0.3.7"},
        {"1.0.0-x.7.z.92", {1, 0, 0}, "x.7.z.92"},
        {"1.0.0-x-y-z.-", {1, 0, 0}, "x-y-z.-"},
        {"1.0.0--", {1, 0, 0}, "-"},
        {"1.0.0---1", {1, 0, 0}, "--1"},
        {"1.0.0-01a", {1, 0, 0}, "01a"},
        {"1.0.0-0-1", {1, 0, 0}, "0-1"},
        {"1.0.0-00-", {1, 0, 0}, "00-"},
        {"1.0.0-v1", {1, 0, 0}, "v1"},
        {"1.0.0-99999999999999999999999", {1, 0, 0}, "99999999999999999999999"},
        {"1.0.0+20130313144700", {1, 0, 0}, NULL},
        {"1.0.0+001", {1, 0, 0}, NULL},
        {"1.0.0+00.00", {1, 0, 0}, NULL},
        {"1.0.0+-", {1, 0, 0}, NULL},
        {"1.0.0+a-1.b", {1, 0, 0}, NULL},
        {"1.0.0-beta+exp.sha.5114f85", {1, 0, 0}, "beta"},
        {"1.0.0-a.b+c.d", {1, 0, 0}, "a.b"},
        {"1.0.0+21AF26D3---117B344092BD", {1, 0, 0}, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_semver version;
        const char *prerelease = cases[i].prerelease;
        ck_assert_msg(netron_semver_parse(cases[i].text, &version), "\"%s\" is refused", cases[i].text);
        for (size_t j = 0; j < 3; j++)
            ck_assert_msg(version.numbers[j] == cases[i].numbers[j], "\"%s\": number %zu", cases[i].text, j);
        ck_assert_msg((version.prerelease == NULL) == (prerelease == NULL), "\"%s\": prerelease", cases[i].text);
        if (prerelease != NULL)
            ck_assert_msg(version.prerelease_length == strlen(prerelease) &&
                              memcmp(version.prerelease, prerelease, strlen(prerelease)) == 0,
                          "\"%s\": prerelease", cases[i].text);
    }
}
END_TEST

START_TEST(what_is_no_version_is_refused_and_writes_nothing)
{
    static const char *const texts[] = {
        /* not three numbers */
        "",
        " ",
        "v",
        "1",
        "1.2",
        "1.",
        "1.2.",
        "1.2.3.",
        "1.2.3.4",
        ".1.2.3",
        "1..2",
        "1.2..3",
        "..",
        "a.b.c",
        "1.a.3",
        "1.x.3",
        "1.2.x",
        "*",
        "x",
        "1.2.*",
        "-1.2.3",
        "1.-2.3",
        "1.2.-3",
        "+1.2.3",
        "1,2,3",
        "0x1.2.3",
        "1e1.2.3",
        /* leading zeros */
        "01.2.3",
        "1.02.3",
        "1.2.03",
        "00.0.0",
        "0.00.0",
        "0.0.00",
        "1.2.3-01",
        "1.2.3-a.00",
        "1.2.3-0.01.a",
        /* numbers that a double does not hold exactly, or that no integer holds */
        "9007199254740992.0.0",
        "0.9007199254740992.0",
        "0.0.9007199254740992",
        "18446744073709551616.0.0",
        "18446744073709551617.0.0",
        "1.99999999999999999999999999999999999999.1",
        /* identifiers that are empty or hold what they must not */
        "1.2.3-",
        "1.2.3-.",
        "1.2.3-a.",
        "1.2.3-.a",
        "1.2.3-a..b",
        "1.2.3+",
        "1.2.3+.",
        "1.2.3+a.",
        "1.2.3+a..b",
        "1.2.3-+a",
        "1.2.3-a+",
        "1.2.3+a+b",
        "1.2.3-a_b",
        "1.2.3-a b",
        "1.2.3-a*",
        "1.2.3+a_b",
        "1.2.3-\xc3\xa9",
        "1.2.3+\xc3\xa9",
        "1.2.3-a\x80",
        "1.2.3-a!",
        "1.2.3a",
        "1.2.3beta",
        "1.2.3.beta",
        "1.2.3_1",
        "1.2-beta",
        "1-beta",
        "1.2+b",
        /* what only a loose parser lets stand before or behind */
        "=1.2.3",
        "= 1.2.3",
        "=v1.2.3",
        "v=1.2.3",
        "vv1.2.3",
        "v 1.2.3",
        "V1.2.3",
        "1.2.3v",
        "1.2.3 4",
        "1 .2.3",
        "1. 2.3",
        "1.2.3 -a",
        "1.2.3- a",
        "^1.2.3",
        "~1.2.3",
        ">1.2.3",
        "1.2.3 1.2.3",
        "\xc2\xa0 1.2.3",
        "1.2.3|",
        "hello, world",
    };
    static const struct netron_semver untouched = {{7, 8, 9}, NULL, 42};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct netron_semver version = untouched;
        ck_assert_msg(!netron_semver_parse(texts[i], &version), "\"%s\" is accepted", texts[i]);
        ck_assert_msg(version.numbers[0] == 7 && version.numbers[1] == 8 && version.numbers[2] == 9 &&
                          version.prerelease == NULL && version.prerelease_length == 42,
                      "\"%s\" leaves a trace", texts[i]);
    }
}
END_TEST

START_TEST(a_version_may_have_256_bytes_with_its_blanks)
{
    struct netron_semver version;
    char text[259];
    memset(text, 'a', sizeof(text));
    memcpy(text, "1.2.3-", 6);
    text[256] = '\0';
    ck_assert(netron_semver_parse(text, &version));
    ck_assert_uint_eq(version.prerelease_length, 250);
    text[256] = 'a';
    text[257] = '\0';
    ck_assert(!netron_semver_parse(text, &version));
    text[256] = ' ';
    ck_assert(!netron_semver_parse(text, &version));
    text[255] = ' ';
    text[256] = '\0';
    ck_assert(netron_semver_parse(text, &version));
    ck_assert_uint_eq(version.prerelease_length, 249);
}
END_TEST

static int compare(const char *one, const char *other)
{
    struct netron_semver one_version;
    struct netron_semver other_version;
    ck_assert_msg(netron_semver_parse(one, &one_version), "\"%s\" is refused", one);
    ck_assert_msg(netron_semver_parse(other, &other_version), "\"%s\" is refused", other);
    int order = netron_semver_compare(&one_version, &other_version);
    return (order > 0) - (order < 0);
}

START_TEST(versions_have_a_total_order)
{
    /* From the lowest to the highest. The ninth to the sixteenth are the example of semver 2.0.0, clause 11. */
    static const char *const ascending[] = {
        "0.0.0-0",
        "0.0.0",
        "0.0.1-alpha",
        "0.0.1",
        "0.1.0",
        "0.1.1",
        "0.2.0",
        "0.10.0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1--1", /* a hyphen makes it a word, and sorts before all letters */
        "1.0.1-A",
        "1.0.1-Z",
        "1.0.1-a",
        "1.0.1",
        "1.0.2-0",
        "1.0.2-0.0",
        "1.0.2-1",
        "1.0.2-2",
        "1.0.2-10",
        "1.0.2-10.a",
        "1.0.2-4294967296",
        "1.0.2-9007199254740991",
        "1.0.2-9007199254740992",
        "1.0.2-9007199254740993",
        "1.0.2-18446744073709551616",
        "1.0.2-99999999999999999999999999999999",
        "1.0.2-100000000000000000000000000000000",
        "1.0.2-01a",
        "1.0.2-0a",
        "1.0.2-1-",
        "1.0.2-10a",
        "1.0.2-1a",
        "1.0.2-a",
        "1.0.2-a.0",
        "1.0.2-a.0.0",
        "1.0.2-a.-",
        "1.0.2-a-b",
        "1.0.2-a0",
        "1.0.2-aa",
        "1.0.2-ab",
        "1.0.2-b",
        "1.0.2",
        "1.2.3-r100",
        "1.2.3-r2",
        "1.2.3",
        "1.10.0",
        "2.0.0",
        "2.1.0",
        "2.1.1",
        "10.0.0",
        "9007199254740991.0.0",
    };
    for (size_t i = 0; i < COUNT_OF(ascending); i++)
        for (size_t j = 0; j < COUNT_OF(ascending); j++)
            ck_assert_msg(compare(ascending[i], ascending[j]) == (i > j) - (i < j), "\"%s\" and \"%s\"", ascending[i],
                          ascending[j]);
}
END_TEST

START_TEST(build_metadata_and_spelling_do_not_count)
{
    static const char *const equal[][2] = {
        {"1.2.3", "1.2.3+build"},     {"1.2.3+a", "1.2.3+b"},         {"1.2.3+1", "1.2.3+001.2"},
        {"1.2.3-a+b", "1.2.3-a"},     {"1.2.3-a.1+b", "1.2.3-a.1+c"}, {"v1.2.3", "1.2.3"},
        {" 1.2.3 ", "v1.2.3+x"},      {"1.2.3-0+0", "1.2.3-0+1"},     {"1.2.3-a-b", "1.2.3-a-b+-"},
        {"0.0.0+a", "  v0.0.0+b.c "},
    };
    for (size_t i = 0; i < COUNT_OF(equal); i++) {
        ck_assert_msg(compare(equal[i][0], equal[i][1]) == 0, "\"%s\" and \"%s\"", equal[i][0], equal[i][1]);
        ck_assert_msg(compare(equal[i][1], equal[i][0]) == 0, "\"%s\" and \"%s\"", equal[i][1], equal[i][0]);
    }
}
END_TEST

START_TEST(the_same_numbers_are_the_same_whatever_follows)
{
    static const struct {
        const char *one;
        const char *other;
        bool is_same;
    } cases[] = {
        {"1.2.3", "1.2.3", true},    {"1.2.3-a", "1.2.3", true},    {"1.2.3-a", "1.2.3-b", true},
        {"1.2.3+a", "v1.2.3", true}, {"1.2.3", "1.2.4", false},     {"1.2.3", "1.3.3", false},
        {"1.2.3", "2.2.3", false},   {"1.2.3-a", "1.2.4-a", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_semver one;
        struct netron_semver other;
        ck_assert(netron_semver_parse(cases[i].one, &one) && netron_semver_parse(cases[i].other, &other));
        ck_assert_msg(netron_semver_same_numbers(&one, &other) == cases[i].is_same, "\"%s\" and \"%s\"", cases[i].one,
                      cases[i].other);
    }
}
END_TEST

START_TEST(garbage_is_refused_or_a_version_within_its_bounds)
{
    static const char *const alphabets[] = {NULL, "0123.-+", "01.-+av \t", ".", "1.2.3-a+b"};
    struct netron_random random = {.state = 2000};
    for (size_t round = 0; round < 50000; round++) {
        struct netron_semver version;
        char *text = garbage(&random, alphabets[round % COUNT_OF(alphabets)], round % 7 == 0 ? 300 : 12);
        if (netron_semver_parse(text, &version)) {
            for (size_t i = 0; i < 3; i++)
                ck_assert_uint_le(version.numbers[i], NETRON_SEMVER_NUMBER_MAX);
            if (version.prerelease != NULL)
                ck_assert(version.prerelease > text && version.prerelease_length > 0 &&
                          version.prerelease + version.prerelease_length <= text + strlen(text));
            ck_assert_int_eq(netron_semver_compare(&version, &version), 0);
        }
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("semver");
    TCase *tcase = suite_case(suite, "semver");
    tcase_add_test(tcase, a_version_is_taken_apart);
    tcase_add_test(tcase, what_is_no_version_is_refused_and_writes_nothing);
    tcase_add_test(tcase, a_version_may_have_256_bytes_with_its_blanks);
    tcase_add_test(tcase, versions_have_a_total_order);
    tcase_add_test(tcase, build_metadata_and_spelling_do_not_count);
    tcase_add_test(tcase, the_same_numbers_are_the_same_whatever_follows);
    tcase_add_test(tcase, garbage_is_refused_or_a_version_within_its_bounds);
    return suite_run(suite);
}
