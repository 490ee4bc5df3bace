/* SPDX-License-Identifier: MIT */
/* The room text: which bytes are UTF-8, which are controls, and what a terminal may be shown. */
#include "expect.h"
#include "random.h"
#include "text.h"
#include <stdint.h>

struct bytes {
    const char *what;
    const char *text;
    size_t length;
};

#define BYTES(what, literal)                                                                                           \
    {                                                                                                                  \
        what, literal, sizeof(literal) - 1                                                                             \
    }

static const struct bytes valid[] = {
    BYTES("nothing", ""),
    BYTES("ASCII", "node-1"),
    BYTES("a NUL byte", "a\0b"),
    BYTES("U+007F", "\x7f"),
    BYTES("U+0080", "\xc2\x80"),
    BYTES("U+07FF", "\xdf\xbf"),
    BYTES("U+0800", "\xe0\xa0\x80"),
    BYTES("U+D7FF, before the surrogates", "\xed\x9f\xbf"),
    BYTES("U+E000, behind the surrogates", "\xee\x80\x80"),
    BYTES("U+FEFF, a byte order mark", "\xef\xbb\xbf"),
    BYTES("U+FFFF", "\xef\xbf\xbf"),
    BYTES("U+10000", "\xf0\x90\x80\x80"),
    BYTES("U+10FFFF", "\xf4\x8f\xbf\xbf"),
    BYTES("several lengths in a row", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"),
};

static const struct bytes invalid[] = {
    BYTES("a continuation byte alone, low", "\x80"),
    BYTES("a continuation byte alone, high", "\xbf"),
    BYTES("a continuation byte behind a whole character", "\xc3\xa9\xa9"),
    BYTES("U+0000 overlong in 2", "\xc0\x80"),
    BYTES("U+002F overlong in 2", "\xc0\xaf"),
    BYTES("U+007F overlong in 2", "\xc1\xbf"),
    BYTES("U+002F overlong in 3", "\xe0\x80\xaf"),
    BYTES("U+07FF overlong in 3", "\xe0\x9f\xbf"),
    BYTES("U+FFFF overlong in 4", "\xf0\x8f\xbf\xbf"),
    BYTES("U+D800, the first surrogate", "\xed\xa0\x80"),
    BYTES("U+DFFF, the last surrogate", "\xed\xbf\xbf"),
    BYTES("a pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80"),
    BYTES("U+110000", "\xf4\x90\x80\x80"),
    BYTES("U+140000", "\xf5\x80\x80\x80"),
    BYTES("a lead of five bytes", "\xf8\x88\x80\x80\x80"),
    BYTES("a lead of six bytes", "\xfc\x84\x80\x80\x80\x80"),
    BYTES("0xfe", "\xfe"),
    BYTES("0xff", "\xff"),
    BYTES("2 bytes, 1 there", "a\xc3"),
    BYTES("3 bytes, 1 there", "a\xe2"),
    BYTES("3 bytes, 2 there", "a\xe2\x82"),
    BYTES("4 bytes, 1 there", "a\xf0"),
    BYTES("4 bytes, 2 there", "a\xf0\x9f"),
    BYTES("4 bytes, 3 there", "a\xf0\x9f\x98"),
    BYTES("2 bytes broken off by ASCII", "\xc3"
                                         "a"),
    BYTES("3 bytes broken off by ASCII", "\xe2\x82"
                                         "a"),
    BYTES("4 bytes broken off by ASCII", "\xf0\x9f\x98"
                                         "a"),
    BYTES("3 bytes broken off by a lead", "\xe2\x82\xc3\xa9"),
    BYTES("4 bytes whose last is a lead", "\xf0\x9f\x98\xc0"),
};

START_TEST(utf_8_is_what_rfc_3629_says)
{
    for (size_t i = 0; i < COUNT_OF(valid); i++)
        ck_assert_msg(netron_text_is_utf8(valid[i].text, valid[i].length), "refused: %s", valid[i].what);
    for (size_t i = 0; i < COUNT_OF(invalid); i++)
        ck_assert_msg(!netron_text_is_utf8(invalid[i].text, invalid[i].length), "accepted: %s", invalid[i].what);
}
END_TEST

/* Writes the number in that many bytes, needed or not: the bit pattern of UTF-8, which knows no limits. */
static void encode(uint32_t number, size_t count, char *out)
{
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = count - 1; i > 0; i--, number >>= 6)
        out[i] = (char)(0x80 | (number & 0x3f));
    out[0] = (char)(leads[count] | number);
}

static size_t shortest(uint32_t number)
{
    return number < 0x80 ? 1 : number < 0x800 ? 2 : number < 0x10000 ? 3 : 4;
}

