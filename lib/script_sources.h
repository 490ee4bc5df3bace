/* SPDX-License-Identifier: MIT */
/* The scripts of lib/lua as data; the definitions are made at build time by lua/embed.py. */
#ifndef NETRON_LIB_SCRIPT_SOURCES_H
#define NETRON_LIB_SCRIPT_SOURCES_H

#include <stddef.h>

struct netron_script_source {
    const char *text;
    size_t length;
    char sha1[41];
    unsigned bit; /* one of its own */
};

extern const struct netron_script_source netron_script_source_register;
extern const struct netron_script_source netron_script_source_deregister;
extern const struct netron_script_source netron_script_source_sync;
extern const struct netron_script_source netron_script_source_reconcile;

#endif
