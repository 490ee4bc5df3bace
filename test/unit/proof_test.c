/* SPDX-License-Identifier: MIT */
/* The rooms statement and proof: what a signature is over, byte by byte, and its text in a record. */
#include "base64.h"
#include "expect.h"
#include "garbage.h"
#include "node.h"
#include "scarce.h"
#include "signing.h"

static const netron_service services[] = {{"web", "1.2"}, {"mail", NULL}};
static const netron_metadata metadata[] = {{"a", "x"}, {"b", ""}};

static netron_node full_node(void)
{
    netron_node node = NETRON_NODE_INIT;
    node.id = "n1";
    node.address = "h:1";
    node.services = services;
    node.service_count = 2;
    node.state = NETRON_NODE_DRAINING;
    node.reason = "r";
    node.weight = 3;
    node.zone = "z";
    node.metadata = metadata;
    node.metadata_count = 2;
    return node;
}

static struct netron_statement statement_of(const netron_node *node)
{
    return (struct netron_statement){.key_prefix = "p",
                                     .algorithm = "ed25519",
                                     .key_id = "k",
                                     .incarnation = "i",
                                     .sequence = 0x0102030405060708,
                                     .ttl_ms = 15000,
                                     .state = netron_node_state_name(node->state),
                                     .node = node};
}

/* ---- the statement ---- */

#define TEXT(length, text) "\0\0\0" length text

START_TEST(the_form_is_fixed_to_the_byte)
{
    static const char form[] =
        "netron-discovery node record\0\1" TEXT("\1", "p") TEXT("\7", "ed25519") TEXT("\1", "k") TEXT("\2", "n1")
            TEXT("\1", "i") "\1\2\3\4\5\6\7\10"
                            "\0\0\x3a\x98" TEXT("\3", "h:1") TEXT("\10", "draining")
                                TEXT("\1", "r") "\0\0\0\3" TEXT("\1", "z") "\0\0\0\2" TEXT("\3", "web")
                                    TEXT("\3", "1.2") TEXT("\4", "mail") TEXT("\0", "") "\0\0\0\2" TEXT("\1", "a")
                                        TEXT("\1", "x") TEXT("\1", "b") TEXT("\0", "");
    netron_node node = full_node();
    const struct netron_statement statement = statement_of(&node);
    size_t length = 0;
    unsigned char *bytes = netron_statement_write(&statement, 0, &length);
    ck_assert_uint_eq(length, sizeof(form) - 1);
    ck_assert_mem_eq(bytes, form, length);
    free(bytes);
}
END_TEST

#define VARIANTS 22

/* One thing is another; false when there is no such number. */
static void vary(int number, netron_node *node, struct netron_statement *statement, netron_service of_services[3],
                 netron_metadata of_metadata[3])
{
    switch (number) {
    case 0:
        statement->key_prefix = "q";
        break;
    case 1:
        statement->algorithm = "hmac-sha256";
        break;
    case 2:
        statement->key_id = "l";
        break;
    case 3:
        statement->incarnation = "j";
        break;
    case 4:
        statement->sequence++;
        break;
    case 5:
        statement->ttl_ms++;
        break;
    case 6:
        statement->state = "up";
        break;
    case 7:
        node->id = "n2";
        break;
    case 8:
        node->address = "h:2";
        break;
    case 9:
        node->reason = NULL;
        break;
    case 10:
        node->weight = 4;
        break;
    case 11:
        node->zone = "y";
        break;
    case 12:
        of_services[0].name = "wet";
        break;
    case 13:
        of_services[0].version = "1.3";
        break;
    case 14:
        of_services[1].version = "1";
        break;
    case 15:
        node->service_count = 1;
        break;
    case 16:
        of_services[0] = services[1], of_services[1] = services[0];
        break;
    case 17:
        of_metadata[0].key = "A";
        break;
    case 18:
        of_metadata[1].value = "x";
        break;
    case 19:
        node->metadata_count = 1;
        break;
    case 20:
        node->reason = "rz", node->zone = NULL;
        break; /* what ends where is part of it */
    case 21:
        statement->key_id = "kn", node->id = "1";
        break;
    }
}

static unsigned char *write_variant(int number, size_t *length)
{
    netron_node node = full_node();
    netron_service of_services[3] = {services[0], services[1]};
    netron_metadata of_metadata[3] = {metadata[0], metadata[1]};
    struct netron_statement statement = statement_of(&node);
    node.services = of_services;
    node.metadata = of_metadata;
    vary(number, &node, &statement, of_services, of_metadata);
    unsigned char *bytes = netron_statement_write(&statement, 0, length);
    ck_assert_ptr_nonnull(bytes);
    return bytes;
}

START_TEST(whatever_differs_is_another_statement)
{
    for (int one = -1; one < VARIANTS; one++) {
        size_t one_length = 0;
        unsigned char *bytes = write_variant(one, &one_length);
        for (int other = one + 1; other < VARIANTS; other++) {
            size_t other_length = 0;
            unsigned char *others = write_variant(other, &other_length);
            ck_assert_msg(one_length != other_length || memcmp(bytes, others, one_length) != 0, "%d and %d", one,
                          other);
            free(others);
        }
        free(bytes);
    }
}
END_TEST

