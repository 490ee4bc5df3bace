/* SPDX-License-Identifier: MIT */
/* What a node says of itself beside its services: it reaches everybody by every way there is, and outlasts what Redis
 * loses. */
#include "scene.h"
#include "spy.h"
#include <stdio.h>
#include <string.h>

#define P PREFIX
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Everything that is said, and what a test expects of it: "id state reason weight zone key=value". */
struct sayings {
    int synced;
    int count;
    char line[RECORDS_MAX][512];
};

static void describe(char *text, size_t size, const char *prefix, const netron_node *node)
{
    int length = snprintf(text, size, "%s%s %s %s %u %s", prefix, node->id, netron_node_state_name(node->state),
                          node->reason != NULL ? node->reason : "-", (unsigned)node->weight,
                          node->zone != NULL ? node->zone : "-");
    for (size_t i = 0; i < node->metadata_count; i++)
        length +=
            snprintf(text + length, size - (size_t)length, " %s=%s", node->metadata[i].key, node->metadata[i].value);
}

static void on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    struct sayings *sayings = arg;
    char prefix[64];
    if (event->type == NETRON_SYNCED) {
        sayings->synced++;
        return;
    }
    ck_assert_int_lt(sayings->count, RECORDS_MAX);
    snprintf(prefix, sizeof(prefix), "%s ", netron_event_type_name(event->type) + strlen("NODE_"));
    describe(sayings->line[sayings->count++], sizeof(sayings->line[0]), prefix, event->node);
}

static void on_nodes(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    (void)discovery;
    struct sayings *sayings = arg;
    ck_assert_int_eq(code, 0);
    ck_assert_uint_eq(count, 1);
    describe(sayings->line[0], sizeof(sayings->line[0]), "", nodes[0]);
    sayings->count = 1;
}

static struct sayings heard;
static struct done_recorder done;
static netron_discovery *owner;
static netron_discovery *watcher;

static void open_states(void)
{
    const netron_options options = world_options(scene.server.url);
    owner = scene_join(&options);
    watcher = scene_join(&options);
    ck_assert_int_eq(netron_subscribe_to_events(watcher, on_event, &heard, NULL), 0);
    AWAIT(&scene.world, heard.synced == 1);
}

static void close_states(void)
{
    netron_discovery_free(owner);
    netron_discovery_free(watcher);
}

static netron_registration *begin(const char *id, netron_node_state state, const char *zone)
{
    static const netron_metadata metadata[] = {{"rack", "r2"}, {"build", "a\"b"}};
    netron_service services[2];
    netron_node node = make_node(id, "10.0.0.1:80", services, "orders", "1.0.0", NULL, NULL);
    netron_registration *registration = NULL;
    node.state = state;
    node.reason = state != NETRON_NODE_UP ? "warming up" : NULL;
    node.weight = 7;
    node.zone = zone;
    node.metadata = metadata;
    node.metadata_count = 2;
    ck_assert_int_eq(netron_register(owner, &node, NULL, NULL, &registration), 0);
    AWAIT(&scene.world, netron_registration_get_state(registration) == NETRON_REGISTERED);
    return registration;
}

/* Asks Redis, and the view; both must say the same. */
static void expect_everywhere(const char *id, const char *expected)
{
    static struct sayings found;
    char text[512];
    found.count = 0;
    ck_assert_int_eq(netron_find_nodes_by_service(owner, "orders", "1.x", on_nodes, &found), 0);
    AWAIT(&scene.world, found.count == 1);
    ck_assert_str_eq(found.line[0], expected);
    const netron_snapshot *held = netron_view_node(watcher, id);
    ck_assert_uint_eq(held->count, 1);
    describe(text, sizeof(text), "", held->nodes[0]);
    ck_assert_str_eq(text, expected);
    netron_snapshot_release(held);
}

/* The next event, and that it was the only one. */
static void expect_event(int number, const char *expected)
{
    AWAIT(&scene.world, heard.count >= number);
    ck_assert_int_eq(heard.count, number);
    ck_assert_str_eq(heard.line[number - 1], expected);
}

/* ---- the way to everybody ---- */

START_TEST(what_a_node_says_reaches_events_lookups_and_views_at_registration_and_at_each_update)
{
    static const netron_metadata metadata[] = {{"rack", "r3"}};
    netron_registration *node = begin("a", NETRON_NODE_STARTING, "zone-1");
    expect_event(1, "REGISTERED a starting warming up 7 zone-1 build=a\"b rack=r2");
    expect_everywhere("a", "a starting warming up 7 zone-1 build=a\"b rack=r2");

    ck_assert_int_eq(netron_registration_update_state(node, NETRON_NODE_UP, NULL, record_done, &done), 0);
    expect_event(2, "UPDATED a up - 7 zone-1 build=a\"b rack=r2");
    ck_assert_int_eq(netron_registration_update_weight(node, 70, record_done, &done), 0);
    expect_event(3, "UPDATED a up - 70 zone-1 build=a\"b rack=r2");
    ck_assert_int_eq(netron_registration_update_metadata(node, metadata, 1, record_done, &done), 0);
    expect_event(4, "UPDATED a up - 70 zone-1 rack=r3");
    ck_assert_int_eq(netron_registration_update_state(node, NETRON_NODE_MAINTENANCE, "new disks", record_done, &done),
                     0);
    expect_event(5, "UPDATED a maintenance new disks 70 zone-1 rack=r3");
    AWAIT(&scene.world, done.calls == 4);
    ck_assert_int_eq(done.code, 0);
    expect_everywhere("a", "a maintenance new disks 70 zone-1 rack=r3");
    ck_assert(digest_is_right(&scene.server));
}
END_TEST

