/* SPDX-License-Identifier: MIT */
#include "certificates.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR 3600L

static void need(bool is_fine, const char *what)
{
    if (is_fine)
        return;
    fprintf(stderr, "certificates: %s\n", what);
    exit(EXIT_FAILURE);
}

static FILE *open_file(const char *folder, const char *name, const char *kind, const char *mode)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s.%s", folder, name, kind);
    FILE *file = fopen(path, mode);
    need(file != NULL, path);
    return file;
}

/* What somebody reads meanwhile is the old file, or the new one. */
static void put_in_place(const char *folder, const char *name, const char *kind)
{
    char from[256];
    char to[256];
    snprintf(from, sizeof(from), "%s/%s.new-%s", folder, name, kind);
    snprintf(to, sizeof(to), "%s/%s.%s", folder, name, kind);
    need(rename(from, to) == 0, to);
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    need(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, value);
    X509_EXTENSION_free(extension);
}

static X509 *draft(const struct certificate *wanted, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    long serial = 0;
    need(certificate != NULL && RAND_bytes((unsigned char *)&serial, 4) == 1, "no memory");
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wanted->from_hours * HOUR);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wanted->to_hours * HOUR);
    X509_set_pubkey(certificate, key);
    /* A CA is looked for by its subject, so no two may be namesakes. */
    char subject[64];
    snprintf(subject, sizeof(subject), "%s %08lx", wanted->name, (unsigned long)serial);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, (const unsigned char *)subject,
                               -1, -1, 0);
    return certificate;
}

static X509 *read_certificate(const char *folder, const char *name)
{
    FILE *file = open_file(folder, name, "crt", "r");
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    need(certificate != NULL, name);
    return certificate;
}

static EVP_PKEY *read_key(const char *folder, const char *name)
{
    FILE *file = open_file(folder, name, "key", "r");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    need(key != NULL, name);
    return key;
}

static void sign(X509 *certificate, const char *folder, const char *issuer_name)
{
    X509 *issuer = read_certificate(folder, issuer_name);
    EVP_PKEY *key = read_key(folder, issuer_name);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    need(X509_sign(certificate, key, EVP_sha256()) > 0, "cannot sign");
    X509_free(issuer);
    EVP_PKEY_free(key);
}

void certificate_make(const char *folder, const struct certificate *wanted)
{
    EVP_PKEY *key = wanted->has_rsa_key ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    need(key != NULL, "no key");
    X509 *certificate = draft(wanted, key);
    if (wanted->hosts != NULL)
        add_extension(certificate, certificate, NID_subject_alt_name, wanted->hosts);
    if (wanted->issuer != NULL) {
        sign(certificate, folder, wanted->issuer);
    } else {
        add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
        X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
        need(X509_sign(certificate, key, EVP_sha256()) > 0, "cannot sign");
    }
    FILE *file = open_file(folder, wanted->name, "new-key", "w");
    need(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1, "cannot write");
    fclose(file);
    file = open_file(folder, wanted->name, "new-crt", "w");
    need(PEM_write_X509(file, certificate) == 1, "cannot write");
    fclose(file);
    put_in_place(folder, wanted->name, "key");
    put_in_place(folder, wanted->name, "crt");
    X509_free(certificate);
    EVP_PKEY_free(key);
}

void certificate_rehash(const char *folder, const char *name, char *link, size_t size)
{
    char target[256];
    X509 *certificate = read_certificate(folder, name);
    snprintf(target, sizeof(target), "%s.crt", name);
    snprintf(link, size, "%s/%08lx.0", folder, X509_NAME_hash_ex(X509_get_subject_name(certificate), NULL, NULL, NULL));
    need(symlink(target, link) == 0, link);
    X509_free(certificate);
}

void certificate_lock(const char *folder, const char *name, const char *passphrase)
{
    EVP_PKEY *key = read_key(folder, name);
    FILE *file = open_file(folder, name, "new-key", "w");
    need(PEM_write_PrivateKey(file, key, EVP_aes_256_cbc(), (const unsigned char *)passphrase, (int)strlen(passphrase),
                              NULL, NULL) == 1,
         "cannot write");
    fclose(file);
    put_in_place(folder, name, "key");
    EVP_PKEY_free(key);
}

void certificate_remove(const char *folder, const char *name)
{
    static const char *const kinds[] = {"crt", "key"};
    char path[256];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s.%s", folder, name, kinds[i]);
        unlink(path);
    }
}
