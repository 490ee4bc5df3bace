/* SPDX-License-Identifier: MIT */
/* The room version_range: which versions a wanted text accepts, and what it makes of a text that is no range. */
#include "garbage.h"
#include "node.h"
#include "suite.h"
#include "version_range.h"
#include <netron/lookup.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct netron_version_range *parse(const char *wanted)
{
    struct netron_version_range *range = NULL;
    struct netron_failure why;
    ck_assert_int_eq(netron_version_range_parse(wanted, &range, &why), 0);
    return range;
}

static bool accepts(const char *wanted, const char *version)
{
    struct netron_version_range *range = parse(wanted);
    bool is_accepted = netron_version_range_accepts(range, version);
    netron_version_range_free(range);
    return is_accepted;
}

struct row {
    const char *wanted;
    const char *inside;  /* versions, with blanks between them */
    const char *outside; /* the same */
};

static void expect_each(const char *wanted, const char *versions, bool is_inside)
{
    struct netron_version_range *range = parse(wanted);
    char list[256];
    ck_assert_uint_lt(strlen(versions), sizeof(list));
    strcpy(list, versions);
    for (char *rest = list, *version; (version = strtok_r(rest, " ", &rest)) != NULL;)
        ck_assert_msg(netron_version_range_accepts(range, version) == is_inside, "\"%s\" is %s \"%s\"", version,
                      is_inside ? "outside" : "inside", wanted);
    netron_version_range_free(range);
}

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expect_each(rows[i].wanted, rows[i].inside, true);
        expect_each(rows[i].wanted, rows[i].outside, false);
    }
}

START_TEST(primitives_compare_with_a_whole_version)
{
    static const struct row rows[] = {
        {"1.2.3", "1.2.3 v1.2.3 1.2.3+build", "1.2.2 1.2.4 1.2.3-0 1.2.3-rc.1 1.2.30 1.2"},
        {"=1.2.3", "1.2.3 v1.2.3 1.2.3+a", "1.2.4 1.2.3-0 2.2.3"},
        {"v1.2.3", "1.2.3 v1.2.3 1.2.3+a", "1.2.4 vv1.2.3"},
        {"=v1.2.3", "1.2.3 v1.2.3", "1.2.4"},
        {"1.2.3+build", "1.2.3 1.2.3+build 1.2.3+other", "1.2.4 1.2.3-build"},
        {"1.2.3-rc.1", "1.2.3-rc.1 1.2.3-rc.1+b", "1.2.3 1.2.3-rc.2 1.2.3-rc 1.2.3-rc.1.0"},
        {">1.2.3", "1.2.4 1.3.0 2.0.0 1.2.4+a", "1.2.3 1.2.3+a 1.2.2 0.9.9 1.2.4-a 2.0.0-0"},
        {">=1.2.3", "1.2.3 1.2.3+a 1.2.4 10.0.0", "1.2.2 1.2.3-a 1.2.4-a 0.0.0"},
        {"<1.2.3", "1.2.2 1.1.9 0.0.0 1.2.2+z", "1.2.3 1.2.3-a 1.2.2-a 1.2.4"},
        {"<=1.2.3", "1.2.3 1.2.3+z 1.2.2 0.0.0", "1.2.4 1.2.3-a 0.0.0-a 2.0.0"},
        {">=v1.2.3", "1.2.3 1.2.4", "1.2.2"},
        {"> 1.2.3", "1.2.4", "1.2.3"},
        {">= 1.2.3", "1.2.3 1.2.4", "1.2.2"},
        {"< 1.2.3", "1.2.2", "1.2.3"},
        {"<=   1.2.3", "1.2.3", "1.2.4"},
        {"= 1.2.3", "1.2.3", "1.2.4"},
        {"> v1.2.3", "1.2.4", "1.2.3"},
        {"> =1.2.3", "1.2.3 1.2.4", "1.2.2"},
        {"  >=1.2.3  ", "1.2.3", "1.2.2"},
        {">=\t1.2.3", "1.2.3", "1.2.2"},
        {">0.0.0", "0.0.1 1.0.0", "0.0.0 0.0.1-a"},
        {"<0.0.0", "", "0.0.0 0.0.0-0 0.0.1"},
        {"<0.0.0-0", "", "0.0.0 0.0.0-0 0.0.1"},
        {"<=9007199254740991.0.0", "9007199254740991.0.0 1.0.0", "9007199254740991.0.1"},
        {">9007199254740990.9007199254740991.9007199254740991", "9007199254740991.0.0", "9007199254740990.0.0"},
    };
    expect_rows(rows, COUNT_OF(rows));
}
END_TEST

