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
    struct link_recorder links;
    netron_registration *registration;
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
    netron_options options = world_options(server.url);
    netron_service services[2];
    netron_node node = make_node(id, "10.0.0.1:4000", services, "users", "1.2.0", NULL, NULL);
    options.heartbeat_ttl_ms = 20000; /* who waits for the other thread does not beat meanwhile */
    options.on_link = record_link;
    options.on_link_arg = &member->links;
    member->discovery = world_join(member->world, &options);
    ck_assert_int_eq(netron_subscribe_to_events(member->discovery, record_event, &member->events, NULL), 0);
    ck_assert_int_eq(netron_register(member->discovery, &node, record_state, &member->states, &member->registration),
                     0);
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

/* Asks Redis in each way there is. */
static void look_up(struct member *member, const char *other)
{
    struct nodes_recorder found = {0};
    struct nodes_recorder active = {0};
    struct active_recorder is_active = {0};
    ck_assert_int_eq(netron_find_nodes_by_service(member->discovery, "users", "^1", record_nodes, &found), 0);
    ck_assert_int_eq(netron_get_active_nodes(member->discovery, record_nodes, &active), 0);
    ck_assert_int_eq(netron_is_node_active(member->discovery, other, record_active, &is_active), 0);
    AWAIT(member->world, found.calls == 1 && active.calls == 1 && is_active.calls == 1);
    ck_assert_int_eq(found.code, 0);
    ck_assert_uint_eq(found.count, 2);
    ck_assert_int_eq(active.code, 0);
    ck_assert_uint_eq(active.count, 2);
    ck_assert_int_eq(is_active.active, 1);
}

/* Looks into the view, as a server does for each request. */
static void pick(struct member *member)
{
    netron_picker *picker = NULL;
    ck_assert_int_lt(netron_picker_new(member->discovery, "", "^1", NULL, &picker), 0);
    ck_assert_int_eq(netron_picker_new(member->discovery, "users", "^1", NULL, NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_picker_new(member->discovery, "users", "^1", NULL, &picker), 0);
    for (int i = 0; i < 100; i++) {
        const netron_snapshot *snapshot = netron_view_find(member->discovery, "users", i % 2 == 0 ? "^1" : "1.x");
        ck_assert_uint_eq(snapshot->count, 2);
        netron_snapshot_release(snapshot);
        const netron_node *node = netron_picker_pick(picker, NULL, 0);
        ck_assert_ptr_nonnull(node);
        netron_picker_report(picker, node, i % 3 != 0);
    }
    netron_picker_free(picker);
}

static pthread_barrier_t both_are_here;

/* Loses all connections at the same time as the other, and hears through new ones what the other changes. */
static void come_back(struct member *member, const char *other, bool kills)
{
    struct done_recorder updated = {0};
    char news[64];
    pthread_barrier_wait(&both_are_here);
    if (kills) { /* the other asks the server nothing that is not asked on its loop */
        server_integer(&server, "CLIENT KILL TYPE pubsub");
        server_integer(&server, "CLIENT KILL TYPE normal");
    }
    AWAIT(member->world, member->links.count[NETRON_LINK_COMMANDS] >= 3 && member->links.is_up[NETRON_LINK_COMMANDS] &&
                             member->links.count[NETRON_LINK_EVENTS] >= 3 && member->links.is_up[NETRON_LINK_EVENTS]);
    pthread_barrier_wait(&both_are_here);
    ck_assert_int_eq(netron_registration_update_address(member->registration, "10.0.0.2:5000", record_done, &updated),
                     0);
    snprintf(news, sizeof(news), "NODE_UPDATED %s 10.0.0.2:5000", other);
    AWAIT(member->world, updated.calls == 1 && has_event(member, news));
}

/* Has a whole life on a loop of its own: registers, finds the other, hears it leave or leaves itself. */
static void *live(void *arg)
{
    const bool leaves_first = arg != NULL;
    struct world world;
    world_open(&world);
    struct member member = {.world = &world};
    const char *other = leaves_first ? "last" : "first";
    begin(&member, leaves_first ? "first" : "last");
    AWAIT(&world, has_event(&member, leaves_first ? "NODE_REGISTERED last" : "NODE_REGISTERED first"));
    AWAIT(&world, latest_state(&member.states) == NETRON_REGISTERED);
    look_up(&member, other);
    pick(&member);
    come_back(&member, other, leaves_first);
    pthread_barrier_wait(&both_are_here); /* the other would not hear of one that has left already */
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
    ck_assert_int_eq(pthread_barrier_init(&both_are_here, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&threads[0], NULL, live, &first), 0);
    ck_assert_int_eq(pthread_create(&threads[1], NULL, live, NULL), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&both_are_here);
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
