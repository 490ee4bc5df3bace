/* SPDX-License-Identifier: MIT */
/*
 * TLS of one connection: OpenSSL below hiredis' buffers. Two files implement it, one of which is built: tls.c, and
 * tls_absent.c where there is no hiredis_ssl.
 *
 * The certificates are read from their files for each connection, so renewed ones are in use from the next one on, and
 * nothing has to be told to a server that runs for years. The handshake is done here, step by step, and not left to the
 * reading and writing of hiredis: so its end is known, its failures have their reason, and no command is sent before
 * the server has proved its name.
 *
 * A failure that certificates, versions or files are the reason of has the code NETRON_ETLS; of the network,
 * NETRON_EDISCONNECTED.
 */
#ifndef NETRON_LIB_TLS_H
#define NETRON_LIB_TLS_H

#include "tls_settings.h"

struct netron_tls;
struct redisContext;

/* Whether this build has it. */
bool netron_tls_is_built_in(void);

/* Reads the files, blocking, which for local files is brief. name: what the server has to prove that it is, unless the
 * settings have another. Returns 0, NETRON_ETLS with a sentence that names the option, NETRON_ENOMEM. */
int netron_tls_new(const struct netron_tls_settings *settings, const char *name, struct netron_tls **out,
                   struct netron_failure *why);
/* Says goodbye to the server, if there was a handshake. The descriptor is still open then. NULL is fine. */
void netron_tls_free(struct netron_tls *tls);

/*
 * Goes on with the handshake, as far as it comes without waiting. context is connected, has sent nothing yet, and is
 * the same for the life of tls. Returns 0 with *interest the NETRON_READABLE or NETRON_WRITABLE that it waits for, or
 * 0 when it is done; NETRON_ETLS, NETRON_EDISCONNECTED, NETRON_ENOMEM: then the context is good for nothing but to be
 * freed.
 */
int netron_tls_handshake(struct netron_tls *tls, struct redisContext *context, unsigned *interest,
                         struct netron_failure *why);

/* redisBufferRead() and redisBufferWrite(), but that nothing readable stays behind in OpenSSL, of which no event would
 * tell. Return 0; NETRON_ETLS (a server tells only now that it refused a client certificate), NETRON_EDISCONNECTED,
 * NETRON_ENOMEM. */
int netron_tls_read(struct netron_tls *tls, struct redisContext *context, struct netron_failure *why);
int netron_tls_write(struct netron_tls *tls, struct redisContext *context, struct netron_failure *why);
/* What to wait for after the latest reading and writing: with TLS either can wait for the other. */
unsigned netron_tls_interest(const struct netron_tls *tls, const struct redisContext *context);

#endif
