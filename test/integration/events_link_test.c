/* SPDX-License-Identifier: MIT */
/* Subscriptions and the connection that carries them: begun and ended in callbacks, lost, idle, hung, forbidden. */
#include "scene.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL PREFIX ":events"
#define EVENTS NETRON_LINK_EVENTS

static struct link_recorder links;

static netron_options loud_options(const char *url)
{
    netron_options options = scene_options();
    options.url = url;
    options.pubsub_enabled = 1;
    options.client_name = "listener";
    options.on_link = record_link;
    options.on_link_arg = &links;
    return options;
}

static netron_subscription *subscribe(netron_discovery *discovery, netron_event_fn on_event, void *arg)
{
    netron_subscription *subscription = NULL;
    ck_assert_int_eq(netron_subscribe_to_events(discovery, on_event, arg, &subscription), 0);
    return subscription;
}

/* The node "a" is at that address now. */
static void publish(struct server *server, const char *address)
{
    scene_change(server, "a", address);
}

static bool is_fresh(netron_discovery *discovery)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(discovery, &status), 0);
    return status.state == NETRON_VIEW_FRESH;
}

static int count_clients(struct server *server, const char *text)
{
    char list[8192];
    int count = 0;
    ck_assert(server_text(server, list, sizeof(list), "CLIENT LIST"));
    for (const char *at = strstr(list, text); at != NULL; at = strstr(at + 1, text))
        count++;
    return count;
}

/* The id of the only subscriber. */
static long subscriber_id(struct server *server)
{
    char list[1024];
    ck_assert(server_text(server, list, sizeof(list), "CLIENT LIST TYPE pubsub"));
    ck_assert_int_eq(strncmp(list, "id=", 3), 0);
    ck_assert_ptr_null(strstr(list, "\nid="));
    return strtol(list + 3, NULL, 10);
}

/* ---- subscriptions ---- */

/* Hears, and once does something to the subscriptions. */
struct listener {
    int heard;
    char address[32]; /* of the latest */
    netron_discovery *discovery;
    netron_subscription *to_free;
    struct listener *to_add;
    bool free_discovery;
};

static void on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    struct listener *listener = arg;
    if (event->type == NETRON_SYNCED)
        return;
    netron_subscription *to_free = listener->to_free;
    struct listener *to_add = listener->to_add;
    listener->heard++;
    listener->to_free = NULL;
    listener->to_add = NULL;
    netron_subscription_free(to_free);
    if (to_add != NULL)
        subscribe(listener->discovery, on_event, to_add);
    if (listener->free_discovery)
        netron_discovery_free(listener->discovery);
    snprintf(listener->address, sizeof(listener->address), "%s", event->node->address); /* still valid */
}

static netron_discovery *join_with(struct listener *listeners, netron_subscription **subscriptions, int count)
{
    const netron_options options = loud_options(scene.server.url);
    netron_discovery *discovery = scene_join(&options);
    for (int i = 0; i < count; i++) {
        listeners[i] = (struct listener){.discovery = discovery};
        subscriptions[i] = subscribe(discovery, on_event, &listeners[i]);
    }
    AWAIT(&scene.world, is_fresh(discovery));
    return discovery;
}

START_TEST(every_subscription_hears_every_event)
{
    struct listener listeners[3];
    netron_subscription *subscriptions[3];
    netron_discovery *discovery = join_with(listeners, subscriptions, 3);
    publish(&scene.server, "h:1");
    publish(&scene.server, "h:2");
    AWAIT(&scene.world, listeners[2].heard == 2);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(listeners[i].heard, 2);
        ck_assert_str_eq(listeners[i].address, "h:2");
    }
    ck_assert_uint_eq(scene_stats(discovery).events, 2); /* once for each event */
    netron_discovery_free(discovery);
}
END_TEST

