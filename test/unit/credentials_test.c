/* SPDX-License-Identifier: MIT */
/* The room credentials: what a supplier may set, whom it is asked for, and what gives a password away. */
#include "credentials.h"
#include "expect.h"
#include <stdlib.h>

static struct netron_credentials credentials;

static void clear_credentials(void)
{
    netron_credentials_clear(&credentials);
    netron_credentials_clear(&credentials);
}

static void expect_credentials(const char *username, const char *password)
{
    ck_assert_pstr_eq(credentials.username, username);
    ck_assert_pstr_eq(credentials.password, password);
}

START_TEST(what_is_set_is_copied_and_replaces_what_was)
{
    char username[] = "user", password[] = "word";
    ck_assert_int_eq(netron_credentials_set(&credentials, username, password), 0);
    username[0] = password[0] = 'x';
    expect_credentials("user", "word");
    ck_assert_int_eq(netron_credentials_set(&credentials, credentials.username, credentials.username), 0);
    expect_credentials("user", "user");
    ck_assert_int_eq(netron_credentials_set(&credentials, NULL, "token"), 0);
    expect_credentials(NULL, "token");
    ck_assert_int_eq(netron_credentials_set(&credentials, "nopass", ""), 0);
    expect_credentials("nopass", "");
    ck_assert_int_eq(netron_credentials_set(&credentials, NULL, NULL), 0);
    expect_credentials(NULL, NULL);
}
END_TEST

START_TEST(what_is_refused_changes_nothing)
{
    char *large = calloc(1, 65538);
    ck_assert_int_eq(netron_credentials_set(NULL, "user", "word"), NETRON_EINVAL);
    ck_assert_int_eq(netron_credentials_set(&credentials, "user", fill(large, 'x', 65536)), 0);
    ck_assert_int_eq(netron_credentials_set(&credentials, "user", "word"), 0);
    ck_assert_int_eq(netron_credentials_set(&credentials, "", "word"), NETRON_EINVAL);
    ck_assert_int_eq(netron_credentials_set(&credentials, "user", NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_credentials_set(&credentials, NULL, ""), NETRON_EINVAL);
    fill(large, 'x', 65537);
    ck_assert_int_eq(netron_credentials_set(&credentials, "user", large), NETRON_ELIMIT);
    ck_assert_int_eq(netron_credentials_set(&credentials, large, "word"), NETRON_ELIMIT);
    expect_credentials("user", "word");
    free(large);
}
END_TEST

static netron_link_role asked_for;

static int supply(netron_link_role role, netron_credentials *out, void *arg)
{
    const int *code = arg;
    asked_for = role;
    ck_assert_int_eq(netron_credentials_set(out, "supplied", "sesame"), 0);
    return *code;
}

START_TEST(a_supplier_is_asked_or_the_options_are)
{
    int code = 0;
    struct netron_failure why = {0};
    struct netron_settings settings = {.redis = {.username = strdup("fixed"), .password = strdup("word")}};
    ck_assert_int_eq(netron_credentials_ask(&settings, NETRON_LINK_COMMANDS, &credentials, &why), 0);
    expect_credentials("fixed", "word");
    clear_credentials();
    netron_settings_clear(&settings);
    ck_assert_int_eq(netron_credentials_ask(&settings, NETRON_LINK_COMMANDS, &credentials, &why), 0);
    expect_credentials(NULL, NULL);
    settings = (struct netron_settings){.credentials = supply, .credentials_arg = &code};
    ck_assert_int_eq(netron_credentials_ask(&settings, NETRON_LINK_EVENTS, &credentials, &why), 0);
    expect_credentials("supplied", "sesame");
    ck_assert_int_eq(asked_for, NETRON_LINK_EVENTS);
    clear_credentials();
    static const int codes[][2] = {
        {NETRON_EUNAVAILABLE, NETRON_EUNAVAILABLE}, {NETRON_EAUTH, NETRON_EAUTH}, {-12345, -12345}, {1, NETRON_EINVAL}};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        code = codes[i][0];
        int got = netron_credentials_ask(&settings, NETRON_LINK_COMMANDS, &credentials, &why);
        expect_refusal("supplier", got, codes[i][1], &why, "options.credentials supplied none: ");
        ck_assert_ptr_null(strstr(why.sentence, "sesame"));
        ck_assert_ptr_null(strstr(why.sentence, "Redis cannot serve"));
        expect_credentials(NULL, NULL);
    }
}
END_TEST

START_TEST(a_text_that_holds_a_part_of_the_password_tells_of_it)
{
    static const struct {
        const char *password, *text;
        bool leaks;
    } cases[] = {
        {NULL, "anything", false},
        {"", "anything", false},
        {"hunter2", "", false},
        {"hunter2", "hunter2", true},
        {"hunter2", "with args beginning with: 'app' 'hunter2' ", true},
        {"hunter2", "with args beginning with: 'app' 'hunter", true},
        {"hunter2", "with args beginning with: 'app' 'hunte", false},
        {"hunter2", "Hunter3", false},
        {"hunter2", "...unter2", true},
        {"abc", "xxabxxbcx", false},
        {"abc", "xxabc", true},
        {"a", "bca", true},
        {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0", "args: 'eyJhbGciOiJIUz", true},
        {"two\nlines of it", "two lines of it", true},
        {"two", "two lines of it", true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ck_assert_int_eq(netron_credentials_set(&credentials, NULL, NULL), 0);
        credentials.password = cases[i].password != NULL ? strdup(cases[i].password) : NULL;
        ck_assert_msg(netron_credentials_leak(&credentials, cases[i].text) == cases[i].leaks, "case %zu: \"%s\"", i,
                      cases[i].text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("credentials");
    TCase *tcase = suite_case(suite, "credentials");
    tcase_add_checked_fixture(tcase, NULL, clear_credentials);
    tcase_add_test(tcase, what_is_set_is_copied_and_replaces_what_was);
    tcase_add_test(tcase, what_is_refused_changes_nothing);
    tcase_add_test(tcase, a_supplier_is_asked_or_the_options_are);
    tcase_add_test(tcase, a_text_that_holds_a_part_of_the_password_tells_of_it);
    return suite_run(suite);
}
