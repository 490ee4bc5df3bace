/* SPDX-License-Identifier: MIT */
/* Keys for tests, and records that they signed. The pairs are those of RFC 8032, section 7.1. */
#ifndef NETRON_TEST_SIGNING_H
#define NETRON_TEST_SIGNING_H

#include "keyring.h"
#include "record.h"
#include "wish.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS 3

static const char *const pair_secrets[PAIRS] = {
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
};
static const char *const pair_publics[PAIRS] = {
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
};

/* Up to 256 bytes; how many. */
static inline size_t bytes_of_hex(const char *hex, unsigned char *out)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return size;
}

/* The bytes stand until the end of the program: key_of_hex() is for as many keys as a program has. */
static inline const unsigned char *constant_bytes(const char *hex)
{
    static unsigned char room[64][64];
    static unsigned used;
    unsigned char *bytes = room[used++ % 64];
    bytes_of_hex(hex, bytes);
    return bytes;
}

static inline netron_signature_key private_key(unsigned pair, const char *id)
{
    return (netron_signature_key){
        .algorithm = NETRON_ED25519, .id = id, .bytes = constant_bytes(pair_secrets[pair]), .length = 32};
}

/* node_id NULL: of all nodes. */
static inline netron_signature_key public_key(unsigned pair, const char *id, const char *node_id)
{
    return (netron_signature_key){.algorithm = NETRON_ED25519,
                                  .id = id,
                                  .bytes = constant_bytes(pair_publics[pair]),
                                  .length = 32,
                                  .node_id = node_id};
}

static inline netron_signature_key shared_key(unsigned number, const char *id)
{
    netron_signature_key key = private_key(number, id);
    key.algorithm = NETRON_HMAC_SHA256;
    return key;
}

static inline struct netron_keyring keyring_of(const netron_signature_key *signing, const netron_signature_key *trusted,
                                               size_t count)
{
    struct netron_keyring keyring;
    struct netron_failure why = {0};
    netron_options options;
    netron_options_init(&options);
    options.signing_key = signing;
    options.trusted_keys = trusted;
    options.trusted_key_count = count;
    ck_assert_msg(netron_keyring_make(&options, &keyring, &why) == 0, "%s", why.sentence);
    return keyring;
}

/* The body of a record as a node with that key would write it; freed by the caller. */
static inline char *signed_body(const netron_signature_key *key, const char *key_prefix, const netron_node *node,
                                const char *incarnation, uint32_t ttl_ms, uint64_t sequence)
{
    struct netron_wish wish;
    struct netron_keyring keyring = keyring_of(key, NULL, 0);
    ck_assert_int_eq(netron_wish_make(&wish, node, ttl_ms), 0);
    ck_assert_int_eq(netron_wish_sign(&wish, &keyring, key_prefix, incarnation, ttl_ms, sequence), 0);
    char *body = strdup(wish.body);
    netron_wish_clear(&wish);
    netron_keyring_clear(&keyring);
    return body;
}

#endif
