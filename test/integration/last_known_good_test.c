/* SPDX-License-Identifier: MIT */
/* A thousand nodes, and Redis or many of them gone at once: whoever watches keeps what was there, until it is either
 * back or really gone. */
#include "scene.h"
#include "script_sources.h"
#include "tally.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_MS 500
#define TTL_MS 1500

static int nodes; /* a thousand; and of them */
static int lost;  /* those that do not come back when Redis does */
static int dead;  /* those that die while it is there */
static struct server mortal;
static struct tally heard[2];
static netron_discovery *watchers[2];
static netron_discovery *owners[2];

/* ---- a fleet on a Redis that can die ---- */

static netron_options fleet_options(void)
{
    netron_options options = world_options(mortal.url);
    options.heartbeat_interval_ms = INTERVAL_MS;
    options.heartbeat_ttl_ms = TTL_MS;
    options.reconnect_min_ms = 50;
    options.reconnect_max_ms = 100;
    return options;
}

/* Where everything is ten times as slow, as under valgrind, a thousand could not beat in time. */
static void open_fleet(void)
{
    const char *slowness = getenv("CK_TIMEOUT_MULTIPLIER");
    nodes = slowness != NULL && strtol(slowness, NULL, 10) >= 10 ? 100 : 1000;
    lost = nodes / 10;
    dead = nodes * 3 / 10;
    server_start(&mortal, NULL);
}

static void close_fleet(void)
{
    for (int i = 0; i < 2; i++) {
        netron_discovery_free(watchers[i]);
        netron_discovery_free(owners[i]);
    }
    server_stop(&mortal);
}

/* A discovery with nodes of these numbers. */
static netron_discovery *own(int from, int to)
{
    const netron_options options = fleet_options();
    netron_discovery *owner = world_join(&scene.world, &options);
    for (int i = from; i < to; i++) {
        char id[32];
        char address[32];
        netron_service services[2];
        snprintf(id, sizeof(id), "n%05d", i);
        snprintf(address, sizeof(address), "10.0.0.1:%d", 10000 + i);
        const netron_node node = make_node(id, address, services, "orders", "1.0.0", NULL, NULL);
        ck_assert_int_eq(netron_register(owner, &node, NULL, NULL, NULL), 0);
    }
    return owner;
}

static netron_discovery *watch(struct tally *tally)
{
    const netron_options options = fleet_options();
    netron_discovery *watcher = world_join(&scene.world, &options);
    ck_assert_int_eq(netron_subscribe_to_events(watcher, tally_event, tally, NULL), 0);
    return watcher;
}

static netron_view_status status_of(netron_discovery *watcher)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(watcher, &status), 0);
    return status;
}

static int kept_by(netron_discovery *watcher)
{
    return (int)status_of(watcher).kept_count;
}

static int found_by(netron_discovery *watcher)
{
    const netron_snapshot *found = netron_view_find(watcher, "orders", "^1.0.0");
    ck_assert_ptr_nonnull(found);
    int count = (int)found->count;
    netron_snapshot_release(found);
    return count;
}

/* The first owner has the nodes up to `parted`, the second one the others. */
static void begin_fleet(int parted)
{
    owners[0] = own(0, parted);
    if (parted < nodes)
        owners[1] = own(parted, nodes);
    for (int i = 0; i < 2; i++)
        watchers[i] = watch(&heard[i]);
    AWAIT(&scene.world, heard[0].count[NETRON_NODE_REGISTERED] == nodes &&
                            heard[1].count[NETRON_NODE_REGISTERED] == nodes && heard[0].synced && heard[1].synced);
}

static bool are(netron_view_state state)
{
    return status_of(watchers[0]).state == state && status_of(watchers[1]).state == state;
}

static int all_registered(void)
{
    int count = (int)scene_stats(owners[0]).nodes_registered;
    return owners[1] != NULL ? count + (int)scene_stats(owners[1]).nodes_registered : count;
}

