/* SPDX-License-Identifier: MIT */
/* What somebody who may write to Redis can do against a process that trusts keys, and what he cannot. */
#include "signed.h"

#define NOW UINT64_C(1700000000000)

static netron_registration *registration;

/* A signed node, known to a watcher. */
static void open_forgery(void)
{
    open_parties();
    listen(&watcher);
    join(&owner);
    registration = enrol(&owner, "a");
    expect_view(&watcher, "a 10.0.0.1:80");
    EXPECT_FOUND(watcher.discovery, "orders", NULL, "a " WEB);
}

/* The node is registered anew by who beats so seldom that no repair puts right what the test spoils. */
static void beat_seldom(void)
{
    netron_discovery_free(owner.discovery);
    let_the_clock_go_on();
    owner.options.heartbeat_interval_ms = 2000;
    join(&owner);
    registration = enrol(&owner, "a");
}

/* The watcher knows the node as it was, by every way, and has heard of nothing. */
static void expect_unmoved(void)
{
    expect_view(&watcher, "a 10.0.0.1:80");
    EXPECT_FOUND(watcher.discovery, "orders", NULL, "a " WEB);
    EXPECT_FOUND(watcher.discovery, NULL, NULL, "a " WEB);
    ck_assert_int_eq(watcher.heard.count, 1);
    ck_assert_uint_gt(refused_by(&watcher), 0);
}

/* ---- forged content ---- */

/* By the incarnation that owns the node, so that it beats on and lives. */
START_TEST(a_forged_update_changes_nothing_and_takes_out_nobody)
{
    struct loot loot = steal("a");
    strcpy(loot.address, "10.6.6.6:80");
    if (_i == 0)
        tamper(loot.body, "10.0.0.1:80", "10.6.6.6:80");
    else
        strcpy(loot.body, "{\"nodeId\":\"a\",\"address\":\"10.6.6.6:80\",\"services\":[{\"name\":\"orders\"}]}");
    plant("a", &loot);
    expect_unmoved();
    /* Its next repair puts its own record back. */
    AWAIT(&scene.world, strstr(steal("a").body, "10.0.0.1:80") != NULL);
    expect_view(&watcher, "a 10.0.0.1:80");
    ck_assert_int_eq(watcher.heard.count, 1);
}
END_TEST

START_TEST(another_life_that_is_not_signed_ends_the_node)
{
    struct loot loot = steal("a");
    strcpy(loot.incarnation, "00000000000000aa");
    strcpy(loot.body, "{\"nodeId\":\"a\",\"address\":\"10.0.0.1:80\",\"services\":[]}");
    plant("a", &loot);
    expect_view(&watcher, "");
    ck_assert_str_eq(latest_of(&watcher), "NODE_DEREGISTERED a " WEB " (refused)");
    EXPECT_FOUND(watcher.discovery, "orders", NULL, "");
    ck_assert_uint_gt(refused_by(&watcher), 0);
}
END_TEST

