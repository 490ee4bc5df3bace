/* SPDX-License-Identifier: MIT */
/*
 * What the benchmarks share: a private Redis, discoveries that fill it, a bare hiredis on the same loop to compare
 * with, and how a figure is told. What is wrong ends the program with a failure; what is slow does not.
 */
#ifndef NETRON_BENCH_H
#define NETRON_BENCH_H

#include "server.h"
#include <event2/event.h>
#include <hiredis/async.h>
#include <netron/netron.h>
#include <sys/types.h>

struct bench {
    struct event_base *base;
    struct server server;
    redisContext *context; /* for bench_ask(); made when needed */
};

/* arguments: for the server, ended by NULL; may be NULL. */
void bench_open(struct bench *bench, const char *const *arguments);
void bench_close(struct bench *bench);

/* Ends the program with a failure unless it is true. */
#define BENCH_CHECK(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            bench_fail(__FILE__, __LINE__, #condition);                                                                \
    } while (0)
_Noreturn void bench_fail(const char *file, int line, const char *what);

/* Runs the loop from event to event until it is true, at most for BENCH_LIMIT_NS. */
#define BENCH_AWAIT(bench, condition)                                                                                  \
    do {                                                                                                               \
        uint64_t bench_limit = bench_now_ns() + BENCH_LIMIT_NS;                                                        \
        while (!(condition)) {                                                                                         \
            BENCH_CHECK(bench_now_ns() < bench_limit);                                                                 \
            event_base_loop((bench)->base, EVLOOP_ONCE);                                                               \
        }                                                                                                              \
    } while (0)
#define BENCH_LIMIT_NS UINT64_C(60000000000)

uint64_t bench_now_ns(void);            /* monotonic */
uint64_t bench_cpu_ns(pid_t pid);       /* what the process has used, user and system, to 10 ms */
uint64_t bench_random(uint64_t *state); /* the same numbers in each run; state: any seed */
double bench_quantile(double *values, size_t count, double share); /* sorts the values */

/* ---- figures ---- */

/* Prints one line: what was measured, the limit that was measured beside it, their ratio, the target, and whether it is
 * met. A limit of 0 is none. digits: behind the decimal point. */
struct bench_figure {
    const char *what;
    const char *unit;
    int digits;
    double measured;
    double limit;
    const char *target; /* in words; NULL: none */
    bool is_met;
};
void bench_headings(const char *measured, const char *limit);
void bench_tell(const struct bench_figure *figure);

/* ---- the registry ---- */

/* Options for measuring: nothing but what is measured happens while it is measured. */
netron_options bench_options(const struct bench *bench);
/* A discovery whose commands link is ready. */
netron_discovery *bench_join(struct bench *bench, const netron_options *options);

/* Registers nodes 0 to count - 1, node n for the service n % services in a version 1.n % 10.0, and waits for all of
 * them. They outlive the discovery by their TTL. */
void bench_fill(struct bench *bench, netron_discovery *discovery, size_t count, size_t services);
void bench_service_name(char *out, size_t size, size_t number);
void bench_node_id(char *out, size_t size, size_t number);

/* Opens the view and waits until it is proven complete. */
void bench_open_view(struct bench *bench, netron_discovery *discovery);
netron_view_status bench_view(const netron_discovery *discovery);
/* Whether the view holds as many nodes as the registry, and all tags of both make the same sum. */
bool bench_is_exact(struct bench *bench, netron_discovery *discovery);

/* ---- Redis ---- */

/* Asks and waits for the answer; an error ends the program. The caller frees the reply. (server_ask() works inside a
 * test of Check alone.) */
redisReply *bench_ask(struct bench *bench, const char *format, ...);
void bench_order(struct bench *bench, const char *format, ...); /* the answer is OK */
long long bench_integer(struct bench *bench, const char *format, ...);

/* A connection of bare hiredis with its own libevent adapter. Free it by redisAsyncDisconnect() or bench_close(). */
redisAsyncContext *bench_connect(struct bench *bench);
/* Microseconds a call, by INFO commandstats; 0 without calls. reset: CONFIG RESETSTAT. */
double bench_command_us(struct bench *bench, const char *command);
/* The commands that took longer than that are noted from now on, by their time on the clock: it counts when the machine
 * has no processor for Redis. */
void bench_watch_slow(struct bench *bench, long long threshold_us);
/* The slowest of them in ms, 0 when none was noted, and its name. only: of this command alone; NULL: of all. */
double bench_slowest_ms(struct bench *bench, const char *only, char *command, size_t size);

#endif
