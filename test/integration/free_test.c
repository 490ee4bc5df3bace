/* SPDX-License-Identifier: MIT */
/*
 * netron_discovery_free() from every callback of the library, and at every moment of a connection's life: what is
 * pending hears NETRON_ECANCELLED once, from inside, and nothing is called ever again. The descriptors are counted and
 * the base is freed afterwards; memory is the sanitizers' matter.
 */
#include "recorders.h"
#include "server.h"
#include "spy.h"
#include "suite.h"
#include "world.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define P "netron:discovery"

enum place {
    ON_REGISTERED,
    ON_LOST,
    ON_FAILED,
    ON_REPLACED,
    ON_LEAVING,
    ON_LEFT,
    ON_FAILED_TO_LEAVE,
    ON_LINK_UP,
    ON_LINK_DOWN,
    ON_EVENTS_UP,
    ON_EVENTS_DOWN,
    ON_FOUND,
    ON_ACTIVE_NODES,
    ON_ACTIVE,
    ON_EVENT,
    ON_UPDATED,
    ON_DEREGISTERED,
    ON_SHUT_DOWN,
    PLACES
};

static struct server server;
static struct world world;
static netron_options options;

static netron_discovery *discovery; /* NULL from the beginning of its end */
static netron_registration *one;
static netron_registration *two;
static enum place place; /* where it is to be freed */
static bool is_freeing;
static bool is_freed;
static int registered;
static int pending;   /* operations that were begun just before the end */
static int cancelled; /* of those */
static bool is_up[3];
static int refused_inside;   /* calls made while it was being freed, all of them refused */
static bool may_end_earlier; /* some of the pending may be over before it is freed */

/* ---- callbacks that must not come when it is over ---- */

static void on_cancelled(netron_discovery *of, int code, void *arg)
{
    int *calls = arg;
    netron_node node = NETRON_NODE_INIT;
    node.id = "late";
    node.address = "a:1";
    ck_assert(!is_freed);
    ck_assert_int_eq(++*calls, 1);
    cancelled++;
    if (may_end_earlier && !is_freeing)
        return;
    ck_assert(is_freeing);
    ck_assert_int_eq(code, NETRON_ECANCELLED);
    ck_assert_int_eq(netron_register(of, &node, NULL, NULL, NULL), NETRON_ESHUTDOWN);
    ck_assert_int_eq(netron_discovery_shutdown(of, NULL, NULL), NETRON_ESHUTDOWN);
    ck_assert_str_ne(netron_discovery_error(of), "");
    netron_discovery_free(of); /* again, which changes nothing */
    refused_inside++;
}

static void on_nodes_cancelled(netron_discovery *of, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    (void)nodes;
    ck_assert_uint_eq(count, 0);
    on_cancelled(of, code, arg);
}

static void on_active_cancelled(netron_discovery *of, int code, int active, void *arg)
{
    ck_assert_int_eq(active, 0);
    on_cancelled(of, code, arg);
}

/* Begins one operation of each kind, as far as the moment allows any. */
static void begin_what_will_be_cancelled(void)
{
    static int calls[7];
    memset(calls, 0, sizeof(calls));
    pending += netron_find_nodes_by_service(discovery, "users", NULL, on_nodes_cancelled, &calls[0]) == 0;
    pending += netron_get_active_nodes(discovery, on_nodes_cancelled, &calls[1]) == 0;
    pending += netron_is_node_active(discovery, "one", on_active_cancelled, &calls[2]) == 0;
    pending += netron_registration_update_address(two, "10.0.0.9:9", on_cancelled, &calls[3]) == 0;
    pending += netron_registration_update_address(one, "10.0.0.9:9", on_cancelled, &calls[4]) == 0;
    pending += netron_registration_deregister(one, on_cancelled, &calls[5]) == 0;
    pending += netron_discovery_shutdown(discovery, on_cancelled, &calls[6]) == 0;
}

/* Every callback of the test comes through here. */
static void arrive(enum place here)
{
    ck_assert_msg(!is_freed && !is_freeing, "place %d was called after the end", here);
    if (here != place || discovery == NULL)
        return;
    netron_discovery *mine = discovery;
    begin_what_will_be_cancelled();
    discovery = NULL;
    is_freeing = true;
    netron_discovery_free(mine);
    is_freeing = false;
    is_freed = true;
}

static void on_state(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    static const enum place places[] = {
        [NETRON_REGISTERED] = ON_REGISTERED, [NETRON_LOST] = ON_LOST,       [NETRON_FAILED] = ON_FAILED,
        [NETRON_REPLACED] = ON_REPLACED,     [NETRON_LEAVING] = ON_LEAVING, [NETRON_LEFT] = ON_LEFT,
    };
    static bool leaves;
    (void)code;
    (void)arg;
    ck_assert_int_eq(netron_registration_get_state(registration), state);
    registered += state == NETRON_REGISTERED;
    leaves = leaves || state == NETRON_LEAVING;
    arrive(state == NETRON_FAILED && leaves ? ON_FAILED_TO_LEAVE : places[state]);
}

