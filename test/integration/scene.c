/* SPDX-License-Identifier: MIT */
#include "scene.h"
#include "script_sources.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFETIME_MS "60000" /* longer than any test */

struct scene scene;

/* ---- fixtures ---- */

static void start_server(void)
{
    server_start(&scene.server, NULL);
}

static void stop_server(void)
{
    server_stop(&scene.server);
}

static void open_scene(void)
{
    server_expect(&scene.server, "OK", "FLUSHALL");
    world_open(&scene.world);
}

static void close_scene(void)
{
    world_close(&scene.world);
    server_forget(&scene.server);
}

TCase *scene_case(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_scene, close_scene);
    return tcase;
}

/* ---- through the library ---- */

netron_options scene_options(void)
{
    netron_options options;
    netron_options_init(&options);
    options.url = scene.server.url;
    options.heartbeat_interval_ms = 3600000;
    options.heartbeat_ttl_ms = 3 * options.heartbeat_interval_ms;
    options.reconnect_max_ms = 200;
    return options;
}

netron_stats scene_stats(const netron_discovery *discovery)
{
    netron_stats stats = {.size = sizeof(stats)};
    ck_assert_int_eq(netron_discovery_stats(discovery, &stats), 0);
    return stats;
}

netron_discovery *scene_join(const netron_options *options)
{
    netron_discovery *discovery = world_join(&scene.world, options);
    AWAIT(&scene.world, scene_stats(discovery).connects > 0);
    return discovery;
}

netron_registration *scene_enrol(netron_discovery *discovery, const char *id, const char *address, const char *name_1,
                                 const char *version_1, const char *name_2, const char *version_2)
{
    netron_service services[2];
    netron_registration *registration = NULL;
    netron_node node = make_node(id, address, services, name_1, version_1, name_2, version_2);
    ck_assert_int_eq(netron_register(discovery, &node, NULL, NULL, &registration), 0);
    AWAIT(&scene.world, netron_registration_get_state(registration) == NETRON_REGISTERED);
    return registration;
}

const char *scene_find(netron_discovery *discovery, const char *name, const char *version)
{
    static struct nodes_recorder found;
    found.calls = 0;
    int code = name != NULL ? netron_find_nodes_by_service(discovery, name, version, record_nodes, &found)
                            : netron_get_active_nodes(discovery, record_nodes, &found);
    ck_assert_msg(code == 0, "the lookup was refused: %s", netron_discovery_error(discovery));
    ck_assert_int_eq(found.calls, 0);
    AWAIT(&scene.world, found.calls > 0);
    ck_assert_int_eq(found.calls, 1);
    ck_assert_msg(found.code == 0, "the lookup failed: %s", netron_discovery_error(discovery));
    return found.text;
}

bool scene_is_active(netron_discovery *discovery, const char *id)
{
    struct active_recorder found = {0};
    ck_assert_int_eq(netron_is_node_active(discovery, id, record_active, &found), 0);
    ck_assert_int_eq(found.calls, 0);
    AWAIT(&scene.world, found.calls > 0);
    ck_assert_int_eq(found.calls, 1);
    ck_assert_msg(found.code == 0, "the lookup failed: %s", netron_discovery_error(discovery));
    return found.active != 0;
}

/* ---- beside the library ---- */

static void append_original(redisContext *context, const char *id, const char *address, const char *services)
{
    redisAppendCommand(context, "HSET " PREFIX ":nodes:%s address %s services %s timestamp 1700000000000", id, address,
                       services);
    redisAppendCommand(context, "PEXPIRE " PREFIX ":nodes:%s " LIFETIME_MS, id);
    redisAppendCommand(context, "SET " PREFIX ":heartbeat:%s 1 PX " LIFETIME_MS, id);
    redisAppendCommand(context, "SADD " PREFIX ":index:nodes %s", id);
}

static void read_replies(redisContext *context, int count)
{
    for (int i = 0; i < count; i++) {
        void *reply = NULL;
        ck_assert_int_eq(redisGetReply(context, &reply), REDIS_OK);
        const redisReply *answer = reply;
        ck_assert_msg(answer->type != REDIS_REPLY_ERROR, "%s", answer->str);
        freeReplyObject(reply);
    }
}

static redisContext *connect_to_server(void)
{
    redisContext *context = server_connect(&scene.server);
    ck_assert(context != NULL && context->err == 0);
    return context;
}

