/* SPDX-License-Identifier: MIT */
/* The script reconcile called directly: who is adopted, who expires and when, and that each is told exactly once. */
#include "view_scripts.h"

#define WEB "[{\"name\":\"web\",\"version\":\"1.0.0\"}]"

/* ---- nodes that are alive ---- */

START_TEST(nothing_at_all_is_nothing_to_do)
{
    struct outcome outcome = reconcile(&usual_look);
    expect_outcome(outcome, 0, 0, 0);
    ck_assert_int_eq(outcome.wait, -1);
    ck_assert_int_eq(outcome.nodes, 0);
    server_expect(&server, "0", "DBSIZE");
}
END_TEST

START_TEST(a_live_node_that_is_due_is_looked_at_again_when_its_heartbeat_ends)
{
    registers("aaaa", "0123456789abcdef", "take-over", "registered", 1);
    published();
    server_integer(&server, "PEXPIRE " P ":heartbeat:aaaa 7000");
    ck_assert_int_gt(reconcile(&usual_look).wait, 14000); /* not due yet: a beat does not touch the wheel */
    server_integer(&server, "ZADD " P ":expiry 1 aaaa");
    struct outcome outcome = reconcile(&usual_look);
    expect_outcome(outcome, 0, 0, 0);
    ck_assert_int_gt(outcome.wait, 6000);
    ck_assert_int_le(outcome.wait, 7000);
    ck_assert_int_eq(outcome.nodes, 1);
    ck_assert_int_eq(registry_revision(), 1);
    ck_assert_str_eq(published(), "");
    server_integer(&server, "PERSIST " P ":heartbeat:aaaa");
    server_integer(&server, "ZADD " P ":expiry 1 aaaa");
    outcome = reconcile(&usual_look); /* a heartbeat without an end says alive, and is looked at soon */
    ck_assert_int_gt(outcome.wait, 0);
    ck_assert_int_le(outcome.wait, 1000);
    assert_bookkeeping();
}
END_TEST

START_TEST(a_node_of_the_original_is_adopted_and_told_once)
{
    store_original("ref", "10.0.0.9:1", WEB);
    struct outcome outcome = reconcile(&usual_look);
    expect_outcome(outcome, 0, 1, 0);
    ck_assert_int_gt(outcome.wait, 14000);
    ck_assert_int_le(outcome.wait, 15000);
    ck_assert_int_eq(outcome.nodes, 1);
    ck_assert_str_eq(published(), "REGISTERED ref 10.0.0.9:1 1");
    server_expect(&server, "1", "SISMEMBER " P ":index:service:web ref");
    assert_bookkeeping();
    expect_outcome(reconcile(&usual_look), 0, 0, 0);
    expect_outcome(reconcile_id("ref"), 0, 0, 0);
    ck_assert_str_eq(published(), "");
    ck_assert_int_eq(registry_revision(), 1);
    char record[1024];
    struct netron_record parsed;
    struct netron_failure why;
    server_text(&server, record, sizeof(record), "HGET " P ":records ref");
    ck_assert_int_eq(netron_record_parse(record, strlen(record), "ref", &parsed, &why), 0);
    ck_assert_str_eq(parsed.node->address, "10.0.0.9:1");
    ck_assert_str_eq(parsed.node->services[0].version, "1.0.0");
    ck_assert_str_eq(parsed.incarnation, "1");
    netron_record_clear(&parsed);
}
END_TEST

START_TEST(a_change_that_the_original_made_is_adopted_when_somebody_looks)
{
    store_original("ref", "10.0.0.9:1", WEB);
    reconcile(&usual_look);
    published();
    store_original("ref", "10.0.0.9:2", "[{\"name\":\"mail\"}]");
    expect_outcome(reconcile(&usual_look), 0, 0, 0); /* it is not due */
    expect_outcome(reconcile_id("ref"), 0, 1, 0);
    ck_assert_str_eq(published(), "UPDATED ref 10.0.0.9:2 2");
    server_expect(&server, "0", "EXISTS " P ":index:service:web");
    server_expect(&server, "1", "SISMEMBER " P ":index:service:mail ref");
    assert_bookkeeping();
}
END_TEST

