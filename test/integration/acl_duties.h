/* SPDX-License-Identifier: MIT */
/*
 * What each of the users that README.md makes has to do, in lives of a second or two on a real server. A duty returns
 * whether it was fulfilled.
 */
#ifndef NETRON_TEST_ACL_DUTIES_H
#define NETRON_TEST_ACL_DUTIES_H

#include "acl_kinds.h"
#include "stage.h"
#include <script_sources.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct acl_readme readme;
static const struct acl_user *user;

static netron_registration *registration;
static struct state_recorder states;
static struct link_recorder links;
static struct event_recorder events;
static struct log_recorder lines;
static struct spy spy;

static bool is_refused(void)
{
    return acl_refused(&server, user, missing);
}

static bool await(condition_fn is_done)
{
    return await_or_refusal(&world, is_done, is_refused);
}

static void tell(const char *command)
{
    redisReply *reply = server_ask(&server, command);
    ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "%s: %s", command, reply->str);
    freeReplyObject(reply);
}

/* A node of somebody else, who does not beat. channel "-": nobody is told. */
static void enter(const char *id, const char *ttl, const char *channel)
{
    static const char services[] = "[{\"name\":\"users\"}]";
    char body[256];
    snprintf(body, sizeof(body), "{\"nodeId\":\"%s\",\"address\":\"10.0.0.9:1\",\"services\":%s,\"ttl\":%s}", id,
             services, ttl);
    redisReply *reply =
        server_ask(&server, "EVAL %s 1 " P ":registry %s 00000000000000aa %012x take-over %s 10.0.0.9:1 %s %s %s users",
                   netron_script_source_register.text, id, (unsigned)random(), ttl, services, body, channel);
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY, "register: %s", reply->str);
    freeReplyObject(reply);
}

static void enter_original(const char *id)
{
    freeReplyObject(server_ask(&server, "HSET " P ":nodes:%s address 10.0.0.8:1 services %s timestamp 1700000000000",
                               id, "[{\"name\":\"users\"}]"));
    freeReplyObject(server_ask(&server, "SET " P ":heartbeat:%s 1 PX 60000", id));
    freeReplyObject(server_ask(&server, "SADD " P ":index:nodes %s", id));
}

/* So many changes that the next one leads to the cutting of the oldest. */
static void fill_changes(void)
{
    static const char script[] = "for i = 1, 5000 do redis.call('ZADD', KEYS[1], 0, 'gone' .. i) end";
    freeReplyObject(server_ask(&server, "EVAL %s 1 " P ":changes", script));
}

/* ---- the duties of all ---- */

static bool is_connected(void)
{
    return links.is_up[NETRON_LINK_COMMANDS];
}

static bool connects(void)
{
    discovery = world_join(&world, &options);
    states.discovery = discovery;
    return await(is_connected);
}

static bool is_named(void)
{
    char wanted[96];
    redisReply *reply = server_ask(&server, "CLIENT LIST");
    snprintf(wanted, sizeof(wanted), " user=%s ", user->name);
    const char *line = strstr(reply->str, " name=netron ");
    bool is_there = line != NULL && strstr(line, wanted) != NULL;
    freeReplyObject(reply);
    return is_there;
}

static bool says_its_name(void)
{
    return await(is_named);
}

static const char *tolerated; /* what the documentation says that is refused */

static bool leaves_no_trace_in_the_log(void)
{
    return acl_refusals(&server, user, tolerated)[0] == '\0';
}

/* ---- of those that register ---- */

static bool is_registered(void)
{
    return latest_state(&states) == NETRON_REGISTERED;
}

static bool registers_a_node(void)
{
    registration = begin(discovery, "node-1", &states);
    return await(is_registered);
}

static bool has_beaten(void)
{
    return beats(discovery) >= 2;
}

static bool beats_for_it(void)
{
    return await(has_beaten);
}

static bool was_published(void)
{
    spy_collect(&spy);
    return spy_heard(&spy, "node-1") > 0;
}

static bool publishes_it(void)
{
    return await(was_published);
}

static struct done_recorder updated;

static bool is_updated(void)
{
    return updated.calls == 1 && updated.code == 0 && is_registered();
}

static bool changes_its_services(void)
{
    const netron_service services[] = {{"users", "2.0.0"}};
    ck_assert_int_eq(netron_registration_update_services(registration, services, 1, record_done, &updated), 0);
    return await(is_updated);
}

static uint64_t enough_registers;

static bool has_repaired(void)
{
    return registers(discovery) >= enough_registers && is_registered();
}

static bool repairs_what_has_the_wrong_type(void)
{
    tell("DEL " P ":index:service:users");
    tell("SET " P ":index:service:users x");
    enough_registers = registers(discovery) + 2;
    return await(has_repaired) && server_integer(&server, "SISMEMBER " P ":index:service:users node-1") == 1;
}

static int states_before;

static bool is_back(void)
{
    return states.count > states_before && is_registered();
}

