/* SPDX-License-Identifier: MIT */
/* Discoveries of one process: two on one loop, and one loop each in two threads, which share nothing. */
#include "recorders.h"
#include "server.h"
#include "suite.h"
#include "world.h"
#include <pthread.h>
#include <stdio.h>

#define P "netron:discovery"

static struct server server;

static void open_server(void)
{
    server_start(&server, NULL);
}

static void close_server(void)
{
    server_forget(&server);
    server_stop(&server);
}

struct member {
    struct world *world;
    netron_discovery *discovery;
    struct state_recorder states;
    struct event_recorder events;
    struct done_recorder left;
};

static bool has_event(const struct member *member, const char *text)
{
    for (int i = 0; i < member->events.count; i++)
        if (strncmp(member->events.events[i].text, text, strlen(text)) == 0)
            return true;
    return false;
}

static void begin(struct member *member, const char *id)
{
    const netron_options options = world_options(server.url);
    netron_service services[2];
    netron_node node = make_node(id, "10.0.0.1:4000", services, "users", "1.2.0", NULL, NULL);
    member->discovery = world_join(member->world, &options);
    ck_assert_int_eq(netron_subscribe_to_events(member->discovery, record_event, &member->events, NULL), 0);
    ck_assert_int_eq(netron_register(member->discovery, &node, record_state, &member->states, NULL), 0);
}

static void end(struct member *member)
{
    netron_discovery_free(member->discovery);
    world_turn(member->world);
}

START_TEST(two_discoveries_live_on_one_loop)
{
    struct world world;
    world_open(&world);
    struct member one = {.world = &world};
    struct member two = {.world = &world};
    begin(&one, "one");
    begin(&two, "two");
    AWAIT(&world, has_event(&one, "NODE_REGISTERED two") && has_event(&two, "NODE_REGISTERED one"));
    ck_assert_int_eq(netron_discovery_shutdown(one.discovery, record_done, &one.left), 0);
    AWAIT(&world, one.left.calls == 1 && has_event(&two, "NODE_DEREGISTERED one"));
    end(&one);
    int beats = two.states.count;
    world_run(&world, 50);
    ck_assert_int_eq(two.states.count, beats); /* nothing ails the other */
    end(&two);
    world_close(&world);
}
END_TEST

static pthread_barrier_t both_have_met;

/* Has a whole life on a loop of its own: registers, finds the other, hears it leave or leaves itself. */
static void *live(void *arg)
{
    const bool leaves_first = arg != NULL;
    struct world world;
    world_open(&world);
    struct member member = {.world = &world};
    struct nodes_recorder found = {0};
    begin(&member, leaves_first ? "first" : "last");
    AWAIT(&world, has_event(&member, leaves_first ? "NODE_REGISTERED last" : "NODE_REGISTERED first"));
    ck_assert_int_eq(netron_find_nodes_by_service(member.discovery, "users", "^1", record_nodes, &found), 0);
    AWAIT(&world, found.calls == 1);
    ck_assert_int_eq(found.code, 0);
    pthread_barrier_wait(&both_have_met); /* the other would not hear of one that has left already */
    if (!leaves_first)
        AWAIT(&world, has_event(&member, "NODE_DEREGISTERED first"));
    ck_assert_int_eq(netron_discovery_shutdown(member.discovery, record_done, &member.left), 0);
    AWAIT(&world, member.left.calls == 1);
    ck_assert_int_eq(member.left.code, 0);
    end(&member);
    world_close(&world);
    return NULL;
}

START_TEST(loops_in_two_threads_share_nothing)
{
    pthread_t threads[2];
    static int first;
    ck_assert_int_eq(pthread_barrier_init(&both_have_met, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&threads[0], NULL, live, &first), 0);
    ck_assert_int_eq(pthread_create(&threads[1], NULL, live, NULL), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&both_have_met);
    ck_assert_int_eq(server_integer(&server, "SCARD " P ":index:nodes"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("threads");
    TCase *tcase = suite_case(suite, reactor_name);
    tcase_add_checked_fixture(tcase, open_server, close_server);
    tcase_add_test(tcase, two_discoveries_live_on_one_loop);
    tcase_add_loop_test(tcase, loops_in_two_threads_share_nothing, 0, 3);
    return suite_run(suite);
}
