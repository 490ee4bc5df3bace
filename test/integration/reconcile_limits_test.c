/* SPDX-License-Identifier: MIT */
/* The script reconcile called directly: how much may expire at once, what it makes of ruins, and thousands of steps. */
#include "random.h"
#include "view_scripts.h"
#include <inttypes.h>

#define WEB "[{\"name\":\"web\"}]"

static void register_many(int count)
{
    for (int i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof(id), "n%d", i);
        struct call call = call_of(id, "0123456789abcdef", "take-over");
        call.is_silent = true;
        call.count = 1;
        assert_registers(&call, "registered", i + 1);
    }
}

static void let_many_die(int from, int to)
{
    for (int i = from; i < to; i++) {
        char id[16];
        snprintf(id, sizeof(id), "n%d", i);
        let_die(id);
    }
}

/* ---- budgets ---- */

/* So many nodes, of which so many die at once; how many may expire in a window. */
static const struct {
    int nodes, dead;
    long long expired;
} budgets[] = {
    {1, 1, 1},   {5, 5, 5},   {6, 6, 5},   {30, 4, 4},    {30, 30, 5},    {40, 40, 6},
    {46, 46, 6}, {47, 47, 7}, {66, 66, 9}, {100, 14, 14}, {100, 100, 15},
};

START_TEST(more_than_5_nodes_and_15_percent_do_not_expire_in_a_window)
{
    register_many(budgets[_i].nodes);
    let_many_die(0, budgets[_i].dead);
    struct outcome outcome = reconcile(&usual_look);
    expect_outcome(outcome, budgets[_i].expired, 0, budgets[_i].dead - budgets[_i].expired);
    ck_assert_int_eq(outcome.nodes, budgets[_i].nodes - budgets[_i].expired);
    if (outcome.held > 0) { /* the others are due again in a second */
        ck_assert_int_gt(outcome.wait, 0);
        ck_assert_int_le(outcome.wait, 1000);
    }
    expect_outcome(reconcile(&usual_look), 0, 0, 0);
    let_many_die(0, budgets[_i].dead); /* whoever looks at them again in this window */
    outcome = reconcile(&usual_look);
    expect_outcome(outcome, 0, 0, budgets[_i].dead - budgets[_i].expired);
    assert_bookkeeping();
}
END_TEST

START_TEST(each_window_lets_its_share_through_until_none_is_left)
{
    long long left = 60;
    register_many(60);
    let_many_die(0, 60);
    for (int windows = 0; left > 0; windows++) {
        ck_assert_int_lt(windows, 13);
        long long share = left * 15 / 100 > 5 ? left * 15 / 100 : 5;
        long long expected = share < left ? share : left;
        expect_outcome(reconcile(&usual_look), expected, 0, left - expected);
        left -= expected;
        freeReplyObject(server_ask(&server, "HSET " P ":registry window 1")); /* it is long over */
        let_many_die(0, 60);
    }
    ck_assert_int_eq(server_integer(&server, "HLEN " P ":records"), 0);
    ck_assert_int_eq(registry_revision(), 120);
    server_expect(&server, "000000000000", "HGET " P ":registry digest");
    spy_collect(&spy);
    ck_assert_int_eq(spy.count, 60);
    ck_assert_int_eq(spy_heard(&spy, "\"reason\":\"expired\""), 60);
}
END_TEST

START_TEST(a_window_that_is_no_number_or_lies_in_the_future_begins_anew)
{
    static const char *const windows[][2] = {{"x", "0"},   {"1", "x"}, {"", ""}, {"99999999999999", "0"},
                                             {"nan", "0"}, {"-5", "0"}};
    register_many(10);
    let_many_die(0, 10);
    freeReplyObject(
        server_ask(&server, "HSET " P ":registry window %s window_left %s", windows[_i][0], windows[_i][1]));
    struct outcome outcome = reconcile(&usual_look);
    expect_outcome(outcome, 5, 0, 5);
    assert_bookkeeping();
}
END_TEST

START_TEST(departures_of_the_original_are_told_beyond_any_budget)
{
    for (int i = 0; i < 40; i++) {
        char id[16];
        snprintf(id, sizeof(id), "n%d", i);
        store_original(id, "h:1", WEB);
    }
    expect_outcome(reconcile(&usual_look), 0, 40, 0);
    for (int i = 0; i < 40; i++)
        server_integer(&server, "DEL " P ":nodes:n%d", i);
    for (int i = 0; i < 40; i++)
        server_integer(&server, "SREM " P ":index:nodes n%d", i);
    let_many_die(0, 40);
    spy_clear(&spy);
    expect_outcome(reconcile(&usual_look), 40, 0, 0);
    spy_collect(&spy);
    ck_assert_int_eq(spy_heard(&spy, "\"reason\":\"shutdown\""), 40);
    assert_bookkeeping();
}
END_TEST

