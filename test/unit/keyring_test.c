/* SPDX-License-Identifier: MIT */
/* The room keyring: keys of the options, and which of them is believed for which node. */
#include "expect.h"
#include "node.h"
#include "scarce.h"
#include "settings.h"
#include "signing.h"

static netron_options options;
static struct netron_failure why;

static void begin(void)
{
    netron_options_init(&options);
    why = (struct netron_failure){0};
}

/* ---- the options ---- */

static void expect_refused(const char *what, int wanted, const char *words)
{
    struct netron_keyring keyring;
    why = (struct netron_failure){0};
    expect_refusal(what, netron_keyring_make(&options, &keyring, &why), wanted, &why, words);
    ck_assert(!netron_keyring_signs(&keyring) && !netron_keyring_is_strict(&keyring));
    netron_keyring_clear(&keyring);
}

START_TEST(without_keys_nothing_is_signed_and_nothing_asked_for)
{
    struct netron_keyring keyring;
    begin();
    ck_assert_int_eq(netron_keyring_make(&options, &keyring, &why), 0);
    ck_assert(!netron_keyring_signs(&keyring) && !netron_keyring_is_strict(&keyring));
    ck_assert_uint_eq(netron_keyring_page(&keyring), 512);
    netron_keyring_clear(&keyring);
    netron_keyring_clear(&keyring);
}
END_TEST

START_TEST(a_key_that_is_none_is_refused_with_its_reason)
{
    static const struct {
        int algorithm;
        const char *id;
        bool has_bytes;
        size_t length;
        int code;
        const char *words;
    } wrong[] = {
        {0, "k", true, 32, NETRON_EINVAL, "algorithm is 0"},
        {3, "k", true, 32, NETRON_EINVAL, "algorithm is 3"},
        {NETRON_ED25519, NULL, true, 32, NETRON_EINVAL, "its id"},
        {NETRON_ED25519, "", true, 32, NETRON_EINVAL, "its id"},
        {NETRON_ED25519, "a:b", true, 32, NETRON_EINVAL, "its id"},
        {NETRON_ED25519, "01234567890123456789012345678901234567890123456789012345678901234", true, 32, NETRON_EINVAL,
         "its id"},
        {NETRON_ED25519, "k", false, 32, NETRON_EINVAL, "has no bytes"},
        {NETRON_ED25519, "k", true, 31, NETRON_EINVAL, "31 bytes"},
        {NETRON_ED25519, "k", true, 64, NETRON_EINVAL, "64 bytes"},
        {NETRON_HMAC_SHA256, "k", true, 31, NETRON_ELIMIT, "31 bytes"},
        {NETRON_HMAC_SHA256, "k", true, 65, NETRON_ELIMIT, "65 bytes"},
        {NETRON_HMAC_SHA256, "k", true, 0, NETRON_ELIMIT, "0 bytes"},
    };
    static const unsigned char bytes[65] = {1};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        netron_signature_key keys[2] = {shared_key(0, "good"),
                                        {.algorithm = (netron_signature_algorithm)wrong[i].algorithm,
                                         .id = wrong[i].id,
                                         .bytes = wrong[i].has_bytes ? bytes : NULL,
                                         .length = wrong[i].length}};
        begin();
        options.signing_key = &keys[1];
        expect_refused("signing", wrong[i].code, wrong[i].words);
        ck_assert_ptr_nonnull(strstr(why.sentence, "options.signing_key"));
        begin();
        options.trusted_keys = keys;
        options.trusted_key_count = 2;
        expect_refused("trusted", wrong[i].code, wrong[i].words);
        ck_assert_ptr_nonnull(strstr(why.sentence, "options.trusted_keys"));
        options.url = "redis://h:1";
        char sentence[256];
        ck_assert_int_eq(netron_options_check(&options, sentence, sizeof(sentence)), wrong[i].code);
        ck_assert_ptr_nonnull(strstr(sentence, wrong[i].words));
    }
}
END_TEST

