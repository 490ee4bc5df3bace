/* SPDX-License-Identifier: MIT */
/*
 * Error codes. A function that can fail returns 0, or one of these; they are negative and their values never
 * change. Which ones a function can return stands at the function.
 *
 * A code says what kind of thing went wrong. What exactly, with the name of the field, the limit, or the words
 * that Redis used, is in the sentence that netron_discovery_error() returns (discovery.h).
 */
#ifndef NETRON_ERROR_H
#define NETRON_ERROR_H

#include <netron/api.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum netron_status {
    NETRON_OK = 0,
    NETRON_EINVAL = -1,        /* an argument is missing or malformed */
    NETRON_ENOMEM = -2,        /* an allocation failed */
    NETRON_ELIMIT = -3,        /* an argument breaks a limit of the protocol (node.h, options.h) */
    NETRON_EURL = -4,          /* the Redis URL cannot be understood */
    NETRON_ELOOP = -5,         /* the event loop refused a watch or a timer, or lacks what is needed */
    NETRON_EDISABLED = -6,     /* the feature is switched off in the options, or was not built in */
    NETRON_ESHUTDOWN = -7,     /* the discovery is shutting down, or the registration has left */
    NETRON_ECANCELLED = -8,    /* ended before it was done: freed, shut down or overtaken by leaving */
    NETRON_EDISCONNECTED = -9, /* no connection to Redis */
    NETRON_ETIMEDOUT = -10,    /* a deadline passed */
    NETRON_EAUTH = -11,        /* Redis wants another user name or password (NOAUTH, WRONGPASS) */
    NETRON_EPERM = -12,        /* the ACL of the Redis user forbids it (NOPERM) */
    NETRON_EDATABASE = -13,    /* Redis has no database of that number */
    NETRON_EVERSION = -14,     /* the server is older than Redis 6.2 */
    NETRON_EREDIS = -15,       /* Redis answered with an error that has no code of its own */
    NETRON_EPROTOCOL = -16,    /* bytes from Redis that make no sense where they stand */
    NETRON_EREPLACED = -17,    /* another process registered the same node id */
    NETRON_EHELD = -18,        /* the node id belongs to a live process, and the policy is not to take it over */
    NETRON_EOVERLOAD = -19,    /* too many operations are pending already */
    NETRON_ERESOLVE = -20,     /* the host name of the URL could not be resolved */
    NETRON_EUNAVAILABLE = -21, /* Redis is there but cannot serve now (LOADING, BUSY, MASTERDOWN, READONLY, OOM, ...) */
    NETRON_ETLS = -22          /* TLS: a certificate, a key or a version is refused, by us or by Redis */
} netron_status;

/* A short constant description of a code, such as "the operation timed out"; "unknown error" for any other
 * number. May be called from anywhere. */
NETRON_API const char *netron_strerror(int code);

#ifdef __cplusplus
}
#endif

#endif
