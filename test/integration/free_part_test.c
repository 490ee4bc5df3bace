/* SPDX-License-Identifier: MIT */
/*
 * netron_registration_free() and netron_subscription_free() from every callback of the library, their own and each
 * other's: what is freed is silent from then on, and what is not goes on living.
 */
#include "recorders.h"
#include "server.h"
#include "spy.h"
#include "suite.h"
#include "world.h"

#define P "netron:discovery"

enum place {
    ON_REGISTERED,
    ON_LOST,
    ON_FAILED,
    ON_REPLACED,
    ON_LEAVING,
    ON_LEFT,
    ON_LINK_UP,
    ON_LINK_DOWN,
    ON_EVENTS_UP,
    ON_EVENTS_DOWN,
    ON_FOUND,
    ON_ACTIVE,
    ON_EVENT_OF_FIRST,
    ON_EVENT_OF_SECOND,
    ON_UPDATED,
    ON_DEREGISTERED,
    ON_SHUT_DOWN,
    PLACES,
    NOWHERE
};

/* Two registrations and two subscriptions; what happens, happens to the first registration. */
enum part { ONE, TWO, FIRST, SECOND, PARTS };
/* What is freed at the place: one of them, or all. */
enum victims { VICTIM_ONE, VICTIM_TWO, VICTIM_FIRST, VICTIM_SECOND, VICTIMS_ALL, VICTIMS };

static struct server server;
static struct world world;
static netron_options options;

static netron_discovery *discovery;
static netron_registration *registrations[2];
static netron_subscription *subscriptions[2];
static int numbers[PARTS] = {ONE, TWO, FIRST, SECOND}; /* the callbacks' arguments */

static enum place place;
static enum victims victims;
static bool is_done;
static bool is_gone[PARTS];
static int now_freed = -1; /* the part inside whose free() we are */
static int cancelled[PARTS];
static int registered[PARTS];
static int events[PARTS];
static bool is_up[3];

static void on_cancelled(netron_discovery *of, int code, void *arg)
{
    const int *part = arg;
    ck_assert_ptr_eq(of, discovery);
    ck_assert_int_eq(code, NETRON_ECANCELLED);
    ck_assert_int_eq(now_freed, *part);
    cancelled[*part]++;
}

static void free_part(int part)
{
    bool is_pending = false;
    now_freed = part;
    if (part == ONE || part == TWO) {
        /* Refused when it has ended already. */
        is_pending =
            netron_registration_update_address(registrations[part], "10.0.0.9:9", on_cancelled, &numbers[part]) == 0;
        netron_registration_free(registrations[part]);
        netron_registration_free(NULL);
    } else {
        netron_subscription_free(subscriptions[part - FIRST]);
    }
    now_freed = -1;
    is_gone[part] = true;
    ck_assert_int_eq(cancelled[part], is_pending);
}

/* Every callback of the test comes through here; part is whose it is, or PARTS. */
static void arrive(enum place here, int part)
{
    ck_assert_msg(part == PARTS || !is_gone[part], "part %d was called after it was freed", part);
    ck_assert_int_eq(now_freed, -1);
    if (is_done || here != place)
        return;
    is_done = true;
    for (int each = 0; each < PARTS; each++)
        if (victims == VICTIMS_ALL || (int)victims == each)
            free_part(each);
}

static void on_state(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    static const enum place places[] = {
        [NETRON_REGISTERED] = ON_REGISTERED, [NETRON_LOST] = ON_LOST,       [NETRON_FAILED] = ON_FAILED,
        [NETRON_REPLACED] = ON_REPLACED,     [NETRON_LEAVING] = ON_LEAVING, [NETRON_LEFT] = ON_LEFT,
    };
    const int *part = arg;
    (void)code;
    (void)registration;
    registered[*part] += state == NETRON_REGISTERED;
    arrive(*part == ONE ? places[state] : PLACES, *part);
}

