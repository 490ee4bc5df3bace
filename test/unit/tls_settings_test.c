/* SPDX-License-Identifier: MIT */
/* The room tls_settings: what options of TLS may be, which need each other, and that none is given in vain. */
#include "expect.h"
#include "failing_allocations.h"
#include "tls_settings.h"

static netron_options options;
static struct netron_tls_settings settings;

static void clear_options(void)
{
    netron_options_init(&options);
}

static void give_all(void)
{
    options.tls_ca_file = "/etc/ca.crt";
    options.tls_ca_dir = "/etc/ca";
    options.tls_cert_file = "own.crt";
    options.tls_key_file = "own.key";
    options.tls_server_name = "redis.example";
    options.tls_min_version = NETRON_TLS_1_3;
}

static void expect_refused(int code, const char *words)
{
    struct netron_failure why = {0};
    memset(&settings, 0x5a, sizeof(settings));
    expect_refusal(words, netron_tls_settings_make(&options, true, &settings, &why), code, &why, words);
    ck_assert_ptr_null(settings.ca_file);
    ck_assert_ptr_null(settings.ca_dir);
    ck_assert_ptr_null(settings.cert_file);
    ck_assert_ptr_null(settings.key_file);
    ck_assert_ptr_null(settings.server_name);
}

START_TEST(what_is_not_set_has_its_default)
{
    struct netron_failure why = {0};
    for (int is_wanted = 0; is_wanted < 2; is_wanted++) {
        expect_success("none", netron_tls_settings_make(&options, is_wanted != 0, &settings, &why), &why);
        ck_assert_ptr_null(settings.ca_file);
        ck_assert_ptr_null(settings.ca_dir);
        ck_assert_ptr_null(settings.cert_file);
        ck_assert_ptr_null(settings.key_file);
        ck_assert_ptr_null(settings.server_name);
        ck_assert_int_eq((int)settings.min_version, 0);
        netron_tls_settings_clear(&settings);
    }
}
END_TEST

START_TEST(what_is_set_is_copied)
{
    char ca_file[] = "/etc/ca.crt";
    struct netron_failure why = {0};
    give_all();
    options.tls_ca_file = ca_file;
    expect_success("all", netron_tls_settings_make(&options, true, &settings, &why), &why);
    ca_file[0] = '-';
    ck_assert_str_eq(settings.ca_file, "/etc/ca.crt");
    ck_assert_str_eq(settings.ca_dir, "/etc/ca");
    ck_assert_str_eq(settings.cert_file, "own.crt");
    ck_assert_str_eq(settings.key_file, "own.key");
    ck_assert_str_eq(settings.server_name, "redis.example");
    ck_assert_int_eq(settings.min_version, NETRON_TLS_1_3);
    netron_tls_settings_clear(&settings);
    netron_tls_settings_clear(&settings);
}
END_TEST

/* The texts, each by its name. */
static const char **text(int which, const char **name)
{
    const struct {
        const char **member;
        const char *name;
    } texts[] = {{&options.tls_ca_file, "tls_ca_file"},
                 {&options.tls_ca_dir, "tls_ca_dir"},
                 {&options.tls_cert_file, "tls_cert_file"},
                 {&options.tls_key_file, "tls_key_file"},
                 {&options.tls_server_name, "tls_server_name"}};
    *name = texts[which].name;
    return texts[which].member;
}

START_TEST(none_may_be_empty_or_too_long)
{
    static char long_text[5000];
    const char *name;
    const char **member = text(_i, &name);
    *member = "";
    expect_refused(NETRON_EINVAL, name);
    *member = fill(long_text, 'a', _i == 4 ? 254 : 4097);
    expect_refused(NETRON_ELIMIT, name);
}
END_TEST

START_TEST(without_a_url_of_tls_each_is_refused)
{
    struct netron_failure why = {0};
    const char *name = "tls_min_version";
    if (_i < 5)
        *text(_i, &name) = "given";
    else
        options.tls_min_version = NETRON_TLS_1_2;
    expect_refusal(name, netron_tls_settings_make(&options, false, &settings, &why), NETRON_EINVAL, &why, name);
    ck_assert_ptr_nonnull(strstr(why.sentence, "rediss"));
    ck_assert_int_eq(netron_options_check(&options, NULL, 0), NETRON_EINVAL);
}
END_TEST

START_TEST(certificate_and_key_need_each_other)
{
    const char *name;
    *text(2 + _i, &name) = "own";
    expect_refused(NETRON_EINVAL, "options.tls_cert_file and options.tls_key_file need each other");
}
END_TEST

START_TEST(a_server_name_is_a_name)
{
    static const char *const others[] = {"two words", "*.example", "tab\t", "sm\xc3\xb6rg.example", ".test"};
    options.tls_server_name = others[_i];
    expect_refused(NETRON_EINVAL, "options.tls_server_name");
}
END_TEST

START_TEST(a_version_that_is_none_is_refused)
{
    options.tls_min_version = (netron_tls_version)_i;
    expect_refused(NETRON_EINVAL, "options.tls_min_version");
}
END_TEST

static int make(void)
{
    int code = netron_tls_settings_make(&options, true, &settings, NULL);
    netron_tls_settings_clear(&settings);
    return code;
}

START_TEST(memory_may_end_anywhere)
{
    give_all();
    for (long point = 0; point < 5; point++) {
        allocations_left = point;
        ck_assert_int_eq(make(), NETRON_ENOMEM);
    }
    allocations_left = 5;
    ck_assert_int_eq(make(), 0);
    allocations_left = -1;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls_settings");
    TCase *tcase = suite_case(suite, "options of TLS");
    tcase_add_checked_fixture(tcase, clear_options, NULL);
    tcase_add_test(tcase, what_is_not_set_has_its_default);
    tcase_add_test(tcase, what_is_set_is_copied);
    tcase_add_loop_test(tcase, none_may_be_empty_or_too_long, 0, 5);
    tcase_add_loop_test(tcase, without_a_url_of_tls_each_is_refused, 0, 6);
    tcase_add_loop_test(tcase, certificate_and_key_need_each_other, 0, 2);
    tcase_add_loop_test(tcase, a_server_name_is_a_name, 0, 5);
    tcase_add_loop_test(tcase, a_version_that_is_none_is_refused, 3, 4);
    tcase_add_test(tcase, memory_may_end_anywhere);
    return suite_run(suite);
}
