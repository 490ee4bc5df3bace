/* SPDX-License-Identifier: MIT */
/* Calls of the scripts that a view makes, reconcile and sync, and what has to be true after each of them. */
#ifndef NETRON_TEST_VIEW_SCRIPTS_H
#define NETRON_TEST_VIEW_SCRIPTS_H

#include "event.h"
#include "script_calls.h"
#include "spy.h"
#include "suite.h"
#include <stdarg.h>

static struct spy spy;

static inline void start_view_server(void)
{
    start_server();
    freeReplyObject(
        server_ask(&server, "SCRIPT LOAD %b", netron_script_source_sync.text, netron_script_source_sync.length));
    freeReplyObject(server_ask(&server, "SCRIPT LOAD %b", netron_script_source_reconcile.text,
                               netron_script_source_reconcile.length));
    server_forget(&server);
}

static inline void open_view_registry(void)
{
    open_registry();
    spy_watch_events(&spy, &server);
}

static inline void close_view_registry(void)
{
    spy_close(&spy);
    close_registry();
}

/* ---- reconcile ---- */

struct outcome {
    long long wait, expired, adopted, held, nodes, unjudged;
};

struct look {
    long long limit;
    const char *channel;
    long long connected, floor, share, window;
    const char *doubted;
    const char *ids[8]; /* up to a NULL; none = those that are due */
    long long late_by;  /* on its way for so long; 0 = nobody knows */
};

static const struct look usual_look = {
    .limit = 512, .channel = CHANNEL, .connected = 86400000, .floor = 5, .share = 15, .window = 15000};

/* The time that it was to arrive; "" when there is none. */
static inline const char *expected_time(const struct look *look)
{
    static char text[24];
    redisReply *time = server_ask(&server, "TIME");
    snprintf(text, sizeof(text), "%lld",
             strtoll(time->element[0]->str, NULL, 10) * 1000 + strtoll(time->element[1]->str, NULL, 10) / 1000 -
                 look->late_by);
    freeReplyObject(time);
    return look->late_by != 0 ? text : "";
}

static inline struct outcome reconcile(const struct look *look)
{
    const char *words[20] = {"EVALSHA", netron_script_source_reconcile.sha1, "1", P ":registry"};
    char numbers[5][24];
    int count = 4;
    snprintf(numbers[0], sizeof(numbers[0]), "%lld", look->limit);
    snprintf(numbers[1], sizeof(numbers[1]), "%lld", look->floor);
    snprintf(numbers[2], sizeof(numbers[2]), "%lld", look->share);
    snprintf(numbers[3], sizeof(numbers[3]), "%lld", look->window);
    snprintf(numbers[4], sizeof(numbers[4]), "%lld", look->connected);
    words[count++] = numbers[0];
    words[count++] = look->channel;
    words[count++] = numbers[4];
    words[count++] = numbers[1];
    words[count++] = numbers[2];
    words[count++] = numbers[3];
    words[count++] = expected_time(look);
    words[count++] = look->doubted != NULL ? look->doubted : "";
    for (int i = 0; i < 7 && look->ids[i] != NULL; i++)
        words[count++] = look->ids[i];
    redisReply *reply = redisCommandArgv(server.context, count, words, NULL);
    ck_assert_ptr_nonnull(reply);
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY && reply->elements == 9, "reconcile answered %s",
                  reply->str != NULL ? reply->str : "something else");
    const struct outcome outcome = {reply->element[0]->integer, reply->element[1]->integer, reply->element[2]->integer,
                                    reply->element[3]->integer, reply->element[4]->integer, reply->element[5]->integer};
    freeReplyObject(reply);
    return outcome;
}

static inline struct outcome reconcile_id(const char *id)
{
    struct look look = usual_look;
    look.ids[0] = id;
    return reconcile(&look);
}

static inline void expect_outcome(struct outcome outcome, long long expired, long long adopted, long long held)
{
    ck_assert_int_eq(outcome.expired, expired);
    ck_assert_int_eq(outcome.adopted, adopted);
    /* For two seconds after an expiry was held back one is said to be. */
    ck_assert(outcome.held == held || (held == 0 && outcome.held == 1));
}

/* ---- nodes ---- */

static inline void store_original_with(const char *id, const char *address, const char *services, const char *heartbeat)
{
    freeReplyObject(server_ask(&server, "HSET " P ":nodes:%s address %s services %s timestamp 1700000000000", id,
                               address, services));
    server_expect(&server, "OK", "SET " P ":heartbeat:%s %s PX 15000", id, heartbeat);
    freeReplyObject(server_ask(&server, "SADD " P ":index:nodes %s", id));
}

