/* SPDX-License-Identifier: MIT */
#include "catalogue.h"
#include "array.h"
#include "node.h"
#include "table.h"
#include "version_range.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES_MAX 32 /* of one service; a program asks for few ranges, and for the same ones again */

/* A version range that was asked for. */
struct query {
    struct query *next; /* the one asked for before */
    struct netron_version_range *range;
    const netron_snapshot *answer; /* NULL when the service has changed since */
    char text[];
};

struct netron_catalogue_service {
    struct netron_table_entry in_table;
    netron_node **members;
    size_t count;
    size_t capacity;
    bool is_sorted; /* by id */
    bool was_asked; /* from then on it is kept sorted; before, many come at once, and are sorted once */
    const netron_snapshot *all;
    struct query *queries;
    char name[];
};

typedef struct netron_catalogue_service service;

static service *find(const struct netron_catalogue *catalogue, const char *name)
{
    return netron_table_find(catalogue->by_name, name, strlen(name));
}

/* ---- answers ---- */

static void forget_answers(service *entry)
{
    netron_snapshot_release(entry->all);
    entry->all = NULL;
    for (struct query *query = entry->queries; query != NULL; query = query->next) {
        netron_snapshot_release(query->answer);
        query->answer = NULL;
    }
}

static int compare_ids(const void *one, const void *other)
{
    const netron_node *const *left = one;
    const netron_node *const *right = other;
    return strcmp((*left)->id, (*right)->id);
}

static void sort_members(service *entry)
{
    entry->was_asked = true;
    if (!entry->is_sorted)
        qsort(entry->members, entry->count, sizeof(netron_node *), compare_ids);
    entry->is_sorted = true;
}

static bool offers(const netron_node *node, const char *name, const struct netron_version_range *range)
{
    for (size_t i = 0; i < node->service_count; i++)
        if (strcmp(node->services[i].name, name) == 0 && netron_version_range_accepts(range, node->services[i].version))
            return true;
    return false;
}

/* range NULL: every member is wanted, as it is one. */
static const netron_snapshot *answer(service *entry, const struct netron_version_range *range)
{
    netron_snapshot *snapshot = netron_snapshot_new(entry->count);
    if (snapshot == NULL)
        return NULL;
    sort_members(entry);
    for (size_t i = 0; i < entry->count; i++)
        if (range == NULL || offers(entry->members[i], entry->name, range))
            netron_snapshot_add(snapshot, entry->members[i]);
    return snapshot;
}

static void free_query(struct query *query)
{
    netron_snapshot_release(query->answer);
    netron_version_range_free(query->range);
    free(query);
}

static struct query *add_query(service *entry, const char *text)
{
    size_t size = strlen(text) + 1;
    struct query *query = malloc(sizeof(*query) + size);
    if (query == NULL)
        return NULL;
    *query = (struct query){.next = entry->queries};
    memcpy(query->text, text, size);
    if (netron_version_range_parse(text, &query->range, NULL) != 0) {
        free(query);
        return NULL;
    }
    entry->queries = query;
    struct query *last = query;
    for (size_t i = 1; i < QUERIES_MAX && last->next != NULL; i++)
        last = last->next;
    if (last->next != NULL) {
        free_query(last->next);
        last->next = NULL;
    }
    return query;
}

static const netron_snapshot *answer_query(service *entry, const char *text)
{
    struct query *query = entry->queries;
    while (query != NULL && strcmp(query->text, text) != 0)
        query = query->next;
    if (query == NULL)
        query = add_query(entry, text);
    if (query == NULL)
        return NULL;
    if (query->answer == NULL)
        query->answer = answer(entry, query->range);
    return netron_snapshot_retain(query->answer);
}

const netron_snapshot *netron_catalogue_find(struct netron_catalogue *catalogue, const char *name,
                                             const char *version_range)
{
    service *entry = name != NULL ? find(catalogue, name) : catalogue->everyone;
    if (entry == NULL)
        return netron_snapshot_retain(catalogue->nobody);
    if (name != NULL && version_range != NULL)
        return answer_query(entry, version_range);
    if (entry->all == NULL)
        entry->all = answer(entry, NULL);
    return netron_snapshot_retain(entry->all);
}

size_t netron_catalogue_count(const struct netron_catalogue *catalogue)
{
    return catalogue->everyone != NULL ? catalogue->everyone->count : 0;
}

/* ---- members ---- */

static service *new_service(const char *name)
{
    size_t size = strlen(name) + 1;
    service *entry = calloc(1, sizeof(*entry) + size);
    if (entry == NULL)
        return NULL;
    memcpy(entry->name, name, size);
    entry->is_sorted = true;
    return entry;
}

static void free_service(service *entry)
{
    forget_answers(entry);
    while (entry->queries != NULL) {
        struct query *query = entry->queries;
        entry->queries = query->next;
        free_query(query);
    }
    free(entry->members);
    free(entry);
}

