/* SPDX-License-Identifier: MIT */
/* The room redirect: what nodes of a cluster say when they are the wrong ones, and what nobody should say. */
#include "expect.h"
#include "redirect.h"
#include <stdio.h>

static const struct netron_location asked = {.host = "10.0.0.1", .port = 7000};

START_TEST(a_redirection_names_the_node)
{
    static const struct {
        const char *words;
        enum netron_redirect_kind kind;
        const char *host;
        unsigned port;
    } cases[] = {
        {"MOVED 3714 127.0.0.1:7001", NETRON_REDIRECT_MOVED, "127.0.0.1", 7001},
        {"ASK 3714 127.0.0.1:7001", NETRON_REDIRECT_ASK, "127.0.0.1", 7001},
        {"MOVED 3714 redis-2.example:65535", NETRON_REDIRECT_MOVED, "redis-2.example", 65535},
        {"MOVED 3714 ::1:6379", NETRON_REDIRECT_MOVED, "::1", 6379},
        {"ASK 3714 2001:db8::7:1", NETRON_REDIRECT_ASK, "2001:db8::7", 1},
        {"MOVED 3714 :7001", NETRON_REDIRECT_MOVED, "10.0.0.1", 7001}, /* the same host */
        {"MOVED 3714 ?:7001", NETRON_REDIRECT_MOVED, "", 7001},        /* one without a name */
        {"ASK 3714 ?:7001", NETRON_REDIRECT_ASK, "", 7001},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_location to = {.port = 0};
        ck_assert_int_eq(netron_redirect_parse(cases[i].words, 3714, &asked, &to), cases[i].kind);
        ck_assert_str_eq(to.host, cases[i].host);
        ck_assert_uint_eq(to.port, cases[i].port);
    }
}
END_TEST

START_TEST(other_words_are_none_and_leave_the_place_alone)
{
    static const char *const cases[] = {
        "",
        "MOVED",
        "MOVED ",
        "MOVED 3714",
        "MOVED 3714 ",
        "MOVED 3714 127.0.0.1",
        "MOVED 3714 127.0.0.1:",
        "MOVED 3714 127.0.0.1:0",
        "MOVED 3714 127.0.0.1:65536",
        "MOVED 3714 127.0.0.1:99999999999999999999",
        "MOVED 3714 127.0.0.1:-1",
        "MOVED 3714 127.0.0.1:+1",
        "MOVED 3714 127.0.0.1:7001x",
        "MOVED 3714 127.0.0.1:7001 ",
        "MOVED 3715 127.0.0.1:7001", /* not what was asked for */
        "MOVED -1 127.0.0.1:7001",
        "MOVED x 127.0.0.1:7001",
        "MOVED 3714x 127.0.0.1:7001",
        "MOVED 99999999999999999999999 127.0.0.1:7001",
        "MOVED 3714 a b:7001",
        "MOVED 3714 a/b:7001",
        "MOVED 3714 u@b:7001",
        "MOVED 3714 [::1]:7001",
        "MOVED 3714 \x01:7001",
        "MOVED 3714 \xff:7001",
        "MOVED 3714 ?:",
        "MOVED 3714 ?:0",
        "MOVED 3714 ??:7001x",
        "moved 3714 127.0.0.1:7001",
        "ASKING 3714 127.0.0.1:7001",
        "ASK3714 127.0.0.1:7001",
        "TRYAGAIN Multiple keys request during rehashing of slot",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_location to = {.host = "before", .port = 1};
        ck_assert_msg(netron_redirect_parse(cases[i], 3714, &asked, &to) == NETRON_REDIRECT_NONE, "%s", cases[i]);
        ck_assert_str_eq(to.host, "before");
        ck_assert_uint_eq(to.port, 1);
    }
}
END_TEST

START_TEST(a_host_is_as_long_as_a_name_may_be)
{
    char words[NETRON_HOST_MAX + 32] = "MOVED 3714 ";
    struct netron_location to = {.port = 0};
    fill(words + 11, 'h', NETRON_HOST_MAX);
    strcat(words, ":1");
    ck_assert_int_eq(netron_redirect_parse(words, 3714, &asked, &to), NETRON_REDIRECT_MOVED);
    ck_assert_uint_eq(strlen(to.host), NETRON_HOST_MAX);
    strcpy(words, "MOVED 3714 ");
    fill(words + 11, 'h', NETRON_HOST_MAX + 1);
    strcat(words, ":1");
    ck_assert_int_eq(netron_redirect_parse(words, 3714, &asked, &to), NETRON_REDIRECT_NONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("redirect");
    TCase *tcase = suite_case(suite, "redirect");
    tcase_add_test(tcase, a_redirection_names_the_node);
    tcase_add_test(tcase, other_words_are_none_and_leave_the_place_alone);
    tcase_add_test(tcase, a_host_is_as_long_as_a_name_may_be);
    return suite_run(suite);
}