START_TEST(partial_versions_leave_the_rest_open)
{
    static const struct row rows[] = {
        {"1", "1.0.0 1.2.3 1.99.99", "0.9.9 2.0.0 2.0.0-0 1.0.0-a 1.2.3-a"},
        {"1.2", "1.2.0 1.2.99", "1.1.9 1.3.0 1.3.0-0 1.2.0-a"},
        {"=1", "1.0.0 1.9.0", "2.0.0 0.1.0"},
        {"= 1.2", "1.2.0 1.2.9", "1.3.0"},
        {"0", "0.0.0 0.9.9", "1.0.0 1.0.0-0 0.0.0-0"},
        {"0.0", "0.0.0 0.0.9", "0.1.0 0.1.0-0"},
        {"v1", "1.0.0 1.2.3", "2.0.0"},
        {"=v1.2", "1.2.3", "1.3.0"},
        {"v=1.2", "1.2.3", "1.3.0"},
        {"==1.2", "1.2.3", "1.3.0"},
        {"1+build", "1.2.3", "2.0.0"},
        {">1", "2.0.0 3.1.0", "1.0.0 1.9.9 0.1.0 2.0.0-a"},
        {">1.2", "1.3.0 2.0.0", "1.2.0 1.2.9 1.3.0-a"},
        {">=1", "1.0.0 1.2.3 7.0.0", "0.9.9 1.0.0-a"},
        {">=1.2", "1.2.0 1.3.0 2.0.0", "1.1.9 1.2.0-a"},
        {"<1", "0.9.9 0.0.0", "1.0.0 1.0.0-a 1.0.0-0 0.9.9-a"},
        {"<1.2", "1.1.9 0.1.0", "1.2.0 1.2.0-a 1.2.9"},
        {"<=1", "1.9.9 1.0.0 0.0.0", "2.0.0 2.0.0-0 2.0.0-a"},
        {"<=2.1", "2.1.0 2.1.9 1.0.0", "2.2.0 2.2.0-0 2.1.0-a"},
        {"<0", "", "0.0.0 0.0.0-0 1.0.0"},
        {"<=0", "0.0.0 0.9.9", "1.0.0"},
        {">=0", "0.0.0 9.9.9", "0.0.0-a"},
        {">0", "1.0.0", "0.9.9"},
        {"> 1.2", "1.3.0", "1.2.9"},
        {"> =1.2", "1.2.0", "1.1.9"},
        {">==1.2", "1.2.0", "1.1.9"},
    };
    expect_rows(rows, COUNT_OF(rows));
}
END_TEST

START_TEST(an_x_is_any_number)
{
    static const struct row rows[] = {
        {"*", "0.0.0 1.2.3 99.0.0 1.2.3+b v1.2.3", "1.2.3-a 0.0.0-0 1.2 beta 1"},
        {"x", "0.0.0 1.2.3", "1.2.3-a"},
        {"X", "0.0.0 1.2.3", "1.2.3-a"},
        {"", "0.0.0 1.2.3", "1.2.3-a beta"},
        {"  ", "0.0.0 1.2.3", "1.2.3-a"},
        {"*.*", "0.0.0 1.2.3", "1.2.3-a"},
        {"x.X.*", "0.0.0 1.2.3", "1.2.3-a"},
        {"x.x.x-a", "0.0.0 1.2.3", "1.2.3-a"},
        {"v*", "1.2.3", "1.2.3-a"},
        {"=*", "1.2.3", "1.2.3-a"},
        {">=*", "0.0.0 1.2.3", "1.2.3-a"},
        {"<=*", "0.0.0 1.2.3", "1.2.3-a"},
        {">*", "", "0.0.0 1.2.3 0.0.0-0"},
        {"<*", "", "0.0.0 1.2.3 0.0.0-0"},
        {"<x.x", "", "0.0.0 0.0.0-0"},
        {"> *", "", "0.0.0 1.2.3"},
        {">= *", "0.0.0 1.2.3", "1.2.3-a"},
        {"1.x", "1.0.0 1.2.3", "2.0.0 2.0.0-0 0.9.9 1.2.3-a"},
        {"1.X", "1.0.0 1.2.3", "2.0.0"},
        {"1.*", "1.0.0 1.2.3", "2.0.0"},
        {"1.x.x", "1.0.0 1.2.3", "2.0.0 2.0.0-a"},
        {"1.*.X", "1.0.0 1.2.3", "2.0.0"},
        {"1.2.x", "1.2.0 1.2.3", "1.3.0 1.3.0-0 1.1.9 1.2.3-a"},
        {"1.2.*", "1.2.0 1.2.3", "1.3.0"},
        {"1.2.X", "1.2.0 1.2.3", "1.3.0"},
        {"1.2.x-rc.1", "1.2.0 1.2.3", "1.2.0-rc.1 1.3.0"},
        {"1.2.x+build", "1.2.0 1.2.3", "1.3.0"},
        {"0.x", "0.0.0 0.9.9", "1.0.0"},
        {"0.0.x", "0.0.0 0.0.9", "0.1.0"},
        {">1.x", "2.0.0", "1.9.9 1.0.0 2.0.0-a"},
        {">1.2.x", "1.3.0", "1.2.9"},
        {">=1.x", "1.0.0 2.0.0", "0.9.9"},
        {">=1.2.x", "1.2.0 2.0.0", "1.1.9"},
        {"<1.x", "0.9.9", "1.0.0 1.0.0-a"},
        {"<1.2.x", "1.1.9", "1.2.0 1.2.0-a"},
        {"<=1.x", "1.9.9 0.0.0", "2.0.0 2.0.0-a"},
        {"<=1.2.x", "1.2.9", "1.3.0"},
        {"=1.x", "1.0.0 1.9.9", "2.0.0"},
    };
    expect_rows(rows, COUNT_OF(rows));
}
END_TEST

