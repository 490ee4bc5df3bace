/* SPDX-License-Identifier: MIT */
/* Proofs: a signature as it stands in a record, "ed25519:<key id>:<base64>", with the bytes that it is over. */
#ifndef NETRON_LIB_PROOF_H
#define NETRON_LIB_PROOF_H

#include "failure.h"
#include "signature.h"
#include "statement.h"

struct netron_proof {
    netron_signature_algorithm algorithm;
    char key_id[NETRON_KEY_ID_MAX + 1];
    unsigned char signature[NETRON_SIGNATURE_MAX];
    unsigned char *message;
    size_t length;
    unsigned char digest[NETRON_DIGEST_SIZE]; /* of the message and the signature: of equal ones all is equal */
};

/* Whether a key may be called so. */
bool netron_key_id_is_valid(const char *id);

/* What the text, a signature, claims of a statement, whose algorithm and key id are taken from the text. Returns 0 and
 * a proof to be cleared; NETRON_EPROTOCOL with a sentence (the text is no signature), NETRON_ENOMEM. Whether the
 * signature is right is not looked at. */
int netron_proof_read(const char *text, struct netron_statement statement, struct netron_proof *out,
                      struct netron_failure *why);
void netron_proof_clear(struct netron_proof *proof);

/* The signature of a statement as text, by a key of that algorithm and id. Returns 0 or NETRON_ENOMEM. */
int netron_proof_write(const struct netron_loaded_key *key, netron_signature_algorithm algorithm, const char *key_id,
                       struct netron_statement statement, char text[NETRON_SIGNATURE_TEXT_MAX + 1]);

#endif
