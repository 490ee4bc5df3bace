/* SPDX-License-Identifier: MIT */
/* Calling the registry's scripts: by EVALSHA, and by SCRIPT LOAD first when Redis does not know them. */
#ifndef NETRON_LIB_SCRIPT_H
#define NETRON_LIB_SCRIPT_H

#include "link.h"
#include "script_sources.h"

struct netron_script_call;

/*
 * Calls a script with KEYS[1] = registry_key (P:registry) and the arguments (NUL-terminated texts, copied). fn as in
 * request.h: an error reply of Redis reaches it as a reply. *out (must not be NULL) is valid until fn is called or
 * netron_script_cancel(). Returns 0; NETRON_EDISCONNECTED, NETRON_EOVERLOAD, NETRON_ENOMEM: then fn is not called.
 */
int netron_script_call(struct netron_link *link, const struct netron_script_source *source, const char *registry_key,
                       const char *const *arguments, size_t count, netron_reply_fn fn, void *arg,
                       struct netron_script_call **out);

/* fn will not be called. What was sent stays sent. */
void netron_script_cancel(struct netron_script_call *call);

#endif