static void on_link(netron_discovery *of, netron_link_role role, int code, const char *sentence, void *arg)
{
    (void)of;
    (void)arg;
    is_up[role] = code == 0;
    if (role == NETRON_LINK_COMMANDS)
        arrive(code == 0 ? ON_LINK_UP : ON_LINK_DOWN);
    else
        arrive(code == 0 ? ON_EVENTS_UP : ON_EVENTS_DOWN);
    ck_assert_int_eq(sentence[0] == '\0', code == 0); /* valid until this returns */
}

static void on_found(netron_discovery *of, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    (void)of;
    ck_assert_int_eq(code, 0);
    ck_assert_uint_eq(count, 2);
    arrive(arg == NULL ? ON_FOUND : ON_ACTIVE_NODES);
    ck_assert_str_eq(nodes[1]->id, "two");
}

static void on_active(netron_discovery *of, int code, int active, void *arg)
{
    (void)of;
    (void)arg;
    ck_assert_int_eq(code, 0);
    ck_assert_int_eq(active, 1);
    arrive(ON_ACTIVE);
}

static void on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    (void)arg;
    if (event->type == NETRON_SYNCED)
        return;
    arrive(ON_EVENT);
    ck_assert_uint_gt(event->revision, 0);
    ck_assert_str_ne(event->node->id, "");
}

static void on_done(netron_discovery *of, int code, void *arg)
{
    const enum place *here = arg;
    (void)of;
    ck_assert(!is_freed);
    if (is_freeing) { /* that of the deregistration which is under way */
        ck_assert_int_eq(code, NETRON_ECANCELLED);
        return;
    }
    ck_assert_int_eq(code, place == ON_FAILED_TO_LEAVE ? NETRON_EDISCONNECTED : 0);
    arrive(*here);
}

/* ---- the tests ---- */

static void open_world(void)
{
    server_start(&server, NULL);
    world_open(&world);
    options = world_options(server.url);
    options.on_link = on_link;
}

static void close_world(void)
{
    world_close(&world);
    server_forget(&server);
    server_stop(&server);
}

static netron_registration *begin(const char *id)
{
    netron_service services[2];
    netron_node node = make_node(id, "10.0.0.1:4000", services, "users", "1.2.0", "mail", NULL);
    netron_registration *registration = NULL;
    ck_assert_int_eq(netron_register(discovery, &node, on_state, NULL, &registration), 0);
    return registration;
}

static void begin_all(void)
{
    discovery = world_join(&world, &options);
    one = begin("one");
    two = begin("two");
    ck_assert_int_eq(netron_subscribe_to_events(discovery, on_event, NULL, NULL), 0);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, on_event, NULL, NULL), 0);
}

static bool all_is_up(void)
{
    return registered >= 2 && is_up[NETRON_LINK_COMMANDS] && is_up[NETRON_LINK_EVENTS];
}

/* Makes the place come that the beginning does not bring by itself. */
static void provoke(void)
{
    static const enum place updated = ON_UPDATED, deregistered = ON_DEREGISTERED, shut_down = ON_SHUT_DOWN;
    union { /* the interface of a callback's argument has no const */
        const enum place *given;
        void *taken;
    } here = {NULL};
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
    case ON_ACTIVE_NODES:
        ck_assert_int_eq(netron_get_active_nodes(discovery, on_found, &world), 0);
        break;
    case ON_ACTIVE:
        ck_assert_int_eq(netron_is_node_active(discovery, "two", on_active, NULL), 0);
        break;
    case ON_UPDATED:
        here.given = &updated;
        ck_assert_int_eq(netron_registration_update_address(one, "10.0.0.2:1", on_done, here.taken), 0);
        break;
    case ON_FAILED_TO_LEAVE:
        server_kill(&server);
        /* fall through */
    case ON_LEAVING:
    case ON_LEFT:
    case ON_DEREGISTERED:
        here.given = &deregistered;
        ck_assert_int_eq(netron_registration_deregister(one, on_done, here.taken), 0);
        break;
    case ON_SHUT_DOWN:
        here.given = &shut_down;
        ck_assert_int_eq(netron_discovery_shutdown(discovery, on_done, here.taken), 0);
        break;
    default:
        break;
    }
}

/* To be lost, again and again: a repair puts it back and does not know that it was gone. */
static bool deletes_heartbeat(void)
{
    server_integer(&server, "DEL " P ":heartbeat:one");
    return false;
}

