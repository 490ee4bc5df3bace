/* SPDX-License-Identifier: MIT */
/* User and password for one greeting, kept no longer than that but in the buffers that they are sent from. */
#ifndef NETRON_LIB_CREDENTIALS_H
#define NETRON_LIB_CREDENTIALS_H

#include "settings.h"

/* Begins as zeros: no user, no password, nothing to prove. */
struct netron_credentials {
    char *username; /* NULL: that of the server's default */
    char *password; /* NULL: none is wanted, and then there is no user either */
};

/* Those of the options, or what options.credentials supplies for that link: then that is called, and may free
 * everything. Returns 0; NETRON_ENOMEM or the supplier's own code, with out cleared. */
int netron_credentials_ask(const struct netron_settings *settings, netron_link_role role,
                           struct netron_credentials *out, struct netron_failure *why);

/* Whether the text tells of the password: it holds that, or a part long enough to be none of its own words. */
bool netron_credentials_leak(const struct netron_credentials *credentials, const char *text);

void netron_credentials_clear(struct netron_credentials *credentials); /* overwrites them; idempotent */

#endif