START_TEST(a_key_is_of_one_node_of_some_or_of_all_and_never_of_none)
{
    char long_id[300];
    memset(long_id, 'n', sizeof(long_id) - 1);
    long_id[sizeof(long_id) - 1] = '\0';
    netron_signature_key keys[] = {public_key(0, "k", ""), public_key(0, "k", long_id)};
    begin();
    options.trusted_key_count = 1;
    options.trusted_keys = &keys[0];
    expect_refused("empty", NETRON_EINVAL, "its node_id is empty");
    options.trusted_keys = &keys[1];
    expect_refused("long", NETRON_ELIMIT, "its node_id is longer");
}
END_TEST

START_TEST(keys_that_are_missing_or_too_many_are_refused)
{
    netron_signature_key key = shared_key(0, "k");
    begin();
    options.trusted_key_count = 1;
    expect_refused("missing", NETRON_EINVAL, "options.trusted_keys is missing");
    options.trusted_keys = &key;
    options.trusted_key_count = 65537;
    expect_refused("too many", NETRON_ELIMIT, "at most 65536");
    options.trusted_key_count = 0; /* a folder without keys, say: that is no wish to trust everybody */
    expect_refused("none", NETRON_EINVAL, "options.trusted_keys is set, but options.trusted_key_count is 0");
}
END_TEST

/* Whatever is read from a file that was empty, and points by which nobody's signature is somebody's. */
START_TEST(keys_that_anybody_has_are_refused)
{
    static const unsigned char order_8[] = {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
                                            0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
                                            0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x85};
    unsigned char bytes[32] = {0};
    netron_signature_key key = {.id = "k", .bytes = bytes, .length = sizeof(bytes)};
    for (int algorithm = NETRON_HMAC_SHA256; algorithm <= NETRON_ED25519; algorithm++) {
        key.algorithm = (netron_signature_algorithm)algorithm;
        begin();
        options.signing_key = &key;
        expect_refused("signing", NETRON_EINVAL, "all of its bytes are zero");
        begin();
        options.trusted_keys = &key;
        options.trusted_key_count = 1;
        expect_refused("trusted", NETRON_EINVAL, "all of its bytes are zero");
    }
    bytes[0] = 1;
    expect_refused("the neutral point", NETRON_EINVAL, "anybody could sign for it");
    bytes[31] = 0x80;
    expect_refused("with a sign", NETRON_EINVAL, "anybody could sign for it");
    key.bytes = order_8;
    expect_refused("of order 8", NETRON_EINVAL, "anybody could sign for it");
    memset(bytes, 0xff, sizeof(bytes));
    bytes[0] = 0xed;
    bytes[31] = 0x7f;
    key.bytes = bytes;
    expect_refused("zero above the prime", NETRON_EINVAL, "anybody could sign for it");
}
END_TEST

START_TEST(pages_are_smaller_where_checking_is_slow)
{
    netron_signature_key keys[] = {shared_key(0, "k"), public_key(0, "k", NULL)};
    struct netron_keyring keyring = keyring_of(NULL, keys, 1);
    ck_assert(netron_keyring_is_strict(&keyring));
    ck_assert_uint_eq(netron_keyring_page(&keyring), 512);
    netron_keyring_clear(&keyring);
    keyring = keyring_of(NULL, keys, 2);
    ck_assert_uint_eq(netron_keyring_page(&keyring), 64);
    netron_keyring_clear(&keyring);
}
END_TEST

/* ---- who may speak for whom ---- */

static netron_node node_called(const char *id)
{
    netron_node node = NETRON_NODE_INIT;
    node.id = id;
    node.address = "h:1";
    node.weight = 1;
    return node;
}