START_TEST(a_tilde_holds_the_minor)
{
    static const struct row rows[] = {
        {"~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0 1.3.0-0 2.0.0 1.2.3-a 1.2.4-a"},
        {"~1.2", "1.2.0 1.2.9", "1.1.9 1.3.0 1.3.0-a 1.2.0-a"},
        {"~1", "1.0.0 1.9.9", "0.9.9 2.0.0 2.0.0-a"},
        {"~0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0"},
        {"~0.2", "0.2.0 0.2.9", "0.3.0 0.1.0"},
        {"~0", "0.0.0 0.9.9", "1.0.0 1.0.0-0"},
        {"~0.0.1", "0.0.1 0.0.9", "0.1.0 0.0.0"},
        {"~1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.4 1.2.3-rc 1.2.3 1.2.9",
         "1.2.3-beta.1 1.2.3-alpha 1.2.4-beta.2 1.3.0"},
        {"~1.x", "1.0.0 1.9.9", "2.0.0"},
        {"~1.2.x", "1.2.0 1.2.9", "1.3.0"},
        {"~1.x.9", "1.0.0 1.2.3", "2.0.0"},
        {"~x", "0.0.0 9.9.9", "1.0.0-a"},
        {"~*", "0.0.0 9.9.9", "1.0.0-a"},
        {"~x.1", "0.0.0 9.9.9", "1.0.0-a"},
        {"~>1.2.3", "1.2.3 1.2.9", "1.2.2 1.3.0"},
        {"~>1.2", "1.2.0 1.2.9", "1.3.0"},
        {"~>1", "1.0.0 1.9.9", "2.0.0"},
        {"~ 1.2.3", "1.2.3 1.2.9", "1.3.0"},
        {"~> 1.2.3", "1.2.3 1.2.9", "1.3.0"},
        {"~ > 1.2.3", "1.2.3 1.2.9", "1.3.0"},
        {"~v1.2.3", "1.2.3", "1.3.0"},
        {"~=1.2.3", "1.2.3 1.2.9", "1.3.0"},
        {"~>=1.2.3", "1.2.3 1.2.9", "1.3.0"},
        {"~ = 1.2.3", "1.2.3 1.2.9", "1.3.0"},
        {"~1.2.3+build", "1.2.3 1.2.9+z", "1.3.0"},
        {"~1.2.9007199254740991", "1.2.9007199254740991", "1.2.9007199254740990 1.3.0"},
    };
    expect_rows(rows, COUNT_OF(rows));
}
END_TEST

START_TEST(a_caret_holds_the_first_number_that_is_not_0)
{
    static const struct row rows[] = {
        {"^1.2.3", "1.2.3 1.2.4 1.9.9 1.3.0", "1.2.2 2.0.0 2.0.0-0 2.0.0-rc.1 0.1.2 1.3.0-rc.1 1.2.3-a"},
        {"^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3.0 0.3.0-0 1.0.0"},
        {"^0.0.3", "0.0.3 0.0.3+b", "0.0.2 0.0.4 0.0.4-0 0.1.0"},
        {"^0.0.0", "0.0.0", "0.0.1 0.0.1-0 0.0.0-a"},
        {"^0.1.0", "0.1.0 0.1.9", "0.2.0 0.0.9"},
        {"^1.0.0", "1.0.0 1.9.9", "2.0.0 0.9.9"},
        {"^10.0.3", "10.0.3 10.1.0", "10.0.2 11.0.0"},
        {"^1.2", "1.2.0 1.9.9", "1.1.9 2.0.0"},
        {"^1", "1.0.0 1.9.9", "2.0.0 0.9.9"},
        {"^0.2", "0.2.0 0.2.9", "0.3.0 0.1.9"},
        {"^0.0", "0.0.0 0.0.9", "0.1.0 0.1.0-0"},
        {"^0", "0.0.0 0.9.9", "1.0.0 1.0.0-0"},
        {"^1.x", "1.0.0 1.9.9", "2.0.0"},
        {"^1.2.x", "1.2.0 1.9.9", "2.0.0 1.1.9"},
        {"^0.x", "0.0.0 0.9.9", "1.0.0"},
        {"^0.0.x", "0.0.0 0.0.9", "0.1.0"},
        {"^0.2.x", "0.2.0 0.2.9", "0.3.0"},
        {"^1.x.3", "1.0.0 1.2.3", "2.0.0"},
        {"^x", "0.0.0 9.9.9", "1.0.0-a"},
        {"^*", "0.0.0 9.9.9", "1.0.0-a"},
        {"^x.2.3", "0.0.0 9.9.9", "1.0.0-a"},
        {"^1.2.3-beta.2", "1.2.3-beta.2 1.2.3-beta.4 1.2.3 1.2.4 1.9.9",
         "1.2.3-beta.1 1.2.4-beta.2 1.9.0-rc.1 2.0.0 2.0.0-0"},
        {"^0.0.3-beta", "0.0.3-beta 0.0.3-pr.2 0.0.3", "0.0.3-alpha 0.0.4-beta 0.0.4"},
        {"^0.2.3-rc", "0.2.3-rc 0.2.3 0.2.9", "0.2.3-a 0.2.4-rc 0.3.0"},
        {"^1.0.0-0", "1.0.0-0 1.0.0-a 1.0.0 1.2.3", "1.0.1-a 2.0.0"},
        {"^ 1.2.3", "1.2.3 1.9.9", "2.0.0"},
        {"^v1.2.3", "1.2.3 1.9.9", "2.0.0"},
        {"^=1.2.3", "1.2.3 1.9.9", "2.0.0"},
        {"^ =1.2.3", "1.2.3 1.9.9", "2.0.0"},
        {"^v=1.2.3", "1.2.3 1.9.9", "2.0.0"},
        {"^1.2.3+build", "1.2.3 1.9.9", "2.0.0"},
        {"^1.9007199254740991", "1.9007199254740991.0", "1.0.0 2.0.0"},
        {"^1.x.99999999999999999999", "1.0.0", "2.0.0"},
    };
    expect_rows(rows, COUNT_OF(rows));
}
END_TEST

