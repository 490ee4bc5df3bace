/* SPDX-License-Identifier: MIT */
/* A registration's whole life, with the memory running out at each allocation in turn. */
#include "shortage.h"
#include <string.h>

#define INTERVAL 5000

static const netron_service services[] = {{"web", "1.2.3"}, {"a service of a long name", NULL}};
static const netron_metadata metadata[] = {{"commit", "0123456789abcdef0123456789abcdef01234567"}, {"arch", "amd64"}};

static netron_node full_node(void)
{
    netron_node node = NETRON_NODE_INIT;
    node.id = "n1";
    node.address = "an-address-of-some-length.example:4000";
    node.services = services;
    node.service_count = 2;
    node.state = NETRON_NODE_STARTING;
    node.reason = "the cache is being filled";
    node.weight = 3;
    node.zone = "zone-1";
    node.metadata = metadata;
    node.metadata_count = 2;
    return node;
}

static bool enrol(void)
{
    const netron_node node = full_node();
    return shortage_accepts(netron_register(sim.discovery, &node, record_state, &sim.states, &sim.registration));
}

static void enrol_unless_done(void)
{
    if (sim.registration == NULL)
        ck_assert(enrol());
}

static bool is_registered(void)
{
    return latest_state(&sim.states) == NETRON_REGISTERED && sim.peer.has_node;
}

static void join_with_memory(void)
{
    sim.options.pubsub_enabled = 1;
    sim_join();
    sim_settle();
}

static void begin_registered(void)
{
    join_with_memory();
    enrol_unless_done();
    sim_settle();
    ck_assert(is_registered());
}

static void run(const struct shortage_story *story, int shortage)
{
    shortage_run(story, (enum shortage)shortage);
}

/* ---- registering ---- */

static void register_and_settle(void)
{
    if (enrol())
        sim_settle();
}

static void expect_registered_as_wanted(void)
{
    ck_assert(sim_last_register_has(" an-address-of-some-length.example:4000 "));
    ck_assert(sim_last_register_has("\"zone\":\"zone-1\",\"metadata\":{\"arch\":\"amd64\",\"commit\":"));
}

START_TEST(a_registration)
{
    static const struct shortage_story story = {"register",        join_with_memory, register_and_settle,
                                                enrol_unless_done, is_registered,    expect_registered_as_wanted};
    run(&story, _i);
}
END_TEST

/* ---- beating ---- */

static void beat_and_repair(void)
{
    sim_advance(12 * INTERVAL);
}

START_TEST(beats_and_a_repair)
{
    static const struct shortage_story story = {
        "beat and repair", begin_registered, beat_and_repair, NULL, is_registered, NULL};
    run(&story, _i);
}
END_TEST

static void lose_and_restore(void)
{
    sim.peer.has_node = false;
    sim_advance(2 * INTERVAL);
}

START_TEST(a_heartbeat_that_was_lost)
{
    static const struct shortage_story story = {
        "lost heartbeat", begin_registered, lose_and_restore, NULL, is_registered, NULL};
    run(&story, _i);
}
END_TEST

static void update(int which);

static const char *somebody_elses(struct peer *peer, const struct peer_command *command)
{
    return peer_is_register(command) ? "*1\r\n$6\r\nfenced\r\n" : peer_answer_well(peer, command);
}

static void be_replaced(void)
{
    strcpy(sim.peer.incarnation, "somebody-else");
    sim.peer.answer = somebody_elses;
    update(1);
    sim_advance(2 * INTERVAL);
}

static bool is_replaced(void)
{
    return latest_state(&sim.states) == NETRON_REPLACED;
}

static void expect_one_replacement(void)
{
    int told = 0;
    for (int i = 0; i < sim.states.count; i++)
        told += sim.states.state[i] == NETRON_REPLACED;
    ck_assert_int_eq(told, 1);
    ck_assert_str_eq(sim.peer.incarnation, "somebody-else");
}

START_TEST(a_takeover_by_another_process)
{
    static const struct shortage_story story = {"replaced", begin_registered, be_replaced,
                                                NULL,       is_replaced,      expect_one_replacement};
    run(&story, _i);
}
END_TEST

/* ---- updates ---- */

static bool took[5];

static void update(int which)
{
    static const netron_service fewer[] = {{"another service of a long name", "2.0.0-rc.1"}};
    struct promise *promise = promise_new();
    int code = 0;
    if (which == 0)
        code = netron_registration_update_services(sim.registration, fewer, 1, record_done, &promise->done);
    else if (which == 1)
        code = netron_registration_update_address(sim.registration, "10.0.0.9:80", record_done, &promise->done);
    else if (which == 2)
        code = netron_registration_update_state(sim.registration, NETRON_NODE_MAINTENANCE, "a new disk goes in",
                                                record_done, &promise->done);
    else if (which == 3)
        code = netron_registration_update_weight(sim.registration, 7, record_done, &promise->done);
    else
        code = netron_registration_update_metadata(sim.registration, metadata, 1, record_done, &promise->done);
    took[which] = promise_given(promise, code);
}

