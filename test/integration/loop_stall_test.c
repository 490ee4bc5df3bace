/* SPDX-License-Identifier: MIT */
/* A host whose loop stands still for a while: the library runs on it, and makes good what it could not do meanwhile. */
#include "scene.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MS 2400u
#define INTERVAL_MS 500u

static struct world sleepy; /* the loop that stands still */
static netron_discovery *sleeper;
static netron_discovery *watcher;
static struct state_recorder states;
static struct link_recorder links;
static struct event_recorder heard;

static void open_sleepy(void)
{
    world_open(&sleepy);
}

static void close_sleepy(void)
{
    netron_discovery_free(sleeper);
    netron_discovery_free(watcher);
    world_close(&sleepy);
}

static netron_options quick_options(void)
{
    netron_options options = world_options(scene.server.url);
    options.heartbeat_interval_ms = INTERVAL_MS;
    options.heartbeat_ttl_ms = TTL_MS;
    return options;
}

static bool turn_both(void)
{
    world_turn(&sleepy);
    return true;
}

#define AWAIT_BOTH(condition) AWAIT(&scene.world, turn_both() && (condition))

static void run_both(unsigned ms)
{
    uint64_t end = world_clock_ms() + ms;
    AWAIT_BOTH(world_clock_ms() >= end);
}

/* ---- an owner ---- */

/* A node on the sleepy loop, and a watcher that has been there for long enough to think it dead. */
static void begin_owner(void)
{
    const netron_options options = quick_options();
    netron_service services[2];
    const netron_node node = make_node("node-1", "10.0.0.1:80", services, "orders", "1.0.0", NULL, NULL);
    watcher = world_join(&scene.world, &options);
    ck_assert_int_eq(netron_subscribe_to_events(watcher, record_event, &heard, NULL), 0);
    sleeper = world_join(&sleepy, &options);
    ck_assert_int_eq(netron_register(sleeper, &node, record_state, &states, NULL), 0);
    AWAIT_BOTH(heard.synced == 1 && heard.count == 1 && latest_state(&states) == NETRON_REGISTERED);
    run_both(TTL_MS + 300);
}

/* Every tenth beat is a register call. */
static uint64_t renewals(void)
{
    netron_stats stats = scene_stats(sleeper);
    return stats.beats + stats.registers;
}

START_TEST(a_loop_that_stood_still_for_half_a_ttl_beats_at_once_and_nobody_hears_of_it)
{
    uint64_t quickest = UINT64_MAX;
    begin_owner();
    for (int times = 0; times < 3; times++) {
        uint64_t before = renewals() + 1;
        AWAIT_BOTH(renewals() >= before); /* so that none is under way */
        before = renewals();
        world_run(&scene.world, TTL_MS / 2); /* without the other loop */
        ck_assert_uint_eq(renewals(), before);
        uint64_t awake_at = world_clock_ms();
        AWAIT_BOTH(renewals() > before);
        uint64_t needed = world_clock_ms() - awake_at;
        quickest = needed < quickest ? needed : quickest;
        ck_assert_int_gt(server_integer(&scene.server, "PTTL " PREFIX ":heartbeat:node-1"), TTL_MS / 2);
    }
    ck_assert_uint_lt(quickest, INTERVAL_MS / 2); /* the machine may be busy, but hardly each time */
    run_both(TTL_MS);
    ck_assert_int_eq(states.count, 1);
    ck_assert_int_eq(heard.count, 1);
}
END_TEST

START_TEST(a_loop_that_stood_still_beyond_the_ttl_is_one_expiry_and_one_registration)
{
    begin_owner();
    AWAIT(&scene.world, heard.count == 2); /* without the other loop */
    ck_assert_str_eq(heard.events[1].text, "NODE_DEREGISTERED node-1 10.0.0.1:80 orders@1.0.0 (expired)");
    AWAIT_BOTH(heard.count == 3);
    ck_assert_str_eq(heard.events[2].text, "NODE_REGISTERED node-1 10.0.0.1:80 orders@1.0.0");
    run_both(TTL_MS * 3 / 2);
    ck_assert_int_eq(heard.count, 3);
    ck_assert_int_eq(latest_state(&states), NETRON_REGISTERED);
    for (int i = 1; i + 1 < states.count; i++)
        ck_assert_int_eq(states.state[i], NETRON_LOST);
}
END_TEST

static struct active_recorder active;

/* Does not return to the loop for longer than an answer may take. */
static void stand_still(netron_discovery *discovery, int code, int is_active, void *arg)
{
    world_run(&scene.world, 3 * INTERVAL_MS); /* the other loop */
    record_active(discovery, code, is_active, arg);
}

/* Of two lookups whose first answers arrive together, one has said its next command, which does not leave the process
 * before the other's callback returns. */