static int turns_seen[2][NETRON_VIEW_PROTECTED + 1]; /* by each watcher in each state */

/* Both views find at least so many. */
static bool look(int least)
{
    for (int i = 0; i < 2; i++) {
        ck_assert_int_ge(found_by(watchers[i]), least);
        turns_seen[i][status_of(watchers[i]).state]++;
    }
    return true;
}

/* AWAIT that looks at each turn of the loop. */
#define AWAIT_FINDING(least, condition) AWAIT(&scene.world, look(least) && (condition))

/* ---- Redis dies ---- */

/* When Redis saw the nodes register. They come soon, but not all in the same instant. */
static void expect_spread_registrations(void)
{
    long long first = LLONG_MAX;
    long long last = 0;
    redisReply *records = server_ask(&mortal, "HVALS " PREFIX ":records");
    ck_assert_int_eq((int)records->elements, nodes);
    for (int i = 0; i < nodes; i++) {
        long long at = 0;
        ck_assert_int_eq(sscanf(records->element[i]->str, "%*s %*s %*s %lld ", &at), 1);
        first = at < first ? at : first;
        last = at > last ? at : last;
    }
    freeReplyObject(records);
    fprintf(stderr, "# %d nodes registered again within %lld ms\n", nodes, last - first);
    ck_assert_int_gt((int)(last - first), INTERVAL_MS / 20);
    ck_assert_int_lt((int)(last - first), TTL_MS);
}

START_TEST(a_redis_that_restarts_empty_takes_nobody_away)
{
    begin_fleet(nodes);
    server_kill(&mortal);
    AWAIT_FINDING(nodes, are(NETRON_VIEW_STALE));
    server_start_again(&mortal, NULL);
    uint64_t began_at = world_clock_ms();
    AWAIT_FINDING(nodes, are(NETRON_VIEW_FRESH) && all_registered() == nodes);
    fprintf(stderr, "# all is as before %d ms after Redis\n", (int)(world_clock_ms() - began_at));
    /* Until the grace would be over. */
    AWAIT_FINDING(nodes, world_clock_ms() - began_at > 2 * TTL_MS);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(heard[i].count[NETRON_NODE_REGISTERED], nodes);
        ck_assert_int_eq(tally_most(&heard[i], NETRON_NODE_REGISTERED), 1);
        ck_assert_int_eq(tally_all(&heard[i]), nodes);
        ck_assert_int_eq(heard[i].synced, 1);
    }
    expect_spread_registrations();
}
END_TEST

START_TEST(who_does_not_come_back_after_redis_did_is_told_once_when_the_grace_is_over)
{
    begin_fleet(nodes - lost);
    server_kill(&mortal);
    AWAIT_FINDING(nodes, are(NETRON_VIEW_STALE));
    netron_discovery_free(owners[1]);
    owners[1] = NULL;
    server_start_again(&mortal, NULL);
    uint64_t began_at = world_clock_ms();
    AWAIT_FINDING(nodes, are(NETRON_VIEW_PROTECTED) && kept_by(watchers[0]) == lost && kept_by(watchers[1]) == lost);
    AWAIT_FINDING(nodes - lost, heard[0].expired == lost && heard[1].expired == lost);
    fprintf(stderr, "# %d that did not come back: told %d ms after Redis\n", lost, (int)(world_clock_ms() - began_at));
    ck_assert_uint_gt(heard[0].departed_at[0] - began_at, TTL_MS - 50); /* the slack is the loop's cached time */
    AWAIT_FINDING(nodes - lost, are(NETRON_VIEW_FRESH));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tally_most(&heard[i], NETRON_NODE_DEREGISTERED), 1);
        ck_assert_int_eq(tally_all(&heard[i]), nodes + lost);
        ck_assert_int_eq(found_by(watchers[i]), nodes - lost);
    }
}
END_TEST

