/* SPDX-License-Identifier: MIT */
/*
 * 10,000 registrations of one process on one link, beating every 5 s, while 1 % of them change each second: an update,
 * then a departure with a registration of the same node. A watcher in another process follows; at the end it has to
 * hold exactly what Redis holds.
 */
#include "bench.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NODES 10000
#define SERVICES 1000
#define SECONDS 20
#define CHANGES_A_SECOND (NODES / 100)

static netron_options options_of(const struct bench *bench)
{
    netron_options options;
    netron_options_init(&options); /* interval 5 s, TTL 15 s: the defaults */
    options.url = bench->server.url;
    options.pubsub_enabled = 1;
    return options;
}

/* ---- the watcher: a process of its own ---- */

struct report {
    bool is_exact;
    netron_view_status status;
    size_t events;
    uint64_t cpu_ns;
};

static void count_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    (void)event;
    ++*(size_t *)arg;
}

static void answer(evutil_socket_t fd, short what, void *arg)
{
    char order;
    (void)what;
    BENCH_CHECK(read(fd, &order, 1) == 1);
    *(char *)arg = order;
}

/* Says 's' when it is synced; on 'c' begins to count its CPU time, on 'e' reports, and ends. */
static _Noreturn void watch(struct bench *bench, int in, int out)
{
    struct report report = {0};
    char order = 0;
    bench->base = event_base_new();
    bench->context = NULL; /* the parent's */
    const netron_options options = options_of(bench);
    netron_discovery *discovery = bench_join(bench, &options);
    BENCH_CHECK(netron_subscribe_to_events(discovery, count_event, &report.events, NULL) == 0);
    struct event *orders = event_new(bench->base, in, EV_READ | EV_PERSIST, answer, &order);
    event_add(orders, NULL);
    BENCH_AWAIT(bench, bench_view(discovery).state == NETRON_VIEW_FRESH);
    BENCH_CHECK(write(out, "s", 1) == 1);
    BENCH_AWAIT(bench, order == 'c');
    uint64_t began = bench_cpu_ns(getpid());
    BENCH_AWAIT(bench, order == 'e');
    report.cpu_ns = bench_cpu_ns(getpid()) - began;
    BENCH_AWAIT(bench, bench_is_exact(bench, discovery));
    report.is_exact = true;
    report.status = bench_view(discovery);
    BENCH_CHECK(write(out, &report, sizeof(report)) == (ssize_t)sizeof(report));
    _exit(0);
}

struct watcher {
    pid_t pid;
    int in;
    int out;
};

static struct watcher start_watcher(struct bench *bench)
{
    int orders[2], answers[2];
    char said = 0;
    BENCH_CHECK(pipe(orders) == 0 && pipe(answers) == 0);
    pid_t parent = getpid();
    pid_t pid = fork();
    BENCH_CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            watch(bench, orders[0], answers[1]);
        _exit(1);
    }
    close(orders[0]);
    close(answers[1]);
    BENCH_CHECK(read(answers[0], &said, 1) == 1 && said == 's');
    return (struct watcher){pid, answers[0], orders[1]};
}

/* ---- the fleet ---- */

struct fleet {
    netron_discovery *discovery;
    netron_registration *nodes[NODES];
    bool leaves[NODES];
    size_t updates;
    size_t departures;
    size_t pending;
    uint64_t seed;
    size_t lost;
};

static void on_state(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    struct fleet *fleet = arg;
    (void)registration;
    (void)code;
    fleet->lost += state != NETRON_REGISTERED && state != NETRON_LEAVING && state != NETRON_LEFT;
}

static void join(struct fleet *fleet, size_t number)
{
    char id[64], name[64];
    const netron_service service = {name, "1.0.0"};
    netron_node node = NETRON_NODE_INIT;
    bench_node_id(id, sizeof(id), number);
    bench_service_name(name, sizeof(name), number % SERVICES);
    node.id = id;
    node.address = "10.0.0.1:8080";
    node.services = &service;
    node.service_count = 1;
    BENCH_CHECK(netron_register(fleet->discovery, &node, on_state, fleet, &fleet->nodes[number]) == 0);
}

