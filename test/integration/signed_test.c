/* SPDX-License-Identifier: MIT */
/* Signed nodes on a real Redis: how they live, and which keys speak for them. */
#include "signed.h"

#define NOW UINT64_C(1700000000000)

/* ---- who is believed ---- */

static const struct {
    netron_signature_algorithm algorithm;
    const char *name;
} algorithms[] = {{NETRON_ED25519, "ed25519"}, {NETRON_HMAC_SHA256, "hmac-sha256"}};

static void use_algorithm(int number)
{
    if (algorithms[number].algorithm == NETRON_HMAC_SHA256) {
        signs_by(&owner, shared_key(0, "k"));
        watcher.options.trusted_key_count = 0;
        trusts(&watcher, shared_key(0, "k"));
    }
}

START_TEST(a_signed_node_is_found_by_every_way)
{
    use_algorithm(_i);
    listen(&watcher);
    listen(&plain);
    join(&owner);
    enrol(&owner, "a");
    expect_view(&watcher, "a 10.0.0.1:80");
    expect_view(&plain, "a 10.0.0.1:80");
    ck_assert_str_eq(latest_of(&watcher), "NODE_REGISTERED a " WEB);
    EXPECT_FOUND(watcher.discovery, "orders", "^1.0", "a " WEB);
    EXPECT_FOUND(watcher.discovery, NULL, NULL, "a " WEB);
    EXPECT_FOUND(plain.discovery, "orders", NULL, "a " WEB);
    ck_assert(scene_is_active(watcher.discovery, "a"));
    ck_assert_uint_eq(refused_by(&watcher), 0);
    const struct loot loot = steal("a");
    char signature[64];
    snprintf(signature, sizeof(signature), "\"signature\":\"%s:k:", algorithms[_i].name);
    ck_assert_ptr_nonnull(strstr(loot.body, signature));
}
END_TEST

START_TEST(a_node_that_was_there_before_the_watcher_is_found_too)
{
    use_algorithm(_i);
    join(&owner);
    enrol(&owner, "a");
    enrol(&owner, "b");
    listen(&watcher);
    expect_view(&watcher, "a 10.0.0.1:80; b 10.0.0.1:80");
    ck_assert_uint_eq(refused_by(&watcher), 0);
}
END_TEST

static void expect_ignored(const char *words)
{
    char line[128];
    uint64_t before = refused_by(&watcher);
    expect_view(&watcher, "");
    ck_assert_uint_gt(refused_by(&watcher), 0);
    EXPECT_FOUND(watcher.discovery, "orders", NULL, "");
    EXPECT_FOUND(watcher.discovery, NULL, NULL, "");
    ck_assert_uint_gt(refused_by(&watcher), before);
    ck_assert_int_eq(watcher.heard.count, 0);
    snprintf(line, sizeof(line), "refusing the record of node a: %s", words);
    ck_assert_msg(log_count(&watcher.log, line) == 1, "\"%s\": %d", line, log_count(&watcher.log, line));
    ck_assert_int_eq(log_count(&watcher.log, "refusing the record of node"), 1);
    ck_assert_uint_eq(scene_stats(watcher.discovery).skipped_records, 0);
    listen(&plain);
    expect_view(&plain, "a 10.0.0.1:80");
}

/* To the registry it is a node like any other: the view is whole without believing in it. */
START_TEST(a_node_that_nobody_trusted_signed_is_ignored_counted_and_told_once)
{
    static const char *const words[] = {"it is not signed", "its signature is wrong",
                                        "it is signed by a key that is not trusted",
                                        "it is signed by a key that is not trusted"};
    if (_i == 0)
        owner.options.signing_key = NULL;
    else
        signs_by(&owner, _i == 1 ? private_key(1, "k") : _i == 2 ? private_key(0, "other") : shared_key(0, "k"));
    listen(&watcher);
    join(&owner);
    enrol(&owner, "a");
    expect_ignored(words[_i]);
}
END_TEST

