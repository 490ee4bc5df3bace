/* SPDX-License-Identifier: MIT */
/* The Lua scripts called directly: policies, numbers, lifetimes, and what they make of a registry in ruins. */
#include "script_calls.h"
#include "spy.h"
#include "suite.h"
#include <stdlib.h>

static struct spy spy;

/* What has to be true of the bookkeeping at any time. */
static void assert_agrees(int nodes)
{
    ck_assert_int_eq(server_integer(&server, "HLEN " P ":records"), nodes);
    ck_assert_int_eq(server_integer(&server, "SCARD " P ":index:nodes"), nodes);
    ck_assert_int_eq(server_integer(&server, "ZCARD " P ":expiry"), nodes);
    ck_assert(digest_is_right(&server));
}

/* ---- policies ---- */

START_TEST(take_over_always_wins)
{
    registers("a", "1111", "take-over", "registered", 1);
    registers("a", "2222", "take-over", "updated", 2);
    server_expect(&server, "2222", "GET " P ":heartbeat:a");
    assert_agrees(1);
}
END_TEST

START_TEST(reject_yields_to_a_live_holder_only)
{
    char record[1024];
    long long remaining = 0;
    struct call second = call_of("a", "2222", "reject");
    registers("a", "1111", "reject", "registered", 1);
    registers("a", "1111", "reject", "unchanged", 1);
    server_text(&server, record, sizeof(record), "HGET " P ":records a");
    second.address = "10.0.0.2:1";
    ck_assert_str_eq(run(&second, &remaining), "held");
    ck_assert(remaining > 10000 && remaining <= 15000);
    server_expect(&server, "1111", "GET " P ":heartbeat:a");
    server_expect(&server, "10.0.0.1:4000", "HGET " P ":nodes:a address");
    server_expect(&server, record, "HGET " P ":records a");
    server_expect(&server, "1", "DEL " P ":heartbeat:a");
    assert_registers(&second, "updated", 2);
    server_expect(&server, "2222", "GET " P ":heartbeat:a");
    assert_agrees(1);
}
END_TEST

START_TEST(renew_takes_what_is_its_own_or_nobodys)
{
    long long remaining = 0;
    struct call second = call_of("a", "2222", "renew");
    registers("a", "1111", "renew", "registered", 1);
    registers("a", "1111", "renew", "unchanged", 1);
    ck_assert_str_eq(run(&second, &remaining), "fenced");
    ck_assert(remaining > 10000 && remaining <= 15000);
    server_expect(&server, "1111", "GET " P ":heartbeat:a");
    server_expect(&server, "1", "DEL " P ":heartbeat:a");
    registers("a", "1111", "renew", "unchanged", 1); /* its heartbeat alone was gone */
    server_expect(&server, "1111", "GET " P ":heartbeat:a");
    assert_agrees(1);
}
END_TEST

START_TEST(unchanged_content_refreshes_lifetimes_and_nothing_else)
{
    char record[1024];
    char timestamp[64];
    registers("a", "1111", "take-over", "registered", 1);
    server_text(&server, record, sizeof(record), "HGET " P ":records a");
    server_text(&server, timestamp, sizeof(timestamp), "HGET " P ":nodes:a timestamp");
    static const char *const keys[] = {
        P ":heartbeat:a",        P ":nodes:a", P ":records", P ":changes", P ":expiry", P ":registry",
        P ":index:service:users"};
    for (size_t i = 0; i < COUNT(keys); i++)
        server_expect(&server, "1", "PEXPIRE %s 5000", keys[i]);
    spy_watch_events(&spy, &server);
    registers("a", "1111", "renew", "unchanged", 1);
    spy_collect(&spy);
    ck_assert_int_eq(spy.count, 0);
    spy_close(&spy);
    server_expect(&server, record, "HGET " P ":records a");
    server_expect(&server, timestamp, "HGET " P ":nodes:a timestamp");
    for (size_t i = 0; i < COUNT(keys); i++)
        ck_assert_int_gt(server_integer(&server, "PTTL %s", keys[i]), i == 0 ? 14000 : i == 1 ? 149000 : 3590000);
    assert_agrees(1);
}
END_TEST

