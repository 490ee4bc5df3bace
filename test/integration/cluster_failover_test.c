/* SPDX-License-Identifier: MIT */
/* A fleet whose primary dies, hangs, hands over to its replica, or goes down with the whole cluster. */
#include "cluster_fleet.h"
#include "suite.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS 3

static struct member members[MEMBERS];

/* Each test has a cluster of its own, for most leave it in ruins. */
static void begin(void)
{
    cluster_start(&cluster, 3, 3, NULL);
    fleet_begin();
    netron_options options = fleet_options(cluster.url);
    options.heartbeat_ttl_ms = 10000; /* a replica takes over within node timeout and some seconds */
    options.command_timeout_ms = 2000;
    options.connect_timeout_ms = 2000;
    fleet_gather(members, MEMBERS, &options);
}

static void end(void)
{
    for (size_t i = 0; i < MEMBERS; i++)
        fleet_free(&members[i]);
    fleet_end();
    cluster_stop(&cluster);
}

static void change_all(void)
{
    for (size_t i = 0; i < MEMBERS; i++)
        fleet_change(&members[i]);
}

/* Replicas have what the primary was told. */
static void await_replication(size_t primary)
{
    server_expect(&cluster.node[primary], "1", "WAIT 1 5000");
}

START_TEST(a_primary_that_is_killed_is_replaced_and_nobody_with_it)
{
    size_t home = cluster_home_of(&cluster, FLEET_KEY);
    await_replication(home);
    cluster_kill(&cluster, home);
    change_all();
    fleet_expect_exact(members, MEMBERS);
    ck_assert_uint_ne(cluster_home_of(&cluster, FLEET_KEY), home);
    fleet_expect_nobody_lost(members, MEMBERS);
}
END_TEST

START_TEST(a_primary_that_hangs_is_replaced_and_nobody_with_it)
{
    size_t home = cluster_home_of(&cluster, FLEET_KEY);
    await_replication(home);
    server_forget(&cluster.node[home]);
    pid_t pid = cluster.node[home].pid;
    kill(pid, SIGSTOP);
    cluster.node[home].pid = 0; /* it does not run, for what is asked here */
    change_all();
    fleet_expect_exact(members, MEMBERS);
    fleet_expect_nobody_lost(members, MEMBERS);
    cluster.node[home].pid = pid;
}
END_TEST

START_TEST(a_primary_that_hands_over_is_left_at_once)
{
    for (int round = 0; round < 2; round++) {
        size_t home = cluster_home_of(&cluster, FLEET_KEY);
        size_t replica = cluster_replica_of(&cluster, home);
        change_all();
        while (cluster_home_of(&cluster, FLEET_KEY) != replica) { /* it gives up where the machine is slow */
            freeReplyObject(server_ask(&cluster.node[replica], "CLUSTER FAILOVER"));
            world_run(&world, 300);
        }
        change_all();
        fleet_expect_exact(members, MEMBERS);
        cluster_settle(&cluster);
    }
    fleet_expect_nobody_lost(members, MEMBERS);
}
END_TEST

/* Nothing is left of the registry, and everything is back. */
START_TEST(a_cluster_that_restarts_empty_gets_its_fleet_again)
{
    for (size_t i = 0; i < cluster.count; i++)
        cluster_kill(&cluster, i);
    world_run(&world, 500);
    for (size_t i = 0; i < cluster.count; i++)
        cluster_start_again(&cluster, i);
    change_all();
    fleet_expect_exact(members, MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++)
        ck_assert_int_eq(members[i].ledger.expired, 0);
}
END_TEST

/* Two of three primaries without replicas: nobody can be elected, and whoever is left serves nobody. */
START_TEST(a_cluster_that_is_down_is_told_and_waited_for)
{
    size_t home = cluster_home_of(&cluster, FLEET_KEY);
    for (size_t i = 0; i < cluster.count; i++)
        if (i != home)
            cluster_kill(&cluster, i);
    change_all();
    AWAIT(&world, latest_state(&members[0].states) == NETRON_FAILED);
    ck_assert_int_eq(members[0].states.code[members[0].states.count - 1], NETRON_EUNAVAILABLE);
    for (size_t i = 0; i < cluster.count; i++)
        if (i != home)
            cluster_start_again(&cluster, i);
    fleet_expect_exact(members, MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++)
        ck_assert_int_eq(members[i].ledger.expired, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cluster_failover");
    TCase *tcase = suite_case(suite, "cluster_failover");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_primary_that_is_killed_is_replaced_and_nobody_with_it);
    tcase_add_test(tcase, a_primary_that_hangs_is_replaced_and_nobody_with_it);
    tcase_add_test(tcase, a_primary_that_hands_over_is_left_at_once);
    tcase_add_test(tcase, a_cluster_that_restarts_empty_gets_its_fleet_again);
    tcase_add_test(tcase, a_cluster_that_is_down_is_told_and_waited_for);
    return suite_run(suite);
}