START_TEST(a_node_of_the_original_is_ignored)
{
    listen(&watcher);
    listen(&plain);
    scene_tell_original("NODE_REGISTERED", "a", "10.0.0.1:80", "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]");
    AWAIT(&scene.world, strcmp(view_of(&plain), "a 10.0.0.1:80") == 0);
    expect_view(&watcher, "");
    EXPECT_FOUND(watcher.discovery, "orders", NULL, "");
    ck_assert_int_eq(watcher.heard.count, 0);
    /* Its beats are no news, and no reason to ask Redis each time. */
    long long before = scene_calls("evalsha");
    for (int i = 0; i < 20; i++)
        scene_tell_original("NODE_UPDATED", "a", "10.0.0.1:80", "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]");
    catch_up(&watcher);
    expect_view(&watcher, "");
    ck_assert_int_lt((int)(scene_calls("evalsha") - before), 20);
}
END_TEST

/* Nobody has entered it yet, so it is met at its own key; and one that has left is there no more. */
START_TEST(a_lookup_alone_ignores_the_original_too)
{
    join(&watcher);
    join(&owner);
    enrol(&owner, "b");
    scene_store_original("a", "10.0.0.1:80", "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]");
    EXPECT_FOUND(watcher.discovery, "orders", NULL, "b " WEB);
    ck_assert_uint_eq(refused_by(&watcher), 1);
    ck_assert_int_eq(log_count(&watcher.log, "refusing the record of node a: it is not signed"), 1);
    server_expect(&scene.server, "1", "DEL %s", PREFIX ":nodes:a");
    EXPECT_FOUND(watcher.discovery, "orders", NULL, "b " WEB);
    ck_assert_uint_eq(refused_by(&watcher), 1);
    ck_assert_uint_eq(scene_stats(watcher.discovery).skipped_records, 0);
}
END_TEST

START_TEST(keys_are_rotated_without_a_gap)
{
    trusts(&watcher, public_key(1, "new", NULL));
    listen(&watcher);
    join(&owner);
    enrol(&owner, "a");
    enrol(&owner, "b");
    expect_view(&watcher, "a 10.0.0.1:80; b 10.0.0.1:80");
    struct party next = owner;
    signs_by(&next, private_key(1, "new"));
    let_the_clock_go_on();
    join(&next);
    enrol(&next, "a");
    AWAIT(&scene.world, strstr(steal("a").body, ":new:") != NULL);
    expect_view(&watcher, "a 10.0.0.1:80; b 10.0.0.1:80");
    ck_assert_uint_eq(refused_by(&watcher), 0);
    netron_discovery_free(next.discovery);
    /* Who trusts the new one alone knows those that have moved on. */
    set_up(&plain);
    trusts(&plain, public_key(1, "new", NULL));
    listen(&plain);
    expect_view(&plain, "a 10.0.0.1:80");
}
END_TEST

static int key_of_node(const char *node_id, const char *key_id, netron_signature_key *key, void *arg)
{
    ck_assert_str_eq(key_id, "own");
    ck_assert_ptr_eq(arg, &watcher);
    *key = public_key(strcmp(node_id, "a") == 0 ? 0 : 1, "own", NULL);
    return 1;
}

START_TEST(each_node_has_its_own_key)
{
    watcher.options.trusted_key_count = 0;
    if (_i == 0) {
        trusts(&watcher, public_key(0, "own", "a"));
        trusts(&watcher, public_key(1, "own", "b*"));
    } else {
        watcher.options.trusted_keys = NULL;
        watcher.options.trusted_key = key_of_node;
        watcher.options.trusted_key_arg = &watcher;
    }
    listen(&watcher);
    signs_by(&owner, private_key(0, "own"));
    join(&owner);
    enrol(&owner, "a");
    enrol(&owner, "b1"); /* by the key of a */
    expect_view(&watcher, "a 10.0.0.1:80");
    ck_assert_uint_eq(refused_by(&watcher), 1);
    struct party other = owner;
    signs_by(&other, private_key(1, "own"));
    join(&other);
    enrol(&other, "b2");
    expect_view(&watcher, "a 10.0.0.1:80; b2 10.0.0.1:80");
    netron_discovery_free(other.discovery);
}
END_TEST

