/* SPDX-License-Identifier: MIT */
#include "claimant.h"
#include <string.h>

static size_t bytes_held(const struct netron_claimant *claimant)
{
    const size_t most = sizeof(claimant->beginning);
    return claimant->length < most ? claimant->length : most;
}

void netron_claimant_remember(struct netron_claimant *claimant, const struct netron_reply *reply)
{
    const char *text = netron_reply_text(reply, &claimant->length);
    claimant->is_anybody = text == NULL;
    if (text != NULL)
        memcpy(claimant->beginning, text, bytes_held(claimant));
}

bool netron_claimant_is(const struct netron_claimant *claimant, const struct netron_reply *reply)
{
    size_t length = 0;
    const char *text = netron_reply_text(reply, &length);
    if (text == NULL || claimant->is_anybody)
        return text != NULL;
    return length == claimant->length && memcmp(text, claimant->beginning, bytes_held(claimant)) == 0;
}
