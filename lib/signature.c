/* SPDX-License-Identifier: MIT */
/*
 * What libcrypto says of a failure stays in a queue of the thread, which belongs to the program: it is left as it was
 * found (ERR_set_mark).
 */
#include "signature.h"
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define HMAC_SIZE 32
#define ED25519_SIZE 64
#define MEMORY_FOR_A_TRY 4096 /* bytes: several times what it takes */

struct netron_loaded_key {
    netron_signature_algorithm algorithm;
    EVP_PKEY *pair; /* Ed25519; without its private half when it only checks */
    size_t length;  /* HMAC */
    unsigned char secret[NETRON_SECRET_MAX];
};

size_t netron_signature_size(netron_signature_algorithm algorithm)
{
    if (algorithm == NETRON_HMAC_SHA256)
        return HMAC_SIZE;
    return algorithm == NETRON_ED25519 ? ED25519_SIZE : 0;
}

/* ---- keys ---- */

/* libcrypto does not tell everywhere whether it refused something or had no memory for it. So what it refuses counts as
 * refused only when there is memory afterwards. To be called where errors are taken back: it may leave one. */
static bool has_memory(void)
{
    void *memory = OPENSSL_malloc(MEMORY_FOR_A_TRY);
    OPENSSL_free(memory);
    return memory != NULL;
}

static EVP_PKEY *make_pair(const unsigned char *bytes, size_t length, bool signs)
{
    return signs ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, length)
                 : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, length);
}

static int load_pair(struct netron_loaded_key *key, const unsigned char *bytes, size_t length, bool signs)
{
    ERR_set_mark();
    key->pair = make_pair(bytes, length, signs);
    bool is_refused = key->pair == NULL && has_memory();
    if (is_refused) /* a key is loaded seldom, and its refusal stays: so once more, now that there is memory for sure */
        key->pair = make_pair(bytes, length, signs);
    ERR_pop_to_mark();
    if (key->pair != NULL)
        return 0;
    return is_refused ? NETRON_EDISABLED : NETRON_ENOMEM;
}

int netron_loaded_key_new(netron_signature_algorithm algorithm, const unsigned char *bytes, size_t length, bool signs,
                          struct netron_loaded_key **out)
{
    int code = 0;
    struct netron_loaded_key *key = calloc(1, sizeof(*key));
    if (key == NULL)
        return NETRON_ENOMEM;
    key->algorithm = algorithm;
    if (algorithm == NETRON_HMAC_SHA256) {
        key->length = length;
        memcpy(key->secret, bytes, length);
    } else {
        code = load_pair(key, bytes, length, signs);
    }
    if (code == 0)
        *out = key;
    else
        netron_loaded_key_free(key);
    return code;
}

void netron_loaded_key_free(struct netron_loaded_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pair); /* wipes it */
    OPENSSL_cleanse(key->secret, sizeof(key->secret));
    free(key);
}

/* ---- signatures ---- */

static bool make_hmac(const struct netron_loaded_key *key, const unsigned char *message, size_t length,
                      unsigned char *out)
{
    unsigned size = HMAC_SIZE;
    return HMAC(EVP_sha256(), key->secret, (int)key->length, message, length, out, &size) != NULL;
}

int netron_signature_make(const struct netron_loaded_key *key, const unsigned char *message, size_t length,
                          unsigned char out[NETRON_SIGNATURE_MAX])
{
    size_t size = ED25519_SIZE;
    bool is_made = false;
    ERR_set_mark();
    if (key->algorithm == NETRON_HMAC_SHA256) {
        is_made = make_hmac(key, message, length, out);
    } else {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        is_made = context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pair) == 1 &&
                  EVP_DigestSign(context, out, &size, message, length) == 1;
        EVP_MD_CTX_free(context);
    }
    ERR_pop_to_mark();
    return is_made ? 0 : NETRON_ENOMEM;
}

static int check_hmac(const struct netron_loaded_key *key, const unsigned char *message, size_t length,
                      const unsigned char *signature)
{
    unsigned char right[HMAC_SIZE];
    if (!make_hmac(key, message, length, right))
        return NETRON_ENOMEM;
    bool is_right = CRYPTO_memcmp(right, signature, HMAC_SIZE) == 0;
    OPENSSL_cleanse(right, sizeof(right)); /* of a forged record it is what the forger lacks */
    return is_right ? 0 : NETRON_EPROTOCOL;
}

static int try_pair(const struct netron_loaded_key *key, const unsigned char *message, size_t length,
                    const unsigned char *signature)
{
    int code = NETRON_ENOMEM;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->pair) == 1) {
        bool is_right = EVP_DigestVerify(context, signature, ED25519_SIZE, message, length) == 1;
        code = is_right ? 0 : NETRON_EPROTOCOL;
    }
    EVP_MD_CTX_free(context);
    return code;
}

/* What was refused for want of memory would stay so for as long as the record stands. It is not checked a second time:
 * that would cost twice, for each of the records that somebody forges. */
static int check_pair(const struct netron_loaded_key *key, const unsigned char *message, size_t length,
                      const unsigned char *signature)
{
    int code = try_pair(key, message, length, signature);
    return code == NETRON_EPROTOCOL && !has_memory() ? NETRON_ENOMEM : code;
}

int netron_signature_check(const struct netron_loaded_key *key, const unsigned char *message, size_t length,
                           const unsigned char *signature)
{
    ERR_set_mark();
    int code = key->algorithm == NETRON_HMAC_SHA256 ? check_hmac(key, message, length, signature)
                                                    : check_pair(key, message, length, signature);
    ERR_pop_to_mark();
    return code;
}

int netron_signature_digest(const unsigned char *message, size_t length, unsigned char out[NETRON_DIGEST_SIZE])
{
    unsigned size = NETRON_DIGEST_SIZE;
    ERR_set_mark();
    int is_made = EVP_Digest(message, length, out, &size, EVP_sha256(), NULL);
    ERR_pop_to_mark();
    return is_made == 1 ? 0 : NETRON_ENOMEM;
}
