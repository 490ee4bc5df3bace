/* SPDX-License-Identifier: MIT */
/* What a node takes in the replica, one service each; the limit is what is to be kept, in one block: the node as the
 * user sees it with its texts, and the entry that proves it. */
#include "bench.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES 10000

static size_t in_use(void)
{
    const struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
}

/* id, address, name and version as bench_fill() makes them, tag, revision and incarnation. */
static size_t least_size(const netron_node *node)
{
    size_t texts = strlen(node->id) + 1 + strlen(node->address) + 1;
    for (size_t i = 0; i < node->service_count; i++)
        texts += strlen(node->services[i].name) + 1 + strlen(node->services[i].version) + 1;
    return sizeof(*node) + node->service_count * sizeof(netron_service) + texts + 3 * sizeof(uint64_t);
}

static double size_of_node(struct bench *bench, size_t services, double *limit)
{
    const netron_options options = bench_options(bench);
    netron_discovery *filler = bench_join(bench, &options);
    bench_fill(bench, filler, NODES, services);
    netron_discovery_free(filler);
    netron_discovery *discovery = bench_join(bench, &options);
    size_t before = in_use();
    bench_open_view(bench, discovery);
    BENCH_CHECK(bench_view(discovery).node_count == NODES && bench_is_exact(bench, discovery));
    size_t taken = in_use() - before;
    char id[64];
    bench_node_id(id, sizeof(id), NODES / 2);
    const netron_snapshot *found = netron_view_node(discovery, id);
    BENCH_CHECK(found != NULL && found->count == 1);
    *limit = (double)least_size(found->nodes[0]);
    netron_snapshot_release(found);
    netron_discovery_free(discovery);
    freeReplyObject(bench_ask(bench, "FLUSHALL"));
    return (double)taken / NODES;
}

int main(void)
{
    static const size_t services[] = {1, 100, 1000};
    struct bench bench;
    bench_open(&bench, NULL);
    bench_headings("bytes a node in a view of 10,000, one service each", "its struct, texts and numbers in one block");
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        char what[64];
        double limit = 0;
        double size = size_of_node(&bench, services[i], &limit);
        snprintf(what, sizeof(what), "%zu services in all", services[i]);
        bench_tell(&(struct bench_figure){what, "bytes", 0, size, limit, "< 600", size < 600});
    }
    bench_close(&bench);
    return EXIT_SUCCESS;
}
