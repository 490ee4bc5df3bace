/* SPDX-License-Identifier: MIT */
/* Redis answers errors, and the memory runs out at each allocation in turn while they are dealt with. */
#include "registry.h"
#include "shortage.h"
#include <string.h>

#define LOOK_MS 900
#define REFUSALS 2 /* a NOSCRIPT the second time is an error like the others */

static bool is_subscribe(const struct peer_command *command)
{
    return peer_is(command, "SUBSCRIBE ");
}

static bool (*const questions[])(const struct peer_command *command) = {
    peer_is_register, peer_is_deregister, peer_is_sync, peer_is_reconcile, is_subscribe,
};

static const char *const errors[] = {
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n",
    "-NOPERM User netron has no permissions to run the 'evalsha' command\r\n",
    "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "-NOSCRIPT No matching script. Please use EVAL.\r\n",
    "-READONLY You can't write against a read only replica.\r\n",
};

static const enum shortage shortages[] = {SHORTAGE_OF_ONE, SHORTAGE_OF_ALL};

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))
#define STORIES (COUNT(questions) * COUNT(errors) * COUNT(shortages))

static int question, error;
static int refusals; /* so many are still to come */
static int refused;

static const char *refuse(struct peer *peer, const struct peer_command *command)
{
    if (refusals == 0 || !questions[question](command))
        return registry_answer(peer, command);
    refusals--;
    refused++;
    return errors[error];
}

/* ---- a life ---- */

static netron_subscription *subscription;
static struct promise *updated, *left;

static void open_life(void)
{
    registry_open();
    registry_put_many(5);
    registry.page = registry.delta_page = 3;
    sim.peer.answer = refuse;
    sim.options.pubsub_enabled = 1;
    sim.options.reconnect_max_ms = 1000; /* what an operator has to allow is tried again after so long */
    subscription = NULL;
    updated = left = NULL;
    refusals = refused = 0;
    sim_join();
    sim_settle();
}

static void make_calls(void)
{
    netron_service services[2];
    const netron_node node = make_node("own", "10.0.0.9:1", services, "web", "1.2.3", NULL, NULL);
    if (subscription == NULL)
        shortage_accepts(netron_subscribe_to_events(sim.discovery, record_event, &registry_heard, &subscription));
    if (sim.registration == NULL)
        shortage_accepts(netron_register(sim.discovery, &node, record_state, &sim.states, &sim.registration));
}

static void move_away(void)
{
    if (sim.registration == NULL || (updated != NULL && updated->code == 0))
        return;
    updated = promise_new();
    promise_given(updated,
                  netron_registration_update_address(sim.registration, "10.0.0.9:80", record_done, &updated->done));
}

static bool is_fresh(void)
{
    return registry_status().state == NETRON_VIEW_FRESH && strcmp(registry_view(), registry_picture()) == 0 &&
           registry_heard.synced == 1;
}

/* Each question is asked at the beginning, and once more for this. */
static void change_behind_the_back(void)
{
    registry_put("n99", 11);
    registry_remove("n02");
    registry_put("n04", 12);
    if (questions[question] == is_subscribe && sim_count("SUBSCRIBE ") > 0)
        peer_hang_up(&sim.peer, registry_events_conn());
    if (sim_count("SUBSCRIBE ") > 0 && sim.peer.conns[registry_events_conn()] != -1)
        registry_send(registry_event("n04"));
}

static void live(void)
{
    refusals = REFUSALS;
    make_calls();
    sim_advance(LOOK_MS);
    refusals = refusals > 0 ? refusals : 1; /* the first ones may have met the beginning only */
    move_away();
    change_behind_the_back();
    sim_advance(LOOK_MS);
}

static void make_calls_again(void)
{
    make_calls();
    move_away();
}

/* A change that Redis refused for good is made with what comes next. */
static bool is_whole(void)
{
    return is_fresh() && latest_state(&sim.states) == NETRON_REGISTERED && updated->done.calls == 1 &&
           sim_last_register_has(" 10.0.0.9:80 ");
}

static void expect_an_error_or_success(void)
{
    int code = updated->done.code;
    ck_assert_msg(code == 0 || code == NETRON_EUNAVAILABLE || code == NETRON_EPERM || code == NETRON_ENOMEM ||
                      code == NETRON_EREDIS,
                  "an update ended with %d", code);
    for (int i = 0; i < sim.states.count; i++)
        ck_assert(sim.states.state[i] != NETRON_REPLACED && sim.states.state[i] != NETRON_LEFT);
    ck_assert(refused > 0 || allocations_failed > 0);
}

/* ---- leaving ---- */

static void open_registered(void)
{
    open_life();
    make_calls();
    sim_advance(LOOK_MS);
    ck_assert(latest_state(&sim.states) == NETRON_REGISTERED && is_fresh());
}

static void leave(void)
{
    left = promise_new();
    promise_given(left, netron_discovery_shutdown(sim.discovery, record_done, &left->done));
}

static void leave_while_it_is_refused(void)
{
    refusals = REFUSALS;
    leave();
    sim_advance(LOOK_MS);
}

static void leave_unless_it_does(void)
{
    if (left->code != 0)
        leave();
}

static bool has_left(void)
{
    return left->done.calls == 1;
}

static void expect_an_end(void)
{
    netron_registration_state state = latest_state(&sim.states);
    ck_assert(state == NETRON_LEFT || (state == NETRON_FAILED && left->done.code != 0));
    ck_assert_int_eq(state == NETRON_LEFT, !sim.peer.has_node);
    ck_assert(refused > 0 || allocations_failed > 0);
}

static const struct shortage_story life = {"refusals",       open_life, live,
                                           make_calls_again, is_whole,  expect_an_error_or_success};
static const struct shortage_story end = {"a refused departure", open_registered, leave_while_it_is_refused,
                                          leave_unless_it_does,  has_left,        expect_an_end};

START_TEST(what_redis_refuses)
{
    question = _i / COUNT(shortages) / COUNT(errors);
    error = _i / COUNT(shortages) % COUNT(errors);
    shortage_run(questions[question] == peer_is_deregister ? &end : &life, shortages[_i % COUNT(shortages)]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shortage_refusal");
    TCase *tcase = suite_case(suite, "memory runs out during");
    allocations_of_libraries();
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, what_redis_refuses, 0, STORIES);
    return suite_run(suite);
}
