/* SPDX-License-Identifier: MIT */
#include "server_tls.h"
#include <stdio.h>
#include <stdlib.h>

void server_tls_begin(struct server *server)
{
    (void)server;
    const char *wanted = getenv("NETRON_TEST_TLS");
    if (wanted == NULL || wanted[0] == '\0')
        return;
    fprintf(stderr, "NETRON_TEST_TLS is set, but this build has no TLS\n");
    exit(EXIT_FAILURE);
}

size_t server_tls_arguments(const struct server *server, const char **out)
{
    (void)server, (void)out;
    return 0;
}

void server_tls_end(struct server *server)
{
    (void)server;
}
