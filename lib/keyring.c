/* SPDX-License-Identifier: MIT */
#include "keyring.h"
#include <stdlib.h>
#include <string.h>

#define ED25519_KEY_SIZE 32
#define TRUSTED_KEYS_MAX 65536u
#define PAGE 512u     /* protocol section 3 */
#define SLOW_PAGE 64u /* Ed25519: about 10 ms */

static int no_memory(struct netron_failure *why)
{
    return netron_fail(why, NETRON_ENOMEM, "options: no memory for a key");
}

/* ---- from the options ---- */

static bool is_zero(const netron_signature_key *given)
{
    size_t zeros = 0;
    while (zeros < given->length && given->bytes[zeros] == 0)
        zeros++;
    return zeros == given->length;
}

/* The points of small order, by which anybody can sign for some messages in eight or for all: without the sign, also as
 * they should not be written (above the field's prime). */
static bool is_of_small_order(const netron_signature_key *given)
{
    static const unsigned char points[][ED25519_KEY_SIZE] = {
        {0},
        {1},
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
         0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
         0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}};
    unsigned last = given->bytes[ED25519_KEY_SIZE - 1] & 0x7f;
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
        if (memcmp(points[i], given->bytes, ED25519_KEY_SIZE - 1) == 0 && points[i][ED25519_KEY_SIZE - 1] == last)
            return true;
    return false;
}

static int check_key(const netron_signature_key *given, bool signs, const char *member, struct netron_failure *why)
{
    const char *name = netron_signature_algorithm_name(given->algorithm);
    if (name == NULL)
        return netron_fail(why, NETRON_EINVAL,
                           "options.%s: its algorithm is %d: NETRON_HMAC_SHA256 or NETRON_ED25519 is allowed", member,
                           (int)given->algorithm);
    if (given->id == NULL || !netron_key_id_is_valid(given->id))
        return netron_fail(why, NETRON_EINVAL,
                           "options.%s: its id has to be 1 to %d printable ASCII characters, without blanks, quotes, "
                           "colons and backslashes",
                           member, NETRON_KEY_ID_MAX);
    if (given->bytes == NULL)
        return netron_fail(why, NETRON_EINVAL, "options.%s: it has no bytes", member);
    if (given->algorithm == NETRON_ED25519 && given->length != ED25519_KEY_SIZE)
        return netron_fail(why, NETRON_EINVAL, "options.%s: it has %zu bytes: an Ed25519 key has %d", member,
                           given->length, ED25519_KEY_SIZE);
    if (given->length < NETRON_SECRET_MIN || given->length > NETRON_SECRET_MAX)
        return netron_fail(why, NETRON_ELIMIT, "options.%s: it has %zu bytes: %d to %d are allowed", member,
                           given->length, NETRON_SECRET_MIN, NETRON_SECRET_MAX);
    if (is_zero(given))
        return netron_fail(why, NETRON_EINVAL, "options.%s: all of its bytes are zero", member);
    if (given->algorithm == NETRON_ED25519 && !signs && is_of_small_order(given))
        return netron_fail(why, NETRON_EINVAL, "options.%s: it is no public key: anybody could sign for it", member);
    return 0;
}

static int load(const netron_signature_key *given, bool signs, const char *member, struct netron_ring_key *out,
                struct netron_failure *why)
{
    int code = check_key(given, signs, member, why);
    if (code != 0)
        return code;
    out->algorithm = given->algorithm;
    memcpy(out->id, given->id, strlen(given->id) + 1);
    if (!signs && given->node_id != NULL) {
        if (given->node_id[0] == '\0')
            return netron_fail(why, NETRON_EINVAL, "options.%s: its node_id is empty; NULL is for all nodes", member);
        if (strlen(given->node_id) >= sizeof(out->node_id))
            return netron_fail(why, NETRON_ELIMIT, "options.%s: its node_id is longer than any node's", member);
        memcpy(out->node_id, given->node_id, strlen(given->node_id) + 1);
    }
    code = netron_loaded_key_new(given->algorithm, given->bytes, given->length, signs, &out->loaded);
    if (code == NETRON_ENOMEM)
        return no_memory(why);
    if (code != 0)
        return netron_fail(why, code,
                           "options.%s: this library was built without signatures, or libcrypto refuses the key or its "
                           "algorithm",
                           member);
    return 0;
}

static int load_trusted(const netron_options *options, struct netron_keyring *keyring, struct netron_failure *why)
{
    size_t count = options->trusted_key_count;
    int code = 0;
    if (count == 0 && options->trusted_keys != NULL && options->trusted_key == NULL)
        return netron_fail(
            why, NETRON_EINVAL,
            "options.trusted_keys is set, but options.trusted_key_count is 0: then all would be trusted");
    if (count == 0)
        return 0;
    if (options->trusted_keys == NULL)
        return netron_fail(why, NETRON_EINVAL, "options.trusted_keys is missing, but options.trusted_key_count is %zu",
                           count);
    if (count > TRUSTED_KEYS_MAX)
        return netron_fail(why, NETRON_ELIMIT, "options.trusted_key_count is %zu: at most %u are allowed", count,
                           TRUSTED_KEYS_MAX);
    keyring->trusted = calloc(count, sizeof(*keyring->trusted));
    if (keyring->trusted == NULL)
        return no_memory(why);
    for (size_t i = 0; i < count && code == 0; i++) {
        keyring->trusted_count++;
        code = load(&options->trusted_keys[i], false, "trusted_keys", &keyring->trusted[i], why);
    }
    return code;
}