static void on_updated(netron_discovery *discovery, int code, void *arg)
{
    struct fleet *fleet = arg;
    (void)discovery;
    BENCH_CHECK(code == 0);
    fleet->pending--;
}

struct departure {
    struct fleet *fleet;
    size_t number;
};

static void on_left(netron_discovery *discovery, int code, void *arg)
{
    struct departure *departure = arg;
    struct fleet *fleet = departure->fleet;
    (void)discovery;
    BENCH_CHECK(code == 0);
    netron_registration_free(fleet->nodes[departure->number]);
    join(fleet, departure->number);
    fleet->leaves[departure->number] = false;
    fleet->pending--;
    free(departure);
}

static void change_one(struct fleet *fleet)
{
    size_t number = (size_t)(bench_random(&fleet->seed) % NODES);
    char address[64];
    if (fleet->leaves[number])
        return;
    fleet->pending++;
    if ((fleet->updates + fleet->departures) % 2 == 0) {
        snprintf(address, sizeof(address), "10.0.0.1:%u", 1024 + (unsigned)(bench_random(&fleet->seed) % 60000));
        fleet->updates++;
        BENCH_CHECK(netron_registration_update_address(fleet->nodes[number], address, on_updated, fleet) == 0);
        return;
    }
    struct departure *departure = malloc(sizeof(*departure));
    BENCH_CHECK(departure != NULL);
    *departure = (struct departure){fleet, number};
    fleet->leaves[number] = true;
    fleet->departures++;
    BENCH_CHECK(netron_registration_deregister(fleet->nodes[number], on_left, departure) == 0);
}

static void on_tick(evutil_socket_t none, short what, void *arg)
{
    (void)none;
    (void)what;
    change_one(arg);
}

static netron_stats stats_of(const netron_discovery *discovery)
{
    netron_stats stats = {.size = sizeof(stats)};
    BENCH_CHECK(netron_discovery_stats(discovery, &stats) == 0);
    return stats;
}

static void pass(struct bench *bench, unsigned seconds)
{
    const struct timeval span = {(time_t)seconds, 0};
    event_base_loopexit(bench->base, &span);
    event_base_dispatch(bench->base);
}

/* ---- the figures ---- */

struct usage {
    uint64_t at;
    uint64_t client;
    uint64_t redis;
    uint64_t beats;
    uint64_t registers;
};

static struct usage usage_of(const struct bench *bench, const struct fleet *fleet)
{
    const netron_stats stats = stats_of(fleet->discovery);
    return (struct usage){bench_now_ns(), bench_cpu_ns(getpid()), bench_cpu_ns(bench->server.pid), stats.beats,
                          stats.registers};
}

static void tell_usage(const struct usage *from, const struct usage *to, const struct report *report)
{
    double span = (double)(to->at - from->at);
    double seconds = span / 1e9;
    bench_tell(
        &(struct bench_figure){"beats a second", "", 0, (double)(to->beats - from->beats) / seconds, 0, NULL, 0});
    bench_tell(&(struct bench_figure){"calls of the register script a second", "", 0,
                                      (double)(to->registers - from->registers) / seconds, 0, NULL, 0});
    bench_tell(&(struct bench_figure){"CPU of the process with the nodes", "%", 1,
                                      (double)(to->client - from->client) / span * 100, 0, NULL, 0});
    bench_tell(&(struct bench_figure){"CPU of the watcher", "%", 1, (double)report->cpu_ns / span * 100, 0, NULL, 0});
    bench_tell(
        &(struct bench_figure){"CPU of Redis", "%", 1, (double)(to->redis - from->redis) / span * 100, 0, NULL, 0});
}