/* Which of three frees which, in the callback of the first event; all nine pairs. */
START_TEST(a_subscription_may_be_freed_in_any_callback)
{
    const int freeing = _i / 3;
    const int freed = _i % 3;
    struct listener listeners[3];
    netron_subscription *subscriptions[3];
    netron_discovery *discovery = join_with(listeners, subscriptions, 3);
    listeners[freeing].to_free = subscriptions[freed];
    publish(&scene.server, "h:1");
    publish(&scene.server, "h:2");
    const int last = freed == 2 ? 1 : 2;
    AWAIT(&scene.world, listeners[last].heard == 2);
    for (int i = 0; i < 3; i++)
        if (i != freed)
            ck_assert_int_eq(listeners[i].heard, 2);
    ck_assert_int_eq(listeners[freed].heard, freed <= freeing ? 1 : 0); /* those after it do not hear even this one */
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_subscription_that_is_added_in_a_callback_begins_with_the_picture)
{
    struct listener listeners[2];
    struct listener added = {0};
    netron_subscription *subscriptions[2];
    netron_discovery *discovery = join_with(listeners, subscriptions, 2);
    listeners[0].to_add = &added;
    publish(&scene.server, "h:1");
    AWAIT(&scene.world, listeners[1].heard == 1 && added.heard == 1);
    ck_assert_str_eq(added.address, "h:1");
    publish(&scene.server, "h:2");
    AWAIT(&scene.world, listeners[1].heard == 2 && added.heard == 2);
    ck_assert_str_eq(added.address, "h:2");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_callback_may_replace_its_own_subscription)
{
    struct listener listeners[1];
    struct listener added = {0};
    netron_subscription *subscriptions[1];
    netron_discovery *discovery = join_with(listeners, subscriptions, 1);
    listeners[0].to_free = subscriptions[0];
    listeners[0].to_add = &added;
    publish(&scene.server, "h:1");
    publish(&scene.server, "h:2");
    AWAIT(&scene.world, strcmp(added.address, "h:2") == 0);
    ck_assert_int_eq(listeners[0].heard, 1);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_callback_may_free_the_discovery)
{
    struct listener listeners[3];
    netron_subscription *subscriptions[3];
    join_with(listeners, subscriptions, 3);
    listeners[1].free_discovery = true;
    publish(&scene.server, "h:1");
    publish(&scene.server, "h:2");
    AWAIT(&scene.world, listeners[1].heard == 1);
    AWAIT(&scene.world, count_clients(&scene.server, "name=listener ") == 0);
    ck_assert_int_eq(listeners[0].heard, 1);
    ck_assert_int_eq(listeners[1].heard, 1);
    ck_assert_int_eq(listeners[2].heard, 0);
}
END_TEST

static void look_up_and_register(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    struct listener *listener = arg;
    if (event->type == NETRON_SYNCED)
        return;
    static struct nodes_recorder found;
    netron_service services[2];
    const netron_node node = make_node("b", "h:2", services, NULL, NULL, NULL, NULL);
    if (++listener->heard > 1)
        return;
    ck_assert_int_eq(netron_register(listener->discovery, &node, NULL, NULL, NULL), 0);
    ck_assert_int_eq(netron_get_active_nodes(listener->discovery, record_nodes, &found), 0);
}

START_TEST(a_callback_may_look_up_and_register)
{
    const netron_options options = loud_options(scene.server.url);
    struct listener listener = {.discovery = scene_join(&options)};
    subscribe(listener.discovery, look_up_and_register, &listener);
    AWAIT(&scene.world, is_fresh(listener.discovery));
    publish(&scene.server, "h:1");
    AWAIT(&scene.world, listener.heard == 2 && scene_stats(listener.discovery).lookups == 1);
    netron_discovery_free(listener.discovery);
}
END_TEST

/* ---- the connection ---- */

