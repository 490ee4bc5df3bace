/* SPDX-License-Identifier: MIT */
/* The room failure: sentences that are whole and printable whatever went into them, and the texts of the codes. */
#include "expect.h"
#include "failure.h"
#include <limits.h>
#include <stdio.h>

#define LONGEST (NETRON_SENTENCE_SIZE - 1)

START_TEST(the_code_comes_back_and_the_sentence_is_kept)
{
    struct netron_failure why = {0};
    ck_assert_int_eq(netron_fail(&why, NETRON_ELIMIT, "%s is %u", "member", 7u), NETRON_ELIMIT);
    ck_assert_int_eq(why.code, NETRON_ELIMIT);
    ck_assert_str_eq(why.sentence, "member is 7");
    ck_assert_int_eq(netron_fail(&why, NETRON_EURL, "x"), NETRON_EURL);
    ck_assert_int_eq(why.code, NETRON_EURL);
    ck_assert_str_eq(why.sentence, "x");
}
END_TEST

START_TEST(nobody_has_to_want_the_sentence)
{
    ck_assert_int_eq(netron_fail(NULL, NETRON_ENOMEM, "%s", "unheard"), NETRON_ENOMEM);
}
END_TEST

START_TEST(the_old_sentence_may_be_part_of_the_new_one)
{
    struct netron_failure why = {0};
    netron_fail(&why, NETRON_EPERM, "no permission");
    netron_fail(&why, why.code, "%s, and %s", "registering failed", why.sentence);
    ck_assert_int_eq(why.code, NETRON_EPERM);
    ck_assert_str_eq(why.sentence, "registering failed, and no permission");
}
END_TEST

START_TEST(what_comes_from_the_network_is_made_printable)
{
    struct netron_failure why = {0};
    netron_fail(&why, NETRON_EREDIS, "Redis: %s", "a\r\nb\x1b[0m \xff \xc2\x9b Z\xc3\xbcrich");
    ck_assert_str_eq(why.sentence, "Redis: a??b?[0m ? ?? Z\xc3\xbcrich");
}
END_TEST

START_TEST(a_sentence_that_just_fits_is_not_cut)
{
    struct netron_failure why = {0};
    char text[LONGEST + 2];
    fill(text, 'x', LONGEST);
    netron_fail(&why, NETRON_EREDIS, "%s", text);
    ck_assert_str_eq(why.sentence, text);
    memcpy(text + LONGEST - 2, "\xc3\xa9", 2);
    netron_fail(&why, NETRON_EREDIS, "%s", text);
    ck_assert_str_eq(why.sentence, text);
}
END_TEST

START_TEST(a_sentence_that_is_too_long_ends_with_a_whole_character)
{
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t each = 0; each < COUNT_OF(characters); each++) {
        size_t width = strlen(characters[each]);
        for (size_t before = LONGEST - 5; before <= LONGEST; before++) {
            struct netron_failure why = {0};
            char text[NETRON_SENTENCE_SIZE + 64];
            fill(text, 'x', before);
            for (int times = 0; times < 8; times++)
                strcat(text, characters[each]);
            netron_fail(&why, NETRON_EREDIS, "%s", text);
            size_t wanted = before + (LONGEST - before) / width * width;
            ck_assert_msg(strlen(why.sentence) == wanted, "width %zu behind %zu: %zu bytes, not %zu", width, before,
                          strlen(why.sentence), wanted);
            ck_assert_mem_eq(why.sentence, text, wanted);
        }
    }
}
END_TEST

/* The promised numbers. There is no default: a code that is new in error.h breaks the build here. */
static int promised(netron_status status)
{
    switch (status) {
    case NETRON_OK:
        return 0;
    case NETRON_EINVAL:
        return -1;
    case NETRON_ENOMEM:
        return -2;
    case NETRON_ELIMIT:
        return -3;
    case NETRON_EURL:
        return -4;
    case NETRON_ELOOP:
        return -5;
    case NETRON_EDISABLED:
        return -6;
    case NETRON_ESHUTDOWN:
        return -7;
    case NETRON_ECANCELLED:
        return -8;
    case NETRON_EDISCONNECTED:
        return -9;
    case NETRON_ETIMEDOUT:
        return -10;
    case NETRON_EAUTH:
        return -11;
    case NETRON_EPERM:
        return -12;
    case NETRON_EDATABASE:
        return -13;
    case NETRON_EVERSION:
        return -14;
    case NETRON_EREDIS:
        return -15;
    case NETRON_EPROTOCOL:
        return -16;
    case NETRON_EREPLACED:
        return -17;
    case NETRON_EHELD:
        return -18;
    case NETRON_EOVERLOAD:
        return -19;
    case NETRON_ERESOLVE:
        return -20;
    case NETRON_EUNAVAILABLE:
        return -21;
    case NETRON_ETLS:
        return -22;
    }
    return INT_MIN;
}

#define LAST_CODE NETRON_ETLS

START_TEST(the_values_of_the_codes_never_change)
{
    for (int code = LAST_CODE; code <= 0; code++)
        ck_assert_int_eq(promised((netron_status)code), code);
}
END_TEST

START_TEST(every_code_has_a_text_of_its_own)
{
    for (int code = LAST_CODE; code <= 0; code++) {
        const char *text = netron_strerror(code);
        ck_assert_msg(text != NULL && text[0] != '\0', "code %d has no text", code);
        ck_assert_msg(strcmp(text, "unknown error") != 0, "code %d is unknown", code);
        for (int other = LAST_CODE; other < code; other++)
            ck_assert_msg(strcmp(text, netron_strerror(other)) != 0, "codes %d and %d share a text", code, other);
    }
}
END_TEST

START_TEST(any_other_number_is_an_unknown_error)
{
    static const int others[] = {1, 2, 22, LAST_CODE - 1, LAST_CODE - 2, -100, INT_MAX, INT_MIN};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        ck_assert_str_eq(netron_strerror(others[i]), "unknown error");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("failure");
    TCase *tcase = suite_case(suite, "sentences");
    tcase_add_test(tcase, the_code_comes_back_and_the_sentence_is_kept);
    tcase_add_test(tcase, nobody_has_to_want_the_sentence);
    tcase_add_test(tcase, the_old_sentence_may_be_part_of_the_new_one);
    tcase_add_test(tcase, what_comes_from_the_network_is_made_printable);
    tcase_add_test(tcase, a_sentence_that_just_fits_is_not_cut);
    tcase_add_test(tcase, a_sentence_that_is_too_long_ends_with_a_whole_character);
    tcase = suite_case(suite, "codes");
    tcase_add_test(tcase, the_values_of_the_codes_never_change);
    tcase_add_test(tcase, every_code_has_a_text_of_its_own);
    tcase_add_test(tcase, any_other_number_is_an_unknown_error);
    return suite_run(suite);
}