START_TEST(a_hyphen_goes_from_one_to_the_other)
{
    static const struct row rows[] = {
        {"1.2.3 - 2.3.4", "1.2.3 1.9.9 2.3.4 2.3.4+b", "1.2.2 2.3.5 1.2.3-a 2.3.4-a 2.0.0-a"},
        {"1.2 - 2.3.4", "1.2.0 2.3.4", "1.1.9 2.3.5"},
        {"1 - 2", "1.0.0 2.9.9", "0.9.9 3.0.0 3.0.0-0"},
        {"1.2.3 - 2.3", "1.2.3 2.3.9", "2.4.0 2.4.0-0 1.2.2"},
        {"1.2.3 - 2", "1.2.3 2.9.9", "3.0.0 3.0.0-a"},
        {"1.x - 2.x", "1.0.0 2.9.9", "3.0.0 0.9.9"},
        {"1.2.x - 2.3.x", "1.2.0 2.3.9", "2.4.0 1.1.9"},
        {"* - 2.0.0", "0.0.0 2.0.0", "2.0.1"},
        {"1.0.0 - *", "1.0.0 99.0.0", "0.9.9"},
        {"* - *", "0.0.0 99.0.0", "1.0.0-a"},
        {"x - 1", "0.0.0 1.9.9", "2.0.0"},
        {"1.2.3-a - 2.0.0", "1.2.3-a 1.2.3-b 1.2.3 2.0.0", "1.2.3-0 1.2.4-a 2.0.0-a"},
        {"1.2.3 - 2.0.0-b", "1.2.3 1.9.9 2.0.0-a 2.0.0-b", "2.0.0-c 2.0.0 1.2.3-a"},
        {"1.2.3-a - 1.2.3-c", "1.2.3-a 1.2.3-b 1.2.3-c", "1.2.3 1.2.3-d 1.2.3-0"},
        {"2.0.0 - 1.0.0", "", "1.0.0 1.5.0 2.0.0"},
        {"  1.2.3   -   2.3.4  ", "1.2.3 2.3.4", "2.3.5"},
        {"v1.2.3 - v2.3.4", "1.2.3 2.3.4", "2.3.5"},
        {"=1 - =2", "1.0.0 2.9.9", "3.0.0"},
        {"1.2.3+a - 2.3.4+b", "1.2.3 2.3.4", "2.3.5"},
        {"1 - 2 || 5 - 6", "1.0.0 2.9.9 5.0.0 6.9.9", "3.0.0 4.9.9 7.0.0"},
        {"0.0.0 - 1", "0.0.0 1.9.9", "2.0.0 0.0.0-a"},
    };
    expect_rows(rows, COUNT_OF(rows));
}
END_TEST

