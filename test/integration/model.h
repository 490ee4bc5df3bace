/* SPDX-License-Identifier: MIT */
/*
 * The model: a small fleet on a private server, to which the seed lets everything happen that a registry has to
 * survive.
 *
 * What is compared in the end are four accounts of the same thing: what the model meant to happen (the claims and the
 * originals), what stands in Redis, what each watcher's view answers, and what its events add up to.
 *
 * Between Redis and the publishers but one is a network that fails, and another between Redis and the watchers.
 *
 *     publishers --changes--> Redis --channel--> watcher 0
 *                                       |
 *                                     relay: loses, doubles, delays, swaps, adds garbage
 *                                       |
 *                                       +------> watchers 1 and 2, each on a channel of its own
 */
#ifndef NETRON_TEST_MODEL_H
#define NETRON_TEST_MODEL_H

#include "proxy.h"
#include "server.h"
#include "suite.h"
#include "world.h"
#include <event2/event.h>
#include <stdint.h>

#define MODEL_PREFIX "netron:discovery"
#define MODEL_CHANNEL MODEL_PREFIX ":events"
#define MODEL_TTL_MS 1000u
/* Of the watchers; so it is their grace period, which has to be longer than a node may need to be entered again: until
 * its next repair beat, or until the next look of a janitor. */
#define MODEL_GRACE_MS 2000u
#define MODEL_BEAT_MS 100u

/* Ids are one letter: those of the library's nodes, the marker's, those of the original's nodes. */
#define MODEL_IDS "abcdefmxyz"
enum { OWN_IDS = 6, MARKER_ID = 6, FIRST_ORIGINAL = 7, ORIGINALS = 3, IDS = FIRST_ORIGINAL + ORIGINALS };
/* The last publisher is the marker's: no fault is aimed at it, and it publishes. */
enum { PUBLISHERS = 4, MARKER_PUBLISHER = PUBLISHERS - 1, WATCHERS = 3, CLAIMS = 64, SUBSCRIPTIONS = 2, SERVICES = 4 };
enum { LINE_MAX_ = 160, PICTURE_MAX = IDS * LINE_MAX_, TRACE_LINES = 48 };

extern const char *const model_service_names[SERVICES];

/* ---- chance ---- */

struct model_random {
    uint64_t state;
};
uint64_t model_draw(struct model_random *random, uint64_t limit); /* 0 to limit - 1 */
bool model_chance(struct model_random *random, unsigned percent);

/* ---- nodes as text ---- */

struct model_content {
    unsigned port;
    netron_node_state state;
    unsigned service_count;
    unsigned names[SERVICES];
    unsigned versions[SERVICES];
};
void model_content_draw(struct model_content *content, struct model_random *random);
void model_content_draw_services(struct model_content *content, struct model_random *random);
/* The node points to services and address. */
netron_node model_content_node(const struct model_content *content, char id[2], netron_service services[SERVICES],
                               char address[32]);
void model_content_json(const struct model_content *content, char *out, size_t size); /* the services */
/* "a 10.0.0.1:80 up orders@1.0.0 billing\n" */
void model_line(const netron_node *node, char out[LINE_MAX_]);
void model_content_line(const struct model_content *content, char id, char out[LINE_MAX_]);
int model_id(const char *id); /* its place in MODEL_IDS, or -1 */

/* ---- the fleet ---- */

/* One registration: that a node be there. */
struct model_claim {
    bool is_used;
    int id;
    int publisher;
    unsigned order; /* the newest wins */
    netron_registration *registration;
    struct model_content content;
    int unanswered; /* updates whose done has not been called */
    bool is_leaving;
    bool has_left;
};

/* A node as the original implementation keeps it. */
struct model_original {
    bool is_alive;
    bool is_silent; /* publishes nothing */
    uint64_t beats_at;
    struct model_content content;
};

struct model_publisher {
    netron_discovery *discovery; /* NULL = crashed */
};

/* ---- watchers ---- */

struct model_subscription {
    struct model *model;
    int watcher;
    netron_subscription *handle; /* NULL = none */
    unsigned synced;
    char lines[IDS][LINE_MAX_]; /* what the events add up to; "" = not there */
    unsigned departures[IDS];   /* told since the latest quiet point */
    unsigned updates[IDS];
};

struct model_watcher {
    netron_discovery *discovery;
    struct model_subscription subscriptions[SUBSCRIPTIONS];
};

/* ---- the relay ---- */

enum { DELAYED_MAX = 64 };

struct model_delayed {
    int watcher;
    unsigned after; /* messages */
    char *text;
    size_t length;
};

struct model_relay {
    redisContext *context;
    struct event *readable;
    bool is_honest; /* forwards everything, once and in order */
    struct model_random random;
    struct model_delayed delayed[DELAYED_MAX];
    unsigned delayed_count;
    unsigned counts[6]; /* what has been done to messages, for the trace */
};

