/* SPDX-License-Identifier: MIT */
/* The public half of the room settings: structs of other versions, credentials, and what netron_options_check() says.
 */
#include "expect.h"
#include "settings.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_SIZE (offsetof(netron_options, on_link_arg) + sizeof(void *))

static void expect_refused(const netron_options *options, int wanted, const char *words)
{
    struct netron_failure why = {0};
    why.code = netron_options_check(options, why.sentence, sizeof(why.sentence));
    expect_refusal(words, why.code, wanted, &why, words);
}

static void expect_fine(const char *what, const netron_options *options)
{
    struct netron_failure why = {0};
    expect_success(what, netron_options_check(options, why.sentence, sizeof(why.sentence)), &why);
}

/* ---- sizes ---- */

START_TEST(init_sets_every_byte_to_zero_but_the_size)
{
    netron_options options;
    memset(&options, 0x5a, sizeof(options));
    netron_options_init(&options);
    ck_assert_uint_eq(options.size, sizeof(options));
    const unsigned char *bytes = (const unsigned char *)&options;
    for (size_t i = sizeof(options.size); i < sizeof(options); i++)
        ck_assert_msg(bytes[i] == 0, "byte %zu is set", i);
}
END_TEST

START_TEST(a_size_that_the_struct_never_had_is_refused)
{
    static const size_t odd[] = {0, 1, sizeof(size_t), FIRST_SIZE - 1, 4097, SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        netron_options options;
        netron_options_init(&options);
        options.size = odd[i]; /* nothing may be read behind the struct because of it */
        expect_refused(&options, NETRON_EINVAL, "no size that the struct ever had");
    }
}
END_TEST

START_TEST(the_struct_of_the_first_version_is_read_no_further)
{
    void *first = malloc(FIRST_SIZE);
    netron_options options;
    netron_options_init(&options);
    options.size = FIRST_SIZE;
    memcpy(first, &options, FIRST_SIZE);
    expect_fine("the first", first);
    free(first);
}
END_TEST

START_TEST(a_larger_struct_is_fine_while_nothing_unknown_is_set)
{
    union {
        netron_options known;
        unsigned char bytes[4096];
    } larger;
    for (size_t size = sizeof(netron_options) + 1; size <= sizeof(larger); size += 97) {
        memset(&larger, 0, sizeof(larger));
        netron_options_init(&larger.known);
        larger.known.size = size;
        expect_fine("zero", &larger.known);
        larger.bytes[size - 1] = 1;
        expect_refused(&larger.known, NETRON_EINVAL, "a member is set");
        larger.bytes[size - 1] = 0;
        larger.bytes[sizeof(netron_options)] = 0x80;
        expect_refused(&larger.known, NETRON_EINVAL, "a member is set");
    }
    memset(&larger, 0, sizeof(larger));
    netron_options_init(&larger.known);
    larger.bytes[sizeof(netron_options)] = 1; /* behind the caller's struct: not ours to look at */
    expect_fine("behind", &larger.known);
    larger.known.size = sizeof(larger);
    larger.bytes[sizeof(netron_options)] = 0;
    larger.known.retry_count = 11;
    expect_refused(&larger.known, NETRON_ELIMIT, "options.retry_count");
}
END_TEST

/* ---- credentials ---- */

static void expect_text(size_t number, const char *part, const char *found, const char *wanted)
{
    if (wanted == NULL)
        ck_assert_msg(found == NULL, "case %zu: the %s is \"%s\"", number, part, found);
    else
        ck_assert_msg(found != NULL && strcmp(found, wanted) == 0, "case %zu: the %s is \"%s\", not \"%s\"", number,
                      part, found != NULL ? found : "(none)", wanted);
}