/* ---- its life ---- */

static void on_change(struct done_recorder *done)
{
    AWAIT(&scene.world, done->calls > 0);
    ck_assert_int_eq(done->code, 0);
    *done = (struct done_recorder){0};
    catch_up(&watcher);
}

START_TEST(every_update_is_signed_anew)
{
    static const netron_metadata metadata[] = {{"b", "2"}, {"a", "\"quoted\" \\ ä"}};
    static const netron_service services[] = {{"mail", NULL}, {"orders", "2.0.0"}};
    struct done_recorder done = {0};
    listen(&watcher);
    join(&owner);
    netron_registration *registration = enrol(&owner, "a");
    ck_assert_int_eq(netron_registration_update_address(registration, "10.0.0.2:80", record_done, &done), 0);
    on_change(&done);
    ck_assert_int_eq(netron_registration_update_services(registration, services, 2, record_done, &done), 0);
    on_change(&done);
    ck_assert_str_eq(latest_of(&watcher), "NODE_UPDATED a 10.0.0.2:80 mail orders@2.0.0");
    ck_assert_int_eq(netron_registration_update_weight(registration, 7, record_done, &done), 0);
    on_change(&done);
    ck_assert_int_eq(netron_registration_update_metadata(registration, metadata, 2, record_done, &done), 0);
    on_change(&done);
    ck_assert_int_eq(
        netron_registration_update_state(registration, NETRON_NODE_MAINTENANCE, "new disk", record_done, &done), 0);
    on_change(&done);
    ck_assert_int_eq(netron_registration_drain(registration, 1000, record_done, &done), 0);
    AWAIT(&scene.world, watcher.heard.count == 7);
    const netron_snapshot *snapshot = netron_view_node(watcher.discovery, "a");
    ck_assert_uint_eq(snapshot->count, 1);
    ck_assert_int_eq(snapshot->nodes[0]->state, NETRON_NODE_DRAINING);
    ck_assert_uint_eq(snapshot->nodes[0]->weight, 7);
    ck_assert_str_eq(snapshot->nodes[0]->metadata[0].value, "\"quoted\" \\ ä");
    netron_snapshot_release(snapshot);
    on_change(&done);
    ck_assert_str_eq(latest_of(&watcher), "NODE_DEREGISTERED a 10.0.0.2:80 mail orders@2.0.0 (shutdown)");
    ck_assert_uint_eq(refused_by(&watcher), 0);
}
END_TEST

START_TEST(beats_and_repairs_keep_the_signature)
{
    listen(&watcher);
    join(&owner);
    enrol(&owner, "a");
    const struct loot first = steal("a");
    AWAIT(&scene.world, strcmp(steal("a").body, first.body) != 0); /* signed once more, and that is all */
    const struct loot before = steal("a");
    server_expect(&scene.server, "1", "HDEL %s a", PREFIX ":records");
    uint64_t registers = scene_stats(owner.discovery).registers;
    AWAIT(&scene.world, scene_stats(owner.discovery).registers > registers + 1);
    ck_assert_str_eq(steal("a").body, before.body);
    expect_view(&watcher, "a 10.0.0.1:80");
    ck_assert_int_eq(watcher.heard.count, 1); /* nothing has changed for anybody */
    ck_assert_uint_eq(refused_by(&watcher), 0);
}
END_TEST

START_TEST(a_node_comes_back_after_a_flush)
{
    struct state_recorder states = {0};
    listen(&watcher);
    join(&owner);
    netron_service services[2];
    netron_node node = make_node("a", "10.0.0.1:80", services, "orders", "1.0.0", NULL, NULL);
    ck_assert_int_eq(netron_register(owner.discovery, &node, record_state, &states, NULL), 0);
    AWAIT(&scene.world, latest_state(&states) == NETRON_REGISTERED);
    server_expect(&scene.server, "OK", "FLUSHALL");
    AWAIT(&scene.world, states.count == 3 && latest_state(&states) == NETRON_REGISTERED);
    expect_view(&watcher, "a 10.0.0.1:80");
    ck_assert_int_eq(watcher.heard.count, 1);
    ck_assert_uint_eq(refused_by(&watcher), 0);
}
END_TEST

