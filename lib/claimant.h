/* SPDX-License-Identifier: MIT */
/* Who was found in the place of our incarnation, remembered until a second answer has said the same. */
#ifndef NETRON_LIB_CLAIMANT_H
#define NETRON_LIB_CLAIMANT_H

#include "reply.h"
#include <stdbool.h>
#include <stddef.h>

struct netron_claimant {
    bool is_anybody; /* all that was said is that there is one */
    size_t length;
    char beginning[40];
};

/* The reply is a text; or NULL: the answer did not name anybody. */
void netron_claimant_remember(struct netron_claimant *claimant, const struct netron_reply *reply);
/* The reply is not our own incarnation. */
bool netron_claimant_is(const struct netron_claimant *claimant, const struct netron_reply *reply);

#endif
