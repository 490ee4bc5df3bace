/* SPDX-License-Identifier: MIT */
/* What Redis says of a candidate, read, and believed or not. */
#ifndef NETRON_LIB_CANDIDATE_READING_H
#define NETRON_LIB_CANDIDATE_READING_H

#include "candidates.h"
#include "reply.h"
#include "witness.h"

/* The line of its record. Returns 0, and the candidate holds what is believed of it, or NETRON_EPROTOCOL, NETRON_ENOMEM
 * with a sentence. */
int netron_candidate_read_record(struct netron_candidate *candidate, struct netron_witness *witness, const char *line,
                                 size_t length, struct netron_failure *why);

/* What the answer for a heartbeat says. */
struct netron_heartbeat {
    bool is_there;
    bool is_named;                                /* and what it holds can be the name of an incarnation */
    char incarnation[NETRON_INCARNATION_MAX + 1]; /* "" unless it is named */
};
void netron_heartbeat_read(struct netron_heartbeat *heartbeat, const struct netron_reply *owner);

/* When its record and its heartbeat are there, whichever came first: takes the node of its record if that is the
 * owner's, else NULL; and says whether it needs its hash. */
netron_node *netron_candidate_judge(struct netron_candidate *candidate, const struct netron_heartbeat *heartbeat);

/* What to ask for of its own hash, beside the command and the key: with trusted keys what is signed. At most
 * NETRON_HASH_MEMBERS_MAX; returns how many. */
#define NETRON_HASH_MEMBERS_MAX 3
size_t netron_candidate_hash_members(const struct netron_witness *witness,
                                     const char *members[NETRON_HASH_MEMBERS_MAX]);

/* The answer to that, an array of as many: its node, NULL for none that is believed, or for a hash that is not there
 * any more. Codes as above. */
int netron_candidate_read_hash(struct netron_candidate *candidate, struct netron_witness *witness,
                               const struct netron_reply *reply, netron_node **out, struct netron_failure *why);

#endif