START_TEST(the_first_subscription_opens_a_connection_of_its_own)
{
    const netron_options options = loud_options(scene.server.url);
    struct event_recorder heard = {0};
    netron_discovery *discovery = scene_join(&options);
    scene_find(discovery, "orders", NULL);
    ck_assert_int_eq(count_clients(&scene.server, "name=listener "), 1);
    ck_assert_int_eq(count_clients(&scene.server, "sub=1 "), 0);
    netron_subscription *first = subscribe(discovery, record_event, &heard);
    AWAIT(&scene.world, is_fresh(discovery));
    netron_subscription *second = subscribe(discovery, record_event, &heard);
    publish(&scene.server, "h:1");
    AWAIT(&scene.world, heard.count == 2);
    ck_assert_int_eq(count_clients(&scene.server, "name=listener "), 2);
    ck_assert_int_eq(count_clients(&scene.server, "sub=1 "), 1);
    ck_assert_int_eq((int)scene_stats(discovery).connects, 2);
    /* It stays when nobody listens any more, and serves whoever comes later. */
    long id = subscriber_id(&scene.server);
    netron_subscription_free(first);
    netron_subscription_free(second);
    publish(&scene.server, "h:2");
    subscribe(discovery, record_event, &heard);
    AWAIT(&scene.world, heard.count > 2 && strstr(heard.events[heard.count - 1].text, " a h:2") != NULL);
    ck_assert_int_eq(subscriber_id(&scene.server), id);
    ck_assert_int_eq(links.count[EVENTS], 1);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_lost_subscription_is_told_and_made_again)
{
    const netron_options options = loud_options(scene.server.url);
    struct event_recorder heard = {0};
    netron_discovery *discovery = scene_join(&options);
    subscribe(discovery, record_event, &heard);
    AWAIT(&scene.world, is_fresh(discovery));
    for (int i = 1; i <= 3; i++) {
        server_expect(&scene.server, "1", "CLIENT KILL TYPE pubsub");
        AWAIT(&scene.world, !links.is_up[EVENTS]);
        ck_assert_int_eq(links.code[EVENTS], NETRON_EDISCONNECTED);
        ck_assert_str_ne(links.sentence[EVENTS], "");
        AWAIT(&scene.world, links.is_up[EVENTS]);
        ck_assert_int_eq(links.count[EVENTS], 1 + 2 * i);
        char address[16];
        snprintf(address, sizeof(address), "h:%d", i);
        publish(&scene.server, address);
        AWAIT(&scene.world, heard.count == i);
    }
    ck_assert_int_eq(links.count[NETRON_LINK_COMMANDS], 1); /* the other link has nothing to do with it */
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_subscriber_that_redis_drops_for_being_slow_comes_back)
{
    static const char *const extra[] = {"--client-output-buffer-limit", "pubsub 1mb 1mb 1", NULL};
    struct server strict;
    server_start(&strict, extra);
    const netron_options options = loud_options(strict.url);
    struct event_recorder heard = {0};
    const size_t size = 4 * 1024 * 1024;
    char *message = malloc(size);
    ck_assert_ptr_nonnull(message);
    memset(message, 'x', size);
    netron_discovery *discovery = scene_join(&options);
    subscribe(discovery, record_event, &heard);
    AWAIT(&scene.world, is_fresh(discovery));
    freeReplyObject(server_ask(&strict, "PUBLISH %s %b", CHANNEL, message, size));
    AWAIT(&scene.world, links.count[EVENTS] == 3 && links.is_up[EVENTS]);
    publish(&strict, "h:1");
    AWAIT(&scene.world, heard.count == 1);
    free(message);
    server_forget(&strict);
    netron_discovery_free(discovery);
    server_stop(&strict);
}
END_TEST

START_TEST(an_idle_subscriber_is_pinged_and_stays_connected)
{
    netron_options options = loud_options(scene.server.url);
    struct event_recorder heard = {0};
    options.ping_interval_ms = 1000; /* so long may Redis take to answer, on a busy machine */
    netron_discovery *discovery = scene_join(&options);
    subscribe(discovery, record_event, &heard);
    AWAIT(&scene.world, is_fresh(discovery));
    long id = subscriber_id(&scene.server);
    long long pings = scene_calls("ping");
    AWAIT(&scene.world, scene_calls("ping") >= pings + 4); /* both links ask */
    ck_assert_int_eq(subscriber_id(&scene.server), id);
    ck_assert_int_eq(links.count[EVENTS], 1);
    ck_assert_int_eq((int)scene_stats(discovery).connects, 2);
    ck_assert_uint_eq(scene_stats(discovery).skipped_events, 0); /* a pong is no garbage */
    publish(&scene.server, "h:1");
    AWAIT(&scene.world, heard.count == 1);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_redis_that_hangs_is_noticed_within_two_ping_intervals_and_found_again)
{
    struct server hanging;
    server_start(&hanging, NULL);
    netron_options options = loud_options(hanging.url);
    struct event_recorder heard = {0};
    options.ping_interval_ms = 200;
    options.connect_timeout_ms = 200;
    netron_discovery *discovery = scene_join(&options);
    subscribe(discovery, record_event, &heard);
    AWAIT(&scene.world, is_fresh(discovery));
    publish(&hanging, "h:1");
    AWAIT(&scene.world, heard.count == 1);
    kill(hanging.pid, SIGSTOP);
    uint64_t stopped_at = world_clock_ms();
    AWAIT(&scene.world, !links.is_up[EVENTS]);
    ck_assert_uint_lt(world_clock_ms() - stopped_at, 2 * 200 + 2000); /* the slack is the machine's */
    ck_assert_int_eq(links.code[EVENTS], NETRON_ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(links.sentence[EVENTS], "PING within 200 ms"));
    kill(hanging.pid, SIGCONT);
    AWAIT(&scene.world, links.is_up[EVENTS]);
    publish(&hanging, "h:2");
    AWAIT(&scene.world, heard.count == 2);
    server_forget(&hanging);
    netron_discovery_free(discovery);
    server_stop(&hanging);
}
END_TEST

