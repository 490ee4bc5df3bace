/* SPDX-License-Identifier: MIT */
/* Discoveries on a real cluster, which stays as it is: ways in, lookups, events, and the way that these take. */
#include "cluster_fleet.h"
#include "suite.h"
#include <slot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void start(void)
{
    cluster_start(&cluster, 3, 3, NULL);
}

static void stop(void)
{
    cluster_stop(&cluster);
}

/* Texts of few different characters, so that braces meet in every way. */
START_TEST(slots_are_those_of_redis)
{
    static const char letters[] = "{{}}ab:";
    srand(7);
    for (int i = 0; i < 2000; i++) {
        char name[24];
        size_t length = 1 + (size_t)rand() % (sizeof(name) - 1);
        for (size_t at = 0; at < length; at++)
            name[at] = letters[(size_t)rand() % (sizeof(letters) - 1)];
        name[length - 1] = '\0';
        long long slot = server_integer(&cluster.node[0], "CLUSTER KEYSLOT %b", name, strlen(name));
        ck_assert_msg(netron_slot_of(name) == slot, "%s: %u is not %lld", name, netron_slot_of(name), slot);
    }
}
END_TEST

/* ---- ways in ---- */

START_TEST(whoever_enters_at_any_node_is_in_one_registry)
{
    struct member members[CLUSTER_NODES_MAX];
    for (size_t i = 0; i < cluster.count; i++) {
        char url[64];
        netron_options options = fleet_options(cluster_url_of(&cluster, i, url, sizeof(url)));
        fleet_join(&members[i], &options);
    }
    for (size_t i = 0; i < cluster.count; i++)
        fleet_enrol(&members[i], i);
    fleet_expect_exact(members, cluster.count);
    for (size_t i = 0; i < cluster.count; i++) {
        ck_assert_int_eq(members[i].ledger.events, (int)cluster.count);
        ck_assert_int_eq(members[i].links.count[NETRON_LINK_COMMANDS], 1);
        fleet_free(&members[i]);
    }
}
END_TEST

/* All but the last have nobody listening on them. */
START_TEST(a_way_in_that_is_closed_is_passed_by)
{
    struct member member;
    char url[128];
    snprintf(url, sizeof(url), "%s://127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u", cluster.scheme, server_free_port(),
             server_free_port(), cluster.client_port[4]);
    netron_options options = fleet_options(url);
    fleet_join(&member, &options);
    fleet_enrol(&member, 0);
    ck_assert_int_eq(member.links.count[NETRON_LINK_COMMANDS], 1);
    fleet_free(&member);
}
END_TEST

START_TEST(a_way_in_by_ipv6_is_told_as_a_url_has_it)
{
    struct member member;
    char place[32];
    char url[64];
    char words[64];
    snprintf(place, sizeof(place), "[::1]:%u", server_free_port());
    snprintf(url, sizeof(url), "redis+cluster://%s", place);
    snprintf(words, sizeof(words), "cluster node %s: cannot connect: ", place);
    netron_options options = fleet_options(url);
    fleet_open(&member, &options);
    AWAIT(&world, member.links.count[NETRON_LINK_COMMANDS] > 0);
    ck_assert_ptr_eq(strstr(member.links.sentence[NETRON_LINK_COMMANDS], words),
                     member.links.sentence[NETRON_LINK_COMMANDS]);
    netron_discovery_free(member.discovery);
}
END_TEST

START_TEST(a_server_that_is_in_no_cluster_is_told)
{
    struct server alone;
    struct member member;
    char url[64];
    unsigned port = server_free_port();
    char text[16];
    snprintf(text, sizeof(text), "%u", port);
    const char *const extra[] = {"--port", text, NULL};
    server_start(&alone, extra);
    snprintf(url, sizeof(url), "redis+cluster://127.0.0.1:%u", port);
    netron_options options = fleet_options(url);
    fleet_open(&member, &options);
    AWAIT(&world, member.links.count[NETRON_LINK_COMMANDS] > 0);
    ck_assert_int_eq(member.links.code[NETRON_LINK_COMMANDS], NETRON_EREDIS);
    ck_assert_ptr_nonnull(strstr(member.links.sentence[NETRON_LINK_COMMANDS], "cluster support disabled"));
    netron_discovery_free(member.discovery);
    server_stop(&alone);
}
END_TEST

START_TEST(a_node_whose_certificate_is_not_trusted_is_not_asked)
{
    struct member member;
    unsetenv("SSL_CERT_FILE"); /* server_tls.c */
    netron_options options = fleet_options(cluster.url);
    fleet_open(&member, &options);
    AWAIT(&world, member.links.count[NETRON_LINK_COMMANDS] > 0);
    ck_assert_int_eq(member.links.code[NETRON_LINK_COMMANDS], NETRON_ETLS);
    ck_assert_ptr_nonnull(strstr(member.links.sentence[NETRON_LINK_COMMANDS], "cluster node 127.0.0.1:"));
    fleet_free(&member);
}
END_TEST