/* A field each. What is written into Redis silently is met by lookups, and by views that read everything. */
START_TEST(no_field_of_a_record_can_be_changed_in_redis)
{
    static const char *const changes[][2] = {
        {"10.0.0.1:80", "10.6.6.6:80"},
        {"\"orders\"", "\"orderz\""},
        {"\"1.0.0\"", "\"1.0.1\""},
        {"draining", "starting"},
        {"leaving", "staying"},
        {"\"weight\":7", "\"weight\":9"},
        {"zone-1", "zone-2"},
        {"\"key\":", "\"kez\":"},
        {"value", "walue"},
        {"\"ttl\":5000", "\"ttl\":9000"},
        {"\"sequence\":1", "\"sequence\":2"},
        {"ed25519:k:", "ed25519:l:"},
    };
    static const netron_metadata metadata = {"key", "value"};
    static const netron_service service = {"orders", "1.0.0"};
    netron_node node = NETRON_NODE_INIT;
    node.id = "b";
    node.address = "10.0.0.1:80";
    node.services = &service;
    node.service_count = 1;
    node.state = NETRON_NODE_DRAINING;
    node.reason = "leaving";
    node.weight = 7;
    node.zone = "zone-1";
    node.metadata = &metadata;
    node.metadata_count = 1;
    netron_registration *full = NULL;
    beat_seldom();
    ck_assert_int_eq(netron_register(owner.discovery, &node, NULL, NULL, &full), 0);
    AWAIT(&scene.world, netron_registration_get_state(full) == NETRON_REGISTERED);
    char line[4096];
    ck_assert(server_text(&scene.server, line, sizeof(line), "HGET %s b", PREFIX ":records"));
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char changed[4096];
        strcpy(changed, line);
        tamper(changed, changes[i][0], changes[i][1]);
        server_expect(&scene.server, "0", "HSET %s b %s", PREFIX ":records", changed);
        set_up(&plain);
        trusts(&plain, public_key(0, "k", NULL));
        listen(&plain);
        expect_view(&plain, "a 10.0.0.1:80");
        ck_assert_str_eq(scene_find(plain.discovery, NULL, NULL), "a " WEB);
        ck_assert_msg(refused_by(&plain) > 0, "%s", changes[i][1]);
        netron_discovery_free(plain.discovery);
    }
    plain.discovery = NULL;
}
END_TEST

START_TEST(a_record_of_another_namespace_is_none_here)
{
    const struct loot loot = forge(&owner.signing, "other", "b", "10.0.0.1:80", "00000000000000aa", NOW);
    plant("b", &loot);
    expect_unmoved();
    ck_assert_int_eq(log_count(&watcher.log, "refusing the record of node b: its signature is wrong"), 1);
}
END_TEST

START_TEST(a_signature_of_one_node_is_none_for_another)
{
    struct loot loot = steal("a");
    tamper(loot.body, "\"nodeId\":\"a\"", "\"nodeId\":\"b\"");
    plant("b", &loot);
    expect_unmoved();
    ck_assert_int_eq(log_count(&watcher.log, "refusing the record of node b: its signature is wrong"), 1);
}
END_TEST

/* ---- replays ---- */

START_TEST(an_older_record_under_a_newer_revision_does_not_pass)
{
    struct done_recorder done = {0};
    const struct loot old = steal("a");
    ck_assert_int_eq(netron_registration_update_address(registration, "10.0.0.2:80", record_done, &done), 0);
    AWAIT(&scene.world, done.calls > 0);
    expect_view(&watcher, "a 10.0.0.2:80");
    EXPECT_FOUND(watcher.discovery, "orders", NULL, "a 10.0.0.2:80 orders@1.0.0");
    plant("a", &old);
    expect_view(&watcher, "a 10.0.0.2:80");
    EXPECT_FOUND(watcher.discovery, "orders", NULL, "a 10.0.0.2:80 orders@1.0.0");
    ck_assert_int_eq(watcher.heard.count, 2);
    ck_assert_int_eq(log_count(&watcher.log, "refusing the record of node a: it is older"), 1);
}
END_TEST

START_TEST(the_record_of_an_earlier_life_does_not_pass)
{
    struct party next = owner;
    const struct loot old = steal("a");
    let_the_clock_go_on();
    join(&next);
    scene_enrol(next.discovery, "a", "10.0.0.2:80", "orders", "1.0.0", NULL, NULL);
    expect_view(&watcher, "a 10.0.0.2:80");
    netron_discovery_free(owner.discovery);
    owner = next;
    plant("a", &old);
    expect_view(&watcher, "a 10.0.0.2:80");
    ck_assert_int_eq(watcher.heard.count, 2);
}
END_TEST