START_TEST(who_comes_later_hears_it_too)
{
    const netron_options options = world_options(scene.server.url);
    static struct sayings later;
    begin("a", NETRON_NODE_MAINTENANCE, NULL);
    netron_discovery *late = scene_join(&options);
    ck_assert_int_eq(netron_subscribe_to_events(late, on_event, &later, NULL), 0);
    AWAIT(&scene.world, later.count == 1);
    ck_assert_str_eq(later.line[0], "REGISTERED a maintenance warming up 7 - build=a\"b rack=r2");
    netron_discovery_free(late);
}
END_TEST

/* ---- what Redis loses ---- */

/* What goes wrong; the node's owner finds out by a beat, or by the repair at every tenth. */
static const char *const losses[] = {
    "DEL " P ":heartbeat:a",
    "DEL " P ":nodes:a " P ":index:service:orders",
    "HDEL " P ":records a",
    "DEL " P ":records",
    "DEL " P ":registry",
    "DEL " P ":registry " P ":records " P ":changes " P ":expiry " P ":nodes:a " P ":heartbeat:a",
    "FLUSHALL",
};

/* Whether the watcher looks meanwhile (the second half), or hears of it only by what is published. */
START_TEST(what_a_node_says_survives_repairs_and_registering_again)
{
    const int loss = _i % (int)COUNT(losses);
    const bool looks = _i >= (int)COUNT(losses);
    static const char saying[] = "a draining going home 70 zone-1 build=a\"b rack=r2";
    netron_registration *node = begin("a", NETRON_NODE_UP, "zone-1");
    ck_assert_int_eq(netron_registration_update_weight(node, 70, NULL, NULL), 0);
    ck_assert_int_eq(netron_registration_update_state(node, NETRON_NODE_DRAINING, "going home", record_done, &done), 0);
    AWAIT(&scene.world, done.calls == 1 && heard.count > 0 && strstr(heard.line[heard.count - 1], saying) != NULL);
    int told = heard.count;
    uint64_t registers = scene_stats(owner).registers;

    freeReplyObject(server_ask(&scene.server, losses[loss]));
    if (looks)
        server_expect(&scene.server, "1", "CLIENT KILL TYPE pubsub");
    AWAIT(&scene.world, scene_stats(owner).registers > registers &&
                            server_integer(&scene.server, "HEXISTS %s a", P ":records") == 1 &&
                            server_integer(&scene.server, "EXISTS %s %s", P ":nodes:a", P ":heartbeat:a") == 2);
    expect_everywhere("a", saying);
    netron_view_status status = {.size = sizeof(status)};
    AWAIT(&scene.world, netron_view_get_status(watcher, &status) == 0 && status.state == NETRON_VIEW_FRESH);
    ck_assert_int_eq(heard.count, told); /* nothing has happened that anybody should hear of */
    ck_assert(digest_is_right(&scene.server));
}
END_TEST

/* ---- choosing ---- */

static const char *picked(netron_picker *picker)
{
    static char ids[128];
    ids[0] = '\0';
    for (int i = 0; i < 30; i++) {
        const netron_node *node = netron_picker_pick(picker, NULL, 0);
        if (node != NULL && strstr(ids, node->id) == NULL)
            snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s ", node->id);
        netron_picker_report(picker, node, 1);
    }
    /* In turn by id, from anywhere: begin with the first. */
    while (ids[0] > 'a' && strchr(ids, 'a') != NULL) {
        char first = ids[0];
        memmove(ids, ids + 2, strlen(ids + 2) + 1);
        snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%c ", first);
    }
    return ids;
}

START_TEST(only_nodes_that_are_up_are_picked)
{
    netron_picker *picker = NULL;
    ck_assert_int_eq(netron_picker_new(watcher, "orders", NULL, NULL, &picker), 0);
    netron_registration *a = begin("a", NETRON_NODE_UP, NULL);
    netron_registration *b = begin("b", NETRON_NODE_STARTING, NULL);
    begin("c", NETRON_NODE_MAINTENANCE, NULL);
    begin("d", NETRON_NODE_DRAINING, NULL);
    AWAIT(&scene.world, heard.count == 4);
    ck_assert_str_eq(picked(picker), "a ");
    ck_assert_int_eq(netron_registration_update_state(b, NETRON_NODE_UP, NULL, NULL, NULL), 0);
    AWAIT(&scene.world, heard.count == 5);
    ck_assert_str_eq(picked(picker), "a b ");
    ck_assert_int_eq(netron_registration_drain(a, 60000, NULL, NULL), 0);
    AWAIT(&scene.world, heard.count == 6);
    ck_assert_str_eq(picked(picker), "b ");
    ck_assert_int_eq(netron_registration_update_state(b, NETRON_NODE_MAINTENANCE, NULL, NULL, NULL), 0);
    AWAIT(&scene.world, heard.count == 7);
    ck_assert_ptr_null(netron_picker_pick(picker, NULL, 0));
    const netron_snapshot *all = netron_view_find(watcher, "orders", NULL);
    ck_assert_uint_eq(all->count, 4); /* they are there, for whoever wants to see them */
    netron_snapshot_release(all);
    netron_picker_free(picker);
}
END_TEST