static bool comes_back_when_its_heartbeat_is_lost(void)
{
    states_before = states.count;
    tell("DEL " P ":heartbeat:node-1");
    return await(is_back);
}

static bool comes_back_when_everything_is_lost(void)
{
    states_before = states.count;
    tell("FLUSHALL");
    return await(is_back);
}

static struct done_recorder left;

static bool has_left(void)
{
    return left.calls == 1 && left.code == 0;
}

static bool leaves(void)
{
    fill_changes();
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &left), 0);
    return await(has_left);
}

static bool is_replaced(void)
{
    return latest_state(&states) == NETRON_REPLACED;
}

static bool notices_that_another_has_its_id(void)
{
    registration = begin(discovery, "node-3", &states);
    if (!await(is_registered))
        return false;
    tell("SET " P ":heartbeat:node-3 00000000000000ff PX 60000");
    return await(is_replaced);
}

/* ---- of those that have a view ---- */

static const char *awaited; /* how an event begins */

static bool was_told(void)
{
    for (int i = 0; i < events.count; i++)
        if (strncmp(events.events[i].text, awaited, strlen(awaited)) == 0)
            return true;
    return false;
}

static bool is_told(const char *beginning)
{
    awaited = beginning;
    return await(was_told);
}

static bool has_picture(void)
{
    return events.synced > 0;
}

static bool reads_the_first_picture(void)
{
    enter("first", "60000", "");
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &events, NULL), 0);
    return await(has_picture) && is_told("NODE_REGISTERED first ");
}

static bool hears_a_change(void)
{
    enter("second", "60000", P ":events");
    return is_told("NODE_REGISTERED second ");
}

static bool sees_a_change_that_is_not_published(void)
{
    enter("third", "60000", "");
    return is_told("NODE_REGISTERED third ");
}

/* How often a link of somebody who logged in asked for a sign of life, and got one. */
static long long count_pings(void)
{
    static const char beginning[] = "cmdstat_ping:calls=";
    char stats[16384];
    ck_assert(server_text(&server, stats, sizeof(stats), "INFO commandstats"));
    const char *counted = strstr(stats, beginning);
    return counted != NULL ? strtoll(counted + strlen(beginning), NULL, 10) : 0;
}

static long long enough_pings;
static int losses; /* of links, but for those to a machine that was too busy to answer in time */

static void note_link(netron_discovery *of, netron_link_role role, int code, const char *sentence, void *arg)
{
    record_link(of, role, code, sentence, arg);
    losses += code != 0 && code != NETRON_ETIMEDOUT;
}

static bool was_quiet(void)
{
    return count_pings() >= enough_pings && links.is_up[NETRON_LINK_EVENTS] && links.is_up[NETRON_LINK_COMMANDS];
}

static bool stays_connected_when_nothing_happens(void)
{
    enough_pings = count_pings() + 2;
    return await(was_quiet) && losses == 0;
}

static struct nodes_recorder found;
static struct active_recorder active;

static bool was_found(void)
{
    return found.calls > 0;
}

static bool finds(const char *service, const char *id)
{
    found = (struct nodes_recorder){0};
    int code = service != NULL ? netron_find_nodes_by_service(discovery, service, NULL, record_nodes, &found)
                               : netron_get_active_nodes(discovery, record_nodes, &found);
    ck_assert_int_eq(code, 0);
    return await(was_found) && found.code == 0 && strstr(found.text, id) != NULL;
}

static bool was_answered(void)
{
    return active.calls > 0;
}

static bool is_active(const char *id)
{
    active = (struct active_recorder){0};
    ck_assert_int_eq(netron_is_node_active(discovery, id, record_active, &active), 0);
    return await(was_answered) && active.code == 0 && active.active == 1;
}

static bool finds_others(void)
{
    return finds("users", "first") && finds(NULL, "first") && is_active("first");
}

static bool finds_originals(void)
{
    enter_original("original");
    return finds("users", "original") && finds(NULL, "original") && is_active("original");
}

static bool finds_others_where_an_index_is_broken(void)
{
    tell("DEL " P ":index:nodes");
    tell("SET " P ":index:nodes x");
    bool is_found = finds(NULL, "first") && finds("users", "first");
    tell("DEL " P ":index:nodes");
    return is_found;
}

/* ---- of those that look after the registry ---- */

static bool adopts_an_original(void)
{
    enter_original("adopted");
    return is_told("NODE_REGISTERED adopted ");
}

static bool tells_that_an_original_left(void)
{
    tell("DEL " P ":nodes:adopted " P ":heartbeat:adopted");
    tell("SREM " P ":index:nodes adopted");
    tell("ZADD " P ":expiry 0 adopted");
    return is_told("NODE_DEREGISTERED adopted ");
}

static bool finds_whom_no_index_knows(void)
{
    enter_original("forgotten");
    if (!is_told("NODE_REGISTERED forgotten "))
        return false;
    tell("DEL " P ":nodes:forgotten " P ":heartbeat:forgotten");
    tell("SREM " P ":index:nodes forgotten");
    tell("ZREM " P ":expiry forgotten");
    return is_told("NODE_DEREGISTERED forgotten ");
}

