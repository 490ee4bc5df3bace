/* SPDX-License-Identifier: MIT */
#include "skipped.h"
#include "table.h"
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 1024u       /* bytes of one; what is longer is no id anyway */
#define SKIPPED_IDS_MAX 1024 /* beyond, garbage is still counted, but the log has said enough */

struct netron_skipped_id {
    UT_hash_handle hh;
    char id[];
};

void netron_skipped_add(struct netron_skipped *skipped, const char *id, const char *why)
{
    struct netron_skipped_id *known = NULL;
    size_t length = strnlen(id, KEPT_MAX);
    skipped->core->stats.skipped_records++;
    HASH_FIND(hh, skipped->ids, id, (unsigned)length, known);
    if (known != NULL || HASH_COUNT(skipped->ids) >= SKIPPED_IDS_MAX)
        return;
    known = malloc(sizeof(*known) + length + 1);
    if (known == NULL)
        return;
    memcpy(known->id, id, length);
    known->id[length] = '\0';
    HASH_ADD_KEYPTR(hh, skipped->ids, known->id, (unsigned)length, known);
    netron_log(&skipped->core->log, NETRON_LOG_WARNING, "skipping the record of node %.256s: %s", known->id, why);
    if (known->hh.tbl == NULL)
        free(known);
}

void netron_skipped_clear(struct netron_skipped *skipped)
{
    struct netron_skipped_id *each = NULL;
    struct netron_skipped_id *next = NULL;
    HASH_ITER(hh, skipped->ids, each, next)
    {
        HASH_DEL(skipped->ids, each);
        free(each);
    }
}