START_TEST(a_change_of_services_moves_the_node_between_the_indexes)
{
    const netron_service next[] = {{"users", "2.0.0"}, {"photos", NULL}};
    struct call call = call_of("a", "1111", "renew");
    assert_registers(&call, "registered", 1);
    call.services = next;
    assert_registers(&call, "updated", 2);
    server_expect(&server, "1", "SISMEMBER " P ":index:service:users a");
    server_expect(&server, "1", "SISMEMBER " P ":index:service:photos a");
    server_expect(&server, "0", "EXISTS " P ":index:service:mail");
    server_expect(&server, "2", "ZSCORE " P ":changes a");
    assert_agrees(1);
}
END_TEST

/* ---- deregister ---- */

START_TEST(deregister_leaves_a_tombstone_and_nothing_else)
{
    registers("a", "1111", "take-over", "registered", 1);
    registers("b", "2222", "take-over", "registered", 2);
    deregisters("a", "1111", "deregistered", 3);
    server_expect(&server, "3", "ZSCORE " P ":changes a");
    server_expect(&server, "2", "ZSCORE " P ":changes b");
    server_expect(&server, "0", "EXISTS " P ":heartbeat:a " P ":nodes:a");
    server_expect(&server, "0", "SISMEMBER " P ":index:service:mail a");
    assert_agrees(1);
    deregisters("b", "2222", "deregistered", 4);
    server_expect(&server, "2", "DBSIZE"); /* registry and changes */
    server_expect(&server, "000000000000", "HGET " P ":registry digest");
    server_expect(&server, "0", "HGET " P ":registry floor");
}
END_TEST

START_TEST(deregister_is_gone_when_there_is_nothing)
{
    deregisters("a", "1111", "gone", 0);
    server_expect(&server, "0", "DBSIZE");
    registers("b", "2222", "take-over", "registered", 1);
    deregisters("a", "1111", "gone", 0);
    server_expect(&server, "1", "HGET " P ":registry revision");
    assert_agrees(1);
}
END_TEST

START_TEST(deregister_without_a_heartbeat_takes_its_own_record_out)
{
    registers("a", "1111", "take-over", "registered", 1);
    server_expect(&server, "1", "DEL " P ":heartbeat:a");
    deregisters("a", "1111", "deregistered", 2);
    assert_agrees(0);
}
END_TEST

START_TEST(deregister_leaves_what_another_process_owns)
{
    long long remaining = 0;
    char record[1024];
    registers("a", "1111", "take-over", "registered", 1);
    registers("a", "2222", "take-over", "updated", 2);
    server_text(&server, record, sizeof(record), "HGET " P ":records a");
    ck_assert_str_eq(run_deregister("a", "1111", &remaining), "fenced");
    ck_assert(remaining > 10000 && remaining <= 15000);
    server_expect(&server, "1", "DEL " P ":heartbeat:a"); /* the other one died */
    deregisters("a", "1111", "gone", 0);
    server_expect(&server, record, "HGET " P ":records a");
    server_expect(&server, "1", "EXISTS " P ":nodes:a");
    server_expect(&server, "2", "HGET " P ":registry revision");
    assert_agrees(1);
}
END_TEST

/* ---- numbers ---- */

START_TEST(the_digest_is_the_sum_of_all_tags_whatever_happened)
{
    enum { IDS = 30, STEPS = 400 };
    static const char *const policies[] = {"take-over", "reject", "renew"};
    long long revision = 0;
    int present[IDS] = {0};
    srand(4711);
    for (int step = 0; step < STEPS; step++) {
        char id[16];
        char incarnation[16];
        long long number = 0;
        int which = rand() % IDS;
        snprintf(id, sizeof(id), "node-%d", which);
        snprintf(incarnation, sizeof(incarnation), "%d", rand() % 3);
        const char *outcome;
        if (rand() % 3 == 0) {
            outcome = run_deregister(id, incarnation, &number);
            present[which] = strcmp(outcome, "deregistered") == 0 ? 0 : present[which];
        } else {
            struct call call = call_of(id, incarnation, policies[rand() % 3]);
            call.count = (size_t)(rand() % 3);
            outcome = run(&call, &number);
            present[which] = 1;
        }
        if (strcmp(outcome, "registered") == 0 || strcmp(outcome, "updated") == 0 ||
            strcmp(outcome, "deregistered") == 0) {
            ck_assert_int_eq(number, ++revision);
            char score[32];
            ck_assert(server_text(&server, score, sizeof(score), "ZSCORE " P ":changes %s", id));
            ck_assert_int_eq(atoll(score), revision);
        }
        if (rand() % 10 == 0) /* it died */
            server_integer(&server, "DEL " P ":heartbeat:node-%d", rand() % IDS);
        if (step % 20 == 0)
            ck_assert(digest_is_right(&server));
    }
    int nodes = 0;
    for (int i = 0; i < IDS; i++)
        nodes += present[i];
    ck_assert_int_gt(nodes, 0);
    assert_agrees(nodes);
    ck_assert_int_gt(revision, STEPS / 4);
}
END_TEST

