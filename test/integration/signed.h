/* SPDX-License-Identifier: MIT */
/* What the tests of signed nodes have in common: a watcher with keys, one without, and somebody who may write to Redis.
 */
#ifndef NETRON_TEST_SIGNED_H
#define NETRON_TEST_SIGNED_H

#include "scene.h"
#include "script_sources.h"
#include "signing.h"
#include <time.h>

#define WEB "10.0.0.1:80 orders@1.0.0"

/* A process. */
struct party {
    netron_options options;
    netron_signature_key signing;
    netron_signature_key trusted[4];
    struct log_recorder log;
    struct event_recorder heard;
    netron_discovery *discovery;
};

static struct party owner;   /* signs its nodes by pair 0, "k", unless a test says otherwise */
static struct party watcher; /* trusts that key */
static struct party plain;   /* knows nothing of keys */

static inline void set_up(struct party *party)
{
    memset(party, 0, sizeof(*party));
    party->options = world_options(scene.server.url);
    party->options.heartbeat_ttl_ms = 5000; /* nobody expires unless a test waits for it */
    party->options.log = record_log;
    party->options.log_arg = &party->log;
}

static inline void signs_by(struct party *party, netron_signature_key key)
{
    party->signing = key;
    party->options.signing_key = &party->signing;
}

static inline void trusts(struct party *party, netron_signature_key key)
{
    party->options.trusted_keys = party->trusted;
    party->trusted[party->options.trusted_key_count++] = key;
}

static inline void join(struct party *party)
{
    party->discovery = scene_join(&party->options);
}

static inline void listen(struct party *party)
{
    join(party);
    scene_listen(party->discovery, &party->heard);
}

static inline void open_parties(void)
{
    set_up(&owner);
    set_up(&watcher);
    set_up(&plain);
    signs_by(&owner, private_key(0, "k"));
    trusts(&watcher, public_key(0, "k", NULL));
}

static inline void close_parties(void)
{
    netron_discovery_free(owner.discovery);
    netron_discovery_free(watcher.discovery);
    netron_discovery_free(plain.discovery);
}

static inline netron_registration *enrol(struct party *party, const char *id)
{
    return scene_enrol(party->discovery, id, "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
}

static inline uint64_t wall_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What is signed from now on is signed later than what was signed before, not in the same millisecond. */
static inline void let_the_clock_go_on(void)
{
    uint64_t now = wall_clock_ms();
    AWAIT(&scene.world, wall_clock_ms() > now);
}

/* ---- what a party knows ---- */

static inline netron_view_status status_of(const struct party *party)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(party->discovery, &status), 0);
    return status;
}

/* "id address; id address". Valid until the next call. */
static inline const char *view_of(const struct party *party)
{
    static char text[4096];
    size_t length = 0;
    const netron_snapshot *snapshot = netron_view_find(party->discovery, NULL, NULL);
    text[0] = '\0';
    for (size_t i = 0; i < snapshot->count; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s %s", i > 0 ? "; " : "",
                                   snapshot->nodes[i]->id, snapshot->nodes[i]->address);
    netron_snapshot_release(snapshot);
    return text;
}

/* The view has heard of everything that has happened so far. */
static inline void catch_up(const struct party *party)
{
    long long revision = 0;
    char text[32];
    if (server_text(&scene.server, text, sizeof(text), "HGET " PREFIX ":registry revision"))
        revision = atoll(text);
    AWAIT(&scene.world,
          status_of(party).state == NETRON_VIEW_FRESH && (long long)status_of(party).revision >= revision);
}

static inline void expect_view(const struct party *party, const char *expected)
{
    catch_up(party);
    ck_assert_str_eq(view_of(party), expected);
    ck_assert_uint_eq(status_of(party).faults, 0);
}

static inline uint64_t refused_by(const struct party *party)
{
    return scene_stats(party->discovery).refused_records;
}

static inline const char *latest_of(const struct party *party)
{
    return party->heard.count > 0 ? party->heard.events[party->heard.count - 1].text : "";
}

/* ---- who may write to Redis ---- */

/* The body of a node's record, and the incarnation that owns it. */
struct loot {
    char incarnation[80];
    char address[512];
    char services[1024];
    char body[4096];
};

static inline struct loot steal(const char *id)
{
    struct loot loot;
    struct server *server = &scene.server;
    ck_assert(server_text(server, loot.incarnation, sizeof(loot.incarnation), "GET " PREFIX ":heartbeat:%s", id));
    ck_assert(server_text(server, loot.address, sizeof(loot.address), "HGET " PREFIX ":nodes:%s address", id));
    ck_assert(server_text(server, loot.services, sizeof(loot.services), "HGET " PREFIX ":nodes:%s services", id));
    ck_assert(server_text(server, loot.body, sizeof(loot.body), "HGET " PREFIX ":nodes:%s record", id));
    return loot;
}

/* Replaces a text by one of the same length. */
static inline void tamper(char *body, const char *from, const char *to)
{
    char *place = strstr(body, from);
    ck_assert_msg(place != NULL && strlen(from) == strlen(to), "%s has no %s", body, from);
    memcpy(place, to, strlen(to));
}

/* Enters it as the library's own script does: under a new revision, indexed, published. */
static inline void plant(const char *id, const struct loot *loot)
{
    redisReply *reply = server_ask(&scene.server, "EVAL %s 1 %s %s %s %06x%06x take-over 60000 %s %s %s %s orders",
                                   netron_script_source_register.text, PREFIX ":registry", id, loot->incarnation,
                                   (unsigned)random() & 0xffffff, (unsigned)random() & 0xffffff, loot->address,
                                   loot->services, loot->body, PREFIX ":events");
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY, "register: %s", reply->str);
    freeReplyObject(reply);
}

/* What a process with this key would enter, at any time. */
static inline struct loot forge(const netron_signature_key *key, const char *key_prefix, const char *id,
                                const char *address, const char *incarnation, uint64_t sequence)
{
    struct loot loot = {.services = "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]"};
    const netron_service service = {"orders", "1.0.0"};
    netron_node node = NETRON_NODE_INIT;
    node.id = id;
    node.address = address;
    node.services = &service;
    node.service_count = 1;
    char *body = signed_body(key, key_prefix, &node, incarnation, 60000, sequence);
    snprintf(loot.incarnation, sizeof(loot.incarnation), "%s", incarnation);
    snprintf(loot.address, sizeof(loot.address), "%s", address);
    snprintf(loot.body, sizeof(loot.body), "%s", body);
    free(body);
    return loot;
}

#endif
