/* SPDX-License-Identifier: MIT */
#include "skipped.h"
#include "table.h"
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 1024u       /* bytes of one; what is longer is no id anyway */
#define SKIPPED_IDS_MAX 1024 /* beyond, garbage is still counted, but the log has said enough: its last line tells */

struct netron_skipped_id {
    struct netron_table_entry in_table;
    char id[];
};

static void tell(const struct netron_skipped *skipped, struct netron_table_entry **told, const char *verb,
                 const char *counter, const char *id, const char *why)
{
    size_t length = strnlen(id, KEPT_MAX);
    if (netron_table_find(*told, id, length) != NULL || netron_table_count(*told) >= SKIPPED_IDS_MAX)
        return;
    struct netron_skipped_id *known = malloc(sizeof(*known) + length + 1);
    if (known == NULL)
        return;
    memcpy(known->id, id, length);
    known->id[length] = '\0';
    netron_log(&skipped->core->log, NETRON_LOG_WARNING, "%s the record of node %.256s: %s", verb, known->id, why);
    if (!netron_table_add(told, known, known->id, length))
        free(known);
    else if (netron_table_count(*told) == SKIPPED_IDS_MAX)
        netron_log(&skipped->core->log, NETRON_LOG_WARNING,
                   "%s: that was the record of the %dth node; those of further nodes are only counted "
                   "(netron_stats.%s)",
                   verb, SKIPPED_IDS_MAX, counter);
}

void netron_skipped_add(struct netron_skipped *skipped, const char *id, const char *why)
{
    skipped->core->stats.skipped_records++;
    tell(skipped, &skipped->ids, "skipping", "skipped_records", id, why);
}

void netron_skipped_refuse(struct netron_skipped *skipped, const char *id, const char *why)
{
    skipped->core->stats.refused_records++;
    tell(skipped, &skipped->refused, "refusing", "refused_records", id, why);
}

void netron_skipped_clear(struct netron_skipped *skipped)
{
    while (skipped->ids != NULL)
        free(netron_table_take(&skipped->ids));
    while (skipped->refused != NULL)
        free(netron_table_take(&skipped->refused));
}
