/* SPDX-License-Identifier: MIT */
/*
 * Hash tables from texts to things. A table is a pointer to its first entry, NULL when it is empty.
 *
 * A thing has a netron_table_entry as its first member, so that a pointer to the one is a pointer to the other; here
 * it is a void *.
 */
#ifndef NETRON_LIB_TABLE_H
#define NETRON_LIB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <uthash.h>

struct netron_table_entry {
    UT_hash_handle hh;
};

void *netron_table_find(const struct netron_table_entry *table, const char *key, size_t length); /* or NULL */
size_t netron_table_count(const struct netron_table_entry *table);

/* The key is not copied: it stays where it is for as long as the thing is in the table, which has none of that key yet.
 * False without memory: then the thing is not in the table. */
bool netron_table_add(struct netron_table_entry **table, void *thing, const char *key, size_t length);
void netron_table_remove(struct netron_table_entry **table, void *thing);

/* In the order in which they were added; NULL at the end. What is asked for its next is still in the table. */
void *netron_table_first(struct netron_table_entry *table);
void *netron_table_next(const void *thing);
/* Removes the first one and returns it; NULL when there is none. */
void *netron_table_take(struct netron_table_entry **table);

#endif
