/* SPDX-License-Identifier: MIT */
#include "signature.h"

/* No key comes into being, so nothing below is ever reached with one. */
int netron_loaded_key_new(netron_signature_algorithm algorithm, const unsigned char *bytes, size_t length, bool signs,
                          struct netron_loaded_key **out)
{
    (void)algorithm, (void)bytes, (void)length, (void)signs, (void)out;
    return NETRON_EDISABLED;
}

void netron_loaded_key_free(struct netron_loaded_key *key)
{
    (void)key;
}

int netron_signature_make(const struct netron_loaded_key *key, const unsigned char *message, size_t length,
                          unsigned char out[NETRON_SIGNATURE_MAX])
{
    (void)key, (void)message, (void)length, (void)out;
    return NETRON_EDISABLED;
}

int netron_signature_check(const struct netron_loaded_key *key, const unsigned char *message, size_t length,
                           const unsigned char *signature)
{
    (void)key, (void)message, (void)length, (void)signature;
    return NETRON_EDISABLED;
}

int netron_signature_digest(const unsigned char *message, size_t length, unsigned char out[NETRON_DIGEST_SIZE])
{
    (void)message, (void)length, (void)out;
    return NETRON_EDISABLED;
}

size_t netron_signature_size(netron_signature_algorithm algorithm)
{
    (void)algorithm;
    return 0;
}