START_TEST(changes_are_cut_and_the_floor_says_where)
{
    static const char fill[] = "for i = 1, ARGV[1] do redis.call('ZADD', KEYS[1], i, 'old-' .. i) end";
    static const struct {
        int entries;
        const char *left;
        const char *floor;
    } cases[] = {
        {4095, "4097", "0"},   /* a node and 4096 others: as many as are kept */
        {4195, "4097", "99"},  /* a hundred too many: "a" and the first 99 of the others */
        {6000, "5490", "511"}, /* no call cuts more than 512 */
    };
    registers("a", "1111", "take-over", "registered", 1);
    registers("b", "2222", "take-over", "registered", 2);
    freeReplyObject(server_ask(&server, "EVAL %s 1 " P ":changes %d", fill, cases[_i].entries));
    server_integer(&server, "HSET " P ":registry revision %d", cases[_i].entries);
    deregisters("b", "2222", "deregistered", cases[_i].entries + 1);
    server_expect(&server, cases[_i].left, "ZCARD " P ":changes");
    server_expect(&server, cases[_i].floor, "HGET " P ":registry floor");
}
END_TEST

START_TEST(without_its_changes_nobody_may_ask_for_a_delta)
{
    registers("a", "1111", "take-over", "registered", 1);
    registers("b", "2222", "take-over", "registered", 2);
    server_expect(&server, "1", "DEL " P ":changes");
    if (_i == 0) {
        registers("c", "3333", "take-over", "registered", 3);
        server_expect(&server, "3", "ZSCORE " P ":changes c");
    } else {
        deregisters("b", "2222", "deregistered", 3);
        server_expect(&server, "3", "ZSCORE " P ":changes b");
    }
    server_expect(&server, "2", "HGET " P ":registry floor");
}
END_TEST

START_TEST(a_registry_that_lost_a_part_is_born_again)
{
    static const char *const damages[] = {"DEL " P ":registry", "DEL " P ":records", "HDEL " P ":registry digest",
                                          "HSET " P ":registry revision none", "HDEL " P ":registry epoch"};
    char epoch[64];
    registers("a", "1111", "take-over", "registered", 1);
    registers("b", "2222", "take-over", "registered", 2);
    server_text(&server, epoch, sizeof(epoch), "HGET " P ":registry epoch");
    freeReplyObject(server_ask(&server, damages[_i]));
    registers("a", "1111", "renew", "registered", 1);
    ck_assert(!text_is(&server, epoch, "HGET %s epoch", P ":registry"));
    server_expect(&server, "1", "HLEN " P ":records");
    server_expect(&server, "0", "HGET " P ":registry floor");
    registers("b", "2222", "renew", "registered", 2); /* the repair beat of the other */
    assert_agrees(2);
}
END_TEST

/* With the record, or all of them, what it offered until now is known by its own key only. */
START_TEST(a_node_whose_services_change_as_the_registry_is_born_leaves_the_old_ones)
{
    static const char *const damages[] = {"DEL " P ":registry", "DEL " P ":registry " P ":records",
                                          "HDEL " P ":records a", "HSET " P ":records a x"};
    const netron_service next[] = {{"users", "2.0.0"}, {"photos", NULL}};
    struct call call = call_of("a", "1111", "renew");
    assert_registers(&call, "registered", 1);
    freeReplyObject(server_ask(&server, damages[_i]));
    call.services = next;
    assert_registers(&call, "registered", 1);
    server_expect(&server, "1", "SISMEMBER " P ":index:service:users a");
    server_expect(&server, "1", "SISMEMBER " P ":index:service:photos a");
    server_expect(&server, "0", "EXISTS " P ":index:service:mail");
    assert_agrees(1);
}
END_TEST

