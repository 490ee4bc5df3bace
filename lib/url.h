/* SPDX-License-Identifier: MIT */
/* The URLs that say where Redis is. */
#ifndef NETRON_LIB_URL_H
#define NETRON_LIB_URL_H

#include "failure.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETRON_REDIS_PORT 6379
#define NETRON_SENTINEL_PORT 26379
#define NETRON_DATABASE_MAX 65535 /* a sanity limit; the server's own is told by its answer to SELECT */
#define NETRON_HOST_MAX 255       /* bytes; no name in the DNS is longer */
#define NETRON_HOSTS_MAX 64       /* likewise: more sentinels, or ways into a cluster, help nobody */

enum netron_url_kind {
    NETRON_URL_SERVER,    /* redis://, rediss:// and unix://: that server */
    NETRON_URL_SENTINELS, /* redis+sentinel://: the hosts are sentinels, which know the primary */
    NETRON_URL_CLUSTER    /* redis+cluster://: the hosts are nodes of a cluster, which know the others */
};

struct netron_host {
    char name[NETRON_HOST_MAX + 1]; /* or a literal; one of IPv6 stands without its brackets */
    uint16_t port;
};

struct netron_url {
    enum netron_url_kind kind;
    bool tls;                  /* the scheme begins with rediss */
    struct netron_host *hosts; /* NULL for a Unix socket; one for a server */
    size_t host_count;
    char *path;         /* NULL for TCP */
    char *primary_name; /* as the sentinels know it; NULL elsewhere */
    char *username;     /* percent-decoded; NULL when there is none */
    char *password;     /* likewise */
    uint32_t database;
};

/*
 *     redis://[[user]:password@]host[:port][/database]
 *     unix://[[user]:password@]/path[?db=n]
 *     redis+sentinel://[[user]:password@]host[:port][,host[:port]...]/primary[/database]
 *     redis+cluster://[[user]:password@]host[:port][,host[:port]...]
 *
 * and with rediss instead of redis. Returns 0, NETRON_EURL with a sentence that names the part and never holds the
 * password, NETRON_ENOMEM. On failure out is left cleared.
 */
int netron_url_parse(const char *text, struct netron_url *out, struct netron_failure *why);
void netron_url_clear(struct netron_url *url); /* wipes the password; idempotent */

/* Room for the text of a host and a port. */
#define NETRON_ADDRESS_SIZE (NETRON_HOST_MAX + sizeof("[]:65535"))

/* "host:port", as a URL has it; an IPv6 address in brackets, and the path of a Unix socket without a port. Returns out.
 */
const char *netron_address_text(char out[NETRON_ADDRESS_SIZE], const char *host, uint16_t port);

/* Frees a secret text after overwriting it; NULL is fine. */
void netron_secret_free(char *secret);

#endif