START_TEST(no_look_handles_more_than_its_limit)
{
    struct look look = usual_look;
    register_many(30);
    let_many_die(0, 30);
    look.floor = 1000;
    look.limit = 7;
    look.channel = "";
    for (int looks = 0; looks < 4; looks++) {
        struct outcome outcome = reconcile(&look);
        expect_outcome(outcome, 7, 0, 0);
        ck_assert_int_eq(outcome.wait, 0);
    }
    expect_outcome(reconcile(&look), 2, 0, 0);
    spy_collect(&spy);
    ck_assert_int_eq(spy.count, 0); /* without a channel */
    for (int i = 0; i < 600; i++)
        server_integer(&server, "ZADD " P ":expiry 1 ghost%d", i);
    look.limit = 100000;
    reconcile(&look);
    ck_assert_int_eq(server_integer(&server, "ZCARD " P ":expiry"), 600 - 512);
}
END_TEST

/* More than one look handles, of a TTL for which nobody has been there yet, and behind them one that may be judged. */
START_TEST(who_may_not_be_judged_yet_stands_in_nobodys_way)
{
    enum { NODES = 150, TTL = 86400000, CONNECTED = 60000 };
    struct look look = usual_look;
    look.limit = 128;
    look.connected = CONNECTED;
    for (int i = 0; i < NODES; i++) {
        char id[16];
        snprintf(id, sizeof(id), "n%d", i);
        struct call call = call_of(id, "0123456789abcdef", "take-over");
        call.ttl = TTL;
        assert_registers(&call, "registered", i + 1);
    }
    registers("short", "0123456789abcdef", "take-over", "registered", NODES + 1);
    spy_clear(&spy);
    let_many_die(0, NODES);
    server_integer(&server, "DEL " P ":heartbeat:short");
    server_integer(&server, "ZADD " P ":expiry 2 short");

    struct outcome outcome = reconcile(&look);
    expect_outcome(outcome, 0, 0, 0);
    ck_assert_int_eq(outcome.unjudged, 128);
    ck_assert_int_eq(outcome.wait, 0); /* more is due */
    outcome = reconcile(&look);
    expect_outcome(outcome, 1, 0, 0);
    ck_assert_int_eq(outcome.unjudged, NODES - 128);
    ck_assert_str_eq(published(), "DEREGISTERED short 10.0.0.1:4000 expired 152");
    ck_assert_int_eq(outcome.wait, TTL - CONNECTED); /* until it may judge them */
    ck_assert_int_eq(reconcile(&look).unjudged, 0);
    ck_assert_int_eq(outcome.nodes, NODES);

    look.connected = TTL; /* somebody else has been there for so long */
    look.floor = 1000;
    freeReplyObject(server_ask(&server, "HSET " P ":registry window 1")); /* it is long over */
    look.late_by = 300;
    expect_outcome(reconcile(&look), 0, 0, 0); /* but not when held up: the beats were so as well */
    look.late_by = 0;
    expect_outcome(reconcile(&look), 128, 0, 0);
    expect_outcome(reconcile(&look), NODES - 128, 0, 0);
    expect_outcome(reconcile(&look), 0, 0, 0);
    spy_collect(&spy);
    ck_assert_int_eq(spy.count, NODES);
    assert_bookkeeping();
}
END_TEST

START_TEST(a_time_that_none_of_us_set_hides_no_death)
{
    static const char *const times[] = {"-inf", "-1e300", "-86400001", "-86400000", "-1", "0", "1e3"};
    register_many(2);
    server_expect(&server, "1", "DEL " P ":heartbeat:n0");
    freeReplyObject(server_ask(&server, "ZADD " P ":expiry XX %s n0", times[_i]));
    long long expired = reconcile(&usual_look).expired;
    expired += reconcile(&usual_look).expired;
    ck_assert_int_eq(expired, 1);
    ck_assert_int_gt(reconcile(&usual_look).wait, 0);
    assert_bookkeeping();
}
END_TEST

START_TEST(ids_that_are_given_are_looked_at_and_no_others)
{
    struct look look = usual_look;
    register_many(6);
    let_many_die(0, 6);
    look.ids[0] = "n4";
    look.ids[1] = "unknown";
    look.ids[2] = "n1";
    look.ids[3] = "n4";
    expect_outcome(reconcile(&look), 2, 0, 0);
    server_expect(&server, "0", "HEXISTS " P ":records n4");
    server_expect(&server, "0", "HEXISTS " P ":records n1");
    ck_assert_int_eq(server_integer(&server, "HLEN " P ":records"), 4);
    server_expect(&server, "0", "EXISTS " P ":heartbeat:unknown " P ":nodes:unknown");
    server_expect(&server, "(nil)", "ZSCORE " P ":expiry unknown");
    assert_bookkeeping();
}
END_TEST

