/* SPDX-License-Identifier: MIT */
#include "bench.h"
#include "script_sources.h"
#include <hiredis/adapters/libevent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LONG_TTL_MS 86400000u

_Noreturn void bench_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
    exit(EXIT_FAILURE);
}

void bench_open(struct bench *bench, const char *const *arguments)
{
    *bench = (struct bench){0};
    setvbuf(stdout, NULL, _IOLBF, 0);
    bench->base = event_base_new();
    BENCH_CHECK(bench->base != NULL);
    server_start(&bench->server, arguments);
}

void bench_close(struct bench *bench)
{
    redisFree(bench->context); /* NULL is fine */
    server_stop(&bench->server);
    event_base_free(bench->base);
}

/* ---- clocks and numbers ---- */

uint64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

uint64_t bench_cpu_ns(pid_t pid)
{
    char path[64];
    char line[1024] = "";
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    BENCH_CHECK(file != NULL && fgets(line, sizeof(line), file) != NULL);
    BENCH_CHECK(fclose(file) == 0);
    const char *fields = strrchr(line, ')'); /* of the name, which may hold anything */
    BENCH_CHECK(fields != NULL);
    BENCH_CHECK(sscanf(fields, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &user, &system) == 2);
    return (user + system) * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* xorshift64 (Marsaglia). */
uint64_t bench_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int compare_numbers(const void *one, const void *other)
{
    double left = *(const double *)one;
    double right = *(const double *)other;
    return (left > right) - (left < right);
}

double bench_quantile(double *values, size_t count, double share)
{
    qsort(values, count, sizeof(values[0]), compare_numbers);
    size_t position = (size_t)((double)count * share);
    return values[position < count ? position : count - 1];
}

/* ---- figures ---- */

void bench_headings(const char *measured, const char *limit)
{
    printf("measured: %s\nlimit:    %s\n", measured, limit);
    printf("%-44s %12s %12s %-6s %7s  %-8s %s\n", "what", "measured", "limit", "unit", "ratio", "target", "met");
}

void bench_tell(const struct bench_figure *figure)
{
    char limit[32] = "-";
    char ratio[32] = "-";
    if (figure->limit > 0) {
        snprintf(limit, sizeof(limit), "%.*f", figure->digits, figure->limit);
        snprintf(ratio, sizeof(ratio), "%.2f", figure->measured / figure->limit);
    }
    printf("%-44s %12.*f %12s %-6s %7s  %-8s %s\n", figure->what, figure->digits, figure->measured, limit, figure->unit,
           ratio, figure->target != NULL ? figure->target : "-",
           figure->target == NULL ? "-" : (figure->is_met ? "yes" : "NO"));
}

/* ---- the registry ---- */

netron_options bench_options(const struct bench *bench)
{
    netron_options options;
    netron_options_init(&options);
    options.url = bench->server.url;
    options.heartbeat_interval_ms = LONG_TTL_MS / 3;
    options.heartbeat_ttl_ms = LONG_TTL_MS;
    options.anti_entropy_interval_ms = LONG_TTL_MS;
    options.ping_interval_ms = LONG_TTL_MS;
    options.command_timeout_ms = 60000;
    options.pubsub_enabled = 1;
    return options;
}

static void on_link(netron_discovery *discovery, netron_link_role role, int code, const char *sentence, void *arg)
{
    (void)discovery;
    (void)sentence;
    if (role == NETRON_LINK_COMMANDS)
        *(bool *)arg = code == 0;
}

netron_discovery *bench_join(struct bench *bench, const netron_options *given)
{
    netron_discovery *discovery = NULL;
    netron_options options = *given;
    bool *is_ready = calloc(1, sizeof(*is_ready)); /* lasts as long as the program */
    BENCH_CHECK(is_ready != NULL);
    options.on_link = on_link;
    options.on_link_arg = is_ready;
    BENCH_CHECK(netron_discovery_new(bench->base, &options, &discovery) == 0);
    BENCH_AWAIT(bench, *is_ready);
    return discovery;
}

void bench_service_name(char *out, size_t size, size_t number)
{
    snprintf(out, size, "service-%05zu", number);
}

void bench_node_id(char *out, size_t size, size_t number)
{
    snprintf(out, size, "node-%05zu-6f1c02d4", number);
}

static uint64_t registered(const netron_discovery *discovery)
{
    netron_stats stats = {.size = sizeof(stats)};
    BENCH_CHECK(netron_discovery_stats(discovery, &stats) == 0);
    return stats.nodes_registered;
}

void bench_fill(struct bench *bench, netron_discovery *discovery, size_t count, size_t services)
{
    for (size_t i = 0; i < count; i++) {
        char id[64], address[64], name[64], version[64];
        const netron_service service = {name, version};
        netron_node node = NETRON_NODE_INIT;
        bench_node_id(id, sizeof(id), i);
        bench_service_name(name, sizeof(name), i % services);
        snprintf(version, sizeof(version), "1.%zu.0", i % 10);
        snprintf(address, sizeof(address), "10.%zu.%zu.%zu:8080", i >> 16, i >> 8 & 255, i & 255);
        node.id = id;
        node.address = address;
        node.services = &service;
        node.service_count = 1;
        BENCH_CHECK(netron_register(discovery, &node, NULL, NULL, NULL) == 0);
    }
    BENCH_AWAIT(bench, registered(discovery) == count);
}

netron_view_status bench_view(const netron_discovery *discovery)
{
    netron_view_status status = {.size = sizeof(status)};
    BENCH_CHECK(netron_view_get_status(discovery, &status) == 0);
    return status;
}

void bench_open_view(struct bench *bench, netron_discovery *discovery)
{
    BENCH_CHECK(netron_view_open(discovery) == 0);
    BENCH_AWAIT(bench, bench_view(discovery).state == NETRON_VIEW_FRESH);
}

/* FRESH is what the library says when its digest was the registry's: at the revision that the registry has now, that is
 * a proof; and the count of records is looked up beside it. */
bool bench_is_exact(struct bench *bench, netron_discovery *discovery)
{
    netron_view_status status = bench_view(discovery);
    redisReply *revision = bench_ask(bench, "HGET netron:discovery:registry revision");
    uint64_t registry = revision->type == REDIS_REPLY_STRING ? strtoull(revision->str, NULL, 10) : 0;
    freeReplyObject(revision);
    return status.state == NETRON_VIEW_FRESH && status.revision == registry && status.kept_count == 0 &&
           status.faults == 0 && (long long)status.node_count == bench_integer(bench, "HLEN netron:discovery:records");
}

/* ---- Redis ---- */

static redisReply *ask(struct bench *bench, const char *format, va_list arguments)
{
    if (bench->context == NULL)
        bench->context = server_connect(&bench->server);
    BENCH_CHECK(bench->context != NULL && bench->context->err == 0);
    redisReply *reply = redisvCommand(bench->context, format, arguments);
    BENCH_CHECK(reply != NULL && reply->type != REDIS_REPLY_ERROR);
    return reply;
}

redisReply *bench_ask(struct bench *bench, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask(bench, format, arguments);
    va_end(arguments);
    return reply;
}

void bench_order(struct bench *bench, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask(bench, format, arguments);
    va_end(arguments);
    BENCH_CHECK(reply->type == REDIS_REPLY_STATUS);
    freeReplyObject(reply);
}

long long bench_integer(struct bench *bench, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = ask(bench, format, arguments);
    va_end(arguments);
    BENCH_CHECK(reply->type == REDIS_REPLY_INTEGER);
    long long number = reply->integer;
    freeReplyObject(reply);
    return number;
}

static void on_connected(const redisAsyncContext *context, int status)
{
    *(int *)context->data = status == REDIS_OK ? 1 : -1;
}

redisAsyncContext *bench_connect(struct bench *bench)
{
    int state = 0;
    redisAsyncContext *context = redisAsyncConnectUnix(bench->server.socket);
    BENCH_CHECK(context != NULL && context->err == 0);
    context->data = &state;
    BENCH_CHECK(redisLibeventAttach(context, bench->base) == REDIS_OK);
    redisAsyncSetConnectCallback(context, on_connected);
    BENCH_AWAIT(bench, state != 0);
    BENCH_CHECK(state == 1);
    context->data = NULL;
    return context;
}

double bench_command_us(struct bench *bench, const char *command)
{
    char wanted[64];
    double us = 0;
    redisReply *reply = bench_ask(bench, "INFO commandstats");
    snprintf(wanted, sizeof(wanted), "cmdstat_%s:", command);
    const char *line = strstr(reply->str, wanted);
    const char *field = line != NULL ? strstr(line, "usec_per_call=") : NULL;
    if (field != NULL)
        us = strtod(field + strlen("usec_per_call="), NULL);
    freeReplyObject(reply);
    return us;
}

void bench_watch_slow(struct bench *bench, long long threshold_us)
{
    bench_order(bench, "CONFIG SET slowlog-max-len 1000000");
    bench_order(bench, "CONFIG SET slowlog-log-slower-than %lld", threshold_us);
    bench_order(bench, "SLOWLOG RESET");
}

/* A script by its name, any other command by its own. */
static const char *name_of(const redisReply *words)
{
    static const struct netron_script_source *const scripts[] = {
        &netron_script_source_register, &netron_script_source_deregister, &netron_script_source_sync,
        &netron_script_source_reconcile};
    static const char *const names[] = {"register", "deregister", "sync", "reconcile"};
    for (size_t i = 0; words->elements > 1 && i < sizeof(scripts) / sizeof(scripts[0]); i++)
        if (strcmp(words->element[1]->str, scripts[i]->sha1) == 0)
            return names[i];
    return words->element[0]->str;
}

double bench_slowest_ms(struct bench *bench, const char *only, char *command, size_t size)
{
    long long slowest = 0;
    snprintf(command, size, "-");
    redisReply *reply = bench_ask(bench, "SLOWLOG GET -1");
    BENCH_CHECK(reply->type == REDIS_REPLY_ARRAY);
    for (size_t i = 0; i < reply->elements; i++) {
        const redisReply *entry = reply->element[i];
        BENCH_CHECK(entry->type == REDIS_REPLY_ARRAY && entry->elements >= 4);
        const redisReply *words = entry->element[3];
        const char *name = name_of(words);
        if (strcmp(name, "SLOWLOG") != 0 && (only == NULL || strcmp(name, only) == 0) &&
            entry->element[2]->integer > slowest) {
            slowest = entry->element[2]->integer;
            snprintf(command, size, "%s", name);
        }
    }
    freeReplyObject(reply);
    return (double)slowest / 1000;
}