/* A GETEX is a microsecond's work: its slowest one is how long the machine let Redis wait. */
static void tell_slowest(struct bench *bench, const char *when)
{
    char command[64], none[64], what[96];
    double slowest = bench_slowest_ms(bench, NULL, command, sizeof(command));
    double limit = bench_slowest_ms(bench, "GETEX", none, sizeof(none));
    snprintf(what, sizeof(what), "Redis, slowest %s: %s", when, command);
    bench_tell(&(struct bench_figure){what, "ms", 2, slowest, limit, "< 5", slowest < 5});
    double reconcile = bench_slowest_ms(bench, "reconcile", none, sizeof(none));
    snprintf(what, sizeof(what), "Redis, slowest %s: of reconcile", when);
    bench_tell(&(struct bench_figure){what, "ms", 2, reconcile, limit, "< 5", reconcile < 5});
}

static void expect_exact(struct bench *bench, struct fleet *fleet, const struct report *report)
{
    BENCH_CHECK(stats_of(fleet->discovery).nodes_registered == NODES && fleet->lost == 0);
    BENCH_CHECK(bench_integer(bench, "HLEN netron:discovery:records") == NODES);
    BENCH_CHECK(bench_integer(bench, "SCARD netron:discovery:index:nodes") == NODES);
    BENCH_CHECK(report->is_exact && report->status.node_count == NODES);
    bench_tell(&(struct bench_figure){"the view is exact at the end (digest and count)", "", 0, 1, 0, "1", true});
    bench_tell(&(struct bench_figure){"nodes in the view", "", 0, (double)report->status.node_count, NODES, "10000",
                                      report->status.node_count == NODES});
    bench_tell(&(struct bench_figure){"full syncs of the view", "", 0, (double)report->status.full_syncs, 0, NULL, 0});
}

static void churn(struct bench *bench, struct fleet *fleet)
{
    const struct timeval period = {0, 1000000 / CHANGES_A_SECOND};
    struct event *tick = event_new(bench->base, -1, EV_PERSIST, on_tick, fleet);
    BENCH_CHECK(tick != NULL && event_add(tick, &period) == 0);
    pass(bench, SECONDS);
    event_free(tick);
    BENCH_AWAIT(bench, fleet->pending == 0 && stats_of(fleet->discovery).nodes_registered == NODES);
}

int main(void)
{
    static struct fleet fleet = {.seed = 42};
    struct bench bench;
    struct report report;
    bench_open(&bench, NULL);
    bench_watch_slow(&bench, 100);
    struct watcher watcher = start_watcher(&bench);
    const netron_options options = options_of(&bench);
    fleet.discovery = bench_join(&bench, &options);
    bench_headings("10,000 nodes of one process, 1 % of them change each second for 20 s",
                   "of the slowest command: the slowest GETEX, which shows what the machine itself holds up");

    uint64_t began = bench_now_ns();
    for (size_t i = 0; i < NODES; i++)
        join(&fleet, i);
    BENCH_AWAIT(&bench, stats_of(fleet.discovery).nodes_registered == NODES);
    bench_tell(&(struct bench_figure){"all registered after", "ms", 0, (double)(bench_now_ns() - began) / 1e6, 0, NULL,
                                      false});
    tell_slowest(&bench, "registering");
    pass(&bench, 2);
    bench_watch_slow(&bench, 100);
    BENCH_CHECK(write(watcher.out, "c", 1) == 1);
    struct usage from = usage_of(&bench, &fleet);
    churn(&bench, &fleet);
    struct usage to = usage_of(&bench, &fleet);
    BENCH_CHECK(write(watcher.out, "e", 1) == 1);
    BENCH_CHECK(read(watcher.in, &report, sizeof(report)) == (ssize_t)sizeof(report));
    tell_slowest(&bench, "running");
    tell_usage(&from, &to, &report);
    bench_tell(&(struct bench_figure){"updates", "", 0, (double)fleet.updates, 0, NULL, false});
    bench_tell(&(struct bench_figure){"departures and returns", "", 0, (double)fleet.departures, 0, NULL, false});
    expect_exact(&bench, &fleet, &report);
    waitpid(watcher.pid, NULL, 0);
    netron_discovery_free(fleet.discovery);
    bench_close(&bench);
    return EXIT_SUCCESS;
}