/* The grace is for coming back to a Redis that is there. */
START_TEST(a_redis_that_dies_again_within_the_grace_takes_nobody_away_either)
{
    begin_fleet(nodes - lost);
    server_kill(&mortal);
    AWAIT_FINDING(nodes, are(NETRON_VIEW_STALE));
    netron_discovery_free(owners[1]);
    owners[1] = NULL;
    server_start_again(&mortal, NULL);
    AWAIT_FINDING(nodes, are(NETRON_VIEW_PROTECTED));
    server_kill(&mortal);
    uint64_t killed_at = world_clock_ms();
    AWAIT_FINDING(nodes, world_clock_ms() - killed_at > 2 * TTL_MS);
    owners[1] = own(nodes - lost, nodes);
    server_start_again(&mortal, NULL);
    AWAIT_FINDING(nodes, are(NETRON_VIEW_FRESH) && all_registered() == nodes);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(heard[i].count[NETRON_NODE_REGISTERED], nodes);
        ck_assert_int_eq(heard[i].count[NETRON_NODE_UPDATED], lost); /* other processes than before */
        ck_assert_int_eq(tally_all(&heard[i]), nodes + lost);
    }
}
END_TEST

/* The nodes live on and do not notice: their beats find their heartbeats, and their repair beats are far apart. */
START_TEST(nodes_that_live_are_entered_again_within_the_grace_when_all_that_names_them_is_lost)
{
    begin_fleet(nodes);
    server_expect(&mortal, "5",
                  "DEL " PREFIX ":registry " PREFIX ":records " PREFIX ":changes " PREFIX ":expiry " PREFIX
                  ":index:nodes");
    uint64_t began_at = world_clock_ms();
    AWAIT_FINDING(nodes, are(NETRON_VIEW_PROTECTED));
    AWAIT_FINDING(nodes, are(NETRON_VIEW_FRESH) && server_integer(&mortal, "HLEN " PREFIX ":records") == nodes);
    ck_assert_uint_lt(world_clock_ms() - began_at, 10 * INTERVAL_MS); /* not by the repair beats */
    AWAIT_FINDING(nodes, world_clock_ms() - began_at > 2 * TTL_MS);
    ck_assert_int_eq((int)server_integer(&mortal, "SCARD " PREFIX ":index:nodes"), nodes);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(tally_all(&heard[i]), nodes);
}
END_TEST

static void lose_all_but_heartbeats(void)
{
    static const char all_but_heartbeats[] = "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':*')) do "
                                             "  if not string.find(key, ':heartbeat:', 1, true) then "
                                             "    redis.call('DEL', key) "
                                             "  end "
                                             "end "
                                             "return 1";
    server_expect(&mortal, "1", "EVAL %s 0 " PREFIX, all_but_heartbeats);
}

/* Not even their own hashes are there: nothing but their heartbeats tells them from dead ones until they repair it. */
START_TEST(nodes_that_beat_are_not_told_as_gone_when_everything_else_of_them_is_lost)
{
    begin_fleet(nodes);
    lose_all_but_heartbeats();
    uint64_t began_at = world_clock_ms();
    AWAIT_FINDING(nodes, are(NETRON_VIEW_PROTECTED));
    AWAIT_FINDING(nodes, are(NETRON_VIEW_FRESH) && server_integer(&mortal, "HLEN " PREFIX ":records") == nodes);
    ck_assert_uint_gt(world_clock_ms() - began_at, TTL_MS); /* not within the grace, which did not end it */
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(tally_all(&heard[i]), nodes);
}
END_TEST

#define CROWD_TTL "3000"

