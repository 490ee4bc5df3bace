/* SPDX-License-Identifier: MIT */
/* A whole life on libevent and a real Redis, with the memory running out at one allocation after the other. */
#include "failing_allocations.h"
#include "stage.h"
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define TELLING_MS 150 /* the longest time without memory */
#define SEVERAL 4
#define ADDRESS "an-address-of-some-length.example:4000"

static char url[64];
static long point; /* of this telling: how many allocations succeed before one fails */

static struct {
    struct link_recorder links;
    struct log_recorder log;
    struct state_recorder states;
    struct event_recorder events;
    struct done_recorder updated, left;
    struct nodes_recorder found;
    netron_registration *registration;
    netron_subscription *subscription;
    bool has_updated, has_asked, leaves;
} life;

static void start_server_on_tcp(void)
{
    char number[16];
    snprintf(number, sizeof(number), "%u", server_free_port());
    snprintf(url, sizeof(url), "redis://localhost:%s", number);
    const char *const extra[] = {"--port", number, "--bind", "127.0.0.1", NULL};
    server_start(&server, extra);
}

static bool accepts(int code)
{
    ck_assert_msg(code == 0 || code == NETRON_ENOMEM || code == NETRON_ELOOP, "at allocation %ld: a call returned %d",
                  point, code);
    return code == 0;
}

/* ---- the calls of a life; each is made again when it was refused ---- */

static void begin_life(void)
{
    const netron_service services[] = {{"web", "1.2.3"}, {"a service of a long name", NULL}};
    const netron_metadata metadata[] = {{"commit", "0123456789abcdef0123456789abcdef01234567"}};
    netron_node node = NETRON_NODE_INIT;
    node.id = "node-1";
    node.address = "10.0.0.1:1";
    node.services = services;
    node.service_count = 2;
    node.metadata = metadata;
    node.metadata_count = 1;
    if (discovery == NULL && !accepts(reactor_discovery_new(world.reactor, &options, &discovery)))
        return;
    if (life.subscription == NULL)
        accepts(netron_subscribe_to_events(discovery, record_event, &life.events, &life.subscription));
    if (life.registration == NULL)
        accepts(netron_register(discovery, &node, record_state, &life.states, &life.registration));
}

static void ask_and_update(void)
{
    if (discovery != NULL && !life.has_asked)
        life.has_asked = accepts(netron_find_nodes_by_service(discovery, "web", "^1.2", record_nodes, &life.found));
    if (life.registration != NULL && !life.has_updated)
        life.has_updated =
            accepts(netron_registration_update_address(life.registration, ADDRESS, record_done, &life.updated));
}

static bool is_registered(void)
{
    return latest_state(&life.states) == NETRON_REGISTERED && life.events.synced > 0;
}

/* ---- with and without memory ---- */

/* As reactor_turn(), without a timer of its own. */
static void turn_until(bool (*is_reached)(void))
{
    for (uint64_t end = world_clock_ms() + TELLING_MS; !is_reached() && world_clock_ms() < end; poll(NULL, 0, 1))
        event_base_loop(reactor_base(world.reactor), EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static bool is_updated(void)
{
    return life.updated.calls == 1 && life.found.calls == 1;
}

static void live(void)
{
    begin_life();
    turn_until(is_registered);
    ask_and_update();
    turn_until(is_updated);
}

static bool is_exact(void)
{
    const netron_snapshot *snapshot = netron_view_find(discovery, "web", "^1");
    netron_view_status status = {.size = sizeof(status)};
    bool is_known = snapshot != NULL && snapshot->count == 1 && strcmp(snapshot->nodes[0]->address, ADDRESS) == 0;
    netron_snapshot_release(snapshot);
    ck_assert_int_eq(netron_view_get_status(discovery, &status), 0);
    return is_known && status.state == NETRON_VIEW_FRESH && is_registered();
}

static void expect_whole(void)
{
    uint64_t limit = world_clock_ms() + WORLD_LIMIT_MS;
    while (!is_exact()) {
        ck_assert_msg(world_clock_ms() < limit, "after allocation %ld had failed, nothing was whole again: %s", point,
                      life.links.sentence[NETRON_LINK_COMMANDS]);
        world_turn(&world);
    }
    AWAIT(&world, life.found.calls == 1);
    ck_assert_msg(text_is(&server, ADDRESS, "HGET " P ":nodes:%s address", "node-1"), "at allocation %ld", point);
    ck_assert(digest_is_right(&server));
    ck_assert_int_eq(life.events.synced, 1);
}

static void leave(void)
{
    ck_assert_int_eq(netron_discovery_shutdown(discovery, record_done, &life.left), 0);
    AWAIT(&world, life.left.calls == 1);
    ck_assert_int_eq(life.left.code, 0);
    server_expect(&server, "0", "EXISTS " P ":heartbeat:node-1");
}

static unsigned long tell(long failing)
{
    memset(&life, 0, sizeof(life));
    open_world();
    options.url = url;
    options.connect_timeout_ms = 500;
    options.on_link = record_link;
    options.on_link_arg = &life.links;
    server_forget(&server);
    allocations_failed = 0;
    allocations_failing = failing;
    allocations_left = point;
    live();
    allocations_left = -1;
    unsigned long failed = allocations_failed;
    begin_life();
    ask_and_update();
    expect_whole();
    leave();
    ck_assert_int_eq(life.updated.calls, 1);
    ck_assert_int_eq(life.found.calls, 1);
    close_world();
    return failed;
}

/* From the first one on, and every so many. */
static void run(const char *what, long failing, long first, long stride)
{
    int descriptors = suite_descriptors();
    long points = 0;
    for (point = first; tell(failing) > 0; point += stride, points++)
        ck_assert_int_eq(suite_descriptors(), descriptors);
    ck_assert_int_gt(points, 0);
    printf("# %s: %s failing at %ld points, every %ldth\n", what,
           failing == 1 ? "one allocation" : (failing > 0 ? "some allocations" : "all allocations from there on"),
           points, stride);
    fflush(stdout);
}

static const long shortages[] = {1, SEVERAL, -1};

START_TEST(a_life_of_which_libevent_has_no_memory_for_a_part)
{
    allocations_meant = ALLOCATIONS_OF_LIBEVENT;
    run("libevent", shortages[_i], 0, 1);
}
END_TEST

START_TEST(a_life_of_which_nobody_has_memory_for_a_part)
{
    run("everybody", shortages[_i], _i, 37);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shortage");
    TCase *tcase = suite_case(suite, "real Redis");
    allocations_of_libraries();
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, start_server_on_tcp, stop_server);
    tcase_add_loop_test(tcase, a_life_of_which_libevent_has_no_memory_for_a_part, 0, COUNT(shortages));
    tcase_add_loop_test(tcase, a_life_of_which_nobody_has_memory_for_a_part, 0, COUNT(shortages));
    return suite_run(suite);
}
