/* SPDX-License-Identifier: MIT */
/* A view of 10,000 nodes, from its opening to SYNCED; the limit is one HGETALL of the same records by bare hiredis,
 * which is what no library should ask of Redis. */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES 10000
#define RUNS 15

/* Below, noting a command would cost more than the command. */
#define NOTED_US 100

struct watcher {
    size_t nodes;
    bool is_synced;
    uint64_t at;
};

static void on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    struct watcher *watcher = arg;
    (void)subscription;
    watcher->is_synced = event->type == NETRON_SYNCED;
    watcher->nodes += event->type == NETRON_NODE_REGISTERED;
    watcher->at = bench_now_ns();
}

static double sync_ms(struct bench *bench)
{
    struct watcher watcher = {0};
    const netron_options options = bench_options(bench);
    netron_discovery *discovery = bench_join(bench, &options);
    uint64_t began = bench_now_ns();
    BENCH_CHECK(netron_view_open(discovery) == 0);
    BENCH_CHECK(netron_subscribe_to_events(discovery, on_event, &watcher, NULL) == 0);
    BENCH_AWAIT(bench, watcher.is_synced);
    BENCH_CHECK(watcher.nodes == NODES && bench_is_exact(bench, discovery));
    BENCH_CHECK(bench_view(discovery).full_syncs == 1);
    netron_discovery_free(discovery);
    return (double)(watcher.at - began) / 1e6;
}

static void on_everything(redisAsyncContext *context, void *answer, void *arg)
{
    const redisReply *reply = answer;
    (void)context;
    if (reply == NULL)
        return;
    BENCH_CHECK(reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 * NODES);
    *(uint64_t *)arg = bench_now_ns();
}

static double bare_ms(struct bench *bench)
{
    uint64_t at = 0;
    redisAsyncContext *context = bench_connect(bench);
    uint64_t began = bench_now_ns();
    BENCH_CHECK(redisAsyncCommand(context, on_everything, &at, "HGETALL netron:discovery:records") == REDIS_OK);
    BENCH_AWAIT(bench, at != 0);
    redisAsyncFree(context);
    return (double)(at - began) / 1e6;
}

static double least(const double *values, size_t count)
{
    double result = values[0];
    for (size_t i = 1; i < count; i++)
        result = values[i] < result ? values[i] : result;
    return result;
}

int main(void)
{
    struct bench bench;
    double sync[RUNS], bare[RUNS], slowest[RUNS];
    char command[64], what[96];
    bench_open(&bench, NULL);
    const netron_options options = bench_options(&bench);
    netron_discovery *filler = bench_join(&bench, &options);
    bench_fill(&bench, filler, NODES, 1000);
    netron_discovery_free(filler);
    for (size_t i = 0; i < RUNS; i++) {
        bench_watch_slow(&bench, NOTED_US);
        sync[i] = sync_ms(&bench);
        slowest[i] = bench_slowest_ms(&bench, NULL, command, sizeof(command));
        bare[i] = bare_ms(&bench);
    }
    bench_headings("10,000 nodes, from opening the view to SYNCED", "one HGETALL of the same records");
    double best = least(sync, RUNS);
    snprintf(what, sizeof(what), "the best of %d", RUNS);
    bench_tell(&(struct bench_figure){what, "ms", 1, best, least(bare, RUNS), "< 60", best < 60});
    double median = bench_quantile(sync, RUNS, 0.5);
    bench_tell(
        &(struct bench_figure){"the median", "ms", 1, median, bench_quantile(bare, RUNS, 0.5), "< 60", median < 60});
    snprintf(what, sizeof(what), "Redis, slowest: %.20s, median", command);
    double longest = bench_quantile(slowest, RUNS, 0.5);
    bench_tell(&(struct bench_figure){what, "ms", 2, longest, 0, "< 5", longest < 5});
    longest = bench_quantile(slowest, RUNS, 1);
    bench_tell(&(struct bench_figure){"Redis, slowest command of all runs", "ms", 2, longest, 0, "< 5", longest < 5});
    bench_close(&bench);
    return EXIT_SUCCESS;
}