/* ---- draining ---- */

static int count_heard(const char *beginning, const char *words)
{
    int count = 0;
    for (int i = 0; i < heard.count; i++)
        count += strncmp(heard.line[i], beginning, strlen(beginning)) == 0 && strstr(heard.line[i], words) != NULL;
    return count;
}

#define DRAIN_MS 1000 /* longer than a busy machine lets this process wait */
#define SEVERAL 5

START_TEST(several_registrations_drain_side_by_side_and_leave_when_each_is_due)
{
    netron_registration *nodes[SEVERAL];
    static struct spy spy;
    for (int i = 0; i < SEVERAL; i++) {
        const char id[] = {(char)('a' + i), '\0'};
        nodes[i] = begin(id, NETRON_NODE_UP, NULL);
    }
    AWAIT(&scene.world, heard.count == SEVERAL);
    spy_watch_events(&spy, &scene.server);
    uint64_t began_at = world_clock_ms();
    for (int i = 0; i < SEVERAL - 1; i++)
        ck_assert_int_eq(netron_registration_drain(nodes[i], DRAIN_MS, record_done, &done), 0);
    AWAIT(&scene.world, count_heard("UPDATED", " draining shutting down ") == SEVERAL - 1);
    ck_assert_int_eq(count_heard("DEREGISTERED", ""), 0);
    ck_assert_int_eq(done.calls, 0);
    AWAIT(&scene.world, done.calls == SEVERAL - 1 && count_heard("DEREGISTERED", " draining ") == SEVERAL - 1);
    ck_assert_uint_ge(world_clock_ms() - began_at, DRAIN_MS - 50); /* the slack is the loop's cached time */
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(heard.count, SEVERAL + 2 * (SEVERAL - 1));
    ck_assert_int_eq(spy_count(&spy, "\"reason\":\"shutdown\""), SEVERAL - 1);
    ck_assert_int_eq((int)netron_registration_get_state(nodes[SEVERAL - 1]), NETRON_REGISTERED);
    server_expect(&scene.server, "1", "HLEN " P ":records");
    ck_assert(digest_is_right(&scene.server));
    spy_close(&spy);
}
END_TEST

START_TEST(a_shutdown_ends_the_drains_that_are_under_way)
{
    static struct done_recorder shut;
    netron_registration *a = begin("a", NETRON_NODE_UP, NULL);
    netron_registration *b = begin("b", NETRON_NODE_UP, NULL);
    begin("c", NETRON_NODE_UP, NULL);
    ck_assert_int_eq(netron_registration_drain(a, 60000, record_done, &done), 0);
    ck_assert_int_eq(netron_registration_drain(b, 60000, record_done, &done), 0);
    AWAIT(&scene.world, count_heard("UPDATED", " draining ") == 2);
    ck_assert_int_eq(netron_discovery_shutdown(owner, record_done, &shut), 0);
    AWAIT(&scene.world, shut.calls == 1 && count_heard("DEREGISTERED", "") == 3);
    ck_assert_int_eq(shut.code, 0);
    ck_assert_int_eq(done.calls, 2);
    ck_assert_int_eq(done.code, 0);
    server_expect(&scene.server, "0", "HLEN " P ":records");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("states");
    TCase *tcase = scene_case(suite, "the way to everybody");
    tcase_add_checked_fixture(tcase, open_states, close_states);
    tcase_add_test(tcase, what_a_node_says_reaches_events_lookups_and_views_at_registration_and_at_each_update);
    tcase_add_test(tcase, who_comes_later_hears_it_too);
    tcase = scene_case(suite, "what Redis loses");
    tcase_add_checked_fixture(tcase, open_states, close_states);
    tcase_add_loop_test(tcase, what_a_node_says_survives_repairs_and_registering_again, 0, 2 * COUNT(losses));
    tcase = scene_case(suite, "choosing");
    tcase_add_checked_fixture(tcase, open_states, close_states);
    tcase_add_test(tcase, only_nodes_that_are_up_are_picked);
    tcase = scene_case(suite, "draining");
    tcase_add_checked_fixture(tcase, open_states, close_states);
    tcase_add_test(tcase, several_registrations_drain_side_by_side_and_leave_when_each_is_due);
    tcase_add_test(tcase, a_shutdown_ends_the_drains_that_are_under_way);
    return suite_run(suite);
}
