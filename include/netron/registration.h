/* SPDX-License-Identifier: MIT */
/*
 * Registrations: the nodes of this process.
 *
 * A registration is a wish, not a command: it says what should stand in the registry, and the library makes it so
 * again after every loss (Redis not there yet, restarted, flushed, failed over; partition; eviction) until the
 * registration is freed, leaves, or another process takes its id over.
 *
 *     REGISTERING -> REGISTERED          Redis has confirmed the node
 *     REGISTERED  -> LOST -> REGISTERED  the node's heartbeat was gone from Redis, or could not be renewed for a
 *                                        whole TTL; it is registered again as soon as Redis allows
 *     any         -> FAILED              a registration or beat failed, retries included; the next interval tries
 *                                        again. The end of it only when leaving failed: the node expires by its TTL
 *     any         -> REPLACED            another process registered the id; beating has stopped for good. The beat that
 *                                        finds it out sets the new owner's heartbeat to our TTL, once; nothing else of
 *                                        the new owner is touched
 *     any         -> LEAVING -> LEFT     deregistration was asked for, or a drain is over
 *
 * What the node says of itself (netron_node_state in node.h: up, draining, ...) is another matter, and part of its
 * content.
 */
#ifndef NETRON_REGISTRATION_H
#define NETRON_REGISTRATION_H

#include <netron/discovery.h>
#include <netron/node.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct netron_registration netron_registration;

typedef enum netron_registration_state {
    NETRON_REGISTERING = 1,
    NETRON_REGISTERED,
    NETRON_LOST,
    NETRON_FAILED,
    NETRON_REPLACED,
    NETRON_LEAVING,
    NETRON_LEFT
} netron_registration_state;

/*
 * Tells a new state, or a new reason for the same one; the first state, REGISTERING, is not told. code is 0, or for
 * LOST, FAILED and REPLACED the reason: NETRON_EDISCONNECTED, NETRON_ETIMEDOUT, NETRON_EAUTH, NETRON_EPERM,
 * NETRON_EDATABASE, NETRON_EVERSION, NETRON_EREDIS, NETRON_EPROTOCOL, NETRON_EHELD, NETRON_EUNAVAILABLE, NETRON_ETLS,
 * NETRON_ERESOLVE, NETRON_EREPLACED, NETRON_EOVERLOAD, NETRON_ELOOP, NETRON_ENOMEM; 0 with LOST: the heartbeat was gone
 * from Redis; netron_discovery_error() has the sentence. Any call is allowed inside.
 */
typedef void (*netron_registration_fn)(netron_registration *registration, netron_registration_state state, int code,
                                       void *arg);

/*
 * Registers a node: at once, or as soon as Redis can be reached. Views of others hear of it at once only when
 * options.pubsub_enabled is 1, and else within about a second. node is copied. on_change and out may be NULL;
 * without out the registration lives as long as the discovery. Each call is a registration of its own with a new
 * incarnation, so registering an id twice in one process makes the second replace the first.
 * Returns 0; NETRON_EINVAL (a NULL argument, an empty text, an address without port, a service or a key of the
 * metadata twice, a state that is none, invalid UTF-8), NETRON_ELIMIT, NETRON_ESHUTDOWN, NETRON_ENOMEM.
 * The sentence names the field.
 */
NETRON_API int netron_register(netron_discovery *discovery, const netron_node *node, netron_registration_fn on_change,
                               void *arg, netron_registration **out);

/*
 * Replaces a part of the node's content in Redis at once, with one NODE_UPDATED event: the services, the address, the
 * state with its reason (NULL = none), the weight (0 = the default), or all of the metadata. What is passed in is
 * copied. While Redis is out of reach the latest wanted content is kept and applied on return, once. done (may be NULL)
 * is called when Redis has this content or a later one: 0. Content equal to what Redis has already changes nothing,
 * publishes nothing and is done. Otherwise its code is what Redis refused it with, after the retries or, where only an
 * operator can help (a missing permission), at once (the content stays
 * wanted and is tried again); NETRON_EREPLACED; NETRON_ECANCELLED when the registration leaves or is freed before.
 * May be called from every callback.
 * Return 0; NETRON_EINVAL and NETRON_ELIMIT as netron_register(); NETRON_EREPLACED; NETRON_ESHUTDOWN (it is leaving or
 * has left; or the state is to be another while netron_registration_drain() is under way); NETRON_ENOMEM.
 */
