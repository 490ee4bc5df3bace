/* SPDX-License-Identifier: MIT */
/* A fleet whose slot moves to another node of the cluster: at once, key by key, or half. */
#include "cluster_fleet.h"
#include "suite.h"
#include <slot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS 4
#define KEY_MS 60 /* between two keys: all of them take longer than a heartbeat lives */

#define ALONE_MS 5000
#define RECONNECT_MAX_MS 200 /* of world_options() */

static struct member members[MEMBERS + 1];

static void start(void)
{
    cluster_start(&cluster, 3, 0, NULL);
}

static void stop(void)
{
    cluster_stop(&cluster);
}

static void begin(void)
{
    fleet_begin();
    netron_options options = fleet_options(cluster.url);
    fleet_gather(members, MEMBERS, &options);
}

static void end(void)
{
    for (size_t i = 0; i < MEMBERS; i++)
        fleet_free(&members[i]);
    fleet_end();
}

static size_t home(void)
{
    return cluster_home_of(&cluster, FLEET_KEY);
}

static size_t other_than(size_t node)
{
    return (node + 1) % cluster.count;
}

/* ---- moved ---- */

START_TEST(a_slot_that_moves_at_once_takes_its_fleet_along)
{
    for (int round = 0; round < 3; round++) {
        cluster_move(&cluster, FLEET_KEY, other_than(home()));
        for (size_t i = 0; i < MEMBERS; i++)
            fleet_change(&members[i]);
        fleet_expect_exact(members, MEMBERS);
    }
    fleet_expect_nobody_lost(members, MEMBERS);
}
END_TEST

/* What is where is known by the order of the keys that the slot has left with. */
static const char *const first_keys[] = {"registry",         "records",      "changes",
                                         "expiry",           "index:nodes",  "index:service:chat",
                                         "heartbeat:node-0", "nodes:node-1", NULL};

START_TEST(a_slot_that_moves_key_by_key_loses_nobody_and_nothing)
{
    size_t from = home();
    size_t to = other_than(from);
    long long left;
    cluster_move_begin(&cluster, FLEET_KEY, from, to);
    if (first_keys[_i] != NULL) {
        char key[64];
        snprintf(key, sizeof(key), FLEET_PREFIX ":%s", first_keys[_i]);
        cluster_move_key(&cluster, key, from, to);
    }
    do {
        fleet_change(&members[(size_t)rand() % MEMBERS]);
        world_run(&world, KEY_MS);
        left = cluster_move_keys(&cluster, FLEET_KEY, from, to, 1);
    } while (left > 0);
    fleet_change(&members[0]);
    world_run(&world, KEY_MS);
    cluster_move_end(&cluster, FLEET_KEY, from, to);
    fleet_expect_exact(members, MEMBERS);
    fleet_expect_nobody_lost(members, MEMBERS);
}
END_TEST

/* An operator's tool that broke off: for much longer than a heartbeat lives the keys are half here, half there. */
START_TEST(a_move_that_stands_still_takes_nobody_away)
{
    size_t from = home();
    size_t to = other_than(from);
    cluster_move_begin(&cluster, FLEET_KEY, from, to);
    cluster_move_key(&cluster, FLEET_KEY, from, to);
    for (size_t i = 0; i < MEMBERS; i += 2) {
        char key[64];
        snprintf(key, sizeof(key), FLEET_PREFIX ":heartbeat:node-%zu", i);
        cluster_move_key(&cluster, key, from, to);
    }
    fleet_change(&members[1]);
    world_run(&world, 5000);
    for (size_t i = 0; i < MEMBERS; i++) {
        ck_assert_uint_eq(fleet_view_count(&members[i]), MEMBERS);
        ck_assert_uint_eq(fleet_find(&members[i], "chat"), MEMBERS);
    }
    fleet_expect_nobody_lost(members, MEMBERS);
    while (cluster_move_keys(&cluster, FLEET_KEY, from, to, 100) > 0)
        ;
    cluster_move_end(&cluster, FLEET_KEY, from, to);
    fleet_expect_exact(members, MEMBERS);
    fleet_expect_nobody_lost(members, MEMBERS);
}
END_TEST

/* ---- with nobody ---- */

static long long connections_of(struct server *server)
{
    long long count = 0;
    redisReply *reply = server_ask(server, "INFO stats");
    sscanf(strstr(reply->str, "total_connections_received:"), "total_connections_received:%lld", &count);
    freeReplyObject(reply);
    return count;
}