START_TEST(a_node_that_another_kind_of_process_takes_over_is_an_update)
{
    registers("a", "0123456789abcdef", "take-over", "registered", 1);
    published();
    store_original("a", "10.0.0.9:1", WEB);
    expect_outcome(reconcile_id("a"), 0, 1, 0);
    ck_assert_str_eq(published(), "UPDATED a 10.0.0.9:1 2");
    server_expect(&server, "0", "EXISTS " P ":index:service:mail");
    assert_bookkeeping();
    registers("a", "0123456789abcdef", "take-over", "updated", 3);
    ck_assert_str_eq(published(), "UPDATED a 10.0.0.1:4000 3");
    assert_bookkeeping();
}
END_TEST

/* A lifetime is renewed whenever a live node of the original is looked at: nobody else does it for those. */
START_TEST(a_fleet_of_the_original_keeps_its_bookkeeping_for_as_long_as_it_lives)
{
    static const char *const keys[] = {P ":registry", P ":records", P ":changes", P ":expiry", P ":index:service:web"};
    store_original("ref", "10.0.0.9:1", WEB);
    reconcile(&usual_look);
    for (size_t i = 0; i < COUNT(keys); i++)
        ck_assert_msg(server_integer(&server, "PTTL %s", keys[i]) > 3500000, "%s is not bounded in life", keys[i]);
    for (size_t i = 0; i < COUNT(keys); i++)
        server_expect(&server, "1", "PEXPIRE %s 60000", keys[i]);
    expect_outcome(reconcile_id("ref"), 0, 0, 0);
    for (size_t i = 0; i < COUNT(keys); i++)
        ck_assert_msg(server_integer(&server, "PTTL %s", keys[i]) > 3500000, "%s is not renewed", keys[i]);
    ck_assert_int_eq(registry_revision(), 1);
}
END_TEST

/* Until then a view finds no registry, and after its grace no node. */
START_TEST(a_registry_that_lost_its_numbers_is_born_again_at_the_next_look)
{
    bool is_ours = _i == 1;
    char before[32], after[32];
    if (is_ours)
        registers("a", "0123456789abcdef", "take-over", "registered", 1);
    else
        store_original("a", "h:1", WEB);
    reconcile(&usual_look);
    published();
    server_text(&server, before, sizeof(before), "HGET " P ":registry epoch");
    server_integer(&server, "DEL " P ":registry");
    expect_outcome(reconcile_id("a"), 0, 1, 0);
    ck_assert(server_text(&server, after, sizeof(after), "HGET " P ":registry epoch"));
    ck_assert_str_ne(before, after);
    ck_assert_str_eq(published(), is_ours ? "REGISTERED a 10.0.0.1:4000 1" : "REGISTERED a h:1 1");
    expect_outcome(reconcile_id("a"), 0, 0, 0);
    assert_bookkeeping();
}
END_TEST

START_TEST(a_node_that_became_the_originals_as_the_registry_was_lost_leaves_its_old_services)
{
    registers("a", "0123456789abcdef", "take-over", "registered", 1);
    published();
    server_integer(&server, "DEL " P ":registry");
    store_original("a", "h:1", WEB);
    expect_outcome(reconcile(&usual_look), 0, 1, 0);
    ck_assert_str_eq(published(), "REGISTERED a h:1 1");
    assert_bookkeeping();
}
END_TEST

/* What no reader understands stands in nobody's way, and is looked at again soon. */
static const struct {
    const char *services, *address;
} broken[] = {
    {"", "h:1"},     {"no JSON", "h:1"}, {"{}", "h:1"}, {"[", "h:1"},   {"\"text\"", "h:1"},
    {"[1,2", "h:1"}, {"null", "h:1"},    {"17", "h:1"}, {" []", "h:1"}, {"[] trailing", "h:1"},
};

START_TEST(a_live_node_with_broken_services_is_not_adopted_and_looked_at_again_soon)
{
    registers("b", "0123456789abcdef", "take-over", "registered", 1);
    published();
    store_original("ref", broken[_i].address, broken[_i].services);
    struct outcome outcome = reconcile(&usual_look);
    expect_outcome(outcome, 0, 0, 0);
    ck_assert_int_le(outcome.wait, 1000);
    ck_assert_int_ge(outcome.wait, 0);
    ck_assert_str_eq(published(), "");
    assert_bookkeeping();
    store_original("ref", "h:1", WEB);
    expect_outcome(reconcile_id("ref"), 0, 1, 0);
    ck_assert_str_eq(published(), "REGISTERED ref h:1 2");
}
END_TEST