START_TEST(a_subscription_outlives_a_redis_that_restarts)
{
    struct server mortal;
    server_start(&mortal, NULL);
    const netron_options options = loud_options(mortal.url);
    struct event_recorder heard = {0};
    netron_discovery *discovery = scene_join(&options);
    subscribe(discovery, record_event, &heard);
    AWAIT(&scene.world, is_fresh(discovery));
    server_kill(&mortal);
    AWAIT(&scene.world, !links.is_up[EVENTS]);
    server_start_again(&mortal, NULL);
    AWAIT(&scene.world, links.is_up[EVENTS]);
    publish(&mortal, "h:1");
    AWAIT(&scene.world, heard.count == 1);
    server_forget(&mortal);
    netron_discovery_free(discovery);
    server_stop(&mortal);
}
END_TEST

START_TEST(a_subscription_made_while_redis_is_away_works_once_it_is_there)
{
    struct server late;
    server_start(&late, NULL);
    server_kill(&late);
    const netron_options options = loud_options(late.url);
    struct event_recorder heard = {0};
    netron_discovery *discovery = world_join(&scene.world, &options);
    subscribe(discovery, record_event, &heard);
    AWAIT(&scene.world, links.code[EVENTS] == NETRON_EDISCONNECTED);
    server_start_again(&late, NULL);
    AWAIT(&scene.world, links.is_up[EVENTS]);
    publish(&late, "h:1");
    AWAIT(&scene.world, heard.count == 1);
    server_forget(&late);
    netron_discovery_free(discovery);
    server_stop(&late);
}
END_TEST

START_TEST(a_channel_that_the_acl_forbids_is_told_by_its_name_until_it_is_allowed)
{
    netron_options options = loud_options(scene.server.url);
    struct event_recorder heard = {0};
    server_expect(&scene.server, "OK", "ACL SETUSER limited reset on >secret ~* +@all");
    options.username = "limited";
    options.password = "secret";
    netron_discovery *discovery = scene_join(&options);
    subscribe(discovery, record_event, &heard);
    AWAIT(&scene.world, links.count[EVENTS] > 0);
    ck_assert_int_eq(links.code[EVENTS], NETRON_EPERM);
    ck_assert_ptr_nonnull(strstr(links.sentence[EVENTS], "NOPERM"));
    ck_assert_ptr_nonnull(strstr(links.sentence[EVENTS], CHANNEL));
    scene_enrol(discovery, "a", "h:1", NULL, NULL, NULL, NULL); /* all but the events goes on */
    uint64_t connects = scene_stats(discovery).connects;
    AWAIT(&scene.world, scene_stats(discovery).connects >= connects + 3);
    ck_assert_int_eq(links.count[EVENTS], 1); /* told once, not for each attempt */
    ck_assert(links.is_up[NETRON_LINK_COMMANDS]);
    server_expect(&scene.server, "OK", "ACL SETUSER limited &%s", CHANNEL);
    AWAIT(&scene.world, links.is_up[EVENTS]);
    publish(&scene.server, "h:2");
    AWAIT(&scene.world, heard.count == 1);
    netron_discovery_free(discovery);
    server_expect(&scene.server, "1", "ACL DELUSER limited");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("events_link");
    TCase *tcase = scene_case(suite, "subscriptions");
    tcase_add_test(tcase, every_subscription_hears_every_event);
    tcase_add_loop_test(tcase, a_subscription_may_be_freed_in_any_callback, 0, 9);
    tcase_add_test(tcase, a_subscription_that_is_added_in_a_callback_begins_with_the_picture);
    tcase_add_test(tcase, a_callback_may_replace_its_own_subscription);
    tcase_add_test(tcase, a_callback_may_free_the_discovery);
    tcase_add_test(tcase, a_callback_may_look_up_and_register);
    tcase = scene_case(suite, "the connection");
    tcase_add_test(tcase, the_first_subscription_opens_a_connection_of_its_own);
    tcase_add_test(tcase, a_lost_subscription_is_told_and_made_again);
    tcase_add_test(tcase, a_subscriber_that_redis_drops_for_being_slow_comes_back);
    tcase_add_test(tcase, an_idle_subscriber_is_pinged_and_stays_connected);
    tcase_add_test(tcase, a_redis_that_hangs_is_noticed_within_two_ping_intervals_and_found_again);
    tcase_add_test(tcase, a_subscription_outlives_a_redis_that_restarts);
    tcase_add_test(tcase, a_subscription_made_while_redis_is_away_works_once_it_is_there);
    tcase_add_test(tcase, a_channel_that_the_acl_forbids_is_told_by_its_name_until_it_is_allowed);
    return suite_run(suite);
}
