/* SPDX-License-Identifier: MIT */
/* The room signature: the vectors of RFC 8032 and RFC 4231, what is not quite signed, and libcrypto without memory. */
#include "expect.h"
#include "signature.h"
#include "signing.h"
#include <openssl/crypto.h>
#include <openssl/err.h>

struct vector {
    netron_signature_algorithm algorithm;
    const char *secret;
    const char *public; /* NULL = the secret */
    const char *message;
    const char *signature;
};

#define FIFTY(digits) TEN(digits) TEN(digits) TEN(digits) TEN(digits) TEN(digits)
#define TEN(digits) digits digits digits digits digits digits digits digits digits digits

static const struct vector vectors[] = {
    /* RFC 8032, section 7.1, tests 1 to 3 */
    {NETRON_ED25519, "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
     "551"
     "41438e7a100b"},
    {NETRON_ED25519, "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
     "00d"
     "291612bb0c00"},
    {NETRON_ED25519, "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
     "027"
     "beceea1ec40a"},
    /* RFC 4231, test cases 1 to 4 */
    {NETRON_HMAC_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", NULL, "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {NETRON_HMAC_SHA256, "4a656665", NULL, "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {NETRON_HMAC_SHA256, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, FIFTY("dd"),
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {NETRON_HMAC_SHA256, "0102030405060708090a0b0c0d0e0f10111213141516171819", NULL, FIFTY("cd"),
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
};
#define VECTORS (int)COUNT_OF(vectors)

static unsigned char message[256];
static size_t length;
static unsigned char signature[NETRON_SIGNATURE_MAX];
static size_t size;
static struct netron_loaded_key *signing, *checking;

static void load(const struct vector *vector)
{
    unsigned char key[NETRON_SECRET_MAX];
    size_t key_length = bytes_of_hex(vector->secret, key);
    ck_assert_int_eq(netron_loaded_key_new(vector->algorithm, key, key_length, true, &signing), 0);
    key_length = bytes_of_hex(vector->public != NULL ? vector->public : vector->secret, key);
    ck_assert_int_eq(netron_loaded_key_new(vector->algorithm, key, key_length, false, &checking), 0);
    length = bytes_of_hex(vector->message, message);
    size = bytes_of_hex(vector->signature, signature);
    ck_assert_uint_eq(size, netron_signature_size(vector->algorithm));
}

static void unload(void)
{
    netron_loaded_key_free(signing);
    netron_loaded_key_free(checking);
}

START_TEST(the_vectors_are_made_and_checked)
{
    unsigned char made[NETRON_SIGNATURE_MAX];
    load(&vectors[_i]);
    ck_assert_int_eq(netron_signature_make(signing, message, length, made), 0);
    ck_assert_mem_eq(made, signature, size);
    ck_assert_int_eq(netron_signature_check(checking, message, length, made), 0);
    ck_assert_int_eq(netron_signature_check(signing, message, length, made), 0);
    unload();
}
END_TEST

START_TEST(every_bit_of_message_and_signature_counts)
{
    load(&vectors[_i]);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        signature[bit / 8] ^= (unsigned char)(1u << bit % 8);
        ck_assert_int_eq(netron_signature_check(checking, message, length, signature), NETRON_EPROTOCOL);
        signature[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * length; bit++) {
        message[bit / 8] ^= (unsigned char)(1u << bit % 8);
        ck_assert_int_eq(netron_signature_check(checking, message, length, signature), NETRON_EPROTOCOL);
        message[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    message[length] = 0;
    ck_assert_int_eq(netron_signature_check(checking, message, length + 1, signature), NETRON_EPROTOCOL);
    ck_assert_int_eq(netron_signature_check(checking, message, length, signature), 0);
    unload();
}
END_TEST

/* The other signature of the same message that anybody could make of one, if S were not below the order of the group.
 */
START_TEST(a_signature_has_no_second_form)
{
    static const char order[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    unsigned char group[32];
    unsigned carry = 0;
    load(&vectors[0]);
    bytes_of_hex(order, group);
    for (size_t i = 0; i < 32; i++) {
        carry += signature[32 + i] + (unsigned)group[i];
        signature[32 + i] = (unsigned char)carry;
        carry >>= 8;
    }
    ck_assert_int_eq(netron_signature_check(checking, message, length, signature), NETRON_EPROTOCOL);
    unload();
}
END_TEST

START_TEST(another_key_is_another_signature)
{
    struct netron_loaded_key *first;
    load(&vectors[0]);
    first = checking;
    netron_loaded_key_free(signing);
    load(&vectors[1]);
    ck_assert_int_eq(netron_signature_check(first, message, length, signature), NETRON_EPROTOCOL);
    netron_loaded_key_free(first);
    unload();
}
END_TEST

START_TEST(what_the_program_has_in_the_queue_of_errors_stays_there)
{
    load(&vectors[0]);
    ERR_clear_error();
    ERR_put_error(ERR_LIB_USER, 0, 7, __FILE__, __LINE__);
    signature[0] ^= 1;
    ck_assert_int_eq(netron_signature_check(checking, message, length, signature), NETRON_EPROTOCOL);
    struct netron_loaded_key *none = NULL;
    ck_assert_int_eq(netron_loaded_key_new(NETRON_ED25519, message, 3, true, &none), NETRON_EDISABLED);
    ck_assert_ptr_null(none);
    ck_assert_int_eq(ERR_GET_REASON(ERR_get_error()), 7);
    ck_assert_uint_eq(ERR_get_error(), 0);
    netron_loaded_key_free(NULL);
    unload();
}
END_TEST

/* ---- without memory ---- */

static long left = -1;    /* so many allocations succeed yet; negative = all */
static long failing = -1; /* then so many fail; negative = all */
static size_t first_size; /* of those asked for since this was 0 */
static unsigned like_first;

static bool is_granted(size_t bytes)
{
    if (first_size == 0)
        first_size = bytes;
    like_first += bytes == first_size;
    if (left > 0)
        left--;
    else if (left == 0 && failing != 0) {
        if (failing > 0)
            failing--;
        return false;
    }
    return true;
}

static void *some(size_t bytes, const char *file, int line)
{
    (void)file, (void)line;
    return is_granted(bytes) ? malloc(bytes) : NULL;
}

static void *other(void *memory, size_t bytes, const char *file, int line)
{
    (void)file, (void)line;
    return is_granted(bytes) ? realloc(memory, bytes) : NULL;
}

static void none(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

/* What has no memory for its errors either leaves none behind. */
START_TEST(without_memory_the_queue_of_errors_stays_as_it_was)
{
    load(&vectors[0]);
    for (long point = 0; point < 50; point++) {
        struct netron_loaded_key *loaded = NULL;
        ERR_clear_error();
        ERR_put_error(ERR_LIB_USER, 0, 7, __FILE__, __LINE__);
        left = point;
        int code = netron_loaded_key_new(NETRON_ED25519, message, 3, true, &loaded);
        netron_signature_check(checking, message, length, signature);
        left = -1;
        ck_assert_msg(code == NETRON_EDISABLED || code == NETRON_ENOMEM, "at %ld: %d", point, code);
        ck_assert_int_eq(ERR_GET_REASON(ERR_get_error()), 7);
        ck_assert_uint_eq(ERR_get_error(), 0);
    }
    unload();
}
END_TEST

/* Forged ones would cost twice. Each check begins with a context, and what is a context is known by its size. */
START_TEST(what_is_wrong_is_checked_once)
{
    load(&vectors[_i]);
    first_size = like_first = 0;
    ck_assert_int_eq(netron_signature_check(checking, message, length, signature), 0);
    unsigned right = like_first;
    signature[0] ^= 1;
    first_size = like_first = 0;
    ck_assert_int_eq(netron_signature_check(checking, message, length, signature), NETRON_EPROTOCOL);
    ck_assert_uint_eq(like_first, right);
    unload();
}
END_TEST

/* What is right is never refused for want of memory, and what is wrong never passes. But where one allocation fails and
 * the next does not, which takes another thread that frees memory just then, a right one may be refused. */
START_TEST(without_memory_nothing_is_judged)
{
    unsigned char key[NETRON_SECRET_MAX];
    size_t key_length = bytes_of_hex(vectors[_i].secret, key);
    load(&vectors[_i]);
    for (int of_all = 0; of_all <= 1; of_all++) {
        for (long point = 0; point < 200; point++) {
            unsigned char made[NETRON_SIGNATURE_MAX], digest[NETRON_DIGEST_SIZE];
            struct netron_loaded_key *loaded = NULL;
            int codes[5];
            for (int step = 0; step < 5; step++) {
                left = point;
                failing = of_all ? -1 : 1;
                signature[0] ^= step == 1;
                codes[step] = step < 2    ? netron_signature_check(checking, message, length, signature)
                              : step == 2 ? netron_signature_make(signing, message, length, made)
                              : step == 3
                                  ? netron_signature_digest(message, length, digest)
                                  : netron_loaded_key_new(vectors[_i].algorithm, key, key_length, true, &loaded);
                signature[0] ^= step == 1;
                left = -1;
            }
            ck_assert_msg(codes[0] == 0 || codes[0] == NETRON_ENOMEM || (!of_all && codes[0] == NETRON_EPROTOCOL),
                          "right, at %ld: %d", point, codes[0]);
            ck_assert_msg(codes[1] == NETRON_EPROTOCOL || codes[1] == NETRON_ENOMEM, "wrong, at %ld: %d", point,
                          codes[1]);
            for (int step = 2; step < 5; step++)
                ck_assert_msg(codes[step] == 0 || codes[step] == NETRON_ENOMEM, "step %d, at %ld: %d", step, point,
                              codes[step]);
            ck_assert(codes[2] != 0 || memcmp(made, signature, size) == 0);
            netron_loaded_key_free(loaded);
        }
    }
    unload();
}
END_TEST

/* What libcrypto makes once for all is there before memory becomes scarce: it does not try that twice. */
static void warm_up(void)
{
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        unsigned char key[NETRON_SECRET_MAX], made[NETRON_SIGNATURE_MAX], digest[NETRON_DIGEST_SIZE];
        size_t key_length = bytes_of_hex(vectors[i].secret, key);
        if (netron_loaded_key_new(vectors[i].algorithm, key, key_length, true, &signing) != 0 ||
            netron_signature_make(signing, key, key_length, made) != 0 ||
            netron_signature_check(signing, key, key_length, made) != 0 ||
            netron_signature_digest(key, key_length, digest) != 0)
            exit(EXIT_FAILURE);
        netron_loaded_key_free(signing);
    }
}

int main(void)
{
    Suite *suite = suite_create("signature");
    TCase *tcase = suite_case(suite, "signature");
    if (CRYPTO_set_mem_functions(some, other, none) != 1)
        return 1;
    warm_up();
    tcase_add_loop_test(tcase, the_vectors_are_made_and_checked, 0, VECTORS);
    tcase_add_loop_test(tcase, every_bit_of_message_and_signature_counts, 0, VECTORS);
    tcase_add_test(tcase, a_signature_has_no_second_form);
    tcase_add_test(tcase, another_key_is_another_signature);
    tcase_add_test(tcase, what_the_program_has_in_the_queue_of_errors_stays_there);
    tcase_add_test(tcase, without_memory_the_queue_of_errors_stays_as_it_was);
    tcase_add_loop_test(tcase, what_is_wrong_is_checked_once, 0, VECTORS);
    tcase_add_loop_test(tcase, without_memory_nothing_is_judged, 0, VECTORS);
    return suite_run(suite);
}