START_TEST(a_live_node_without_a_hash_or_with_something_else_there_waits_for_its_owner)
{
    static const char *const commands[] = {"DEL " P ":nodes:ref", "HDEL " P ":nodes:ref address",
                                           "HDEL " P ":nodes:ref services", "SET " P ":nodes:ref x"};
    store_original("ref", "h:1", WEB);
    freeReplyObject(server_ask(&server, commands[_i]));
    struct outcome outcome = reconcile(&usual_look);
    expect_outcome(outcome, 0, 0, 0);
    ck_assert_int_ge(outcome.wait, 0);
    ck_assert_int_le(outcome.wait, 1000);
    ck_assert_str_eq(published(), "");
}
END_TEST

START_TEST(odd_owners_become_incarnations_that_readers_accept)
{
    static const char *const owners[] = {"1", "a b", "\xc3\xa9\xff", "", "{\"x\":1}", "12345678901234567"};
    char record[2048], longest[101];
    struct netron_record parsed;
    struct netron_failure why;
    memset(longest, 'o', 100);
    longest[100] = '\0';
    store_original_with("ref", "h:1", WEB, _i < 6 ? owners[_i] : longest);
    expect_outcome(reconcile(&usual_look), 0, 1, 0);
    ck_assert_str_eq(published(), "REGISTERED ref h:1 1");
    server_text(&server, record, sizeof(record), "HGET " P ":records ref");
    ck_assert_msg(netron_record_parse(record, strlen(record), "ref", &parsed, &why) == 0, "%s: %s", record,
                  why.sentence);
    netron_record_clear(&parsed);
    assert_bookkeeping();
    expect_outcome(reconcile_id("ref"), 0, 0, 0); /* it is known by now */
    ck_assert_str_eq(published(), "");
    let_die("ref");
    expect_outcome(reconcile(&usual_look), 1, 0, 0);
    ck_assert_str_eq(published(), "DEREGISTERED ref h:1 expired 2");
    assert_bookkeeping();
}
END_TEST

START_TEST(pages_of_the_index_bring_every_unadopted_node_in)
{
    enum { NODES = 1500 };
    long long adopted = 0;
    registers("ours", "0123456789abcdef", "take-over", "registered", 1);
    for (int i = 0; i < NODES; i++) {
        char id[16];
        snprintf(id, sizeof(id), "ref-%d", i);
        store_original(id, "h:1", WEB);
    }
    struct look look = usual_look;
    look.limit = 100;
    look.channel = "";
    int looks = 0;
    for (; adopted < NODES; looks++) {
        struct outcome outcome = reconcile(&look);
        ck_assert_int_le(outcome.adopted, 200);
        adopted += outcome.adopted;
        ck_assert_int_lt(looks, 100);
    }
    ck_assert_int_ge(looks, NODES / 200);
    ck_assert_int_eq(reconcile(&look).nodes, NODES + 1);
    ck_assert_int_eq(server_integer(&server, "SCARD " P ":index:service:web"), NODES);
    ck_assert_int_eq(registry_revision(), NODES + 1);
    assert_bookkeeping();
}
END_TEST

/* ---- nodes that are dead ---- */

START_TEST(a_dead_node_is_removed_and_told_once_however_many_look)
{
    registers("a", "0123456789abcdef", "take-over", "registered", 1);
    registers("b", "0123456789abcdee", "take-over", "registered", 2);
    spy_clear(&spy);
    let_die("a");
    expect_outcome(reconcile(&usual_look), 1, 0, 0);
    expect_outcome(reconcile(&usual_look), 0, 0, 0);
    expect_outcome(reconcile_id("a"), 0, 0, 0);
    ck_assert_str_eq(published(), "DEREGISTERED a 10.0.0.1:4000 expired 3");
    server_expect(&server, "3", "ZSCORE " P ":changes a");
    server_expect(&server, "0", "EXISTS " P ":nodes:a");
    server_expect(&server, "0", "SISMEMBER " P ":index:nodes a");
    server_expect(&server, "0", "SISMEMBER " P ":index:service:users a");
    server_expect(&server, "1", "SISMEMBER " P ":index:service:users b");
    server_expect(&server, "(nil)", "ZSCORE " P ":expiry a");
    assert_bookkeeping();
}
END_TEST