/* What a keyring says of a node that this key signed. */
static int verdict(const struct netron_keyring *keyring, const netron_signature_key *key, const char *node_id)
{
    netron_node node = node_called(node_id);
    struct netron_keyring signer = keyring_of(key, NULL, 0);
    struct netron_statement statement = {
        .key_prefix = "p", .incarnation = "i", .sequence = 1, .state = "up", .node = &node};
    struct netron_proof proof;
    char text[NETRON_SIGNATURE_TEXT_MAX + 1];
    ck_assert_int_eq(netron_keyring_sign(&signer, &statement, text), 0);
    ck_assert_int_eq(netron_proof_read(text, statement, &proof, NULL), 0);
    why = (struct netron_failure){0};
    int code = netron_keyring_check(keyring, node_id, &proof, &why);
    ck_assert(code == 0 || (code == why.code && why.sentence[0] != '\0'));
    netron_proof_clear(&proof);
    netron_keyring_clear(&signer);
    return code;
}

START_TEST(each_of_several_keys_is_believed_by_its_id)
{
    netron_signature_key trusted[] = {public_key(0, "old", NULL), public_key(1, "new", NULL), shared_key(2, "old")};
    netron_signature_key signing[] = {private_key(0, "old"), private_key(1, "new"), shared_key(2, "old")};
    netron_signature_key wrong[] = {private_key(1, "old"), private_key(0, "new"), shared_key(0, "old"),
                                    shared_key(2, "new"), private_key(0, "other")};
    struct netron_keyring keyring = keyring_of(NULL, trusted, 3);
    for (size_t i = 0; i < COUNT_OF(signing); i++)
        ck_assert_int_eq(verdict(&keyring, &signing[i], "n"), 0);
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_int_eq(verdict(&keyring, &wrong[i], "n"), NETRON_EPERM);
    ck_assert_ptr_nonnull(strstr(why.sentence, "not trusted"));
    netron_keyring_clear(&keyring);
}
END_TEST

START_TEST(the_key_of_a_node_speaks_for_no_other)
{
    netron_signature_key trusted[] = {public_key(0, "k", "a"), public_key(1, "k", "b"), public_key(2, "k", "web-*"),
                                      public_key(0, "any", "*")};
    netron_signature_key a = private_key(0, "k"), b = private_key(1, "k"), web = private_key(2, "k"),
                         any = private_key(0, "any");
    struct netron_keyring keyring = keyring_of(NULL, trusted, 4);
    ck_assert_int_eq(verdict(&keyring, &a, "a"), 0);
    ck_assert_int_eq(verdict(&keyring, &b, "b"), 0);
    ck_assert_int_eq(verdict(&keyring, &a, "b"), NETRON_EPERM);
    ck_assert_int_eq(verdict(&keyring, &a, "aa"), NETRON_EPERM);
    ck_assert_int_eq(verdict(&keyring, &a, "web-1"), NETRON_EPERM);
    ck_assert_int_eq(verdict(&keyring, &web, "web-"), 0);
    ck_assert_int_eq(verdict(&keyring, &web, "web-17"), 0);
    ck_assert_int_eq(verdict(&keyring, &web, "web"), NETRON_EPERM);
    ck_assert_int_eq(verdict(&keyring, &any, "whoever"), 0);
    netron_keyring_clear(&keyring);
}
END_TEST

/* ---- the callback ---- */

static unsigned asked;

static int answer(const char *node_id, const char *key_id, netron_signature_key *key, void *arg)
{
    ck_assert_ptr_eq(arg, &asked);
    ck_assert_str_eq(key->id, key_id);
    asked++;
    *key = public_key(0, "is not looked at", "nor is this");
    if (strcmp(node_id, "short") == 0)
        key->length = 31;
    if (strcmp(node_id, "hmac") == 0)
        key->algorithm = NETRON_HMAC_SHA256;
    if (strcmp(node_id, "other") == 0)
        *key = public_key(1, "k", NULL);
    return strcmp(node_id, "stranger") != 0;
}