START_TEST(comparators_join_and_sets_alternate)
{
    static const struct row rows[] = {
        {">=1.2.7 <1.3.0", "1.2.7 1.2.8 1.2.99", "1.2.6 1.3.0 1.1.0 1.3.0-a"},
        {">=2 <3", "2.0.0 2.9.9", "1.9.9 3.0.0 3.0.0-a"},
        {"> 1.2.3 < 2", "1.2.4 1.9.9", "1.2.3 2.0.0"},
        {">=1.2.3   <=1.2.3", "1.2.3", "1.2.2 1.2.4"},
        {"<1.0.0 >2.0.0", "", "0.9.9 1.5.0 2.0.1"},
        {">1 <3 ~2.1", "2.1.0 2.1.9", "2.0.9 2.2.0"},
        {"^1.2 <=1.4.1", "1.2.0 1.4.1", "1.4.2 1.1.9"},
        {"* >=1.2.3", "1.2.3", "1.2.2"},
        {">=1.2.3 *", "1.2.3", "1.2.2"},
        {"1.2.3 1.2.3", "1.2.3", "1.2.4"},
        {"1.2.3 1.2.4", "", "1.2.3 1.2.4"},
        {"1.x >1.2.3", "1.2.4 1.9.9", "1.2.3 2.0.0"},
        {"<* >=1.0.0", "", "0.0.0 1.0.0"},
        {"1.2.7 || >=1.2.9 <2.0.0", "1.2.7 1.2.9 1.4.6", "1.2.8 2.0.0"},
        {"^1.2||^2", "1.2.0 2.9.9", "1.1.9 3.0.0"},
        {"1||3||5", "1.0.0 3.9.9 5.1.1", "2.0.0 4.0.0 6.0.0"},
        {">=1.2 <1.4 || ^2", "1.2.0 1.3.9 2.0.0", "1.4.0 3.0.0"},
        {"~1.2.3 || ^0.0.3 || 4.x", "1.2.9 0.0.3 4.4.4", "1.3.0 0.0.4 5.0.0"},
        {"<* || 1.2.3", "1.2.3", "1.2.4"},
        {"||", "0.0.0 1.2.3", "1.2.3-a"},
        {"||||", "0.0.0 1.2.3", "1.2.3-a"},
        {"1.2.3 ||", "0.0.0 9.9.9", "9.9.9-a"},
        {"|| 1.2.3", "0.0.0 9.9.9", "9.9.9-a"},
        {" || ", "0.0.0 9.9.9", "9.9.9-a"},
        {"1.2.3||*", "0.0.0 9.9.9", "9.9.9-a"},
    };
    expect_rows(rows, COUNT_OF(rows));
}
END_TEST

START_TEST(a_prerelease_is_inside_only_where_its_numbers_are_named_with_one)
{
    static const struct row rows[] = {
        {">1.2.3-alpha.3", "1.2.3-alpha.7 1.2.3-beta 1.2.3 3.4.5", "1.2.3-alpha.3 1.2.3-alpha.2 3.4.5-alpha.9"},
        {">=1.2.3-alpha.3", "1.2.3-alpha.3 1.2.3 1.2.4", "1.2.3-alpha.2 1.2.4-alpha.9"},
        {"<1.2.3-beta", "1.2.3-alpha 1.2.2 0.0.0", "1.2.3-beta 1.2.3 1.2.2-alpha"},
        {"<=1.2.3-beta", "1.2.3-beta 1.2.3-alpha 1.2.2", "1.2.3-rc 1.2.3 1.2.2-z"},
        {">=1.2.3-a <1.2.3", "1.2.3-a 1.2.3-z", "1.2.3 1.2.2"},
        {">=1.2.3 <1.2.4-b", "1.2.3 1.2.4-a", "1.2.4-b 1.2.3-a 1.2.4"},
        {">=1.0.0 <2.0.0-rc.2", "1.0.0 1.9.9 2.0.0-rc.1 2.0.0-alpha", "2.0.0-rc.2 1.5.0-rc.1 2.0.0"},
        {">=1.2.3-a || 2.0.0", "1.2.3-b 2.0.0", "2.0.0-b"},
        /* the set that names it has to be the one that accepts it */
        {"<2 || 1.5.0-a", "1.5.0-a 1.0.0", "1.5.0-b 1.4.0-a"},
        {">=1.5.0-a <1.5.0-b || >=1.0.0", "1.5.0-a 1.5.0-a.9 1.5.0", "1.5.0-c 1.6.0-a"},
        {"<=0.0.0-b", "0.0.0-a 0.0.0-b", "0.0.0 0.0.0-c"},
        {">=0.0.0 <=0.0.0-b", "0.0.0-a 0.0.0-b", "0.0.0 0.0.0-c"},
        {">=0.0.0-0", "0.0.0-0 0.0.0-a 0.0.0 1.0.0", "1.0.0-a"},
        {"1.2.3-0", "1.2.3-0", "1.2.3 1.2.3-1"},
        /* what an open bound ends before, it ends before with its prereleases */
        {">=2.0.0-a <2", "", "2.0.0-a 2.0.0 1.9.9"},
        {"<=2.0.0-b <=1", "1.9.9 0.0.0", "2.0.0-a 2.0.0"},
        {"^1.2.3 <=2.0.0-b", "1.2.3 1.9.9", "2.0.0-a 2.0.0"},
        {"~1.2.3 <=1.3.0-b", "1.2.3 1.2.9", "1.3.0-a 1.3.0"},
        {"1.2.x <=1.3.0-b", "1.2.3 1.2.9", "1.3.0-a 1.3.0"},
        /* a set without a bound decides alone */
        {"* || 1.0.0-beta", "1.0.0 2.0.0", "1.0.0-beta"},
        {"1.0.0-beta || >=0.0.0", "1.0.0 2.0.0", "1.0.0-beta"},
        {"^1.0.0-beta ||", "1.0.0 3.0.0", "1.0.0-beta"},
        {"1.0.0-beta || >=0.0.1", "1.0.0-beta 1.0.0", "0.0.0 1.0.0-beta.1"},
    };
    expect_rows(rows, COUNT_OF(rows));
}
END_TEST

