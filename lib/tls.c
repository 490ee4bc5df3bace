/* SPDX-License-Identifier: MIT */
#include "tls.h"
#include "sigpipe.h"
#include <netron/loop.h>

#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <hiredis/sds.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct netron_tls {
    SSL *ssl;   /* shared with the context of hiredis, once the handshake has begun */
    char *name; /* what the server has to prove that it is */
    bool is_begun;
    bool is_done; /* the handshake */
    bool is_broken;
    bool needs_passphrase; /* a key of ours, or so it seems */
    bool trusts_system;    /* for no CA is named */
    bool read_waits_for_write;
    bool write_waits_for_read;
};

bool netron_tls_is_built_in(void)
{
    return true;
}

/* ---- why it failed ---- */

static const char *reason_of(unsigned long error)
{
    const char *reason = NULL;
    if (ERR_GET_LIB(error) == ERR_LIB_SYS)
        reason = strerror(ERR_GET_REASON(error));
    else if (error != 0)
        reason =
            ERR_GET_REASON(error) == ERR_R_UNSUPPORTED ? "it is of no known format" : ERR_reason_error_string(error);
    return reason != NULL ? reason : "OpenSSL does not say why";
}

static bool is_lack_of_memory(unsigned long error)
{
    return error != 0 && ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
}

static int no_memory(struct netron_failure *why)
{
    return netron_fail(why, NETRON_ENOMEM, "no memory for TLS");
}

/* The first error of a file tells what is wrong with it; those that follow, what could not be done then. */
static int fail_by_file(const char *member, const char *file, struct netron_failure *why)
{
    unsigned long error = ERR_peek_error();
    if (is_lack_of_memory(error))
        return no_memory(why);
    return netron_fail(why, NETRON_ETLS, "TLS: options.%s \"%s\": %s", member, file, reason_of(error));
}

static int fail_by_verification(const struct netron_tls *tls, long result, struct netron_failure *why)
{
    const char *hint = "";
    switch (result) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        hint = tls->trusts_system ? " (no CA that the system trusts has signed it; options.tls_ca_file names another)"
                                  : " (no CA of options.tls_ca_file or tls_ca_dir has signed it)";
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        hint = " (it is one of another server; or set options.tls_server_name)";
        break;
    default:
        break;
    }
    return netron_fail(why, NETRON_ETLS, "TLS: the certificate that \"%s\" shows is refused: %s%s", tls->name,
                       X509_verify_cert_error_string(result), hint);
}

/* Alerts are numbered from an offset on; what OpenSSL has in common for all its libraries has larger numbers. */
static bool is_alert(unsigned long error)
{
    int alert = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
    return ERR_GET_LIB(error) == ERR_LIB_SSL && alert >= 0 && alert <= UINT8_MAX;
}

/* What the server sends before it hangs up. In TLS 1.3 what it thinks of our certificate comes after the handshake. */
static int fail_by_alert(const struct netron_tls *tls, unsigned long error, struct netron_failure *why)
{
    bool has_certificate = SSL_get_certificate(tls->ssl) != NULL;
    int code = NETRON_ETLS;
    const char *hint = "";
    switch (ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET) {
    case SSL_AD_CERTIFICATE_REQUIRED:
    case SSL_AD_HANDSHAKE_FAILURE: /* the same in TLS 1.2 */
        hint = has_certificate ? "" : " (does it want a client certificate? options.tls_cert_file)";
        break;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
        hint = has_certificate ? " (that is said of the client certificate, options.tls_cert_file)" : "";
        break;
    case SSL_AD_PROTOCOL_VERSION:
        hint = " (options.tls_min_version, or what openssl.cnf asks for)";
        break;
    case SSL_AD_INSUFFICIENT_SECURITY:
    case SSL_AD_UNRECOGNIZED_NAME:
        break;
    default: /* a fault of the moment, or of the way */
        code = NETRON_EDISCONNECTED;
        break;
    }
    return netron_fail(why, code, "TLS: Redis refuses the connection: %s%s", reason_of(error), hint);
}

static int fail_by_network(const struct netron_tls *tls, const char *reason, struct netron_failure *why)
{
    return netron_fail(why, NETRON_EDISCONNECTED, "%s: %s",
                       tls->is_done ? "connection to Redis lost" : "cannot connect: the TLS handshake", reason);
}

/* system_error: errno as the failed step left it, 0 for an end without one. */
static int fail(struct netron_tls *tls, const redisContext *context, int system_error, struct netron_failure *why)
{
    unsigned long error = ERR_peek_last_error();
    bool is_of_tls = ERR_GET_LIB(error) == ERR_LIB_SSL;
    long verified = SSL_get_verify_result(tls->ssl);
    tls->is_broken = true;
    if (context->err == REDIS_ERR_OOM || is_lack_of_memory(error))
        return no_memory(why);
    if (!tls->is_done && verified != X509_V_OK)
        return fail_by_verification(tls, verified, why);
    if (is_alert(error))
        return fail_by_alert(tls, error, why);
    if (context->err == REDIS_ERR_EOF || (is_of_tls && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING))
        return fail_by_network(tls, "Server closed the connection", why);
    if (error == 0)
        return fail_by_network(tls, system_error != 0 ? strerror(system_error) : "Server closed the connection", why);
    if (tls->is_done) /* then it has been right before: somebody on the way has spoilt it */
        return fail_by_network(tls, reason_of(error), why);
    return netron_fail(why, NETRON_ETLS, "TLS: the handshake with Redis failed: %s%s", reason_of(error),
                       ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER ? " (does this port speak TLS?)" : "");
}

