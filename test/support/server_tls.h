/* SPDX-License-Identifier: MIT */
/* What NETRON_TEST_TLS=1 makes of a test's server. Of two files one is built: server_tls_absent.c where there is no
 * TLS. */
#ifndef NETRON_TEST_SERVER_TLS_H
#define NETRON_TEST_SERVER_TLS_H

#include "server.h"

#define SERVER_TLS_ARGUMENTS_MAX 12

/* Certificates in its folder, a port, and a URL that leads there; nothing when TLS is not wanted. */
void server_tls_begin(struct server *server);
/* Writes its arguments of TLS, at most SERVER_TLS_ARGUMENTS_MAX of them, valid while server is; how many. */
size_t server_tls_arguments(const struct server *server, const char **out);
/* Removes the certificates. */
void server_tls_end(struct server *server);

#endif