START_TEST(user_and_password_stand_in_for_those_of_the_url)
{
    static const struct {
        const char *url, *username, *password;
        const char *wanted_username, *wanted_password;
    } cases[] = {
        {"redis://h", NULL, NULL, NULL, NULL},
        {"redis://h", NULL, "w", NULL, "w"},
        {"redis://h", "u", "w", "u", "w"},
        {"redis://h", "u", "", "u", ""}, /* a user of the ACL with nopass */
        {"redis://h", NULL, "", NULL, NULL},
        {"redis://a:b@h", NULL, NULL, "a", "b"},
        {"redis://a:b@h", "u", NULL, "u", "b"},
        {"redis://a:b@h", NULL, "w", "a", "w"},
        {"redis://a:b@h", "u", "w", "u", "w"},
        {"redis://:b@h", "u", NULL, "u", "b"},
        {"redis://:b@h", NULL, "", NULL, NULL},
        {"redis://h", "100%41", "%41@/:", "100%41", "%41@/:"}, /* not decoded: this is no URL */
        {"unix:///s", "u", "w", "u", "w"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        netron_options options;
        struct netron_settings settings;
        struct netron_failure why = {0};
        netron_options_init(&options);
        options.url = cases[i].url;
        options.username = cases[i].username;
        options.password = cases[i].password;
        expect_success(cases[i].url, netron_settings_make(&options, &settings, &why), &why);
        expect_text(i, "user", settings.redis.username, cases[i].wanted_username);
        expect_text(i, "password", settings.redis.password, cases[i].wanted_password);
        netron_settings_clear(&settings);
    }
}
END_TEST

START_TEST(a_user_needs_a_name_and_a_password)
{
    netron_options options;
    netron_options_init(&options);
    options.username = "u";
    expect_refused(&options, NETRON_EINVAL, "options.username needs a password");
    options.username = "";
    expect_refused(&options, NETRON_EINVAL, "options.username is empty");
    options.password = "w";
    expect_refused(&options, NETRON_EINVAL, "options.username is empty");
    options.url = "redis://a:b@h";
    expect_refused(&options, NETRON_EINVAL, "options.username is empty");
}
END_TEST

static int supply(netron_link_role role, netron_credentials *credentials, void *arg)
{
    (void)role, (void)arg;
    return netron_credentials_set(credentials, "u", "w");
}

START_TEST(who_supplies_credentials_is_the_only_one)
{
    static const struct {
        const char *url, *username, *password;
        bool is_fine;
    } cases[] = {
        {NULL, NULL, NULL, true},
        {"redis://h/3", NULL, NULL, true},
        {NULL, NULL, "", true},
        {NULL, NULL, "w", false},
        {NULL, "u", "w", false},
        {NULL, "u", "", false},
        {"redis://u:w@h", NULL, NULL, false},
        {"redis://:w@h", NULL, NULL, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        netron_options options;
        netron_options_init(&options);
        options.url = cases[i].url;
        options.username = cases[i].username;
        options.password = cases[i].password;
        options.credentials = supply;
        options.credentials_arg = &options;
        if (!cases[i].is_fine) {
            expect_refused(&options, NETRON_EINVAL, "options.credentials supplies user and password");
            continue;
        }
        struct netron_settings settings;
        struct netron_failure why = {0};
        expect_success("credentials", netron_settings_make(&options, &settings, &why), &why);
        ck_assert(settings.credentials == supply && settings.credentials_arg == &options);
        netron_settings_clear(&settings);
    }
}
END_TEST

START_TEST(a_url_is_refused_as_a_url)
{
    netron_options options;
    netron_options_init(&options);
    options.url = "";
    expect_refused(&options, NETRON_EURL, "url");
    options.url = "http://h";
    expect_refused(&options, NETRON_EURL, "url");
    options.url = "redis://h/x";
    expect_refused(&options, NETRON_EURL, "database");
}
END_TEST

START_TEST(no_sentence_about_the_options_holds_a_password)
{
    static const char *const urls[] = {NULL, "redis://a:Sesame@h:port", "redis://a:Sesame@h", "redis://Sesame@h",
                                       "unix://a:Sesame/x@/s"};
    static const char *const names[] = {NULL, "u", "", "Sesame"};
    for (size_t url = 0; url < COUNT_OF(urls); url++)
        for (size_t name = 0; name < COUNT_OF(names); name++)
            for (uint32_t retries = 3; retries <= 11; retries += 8) {
                char sentence[NETRON_SENTENCE_SIZE];
                netron_options options;
                netron_options_init(&options);
                options.url = urls[url];
                options.username = names[name];
                options.password = name == 3 ? NULL : "Sesame";
                options.retry_count = retries;
                int code = netron_options_check(&options, sentence, sizeof(sentence));
                ck_assert_msg(strstr(sentence, "Sesame") == NULL, "%s", sentence);
                ck_assert(retries <= 10 || code != 0);
            }
}
END_TEST

/* ---- the sentence ---- */

START_TEST(a_sentence_is_cut_to_the_room_there_is_and_always_ended)
{
    char whole[NETRON_SENTENCE_SIZE];
    netron_options options;
    netron_options_init(&options);
    options.retry_count = 11;
    ck_assert_int_eq(netron_options_check(&options, whole, sizeof(whole)), NETRON_ELIMIT);
    size_t length = strlen(whole);
    ck_assert_uint_gt(length, 20);
    for (size_t size = 1; size <= length + 2; size++) {
        char sentence[NETRON_SENTENCE_SIZE];
        memset(sentence, 0x5a, sizeof(sentence));
        ck_assert_int_eq(netron_options_check(&options, sentence, size), NETRON_ELIMIT);
        size_t wanted = size - 1 < length ? size - 1 : length;
        ck_assert_uint_eq(strnlen(sentence, sizeof(sentence)), wanted);
        ck_assert_mem_eq(sentence, whole, wanted);
        for (size_t i = size; i < sizeof(sentence); i++)
            ck_assert_msg(sentence[i] == 0x5a, "byte %zu behind a room of %zu was written", i, size);
    }
}
END_TEST

START_TEST(nobody_has_to_want_the_sentence)
{
    netron_options options;
    char untouched = 'x';
    netron_options_init(&options);
    ck_assert_int_eq(netron_options_check(&options, NULL, 0), 0);
    ck_assert_int_eq(netron_options_check(NULL, NULL, 0), 0);
    options.retry_count = 11;
    ck_assert_int_eq(netron_options_check(&options, NULL, 0), NETRON_ELIMIT);
    ck_assert_int_eq(netron_options_check(&options, &untouched, 0), NETRON_ELIMIT);
    ck_assert_int_eq(untouched, 'x');
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tcase = suite_case(suite, "sizes");
    tcase_add_test(tcase, init_sets_every_byte_to_zero_but_the_size);
    tcase_add_test(tcase, a_size_that_the_struct_never_had_is_refused);
    tcase_add_test(tcase, the_struct_of_the_first_version_is_read_no_further);
    tcase_add_test(tcase, a_larger_struct_is_fine_while_nothing_unknown_is_set);
    tcase = suite_case(suite, "credentials");
    tcase_add_test(tcase, user_and_password_stand_in_for_those_of_the_url);
    tcase_add_test(tcase, a_user_needs_a_name_and_a_password);
    tcase_add_test(tcase, who_supplies_credentials_is_the_only_one);
    tcase_add_test(tcase, a_url_is_refused_as_a_url);
    tcase_add_test(tcase, no_sentence_about_the_options_holds_a_password);
    tcase = suite_case(suite, "sentence");
    tcase_add_test(tcase, a_sentence_is_cut_to_the_room_there_is_and_always_ended);
    tcase_add_test(tcase, nobody_has_to_want_the_sentence);
    return suite_run(suite);
}
