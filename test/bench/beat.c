/* SPDX-License-Identifier: MIT */
/*
 * A beat: what it costs the client, in instructions, and Redis, in microseconds.
 *
 *     beat netron COUNT    beats of a registration
 *     beat bare COUNT      the limit: a timer and a GETEX in a loop of hiredis and libevent, nothing else
 *
 * All that belongs to a beat happens inside turn_of_beat(), all that belongs to a repair (every tenth beat, which is a
 * call of the register script) inside turn_of_repair(): beat.sh lets callgrind count inside these two alone.
 */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEATS_BEFORE_REPAIR 9

void turn_of_beat(struct event_base *base);
void turn_of_repair(struct event_base *base);

__attribute__((noinline)) void turn_of_beat(struct event_base *base)
{
    event_base_loop(base, EVLOOP_ONCE);
    __asm__ volatile("" ::: "memory"); /* no tail call: callgrind has to see it return */
}

__attribute__((noinline)) void turn_of_repair(struct event_base *base)
{
    event_base_loop(base, EVLOOP_ONCE);
    __asm__ volatile("" ::: "memory");
}

/* ---- the library ---- */

static netron_stats stats_of(const netron_discovery *discovery)
{
    netron_stats stats = {.size = sizeof(stats)};
    netron_discovery_stats(discovery, &stats);
    return stats;
}

static void beat_netron(struct bench *bench, uint64_t count)
{
    netron_options options = bench_options(bench);
    options.heartbeat_interval_ms = 1;
    netron_discovery *discovery = bench_join(bench, &options);
    bench_fill(bench, discovery, 1, 1);
    bench_order(bench, "CONFIG RESETSTAT");
    netron_stats stats = stats_of(discovery);
    for (uint64_t since = 0; stats.beats < count || since != 0;) {
        if (since < BEATS_BEFORE_REPAIR)
            turn_of_beat(bench->base);
        else
            turn_of_repair(bench->base);
        netron_stats now = stats_of(discovery);
        BENCH_CHECK(now.beats == stats.beats || since < BEATS_BEFORE_REPAIR);
        BENCH_CHECK(now.registers == stats.registers || since == BEATS_BEFORE_REPAIR);
        since = now.registers > stats.registers ? 0 : since + now.beats - stats.beats;
        stats = now;
    }
    BENCH_CHECK(stats.retries == 0 && stats.nodes_registered == 1);
    printf("beats %llu\n", (unsigned long long)stats.beats);
    printf("repairs %llu\n", (unsigned long long)stats.registers - 1);
    printf("getex_us %.2f\n", bench_command_us(bench, "getex"));
    printf("repair_us %.2f\n", bench_command_us(bench, "evalsha"));
    netron_discovery_free(discovery);
}

/* ---- the limit ---- */

struct bare {
    redisAsyncContext *context;
    struct event *timer;
    uint64_t beats;
};

static const struct timeval interval = {0, 1000};

static void on_reply(redisAsyncContext *context, void *answer, void *arg)
{
    struct bare *bare = arg;
    const redisReply *reply = answer;
    (void)context;
    if (reply == NULL) /* the end */
        return;
    BENCH_CHECK(reply->type == REDIS_REPLY_STRING && strcmp(reply->str, "0123456789abcdef") == 0);
    bare->beats++;
    evtimer_add(bare->timer, &interval);
}

static void on_timer(evutil_socket_t none, short what, void *arg)
{
    struct bare *bare = arg;
    (void)none;
    (void)what;
    static const char *words[] = {"GETEX", "netron:discovery:heartbeat:node-00000-6f1c02d4", "PX", "86400000"};
    static const size_t lengths[] = {5, 46, 2, 8};
    BENCH_CHECK(redisAsyncCommandArgv(bare->context, on_reply, bare, 4, words, lengths) == REDIS_OK);
}

static void beat_bare(struct bench *bench, uint64_t count)
{
    struct bare bare = {.context = bench_connect(bench)};
    bench_order(bench, "SET netron:discovery:heartbeat:node-00000-6f1c02d4 0123456789abcdef");
    bench_order(bench, "CONFIG RESETSTAT");
    bare.timer = evtimer_new(bench->base, on_timer, &bare);
    evtimer_add(bare.timer, &interval);
    while (bare.beats < count)
        turn_of_beat(bench->base);
    printf("beats %llu\n", (unsigned long long)bare.beats);
    printf("getex_us %.2f\n", bench_command_us(bench, "getex"));
    event_free(bare.timer);
    redisAsyncFree(bare.context);
}

int main(int argc, char **argv)
{
    struct bench bench;
    if (argc != 3 || (strcmp(argv[1], "netron") != 0 && strcmp(argv[1], "bare") != 0)) {
        fprintf(stderr, "usage: %s netron|bare COUNT\n", argv[0]);
        return 2;
    }
    bench_open(&bench, NULL);
    if (strcmp(argv[1], "netron") == 0)
        beat_netron(&bench, strtoull(argv[2], NULL, 10));
    else
        beat_bare(&bench, strtoull(argv[2], NULL, 10));
    bench_close(&bench);
    return EXIT_SUCCESS;
}