/* npm lets a stray star or build metadata without a version pass ("1.2.3*", "+b"), by accident: no grammar of it says
 * so.
 */
START_TEST(what_is_no_range_accepts_the_same_text_only)
{
    static const char *const texts[] = {
        "beta",
        "latest",
        "2024-05-17",
        "1.2.3.4",
        "1.2.3.",
        "1.",
        "1.2.",
        ".1",
        "v",
        "=",
        ">",
        "<",
        ">=",
        "<=",
        "~",
        "^",
        "~>",
        "> ",
        "^ ",
        "-",
        " - ",
        "1 -",
        "- 1",
        "1 - ",
        "1 -2",
        "1- 2",
        "1 - 2 - 3",
        "1 - 2 3",
        "0 1 - 2",
        "1 - ^2",
        ">1 - 2",
        "|",
        "1 | 2",
        "1|2",
        "|||",
        "1.2.3 || beta",
        "beta || 1.2.3",
        "1.2.3 beta",
        "01.2.3",
        "1.02",
        "1.2.03",
        "^01.2.3",
        "1.2.3-01",
        "^1.2.3-",
        "1.2.3-a..b",
        "1.2-beta",
        "1-beta",
        "^1-beta",
        "1.x-beta",
        "1.2.3beta",
        "1.2.3+",
        "1.2.3+a..b",
        "+b",
        "1.2.3 +b",
        "1.2.3-a_b",
        "x.1",
        "*.1.2",
        "1.x.2",
        "1.*.2",
        "=x.2",
        ">x.2",
        "1.2.3*",
        "*1.2.3",
        "**",
        "1.xx",
        "1.2.y",
        "xX",
        "^^1",
        "~~1",
        "~^1",
        "^~1",
        ">~1",
        ">^1",
        "^>1",
        "^<1",
        "~<1",
        "<>1",
        "=>1.2.3",
        "=<1.2.3",
        "><1",
        ">>1",
        "<<1",
        "!1.2.3",
        "!=1.2.3",
        "==1.2.3",
        ">==1.2.3",
        "v=1.2.3",
        "vv1.2.3",
        "> = 1.2.3",
        "= = 1",
        "v 1.2.3",
        "~v 1.2.3",
        "V1.2.3",
        ">1.2.3<2.0.0",
        "1.2.3,2.0.0",
        ">=1.2.3, <2",
        "(1.2.3)",
        "[1.2,2.0)",
        "1.2.3 and 2",
        "1.2.3;",
        "\xc3\xa9",
        "1.2.3 \xc3\xa9",
        "9007199254740992.0.0",
        ">9007199254740991",
        "<=9007199254740991",
        "~9007199254740991",
        "^9007199254740991.0.0",
        "^0.0.9007199254740991",
        "~1.9007199254740991",
        "9007199254740991.x",
        "1 - 9007199254740991",
        "1.2.99999999999999999999999999",
        "v1.2.3 - =2.0.0",
        "=1.2.3 - 2.0.0",
    };
    static const char *const versions[] = {"0.0.0", "1.0.0", "1.2.3", "1.2.4", "2.0.0", "1.2.3-a", "", "1"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        ck_assert_msg(accepts(texts[i], texts[i]), "\"%s\" does not accept itself", texts[i]);
        ck_assert_msg(!accepts(texts[i], NULL), "\"%s\" accepts what has no version", texts[i]);
        ck_assert_int_eq(netron_version_range_check(texts[i]), NETRON_EINVAL);
        for (size_t j = 0; j < COUNT_OF(versions); j++)
            ck_assert_msg(!accepts(texts[i], versions[j]), "\"%s\" accepts \"%s\"", texts[i], versions[j]);
    }
}
END_TEST

START_TEST(a_mistyped_range_can_be_noticed)
{
    static const char *const ranges[] = {"*",         "1.2.3",   "1.0.0-beta",   "^1.2",   ">=2 <3", "1.2 - 1.4.1",
                                         "1 || ^2.1", "<1.0 >2", ">=0.0.0-rc.1", "<0.0.0", "||",     " ~1 "};
    static const char *const mistakes[] = {"beta", "^", "1.2.3.4", "^1.2,^2", "=>1", "1.2.3beta", "~latest", "1 |"};
    char text[NETRON_VERSION_RANGE_MAX + 2];
    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        ck_assert_msg(netron_version_range_check(ranges[i]) == 0, "\"%s\" is a range", ranges[i]);
    for (size_t i = 0; i < COUNT_OF(mistakes); i++)
        ck_assert_msg(netron_version_range_check(mistakes[i]) == NETRON_EINVAL, "\"%s\" is no range", mistakes[i]);
    memset(text, ' ', sizeof(text));
    text[0] = '1';
    text[NETRON_VERSION_RANGE_MAX + 1] = '\0';
    ck_assert_int_eq(netron_version_range_check(text), NETRON_ELIMIT);
    text[NETRON_VERSION_RANGE_MAX] = '\0';
    ck_assert_int_eq(netron_version_range_check(text), 0);
    ck_assert_int_eq(netron_version_range_check(NULL), NETRON_EINVAL);
}
END_TEST