/* Nodes whose owners beat for long without us, and say of themselves that their silences are short. */
static void enter_crowd(int count)
{
    static const char services[] = "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]";
    const struct netron_script_source *source = &netron_script_source_register;
    redisContext *context = redisConnectUnix(mortal.socket);
    ck_assert(context != NULL && context->err == 0);
    redisAppendCommand(context, "SCRIPT LOAD %b", source->text, source->length);
    for (int i = 0; i < count; i++) {
        char id[16], body[256];
        snprintf(id, sizeof(id), "n%05d", i);
        snprintf(body, sizeof(body), "{\"nodeId\":\"%s\",\"address\":\"h:1\",\"services\":%s,\"ttl\":" CROWD_TTL "}",
                 id, services);
        redisAppendCommand(
            context, "EVALSHA %s 1 " PREFIX ":registry %s 0123456789abcdef %012x take-over 600000 h:1 %s %s %s orders",
            source->sha1, id, (unsigned)random(), services, body, "");
    }
    for (int i = 0; i <= count; i++) {
        void *reply = NULL;
        ck_assert_int_eq(redisGetReply(context, &reply), REDIS_OK);
        freeReplyObject(reply);
    }
    redisFree(context);
}

/* More than are looked for at once. */
START_TEST(however_many_live_all_are_found_again_before_any_is_told_as_gone)
{
    int crowd = nodes * 9;
    enter_crowd(crowd);
    watchers[0] = watch(&heard[0]);
    AWAIT(&scene.world, heard[0].synced == 1 && heard[0].count[NETRON_NODE_REGISTERED] == crowd);
    server_expect(&mortal, "5",
                  "DEL " PREFIX ":registry " PREFIX ":records " PREFIX ":changes " PREFIX ":expiry " PREFIX
                  ":index:nodes");
    AWAIT(&scene.world, kept_by(watchers[0]) == crowd);
    AWAIT(&scene.world, kept_by(watchers[0]) == 0);
    AWAIT(&scene.world, status_of(watchers[0]).state == NETRON_VIEW_FRESH);
    ck_assert_int_eq(tally_all(&heard[0]), crowd);
    ck_assert_int_eq(found_by(watchers[0]), crowd);
    ck_assert_int_eq((int)server_integer(&mortal, "HLEN " PREFIX ":records"), crowd);
}
END_TEST

START_TEST(however_many_beat_none_is_told_as_gone_until_its_heartbeat_is)
{
    int crowd = nodes * 9;
    enter_crowd(crowd);
    watchers[0] = watch(&heard[0]);
    AWAIT(&scene.world, heard[0].synced == 1 && heard[0].count[NETRON_NODE_REGISTERED] == crowd);
    lose_all_but_heartbeats();
    AWAIT(&scene.world, kept_by(watchers[0]) == crowd);
    uint64_t began_at = world_clock_ms();
    AWAIT(&scene.world, world_clock_ms() - began_at > 4000); /* of CROWD_TTL */
    ck_assert_int_eq(tally_all(&heard[0]), crowd);
    freeReplyObject(server_ask(&mortal, "FLUSHDB"));
    AWAIT(&scene.world, heard[0].expired == crowd);
    ck_assert_int_eq(tally_most(&heard[0], NETRON_NODE_DEREGISTERED), 1);
    ck_assert_int_eq(found_by(watchers[0]), 0);
}
END_TEST

/* Another valid line under the id of a node: only who reads everything finds that the digest says otherwise. */
START_TEST(a_registry_in_which_somebody_replaced_a_record_is_born_again_and_takes_nobody_away)
{
    char line[1024];
    char epoch[2][65];
    begin_fleet(nodes);
    ck_assert(server_text(&mortal, epoch[0], sizeof(epoch[0]), "HGET " PREFIX ":registry epoch"));
    ck_assert(server_text(&mortal, line, sizeof(line), "HGET " PREFIX ":records n00007"));
    char *tag = strchr(line, ' ') + 1;
    memcpy(tag, strncmp(tag, "0123", 4) == 0 ? "4567" : "0123", 4);
    server_expect(&mortal, "0", "HSET " PREFIX ":records n00007 %s", line);
    struct tally late = {0};
    netron_discovery *newcomer = watch(&late);
    AWAIT_FINDING(nodes, status_of(newcomer).faults >= 2);
    AWAIT_FINDING(nodes, status_of(newcomer).state == NETRON_VIEW_FRESH && are(NETRON_VIEW_FRESH) &&
                             server_integer(&mortal, "HLEN " PREFIX ":records") == nodes);
    ck_assert(server_text(&mortal, epoch[1], sizeof(epoch[1]), "HGET " PREFIX ":registry epoch"));
    ck_assert_str_ne(epoch[0], epoch[1]);
    ck_assert_int_eq(found_by(newcomer), nodes);
    ck_assert_int_eq(tally_all(&late), nodes);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(tally_all(&heard[i]), nodes);
    netron_discovery_free(newcomer);
}
END_TEST