/* As a silent loop that is stopped: the heartbeat is gone, somebody has told so, and the same record is back. */
START_TEST(a_node_that_expired_is_believed_as_it_was)
{
    listen(&watcher);
    join(&owner);
    enrol(&owner, "a");
    catch_up(&watcher);
    const struct loot loot = steal("a");
    redisReply *reply = server_ask(&scene.server, "EVAL %s 1 %s a %s %s", netron_script_source_deregister.text,
                                   PREFIX ":registry", loot.incarnation, PREFIX ":events");
    freeReplyObject(reply);
    AWAIT(&scene.world, watcher.heard.count == 3);
    ck_assert_str_eq(watcher.heard.events[1].text, "NODE_DEREGISTERED a " WEB " (shutdown)");
    ck_assert_str_eq(watcher.heard.events[2].text, "NODE_REGISTERED a " WEB);
    expect_view(&watcher, "a 10.0.0.1:80");
    ck_assert_uint_eq(refused_by(&watcher), 0);
}
END_TEST

START_TEST(the_next_process_takes_the_place_of_the_last)
{
    listen(&watcher);
    join(&owner);
    enrol(&owner, "a");
    struct party next = owner;
    let_the_clock_go_on();
    join(&next);
    scene_enrol(next.discovery, "a", "10.0.0.2:80", "orders", "1.0.0", NULL, NULL);
    expect_view(&watcher, "a 10.0.0.2:80");
    netron_discovery_free(owner.discovery);
    owner = next;
    ck_assert_uint_eq(refused_by(&watcher), 0);
}
END_TEST

/* The clock of the last one was a day ahead of ours. */
START_TEST(a_clock_that_was_set_back_is_made_up_for_by_the_record_that_is_there)
{
    const uint64_t tomorrow = (uint64_t)time(NULL) * 1000 + 86400000;
    struct done_recorder done = {0};
    const struct loot last = forge(&owner.signing, PREFIX, "a", "10.0.0.9:80", "00000000000000aa", tomorrow);
    listen(&watcher);
    plant("a", &last);
    expect_view(&watcher, "a 10.0.0.9:80");
    join(&owner);
    netron_registration *registration = enrol(&owner, "a");
    AWAIT(&scene.world, strcmp(view_of(&watcher), "a 10.0.0.1:80") == 0);
    char sequence[64];
    snprintf(sequence, sizeof(sequence), "\"sequence\":%llu,", (unsigned long long)tomorrow + 1);
    ck_assert_ptr_nonnull(strstr(steal("a").body, sequence));
    ck_assert_int_eq(netron_registration_update_address(registration, "10.0.0.2:80", record_done, &done), 0);
    on_change(&done);
    expect_view(&watcher, "a 10.0.0.2:80");
}
END_TEST

/* The answer to the first register tells of the last process' record, and by then something else is wanted. */
START_TEST(an_update_that_comes_before_the_first_answer_is_signed_behind_the_last_record_as_well)
{
    const uint64_t tomorrow = (uint64_t)time(NULL) * 1000 + 86400000;
    const struct loot last = forge(&owner.signing, PREFIX, "a", "10.0.0.9:80", "00000000000000aa", tomorrow);
    netron_service services[2];
    netron_node node = make_node("a", "10.0.0.1:80", services, "orders", "1.0.0", NULL, NULL);
    netron_registration *registration = NULL;
    struct done_recorder done = {0};
    listen(&watcher);
    plant("a", &last);
    expect_view(&watcher, "a 10.0.0.9:80");
    join(&owner);
    ck_assert_int_eq(netron_register(owner.discovery, &node, NULL, NULL, &registration), 0);
    for (unsigned i = 0; scene_stats(owner.discovery).registers == 0; i++) {
        char address[32];
        snprintf(address, sizeof(address), "10.0.1.%u:80", 1 + i % 200);
        ck_assert_int_eq(netron_registration_update_address(registration, address, NULL, NULL), 0);
        reactor_turn(scene.world.reactor, 1);
    }
    ck_assert_int_eq(netron_registration_update_address(registration, "10.0.0.2:80", record_done, &done), 0);
    on_change(&done);
    AWAIT(&scene.world, strcmp(view_of(&watcher), "a 10.0.0.2:80") == 0);
}
END_TEST