START_TEST(a_node_whose_record_was_lost_leaves_its_services_as_well)
{
    registers("a", "0123456789abcdef", "take-over", "registered", 1);
    registers("b", "0123456789abcdee", "take-over", "registered", 2);
    server_expect(&server, "1", "HDEL " P ":records a");
    if (_i == 0) {
        let_die("a");
        reconcile(&usual_look);
    } else {
        deregisters("a", "0123456789abcdef", "gone", 0);
    }
    server_expect(&server, "0", "SISMEMBER " P ":index:service:users a");
    server_expect(&server, "0", "SISMEMBER " P ":index:service:mail a");
    server_expect(&server, "1", "SISMEMBER " P ":index:service:users b");
}
END_TEST

START_TEST(a_node_that_came_back_in_time_does_not_die)
{
    registers("a", "0123456789abcdef", "take-over", "registered", 1);
    spy_clear(&spy);
    let_die("a");
    registers("a", "0123456789abcdef", "renew", "unchanged", 1);
    expect_outcome(reconcile_id("a"), 0, 0, 0);
    ck_assert_str_eq(published(), "");
}
END_TEST

START_TEST(a_node_of_the_original_that_took_its_keys_away_is_told_as_shut_down)
{
    bool is_crash = _i == 1;
    store_original("ref", "h:1", WEB);
    reconcile(&usual_look);
    published();
    server_integer(&server, "DEL " P ":heartbeat:ref " P ":nodes:ref");
    if (!is_crash)
        server_integer(&server, "SREM " P ":index:nodes ref");
    expect_outcome(reconcile_id("ref"), 1, 0, 0);
    ck_assert_str_eq(published(), is_crash ? "DEREGISTERED ref h:1 expired 2" : "DEREGISTERED ref h:1 shutdown 2");
    assert_bookkeeping();
    server_expect(&server, "0", "EXISTS " P ":index:service:web");
}
END_TEST

START_TEST(a_node_of_ours_whose_keys_were_deleted_has_expired)
{
    registers("a", "0123456789abcdef", "take-over", "registered", 1);
    spy_clear(&spy);
    server_integer(&server, "DEL " P ":heartbeat:a " P ":nodes:a");
    server_integer(&server, "SREM " P ":index:nodes a");
    expect_outcome(reconcile_id("a"), 1, 0, 0);
    ck_assert_str_eq(published(), "DEREGISTERED a 10.0.0.1:4000 expired 2");
}
END_TEST

START_TEST(who_publishes_nothing_leaves_the_work_to_those_who_do)
{
    struct look silent = usual_look;
    silent.channel = "";
    registers("a", "0123456789abcdef", "take-over", "registered", 1);
    reconcile(&usual_look);
    let_die("a");
    struct outcome outcome = reconcile(&silent);
    expect_outcome(outcome, 0, 0, 0);
    ck_assert_int_eq(outcome.wait, -1); /* nothing is due for those who do nothing */
    server_integer(&server, "HSET " P ":registry watched_at 1");
    expect_outcome(reconcile(&silent), 1, 0, 0);
    assert_bookkeeping();
}
END_TEST

START_TEST(whoever_may_not_judge_lets_nothing_expire_and_changes_nothing)
{
    struct look look = usual_look;
    look.connected = 0;
    registers("a", "0123456789abcdef", "take-over", "registered", 1);
    store_original("ref", "h:1", WEB);
    reconcile(&usual_look);
    spy_clear(&spy);
    let_die("a");
    let_die("ref");
    struct outcome outcome = reconcile(&look);
    expect_outcome(outcome, 0, 0, 0);
    ck_assert_int_eq(outcome.unjudged, 2);
    ck_assert_int_gt(outcome.wait, 14000);          /* until it may */
    ck_assert_int_eq(reconcile(&look).unjudged, 0); /* and until then they are not looked at in vain */
    store_original("new", "h:2", WEB);              /* but it may adopt */
    expect_outcome(reconcile(&look), 0, 1, 0);
    ck_assert_str_eq(published(), "REGISTERED new h:2 3");
    expect_outcome(reconcile(&usual_look), 2, 0, 0);
    ck_assert_int_eq(registry_revision(), 5);
    assert_bookkeeping();
}
END_TEST

