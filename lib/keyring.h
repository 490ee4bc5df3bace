/* SPDX-License-Identifier: MIT */
/* The keyring: the key that signs this process's nodes, and those that it believes. */
#ifndef NETRON_LIB_KEYRING_H
#define NETRON_LIB_KEYRING_H

#include "proof.h"
#include <netron/options.h>

/* Keys of the options, loaded. */
struct netron_ring_key {
    netron_signature_algorithm algorithm;
    char id[NETRON_KEY_ID_MAX + 1];
    char node_id[NETRON_NODE_ID_MAX + 2]; /* "": of all nodes; with a '*' at the end: of those whose ids begin so */
    struct netron_loaded_key *loaded;
};

struct netron_keyring {
    struct netron_ring_key signing; /* without a loaded key nothing is signed */
    struct netron_ring_key *trusted;
    size_t trusted_count;
    netron_trusted_key_fn find;
    void *find_arg;
};

/* Returns 0 and a keyring to be cleared; NETRON_EINVAL, NETRON_ELIMIT, NETRON_EDISABLED, NETRON_ENOMEM with a sentence.
 */
int netron_keyring_make(const netron_options *options, struct netron_keyring *out, struct netron_failure *why);
void netron_keyring_clear(struct netron_keyring *keyring); /* wipes the keys; idempotent */

bool netron_keyring_signs(const struct netron_keyring *keyring);
/* Whether only signed records are believed. */
bool netron_keyring_is_strict(const struct netron_keyring *keyring);
/* How many records are to be looked at in one turn of the loop, at the most. */
unsigned netron_keyring_page(const struct netron_keyring *keyring);

/* The signature of a statement by the key that signs. Returns 0 or NETRON_ENOMEM. */
int netron_keyring_sign(const struct netron_keyring *keyring, const struct netron_statement *statement,
                        char text[NETRON_SIGNATURE_TEXT_MAX + 1]);

/* Whether one of the trusted keys made the proof, and may speak for that node. Returns 0; NETRON_EPERM with a sentence,
 * NETRON_ENOMEM. */
int netron_keyring_check(const struct netron_keyring *keyring, const char *node_id, const struct netron_proof *proof,
                         struct netron_failure *why);
/* Whether the key that signs made it: 0, or another code. */
int netron_keyring_check_own(const struct netron_keyring *keyring, const struct netron_proof *proof);

#endif
