/* SPDX-License-Identifier: MIT */
/* What tables of cases have in common: how many there are, and what a refusal has to look like. */
#ifndef NETRON_TEST_EXPECT_H
#define NETRON_TEST_EXPECT_H

#include "failure.h"
#include "suite.h"
#include "text.h"
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The code is returned and kept alike, and a person who reads the sentence finds these words in it. */
static inline void expect_refusal(const char *what, int code, int wanted, const struct netron_failure *why,
                                  const char *words)
{
    ck_assert_msg(code == wanted, "%s: the code is %d, not %d (\"%s\")", what, code, wanted, why->sentence);
    ck_assert_msg(why->code == wanted, "%s: the failure holds code %d, not %d", what, why->code, wanted);
    ck_assert_msg(strstr(why->sentence, words) != NULL, "%s: \"%s\" does not say \"%s\"", what, why->sentence, words);
    size_t length = strlen(why->sentence);
    ck_assert_msg(netron_text_is_utf8(why->sentence, length) && !netron_text_has_control(why->sentence, length),
                  "%s: the sentence cannot be printed", what);
}

static inline void expect_success(const char *what, int code, const struct netron_failure *why)
{
    ck_assert_msg(code == 0, "%s: refused with %d (\"%s\")", what, code, why->sentence);
}

/* Fills text[0 .. length) with one character, and ends it. */
static inline char *fill(char *text, char character, size_t length)
{
    memset(text, character, length);
    text[length] = '\0';
    return text;
}

#endif
