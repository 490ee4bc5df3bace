/* SPDX-License-Identifier: MIT */
/* Certificates of the tests' own, made when they are needed. Built only where the library has TLS. */
#ifndef NETRON_TEST_CERTIFICATES_H
#define NETRON_TEST_CERTIFICATES_H

#include <stdbool.h>
#include <stddef.h>

struct certificate {
    const char *name;   /* what it is written to: folder/name.crt and folder/name.key */
    const char *issuer; /* the name of one that was made before in this folder; NULL: a CA, signed by itself */
    const char *hosts;  /* "DNS:localhost,IP:127.0.0.1"; NULL for none */
    int from_hours;     /* when it begins to be valid, from now on: -1 if it is to be so at once */
    int to_hours;       /* and ends */
    bool has_rsa_key;   /* or one of an elliptic curve */
};

/* Replaces files that are there in one go. Fails the test, or the whole run, when it cannot. */
void certificate_make(const char *folder, const struct certificate *certificate);
/* Makes the folder one that OpenSSL finds this CA in; the name of what was made for that is written to link. */
void certificate_rehash(const char *folder, const char *name, char *link, size_t size);
/* Its key needs this passphrase from now on. */
void certificate_lock(const char *folder, const char *name, const char *passphrase);
/* Takes certificate and key away, whatever is there of them. */
void certificate_remove(const char *folder, const char *name);

#endif