void scene_store_original(const char *id, const char *address, const char *services)
{
    redisContext *context = connect_to_server();
    append_original(context, id, address, services);
    read_replies(context, 4);
    redisFree(context);
}

void scene_tell_original(const char *type, const char *id, const char *address, const char *services)
{
    scene_store_original(id, address, services);
    freeReplyObject(server_ask(
        &scene.server,
        "PUBLISH %s {\"type\":\"%s\",\"nodeId\":\"%s\",\"address\":\"%s\",\"services\":%s,\"timestamp\":1700000000123}",
        PREFIX ":events", type, id, address, services));
}

void scene_original_leaves(const char *id)
{
    freeReplyObject(server_ask(&scene.server, "DEL " PREFIX ":nodes:%s " PREFIX ":heartbeat:%s", id, id));
    freeReplyObject(server_ask(&scene.server, "SREM " PREFIX ":index:nodes %s", id));
    freeReplyObject(server_ask(&scene.server, "PUBLISH %s {\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"%s\"}",
                               PREFIX ":events", id));
}

void scene_change(struct server *server, const char *id, const char *address)
{
    char body[512];
    snprintf(body, sizeof(body), "{\"nodeId\":\"%s\",\"address\":\"%s\",\"services\":[]}", id, address);
    redisReply *reply =
        server_ask(server, "EVAL %s 1 %s %s %s %012x take-over 60000 %s [] %s %s", netron_script_source_register.text,
                   PREFIX ":registry", id, "00000000000000aa", (unsigned)random(), address, body, PREFIX ":events");
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY, "register: %s", reply->str);
    freeReplyObject(reply);
}

void scene_listen(netron_discovery *discovery, struct event_recorder *recorder)
{
    int before = recorder->synced;
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, recorder, NULL), 0);
    AWAIT(&scene.world, recorder->synced > before);
}

void scene_fill_originals(const char *id_prefix, int count, const char *services)
{
    redisContext *context = connect_to_server();
    for (int i = 0; i < count; i++) {
        char id[64];
        snprintf(id, sizeof(id), "%s%05d", id_prefix, i);
        append_original(context, id, "10.0.0.1:80", services);
    }
    read_replies(context, 4 * count);
    redisFree(context);
}

void scene_fill(const char *id_prefix, int count, const char *services)
{
    char name[64];
    ck_assert_int_eq(sscanf(services, "[{\"name\":\"%63[^\"]", name), 1);
    redisContext *context = connect_to_server();
    const struct netron_script_source *source = &netron_script_source_register;
    redisAppendCommand(context, "SCRIPT LOAD %b", source->text, source->length);
    for (int i = 0; i < count; i++) {
        char id[64];
        char body[512];
        snprintf(id, sizeof(id), "%s%05d", id_prefix, i);
        snprintf(body, sizeof(body), "{\"nodeId\":\"%s\",\"address\":\"10.0.0.1:80\",\"services\":%s,\"ttl\":%s}", id,
                 services, LIFETIME_MS);
        redisAppendCommand(context,
                           "EVALSHA %s 1 " PREFIX ":registry %s 00112233445566%02x %012x take-over " LIFETIME_MS
                           " 10.0.0.1:80 %s %s %s %s",
                           source->sha1, id, i & 0xff, (unsigned)random(), services, body, "", name);
    }
    read_replies(context, 1 + count);
    redisFree(context);
}

long long scene_calls(const char *name)
{
    char stats[16384];
    char beginning[64];
    snprintf(beginning, sizeof(beginning), "cmdstat_%s:calls=", name);
    ck_assert(server_text(&scene.server, stats, sizeof(stats), "INFO commandstats"));
    const char *found = strstr(stats, beginning);
    return found != NULL ? strtoll(found + strlen(beginning), NULL, 10) : 0;
}

const char *scene_picture(void)
{
    static const char script[] = "local keys = redis.call('KEYS', '*') "
                                 "local parts = {} "
                                 "table.sort(keys) "
                                 "for _, key in ipairs(keys) do "
                                 "  parts[#parts + 1] = key .. '=' .. redis.call('DUMP', key) "
                                 "end "
                                 "return #keys .. ' keys, ' .. redis.sha1hex(table.concat(parts, ' '))";
    static char pictures[2][80];
    static int latest;
    latest = !latest;
    ck_assert(server_text(&scene.server, pictures[latest], sizeof(pictures[latest]), "EVAL %s 0", script));
    return pictures[latest];
}