static long long connections(void)
{
    long long count = 0;
    for (size_t i = 0; i < cluster.count; i++)
        count += connections_of(&cluster.node[i]);
    return count;
}

/* As after moves that followed one another too quickly: each of two nodes says that the other has the slot, for much
 * longer than a heartbeat lives. */
START_TEST(a_slot_that_nobody_has_is_waited_for)
{
    size_t from = home();
    size_t to = other_than(from);
    unsigned slot = netron_slot_of(FLEET_KEY);
    server_expect(&cluster.node[from], "OK", "FLUSHALL"); /* with its keys, a node does not part from a slot */
    server_expect(&cluster.node[from], "OK", "CLUSTER SETSLOT %u NODE %s", slot, cluster.id[to]);
    long long before = connections();
    world_run(&world, ALONE_MS);
    long long tries = connections() - before;
    ck_assert_int_ge(tries, MEMBERS);
    /* Each link waits half of reconnect_max_ms on average: twice what two links come to is not reached by chance. */
    ck_assert_int_lt(tries, 2 * (2 * MEMBERS * ALONE_MS / (RECONNECT_MAX_MS / 2)));
    for (size_t i = 0; i < MEMBERS; i++)
        ck_assert_uint_eq(fleet_view_count(&members[i]), MEMBERS);
    server_expect(&cluster.node[to], "OK", "CLUSTER SETSLOT %u NODE %s", slot, cluster.id[to]);
    fleet_expect_exact(members, MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++)
        ck_assert_int_eq(members[i].ledger.expired, 0);
}
END_TEST

/* ---- who comes and goes meanwhile ---- */

static void on_done(netron_discovery *discovery, int code, void *arg)
{
    (void)discovery;
    *(int *)arg = code;
}

START_TEST(who_comes_goes_and_dies_while_the_slot_moves_is_told_once)
{
    size_t from = home();
    size_t to = other_than(from);
    int left = 1;
    netron_options options = fleet_options(cluster.url);
    options.retry_count = 10; /* the move ends before it gives up to leave */
    options.retry_delay_ms = 100;
    struct member leaver;
    struct member dying;
    fleet_join(&leaver, &options);
    fleet_enrol(&leaver, 10);
    fleet_join(&dying, &options);
    fleet_enrol(&dying, 11);
    AWAIT(&world, members[0].ledger.count == MEMBERS + 2);

    cluster_move_begin(&cluster, FLEET_KEY, from, to);
    cluster_move_keys(&cluster, FLEET_KEY, from, to, 5);
    fleet_free(&dying);
    ck_assert_int_eq(netron_registration_deregister(leaver.registration, on_done, &left), 0);
    fleet_open(&members[MEMBERS], &options); /* its first picture may have to wait, too */
    netron_service services[2];
    netron_node node = make_node("node-12", "10.0.0.12:1", services, "chat", "1.0.0", NULL, NULL);
    strcpy(members[MEMBERS].address, node.address);
    netron_register(members[MEMBERS].discovery, &node, NULL, NULL, &members[MEMBERS].registration);
    while (cluster_move_keys(&cluster, FLEET_KEY, from, to, 2) > 0)
        world_run(&world, KEY_MS);
    cluster_move_end(&cluster, FLEET_KEY, from, to);

    AWAIT(&world, left <= 0);
    ck_assert_int_eq(left, 0);
    fleet_free(&leaver);
    fleet_expect_exact(members, MEMBERS + 1);
    for (size_t i = 0; i < MEMBERS; i++)
        ck_assert_int_eq(members[i].ledger.expired, 1);
    fleet_free(&members[MEMBERS]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cluster_move");
    TCase *tcase = suite_case(suite, "cluster_move");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, start, stop);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_slot_that_moves_at_once_takes_its_fleet_along);
    tcase_add_loop_test(tcase, a_slot_that_moves_key_by_key_loses_nobody_and_nothing, 0,
                        (int)(sizeof(first_keys) / sizeof(first_keys[0])));
    tcase_add_test(tcase, a_move_that_stands_still_takes_nobody_away);
    tcase_add_test(tcase, a_slot_that_nobody_has_is_waited_for);
    tcase_add_test(tcase, who_comes_goes_and_dies_while_the_slot_moves_is_told_once);
    return suite_run(suite);
}
