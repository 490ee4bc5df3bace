/* SPDX-License-Identifier: MIT */
#include "proof.h"
#include "base64.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What would have to be escaped in JSON, or ends an id in the text of a signature, is none of its characters. */
bool netron_key_id_is_valid(const char *id)
{
    size_t length = strnlen(id, NETRON_KEY_ID_MAX + 1);
    for (size_t i = 0; i < length; i++)
        if (id[i] < 0x21 || id[i] > 0x7e || id[i] == '"' || id[i] == ':' || id[i] == '\\')
            return false;
    return length > 0 && length <= NETRON_KEY_ID_MAX;
}

/* The algorithm whose name the text begins with, and what stands behind the name and its colon. */
static const char *read_algorithm(const char *text, netron_signature_algorithm *out)
{
    static const netron_signature_algorithm algorithms[] = {NETRON_HMAC_SHA256, NETRON_ED25519};
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        const char *name = netron_signature_algorithm_name(algorithms[i]);
        size_t length = strlen(name);
        if (strncmp(text, name, length) == 0 && text[length] == ':') {
            *out = algorithms[i];
            return text + length + 1;
        }
    }
    return NULL;
}

static bool read_text(const char *text, struct netron_proof *out)
{
    const char *key_id = read_algorithm(text, &out->algorithm);
    const char *colon = key_id != NULL ? strchr(key_id, ':') : NULL;
    if (colon == NULL || colon - key_id > NETRON_KEY_ID_MAX)
        return false;
    memcpy(out->key_id, key_id, (size_t)(colon - key_id));
    size_t size = netron_signature_size(out->algorithm);
    return netron_key_id_is_valid(out->key_id) && size > 0 && netron_base64_read(colon + 1, out->signature, size);
}

static void name_key(struct netron_statement *statement, netron_signature_algorithm algorithm, const char *key_id)
{
    statement->algorithm = netron_signature_algorithm_name(algorithm);
    statement->key_id = key_id;
}

int netron_proof_read(const char *text, struct netron_statement statement, struct netron_proof *out,
                      struct netron_failure *why)
{
    struct netron_proof proof = {.message = NULL};
    *out = proof;
    if (!read_text(text, &proof))
        return netron_fail(why, NETRON_EPROTOCOL, "its signature is malformed, or of an unknown kind");
    size_t size = netron_signature_size(proof.algorithm);
    name_key(&statement, proof.algorithm, proof.key_id);
    proof.message = netron_statement_write(&statement, size, &proof.length);
    if (proof.message == NULL)
        return netron_fail(why, NETRON_ENOMEM, "no memory to check a signature");
    memcpy(proof.message + proof.length, proof.signature, size);
    if (netron_signature_digest(proof.message, proof.length + size, proof.digest) != 0) {
        netron_proof_clear(&proof);
        return netron_fail(why, NETRON_ENOMEM, "no memory to check a signature");
    }
    *out = proof;
    return 0;
}

void netron_proof_clear(struct netron_proof *proof)
{
    free(proof->message);
    proof->message = NULL;
}

int netron_proof_write(const struct netron_loaded_key *key, netron_signature_algorithm algorithm, const char *key_id,
                       struct netron_statement statement, char text[NETRON_SIGNATURE_TEXT_MAX + 1])
{
    unsigned char signature[NETRON_SIGNATURE_MAX];
    char base64[NETRON_BASE64_LENGTH(NETRON_SIGNATURE_MAX) + 1];
    size_t length = 0;
    name_key(&statement, algorithm, key_id);
    unsigned char *message = netron_statement_write(&statement, 0, &length);
    if (message == NULL)
        return NETRON_ENOMEM;
    int code = netron_signature_make(key, message, length, signature);
    free(message);
    if (code != 0)
        return code;
    netron_base64_write(signature, netron_signature_size(algorithm), base64);
    snprintf(text, NETRON_SIGNATURE_TEXT_MAX + 1, "%s:%s:%s", statement.algorithm, key_id, base64);
    return 0;
}