START_TEST(the_same_text_is_accepted_whatever_it_is)
{
    static const char *const texts[] = {"",       "beta",  "^1.2",       "*",  "1.2", "01.2.3", "> =1", "1.2.3 - 1",
                                        "<0.0.0", "1.0.0", "1.0.0-beta", "||", "1.x", " 1.2.3", "1+b",  "<1.0.0 >2"};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        ck_assert_msg(accepts(texts[i], texts[i]), "\"%s\" does not accept itself", texts[i]);
}
END_TEST

START_TEST(a_version_that_is_no_semver_is_outside_every_range)
{
    static const char *const ranges[] = {"*", "", ">=0", "1.x", "^1.2.3", "<9", "1 - 3", "~1", "1.2.3", "1 || 2"};
    static const char *const versions[] = {"1.2",       "1.0",     "01.2.3",  "1.2.3.4", "=1.2.3",
                                           "1.2.3beta", "beta",    "v1",      "V1.2.3",  "1.2.3-01",
                                           "1.2.3-",    "1.2.3 a", "vv1.2.3", "x.y.z",   "1,2,3"};
    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        for (size_t j = 0; j < COUNT_OF(versions); j++)
            ck_assert_msg(!accepts(ranges[i], versions[j]), "\"%s\" accepts \"%s\"", ranges[i], versions[j]);
    ck_assert(accepts("1.x", " v1.2.3 "));
}
END_TEST

START_TEST(no_version_is_accepted_by_no_wish_and_by_a_star)
{
    ck_assert(netron_version_range_accepts(NULL, NULL));
    ck_assert(netron_version_range_accepts(NULL, ""));
    ck_assert(netron_version_range_accepts(NULL, "1.2.3"));
    ck_assert(netron_version_range_accepts(NULL, "beta"));
    ck_assert(accepts(NULL, NULL));
    ck_assert(accepts("*", NULL));
    ck_assert(!accepts("", NULL));
    ck_assert(!accepts("x", NULL));
    ck_assert(!accepts(" * ", NULL));
    ck_assert(!accepts(">=0", NULL));
    ck_assert(!accepts("1.2.3", NULL));
    ck_assert(!accepts("beta", NULL));
}
END_TEST

START_TEST(no_text_becomes_no_range_and_free_takes_it)
{
    struct netron_version_range *range = parse("1.2.3");
    netron_version_range_free(range);
    ck_assert_int_eq(netron_version_range_parse(NULL, &range, NULL), 0);
    ck_assert_ptr_null(range);
    netron_version_range_free(NULL);
}
END_TEST

START_TEST(the_text_is_copied)
{
    char wanted[] = ">=1.2.3-beta.2 <1.2.3-rc";
    struct netron_version_range *range = parse(wanted);
    memset(wanted, 'z', sizeof(wanted) - 1);
    ck_assert(netron_version_range_accepts(range, "1.2.3-beta.3"));
    ck_assert(netron_version_range_accepts(range, ">=1.2.3-beta.2 <1.2.3-rc"));
    ck_assert(!netron_version_range_accepts(range, "1.2.3-beta.1"));
    ck_assert(!netron_version_range_accepts(range, "1.2.3-rc"));
    netron_version_range_free(range);
}
END_TEST

START_TEST(a_text_longer_than_256_bytes_is_no_range)
{
    char wanted[NETRON_VERSION_RANGE_MAX + 2];
    memset(wanted, ' ', sizeof(wanted));
    memcpy(wanted, "^1.2.3", 6);
    wanted[NETRON_VERSION_RANGE_MAX] = '\0';
    ck_assert(accepts(wanted, "1.2.4"));
    wanted[NETRON_VERSION_RANGE_MAX] = ' ';
    wanted[NETRON_VERSION_RANGE_MAX + 1] = '\0';
    ck_assert(!accepts(wanted, "1.2.4"));
    ck_assert(accepts(wanted, wanted));
}
END_TEST

START_TEST(a_wanted_text_has_limits_of_its_own)
{
    struct netron_failure why;
    char wanted[NETRON_VERSION_RANGE_MAX + 2];
    memset(wanted, 'x', sizeof(wanted));
    wanted[NETRON_VERSION_RANGE_MAX + 1] = '\0';
    ck_assert_int_eq(netron_node_check_version_range(wanted, "version", &why), NETRON_ELIMIT);
    ck_assert_str_eq(why.sentence, "version is longer than 256 bytes");
    ck_assert_int_eq(netron_node_check_version_range(wanted + 1, "version", &why), 0);
    ck_assert_int_eq(netron_node_check_version_range(NULL, "version", &why), 0);
    ck_assert_int_eq(netron_node_check_version_range("", "version", &why), NETRON_EINVAL);
    ck_assert_int_eq(netron_node_check_version_range("\xff", "version", &why), NETRON_EINVAL);
    ck_assert_int_eq(netron_node_check_version_range(">=1\t<2", "version", &why), NETRON_EINVAL);
}
END_TEST

