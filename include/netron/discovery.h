/* SPDX-License-Identifier: MIT */
/*
 * The discovery: one process's membership in a registry on Redis.
 *
 * Rules that hold for every function of the library:
 *   - A function that returns an error changes nothing and never calls back. One that takes a callback and returns 0
 *     calls it exactly once (subscriptions and state callbacks: any number of times), never from inside the call.
 *     The one exception: netron_discovery_free() and netron_registration_free() end what is still pending by calling
 *     it back with NETRON_ECANCELLED before they return; after they returned nothing is called back ever again.
 *   - Every function may be called from every callback, but from the log callback (options.h).
 *   - Strings and structs that are passed in are copied. What a callback is handed lives until it returns.
 *   - No function blocks, prints, exits, or touches signal handlers; writing to a broken connection raises no SIGPIPE.
 */
#ifndef NETRON_DISCOVERY_H
#define NETRON_DISCOVERY_H

#include <netron/error.h>
#include <netron/loop.h>
#include <netron/options.h>

#ifdef __cplusplus
extern "C" {
#endif

struct event_base;

typedef struct netron_discovery netron_discovery;

/* code 0 or a negative NETRON_E code; netron_discovery_error() then has the sentence. */
typedef void (*netron_done_fn)(netron_discovery *discovery, int code, void *arg);

/*
 * Makes a discovery on a libevent base. Returns at once; the connection is made by the loop, and lost ones are made
 * again for as long as the discovery lives. options may be NULL for the defaults.
 * The base stays the caller's and must outlive the discovery.
 * Returns 0 and the discovery in *out; NETRON_EINVAL, NETRON_ELIMIT, NETRON_EURL, NETRON_EDISABLED (a key, but the
 * library was built without signatures, or libcrypto refuses it): options->log and netron_options_check() tell which
 * member and why; NETRON_ELOOP, NETRON_ENOMEM. What is wrong with the files of TLS is told when they are read, at each
 * connect: options->on_link, NETRON_ETLS.
 */
NETRON_API int netron_discovery_new(struct event_base *base, const netron_options *options, netron_discovery **out);

/*
 * The same on any loop (loop.h). The loop object stays the caller's and must outlive the discovery.
 * NETRON_EINVAL as well, without a line in the log, when a required function is missing from the table; NETRON_ELOOP
 * when the URL holds a host name and the loop cannot resolve one: options->log tells; netron_options_check() knows of
 * no loop.
 */
NETRON_API int netron_discovery_new_on(netron_loop *loop, const netron_options *options, netron_discovery **out);

/*
 * Frees the discovery with its registrations, subscriptions and connections, at any time and from any callback.
 * What was pending is called back with NETRON_ECANCELLED from inside; calls made there fail with NETRON_ESHUTDOWN.
 * Registered nodes are not deregistered: they expire by their TTL. To leave at once, shut down first.
 * All handles got from this discovery are invalid afterwards. NULL is fine.
 */
NETRON_API void netron_discovery_free(netron_discovery *discovery);

/*
 * Leaves: stops the beats, deregisters every registration (tried again as the options say), publishes that, closes
 * both connections, and calls done. That takes no longer than options.shutdown_timeout_ms. A further call joins the
 * one under way, or follows it: its done is called as well. Everything else fails with NETRON_ESHUTDOWN from now on,
 * but for draining and deregistering, which join; lookups still pending when the connections close end with
 * NETRON_ECANCELLED.
 * done may be NULL. Its code: 0 when all nodes that had neither ended nor been freed before are out of the registry, or
 * were taken over by others; otherwise NETRON_ETIMEDOUT, or why the last try of the first node that could not leave
 * failed, such as NETRON_EDISCONNECTED (those nodes expire by their TTL); NETRON_ECANCELLED when the discovery is freed
 * before. The discovery itself still has to be freed; done may do that.
 * Returns 0, NETRON_EINVAL (discovery is NULL), NETRON_ESHUTDOWN (it is being freed), NETRON_ENOMEM.
 */
NETRON_API int netron_discovery_shutdown(netron_discovery *discovery, netron_done_fn done, void *arg);

/*
 * A sentence about the latest failure of a call or in a callback of this discovery, "" before the first; a try that is
 * made again counts as well, such as the first one before there is a connection. So look at it where a code says that
 * something failed. It belongs to the discovery and changes with the next failure. Never holds a password. discovery
 * must not be NULL.
 */
NETRON_API const char *netron_discovery_error(const netron_discovery *discovery);

typedef struct netron_stats {
    size_t size;               /* set to sizeof(netron_stats) by the caller */
    uint64_t beats;            /* heartbeats that Redis confirmed */
    uint64_t registers;        /* register scripts that Redis answered without an error */
    uint64_t retries;          /* tries that failed and were made again */
    uint64_t connects;         /* connections made, both links together */
    uint64_t lookups;          /* lookups answered */
    uint64_t events;           /* events delivered to subscriptions, counted once for each event */
    uint64_t skipped_records;  /* how often a record was read that was none */
    uint64_t skipped_events;   /* messages on the channel that were no events */
    uint64_t nodes_registered; /* registrations that are in state NETRON_REGISTERED now */
    uint64_t refused_records;  /* how often one, or an event, was read that no trusted key has signed (signature.h) */
} netron_stats;

/* Fills *stats. Returns 0 or NETRON_EINVAL (a NULL argument, or a size below that of the first version). */
NETRON_API int netron_discovery_stats(const netron_discovery *discovery, netron_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
