/* SPDX-License-Identifier: MIT */
/* Signatures of bytes: signature.c makes and checks them by OpenSSL's libcrypto; where the library was built without
 * that, signature_absent.c refuses every key. */
#ifndef NETRON_LIB_SIGNATURE_H
#define NETRON_LIB_SIGNATURE_H

#include <netron/error.h>
#include <netron/signature.h>
#include <stdbool.h>
#include <stddef.h>

#define NETRON_SIGNATURE_MAX 64 /* bytes */
#define NETRON_DIGEST_SIZE 32   /* of SHA-256 */
#define NETRON_SECRET_MIN 32    /* bytes of a key */
#define NETRON_SECRET_MAX 64

struct netron_loaded_key;

/* How many bytes a signature has; 0 for an algorithm that is none. */
size_t netron_signature_size(netron_signature_algorithm algorithm);

/* A key whose algorithm and length have been checked. Returns 0; NETRON_EDISABLED (built without signatures, or
 * libcrypto refuses the algorithm or the key), NETRON_ENOMEM. */
int netron_loaded_key_new(netron_signature_algorithm algorithm, const unsigned char *bytes, size_t length, bool signs,
                          struct netron_loaded_key **out);
void netron_loaded_key_free(struct netron_loaded_key *key); /* wipes it; NULL is fine */

/* With a key that signs. Returns 0 or NETRON_ENOMEM. */
int netron_signature_make(const struct netron_loaded_key *key, const unsigned char *message, size_t length,
                          unsigned char out[NETRON_SIGNATURE_MAX]);

/* With any key. Returns 0; NETRON_EPROTOCOL (the signature is wrong), NETRON_ENOMEM. */
int netron_signature_check(const struct netron_loaded_key *key, const unsigned char *message, size_t length,
                           const unsigned char *signature);

/* Returns 0 or NETRON_ENOMEM. */
int netron_signature_digest(const unsigned char *message, size_t length, unsigned char out[NETRON_DIGEST_SIZE]);

#endif
