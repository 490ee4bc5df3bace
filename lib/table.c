/* SPDX-License-Identifier: MIT */
/* Without memory an element is not added (its hh.tbl is NULL then), instead of the exit() that uthash has by default.
 */
#define HASH_NONFATAL_OOM 1
#include "table.h"

void *netron_table_find(const struct netron_table_entry *table, const char *key, size_t length)
{
    struct netron_table_entry *entry = NULL;
    HASH_FIND(hh, table, key, (unsigned)length, entry);
    return entry;
}

size_t netron_table_count(const struct netron_table_entry *table)
{
    return HASH_COUNT(table);
}

bool netron_table_add(struct netron_table_entry **table, void *thing, const char *key, size_t length)
{
    struct netron_table_entry *entry = thing;
    HASH_ADD_KEYPTR(hh, *table, key, (unsigned)length, entry);
    return entry->hh.tbl != NULL;
}

void netron_table_remove(struct netron_table_entry **table, void *thing)
{
    struct netron_table_entry *entry = thing;
    HASH_DEL(*table, entry);
}

void *netron_table_first(struct netron_table_entry *table)
{
    return table;
}

void *netron_table_next(const void *thing)
{
    const struct netron_table_entry *entry = thing;
    return entry->hh.next;
}

void *netron_table_take(struct netron_table_entry **table)
{
    struct netron_table_entry *first = *table;
    if (first != NULL)
        netron_table_remove(table, first);
    return first;
}