START_TEST(every_code_point_has_one_encoding_only)
{
    static const uint32_t room[] = {0, 0x80, 0x800, 0x10000, 0x200000};
    /* Steps of 61 meet every lead and every second byte, for each of those stands for 64 numbers or more. */
    for (uint32_t number = 0; number < room[4]; number += number < 0x1000 ? 1 : 61) {
        for (size_t count = shortest(number); count <= 4; count++) {
            char text[4];
            encode(number, count, text);
            bool is_character = number <= 0x10ffff && (number < 0xd800 || number > 0xdfff);
            bool wanted = is_character && count == shortest(number);
            ck_assert_msg(netron_text_is_utf8(text, count) == wanted, "U+%04X in %zu bytes", number, count);
        }
    }
}
END_TEST

START_TEST(bytes_behind_the_length_are_not_looked_at)
{
    ck_assert(netron_text_is_utf8("ab\xff", 2));
    ck_assert(!netron_text_is_utf8("\xc3\xa9", 1));
    ck_assert(!netron_text_has_control("ab\n", 2));
    char text[] = "a\nb\n";
    netron_text_make_printable(text, 3);
    ck_assert_str_eq(text, "a?b\n");
}
END_TEST

START_TEST(the_bytes_below_0x20_and_0x7f_are_the_controls)
{
    for (int byte = 0; byte <= 0xff; byte++) {
        const char text[] = {'a', (char)byte, 'b'};
        ck_assert_msg(netron_text_has_control(text, sizeof(text)) == (byte < 0x20 || byte == 0x7f), "0x%02x", byte);
    }
    ck_assert(!netron_text_has_control("", 0));
}
END_TEST

START_TEST(what_cannot_be_printed_becomes_question_marks)
{
    static const struct {
        struct bytes given;
        const char *wanted;
    } cases[] = {
        {BYTES("nothing", ""), ""},
        {BYTES("text stays", "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80"),
         "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x98\x80"},
        {BYTES("line ends", "a\r\nb"), "a??b"},
        {BYTES("NUL", "a\0b"), "a?b"},
        {BYTES("escape and DEL", "\x1b[31m\x7f"), "?[31m?"},
        {BYTES("U+009B begins a sequence in some terminals", "a\xc2\x9b"
                                                             "31m"),
         "a??31m"},
        {BYTES("U+0080 and U+009F", "\xc2\x80\xc2\x9f"), "????"},
        {BYTES("U+00A0 is no control", "\xc2\xa0"), "\xc2\xa0"},
        {BYTES("broken at the end", "a\xe2\x82"), "a??"},
        {BYTES("broken by a whole character", "\xf0\x9f\xc3\xa9"), "??\xc3\xa9"},
        {BYTES("overlong", "\xc0\xaf"), "??"},
        {BYTES("a surrogate", "\xed\xa0\x80"), "???"},
        {BYTES("no bytes of UTF-8 at all", "\xff\xfe"), "??"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[64] = {0};
        memcpy(text, cases[i].given.text, cases[i].given.length);
        netron_text_make_printable(text, cases[i].given.length);
        ck_assert_msg(strcmp(text, cases[i].wanted) == 0, "%s: \"%s\"", cases[i].given.what, text);
    }
}
END_TEST

START_TEST(whatever_was_made_printable_is_so_and_stays)
{
    struct netron_random random = {.state = 3629};
    for (int round = 0; round < 5000; round++) {
        char text[24];
        char again[sizeof(text)];
        /* High bits are frequent, so that leads and continuations meet in every way. */
        for (size_t i = 0; i < sizeof(text); i++) {
            uint64_t bits = netron_random_next(&random);
            text[i] = (char)(bits & 1 ? bits >> 8 : 0x80 | (bits >> 8 & 0x7f));
        }
        netron_text_make_printable(text, sizeof(text));
        ck_assert(netron_text_is_utf8(text, sizeof(text)));
        ck_assert(!netron_text_has_control(text, sizeof(text)));
        memcpy(again, text, sizeof(text));
        netron_text_make_printable(again, sizeof(again));
        ck_assert_mem_eq(again, text, sizeof(text));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tcase = suite_case(suite, "text");
    tcase_add_test(tcase, utf_8_is_what_rfc_3629_says);
    tcase_add_test(tcase, every_code_point_has_one_encoding_only);
    tcase_add_test(tcase, bytes_behind_the_length_are_not_looked_at);
    tcase_add_test(tcase, the_bytes_below_0x20_and_0x7f_are_the_controls);
    tcase_add_test(tcase, what_cannot_be_printed_becomes_question_marks);
    tcase_add_test(tcase, whatever_was_made_printable_is_so_and_stays);
    return suite_run(suite);
}