/* As the original registers. services is a JSON array. */
static inline void store_original(const char *id, const char *address, const char *services)
{
    store_original_with(id, address, services, "1");
}

/* Its heartbeat ran out, and it is time to look. */
static inline void let_die(const char *id)
{
    server_integer(&server, "DEL " P ":heartbeat:%s", id);
    server_integer(&server, "ZADD " P ":expiry XX 1 %s", id);
}

/* ---- what was published ---- */

/* The next "TYPE id address (reason) revision"; "" when there was none. One event at the most since the last call. */
static inline const char *published(void)
{
    static char text[1200];
    static const char *const names[] = {"", "REGISTERED", "UPDATED", "DEREGISTERED"};
    struct netron_parsed_event event;
    struct netron_failure why = {0};
    spy_collect(&spy);
    text[0] = '\0';
    if (spy.count == 0)
        return text;
    ck_assert_int_eq(spy.count, 1);
    ck_assert_msg(netron_event_parse(spy.line[0], strlen(spy.line[0]), &event, &why) == 0, "%s: %s", spy.line[0],
                  why.sentence);
    snprintf(text, sizeof(text), "%s %s %s%s%s %llu", names[event.type], event.node->id, event.node->address,
             event.reason[0] != '\0' ? " " : "", event.reason, (unsigned long long)event.revision);
    char digest[32], digits[32];
    ck_assert(server_text(&server, digest, sizeof(digest), "HGET " P ":registry digest"));
    snprintf(digits, sizeof(digits), "%012llx", (unsigned long long)event.digest);
    ck_assert_str_eq(digits, digest);
    netron_event_clear(&event);
    spy.count = 0;
    return text;
}

/* ---- the bookkeeping ---- */

static inline long long registry_revision(void)
{
    char text[32];
    return server_text(&server, text, sizeof(text), "HGET " P ":registry revision") ? atoll(text) : -1;
}

/* The index of a service holds the nodes whose records offer it, and no others. */
static inline void assert_service_index(const char *name)
{
    char member[64];
    long long offered = 0;
    snprintf(member, sizeof(member), "\"name\":\"%s\"", name);
    redisReply *all = server_ask(&server, "HGETALL " P ":records");
    for (size_t i = 0; i + 1 < all->elements; i += 2) {
        if (strstr(all->element[i + 1]->str, member) == NULL)
            continue;
        offered++;
        ck_assert_msg(server_integer(&server, "SISMEMBER " P ":index:service:%s %s", name, all->element[i]->str) == 1,
                      "%s is missing in the index of %s", all->element[i]->str, name);
    }
    freeReplyObject(all);
    ck_assert_int_eq(server_integer(&server, "SCARD " P ":index:service:%s", name), offered);
}

/* What has to be true whenever no script runs: of records, indexes, numbers and changes. */
static inline void assert_bookkeeping(void)
{
    static const char *const names[] = {"users", "mail", "web"};
    for (size_t i = 0; i < COUNT(names); i++)
        assert_service_index(names[i]);
    ck_assert(digest_is_right(&server));
    char count[32];
    ck_assert(server_text(&server, count, sizeof(count), "HGET " P ":registry count"));
    long long records = server_integer(&server, "HLEN " P ":records");
    ck_assert_int_eq(records, atoll(count));
    redisReply *ids = server_ask(&server, "HKEYS " P ":records");
    for (size_t i = 0; i < ids->elements; i++) {
        const char *id = ids->element[i]->str;
        char record[4096], score[32];
        ck_assert(server_text(&server, record, sizeof(record), "HGET " P ":records %s", id));
        ck_assert_msg(server_text(&server, score, sizeof(score), "ZSCORE " P ":changes %s", id), "%s", id);
        ck_assert_msg(strncmp(record, score, strlen(score)) == 0 && record[strlen(score)] == ' ',
                      "%s changed at %s: %s", id, score, record);
        ck_assert_msg(server_integer(&server, "SISMEMBER " P ":index:nodes %s", id) == 1, "%s", id);
    }
    freeReplyObject(ids);
    redisReply *last = server_ask(&server, "ZREVRANGE " P ":changes 0 0 WITHSCORES");
    if (last->elements == 2)
        ck_assert_int_eq(atoll(last->element[1]->str), registry_revision());
    freeReplyObject(last);
}

#endif