NETRON_API int netron_registration_update_services(netron_registration *registration, const netron_service *services,
                                                   size_t count, netron_done_fn done, void *arg);
NETRON_API int netron_registration_update_address(netron_registration *registration, const char *address,
                                                  netron_done_fn done, void *arg);
NETRON_API int netron_registration_update_state(netron_registration *registration, netron_node_state state,
                                                const char *reason, netron_done_fn done, void *arg);
NETRON_API int netron_registration_update_weight(netron_registration *registration, uint32_t weight,
                                                 netron_done_fn done, void *arg);
NETRON_API int netron_registration_update_metadata(netron_registration *registration, const netron_metadata *metadata,
                                                   size_t count, netron_done_fn done, void *arg);

/*
 * Leaves in two steps, so that others can turn away before the node is gone: its state becomes NETRON_NODE_DRAINING,
 * with the reason "shutting down" (unless it says that it drains already, with whatever reason), which is announced at
 * once; deadline_ms milliseconds after this call it is deregistered as by netron_registration_deregister(), whether the
 * announcement could be made or not. With deadline_ms 0 it is deregistered as soon as Redis has the announcement, or
 * the try and its retries have failed.
 * Meanwhile it beats, is restored after a loss, and stays in the states of a registration that is not leaving. A
 * further call joins the one under way, and the earlier deadline counts; once a deadline is over, it stays so.
 * netron_registration_deregister() and netron_discovery_shutdown() end a drain at once. When the registration is
 * leaving or has ended the call joins that, as a further netron_registration_deregister() does. done (may be NULL) gets
 * the codes of netron_registration_deregister(), when the node has left. May be called from every callback. Returns 0,
 * NETRON_EINVAL (NULL), NETRON_ESHUTDOWN (it is being freed), NETRON_ENOMEM.
 */
NETRON_API int netron_registration_drain(netron_registration *registration, uint32_t deadline_ms, netron_done_fn done,
                                         void *arg);

/*
 * Takes the node out of the registry and publishes that; tried again as the options say, then done gets the failure
 * and the node expires by its TTL. A further call joins the one under way. done may be NULL. Its code: 0 = the node
 * is out, or was not in; NETRON_EREPLACED = another process owns the id, nothing was touched; NETRON_EDISCONNECTED,
 * NETRON_ETIMEDOUT, NETRON_EREDIS and its kin; NETRON_ECANCELLED when freed before.
 * Returns 0, NETRON_EINVAL (NULL), NETRON_ESHUTDOWN (it is being freed), NETRON_ENOMEM. The handle stays valid until
 * it is freed.
 */
NETRON_API int netron_registration_deregister(netron_registration *registration, netron_done_fn done, void *arg);

/*
 * Forgets the registration without deregistering: the beats stop and the node expires by its TTL. Pending done
 * callbacks get NETRON_ECANCELLED from inside. May be called in any callback, its own included. NULL is fine.
 * A discovery frees its registrations itself; calling this is needed only to give memory back before.
 */
NETRON_API void netron_registration_free(netron_registration *registration);

/* "registering", "registered", "lost", "failed", "replaced", "leaving", "left"; "unknown" for any other number. A
 * constant string. May be called from anywhere. */
NETRON_API const char *netron_registration_state_name(netron_registration_state state);

/* The state now. registration must not be NULL. */
NETRON_API netron_registration_state netron_registration_get_state(const netron_registration *registration);

/* The node as it is wanted now; borrowed, valid until the next update, drain or free. registration must not be NULL. */
NETRON_API const netron_node *netron_registration_node(const netron_registration *registration);

#ifdef __cplusplus
}
#endif

#endif