static void assert_over(void)
{
    ck_assert_int_eq(cancelled, pending);
    ck_assert_int_eq(refused_inside, pending);
    world_run(&world, 30);
    for (int i = 0; i < 20; i++)
        world_turn(&world);
    ck_assert_int_eq(cancelled, pending);
}

START_TEST(the_discovery_is_freed_from_a_callback)
{
    place = (enum place)_i;
    begin_all();
    AWAIT(&world, all_is_up() || is_freed);
    if (!is_freed)
        provoke();
    AWAIT(&world, is_freed || (place == ON_LOST && deletes_heartbeat()));
    ck_assert_int_ge(pending, 1);
    assert_over();
}
END_TEST

/* A port of this host that takes no connection and refuses none: nobody accepts, and there is no room to wait. held: to
 * be closed. Returns its URL. */
static const char *black_hole(int held[3])
{
    static char url[64];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    held[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(held[0], (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(held[0], 0), 0);
    ck_assert_int_eq(getsockname(held[0], (struct sockaddr *)&address, &length), 0);
    for (int i = 1; i < 3; i++) {
        held[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert(connect(held[i], (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS);
    }
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    return url;
}

/* The moments of a connection's life that no callback tells. */
START_TEST(the_discovery_is_freed_at_any_moment)
{
    place = PLACES;
    /* The last is too long for a name server to be asked, which might take its time. */
    static const char *const urls[] = {
        NULL, NULL, "redis://localhost:1",
        "redis://a-label-of-more-than-sixty-three-bytes-is-no-part-of-any-name-there-is.invalid"};
    if (_i % 8 >= 4)
        server_kill(&server); /* refused, and waiting for the next try */
    else if (_i % 8 >= 2)
        kill(server.pid, SIGSTOP); /* connected, but never greeted */
    int held[3] = {-1, -1, -1};
    if (_i >= 8)
        options.url = _i % 4 == 1 ? black_hole(held) : urls[_i % 4];
    if (options.url == NULL)
        options.url = server.url;
    may_end_earlier = true;
    begin_all();
    for (int turn = 0; turn < _i % 4 * 2; turn++)
        world_turn(&world);
    begin_what_will_be_cancelled();
    if (_i % 2 == 1)
        world_turn(&world);
    netron_discovery *mine = discovery;
    discovery = NULL;
    is_freeing = true;
    netron_discovery_free(mine);
    is_freeing = false;
    is_freed = true;
    ck_assert_int_eq(pending, 7);
    ck_assert_int_eq(cancelled, 7);
    world_run(&world, 20);
    for (int i = 0; i < 3 && held[i] >= 0; i++)
        close(held[i]);
}
END_TEST

START_TEST(the_discovery_is_freed_while_it_shuts_down)
{
    static int calls;
    calls = 0;
    place = PLACES;
    begin_all();
    AWAIT(&world, all_is_up());
    kill(server.pid, SIGSTOP);
    ck_assert_int_eq(netron_discovery_shutdown(discovery, on_cancelled, &calls), 0);
    pending = 1;
    for (int turn = 0; turn < _i; turn++)
        world_turn(&world);
    is_freeing = true;
    netron_discovery_free(discovery);
    is_freeing = false;
    is_freed = true;
    assert_over();
    kill(server.pid, SIGCONT);
}
END_TEST

START_TEST(several_discoveries_on_one_loop_object_are_freed_before_it)
{
    netron_loop *loop = reactor_loop(world.reactor);
    netron_discovery *second = NULL;
    place = PLACES;
    ck_assert_int_eq(netron_discovery_new_on(loop, &options, &discovery), 0);
    ck_assert_int_eq(netron_discovery_new_on(loop, &options, &second), 0);
    one = begin("one");
    AWAIT(&world, registered == 1);
    netron_discovery_free(second);
    registered = 0;
    AWAIT(&world, registered > 0 || deletes_heartbeat()); /* the first does not mind */
    netron_discovery_free(discovery);
    is_freed = true;
    world_run(&world, 20);
}
END_TEST

START_TEST(nothing_is_freed_with_null)
{
    netron_discovery_free(NULL);
    netron_registration_free(NULL);
    netron_subscription_free(NULL);
    netron_loop_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("free");
    TCase *tcase = suite_case(suite, "discovery");
    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_add_loop_test(tcase, the_discovery_is_freed_from_a_callback, 0, PLACES);
    tcase_add_loop_test(tcase, the_discovery_is_freed_at_any_moment, 0, 16);
    tcase_add_loop_test(tcase, the_discovery_is_freed_while_it_shuts_down, 0, 3);
    tcase_add_test(tcase, several_discoveries_on_one_loop_object_are_freed_before_it);
    tcase_add_test(tcase, nothing_is_freed_with_null);
    return suite_run(suite);
}