/* ---- the text ---- */

START_TEST(a_text_is_read_as_it_was_written)
{
    const netron_signature_key keys[] = {
        private_key(0, "fleet-1"), shared_key(1, "a~key!of.64-characters_01234567890123456789012345678901234567890")};
    netron_node node = full_node();
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct netron_keyring keyring = keyring_of(&keys[i], NULL, 0);
        char text[NETRON_SIGNATURE_TEXT_MAX + 1];
        struct netron_proof proof, other;
        struct netron_statement statement = statement_of(&node);
        ck_assert_int_eq(netron_keyring_sign(&keyring, &statement, text), 0);
        ck_assert_uint_le(strlen(text), NETRON_SIGNATURE_TEXT_MAX);
        ck_assert_int_eq(netron_proof_read(text, statement, &proof, NULL), 0);
        ck_assert_int_eq(proof.algorithm, keys[i].algorithm);
        ck_assert_str_eq(proof.key_id, keys[i].id);
        ck_assert_int_eq(netron_keyring_check_own(&keyring, &proof), 0);
        statement.sequence++;
        ck_assert_int_eq(netron_proof_read(text, statement, &other, NULL), 0);
        ck_assert_int_eq(netron_keyring_check_own(&keyring, &other), NETRON_EPERM);
        ck_assert_mem_ne(proof.digest, other.digest, sizeof(proof.digest));
        netron_proof_clear(&other);
        netron_proof_clear(&proof);
        netron_proof_clear(&proof);
        netron_keyring_clear(&keyring);
    }
}
END_TEST

#define BASE64_64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
#define BASE64_32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

START_TEST(a_text_that_is_no_signature_is_refused)
{
    static const char *const wrong[] = {
        "",
        "ed25519",
        "ed25519:",
        "ed25519::" BASE64_64,
        "ed25519:k",
        "ed25519:k:",
        "ed25519:k:" BASE64_32,
        "ed25519:k:" BASE64_64 "=",
        "ed25519:k:A" BASE64_64,
        "ed25519:k:k:" BASE64_64,
        "ed25519:k k:" BASE64_64,
        "ed25519:k\"k:" BASE64_64,
        "ed25519:k\\k:" BASE64_64,
        "ed25519:\xc3\xa4:" BASE64_64,
        "ED25519:k:" BASE64_64,
        "ed25518:k:" BASE64_64,
        "none:k:" BASE64_64,
        ":k:" BASE64_64,
        "hmac-sha256:k:" BASE64_64,
        "hmac-sha1:k:" BASE64_32,
        "hmac-sha256:k:",
        "ed25519:0123456789012345678901234567890123456789012345678901234567890123x:" BASE64_64};
    netron_node node = full_node();
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct netron_failure why = {0};
        struct netron_proof proof;
        int code = netron_proof_read(wrong[i], statement_of(&node), &proof, &why);
        expect_refusal(wrong[i], code, NETRON_EPROTOCOL, &why, "its signature is malformed");
        ck_assert_ptr_null(proof.message);
    }
}
END_TEST

START_TEST(garbage_does_no_harm)
{
    struct netron_random random = {1};
    netron_node node = full_node();
    for (int i = 0; i < 20000; i++) {
        char *text = garbage(&random, i % 2 == 0 ? NULL : "ed25519hmac-sha256:kA=", NETRON_SIGNATURE_TEXT_MAX);
        struct netron_proof proof;
        if (netron_proof_read(text, statement_of(&node), &proof, NULL) == 0)
            netron_proof_clear(&proof);
        free(text);
    }
}
END_TEST

START_TEST(ids_of_keys_are_plain)
{
    ck_assert(netron_key_id_is_valid("a") && netron_key_id_is_valid("fleet-2026.1/x=~!"));
    ck_assert(!netron_key_id_is_valid("") && !netron_key_id_is_valid("a b") && !netron_key_id_is_valid("a:b") &&
              !netron_key_id_is_valid("a\"") && !netron_key_id_is_valid("\\") && !netron_key_id_is_valid("\x7f") &&
              !netron_key_id_is_valid("\n"));
}
END_TEST

/* ---- the body ---- */

static netron_signature_key signing;
static struct netron_keyring scarce_keyring;

static int make_and_sign(void)
{
    struct netron_wish wish = {0};
    netron_node node = full_node();
    int code = netron_wish_make(&wish, &node, 15000);
    char *before = wish.body;
    if (code == 0)
        code = netron_wish_sign(&wish, &scarce_keyring, "p", "i", 15000, 7);
    if (code != 0 && (wish.sequence != 0 || wish.body != before))
        ck_abort_msg("the wish has changed");
    netron_wish_clear(&wish);
    return code;
}

START_TEST(without_memory_nothing_is_signed)
{
    signing = private_key(0, "k");
    scarce_keyring = keyring_of(&signing, NULL, 0);
    allocations_of_libraries();
    scarce_memory(make_and_sign);
    netron_keyring_clear(&scarce_keyring);
}
END_TEST

