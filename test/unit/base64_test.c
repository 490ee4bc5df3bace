/* SPDX-License-Identifier: MIT */
/* The room base64: RFC 4648, and nothing that is nearly so. */
#include "base64.h"
#include "garbage.h"

static const struct {
    const char *bytes;
    const char *text;
} vectors[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"},
               {"\xfb\xff\xfe", "+//+"}};

START_TEST(the_vectors_of_the_rfc_go_both_ways)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        size_t size = strlen(vectors[i].bytes);
        char text[16];
        unsigned char bytes[16];
        netron_base64_write((const unsigned char *)vectors[i].bytes, size, text);
        ck_assert_str_eq(text, vectors[i].text);
        ck_assert_uint_eq(strlen(text), NETRON_BASE64_LENGTH(size));
        ck_assert(netron_base64_read(text, bytes, size));
        ck_assert_mem_eq(bytes, vectors[i].bytes, size);
        ck_assert(!netron_base64_read(text, bytes, size + 1));
        ck_assert(size == 0 || !netron_base64_read(text, bytes, size - 1));
    }
}
END_TEST

START_TEST(what_is_nearly_the_text_is_refused)
{
    static const char *const wrong[] = {"Zg",   "Zg=",  "Zg===", "Zh==", "Zg=A", "Z===", "Zg==\n",    " Zg=",
                                        "Z-==", "Z_==", "ZgA=",  "====", "Zg.=", "=g==", "\xc3\xa4=="};
    unsigned char byte;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!netron_base64_read(wrong[i], &byte, 1), "%s", wrong[i]);
}
END_TEST

START_TEST(every_length_goes_both_ways_and_no_other_text_says_the_same)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    struct netron_random random = {1};
    for (size_t size = 1; size <= 64; size++) {
        unsigned char bytes[64], again[64];
        char text[NETRON_BASE64_LENGTH(64) + 1];
        for (size_t i = 0; i < size; i++)
            bytes[i] = (unsigned char)netron_random_next(&random);
        netron_base64_write(bytes, size, text);
        ck_assert(netron_base64_read(text, again, size));
        ck_assert_mem_eq(bytes, again, size);
        for (size_t i = 0; i < strlen(text); i++) {
            char right = text[i];
            for (const char *digit = digits; *digit != '\0'; digit++) {
                text[i] = *digit;
                if (*digit != right && netron_base64_read(text, again, size))
                    ck_assert_mem_ne(bytes, again, size);
            }
            text[i] = right;
        }
    }
}
END_TEST

START_TEST(garbage_does_no_harm)
{
    struct netron_random random = {5};
    for (int i = 0; i < 20000; i++) {
        unsigned char bytes[64];
        char *text = garbage(&random, i % 2 == 0 ? NULL : "AZaz09+/==", 100);
        netron_base64_read(text, bytes, (size_t)i % 65);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base64");
    TCase *tcase = suite_case(suite, "base64");
    tcase_add_test(tcase, the_vectors_of_the_rfc_go_both_ways);
    tcase_add_test(tcase, what_is_nearly_the_text_is_refused);
    tcase_add_test(tcase, every_length_goes_both_ways_and_no_other_text_says_the_same);
    tcase_add_test(tcase, garbage_does_no_harm);
    return suite_run(suite);
}
