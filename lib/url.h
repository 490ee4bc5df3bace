/* SPDX-License-Identifier: MIT */
/* redis:// and unix:// URLs. */
#ifndef NETRON_LIB_URL_H
#define NETRON_LIB_URL_H

#include "failure.h"
#include <stdint.h>

#define NETRON_REDIS_PORT 6379
#define NETRON_DATABASE_MAX 65535 /* a sanity limit; the server's own is told by its answer to SELECT */

struct netron_url {
    char *host; /* NULL for a Unix socket; an IPv6 literal stands without its brackets */
    uint16_t port;
    char *path;     /* NULL for TCP */
    char *username; /* percent-decoded; NULL when there is none */
    char *password; /* likewise */
    uint32_t database;
};

/* redis://[[user]:password@]host[:port][/database] and unix://[[user]:password@]/path[?db=n].
 * Returns 0, NETRON_EURL with a sentence that names the part and never holds the password, NETRON_ENOMEM.
 * On failure out is left cleared. */
int netron_url_parse(const char *text, struct netron_url *out, struct netron_failure *why);
void netron_url_clear(struct netron_url *url); /* wipes the password; idempotent */

/* Frees a secret text after overwriting it; NULL is fine. */
void netron_secret_free(char *secret);

#endif