/* A high sequence that nobody signed must not drive a node's own into the future. */
START_TEST(a_sequence_that_is_not_signed_is_not_followed)
{
    const uint64_t tomorrow = (uint64_t)time(NULL) * 1000 + 86400000;
    netron_signature_key stranger = private_key(2, "k");
    struct loot last = forge(&stranger, PREFIX, "a", "10.0.0.9:80", "00000000000000aa", tomorrow);
    if (_i == 1)
        strcpy(last.body, "{\"nodeId\":\"a\",\"signature\":7}");
    if (_i == 2)
        strcpy(last.body, "{\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":[],\"signature\":\"\"}");
    listen(&watcher);
    plant("a", &last);
    join(&owner);
    enrol(&owner, "a");
    expect_view(&watcher, "a 10.0.0.1:80");
    const struct loot loot = steal("a");
    const char *sequence = strstr(loot.body, "\"sequence\":");
    ck_assert_ptr_nonnull(sequence);
    ck_assert_uint_lt(strtoull(sequence + strlen("\"sequence\":"), NULL, 10), tomorrow);
}
END_TEST

/* ---- a clock that was ahead, and nobody who says so ---- */

static uint64_t in_ms(uint64_t ms)
{
    return (uint64_t)time(NULL) * 1000 + ms;
}

/* The keys are being rotated: the last process signed by one that watchers trust, and nodes do not know. */
START_TEST(who_replaced_a_record_by_an_unknown_key_is_believed_when_the_clock_has_come_further)
{
    netron_signature_key old = private_key(1, "old");
    const struct loot last = forge(&old, PREFIX, "a", "10.0.0.9:80", "00000000000000aa", in_ms(3000));
    trusts(&watcher, public_key(1, "old", NULL));
    listen(&watcher);
    plant("a", &last);
    expect_view(&watcher, "a 10.0.0.9:80");
    join(&owner);
    enrol(&owner, "a");
    AWAIT(&scene.world, strcmp(view_of(&watcher), "a 10.0.0.1:80") == 0);
}
END_TEST

/* And the last one has left, so there is nothing that it could be told by. */
START_TEST(who_follows_one_that_left_is_believed_when_the_clock_has_come_further)
{
    const struct loot last = forge(&owner.signing, PREFIX, "a", "10.0.0.9:80", "00000000000000aa", in_ms(1500));
    owner.options.heartbeat_interval_ms = 200;
    listen(&watcher);
    plant("a", &last);
    expect_view(&watcher, "a 10.0.0.9:80");
    redisReply *reply = server_ask(&scene.server, "EVAL %s 1 %s a %s %s", netron_script_source_deregister.text,
                                   PREFIX ":registry", last.incarnation, PREFIX ":events");
    freeReplyObject(reply);
    expect_view(&watcher, "");
    join(&owner);
    enrol(&owner, "a");
    AWAIT(&scene.world, strcmp(view_of(&watcher), "a 10.0.0.1:80") == 0);
}
END_TEST