START_TEST(an_older_record_of_who_left_does_not_pass)
{
    struct done_recorder done = {0};
    const struct loot old = steal("a");
    ck_assert_int_eq(netron_registration_update_address(registration, "10.0.0.2:80", record_done, &done), 0);
    AWAIT(&scene.world, done.calls == 1);
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &done), 0);
    AWAIT(&scene.world, done.calls == 2);
    expect_view(&watcher, "");
    plant("a", &old);
    expect_view(&watcher, "");
    ck_assert_int_eq(watcher.heard.count, 3);
    ck_assert_uint_eq(refused_by(&watcher), 1);
}
END_TEST

/* ---- messages ---- */

START_TEST(a_forged_message_is_found_out)
{
    char epoch[64], digest[32];
    long long revision;
    ck_assert(server_text(&scene.server, epoch, sizeof(epoch), "HGET %s epoch", PREFIX ":registry"));
    ck_assert(server_text(&scene.server, digest, sizeof(digest), "HGET %s digest", PREFIX ":registry"));
    revision = (long long)status_of(&watcher).revision;
    const struct loot loot = steal("a");
    freeReplyObject(server_ask(&scene.server,
                               "PUBLISH %s {\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"10.6.6.6:80\","
                               "\"services\":[],\"timestamp\":1,\"epoch\":\"%s\",\"revision\":%lld,\"digest\":\"%s\","
                               "\"tag\":\"%s\",\"incarnation\":\"%s\"}",
                               PREFIX ":events", epoch, revision + 1, digest, digest, loot.incarnation));
    AWAIT(&scene.world, refused_by(&watcher) > 0);
    expect_unmoved();
}
END_TEST

/* ---- what lookups fall back on ---- */

static void lose_records(void)
{
    freeReplyObject(server_ask(&scene.server, "DEL %s", PREFIX ":records"));
}

START_TEST(where_the_record_is_lost_the_signed_one_of_the_node_itself_counts)
{
    beat_seldom();
    /* Whoever has a view looks after the registry, and would enter what the test spoils. */
    netron_discovery_free(watcher.discovery);
    join(&watcher);
    lose_records();
    EXPECT_FOUND(watcher.discovery, NULL, NULL, "a " WEB);
    ck_assert_uint_eq(refused_by(&watcher), 0);
    /* What stands beside it is not signed, and not looked at. */
    lose_records();
    server_expect(&scene.server, "0", "HSET %s address 10.6.6.6:80", PREFIX ":nodes:a");
    EXPECT_FOUND(watcher.discovery, NULL, NULL, "a " WEB);
    struct loot loot = steal("a");
    tamper(loot.body, "10.0.0.1:80", "10.6.6.6:80");
    lose_records();
    server_expect(&scene.server, "0", "HSET %s record %s", PREFIX ":nodes:a", loot.body);
    EXPECT_FOUND(watcher.discovery, NULL, NULL, "a " WEB);
    ck_assert_uint_eq(refused_by(&watcher), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forged");
    TCase *tcase = scene_case(suite, "forged");
    tcase_add_checked_fixture(tcase, open_forgery, close_parties);
    tcase_add_loop_test(tcase, a_forged_update_changes_nothing_and_takes_out_nobody, 0, 2);
    tcase_add_test(tcase, another_life_that_is_not_signed_ends_the_node);
    tcase_add_test(tcase, no_field_of_a_record_can_be_changed_in_redis);
    tcase_add_test(tcase, a_record_of_another_namespace_is_none_here);
    tcase_add_test(tcase, a_signature_of_one_node_is_none_for_another);
    tcase_add_test(tcase, an_older_record_under_a_newer_revision_does_not_pass);
    tcase_add_test(tcase, the_record_of_an_earlier_life_does_not_pass);
    tcase_add_test(tcase, an_older_record_of_who_left_does_not_pass);
    tcase_add_test(tcase, a_forged_message_is_found_out);
    tcase_add_test(tcase, where_the_record_is_lost_the_signed_one_of_the_node_itself_counts);
    return suite_run(suite);
}