static void on_link(netron_discovery *of, netron_link_role role, int code, const char *sentence, void *arg)
{
    (void)of;
    (void)sentence;
    (void)arg;
    is_up[role] = code == 0;
    if (role == NETRON_LINK_COMMANDS)
        arrive(code == 0 ? ON_LINK_UP : ON_LINK_DOWN, PARTS);
    else
        arrive(code == 0 ? ON_EVENTS_UP : ON_EVENTS_DOWN, PARTS);
}

static void on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    const int *part = arg;
    (void)subscription;
    if (event->type == NETRON_SYNCED)
        return;
    events[*part]++;
    arrive(*part == FIRST ? ON_EVENT_OF_FIRST : ON_EVENT_OF_SECOND, *part);
    ck_assert_str_ne(event->node->id, ""); /* valid until this returns */
}

static void on_found(netron_discovery *of, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    (void)of;
    (void)arg;
    ck_assert_int_eq(code, 0);
    arrive(ON_FOUND, PARTS);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(nodes[0]->id, "one");
}

static void on_active(netron_discovery *of, int code, int active, void *arg)
{
    (void)of;
    (void)arg;
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(active, 1);
    arrive(ON_ACTIVE, PARTS);
}

/* Of what was asked for in provoke(): done, unless the registration is freed before. */
static void on_done(enum place here, int code)
{
    ck_assert_int_eq(code, now_freed == ONE ? NETRON_ECANCELLED : 0);
    if (now_freed == -1)
        arrive(here, ONE);
}

static void on_updated(netron_discovery *of, int code, void *arg)
{
    (void)of;
    (void)arg;
    on_done(ON_UPDATED, code);
}

static void on_deregistered(netron_discovery *of, int code, void *arg)
{
    (void)of;
    (void)arg;
    on_done(ON_DEREGISTERED, code);
}

static void on_shut_down(netron_discovery *of, int code, void *arg)
{
    (void)of;
    (void)arg;
    ck_assert_int_eq(code, 0);
    arrive(ON_SHUT_DOWN, PARTS);
}

/* ---- the tests ---- */

static void open_world(void)
{
    server_start(&server, NULL);
    world_open(&world);
    options = world_options(server.url);
    options.on_link = on_link;
    options.heartbeat_interval_ms = 30;
    options.retry_delay_ms = 5;
}

static void close_world(void)
{
    netron_discovery_free(discovery);
    world_close(&world);
    server_forget(&server);
    server_stop(&server);
}

static void begin(const char *id, netron_registration_fn fn, void *arg, netron_registration **out)
{
    netron_service services[2];
    netron_node node = make_node(id, "10.0.0.1:4000", services, "users", "1.2.0", "mail", NULL);
    ck_assert_int_eq(netron_register(discovery, &node, fn, arg, out), 0);
}

static void provoke(void)
{
    switch (place) {
    case ON_REPLACED:
        server_expect(&server, "OK", "SET " P ":heartbeat:one another PX 60000");
        break;
    case ON_FAILED:
        server_kill(&server);
        break;
    case ON_LINK_DOWN:
        server_integer(&server, "CLIENT KILL TYPE normal SKIPME yes");
        break;
    case ON_EVENTS_DOWN:
        server_integer(&server, "CLIENT KILL TYPE pubsub");
        break;
    case ON_FOUND:
        ck_assert_int_eq(netron_find_nodes_by_service(discovery, "users", NULL, on_found, NULL), 0);
        break;
    case ON_ACTIVE:
        ck_assert_int_eq(netron_is_node_active(discovery, "one", on_active, NULL), 0);
        break;
    case ON_EVENT_OF_FIRST:
    case ON_EVENT_OF_SECOND:
    case ON_UPDATED:
        ck_assert_int_eq(netron_registration_update_address(registrations[0], "10.0.0.2:1", on_updated, NULL), 0);
        break;
    case ON_LEAVING:
    case ON_LEFT:
    case ON_DEREGISTERED:
        ck_assert_int_eq(netron_registration_deregister(registrations[0], on_deregistered, NULL), 0);
        break;
    case ON_SHUT_DOWN:
        ck_assert_int_eq(netron_discovery_shutdown(discovery, on_shut_down, NULL), 0);
        break;
    default:
        break;
    }
}