/* ---- the files ---- */

/* Of a key, whose passphrase OpenSSL would ask for on the terminal, and wait. */
static int know_no_passphrase(char *out, int size, int is_for_writing, void *needed)
{
    (void)out, (void)size, (void)is_for_writing;
    *(bool *)needed = true;
    return -1;
}

/* OpenSSL looks into a folder when it needs a certificate of it, so one that is not there would be an unknown CA. */
static int trust_folder(SSL_CTX *context, const char *folder, struct netron_failure *why)
{
    struct stat status;
    int error = stat(folder, &status) != 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    if (error != 0)
        return netron_fail(why, NETRON_ETLS, "TLS: options.tls_ca_dir \"%s\": %s", folder, strerror(error));
    return SSL_CTX_load_verify_dir(context, folder) == 1 ? 0 : no_memory(why);
}

static int trust(struct netron_tls *tls, SSL_CTX *context, const struct netron_tls_settings *settings,
                 struct netron_failure *why)
{
    tls->trusts_system = settings->ca_file == NULL && settings->ca_dir == NULL;
    if (settings->ca_file != NULL && SSL_CTX_load_verify_file(context, settings->ca_file) != 1)
        return fail_by_file("tls_ca_file", settings->ca_file, why);
    if (settings->ca_dir != NULL)
        return trust_folder(context, settings->ca_dir, why);
    if (tls->trusts_system && SSL_CTX_set_default_verify_paths(context) != 1)
        return no_memory(why);
    return 0;
}

static int load_own_certificate(struct netron_tls *tls, SSL_CTX *context, const struct netron_tls_settings *settings,
                                struct netron_failure *why)
{
    if (settings->cert_file == NULL)
        return 0;
    SSL_CTX_set_default_passwd_cb(context, know_no_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context, &tls->needs_passphrase);
    if (SSL_CTX_use_certificate_chain_file(context, settings->cert_file) != 1)
        return fail_by_file("tls_cert_file", settings->cert_file, why);
    bool is_key = SSL_CTX_use_PrivateKey_file(context, settings->key_file, SSL_FILETYPE_PEM) == 1;
    if (tls->needs_passphrase)
        return netron_fail(why, NETRON_ETLS, "TLS: options.tls_key_file \"%s\": it needs a passphrase",
                           settings->key_file);
    if (!is_key)
        return fail_by_file("tls_key_file", settings->key_file, why);
    /* That they do not belong together was seen above if both are of one kind. */
    if (SSL_CTX_check_private_key(context) != 1)
        return netron_fail(why, NETRON_ETLS, "TLS: options.tls_key_file \"%s\": key type mismatch with tls_cert_file",
                           settings->key_file);
    return 0;
}

/* What the system asks for is lowered by nothing but the option. */
static bool set_least_version(SSL_CTX *context, netron_tls_version wanted)
{
    if (wanted == 0 && SSL_CTX_get_min_proto_version(context) >= TLS1_2_VERSION)
        return true;
    return SSL_CTX_set_min_proto_version(context, wanted == NETRON_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1;
}

static int configure(struct netron_tls *tls, SSL_CTX *context, const struct netron_tls_settings *settings,
                     struct netron_failure *why)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    /* One record at a time: a server that sends others than data without end must not keep the loop. */
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    if (!set_least_version(context, settings->min_version))
        return netron_fail(why, NETRON_ETLS, "TLS: options.tls_min_version: OpenSSL is not allowed to speak that here");
    int code = trust(tls, context, settings, why);
    return code != 0 ? code : load_own_certificate(tls, context, settings, why);
}

/* ---- beginning and end ---- */

static bool set_name(SSL *ssl, const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];
    X509_VERIFY_PARAM *expected = SSL_get0_param(ssl);
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(expected, name) == 1; /* no such name may be sent along */
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(expected, name, 0) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* The server's certificate has to be one of that name. OpenSSL would take one with a dot in front for all names that
 * end so, and an empty one for any; the name may come from a sentinel, or from a node of a cluster. */
static int expect_name(SSL *ssl, const char *name, struct netron_failure *why)
{
    if (name[0] == '\0' || name[0] == '.')
        return netron_fail(why, NETRON_ETLS, "TLS: no certificate is one of a host \"%s\"", name);
    return set_name(ssl, name) ? 0 : no_memory(why);
}

/* Certificates have no dot at the end, where a URL may have one. */
static char *copy_name(const char *name)
{
    size_t length = strlen(name);
    return strndup(name, length > 1 && name[length - 1] == '.' ? length - 1 : length);
}