int netron_keyring_make(const netron_options *options, struct netron_keyring *out, struct netron_failure *why)
{
    int code = 0;
    *out = (struct netron_keyring){.find = options->trusted_key, .find_arg = options->trusted_key_arg};
    if (out->find != NULL && netron_signature_size(NETRON_ED25519) == 0)
        code = netron_fail(why, NETRON_EDISABLED, "options.trusted_key: this library was built without signatures");
    if (code == 0 && options->signing_key != NULL)
        code = load(options->signing_key, true, "signing_key", &out->signing, why);
    if (code == 0)
        code = load_trusted(options, out, why);
    if (code != 0)
        netron_keyring_clear(out);
    return code;
}

static void clear_key(struct netron_ring_key *key)
{
    netron_loaded_key_free(key->loaded);
}

void netron_keyring_clear(struct netron_keyring *keyring)
{
    clear_key(&keyring->signing);
    for (size_t i = 0; i < keyring->trusted_count; i++)
        clear_key(&keyring->trusted[i]);
    free(keyring->trusted);
    *keyring = (struct netron_keyring){.find = NULL};
}

/* ---- questions ---- */

bool netron_keyring_signs(const struct netron_keyring *keyring)
{
    return keyring->signing.loaded != NULL;
}

bool netron_keyring_is_strict(const struct netron_keyring *keyring)
{
    return keyring->trusted_count > 0 || keyring->find != NULL;
}

unsigned netron_keyring_page(const struct netron_keyring *keyring)
{
    bool is_slow = keyring->find != NULL;
    for (size_t i = 0; i < keyring->trusted_count && !is_slow; i++)
        is_slow = keyring->trusted[i].algorithm == NETRON_ED25519;
    return is_slow ? SLOW_PAGE : PAGE;
}

int netron_keyring_sign(const struct netron_keyring *keyring, const struct netron_statement *statement,
                        char text[NETRON_SIGNATURE_TEXT_MAX + 1])
{
    const struct netron_ring_key *key = &keyring->signing;
    return netron_proof_write(key->loaded, key->algorithm, key->id, *statement, text);
}

/* ---- checking ---- */

static bool speaks_for(const struct netron_ring_key *key, const char *node_id)
{
    size_t length = strlen(key->node_id);
    if (length == 0)
        return true;
    if (key->node_id[length - 1] == '*')
        return strncmp(key->node_id, node_id, length - 1) == 0;
    return strcmp(key->node_id, node_id) == 0;
}

static bool is_named(const struct netron_ring_key *key, const struct netron_proof *proof)
{
    return key->algorithm == proof->algorithm && strcmp(key->id, proof->key_id) == 0;
}

static int check_by(const struct netron_loaded_key *key, const struct netron_proof *proof, struct netron_failure *why)
{
    int code = netron_signature_check(key, proof->message, proof->length, proof->signature);
    if (code == NETRON_ENOMEM)
        return netron_fail(why, code, "no memory to check a signature");
    return code == 0 ? 0 : netron_fail(why, NETRON_EPERM, "its signature is wrong");
}

/* A key that the callback knows is loaded for this one question: the callback may forget it meanwhile. */
static int check_by_found(const struct netron_keyring *keyring, const char *node_id, const struct netron_proof *proof,
                          struct netron_failure *why)
{
    netron_signature_key given = {.id = proof->key_id};
    struct netron_ring_key key = {.loaded = NULL};
    if (keyring->find == NULL || keyring->find(node_id, proof->key_id, &given, keyring->find_arg) == 0)
        return netron_fail(why, NETRON_EPERM, "it is signed by a key that is not trusted with it");
    given.id = proof->key_id;
    given.node_id = NULL;
    int code = load(&given, false, "trusted_key", &key, why);
    if (code == NETRON_ENOMEM)
        return code;
    if (code != 0)
        code = netron_fail(why, NETRON_EPERM, "options.trusted_key answered with what is no key");
    else if (key.algorithm != proof->algorithm)
        code = netron_fail(why, NETRON_EPERM, "it is signed by another algorithm than its key is for");
    else
        code = check_by(key.loaded, proof, why);
    clear_key(&key);
    return code;
}

/* Several keys may have the same id: those of different nodes, whose patterns may overlap. */
int netron_keyring_check(const struct netron_keyring *keyring, const char *node_id, const struct netron_proof *proof,
                         struct netron_failure *why)
{
    int code = NETRON_EINVAL; /* of no key */
    for (size_t i = 0; i < keyring->trusted_count && (code == NETRON_EINVAL || code == NETRON_EPERM); i++)
        if (is_named(&keyring->trusted[i], proof) && speaks_for(&keyring->trusted[i], node_id))
            code = check_by(keyring->trusted[i].loaded, proof, why);
    return code != NETRON_EINVAL ? code : check_by_found(keyring, node_id, proof, why);
}

int netron_keyring_check_own(const struct netron_keyring *keyring, const struct netron_proof *proof)
{
    if (!netron_keyring_signs(keyring) || !is_named(&keyring->signing, proof))
        return NETRON_EPERM;
    return check_by(keyring->signing.loaded, proof, NULL);
}
