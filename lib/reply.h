/* SPDX-License-Identifier: MIT */
/* Reading what Redis answered. Every question is safe for every reply, whatever its shape; a NULL reply is no text, no
 * number, no array and no error. */
#ifndef NETRON_LIB_REPLY_H
#define NETRON_LIB_REPLY_H

#include "failure.h"
#include <stdbool.h>
#include <stddef.h>

struct netron_reply; /* borrowed, valid until the callback that got it returns */

/* A bulk or simple string, or NULL. It is terminated by a NUL, and may hold others. */
const char *netron_reply_text(const struct netron_reply *reply, size_t *length);
bool netron_reply_is_text(const struct netron_reply *reply, const char *text);
/* Whether it is a bulk string, which is how Redis says what stands in a key. */
bool netron_reply_is_string(const struct netron_reply *reply);
bool netron_reply_is_nil(const struct netron_reply *reply);
bool netron_reply_is_array(const struct netron_reply *reply);
bool netron_reply_integer(const struct netron_reply *reply, long long *out);

/* Elements of an array; 0 and NULL for anything else and behind the end. */
size_t netron_reply_count(const struct netron_reply *reply);
const struct netron_reply *netron_reply_at(const struct netron_reply *reply, size_t index);

/* The text of an error reply, or NULL when it is none. */
const char *netron_reply_error(const struct netron_reply *reply);
/* Whether it is an error reply whose first word is this one. */
bool netron_reply_error_is(const struct netron_reply *reply, const char *word);

/*
 * Turns an error reply into a failure: the first word decides the code (NOAUTH and WRONGPASS: NETRON_EAUTH, NOPERM:
 * NETRON_EPERM, LOADING, BUSY and their kin: NETRON_EUNAVAILABLE, all else: NETRON_EREDIS); the sentence is
 * "<what>: <the words of Redis>". A reply that is no error is NETRON_EPROTOCOL, "<what>: unexpected reply".
 */
int netron_reply_fail(const struct netron_reply *reply, const char *what, struct netron_failure *failure);

#endif