int netron_tls_new(const struct netron_tls_settings *settings, const char *name, struct netron_tls **out,
                   struct netron_failure *why)
{
    ERR_clear_error();
    struct netron_tls *tls = calloc(1, sizeof(*tls));
    SSL_CTX *context = tls != NULL ? SSL_CTX_new(TLS_client_method()) : NULL;
    int code = context != NULL ? configure(tls, context, settings, why) : no_memory(why);
    if (code == 0) {
        tls->name = copy_name(settings->server_name != NULL ? settings->server_name : name);
        tls->ssl = SSL_new(context);
        code = tls->name != NULL && tls->ssl != NULL ? expect_name(tls->ssl, tls->name, why) : no_memory(why);
    }
    SSL_CTX_free(context); /* the SSL has its own reference */
    ERR_clear_error();
    if (code == 0)
        *out = tls;
    else
        netron_tls_free(tls);
    return code;
}

void netron_tls_free(struct netron_tls *tls)
{
    if (tls == NULL)
        return;
    if (tls->is_done && !tls->is_broken) {
        struct netron_sigpipe guard;
        netron_sigpipe_block(&guard);
        ERR_set_mark(); /* the user may free from anywhere: what he has in OpenSSL's queue of errors stays there */
        SSL_shutdown(tls->ssl); /* what the server answers, if it does, is nobody's concern */
        ERR_pop_to_mark();
        netron_sigpipe_restore(&guard, true);
    }
    SSL_free(tls->ssl);
    free(tls->name);
    free(tls);
}

/* ---- the handshake ---- */

static int begin(struct netron_tls *tls, redisContext *context, struct netron_failure *why)
{
    tls->is_begun = true;
    SSL_up_ref(tls->ssl);
    errno = 0;
    if (redisInitiateSSL(context, tls->ssl) == REDIS_OK)
        return 0;
    int system_error = errno;
    SSL_free(tls->ssl); /* it was not taken */
    return fail(tls, context, system_error, why);
}

static int step(struct netron_tls *tls, redisContext *context, unsigned *interest, struct netron_failure *why)
{
    errno = 0;
    int result = SSL_do_handshake(tls->ssl);
    int system_error = errno;
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_NONE:
        tls->is_done = true;
        *interest = 0;
        return 0;
    case SSL_ERROR_WANT_READ:
        *interest = NETRON_READABLE;
        return 0;
    case SSL_ERROR_WANT_WRITE:
        *interest = NETRON_WRITABLE;
        return 0;
    default:
        return fail(tls, context, system_error, why);
    }
}

int netron_tls_handshake(struct netron_tls *tls, struct redisContext *context, unsigned *interest,
                         struct netron_failure *why)
{
    struct netron_sigpipe guard;
    netron_sigpipe_block(&guard);
    ERR_clear_error(); /* what others left there would be taken for the reason of a failure */
    int code = tls->is_begun ? 0 : begin(tls, context, why);
    if (code == 0)
        code = step(tls, context, interest, why);
    ERR_clear_error();
    netron_sigpipe_restore(&guard, true);
    return code;
}

/* ---- the traffic ---- */

int netron_tls_read(struct netron_tls *tls, struct redisContext *context, struct netron_failure *why)
{
    struct netron_sigpipe guard; /* reading can write: an answer of the protocol, an alert */
    int code = 0;
    int result;
    netron_sigpipe_block(&guard);
    ERR_clear_error();
    do {
        errno = 0;
        result = redisBufferRead(context);
    } while (result == REDIS_OK && SSL_pending(tls->ssl) > 0);
    if (result != REDIS_OK)
        code = fail(tls, context, errno, why);
    tls->read_waits_for_write = SSL_want_write(tls->ssl);
    tls->write_waits_for_read = false;
    ERR_clear_error();
    netron_sigpipe_restore(&guard, true);
    return code;
}

int netron_tls_write(struct netron_tls *tls, struct redisContext *context, struct netron_failure *why)
{
    struct netron_sigpipe guard;
    size_t before = sdslen(context->obuf);
    int code = 0;
    netron_sigpipe_block(&guard);
    ERR_clear_error();
    errno = 0;
    int result = redisBufferWrite(context, NULL);
    int system_error = errno;
    bool is_stuck = result == REDIS_OK && before > 0 && sdslen(context->obuf) == before;
    /* hiredis takes an SSL_write() that says 0 for one that will go on. */
    if (result != REDIS_OK || (is_stuck && SSL_want_nothing(tls->ssl)))
        code = fail(tls, context, system_error, why);
    tls->write_waits_for_read = is_stuck && SSL_want_read(tls->ssl);
    ERR_clear_error();
    netron_sigpipe_restore(&guard, true);
    return code;
}

unsigned netron_tls_interest(const struct netron_tls *tls, const struct redisContext *context)
{
    if (tls->read_waits_for_write)
        return NETRON_WRITABLE;
    bool has_unsent = sdslen(context->obuf) > 0 && !tls->write_waits_for_read;
    return NETRON_READABLE | (has_unsent ? NETRON_WRITABLE : 0u);
}
