/* SPDX-License-Identifier: MIT */
/* From netron_register() to the event at a watcher, both on one loop; the limit is a bare PUBLISH of a payload of the
 * same size to a bare SUBSCRIBE. One of each in turn, so that both meet the same weather. */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 3000
#define ROUNDS_WITH_PAUSES 500

static double event_us[ROUNDS];
static double bare_us[ROUNDS];

/* ---- the library ---- */

struct watcher {
    bool is_synced;
    size_t events;
    char id[64]; /* of the latest */
    uint64_t at;
};

static void on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    struct watcher *watcher = arg;
    (void)subscription;
    watcher->at = bench_now_ns();
    if (event->type == NETRON_SYNCED) {
        watcher->is_synced = true;
        return;
    }
    BENCH_CHECK(event->type == NETRON_NODE_REGISTERED);
    watcher->events++;
    snprintf(watcher->id, sizeof(watcher->id), "%s", event->node->id);
}

static double register_one(struct bench *bench, netron_discovery *publisher, struct watcher *watcher, size_t number)
{
    char id[64], name[64];
    const netron_service service = {name, "1.0.0"};
    netron_node node = NETRON_NODE_INIT;
    bench_node_id(id, sizeof(id), number);
    bench_service_name(name, sizeof(name), number % 100);
    node.id = id;
    node.address = "10.0.0.1:8080";
    node.services = &service;
    node.service_count = 1;
    size_t before = watcher->events;
    uint64_t began = bench_now_ns();
    BENCH_CHECK(netron_register(publisher, &node, NULL, NULL, NULL) == 0);
    BENCH_AWAIT(bench, watcher->events > before);
    BENCH_CHECK(watcher->events == before + 1 && strcmp(watcher->id, id) == 0);
    return (double)(watcher->at - began) / 1000;
}

/* ---- the limit ---- */

struct listener {
    size_t messages; /* the acknowledgement is the first */
    size_t length;   /* of the latest payload */
    uint64_t at;
};

static void on_message(redisAsyncContext *context, void *answer, void *arg)
{
    struct listener *listener = arg;
    const redisReply *reply = answer;
    (void)context;
    if (reply == NULL)
        return;
    listener->at = bench_now_ns();
    listener->messages++;
    listener->length = (size_t)reply->element[2]->len;
}

static void on_published(redisAsyncContext *context, void *answer, void *arg)
{
    const redisReply *reply = answer;
    (void)context;
    (void)arg;
    BENCH_CHECK(reply == NULL || (reply->type == REDIS_REPLY_INTEGER && reply->integer == 1));
}

static double publish_one(struct bench *bench, redisAsyncContext *publisher, struct listener *listener,
                          const char *payload, size_t length)
{
    size_t before = listener->messages;
    uint64_t began = bench_now_ns();
    BENCH_CHECK(redisAsyncCommand(publisher, on_published, NULL, "PUBLISH bare %b", payload, length) == REDIS_OK);
    BENCH_AWAIT(bench, listener->messages > before);
    BENCH_CHECK(listener->length == length);
    return (double)(listener->at - began) / 1000;
}

/* ---- both ---- */

/* What the library's events look like, as long as they are. */
static size_t payload_length(void)
{
    static const char like[] =
        "{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"node-00000-6f1c02d4\",\"address\":\"10.0.0.1:8080\",\"services\":"
        "[{\"name\":\"service-00000\",\"version\":\"1.0.0\"}],\"ttl\":86400000,\"timestamp\":1700000000000,\"epoch\":"
        "\"0123456789abcdef\",\"revision\":1000,\"digest\":\"0123456789ab\",\"tag\":\"0123456789ab\",\"incarnation\":"
        "\"0123456789abcdef\"}";
    return sizeof(like) - 1;
}

/* A loop that has nothing to do for a moment, as it is between two real registrations. */
static void settle(struct bench *bench)
{
    const struct timeval moment = {0, 200};
    event_base_loopexit(bench->base, &moment);
    event_base_dispatch(bench->base);
}

/* first: the number of the first node. */
static void measure(struct bench *bench, netron_discovery *publisher, struct watcher *watcher, size_t first,
                    size_t count, bool with_pauses)
{
    struct listener listener = {0};
    char payload[1024];
    size_t length = payload_length();
    redisAsyncContext *out = bench_connect(bench);
    redisAsyncContext *in = bench_connect(bench);
    memset(payload, 'x', sizeof(payload));
    BENCH_CHECK(redisAsyncCommand(in, on_message, &listener, "SUBSCRIBE bare") == REDIS_OK);
    BENCH_AWAIT(bench, listener.messages == 1);
    for (size_t i = 0; i < count; i++) {
        event_us[i] = register_one(bench, publisher, watcher, first + i);
        if (with_pauses)
            settle(bench);
        bare_us[i] = publish_one(bench, out, &listener, payload, length);
        if (with_pauses)
            settle(bench);
    }
    redisAsyncFree(in);
    redisAsyncFree(out);
}

static void tell(const char *how, size_t count)
{
    char what[64];
    double median = bench_quantile(event_us, count, 0.5);
    double limit = bench_quantile(bare_us, count, 0.5);
    snprintf(what, sizeof(what), "%s: the median of %zu", how, count);
    bench_tell(&(struct bench_figure){what, "us", 1, median, limit, "<= 2x", median <= 2 * limit});
    snprintf(what, sizeof(what), "%s: 99 of 100 within", how);
    bench_tell(&(struct bench_figure){what, "us", 1, bench_quantile(event_us, count, 0.99),
                                      bench_quantile(bare_us, count, 0.99), NULL, false});
}

static void tell_redis(struct bench *bench, const char *how)
{
    char what[64];
    snprintf(what, sizeof(what), "%s: of that, Redis in the command", how);
    bench_tell(&(struct bench_figure){what, "us", 1, bench_command_us(bench, "evalsha"),
                                      bench_command_us(bench, "publish"), NULL, false});
}

int main(void)
{
    static const char *const ways[] = {"at once", "after a pause"};
    struct bench bench;
    struct watcher watcher = {0};
    bench_open(&bench, NULL);
    const netron_options options = bench_options(&bench);
    netron_discovery *publisher = bench_join(&bench, &options);
    netron_discovery *observer = bench_join(&bench, &options);
    BENCH_CHECK(netron_subscribe_to_events(observer, on_event, &watcher, NULL) == 0);
    BENCH_AWAIT(&bench, watcher.is_synced);
    bench_headings("netron_register() to the event at a watcher", "PUBLISH to SUBSCRIBE of bare hiredis");
    for (size_t i = 0; i < 2; i++) {
        size_t count = i == 0 ? ROUNDS : ROUNDS_WITH_PAUSES;
        bench_order(&bench, "CONFIG RESETSTAT");
        measure(&bench, publisher, &watcher, i * ROUNDS, count, i == 1);
        tell(ways[i], count);
        tell_redis(&bench, ways[i]);
    }
    BENCH_CHECK(watcher.events == ROUNDS + ROUNDS_WITH_PAUSES && bench_is_exact(&bench, observer));
    netron_discovery_free(observer);
    netron_discovery_free(publisher);
    bench_close(&bench);
    return EXIT_SUCCESS;
}
