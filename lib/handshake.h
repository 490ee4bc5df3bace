/* SPDX-License-Identifier: MIT */
/* The first words on a connection, in one pipeline: AUTH, HELLO (which version is there), SELECT, CLIENT SETNAME. */
#ifndef NETRON_LIB_HANDSHAKE_H
#define NETRON_LIB_HANDSHAKE_H

#include "conn.h"
#include "settings.h"

/* failure NULL: the connection is ready for use. Called once, from the top level. */
typedef void (*netron_handshake_fn)(void *arg, const struct netron_failure *failure);

/* Embedded in its owner, which has to outlive the connection's requests. */
struct netron_handshake {
    const char *password; /* borrowed; NULL when there is none */
    unsigned database;
    unsigned outstanding;
    bool failed;
    netron_handshake_fn fn;
    void *arg;
};

/* Returns 0, or the code of netron_conn_send(): then fn is not called. */
int netron_handshake_begin(struct netron_handshake *handshake, struct netron_conn *conn,
                           const struct netron_settings *settings, netron_handshake_fn fn, void *arg);

#endif