START_TEST(what_is_asked_right_before_the_loop_stands_still_is_answered_when_it_goes_on)
{
    static struct nodes_recorder found;
    netron_options options = quick_options();
    options.heartbeat_ttl_ms = 60000;
    options.command_timeout_ms = INTERVAL_MS;
    options.on_link = record_link;
    options.on_link_arg = &links;
    netron_node node = make_node("node-1", "10.0.0.1:80", NULL, NULL, NULL, NULL, NULL);
    sleeper = world_join(&sleepy, &options);
    ck_assert_int_eq(netron_register(sleeper, &node, record_state, &states, NULL), 0);
    AWAIT_BOTH(latest_state(&states) == NETRON_REGISTERED);
    for (int times = 1; times <= 3; times++) {
        ck_assert_int_eq(netron_get_active_nodes(sleeper, record_nodes, &found), 0);
        ck_assert_int_eq(netron_is_node_active(sleeper, "node-1", stand_still, &active), 0);
        AWAIT_BOTH(found.calls == times && active.calls == times);
        ck_assert_int_eq(found.code, 0);
        ck_assert_uint_eq(found.count, 1);
        ck_assert_int_eq(active.code, 0);
    }
    ck_assert_msg(links.count[NETRON_LINK_COMMANDS] == 1, "%s", links.sentence[NETRON_LINK_COMMANDS]);
    ck_assert_int_eq(states.count, 1);
}
END_TEST

/* ---- a watcher ---- */

#define NODES 200
#define CHANGES 4000

static char told_address[NODES][32]; /* as the events add up */

static void add_up(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    (void)arg;
    unsigned number = 0;
    if (event->type == NETRON_SYNCED || sscanf(event->node->id, "n%u", &number) != 1)
        return;
    ck_assert_uint_lt(number, NODES);
    snprintf(told_address[number], sizeof(told_address[0]), "%s", event->node->address);
}

static void change_all(int round)
{
    for (int i = 0; i < NODES; i++) {
        char id[16];
        char address[32];
        snprintf(id, sizeof(id), "n%d", i);
        snprintf(address, sizeof(address), "10.0.0.%d:%d", round, 1000 + i);
        scene_change(&scene.server, id, address);
    }
}

static bool view_has_reached(uint64_t revision)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(watcher, &status), 0);
    return status.state == NETRON_VIEW_FRESH && status.revision == revision;
}

static void expect_exact_view(int round)
{
    const netron_snapshot *all = netron_view_find(watcher, NULL, NULL);
    ck_assert_uint_eq(all->count, NODES);
    for (size_t i = 0; i < all->count; i++) {
        char address[32];
        unsigned number = 0;
        ck_assert_int_eq(sscanf(all->nodes[i]->id, "n%u", &number), 1);
        snprintf(address, sizeof(address), "10.0.0.%d:%u", round, 1000 + number);
        ck_assert_str_eq(all->nodes[i]->address, address);
        ck_assert_str_eq(told_address[number], address);
    }
    netron_snapshot_release(all);
}

START_TEST(a_subscriber_that_redis_cuts_off_while_its_loop_stands_still_comes_back_exact)
{
    netron_options options = quick_options();
    options.on_link = record_link;
    options.on_link_arg = &links;
    server_expect(&scene.server, "OK", "CONFIG SET client-output-buffer-limit %s", "pubsub 64kb 64kb 1");
    change_all(0);
    watcher = world_join(&scene.world, &options);
    ck_assert_int_eq(netron_subscribe_to_events(watcher, add_up, NULL, NULL), 0);
    AWAIT(&scene.world, view_has_reached(NODES));
    int rounds = CHANGES / NODES;
    for (int round = 1; round <= rounds; round++)
        change_all(round); /* without the loop */
    AWAIT(&scene.world, links.count[NETRON_LINK_EVENTS] >= 2);
    ck_assert_int_ne(links.code[NETRON_LINK_EVENTS], 0);
    AWAIT(&scene.world, links.is_up[NETRON_LINK_EVENTS] && view_has_reached((uint64_t)NODES * (1 + (unsigned)rounds)));
    expect_exact_view(rounds);
    change_all(rounds + 1); /* and it hears on */
    AWAIT(&scene.world, view_has_reached((uint64_t)NODES * (2 + (unsigned)rounds)));
    expect_exact_view(rounds + 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop_stall");
    TCase *tcase = scene_case(suite, "a loop");
    tcase_add_checked_fixture(tcase, open_sleepy, close_sleepy);
    tcase_add_test(tcase, a_loop_that_stood_still_for_half_a_ttl_beats_at_once_and_nobody_hears_of_it);
    tcase_add_test(tcase, a_loop_that_stood_still_beyond_the_ttl_is_one_expiry_and_one_registration);
    tcase_add_test(tcase, what_is_asked_right_before_the_loop_stands_still_is_answered_when_it_goes_on);
    if (getenv("NETRON_TEST_TLS") == NULL) /* TCP has room for more than Redis is made to say here */
        tcase_add_test(tcase, a_subscriber_that_redis_cuts_off_while_its_loop_stands_still_comes_back_exact);
    return suite_run(suite);
}