/* The node's TTL, how long the look was held up, and whether it may still judge. */
static const struct {
    long long ttl, late_by;
    bool judges;
} holdups[] = {
    {15000, 900, true}, {15000, 1100, false}, {3000, 650, true},   {3000, 800, false}, {1000, 150, true},
    {1000, 300, false}, {4000, 900, true},    {4000, 1100, false}, {3, 150, true}, /* no TTL of ours: what it can do is
                                                                                      not to be kept for ever */
};

START_TEST(a_look_that_was_held_up_with_the_beats_lets_nothing_expire)
{
    struct look look = usual_look;
    struct call call = call_of("a", "0123456789abcdef", "take-over");
    look.late_by = holdups[_i].late_by;
    call.ttl = holdups[_i].ttl;
    assert_registers(&call, "registered", 1);
    let_die("a");
    struct outcome outcome = reconcile(&look);
    expect_outcome(outcome, holdups[_i].judges, 0, 0);
    ck_assert_int_eq(outcome.unjudged, !holdups[_i].judges);
    expect_outcome(reconcile(&usual_look), !holdups[_i].judges, 0, 0); /* the next one that is not */
    assert_bookkeeping();
}
END_TEST

START_TEST(who_comes_back_while_nobody_may_judge_is_not_judged_any_more)
{
    bool is_ours = _i == 1;
    struct look look = usual_look;
    look.connected = 0;
    if (is_ours)
        registers("a", "0123456789abcdef", "take-over", "registered", 1);
    else
        store_original("a", "h:1", WEB);
    reconcile(&usual_look);
    let_die("a");
    ck_assert_int_eq(reconcile(&look).unjudged, 1);
    if (is_ours)
        registers("a", "0123456789abcdef", "renew", "unchanged", 1);
    else
        store_original("a", "h:1", WEB);
    struct outcome outcome = reconcile(&usual_look);
    expect_outcome(outcome, 0, 0, 0);
    ck_assert_int_gt(outcome.wait, 14000); /* it is looked at like any other */
    ck_assert_int_eq(registry_revision(), 1);
    assert_bookkeeping();
}
END_TEST

/* So that a janitor notices that nobody's heartbeat is renewed; also one that publishes nothing, and leaves the work to
 * those that do. */
START_TEST(a_look_fails_where_nothing_can_be_written_also_when_nothing_is_to_be)
{
    const char *channel = _i == 0 ? CHANNEL : "";
    registers("a", "0123456789abcdef", "take-over", "registered", 1);
    expect_outcome(reconcile(&usual_look), 0, 0, 0);
    server_expect(&server, "OK", "CONFIG SET min-replicas-to-write 1");
    redisReply *reply = server_ask(&server, "EVALSHA %s 1 %s 512 %s 86400000 5 15 15000 %s",
                                   netron_script_source_reconcile.sha1, P ":registry", channel, "");
    server_expect(&server, "OK", "CONFIG SET min-replicas-to-write 0");
    ck_assert_int_eq(reply->type, REDIS_REPLY_ERROR);
    ck_assert_ptr_nonnull(strstr(reply->str, "NOREPLICAS"));
    freeReplyObject(reply);
}
END_TEST

START_TEST(a_look_is_whole_where_memory_is_short)
{
    registers("a", "0123456789abcdef", "take-over", "registered", 1);
    registers("b", "0123456789abcdee", "take-over", "registered", 2);
    store_original("ref", "h:1", WEB);
    let_die("a");
    server_integer(&server, "ZADD " P ":expiry 1 b");
    server_expect(&server, "OK", "CONFIG SET maxmemory 1");
    struct outcome outcome = reconcile(&usual_look);
    server_expect(&server, "OK", "CONFIG SET maxmemory 0");
    expect_outcome(outcome, 1, 1, 0);
    ck_assert_int_gt(outcome.wait, 14000); /* b as well is looked at when its heartbeat ends */
    ck_assert_int_eq(registry_revision(), 4);
    assert_bookkeeping();
}
END_TEST

