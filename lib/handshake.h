/* SPDX-License-Identifier: MIT */
/* The first words on a connection, in one pipeline: AUTH, HELLO (which version is there), SELECT, CLIENT SETNAME, and
 * ROLE where sentinels named the server: they may be behind, and a replica must not be taken for the primary. */
#ifndef NETRON_LIB_HANDSHAKE_H
#define NETRON_LIB_HANDSHAKE_H

#include "conn.h"
#include "credentials.h"
#include "settings.h"

/* failure NULL: the connection is ready for use. Called once, from the top level. */
typedef void (*netron_handshake_fn)(void *arg, const struct netron_failure *failure);

/* Embedded in its owner, which has to outlive the connection's requests. */
struct netron_handshake {
    const struct netron_settings *settings;
    struct netron_credentials credentials; /* until it is over */
    unsigned outstanding;
    bool failed;
    bool is_role_unknown; /* it may not be asked */
    bool is_in_cluster;   /* the server says so */
    bool is_in_none;      /* it says that it is in no cluster */
    netron_handshake_fn fn;
    void *arg;
};

/* Asks for the credentials, so it may come back with everything freed. Returns 0, or the code of netron_conn_send() or
 * netron_credentials_ask(): then fn tells nothing that counts. */
int netron_handshake_begin(struct netron_handshake *handshake, struct netron_conn *conn,
                           const struct netron_settings *settings, netron_link_role role, netron_handshake_fn fn,
                           void *arg, struct netron_failure *why);

#endif
