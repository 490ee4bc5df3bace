/* SPDX-License-Identifier: MIT */
/* netron_view_find() among 10,000 nodes, 10 of them for each of 1,000 services; the limit is one look-up in a table of
 * as many names. The program's allocations are counted by the linker's --wrap. */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define NODES 10000
#define SERVICES 1000
#define CALLS 1000000
#define RUNS 9
#define NAME_SIZE 32

static unsigned long allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    allocations++;
    return __real_realloc(memory, size);
}

struct entry {
    UT_hash_handle hh;
    size_t number;
    char name[NAME_SIZE];
};

static char names[SERVICES][NAME_SIZE];
static uint16_t order[CALLS]; /* which name each call asks for */

static struct entry *make_table(void)
{
    struct entry *table = NULL;
    for (size_t i = 0; i < SERVICES; i++) {
        struct entry *entry = calloc(1, sizeof(*entry));
        BENCH_CHECK(entry != NULL);
        entry->number = i;
        memcpy(entry->name, names[i], NAME_SIZE);
        HASH_ADD_STR(table, name, entry);
    }
    return table;
}

static double time_table(struct entry *table)
{
    uint64_t sum = 0, expected = 0;
    uint64_t began = bench_now_ns();
    for (size_t i = 0; i < CALLS; i++) {
        struct entry *entry = NULL;
        HASH_FIND_STR(table, names[order[i]], entry);
        sum += entry != NULL ? entry->number : 0;
    }
    double ns = (double)(bench_now_ns() - began) / CALLS;
    for (size_t i = 0; i < CALLS; i++)
        expected += order[i];
    BENCH_CHECK(sum == expected);
    return ns;
}

/* A call is the look-up and the release. */
static double time_view(netron_discovery *discovery, const char *range, size_t matches)
{
    uint64_t sum = 0;
    unsigned long before = allocations;
    uint64_t began = bench_now_ns();
    for (size_t i = 0; i < CALLS; i++) {
        const netron_snapshot *found = netron_view_find(discovery, names[order[i]], range);
        sum += found->count;
        netron_snapshot_release(found);
    }
    double ns = (double)(bench_now_ns() - began) / CALLS;
    BENCH_CHECK(sum == (uint64_t)CALLS * matches);
    BENCH_CHECK(allocations == before);
    return ns;
}

static bool is_of_service(const netron_snapshot *found, const char *name, size_t matches)
{
    for (size_t i = 0; i < found->count; i++)
        if (netron_node_service(found->nodes[i], name, NULL) == NULL ||
            (i > 0 && strcmp(found->nodes[i - 1]->id, found->nodes[i]->id) >= 0))
            return false;
    return found->count == matches;
}

/* The first call for a service or a range makes the answer; it is not what is measured. */
static void check_answers(netron_discovery *discovery, const char *range, size_t matches)
{
    for (size_t i = 0; i < SERVICES; i++) {
        const netron_snapshot *found = netron_view_find(discovery, names[i], range);
        BENCH_CHECK(found != NULL && is_of_service(found, names[i], matches));
        netron_snapshot_release(found);
    }
}

static void measure(netron_discovery *discovery, const char *where)
{
    struct entry *table = make_table();
    double limit = 1e9, by_name = 1e9, by_range = 1e9;
    char what[64];
    check_answers(discovery, NULL, 10);
    check_answers(discovery, "^1.0", 10);
    for (int run = 0; run < RUNS; run++) {
        double ns[] = {time_table(table), time_view(discovery, NULL, 10), time_view(discovery, "^1.0", 10)};
        limit = ns[0] < limit ? ns[0] : limit;
        by_name = ns[1] < by_name ? ns[1] : by_name;
        by_range = ns[2] < by_range ? ns[2] : by_range;
    }
    snprintf(what, sizeof(what), "by name, %s", where);
    bench_tell(&(struct bench_figure){what, "ns", 1, by_name, limit, "< 50", by_name < 50});
    snprintf(what, sizeof(what), "by name and range, %s", where);
    bench_tell(&(struct bench_figure){what, "ns", 1, by_range, limit, "< 200", by_range < 200});
}

int main(void)
{
    struct bench bench;
    uint64_t seed = 42;
    bench_open(&bench, NULL);
    const netron_options options = bench_options(&bench);
    netron_discovery *discovery = bench_join(&bench, &options);
    for (size_t i = 0; i < SERVICES; i++)
        bench_service_name(names[i], NAME_SIZE, i);
    bench_open_view(&bench, discovery);
    bench_fill(&bench, discovery, NODES, SERVICES);
    BENCH_AWAIT(&bench, bench_is_exact(&bench, discovery) && bench_view(discovery).node_count == NODES);
    bench_headings("netron_view_find() and release, 10 of 10,000 nodes match; no call allocates",
                   "HASH_FIND_STR() of uthash among as many names");
    memset(order, 0, sizeof(order));
    measure(discovery, "always the same");
    for (size_t i = 0; i < CALLS; i++)
        order[i] = (uint16_t)(bench_random(&seed) % SERVICES);
    measure(discovery, "1,000 in random order");
    netron_discovery_free(discovery);
    bench_close(&bench);
    return EXIT_SUCCESS;
}