START_TEST(a_count_that_is_none_is_not_counted_on)
{
    static const char *const counts[] = {"nan", "-1", "1e300", "none"};
    registers("a", "1111", "take-over", "registered", 1);
    server_expect(&server, "0", "HSET " P ":registry count %s", counts[_i]);
    registers("b", "2222", "take-over", "registered", 1);
    server_expect(&server, "1", "HGET " P ":registry count");
    registers("a", "1111", "renew", "registered", 2);
    assert_agrees(2);
}
END_TEST

/* ---- lifetimes ---- */

START_TEST(a_short_ttl_never_shortens_what_a_long_one_set)
{
    static const char *const keys[] = {P ":registry", P ":records", P ":changes", P ":expiry",
                                       P ":index:service:users"};
    struct call lasting = call_of("a", "1111", "take-over");
    struct call brief = call_of("b", "2222", "take-over");
    lasting.ttl = 86400000;
    brief.ttl = 1000;
    assert_registers(&lasting, "registered", 1);
    assert_registers(&brief, "registered", 2);
    assert_registers(&brief, "unchanged", 2);
    for (size_t i = 0; i < COUNT(keys); i++)
        ck_assert_int_gt(server_integer(&server, "PTTL %s", keys[i]), 863000000);
    ck_assert_int_gt(server_integer(&server, "PTTL " P ":nodes:a"), 863000000);
    ck_assert_int_le(server_integer(&server, "PTTL " P ":nodes:b"), 10000);
    ck_assert_int_le(server_integer(&server, "PTTL " P ":heartbeat:b"), 1000);
}
END_TEST

/* The keys are new when the first node comes and when the last one has left, and need more when one comes that is
 * seldom heard of. */
START_TEST(every_key_is_bounded_in_life_from_its_first_moment)
{
    static const char *const keys[] = {P ":registry", P ":records", P ":changes", P ":expiry",
                                       P ":index:service:users"};
    struct call lasting = call_of("c", "3333", "take-over");
    lasting.ttl = 86400000;
    registers("a", "1111", "take-over", "registered", 1);
    deregisters("a", "1111", "deregistered", 2);
    registers("a", "1111", "take-over", "registered", 3);
    registers("b", "2222", "take-over", "registered", 4);
    for (size_t i = 0; i < COUNT(keys); i++)
        ck_assert_int_gt(server_integer(&server, "PTTL %s", keys[i]), 3590000);
    server_expect(&server, "1", "DEL " P ":expiry"); /* or evicted */
    registers("d", "4444", "take-over", "registered", 5);
    registers("b", "2222", "renew", "unchanged", 5); /* the repair beat of any node */
    ck_assert_int_gt(server_integer(&server, "PTTL " P ":expiry"), 3590000);
    assert_registers(&lasting, "registered", 6);
    for (size_t i = 0; i < COUNT(keys); i++)
        ck_assert_int_gt(server_integer(&server, "PTTL %s", keys[i]), 863000000);
}
END_TEST

/* ---- ruins ---- */

static const char *const suffixes[] = {
    ":heartbeat:a",        ":nodes:a", ":index:nodes", ":records", ":index:service:users",
    ":index:service:mail", ":expiry",  ":changes",     ":registry"};

/* Under each key a value of a type that does not belong there. */
static void put_wrong_type(const char *suffix)
{
    server_integer(&server, "DEL " P "%s", suffix);
    server_expect(&server, "1", "RPUSH " P "%s garbage", suffix);
}

START_TEST(a_value_of_the_wrong_type_is_replaced)
{
    registers("a", "1111", "take-over", "registered", 1);
    for (int i = 0; i < (int)COUNT(suffixes); i++)
        if (_i == i || _i == (int)COUNT(suffixes)) /* each alone, and all together */
            put_wrong_type(suffixes[i]);
    long long number = 0;
    struct call call = call_of("a", "1111", "renew");
    const char *outcome = run(&call, &number);
    ck_assert(strcmp(outcome, "registered") == 0 || strcmp(outcome, "unchanged") == 0);
    ck_assert_int_eq(number, 1);
    server_expect(&server, "1111", "GET " P ":heartbeat:a");
    server_expect(&server, "10.0.0.1:4000", "HGET " P ":nodes:a address");
    server_expect(&server, "1", "SISMEMBER " P ":index:service:users a");
    server_expect(&server, "1", "SISMEMBER " P ":index:service:mail a");
    assert_agrees(1);
}
END_TEST