/* ---- ruins ---- */

static const char *const ruins[] = {
    "SET " P ":registry x",
    "SET " P ":records x",
    "SET " P ":changes x",
    "SET " P ":expiry x",
    "SET " P ":index:nodes x",
    "SET " P ":index:service:web x",
    "SADD " P ":heartbeat:ref x",
    "DEL " P ":registry",
    "DEL " P ":records",
    "DEL " P ":changes",
    "DEL " P ":expiry",
    "DEL " P ":index:nodes",
    "DEL " P ":index:service:web",
    "HSET " P ":registry digest x",
    "HSET " P ":registry epoch %%",
    "HSET " P ":registry count 99",
    "HSET " P ":registry scan x",
    "HSET " P ":registry revision -1",
    "HDEL " P ":registry floor",
    "HSET " P ":records ref x",
    "HDEL " P ":records ref",
    "HSET " P ":records other x",
};

/* Whatever became of the keys: no error, and in the end the live node stands there as ever. */
START_TEST(what_became_of_any_key_is_mended_at_the_next_looks)
{
    store_original("ref", "h:1", WEB);
    reconcile(&usual_look);
    bool is_set = strncmp(ruins[_i], "SET ", 4) == 0 || strncmp(ruins[_i], "SADD", 4) == 0;
    char key[64];
    snprintf(key, sizeof(key), "%.*s", (int)strcspn(ruins[_i] + (ruins[_i][1] == 'A' ? 5 : 4), " "),
             ruins[_i] + (ruins[_i][1] == 'A' ? 5 : 4));
    if (is_set)
        freeReplyObject(server_ask(&server, "DEL %s", key));
    redisReply *reply = server_ask(&server, ruins[_i]);
    ck_assert_int_ne(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
    if (strstr(ruins[_i], "heartbeat") != NULL) { /* such a one belongs to nobody */
        expect_outcome(reconcile_id("ref"), 1, 0, 0);
        server_integer(&server, "DEL %s", key);
    }
    store_original("ref", "h:2", WEB); /* its owner beats on, and moved */
    reconcile(&usual_look);
    reconcile_id("ref");
    server_integer(&server, "HDEL " P ":records other");
    char record[512];
    ck_assert(server_text(&server, record, sizeof(record), "HGET " P ":records ref"));
    ck_assert_ptr_nonnull(strstr(record, "\"address\":\"h:2\""));
    server_expect(&server, "1", "SISMEMBER " P ":index:service:web ref");
    server_expect(&server, "1", "SISMEMBER " P ":index:nodes ref");
    ck_assert(server_integer(&server, "EXISTS " P ":expiry") == 1);
    if (strstr(ruins[_i], "other") == NULL) /* that one's tag was never counted */
        ck_assert(digest_is_right(&server));
}
END_TEST

START_TEST(a_record_of_a_dead_node_that_cannot_be_read_goes_without_a_word)
{
    register_many(2);
    spy_clear(&spy);
    server_integer(&server, "HSET " P ":records n0 garbage");
    let_die("n0");
    expect_outcome(reconcile(&usual_look), 0, 0, 0);
    server_expect(&server, "0", "HEXISTS " P ":records n0");
    server_expect(&server, "(nil)", "ZSCORE " P ":expiry n0");
    ck_assert_str_eq(published(), "");
}
END_TEST

/* ---- thousands of steps ---- */

enum { IDS = 40, STEPS = 3000 };

static struct outcome look_at(const char *id)
{
    struct look look = usual_look;
    look.floor = 100000; /* what is held back is another test's matter */
    look.ids[0] = id;
    return reconcile(&look);
}

/* Registered by the library, written by the original, gone silently, or shut down as the original does it. */
static void step_at_random(struct netron_random *random, const char *id)
{
    static const char *const services[] = {"[]", WEB, "[{\"name\":\"web\"},{\"name\":\"mail\",\"version\":\"1\"}]"};
    long long number = 0;
    char address[16];
    snprintf(address, sizeof(address), "h:%" PRIu64, netron_random_next(random) % 3 + 1);
    struct call call = call_of(id, "0123456789abcdef", "take-over");
    call.address = address;
    call.count = (size_t)(netron_random_next(random) % 3);
    switch (netron_random_next(random) % 8) {
    case 0:
    case 1:
        run(&call, &number);
        break;
    case 2:
    case 3:
        store_original(id, address, services[netron_random_next(random) % 3]);
        break;
    case 4:
        run_deregister(id, "0123456789abcdef", &number);
        break;
    case 5:
        server_integer(&server, "DEL " P ":heartbeat:%s", id);
        break;
    case 6:
        server_integer(&server, "DEL " P ":heartbeat:%s", id);
        server_integer(&server, "DEL " P ":nodes:%s", id);
        server_integer(&server, "SREM " P ":index:nodes %s", id);
        break;
    default:
        look_at(id);
    }
}

static char present[IDS][256]; /* the latest event's id and address, as a listener holds them */

static void apply_events(long long *revision)
{
    spy_collect(&spy);
    for (int i = 0; i < spy.count; i++) {
        struct netron_parsed_event event;
        struct netron_failure why = {0};
        ck_assert_msg(netron_event_parse(spy.line[i], strlen(spy.line[i]), &event, &why) == 0, "%s: %s", spy.line[i],
                      why.sentence);
        ck_assert_uint_eq(event.revision, (uint64_t)++ * revision); /* each once, in order */
        char *held = present[atoi(event.node->id + 1)];
        ck_assert_msg((held[0] == '\0') == (event.type == NETRON_NODE_REGISTERED), "%s", spy.line[i]);
        snprintf(held, sizeof(present[0]), "%s", event.type == NETRON_NODE_DEREGISTERED ? "" : event.node->address);
        netron_event_clear(&event);
    }
    spy.count = 0;
}

START_TEST(thousands_of_random_steps_leave_bookkeeping_and_events_that_agree)
{
    struct netron_random random = {.state = (uint64_t)_i + 3};
    struct look look = usual_look;
    long long revision = 0;
    look.floor = 100000;
    memset(present, 0, sizeof(present));
    for (int step = 0; step < STEPS; step++) {
        char id[16];
        snprintf(id, sizeof(id), "n%" PRIu64, netron_random_next(&random) % IDS);
        step_at_random(&random, id);
        if (step % 50 == 0) {
            server_integer(&server, "ZADD " P ":expiry XX 1 %s", id);
            reconcile(&look);
            apply_events(&revision);
        }
    }
    reconcile(&look);
    for (int i = 0; i < IDS; i++) { /* everybody is looked at once more */
        char id[16];
        snprintf(id, sizeof(id), "n%d", i);
        look_at(id);
    }
    apply_events(&revision);
    ck_assert_int_eq(registry_revision(), revision);
    ck_assert_int_gt(revision, STEPS / 8);
    assert_bookkeeping();
    for (int i = 0; i < IDS; i++) {
        char address[256] = "";
        bool is_alive = server_integer(&server, "EXISTS " P ":heartbeat:n%d", i) == 1;
        if (is_alive)
            server_text(&server, address, sizeof(address), "HGET " P ":nodes:n%d address", i);
        ck_assert_str_eq(present[i], address);
        ck_assert_int_eq(server_integer(&server, "HEXISTS " P ":records n%d", i), is_alive);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reconcile_limits");
    TCase *tcase = suite_case(suite, "limits");
    tcase_add_unchecked_fixture(tcase, start_view_server, stop_server);
    tcase_add_checked_fixture(tcase, open_view_registry, close_view_registry);
    tcase_add_loop_test(tcase, more_than_5_nodes_and_15_percent_do_not_expire_in_a_window, 0, COUNT(budgets));
    tcase_add_test(tcase, each_window_lets_its_share_through_until_none_is_left);
    tcase_add_loop_test(tcase, a_window_that_is_no_number_or_lies_in_the_future_begins_anew, 0, 6);
    tcase_add_test(tcase, departures_of_the_original_are_told_beyond_any_budget);
    tcase_add_test(tcase, no_look_handles_more_than_its_limit);
    tcase_add_test(tcase, who_may_not_be_judged_yet_stands_in_nobodys_way);
    tcase_add_loop_test(tcase, a_time_that_none_of_us_set_hides_no_death, 0, 7);
    tcase_add_test(tcase, ids_that_are_given_are_looked_at_and_no_others);
    tcase_add_loop_test(tcase, what_became_of_any_key_is_mended_at_the_next_looks, 0, COUNT(ruins));
    tcase_add_test(tcase, a_record_of_a_dead_node_that_cannot_be_read_goes_without_a_word);
    tcase_add_loop_test(tcase, thousands_of_random_steps_leave_bookkeeping_and_events_that_agree, 0, 3);
    return suite_run(suite);
}