/* ---- the networks ---- */

enum model_side { PUBLISHERS_SIDE, WATCHERS_SIDE, SIDES };

struct model_network {
    struct proxy proxy;
    bool has_lost; /* bytes of a connection that may still be there */
};

/* ---- all of it ---- */

struct model {
    uint64_t seed;
    unsigned round, step;
    struct server server;
    struct world world;
    struct model_random random;
    struct model_relay relay;
    struct model_network networks[SIDES];
    struct model_publisher publishers[PUBLISHERS];
    struct model_claim claims[CLAIMS];
    unsigned claim_count;
    struct model_original originals[ORIGINALS];
    struct model_watcher watchers[WATCHERS];

    /* How often, since the latest quiet point, something happened that may be told as a departure or an update. */
    unsigned may_depart[IDS];
    unsigned may_change[IDS];
    unsigned snapshot_at; /* the step at which history was copied; 0 = there is no copy */
    bool is_mixed;        /* the original's nodes take part */
    bool is_shaken;       /* since the latest quiet point it was not clear at every moment who owns an id */
    bool lost_services;   /* bookkeeping was lost that says who is to be taken out of a service's index */
    uint64_t turned_at;   /* ms; a loop that stood still lets heartbeats expire, which is nobody's fault */
    unsigned longest_gap;

    char trace[TRACE_LINES][96];
    unsigned trace_count;
};

/* Fails the test, with the seed, what happened before, and the reason. */
void model_fail(struct model *model, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
void model_trace(struct model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints what the library logs, when a seed runs alone. arg: the name of who logs. */
void model_log(netron_log_level level, const char *line, void *arg);
/* Runs the loop for so long, and the originals with it. */
void model_pump(struct model *model, unsigned ms);
void model_touch(struct model *model, int id, unsigned departures, unsigned changes);

/* One run: what happens, a round at a time, each of which ends at rest, and is compared there. */
void model_begin(struct model *model, uint64_t seed);
void model_round(struct model *model);
void model_end(struct model *model);

/* model_fleet.c */
void model_fleet_open(struct model *model);
void model_fleet_close(struct model *model);
void model_fleet_beat(struct model *model); /* the originals */
void model_publisher_start(struct model *model, int publisher);
void model_publisher_crash(struct model *model, int publisher);
void model_claim_begin(struct model *model, int id, int publisher);
void model_claim_change(struct model *model, struct model_claim *claim);
void model_claim_leave(struct model *model, struct model_claim *claim);
bool model_claim_has_ended(const struct model_claim *claim);
struct model_claim *model_claim_any(struct model *model, struct model_random *random); /* NULL = none */
void model_claims_forget_ended(struct model *model);
void model_marker_change(struct model *model);
void model_original_start(struct model *model, int original);
void model_original_change(struct model *model, int original);
void model_original_leave(struct model *model, int original);
void model_original_die(struct model *model, int original);
/* The nodes that are meant to be there, when everything has settled; false as long as it has not. */
bool model_fleet_picture(const struct model *model, char out[PICTURE_MAX]);

/* model_watcher.c */
void model_watcher_start(struct model *model, int watcher);
void model_watcher_stop(struct model *model, int watcher);
void model_watcher_subscribe(struct model *model, int watcher);
void model_watcher_unsubscribe(struct model *model, int watcher);
/* What is not yet as it is in Redis; "" when all is. services: as model_registry_read() has them. */
void model_watcher_complaint(struct model *model, int watcher, const char *picture, const char *services, char *out,
                             size_t size);
void model_watchers_check_counts(struct model *model);
void model_watchers_count_anew(struct model *model);

/* model_relay.c */
void model_relay_open(struct model *model);
void model_relay_close(struct model *model);
void model_relay_read(struct model *model);
void model_relay_heal(struct model *model);
const char *model_channel_of(int watcher);

/* model_network.c */
void model_network_open(struct model *model);
void model_network_close(struct model *model);
void model_network_heal(struct model *model);
const char *model_url_of(struct model *model, enum model_side side);
void model_network_options(netron_options *options); /* so that faults are noticed soon */
void model_fault_network(struct model *model);

/* model_soak.c: rounds without end, for so many minutes. */
uint64_t model_setting(const char *name, uint64_t otherwise);
void model_soak(uint64_t minutes, unsigned workers);

/* model_registry.c */
/* Reads Redis: the live nodes, the live nodes of each service, and what does not add up. */
void model_registry_read(struct model *model, char picture[PICTURE_MAX], char services[PICTURE_MAX],
                         char complaint[PICTURE_MAX]);
void model_registry_copy(struct model *model);
void model_registry_put_back(struct model *model);

/* model_faults.c: one of each kind, by chance */
void model_fault_link(struct model *model);
void model_fault_loss(struct model *model);
void model_fault_history(struct model *model);
void model_fault_bookkeeping(struct model *model);

#endif
