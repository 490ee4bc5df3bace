/* SPDX-License-Identifier: MIT */
#include "server_tls.h"
#include "certificates.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_HOURS 24

static bool is_wanted(void)
{
    const char *wanted = getenv("NETRON_TEST_TLS");
    return wanted != NULL && wanted[0] != '\0';
}

/* Other servers of the test stay trusted: what is trusted is what was, and this CA. */
static void trust_also(struct server *server)
{
    const char *folder = server->folder;
    const char *before = getenv("SSL_CERT_FILE");
    char bundle[128], ca[128], line[256];
    snprintf(bundle, sizeof(bundle), "%s/trusted.crt", folder);
    snprintf(ca, sizeof(ca), "%s/ca.crt", folder);
    const char *const sources[] = {ca, before};
    snprintf(server->trusted, sizeof(server->trusted), "%s", before != NULL ? before : "");
    FILE *out = fopen(bundle, "w");
    for (int i = 0; out != NULL && i < 2; i++) {
        FILE *in = sources[i] != NULL ? fopen(sources[i], "r") : NULL;
        while (in != NULL && fgets(line, sizeof(line), in) != NULL)
            fputs(line, out);
        if (in != NULL)
            fclose(in);
    }
    if (out != NULL)
        fclose(out);
    setenv("SSL_CERT_FILE", bundle, 1);
}

void server_tls_begin(struct server *server)
{
    if (!is_wanted())
        return;
    const struct certificate ca = {.name = "ca", .from_hours = -1, .to_hours = DAY_HOURS};
    const struct certificate own = {.name = "server",
                                    .issuer = "ca",
                                    .hosts = "DNS:localhost,IP:127.0.0.1",
                                    .from_hours = -1,
                                    .to_hours = DAY_HOURS};
    certificate_make(server->folder, &ca);
    certificate_make(server->folder, &own);
    snprintf(server->tls_port, sizeof(server->tls_port), "%u", server_free_port());
    snprintf(server->url, sizeof(server->url), "rediss://127.0.0.1:%s", server->tls_port);
    /* Which is how OpenSSL is told what the system trusts: so no test has to know. */
    trust_also(server);
}

/* Relative to the server's folder, where it goes before it reads them. */
size_t server_tls_arguments(const struct server *server, const char **out)
{
    const char *const arguments[] = {
        "--tls-port", server->tls_port,     "--tls-cert-file", "server.crt",         "--tls-key-file",
        "server.key", "--tls-ca-cert-file", "ca.crt",          "--tls-auth-clients", "no"};
    size_t count = server->tls_port[0] != '\0' ? sizeof(arguments) / sizeof(arguments[0]) : 0;
    for (size_t i = 0; i < count; i++)
        out[i] = arguments[i];
    return count;
}

/* The servers that were started before this one stay trusted. */
static void trust_as_before(const struct server *server)
{
    const char *now = getenv("SSL_CERT_FILE");
    size_t length = strlen(server->folder);
    if (now == NULL || strncmp(now, server->folder, length) != 0 || now[length] != '/')
        return;
    if (server->trusted[0] != '\0')
        setenv("SSL_CERT_FILE", server->trusted, 1);
    else
        unsetenv("SSL_CERT_FILE");
}

void server_tls_end(struct server *server)
{
    if (server->tls_port[0] == '\0')
        return;
    trust_as_before(server);
    certificate_remove(server->folder, "ca");
    certificate_remove(server->folder, "server");
    certificate_remove(server->folder, "trusted");
}