/* To be lost, again and again: a repair puts it back and does not know that it was gone. */
static bool deletes_heartbeat(const char *id)
{
    server_integer(&server, "DEL " P ":heartbeat:%s", id);
    return false;
}

/* What is left of the four works, and the discovery does. */
static void assert_the_rest_lives(void)
{
    struct state_recorder states = {0};
    if (server.pid == 0)
        server_start_again(&server, NULL);
    AWAIT(&world, is_up[NETRON_LINK_COMMANDS] && is_up[NETRON_LINK_EVENTS]);
    int heard[PARTS];
    memcpy(heard, events, sizeof(heard));
    begin("three", record_state, &states, NULL);
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    for (int each = FIRST; each <= SECOND; each++)
        AWAIT(&world, is_gone[each] || events[each] > heard[each]);
    if (!is_gone[TWO]) {
        AWAIT(&world, server_integer(&server, "EXISTS " P ":heartbeat:two") == 1);
        int before = registered[TWO];
        AWAIT(&world, registered[TWO] > before || deletes_heartbeat("two"));
    }
}

START_TEST(a_part_is_freed_from_a_callback)
{
    place = (enum place)(_i / VICTIMS);
    victims = (enum victims)(_i % VICTIMS);
    discovery = world_join(&world, &options);
    begin("one", on_state, &numbers[ONE], &registrations[0]);
    begin("two", on_state, &numbers[TWO], &registrations[1]);
    for (int each = 0; each < 2; each++)
        ck_assert_int_eq(netron_subscribe_to_events(discovery, on_event, &numbers[FIRST + each], &subscriptions[each]),
                         0);
    AWAIT(&world, is_done || (registered[ONE] > 0 && registered[TWO] > 0 && is_up[NETRON_LINK_COMMANDS] &&
                              is_up[NETRON_LINK_EVENTS]));
    if (!is_done)
        provoke();
    AWAIT(&world, is_done || (place == ON_LOST && deletes_heartbeat("one")));
    if (place != ON_SHUT_DOWN)
        assert_the_rest_lives();
    for (int i = 0; i < 20; i++)
        world_turn(&world);
    for (int each = ONE; each <= TWO; each++)
        ck_assert_int_le(cancelled[each], 1);
}
END_TEST

/* ---- inside the end of another ---- */

static int freed_inside;

static void free_the_other(netron_discovery *of, int code, void *arg)
{
    (void)of;
    ck_assert_int_eq(code, NETRON_ECANCELLED);
    freed_inside++;
    netron_registration **other = arg;
    netron_registration *victim = *other;
    *other = NULL;
    netron_registration_free(victim);
    netron_subscription_free(subscriptions[0]);
    subscriptions[0] = NULL;
}

/* Freeing one frees another from inside, which frees the first, and so on until all are gone. */
START_TEST(parts_free_each_other_while_the_discovery_is_freed)
{
    discovery = world_join(&world, &options);
    begin("one", on_state, &numbers[ONE], &registrations[0]);
    begin("two", on_state, &numbers[TWO], &registrations[1]);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, on_event, &numbers[FIRST], &subscriptions[0]), 0);
    place = NOWHERE;
    AWAIT(&world, registered[ONE] == 1 && registered[TWO] == 1);
    for (int each = 0; each < 2; each++)
        ck_assert_int_eq(netron_registration_update_address(registrations[each], "10.0.0.2:1", free_the_other,
                                                            &registrations[1 - each]),
                         0);
    if (_i == 0) {
        netron_discovery_free(discovery);
        discovery = NULL;
    } else {
        netron_registration *first = registrations[0];
        netron_registration_free(first);
    }
    ck_assert_int_eq(freed_inside, 2);
    memset(is_gone, true, sizeof(is_gone));
    world_run(&world, 50);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("free_part");
    TCase *tcase = suite_case(suite, "registrations and subscriptions");
    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_add_loop_test(tcase, a_part_is_freed_from_a_callback, 0, PLACES * VICTIMS);
    tcase_add_loop_test(tcase, parts_free_each_other_while_the_discovery_is_freed, 0, 2);
    return suite_run(suite);
}
