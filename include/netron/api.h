/* SPDX-License-Identifier: MIT */
/*
 * The version of the interface, and how its symbols are marked.
 *
 * Every public name begins with netron_ or NETRON_. The headers are clean C99 and C++11 and include nothing
 * of hiredis, libevent or jansson. Those in netron/adapters/ include their reactor, and need POSIX.1-2008.
 *
 * Threads: a discovery and all that belongs to it live on one loop and may be touched by that loop's thread
 * only. Two discoveries on two loops in two threads share nothing.
 */
#ifndef NETRON_API_H
#define NETRON_API_H

#include <stddef.h>
#include <stdint.h>

#define NETRON_VERSION_MAJOR 0
#define NETRON_VERSION_MINOR 1
#define NETRON_VERSION_PATCH 0
#define NETRON_VERSION_STRING "0.1.0"

#if defined(__GNUC__) || defined(__clang__)
#define NETRON_API __attribute__((visibility("default")))
#define NETRON_PRINTF(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))
#else
#define NETRON_API
#define NETRON_PRINTF(format_index, first_argument)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that runs, which can be newer than the headers it was compiled against:
 * "major.minor.patch", a constant string. May be called from anywhere. */
NETRON_API const char *netron_version(void);

#ifdef __cplusplus
}
#endif

#endif