/* ---- many nodes die ---- */

#define SHARE 15 /* percent of the nodes that a window of one TTL lets expire */

START_TEST(the_death_of_many_is_told_a_share_at_a_time_and_seen_as_protection_until_all_is_told)
{
    begin_fleet(nodes - dead);
    netron_discovery_free(owners[1]);
    owners[1] = NULL;
    AWAIT_FINDING(nodes - dead, are(NETRON_VIEW_PROTECTED));
    ck_assert_int_lt(heard[0].expired, dead);
    memset(turns_seen, 0, sizeof(turns_seen));
    AWAIT_FINDING(nodes - dead, heard[0].expired == dead && heard[1].expired == dead);
    ck_assert_int_eq(turns_seen[0][NETRON_VIEW_FRESH] + turns_seen[1][NETRON_VIEW_FRESH], 0);
    AWAIT_FINDING(nodes - dead, are(NETRON_VIEW_FRESH));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(turns_seen[i][NETRON_VIEW_STALE], 0);
        const uint64_t *at = heard[i].departed_at;
        int share = nodes * SHARE / 100;
        fprintf(stderr, "# %d of %d dead: %d told after %d ms, all after %d ms\n", dead, nodes, share,
                (int)(at[share - 1] - at[0]), (int)(at[dead - 1] - at[0]));
        ck_assert_uint_gt(at[share] - at[0], TTL_MS * 3 / 4); /* the window began a little earlier than it was heard */
        ck_assert_int_eq(tally_most(&heard[i], NETRON_NODE_DEREGISTERED), 1);
        ck_assert_int_eq(tally_all(&heard[i]), nodes + dead);
    }
    ck_assert_int_eq(all_registered(), nodes - dead);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("last_known_good");
    TCase *tcase = scene_case(suite, "redis dies");
    tcase_add_checked_fixture(tcase, open_fleet, close_fleet);
    tcase_add_test(tcase, a_redis_that_restarts_empty_takes_nobody_away);
    tcase_add_test(tcase, who_does_not_come_back_after_redis_did_is_told_once_when_the_grace_is_over);
    tcase_add_test(tcase, a_redis_that_dies_again_within_the_grace_takes_nobody_away_either);
    tcase_add_test(tcase, nodes_that_live_are_entered_again_within_the_grace_when_all_that_names_them_is_lost);
    tcase_add_test(tcase, nodes_that_beat_are_not_told_as_gone_when_everything_else_of_them_is_lost);
    tcase_add_test(tcase, however_many_live_all_are_found_again_before_any_is_told_as_gone);
    tcase_add_test(tcase, however_many_beat_none_is_told_as_gone_until_its_heartbeat_is);
    tcase_add_test(tcase, a_registry_in_which_somebody_replaced_a_record_is_born_again_and_takes_nobody_away);
    tcase = scene_case(suite, "many nodes die");
    tcase_add_checked_fixture(tcase, open_fleet, close_fleet);
    tcase_add_test(tcase, the_death_of_many_is_told_a_share_at_a_time_and_seen_as_protection_until_all_is_told);
    return suite_run(suite);
}