static void update_all(void)
{
    for (int i = 0; i < 5; i++) {
        update(i);
        sim_settle();
    }
    sim_advance(3000);
}

static void update_refused_ones(void)
{
    for (int i = 0; i < 5; i++)
        if (!took[i])
            update(i);
}

static bool is_updated(void)
{
    return is_registered() && sim_last_register_has(" 10.0.0.9:80 [{\"name\":\"another service of a long name\"") &&
           sim_last_register_has("\"state\":\"maintenance\",\"reason\":\"a new disk goes in\",\"weight\":7,\"zone\":"
                                 "\"zone-1\",\"metadata\":{\"commit\"");
}

START_TEST(updates_of_each_part)
{
    static const struct shortage_story story = {"updates",           begin_registered, update_all,
                                                update_refused_ones, is_updated,       NULL};
    run(&story, _i);
}
END_TEST

/* ---- leaving ---- */

static bool leaves;

static void drain(void)
{
    struct promise *promise = promise_new();
    leaves = promise_given(promise, netron_registration_drain(sim.registration, 500, record_done, &promise->done));
}

static void drain_for_a_while(void)
{
    drain();
    sim_advance(700);
}

static void drain_unless_it_does(void)
{
    if (!leaves)
        drain();
}

/* A departure that fails to the end is told, and the node expires. */
static bool has_left(void)
{
    netron_registration_state state = latest_state(&sim.states);
    bool gave_up = state == NETRON_FAILED && sim.states.code[sim.states.count - 1] == NETRON_ENOMEM;
    return (state == NETRON_LEFT && !sim.peer.has_node) || gave_up;
}

START_TEST(a_drain)
{
    static const struct shortage_story story = {
        "drain", begin_registered, drain_for_a_while, drain_unless_it_does, has_left, NULL};
    run(&story, _i);
}
END_TEST

static void deregister(void)
{
    struct promise *promise = promise_new();
    leaves = promise_given(promise, netron_registration_deregister(sim.registration, record_done, &promise->done));
}

static void deregister_and_settle(void)
{
    deregister();
    sim_settle();
}

static void deregister_unless_it_does(void)
{
    if (!leaves)
        deregister();
}

START_TEST(a_deregistration)
{
    static const struct shortage_story story = {
        "deregister", begin_registered, deregister_and_settle, deregister_unless_it_does, has_left, NULL};
    run(&story, _i);
}
END_TEST

static void shut_down(void)
{
    struct promise *promise = promise_new();
    leaves = promise_given(promise, netron_discovery_shutdown(sim.discovery, record_done, &promise->done));
}

static void shut_down_and_settle(void)
{
    shut_down();
    sim_settle();
}

static void shut_down_unless_it_does(void)
{
    if (!leaves)
        shut_down();
}

START_TEST(a_shutdown)
{
    static const struct shortage_story story = {
        "shutdown", begin_registered, shut_down_and_settle, shut_down_unless_it_does, has_left, NULL};
    run(&story, _i);
}
END_TEST

static void free_in_the_middle(void)
{
    enrol();
    sim_settle();
    update(1);
    netron_registration_free(sim.registration);
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
}

START_TEST(an_end_in_the_middle_of_everything)
{
    static const struct shortage_story story = {"free", begin_registered, free_in_the_middle, NULL, NULL, NULL};
    run(&story, _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shortage_registration");
    TCase *tcase = suite_case(suite, "memory runs out during");
    allocations_of_libraries();
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_registration, 0, SHORTAGES);
    tcase_add_loop_test(tcase, beats_and_a_repair, 0, SHORTAGES);
    tcase_add_loop_test(tcase, a_heartbeat_that_was_lost, 0, SHORTAGES);
    tcase_add_loop_test(tcase, a_takeover_by_another_process, 0, SHORTAGES);
    tcase_add_loop_test(tcase, updates_of_each_part, 0, SHORTAGES);
    tcase_add_loop_test(tcase, a_drain, 0, SHORTAGES);
    tcase_add_loop_test(tcase, a_deregistration, 0, SHORTAGES);
    tcase_add_loop_test(tcase, a_shutdown, 0, SHORTAGES);
    tcase_add_loop_test(tcase, an_end_in_the_middle_of_everything, 0, SHORTAGES);
    return suite_run(suite);
}