/* An explicit deregistration is always told at once: it is no guess. */
START_TEST(whoever_may_not_judge_still_tells_that_a_node_of_the_original_left)
{
    struct look look = usual_look;
    look.connected = 0;
    look.ids[0] = "ref";
    store_original("ref", "h:1", WEB);
    reconcile(&usual_look);
    published();
    server_integer(&server, "DEL " P ":heartbeat:ref " P ":nodes:ref");
    server_integer(&server, "SREM " P ":index:nodes ref");
    expect_outcome(reconcile(&look), 1, 0, 0);
    ck_assert_str_eq(published(), "DEREGISTERED ref h:1 shutdown 2");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reconcile");
    TCase *alive = suite_case(suite, "alive");
    tcase_add_unchecked_fixture(alive, start_view_server, stop_server);
    tcase_add_checked_fixture(alive, open_view_registry, close_view_registry);
    tcase_add_test(alive, nothing_at_all_is_nothing_to_do);
    tcase_add_test(alive, a_live_node_that_is_due_is_looked_at_again_when_its_heartbeat_ends);
    tcase_add_test(alive, a_node_of_the_original_is_adopted_and_told_once);
    tcase_add_test(alive, a_change_that_the_original_made_is_adopted_when_somebody_looks);
    tcase_add_test(alive, a_node_that_another_kind_of_process_takes_over_is_an_update);
    tcase_add_test(alive, a_fleet_of_the_original_keeps_its_bookkeeping_for_as_long_as_it_lives);
    tcase_add_loop_test(alive, a_registry_that_lost_its_numbers_is_born_again_at_the_next_look, 0, 2);
    tcase_add_test(alive, a_node_that_became_the_originals_as_the_registry_was_lost_leaves_its_old_services);
    tcase_add_loop_test(alive, a_live_node_with_broken_services_is_not_adopted_and_looked_at_again_soon, 0,
                        COUNT(broken));
    tcase_add_loop_test(alive, a_live_node_without_a_hash_or_with_something_else_there_waits_for_its_owner, 0, 4);
    tcase_add_loop_test(alive, odd_owners_become_incarnations_that_readers_accept, 0, 7);
    tcase_add_test(alive, pages_of_the_index_bring_every_unadopted_node_in);
    TCase *dead = suite_case(suite, "dead");
    tcase_add_unchecked_fixture(dead, start_view_server, stop_server);
    tcase_add_checked_fixture(dead, open_view_registry, close_view_registry);
    tcase_add_test(dead, a_dead_node_is_removed_and_told_once_however_many_look);
    tcase_add_loop_test(dead, a_node_whose_record_was_lost_leaves_its_services_as_well, 0, 2);
    tcase_add_test(dead, a_node_that_came_back_in_time_does_not_die);
    tcase_add_loop_test(dead, a_node_of_the_original_that_took_its_keys_away_is_told_as_shut_down, 0, 2);
    tcase_add_test(dead, a_node_of_ours_whose_keys_were_deleted_has_expired);
    tcase_add_test(dead, who_publishes_nothing_leaves_the_work_to_those_who_do);
    tcase_add_test(dead, whoever_may_not_judge_lets_nothing_expire_and_changes_nothing);
    tcase_add_loop_test(dead, a_look_that_was_held_up_with_the_beats_lets_nothing_expire, 0, COUNT(holdups));
    tcase_add_loop_test(dead, who_comes_back_while_nobody_may_judge_is_not_judged_any_more, 0, 2);
    tcase_add_loop_test(dead, a_look_fails_where_nothing_can_be_written_also_when_nothing_is_to_be, 0, 2);
    tcase_add_test(dead, a_look_is_whole_where_memory_is_short);
    tcase_add_test(dead, whoever_may_not_judge_still_tells_that_a_node_of_the_original_left);
    return suite_run(suite);
}