START_TEST(deregister_passes_by_values_of_the_wrong_type)
{
    registers("a", "1111", "take-over", "registered", 1);
    for (int i = 0; i < (int)COUNT(suffixes); i++)
        if (_i == i || _i == (int)COUNT(suffixes))
            put_wrong_type(suffixes[i]);
    long long number = 0;
    const char *outcome = run_deregister("a", "1111", &number);
    ck_assert(strcmp(outcome, "deregistered") == 0 || strcmp(outcome, "gone") == 0);
    server_expect(&server, "0", "EXISTS " P ":heartbeat:a " P ":nodes:a");
    registers("b", "2222", "take-over", "registered", strcmp(outcome, "deregistered") == 0 ? 3 : 1);
    ck_assert(digest_is_right(&server));
}
END_TEST

START_TEST(a_record_that_is_none_is_replaced)
{
    static const char *const garbage[] = {"garbage",
                                          "1 zzzz x z {}",
                                          "1 0123456789abc i 5 {}",
                                          "{}",
                                          "1 0123456789ab 1111 5 {\"services\":7}",
                                          "1 0123456789ab 1111 0123456789abcdef0123456789abcdef01234567 5 {}"};
    server_integer(&server, "HSET " P ":records a %s", garbage[_i]);
    long long number = 0;
    struct call call = call_of("a", "1111", "take-over");
    run(&call, &number);
    char record[1024];
    server_text(&server, record, sizeof(record), "HGET " P ":records a");
    ck_assert_ptr_nonnull(strstr(record, "{\"nodeId\":\"a\""));
    assert_agrees(1);
    deregisters("a", "1111", "deregistered", number + 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scripts");
    TCase *tcase = suite_case(suite, "scripts");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_registry, close_registry);
    tcase_add_test(tcase, take_over_always_wins);
    tcase_add_test(tcase, reject_yields_to_a_live_holder_only);
    tcase_add_test(tcase, renew_takes_what_is_its_own_or_nobodys);
    tcase_add_test(tcase, unchanged_content_refreshes_lifetimes_and_nothing_else);
    tcase_add_test(tcase, a_change_of_services_moves_the_node_between_the_indexes);
    tcase_add_test(tcase, deregister_leaves_a_tombstone_and_nothing_else);
    tcase_add_test(tcase, deregister_is_gone_when_there_is_nothing);
    tcase_add_test(tcase, deregister_without_a_heartbeat_takes_its_own_record_out);
    tcase_add_test(tcase, deregister_leaves_what_another_process_owns);
    tcase_add_test(tcase, the_digest_is_the_sum_of_all_tags_whatever_happened);
    tcase_add_loop_test(tcase, changes_are_cut_and_the_floor_says_where, 0, 3);
    tcase_add_loop_test(tcase, without_its_changes_nobody_may_ask_for_a_delta, 0, 2);
    tcase_add_loop_test(tcase, a_registry_that_lost_a_part_is_born_again, 0, 5);
    tcase_add_loop_test(tcase, a_node_whose_services_change_as_the_registry_is_born_leaves_the_old_ones, 0, 4);
    tcase_add_loop_test(tcase, a_count_that_is_none_is_not_counted_on, 0, 4);
    tcase_add_test(tcase, a_short_ttl_never_shortens_what_a_long_one_set);
    tcase_add_test(tcase, every_key_is_bounded_in_life_from_its_first_moment);
    tcase_add_loop_test(tcase, a_value_of_the_wrong_type_is_replaced, 0, COUNT(suffixes) + 1);
    tcase_add_loop_test(tcase, deregister_passes_by_values_of_the_wrong_type, 0, COUNT(suffixes) + 1);
    tcase_add_loop_test(tcase, a_record_that_is_none_is_replaced, 0, 6);
    return suite_run(suite);
}
