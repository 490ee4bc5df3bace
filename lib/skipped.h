/* SPDX-License-Identifier: MIT */
/* Records that are no records, and those that are not believed: counted each time, logged once for each id, but not for
 * more than 1,024 ids. */
#ifndef NETRON_LIB_SKIPPED_H
#define NETRON_LIB_SKIPPED_H

#include "core.h"

struct netron_table_entry;

struct netron_skipped {
    struct netron_core *core;
    struct netron_table_entry *ids;     /* those that the log has told, table.h */
    struct netron_table_entry *refused; /* the same of those that are not believed */
};

void netron_skipped_add(struct netron_skipped *skipped, const char *id, const char *why);
void netron_skipped_refuse(struct netron_skipped *skipped, const char *id, const char *why);
void netron_skipped_clear(struct netron_skipped *skipped);

#endif