/* ---- events ---- */

static long long shard_subscribers(size_t node)
{
    redisReply *reply = server_ask(&cluster.node[node], "PUBSUB SHARDNUMSUB " FLEET_PREFIX ":events");
    long long count = reply->type == REDIS_REPLY_ARRAY ? reply->element[1]->integer : -1;
    freeReplyObject(reply);
    return count;
}

START_TEST(events_stay_in_the_shard_of_the_slot)
{
    struct member members[2];
    size_t home = cluster_home_of(&cluster, FLEET_KEY);
    netron_options options = fleet_options(cluster.url);
    for (size_t i = 0; i < 2; i++)
        fleet_join(&members[i], &options);
    for (size_t i = 0; i < cluster.count; i++) {
        ck_assert_int_eq(shard_subscribers(i), i == home ? 2 : 0);
        redisReply *plain = server_ask(&cluster.node[i], "PUBSUB NUMSUB " FLEET_PREFIX ":events");
        ck_assert_int_eq(plain->element[1]->integer, 0);
        freeReplyObject(plain);
    }
    fleet_enrol(&members[0], 0);
    AWAIT(&world, members[1].ledger.events == 1);
    for (size_t i = 0; i < 2; i++)
        fleet_free(&members[i]);
}
END_TEST

/* A process that names a node of the cluster as if it were a server of its own is in the same fleet, as long as that
 * node serves the slot. */
START_TEST(who_names_one_node_hears_and_is_heard)
{
    struct member members[2];
    char url[64];
    size_t home = cluster_home_of(&cluster, FLEET_KEY);
    netron_options options = fleet_options(cluster.url);
    fleet_join(&members[0], &options);
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", cluster.port[home]);
    options.url = url;
    fleet_join(&members[1], &options);
    ck_assert_int_eq(shard_subscribers(home), 2);
    for (size_t i = 0; i < 2; i++)
        fleet_enrol(&members[i], i);
    fleet_expect_exact(members, 2);
    for (size_t i = 0; i < 2; i++)
        fleet_free(&members[i]);
}
END_TEST

START_TEST(who_names_a_node_that_does_not_serve_the_slot_is_told_what_would)
{
    struct member member = {0};
    char url[64];
    char words[64];
    size_t home = cluster_home_of(&cluster, FLEET_KEY);
    netron_options options = fleet_options(url);
    netron_node node = make_node("node-0", "10.0.0.1:1", NULL, NULL, NULL, NULL, NULL);
    snprintf(url, sizeof(url), "%.*s://127.0.0.1:%u", (int)strcspn(cluster.scheme, "+"), cluster.scheme,
             cluster.client_port[(home + 1) % cluster.primaries]);
    snprintf(words, sizeof(words), " (it is a node of a cluster, which a URL %s:// follows)", cluster.scheme);
    options.retry_count = 0;
    member.states.discovery = member.discovery = world_join(&world, &options);
    ck_assert_int_eq(netron_register(member.discovery, &node, record_state, &member.states, NULL), 0);
    AWAIT(&world, latest_state(&member.states) == NETRON_FAILED);
    ck_assert_ptr_nonnull(strstr(member.states.sentence, "register: MOVED "));
    ck_assert_ptr_nonnull(strstr(member.states.sentence, words));
    netron_discovery_free(member.discovery);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cluster");
    TCase *tcase = suite_case(suite, "cluster");
    tcase_add_unchecked_fixture(tcase, start, stop);
    tcase_add_checked_fixture(tcase, fleet_begin, fleet_end);
    tcase_add_test(tcase, slots_are_those_of_redis);
    tcase_add_test(tcase, whoever_enters_at_any_node_is_in_one_registry);
    tcase_add_test(tcase, a_way_in_that_is_closed_is_passed_by);
    tcase_add_test(tcase, a_way_in_by_ipv6_is_told_as_a_url_has_it);
    tcase_add_test(tcase, a_server_that_is_in_no_cluster_is_told);
    if (getenv("NETRON_TEST_TLS") != NULL)
        tcase_add_test(tcase, a_node_whose_certificate_is_not_trusted_is_not_asked);
    tcase_add_test(tcase, events_stay_in_the_shard_of_the_slot);
    tcase_add_test(tcase, who_names_one_node_hears_and_is_heard);
    tcase_add_test(tcase, who_names_a_node_that_does_not_serve_the_slot_is_told_what_would);
    return suite_run(suite);
}