static void drop_if_empty(struct netron_catalogue *catalogue, service *entry)
{
    if (entry->count > 0 || entry == catalogue->everyone)
        return;
    netron_table_remove(&catalogue->by_name, entry);
    free_service(entry);
}

static int reserve(service *entry)
{
    if (entry->count < entry->capacity)
        return 0;
    netron_node **members = netron_array_grow(entry->members, &entry->capacity, 4, sizeof(netron_node *));
    if (members == NULL)
        return NETRON_ENOMEM;
    entry->members = members;
    return 0;
}

/* The service of that name, with room for one more member; NULL without memory. */
static service *prepare(struct netron_catalogue *catalogue, const char *name)
{
    service *entry = find(catalogue, name);
    if (entry != NULL)
        return reserve(entry) == 0 ? entry : NULL;
    entry = new_service(name);
    if (entry == NULL || reserve(entry) != 0) {
        if (entry != NULL)
            free_service(entry);
        return NULL;
    }
    if (netron_table_add(&catalogue->by_name, entry, entry->name, strlen(entry->name)))
        return entry;
    free_service(entry);
    return NULL;
}

/* How many of the members, which are sorted, come before this id. */
static size_t count_before(const service *entry, const char *id)
{
    size_t low = 0;
    size_t high = entry->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(entry->members[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void put(service *entry, netron_node *node)
{
    bool is_last = entry->count == 0 || strcmp(entry->members[entry->count - 1]->id, node->id) < 0;
    bool keeps_sorted = entry->is_sorted && (is_last || entry->was_asked);
    size_t position = keeps_sorted && !is_last ? count_before(entry, node->id) : entry->count;
    forget_answers(entry);
    memmove(entry->members + position + 1, entry->members + position,
            (entry->count - position) * sizeof(netron_node *));
    entry->members[position] = node;
    entry->count++;
    entry->is_sorted = keeps_sorted;
}

static netron_node **place_of(service *entry, const netron_node *node)
{
    sort_members(entry);
    return bsearch(&node, entry->members, entry->count, sizeof(netron_node *), compare_ids);
}

static void take(service *entry, const netron_node *node)
{
    netron_node **place = place_of(entry, node);
    forget_answers(entry);
    if (place == NULL)
        return;
    entry->count--;
    memmove(place, place + 1, (size_t)(entry->members + entry->count - place) * sizeof(netron_node *));
}

static void exchange(service *entry, const netron_node *before, netron_node *after)
{
    netron_node **place = place_of(entry, before);
    forget_answers(entry);
    if (place != NULL)
        *place = after;
}

/* A node may offer a service in several versions; it is a member once, by the first of them. */
static bool is_first_of_name(const netron_node *node, size_t position)
{
    return netron_node_service(node, node->services[position].name, NULL) == &node->services[position];
}

static bool has_service(const netron_node *node, const char *name)
{
    return node != NULL && netron_node_service(node, name, NULL) != NULL;
}

int netron_catalogue_replace(struct netron_catalogue *catalogue, netron_node *before, netron_node *after)
{
    /* Everything that can fail comes first. */
    bool is_ready = before != NULL || reserve(catalogue->everyone) == 0;
    for (size_t i = 0; after != NULL && i < after->service_count && is_ready; i++)
        is_ready = prepare(catalogue, after->services[i].name) != NULL;
    for (size_t i = 0; after != NULL && i < after->service_count; i++) {
        service *entry = find(catalogue, after->services[i].name);
        if (entry == NULL) /* there was no memory for it */
            continue;
        if (!is_ready)
            drop_if_empty(catalogue, entry);
        else if (has_service(before, entry->name) && is_first_of_name(after, i))
            exchange(entry, before, after);
        else if (is_first_of_name(after, i))
            put(entry, after);
    }
    if (!is_ready)
        return NETRON_ENOMEM;
    for (size_t i = 0; before != NULL && i < before->service_count; i++) {
        service *entry = find(catalogue, before->services[i].name);
        if (entry == NULL || has_service(after, entry->name) || !is_first_of_name(before, i))
            continue;
        take(entry, before);
        drop_if_empty(catalogue, entry);
    }
    if (before != NULL && after != NULL)
        exchange(catalogue->everyone, before, after);
    else if (after != NULL)
        put(catalogue->everyone, after);
    else if (before != NULL)
        take(catalogue->everyone, before);
    return 0;
}

int netron_catalogue_open(struct netron_catalogue *catalogue)
{
    *catalogue = (struct netron_catalogue){.everyone = new_service(""), .nobody = netron_snapshot_new(0)};
    if (catalogue->everyone != NULL && catalogue->nobody != NULL)
        return 0;
    netron_catalogue_close(catalogue);
    return NETRON_ENOMEM;
}

void netron_catalogue_close(struct netron_catalogue *catalogue)
{
    while (catalogue->by_name != NULL)
        free_service(netron_table_take(&catalogue->by_name));
    if (catalogue->everyone != NULL)
        free_service(catalogue->everyone);
    netron_snapshot_release(catalogue->nobody);
    *catalogue = (struct netron_catalogue){0};
}
