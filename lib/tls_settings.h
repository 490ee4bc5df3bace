/* SPDX-License-Identifier: MIT */
/* What the options say of TLS, checked and owned. Whether the files are there and fit is seen at each connect: tls.h.
 */
#ifndef NETRON_LIB_TLS_SETTINGS_H
#define NETRON_LIB_TLS_SETTINGS_H

#include "failure.h"
#include <netron/options.h>
#include <stdbool.h>

struct netron_tls_settings {
    char *ca_file;                  /* NULL together with ca_dir: what the system trusts */
    char *ca_dir;                   /* or NULL */
    char *cert_file;                /* NULL: no client certificate */
    char *key_file;                 /* set if cert_file is */
    char *server_name;              /* NULL: the name that was connected to */
    netron_tls_version min_version; /* 0: what the system asks for, but TLS 1.2 at least */
};

/* is_wanted: the URL asks for TLS. Without that every option of TLS is refused, for who gives one does not mean to send
 * a password in plain. Returns 0, or NETRON_EINVAL, NETRON_ELIMIT, NETRON_ENOMEM with a sentence that names the member,
 * and nothing in *out. */
int netron_tls_settings_make(const netron_options *options, bool is_wanted, struct netron_tls_settings *out,
                             struct netron_failure *why);
void netron_tls_settings_clear(struct netron_tls_settings *settings); /* idempotent */

#endif
