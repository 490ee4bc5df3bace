/* SPDX-License-Identifier: MIT */
/* Changes a second of three fleets on one cluster, whose slots are at one, two or three of its primaries. Each change
 * leaves all services of a node for others, so that the shards have more to do than who drives them: with two cores a
 * second shard shows in the rate, and a third has no core of its own. So beside the rate stands the one at which the
 * busiest shard would be busy all the time, which is what a shard more is worth. */
#include "bench.h"
#include "redis_cluster.h"
#include <slot.h>
#include <stdio.h>
#include <string.h>

#define FLEETS 3
#define NODES 64 /* of a fleet, each with one change under way */
#define SERVICES 48
#define SECONDS 2

/* The cluster is one that tests start, and says so to Check at each step, which wants a test to be running. */
void __wrap__mark_point(const char *file, int line);
void __wrap__mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

struct fleet;

struct node {
    struct fleet *fleet;
    netron_registration *registration;
    unsigned changes;
};

struct fleet {
    netron_discovery *discovery;
    struct node nodes[NODES];
    bool *is_over;
    size_t changes;
};

static void change(struct node *node);

static void on_changed(netron_discovery *discovery, int code, void *arg)
{
    struct node *node = arg;
    (void)discovery;
    if (*node->fleet->is_over) /* also that of the discovery, which ends what is under way */
        return;
    BENCH_CHECK(code == 0);
    node->fleet->changes++;
    change(node);
}

static void change(struct node *node)
{
    char names[SERVICES][16];
    netron_service services[SERVICES];
    node->changes++;
    for (size_t i = 0; i < SERVICES; i++) {
        snprintf(names[i], sizeof(names[i]), "%s-%zu", node->changes % 2 == 0 ? "even" : "odd", i);
        services[i] = (netron_service){names[i], NULL};
    }
    BENCH_CHECK(netron_registration_update_services(node->registration, services, SERVICES, on_changed, node) == 0);
}

/* A prefix whose slot is at that primary. */
static void find_prefix(size_t shard, size_t fleet, char *prefix, size_t size)
{
    for (unsigned i = 0;; i++) {
        snprintf(prefix, size, "{fleet-%zu-%u}", fleet, i);
        if (netron_slot_of(prefix) * FLEETS / NETRON_SLOTS == shard)
            return;
    }
}

static void join(struct bench *bench, const struct cluster *cluster, struct fleet *fleet, const char *prefix)
{
    netron_options options;
    netron_options_init(&options);
    options.url = cluster->url;
    options.key_prefix = prefix;
    options.pubsub_enabled = 1;
    BENCH_CHECK(netron_discovery_new(bench->base, &options, &fleet->discovery) == 0);
    for (size_t i = 0; i < NODES; i++) {
        char id[32];
        netron_node node = NETRON_NODE_INIT;
        snprintf(id, sizeof(id), "node-%zu", i);
        node.id = id;
        node.address = "10.0.0.1:1";
        fleet->nodes[i].fleet = fleet;
        BENCH_CHECK(netron_register(fleet->discovery, &node, NULL, NULL, &fleet->nodes[i].registration) == 0);
    }
    for (size_t i = 0; i < NODES; i++)
        BENCH_AWAIT(bench, netron_registration_get_state(fleet->nodes[i].registration) == NETRON_REGISTERED);
}

/* Tells the rate, and returns the one that would fill the busiest shard. */
static double measure(struct bench *bench, struct cluster *cluster, size_t shards)
{
    static struct fleet fleets[FLEETS];
    uint64_t before[FLEETS];
    bool is_over = false;
    size_t changes = 0;
    memset(fleets, 0, sizeof(fleets));
    for (size_t i = 0; i < FLEETS; i++) {
        char prefix[48];
        find_prefix(i % shards, 10 * shards + i, prefix, sizeof(prefix));
        fleets[i].is_over = &is_over;
        join(bench, cluster, &fleets[i], prefix);
    }
    for (size_t i = 0; i < FLEETS; i++)
        before[i] = bench_cpu_ns(cluster->node[i].pid);
    uint64_t began = bench_now_ns();
    for (size_t i = 0; i < FLEETS; i++)
        for (size_t j = 0; j < NODES; j++)
            change(&fleets[i].nodes[j]);
    while (bench_now_ns() - began < SECONDS * UINT64_C(1000000000))
        event_base_loop(bench->base, EVLOOP_ONCE);
    double seconds = (double)(bench_now_ns() - began) / 1e9;
    is_over = true;
    printf("%zu shard%s: busy", shards, shards > 1 ? "s" : "");
    double busiest = 0;
    for (size_t i = 0; i < FLEETS; i++) {
        double share = (double)(bench_cpu_ns(cluster->node[i].pid) - before[i]) / 1e9 / seconds;
        busiest = share > busiest ? share : busiest;
        printf(" %.0f %%", share * 100);
    }
    for (size_t i = 0; i < FLEETS; i++) {
        changes += fleets[i].changes;
        netron_discovery_free(fleets[i].discovery);
    }
    BENCH_CHECK(busiest > 0);
    printf(", %.0f changes/s, room for %.0f\n", (double)changes / seconds, (double)changes / seconds / busiest);
    return (double)changes / seconds / busiest;
}

int main(void)
{
    struct bench bench = {.base = event_base_new()};
    struct cluster cluster;
    double room[FLEETS];
    cluster_start(&cluster, FLEETS, 0, NULL);
    for (size_t shards = 1; shards <= FLEETS; shards++)
        room[shards - 1] = measure(&bench, &cluster, shards);
    printf("2 and 3 shards: room for %.2f and %.2f x the changes of one\n", room[1] / room[0], room[2] / room[0]);
    cluster_stop(&cluster);
    event_base_free(bench.base);
    return 0;
}
