/* SPDX-License-Identifier: MIT */
/* Nodes as data: checked against the limits of the protocol, copied, compared. */
#ifndef NETRON_LIB_NODE_H
#define NETRON_LIB_NODE_H

#include "failure.h"
#include <netron/node.h>
#include <stdbool.h>

#define NETRON_DEFAULT_TTL_MS 15000u /* of a heartbeat; what a record that says nothing has */

/* What a user wants to register: 0, NETRON_EINVAL or NETRON_ELIMIT with a sentence that names the field. */
int netron_node_check(const netron_node *given, struct netron_failure *why);
int netron_node_check_id(const char *id, struct netron_failure *why);
int netron_node_check_address(const char *address, struct netron_failure *why);
int netron_node_check_services(const netron_service *services, size_t count, struct netron_failure *why);
int netron_node_check_service_name(const char *name, const char *field, struct netron_failure *why);
int netron_node_check_service_version(const char *version, const char *field, struct netron_failure *why);
int netron_node_check_version_range(const char *wanted, const char *field, struct netron_failure *why);

/* The state of that name; NETRON_NODE_UNKNOWN for any other, for a newer version may know more. */
netron_node_state netron_node_state_of_name(const char *name);

/* What the metadata takes as compact JSON, in bytes. No text of it may hold a control character. */
size_t netron_node_metadata_size(const netron_metadata *metadata, size_t count);

/*
 * A deep copy in a single allocation, or NULL without memory. The size of the copy is the library's, whatever the
 * source's was, a weight of 0 becomes the default, and metadata is ordered by key. Copies never change and are counted:
 * each retain needs a free, and the last one frees the memory. Only copies may be retained or freed; NULL is fine.
 */
netron_node *netron_node_copy(const netron_node *given);
netron_node *netron_node_retain(netron_node *node);
void netron_node_free(netron_node *node);

/* Whether two copies say the same, but for the time. */
bool netron_node_same(const netron_node *one, const netron_node *other);

/* Same services in the same order. */
bool netron_node_same_services(const netron_service *one, size_t one_count, const netron_service *other,
                               size_t other_count);

#endif