START_TEST(as_many_comparators_as_256_bytes_hold_all_count)
{
    char wanted[NETRON_VERSION_RANGE_MAX + 1];
    /* 128 words of one digit are 256 comparators */
    for (size_t i = 0; i < sizeof(wanted); i += 2)
        memcpy(wanted + i, "1 ", i + 2 <= sizeof(wanted) ? 2 : 1);
    wanted[NETRON_VERSION_RANGE_MAX - 1] = '\0';
    ck_assert(accepts(wanted, "1.2.3"));
    wanted[NETRON_VERSION_RANGE_MAX - 2] = '2';
    ck_assert(!accepts(wanted, "1.2.3"));
    ck_assert(!accepts(wanted, "2.2.3"));
    /* 86 sets of one digit, and only the last is met */
    for (size_t i = 0; i + 3 < sizeof(wanted); i += 3)
        memcpy(wanted + i, "1||", 3);
    memcpy(wanted + 252, "3.x", 4);
    ck_assert(accepts(wanted, "3.2.3"));
    ck_assert(accepts(wanted, "1.2.3"));
    ck_assert(!accepts(wanted, "2.2.3"));
}
END_TEST

START_TEST(garbage_is_survived_and_accepts_itself)
{
    static const char *const alphabets[] = {NULL, "0123.-+ ", "01.x*^~<>=v |-+a", " |", "1 ", "<>=~^ 1", "1.2.3-a || "};
    static const char *const versions[] = {"0.0.0", "1.2.3", "1.1.1-a.1", "11.0.1+b", "a", ""};
    struct netron_random random = {.state = 20240517};
    for (size_t round = 0; round < 60000; round++) {
        char *wanted = garbage(&random, alphabets[round % COUNT_OF(alphabets)], round % 11 == 0 ? 300 : 14);
        struct netron_version_range *range = parse(wanted);
        for (size_t i = 0; i < COUNT_OF(versions); i++)
            netron_version_range_accepts(range, versions[i]);
        ck_assert_msg(netron_version_range_accepts(range, wanted), "\"%s\" does not accept itself", wanted);
        ck_assert(netron_version_range_accepts(range, NULL) == (strcmp(wanted, "*") == 0));
        netron_version_range_free(range);
        free(wanted);
    }
}
END_TEST

START_TEST(random_versions_are_survived)
{
    static const char *const ranges[] = {"*", "^1.2.3-a", "1 - 2 || 3.1.0-rc.1", "<=2", "beta"};
    struct netron_random random = {.state = 11};
    for (size_t round = 0; round < 50000; round++) {
        struct netron_version_range *range = parse(ranges[round % COUNT_OF(ranges)]);
        char *version = garbage(&random, round % 2 == 0 ? "0123.-+av " : NULL, round % 13 == 0 ? 300 : 12);
        netron_version_range_accepts(range, version);
        free(version);
        netron_version_range_free(range);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("version_range");
    TCase *grammar = suite_case(suite, "grammar");
    tcase_add_test(grammar, primitives_compare_with_a_whole_version);
    tcase_add_test(grammar, partial_versions_leave_the_rest_open);
    tcase_add_test(grammar, an_x_is_any_number);
    tcase_add_test(grammar, a_tilde_holds_the_minor);
    tcase_add_test(grammar, a_caret_holds_the_first_number_that_is_not_0);
    tcase_add_test(grammar, a_hyphen_goes_from_one_to_the_other);
    tcase_add_test(grammar, comparators_join_and_sets_alternate);
    tcase_add_test(grammar, a_prerelease_is_inside_only_where_its_numbers_are_named_with_one);
    TCase *texts = suite_case(suite, "texts");
    tcase_add_test(texts, what_is_no_range_accepts_the_same_text_only);
    tcase_add_test(texts, a_mistyped_range_can_be_noticed);
    tcase_add_test(texts, the_same_text_is_accepted_whatever_it_is);
    tcase_add_test(texts, a_version_that_is_no_semver_is_outside_every_range);
    tcase_add_test(texts, no_version_is_accepted_by_no_wish_and_by_a_star);
    tcase_add_test(texts, no_text_becomes_no_range_and_free_takes_it);
    tcase_add_test(texts, the_text_is_copied);
    TCase *limits = suite_case(suite, "limits");
    tcase_add_test(limits, a_text_longer_than_256_bytes_is_no_range);
    tcase_add_test(limits, a_wanted_text_has_limits_of_its_own);
    tcase_add_test(limits, as_many_comparators_as_256_bytes_hold_all_count);
    tcase_add_test(limits, garbage_is_survived_and_accepts_itself);
    tcase_add_test(limits, random_versions_are_survived);
    return suite_run(suite);
}
