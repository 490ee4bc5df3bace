/* SPDX-License-Identifier: MIT */
/* Lookups while the slot stands still on its way to another node of the cluster: a part of the keys is here, a part
 * there, and the answers from there come after those from here. What is found is the same as before, to the letter. */
#include "cluster_fleet.h"
#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICES "[{\"name\":\"chat\",\"version\":\"1.0.0\"}]"
#define CROWD 1500 /* several pages */

static struct member watcher;
static size_t from;
static size_t to;

static void start(void)
{
    cluster_start(&cluster, 2, 0, NULL);
}

static void stop(void)
{
    cluster_stop(&cluster);
}

static void begin(void)
{
    fleet_begin();
    netron_options options = fleet_options(cluster.url);
    options.heartbeat_interval_ms = 20000; /* nobody beats, or dies, meanwhile */
    options.heartbeat_ttl_ms = 60000;
    fleet_join(&watcher, &options);
    from = cluster_home_of(&cluster, FLEET_KEY);
    to = (from + 1) % cluster.count;
}

static void end(void)
{
    fleet_free(&watcher);
    fleet_end();
}

/* ---- what is found ---- */

struct found {
    int calls;
    int code;
    size_t count;
    char text[1024]; /* "id address state zone; " for each */
};

static void on_found(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    (void)discovery;
    struct found *found = arg;
    found->calls++;
    found->code = code;
    found->count = count;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(found->text);
        snprintf(found->text + length, sizeof(found->text) - length, "%s %s %s %s; ", nodes[i]->id, nodes[i]->address,
                 netron_node_state_name(nodes[i]->state), nodes[i]->zone != NULL ? nodes[i]->zone : "-");
    }
}

static void expect_found(const char *expected)
{
    static const char *const names[] = {"chat", NULL};
    for (size_t i = 0; i < 2; i++) {
        struct found found = {0};
        int code = names[i] != NULL ? netron_find_nodes_by_service(watcher.discovery, names[i], NULL, on_found, &found)
                                    : netron_get_active_nodes(watcher.discovery, on_found, &found);
        ck_assert_int_eq(code, 0);
        AWAIT(&world, found.calls > 0);
        ck_assert_msg(found.code == 0, "the lookup failed: %s", netron_discovery_error(watcher.discovery));
        ck_assert_str_eq(found.text, expected);
    }
}

static void expect_found_often(const char *expected)
{
    for (int i = 0; i < 5; i++)
        expect_found(expected);
}

/* ---- what there is ---- */

static void command(const char *format, const char *id, const char *text)
{
    redisReply *reply = server_ask(&cluster.node[from], format, id, text);
    ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "%s: %s", format, reply->str);
    freeReplyObject(reply);
}

static void store_original(const char *id, const char *address)
{
    command("HSET " FLEET_PREFIX ":nodes:%s address %s services " SERVICES " timestamp 1700000000000", id, address);
    command("SET " FLEET_PREFIX ":heartbeat:%s 1", id, NULL);
    command("SADD " FLEET_PREFIX ":index:nodes %s", id, NULL);
}

static void enrol(const char *id, const char *address, netron_node_state state, const char *zone)
{
    netron_service services[2];
    netron_registration *registration = NULL;
    netron_node node = make_node(id, address, services, "chat", "1.0.0", NULL, NULL);
    node.state = state;
    node.zone = zone;
    ck_assert_int_eq(netron_register(watcher.discovery, &node, NULL, NULL, &registration), 0);
    AWAIT(&world, netron_registration_get_state(registration) == NETRON_REGISTERED);
}

static void move_key(const char *tail)
{
    char key[64];
    snprintf(key, sizeof(key), FLEET_PREFIX ":%s", tail);
    cluster_move_key(&cluster, key, from, to);
}

static void move_the_rest(void)
{
    while (cluster_move_keys(&cluster, FLEET_KEY, from, to, 100) > 0)
        ;
    cluster_move_end(&cluster, FLEET_KEY, from, to);
}

/* ---- standing still ---- */

static const char *const originals = "a 10.0.0.1:80 up -; b 10.0.0.2:80 up -; c 10.0.0.3:80 up -; d 10.0.0.4:80 up -; "
                                     "e 10.0.0.5:80 up -; ";