START_TEST(a_signed_body_is_read_with_its_stamp)
{
    netron_node node = full_node();
    struct netron_record record;
    struct netron_stamp stamp;
    struct netron_proof proof;
    signing = private_key(0, "k");
    char *body = signed_body(&signing, "p", &node, "i", 15000, 1700000000000);
    ck_assert_int_eq(netron_record_parse_body(body, strlen(body), "n1", "i", &record, &stamp, NULL), 0);
    ck_assert_uint_eq(stamp.sequence, 1700000000000);
    ck_assert_str_eq(stamp.state, "draining");
    ck_assert_str_eq(record.incarnation, "i");
    netron_node *copy = netron_node_copy(&node);
    ck_assert(netron_node_same(record.node, copy));
    struct netron_statement statement = statement_of(record.node);
    statement.sequence = stamp.sequence;
    ck_assert_int_eq(netron_proof_read(stamp.signature, statement, &proof, NULL), 0);
    struct netron_keyring keyring = keyring_of(&signing, NULL, 0);
    ck_assert_int_eq(netron_keyring_check_own(&keyring, &proof), 0);
    netron_keyring_clear(&keyring);
    netron_proof_clear(&proof);
    netron_node_free(copy);
    netron_record_clear(&record);
    free(body);
}
END_TEST

static struct netron_stamp stamp_of(const char *members)
{
    char body[1024];
    struct netron_record record;
    struct netron_stamp stamp;
    struct netron_failure why = {0};
    snprintf(body, sizeof(body), "{\"nodeId\":\"n\",\"address\":\"h:1\",\"services\":[]%s}", members);
    ck_assert_msg(netron_record_parse_body(body, strlen(body), "n", "i", &record, &stamp, &why) == 0, "%s: %s", body,
                  why.sentence);
    netron_record_clear(&record);
    return stamp;
}

/* A record that is read for what it says must not fail for what nobody asked of it. */
START_TEST(a_stamp_that_could_not_be_is_none)
{
    static const char *const none[] = {"",
                                       ",\"sequence\":0,\"signature\":\"\"",
                                       ",\"sequence\":-1,\"signature\":7",
                                       ",\"sequence\":\"1\",\"signature\":null",
                                       ",\"sequence\":1.5,\"signature\":[]",
                                       ",\"sequence\":9007199254740993,\"signature\":{}",
                                       ",\"sequence\":null,\"signature\":\"a\\u0000b\""};
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        struct netron_stamp stamp = stamp_of(none[i]);
        ck_assert_msg(stamp.sequence == 0 && stamp.signature[0] == '\0', "%s", none[i]);
        ck_assert_str_eq(stamp.state, "up");
    }
    ck_assert_uint_eq(stamp_of(",\"sequence\":9007199254740992").sequence, NETRON_SEQUENCE_MAX);
    ck_assert_str_eq(stamp_of(",\"state\":null").state, "up");
    ck_assert_str_eq(stamp_of(",\"state\":\"of a later version\"").state, "of a later version");
    char longest[NETRON_SIGNATURE_TEXT_MAX + 2], members[300];
    for (size_t length = NETRON_SIGNATURE_TEXT_MAX; length <= NETRON_SIGNATURE_TEXT_MAX + 1; length++) {
        snprintf(members, sizeof(members), ",\"signature\":\"%s\"", fill(longest, 'a', length));
        ck_assert_uint_eq(strlen(stamp_of(members).signature), length > NETRON_SIGNATURE_TEXT_MAX ? 0 : length);
    }
}
END_TEST

START_TEST(a_body_of_a_malformed_incarnation_is_none)
{
    static const char *const wrong[] = {"", "a b", "\x7f",
                                        "0123456789012345678901234567890123456789012345678901234567890123x"};
    static const char body[] = "{\"nodeId\":\"n\",\"address\":\"h:1\",\"services\":[]}";
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct netron_record record;
        struct netron_failure why = {0};
        int code = netron_record_parse_body(body, strlen(body), "n", wrong[i], &record, NULL, &why);
        expect_refusal(wrong[i], code, NETRON_EPROTOCOL, &why, "incarnation");
        ck_assert_ptr_null(record.node);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proof");
    TCase *tcase = suite_case(suite, "statement");
    tcase_add_test(tcase, the_form_is_fixed_to_the_byte);
    tcase_add_test(tcase, whatever_differs_is_another_statement);
    tcase = suite_case(suite, "text");
    tcase_add_test(tcase, a_text_is_read_as_it_was_written);
    tcase_add_test(tcase, a_text_that_is_no_signature_is_refused);
    tcase_add_test(tcase, garbage_does_no_harm);
    tcase_add_test(tcase, ids_of_keys_are_plain);
    tcase = suite_case(suite, "body");
    tcase_add_test(tcase, without_memory_nothing_is_signed);
    tcase_add_test(tcase, a_signed_body_is_read_with_its_stamp);
    tcase_add_test(tcase, a_stamp_that_could_not_be_is_none);
    tcase_add_test(tcase, a_body_of_a_malformed_incarnation_is_none);
    return suite_run(suite);
}
