/* SPDX-License-Identifier: MIT */
/*
 * Lookups: asking Redis which nodes are there, now.
 *
 * Two pipelined round trips for up to 512 candidates, and two for each further 512; Redis never gets a command over
 * more. The cost grows with the nodes that match, not with those that are registered, as long as no node of the
 * original implementation is in the registry that nobody has adopted yet: then the index of all nodes is read.
 * A node is live when its heartbeat exists. Records that are no records (a string where a hash should be, broken
 * JSON, half a record) are skipped, counted in netron_stats.skipped_records and logged once for each id, of up to 1,024
 * ids: a last line tells that further ones are only counted. With trusted keys (signature.h) so are those that none of
 * them signed, counted in refused_records, and 512 is 64 above.
 *
 * A lookup needs a working connection: without one it does not wait, but ends in the loop's next turn with the reason
 * why there is none (NETRON_EDISCONNECTED, or another code of netron_link_fn in options.h). To look up as soon as there
 * is one, do it when options.on_link tells code 0 of the commands link.
 * Other codes that the callbacks get: 0; NETRON_ETIMEDOUT (the command timeout), NETRON_EPERM, NETRON_EREDIS,
 * NETRON_EUNAVAILABLE, NETRON_EPROTOCOL, NETRON_EOVERLOAD, NETRON_ENOMEM; NETRON_ECANCELLED (freed or shut down).
 * The functions return 0; NETRON_EINVAL, NETRON_ELIMIT (a limit of node.h), NETRON_EOVERLOAD (options.lookups_max),
 * NETRON_ESHUTDOWN, NETRON_ENOMEM.
 */
#ifndef NETRON_LOOKUP_H
#define NETRON_LOOKUP_H

#include <netron/discovery.h>
#include <netron/node.h>

#ifdef __cplusplus
extern "C" {
#endif

/* nodes: count pointers, ordered by node id, valid until the callback returns. With a code other than 0: none. */
typedef void (*netron_nodes_fn)(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count,
                                void *arg);
/* active: 1 or 0; 0 with any code other than 0. */
typedef void (*netron_active_fn)(netron_discovery *discovery, int code, int active, void *arg);

/*
 * The live nodes that offer a service of that name. version NULL: in whatever version, also in none; otherwise an exact
 * version or a range, 1 to 256 bytes. A version is accepted when it is the same text, or when it is a semver inside the
 * range; the grammar is that of npm's "semver":
 *
 *     1.2.3   >=1.2 <1.4   1.2 - 1.4.1   1.2.x   *   ~1.2.3   ^1.2.3   ^1.2 || >=3
 *
 * As there, a prerelease is inside only where the range names a prerelease of the same major, minor and patch. A text
 * that is no range is not refused: it accepts the same text. "*" accepts services without a version, too.
 */
NETRON_API int netron_find_nodes_by_service(netron_discovery *discovery, const char *name, const char *version,
                                            netron_nodes_fn found, void *arg);

/*
 * Whether a wanted version is a version or a range of the grammar above, so that a mistyped one is noticed where it is
 * written, as in a configuration. Returns 0; NETRON_EINVAL (it is neither, so it would accept its own text only; or it
 * is empty, or NULL), NETRON_ELIMIT (longer than 256 bytes), NETRON_ENOMEM. May be called from anywhere.
 */
NETRON_API int netron_version_range_check(const char *version);

/* All live nodes. */
NETRON_API int netron_get_active_nodes(netron_discovery *discovery, netron_nodes_fn found, void *arg);

/* Whether the node is live: one EXISTS of its heartbeat, which nobody signs. */
NETRON_API int netron_is_node_active(netron_discovery *discovery, const char *id, netron_active_fn found, void *arg);

#ifdef __cplusplus
}
#endif

#endif