/* Somebody who may sign for one node alone, and drives it to where nothing can follow, or far ahead. */
START_TEST(a_record_from_the_future_is_followed_by_its_own_node_alone)
{
    const uint64_t sequence = _i == 0 ? UINT64_C(1) << 53 : in_ms(86400000);
    netron_signature_key guest = private_key(1, "guest");
    const struct loot last = forge(&guest, PREFIX, "a", "10.0.0.9:80", "00000000000000aa", sequence);
    trusts(&owner, public_key(1, "guest", "a"));
    trusts(&watcher, public_key(1, "guest", "a"));
    listen(&watcher);
    plant("a", &last);
    expect_view(&watcher, "a 10.0.0.9:80");
    join(&owner);
    enrol(&owner, "a");
    if (_i == 1)
        AWAIT(&scene.world, strcmp(view_of(&watcher), "a 10.0.0.1:80") == 0);
    enrol(&owner, "b");
    AWAIT(&scene.world, strstr(view_of(&watcher), "b 10.0.0.1:80") != NULL);
    const struct loot loot = steal("b");
    const char *member = strstr(loot.body, "\"sequence\":");
    ck_assert_ptr_nonnull(member);
    ck_assert_uint_lt(strtoull(member + strlen("\"sequence\":"), NULL, 10), in_ms(80000000));
}
END_TEST

/* ---- more than a page ---- */

START_TEST(many_nodes_are_fetched_in_small_pages)
{
    char id[16];
    enum { MANY = 200 };
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "n%03d", i);
        const struct loot loot = forge(&owner.signing, PREFIX, id, "10.0.0.1:80", "00000000000000aa", NOW);
        plant(id, &loot);
    }
    long long before = scene_calls("hscan");
    listen(&watcher);
    catch_up(&watcher);
    ck_assert_uint_eq(status_of(&watcher).node_count, MANY);
    ck_assert_int_ge((int)(scene_calls("hscan") - before), MANY / 64);
    struct nodes_recorder found = {0};
    before = scene_calls("mget");
    ck_assert_int_eq(netron_find_nodes_by_service(watcher.discovery, "orders", NULL, record_nodes, &found), 0);
    AWAIT(&scene.world, found.calls > 0);
    ck_assert_uint_eq(found.count, MANY);
    ck_assert_int_eq((int)(scene_calls("mget") - before), (MANY + 63) / 64);
    ck_assert_uint_eq(refused_by(&watcher), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("signed");
    TCase *tcase = scene_case(suite, "trust");
    tcase_add_checked_fixture(tcase, open_parties, close_parties);
    tcase_add_loop_test(tcase, a_signed_node_is_found_by_every_way, 0, 2);
    tcase_add_loop_test(tcase, a_node_that_was_there_before_the_watcher_is_found_too, 0, 2);
    tcase_add_loop_test(tcase, a_node_that_nobody_trusted_signed_is_ignored_counted_and_told_once, 0, 4);
    tcase_add_test(tcase, a_node_of_the_original_is_ignored);
    tcase_add_test(tcase, a_lookup_alone_ignores_the_original_too);
    tcase_add_test(tcase, keys_are_rotated_without_a_gap);
    tcase_add_loop_test(tcase, each_node_has_its_own_key, 0, 2);
    tcase = scene_case(suite, "life");
    tcase_add_checked_fixture(tcase, open_parties, close_parties);
    tcase_add_test(tcase, every_update_is_signed_anew);
    tcase_add_test(tcase, beats_and_repairs_keep_the_signature);
    tcase_add_test(tcase, a_node_comes_back_after_a_flush);
    tcase_add_test(tcase, a_node_that_expired_is_believed_as_it_was);
    tcase_add_test(tcase, the_next_process_takes_the_place_of_the_last);
    tcase_add_test(tcase, a_clock_that_was_set_back_is_made_up_for_by_the_record_that_is_there);
    tcase_add_test(tcase, an_update_that_comes_before_the_first_answer_is_signed_behind_the_last_record_as_well);
    tcase_add_loop_test(tcase, a_sequence_that_is_not_signed_is_not_followed, 0, 3);
    tcase_add_test(tcase, who_replaced_a_record_by_an_unknown_key_is_believed_when_the_clock_has_come_further);
    tcase_add_test(tcase, who_follows_one_that_left_is_believed_when_the_clock_has_come_further);
    tcase_add_loop_test(tcase, a_record_from_the_future_is_followed_by_its_own_node_alone, 0, 2);
    tcase_add_test(tcase, many_nodes_are_fetched_in_small_pages);
    return suite_run(suite);
}