/* The node is described by the hash of another one if answers are taken in the order in which they come. */
START_TEST(a_hash_that_went_ahead_is_that_of_its_own_node)
{
    static const char *const keys[] = {"nodes:a", "nodes:c", "nodes:e", "index:nodes", "heartbeat:b"};
    store_original("a", "10.0.0.1:80");
    store_original("b", "10.0.0.2:80");
    store_original("c", "10.0.0.3:80");
    store_original("d", "10.0.0.4:80");
    store_original("e", "10.0.0.5:80");
    expect_found(originals);
    cluster_move_begin(&cluster, FLEET_KEY, from, to);
    move_key(keys[_i]);
    expect_found_often(originals);
    move_the_rest();
}
END_TEST

START_TEST(records_that_went_ahead_keep_state_and_zone)
{
    static const char *const all = "a 10.0.0.1:80 up east; b 10.0.0.2:80 draining west; c 10.0.0.3:80 draining east; "
                                   "d 10.0.0.4:80 up -; ";
    enrol("a", "10.0.0.1:80", NETRON_NODE_UP, "east");
    enrol("b", "10.0.0.2:80", NETRON_NODE_DRAINING, "west");
    enrol("c", "10.0.0.3:80", NETRON_NODE_DRAINING, "east");
    enrol("d", "10.0.0.4:80", NETRON_NODE_UP, NULL);
    expect_found(all);
    cluster_move_begin(&cluster, FLEET_KEY, from, to);
    move_key("records");
    expect_found_often(all);
    move_key("index:nodes"); /* and then the numbers of the nodes do not come in the order of their questions either */
    expect_found_often(all);
    move_key("expiry");
    expect_found_often(all);
    move_key("nodes:b");
    expect_found_often(all);
}
END_TEST

/* Then the heartbeats are asked for one by one. */
START_TEST(who_lives_and_who_is_dead_is_not_mixed_up)
{
    static const char *const dead[] = {"a", "b", "d"};
    static const char *const left[] = {
        "b 10.0.0.2:80 up -; c 10.0.0.3:80 up -; d 10.0.0.4:80 up -; e 10.0.0.5:80 up -; ",
        "a 10.0.0.1:80 up -; c 10.0.0.3:80 up -; d 10.0.0.4:80 up -; e 10.0.0.5:80 up -; ",
        "a 10.0.0.1:80 up -; b 10.0.0.2:80 up -; c 10.0.0.3:80 up -; e 10.0.0.5:80 up -; "};
    store_original("a", "10.0.0.1:80");
    store_original("b", "10.0.0.2:80");
    store_original("c", "10.0.0.3:80");
    store_original("d", "10.0.0.4:80");
    store_original("e", "10.0.0.5:80");
    command("DEL " FLEET_PREFIX ":heartbeat:%s", dead[_i], NULL);
    expect_found(left[_i]);
    cluster_move_begin(&cluster, FLEET_KEY, from, to);
    move_key("nodes:c");
    move_key("heartbeat:c");
    expect_found_often(left[_i]);
}
END_TEST

/* ---- in the midst of a scan ---- */

/* The cursor of one node says nothing to another, whose table is in another order. */
START_TEST(an_index_that_leaves_between_two_pages_is_read_again)
{
    char id[16];
    struct found found = {0};
    for (int i = 0; i < CROWD; i++) {
        snprintf(id, sizeof(id), "node-%d", i);
        store_original(id, "10.0.0.1:80");
    }
    cluster_move_begin(&cluster, FLEET_KEY, from, to);
    command("CONFIG RESETSTAT", NULL, NULL);
    ck_assert_int_eq(netron_get_active_nodes(watcher.discovery, on_found, &found), 0);
    char counts[4096];
    do {
        world_turn(&world);
        redisReply *reply = server_ask(&cluster.node[from], "INFO commandstats");
        snprintf(counts, sizeof(counts), "%s", reply->str);
        freeReplyObject(reply);
    } while (strstr(counts, "cmdstat_sscan:") == NULL);
    ck_assert_ptr_nonnull(strstr(counts, "cmdstat_sscan:calls=1,"));
    move_key("index:nodes");
    AWAIT(&world, found.calls > 0);
    ck_assert_msg(found.code == 0, "the lookup failed: %s", netron_discovery_error(watcher.discovery));
    ck_assert_uint_eq(found.count, CROWD);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cluster_lookup");
    TCase *tcase = suite_case(suite, "cluster_lookup");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, start, stop);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, a_hash_that_went_ahead_is_that_of_its_own_node, 0, 5);
    tcase_add_test(tcase, records_that_went_ahead_keep_state_and_zone);
    tcase_add_loop_test(tcase, who_lives_and_who_is_dead_is_not_mixed_up, 0, 3);
    tcase_add_test(tcase, an_index_that_leaves_between_two_pages_is_read_again);
    return suite_run(suite);
}