START_TEST(the_callback_is_asked_for_the_keys_that_are_not_in_the_table)
{
    netron_signature_key table = public_key(2, "table", NULL);
    netron_signature_key signing = private_key(0, "k"), of_table = private_key(2, "table");
    struct netron_keyring keyring;
    begin();
    options.trusted_keys = &table;
    options.trusted_key_count = 1;
    options.trusted_key = answer;
    options.trusted_key_arg = &asked;
    ck_assert_int_eq(netron_keyring_make(&options, &keyring, &why), 0);
    ck_assert(netron_keyring_is_strict(&keyring) && netron_keyring_page(&keyring) == 64);
    ck_assert_int_eq(verdict(&keyring, &of_table, "n"), 0);
    ck_assert_uint_eq(asked, 0);
    ck_assert_int_eq(verdict(&keyring, &signing, "n"), 0);
    ck_assert_uint_eq(asked, 1);
    ck_assert_int_eq(verdict(&keyring, &signing, "stranger"), NETRON_EPERM);
    ck_assert_int_eq(verdict(&keyring, &signing, "other"), NETRON_EPERM);
    ck_assert_int_eq(verdict(&keyring, &signing, "short"), NETRON_EPERM);
    ck_assert_ptr_nonnull(strstr(why.sentence, "what is no key"));
    ck_assert_int_eq(verdict(&keyring, &signing, "hmac"), NETRON_EPERM);
    ck_assert_ptr_nonnull(strstr(why.sentence, "another algorithm"));
    netron_keyring_clear(&keyring);
}
END_TEST

/* ---- without memory ---- */

static netron_signature_key scarce_signing, scarce_trusted[2];

static int make_and_check(void)
{
    struct netron_keyring keyring;
    struct netron_proof proof;
    char text[NETRON_SIGNATURE_TEXT_MAX + 1];
    netron_node node = node_called("n");
    const struct netron_statement statement = {
        .key_prefix = "p", .incarnation = "i", .sequence = 1, .state = "up", .node = &node};
    begin();
    options.signing_key = &scarce_signing;
    options.trusted_keys = scarce_trusted;
    options.trusted_key_count = 2;
    options.trusted_key = answer;
    options.trusted_key_arg = &asked;
    int code = netron_keyring_make(&options, &keyring, &why);
    if (code == 0)
        code = netron_keyring_sign(&keyring, &statement, text);
    if (code == 0)
        code = netron_proof_read(text, statement, &proof, &why);
    if (code == 0) {
        code = netron_keyring_check(&keyring, "n", &proof, &why);
        netron_proof_clear(&proof);
    }
    netron_keyring_clear(&keyring);
    return code;
}

START_TEST(without_memory_no_key_is_taken_and_nothing_refused)
{
    scarce_signing = private_key(0, "k");
    scarce_trusted[0] = public_key(1, "k", "a*");
    scarce_trusted[1] = public_key(1, "other", NULL);
    scarce_memory(make_and_check);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keyring");
    TCase *tcase = suite_case(suite, "options");
    tcase_add_test(tcase, without_keys_nothing_is_signed_and_nothing_asked_for);
    tcase_add_test(tcase, a_key_that_is_none_is_refused_with_its_reason);
    tcase_add_test(tcase, a_key_is_of_one_node_of_some_or_of_all_and_never_of_none);
    tcase_add_test(tcase, keys_that_are_missing_or_too_many_are_refused);
    tcase_add_test(tcase, keys_that_anybody_has_are_refused);
    tcase_add_test(tcase, pages_are_smaller_where_checking_is_slow);
    tcase = suite_case(suite, "trust");
    tcase_add_test(tcase, each_of_several_keys_is_believed_by_its_id);
    tcase_add_test(tcase, the_key_of_a_node_speaks_for_no_other);
    tcase_add_test(tcase, the_callback_is_asked_for_the_keys_that_are_not_in_the_table);
    tcase_add_test(tcase, without_memory_no_key_is_taken_and_nothing_refused);
    return suite_run(suite);
}