static bool was_buried_in_public(void)
{
    return spy_count(&spy, "\"reason\":\"expired\"") > 0;
}

static bool buries_the_dead(void)
{
    fill_changes();
    enter("mortal", "1000", P ":events");
    return is_told("NODE_DEREGISTERED mortal ") && await(was_buried_in_public);
}

static bool is_put_off(void)
{
    char score[32];
    return server_text(&server, score, sizeof(score), "ZSCORE " P ":expiry silent") && score[0] == '-';
}

/* It has not been connected for as long as this one may be silent; those of a shorter patience are judged meanwhile. */
static bool waits_with_whom_it_may_not_judge(void)
{
    enter("silent", "60000", "");
    tell("DEL " P ":heartbeat:silent");
    tell("ZADD " P ":expiry 0 silent");
    return await(is_put_off);
}

static bool is_cleared(void)
{
    return server_integer(&server, "ZCOUNT " P ":expiry -inf -1000000000") == 0;
}

static bool clears_what_nobody_wrote(void)
{
    tell("ZADD " P ":expiry -99999999999 foreign");
    return await(is_cleared);
}

static bool has_right_type(void)
{
    return server_integer(&server, "EXISTS " P ":expiry") == 1 &&
           server_integer(&server, "EVAL %s 1 " P ":expiry",
                          "return redis.call('TYPE', KEYS[1]).ok == 'zset' and 1 or 0");
}

static bool mends_what_has_the_wrong_type(void)
{
    tell("DEL " P ":expiry");
    tell("SET " P ":expiry x");
    return await(has_right_type);
}

static bool is_born(void)
{
    return server_integer(&server, "HEXISTS " P ":registry epoch") == 1 &&
           server_integer(&server, "HEXISTS " P ":records first") == 1;
}

static bool builds_the_registry_anew(void)
{
    tell("DEL " P ":registry");
    return await(is_born);
}

/* ---- who has which ---- */

static const struct {
    const char *name;
    bool (*fulfil)(void);
    unsigned whose;
} duties[] = {
#define DUTY(name, whose)                                                                                              \
    {                                                                                                                  \
#name, name, whose                                                                                             \
    }
    DUTY(connects, ALL),
    DUTY(says_its_name, ALL),
    DUTY(registers_a_node, REGISTERS),
    DUTY(publishes_it, REGISTERS),
    DUTY(beats_for_it, REGISTERS),
    DUTY(changes_its_services, REGISTERS),
    DUTY(repairs_what_has_the_wrong_type, REGISTERS),
    DUTY(comes_back_when_its_heartbeat_is_lost, REGISTERS),
    DUTY(comes_back_when_everything_is_lost, REGISTERS),
    DUTY(leaves, REGISTERS),
    DUTY(notices_that_another_has_its_id, REGISTERS),
    DUTY(reads_the_first_picture, VIEWS),
    DUTY(hears_a_change, VIEWS),
    DUTY(sees_a_change_that_is_not_published, VIEWS),
    DUTY(stays_connected_when_nothing_happens, VIEWS),
    DUTY(finds_others, VIEWS),
    DUTY(finds_originals, VIEWS),
    DUTY(adopts_an_original, LOOKS_AFTER),
    DUTY(tells_that_an_original_left, LOOKS_AFTER),
    DUTY(finds_whom_no_index_knows, LOOKS_AFTER),
    DUTY(clears_what_nobody_wrote, LOOKS_AFTER),
    DUTY(waits_with_whom_it_may_not_judge, LOOKS_AFTER),
    DUTY(buries_the_dead, LOOKS_AFTER),
    DUTY(mends_what_has_the_wrong_type, LOOKS_AFTER),
    DUTY(builds_the_registry_anew, LOOKS_AFTER),
    DUTY(finds_others_where_an_index_is_broken, VIEWS),
    DUTY(leaves_no_trace_in_the_log, ALL),
#undef DUTY
};

/* Returns the name of the first duty that fails; NULL when none does. */
static const char *live(const struct kind *kind)
{
    tolerated = kind->tolerated;
    options.username = user->name;
    options.password = "secret";
    options.heartbeat_interval_ms = 25;
    options.anti_entropy_interval_ms = 100;
    options.ping_interval_ms = 250;
    options.on_link = note_link;
    options.on_link_arg = &links;
    options.log = record_log;
    options.log_arg = &lines;
    tell("ACL LOG RESET");
    tell("SCRIPT FLUSH"); /* whoever comes first loads them */
    spy_watch_events(&spy, &server);
    const char *failed = NULL;
    for (size_t i = 0; failed == NULL && i < COUNT(duties); i++)
        if ((duties[i].whose & kind->whose) != 0 && !duties[i].fulfil())
            failed = duties[i].name;
    spy_close(&spy);
    return failed;
}

#endif
