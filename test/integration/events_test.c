/* SPDX-License-Identifier: MIT */
/* Events: what is heard of one's own nodes, of others' and of the original's, and by whom nothing is published. */
#include "scene.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL PREFIX ":events"

static struct event_recorder heard;
static struct link_recorder links;

static netron_options loud_options(void)
{
    netron_options options = scene_options();
    options.pubsub_enabled = 1;
    options.on_link = record_link;
    options.on_link_arg = &links;
    return options;
}

/* A discovery that hears into heard. */
static netron_discovery *join_and_listen(const netron_options *options)
{
    netron_discovery *discovery = scene_join(options);
    links = (struct link_recorder){0};
    scene_listen(discovery, &heard);
    ck_assert(links.is_up[NETRON_LINK_EVENTS]);
    return discovery;
}

static void await_done(struct done_recorder *done, int calls)
{
    AWAIT(&scene.world, done->calls == calls);
    ck_assert_int_eq(done->code, 0);
}

START_TEST(the_changes_of_ones_own_node_are_heard)
{
    const netron_service services[] = {{"orders", "2.0.0"}, {"billing", NULL}};
    const netron_options options = loud_options();
    struct done_recorder done = {0};
    netron_discovery *discovery = join_and_listen(&options);
    netron_registration *registration = scene_enrol(discovery, "a", "10.0.0.1:80", "orders", "1.0.0", NULL, NULL);
    ck_assert_int_eq(netron_registration_update_services(registration, services, 2, record_done, &done), 0);
    await_done(&done, 1);
    ck_assert_int_eq(netron_registration_update_address(registration, "10.0.0.2:80", record_done, &done), 0);
    await_done(&done, 2);
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &done), 0);
    await_done(&done, 3);
    AWAIT(&scene.world, heard.count == 4);
    ck_assert_str_eq(heard.events[0].text, "NODE_REGISTERED a 10.0.0.1:80 orders@1.0.0");
    ck_assert_str_eq(heard.events[1].text, "NODE_UPDATED a 10.0.0.1:80 orders@2.0.0 billing");
    ck_assert_str_eq(heard.events[2].text, "NODE_UPDATED a 10.0.0.2:80 orders@2.0.0 billing");
    ck_assert_str_eq(heard.events[3].text, "NODE_DEREGISTERED a 10.0.0.2:80 orders@2.0.0 billing (shutdown)");
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(heard.events[i].revision, (unsigned)i + 1);
    ck_assert_uint_eq(scene_stats(discovery).events, 4);
    ck_assert_uint_eq(scene_stats(discovery).skipped_events, 0);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(the_changes_of_others_are_heard_in_the_order_of_the_registry)
{
    const netron_options options = loud_options();
    struct done_recorder done = {0};
    netron_discovery *discovery = join_and_listen(&options);
    netron_discovery *one = scene_join(&options);
    netron_discovery *two = scene_join(&options);
    scene_enrol(one, "a", "h:1", "orders", NULL, NULL, NULL);
    scene_enrol(two, "b", "h:2", NULL, NULL, NULL, NULL);
    ck_assert_int_eq(netron_discovery_shutdown(one, record_done, &done), 0);
    await_done(&done, 1);
    scene_enrol(two, "a", "h:3", "orders", "2", "billing", NULL);
    AWAIT(&scene.world, heard.count == 4);
    ck_assert_str_eq(heard.events[0].text, "NODE_REGISTERED a h:1 orders");
    ck_assert_str_eq(heard.events[1].text, "NODE_REGISTERED b h:2");
    ck_assert_str_eq(heard.events[2].text, "NODE_DEREGISTERED a h:1 orders (shutdown)");
    ck_assert_str_eq(heard.events[3].text, "NODE_REGISTERED a h:3 orders@2 billing");
    for (int i = 1; i < 4; i++)
        ck_assert_uint_eq(heard.events[i].revision, heard.events[i - 1].revision + 1);
    netron_discovery_free(one);
    netron_discovery_free(two);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(a_node_that_another_process_takes_over_is_heard_as_updated)
{
    const netron_options options = loud_options();
    netron_discovery *discovery = join_and_listen(&options);
    netron_discovery *other = scene_join(&options);
    scene_enrol(discovery, "a", "h:1", "orders", NULL, NULL, NULL);
    scene_enrol(other, "a", "h:2", "orders", NULL, NULL, NULL);
    AWAIT(&scene.world, heard.count == 2);
    ck_assert_str_eq(heard.events[0].text, "NODE_REGISTERED a h:1 orders");
    ck_assert_str_eq(heard.events[1].text, "NODE_UPDATED a h:2 orders");
    netron_discovery_free(other);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(the_timestamp_of_an_event_is_the_one_in_the_registry)
{
    char stored[32];
    const netron_options options = loud_options();
    struct done_recorder done = {0};
    netron_discovery *discovery = join_and_listen(&options);
    netron_registration *registration = scene_enrol(discovery, "a", "h:1", NULL, NULL, NULL, NULL);
    AWAIT(&scene.world, heard.count == 1);
    ck_assert(server_text(&scene.server, stored, sizeof(stored), "HGET %s timestamp", PREFIX ":nodes:a"));
    ck_assert_uint_eq(heard.events[0].timestamp_ms, strtoull(stored, NULL, 10));
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &done), 0);
    AWAIT(&scene.world, heard.count == 2);
    ck_assert_uint_ge(heard.events[1].timestamp_ms, heard.events[0].timestamp_ms);
    ck_assert_uint_lt(heard.events[1].timestamp_ms, heard.events[0].timestamp_ms + 20000);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(odd_characters_come_through_unharmed)
{
    const netron_options options = loud_options();
    netron_discovery *discovery = join_and_listen(&options);
    scene_enrol(discovery, "\"a\\/\xe2\x82\xac", "h-\xc3\xa4:1", "{}[]:,", "\\u0041", "%s", "'");
    AWAIT(&scene.world, heard.count == 1);
    ck_assert_str_eq(heard.events[0].text, "NODE_REGISTERED \"a\\/\xe2\x82\xac h-\xc3\xa4:1 {}[]:,@\\u0041 %s@'");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(heartbeats_publish_nothing)
{
    netron_options options = loud_options();
    options.heartbeat_interval_ms = 5;
    options.heartbeat_ttl_ms = 1000;
    netron_discovery *discovery = join_and_listen(&options);
    scene_enrol(discovery, "a", "h:1", "orders", NULL, NULL, NULL);
    AWAIT(&scene.world, scene_stats(discovery).beats >= 60 && scene_stats(discovery).registers >= 6);
    scene_change(&scene.server, "end", "h:9");
    AWAIT(&scene.world, heard.count == 2);
    ck_assert_str_eq(heard.events[0].text, "NODE_REGISTERED a h:1 orders");
    ck_assert_str_eq(heard.events[1].text, "NODE_REGISTERED end h:9");
    ck_assert_uint_eq(scene_stats(discovery).skipped_events, 0);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(an_update_to_the_same_content_publishes_nothing)
{
    const netron_service services[] = {{"orders", "1.0.0"}};
    const netron_options options = loud_options();
    struct done_recorder done = {0};
    netron_discovery *discovery = join_and_listen(&options);
    netron_registration *registration = scene_enrol(discovery, "a", "h:1", "orders", "1.0.0", NULL, NULL);
    ck_assert_int_eq(netron_registration_update_services(registration, services, 1, record_done, &done), 0);
    await_done(&done, 1);
    ck_assert_int_eq(netron_registration_update_address(registration, "h:1", record_done, &done), 0);
    await_done(&done, 2);
    ck_assert_int_eq(netron_registration_update_address(registration, "h:2", record_done, &done), 0);
    AWAIT(&scene.world, heard.count == 2);
    ck_assert_str_eq(heard.events[1].text, "NODE_UPDATED a h:2 orders@1.0.0");
    ck_assert_uint_eq(heard.events[1].revision, 2);
    netron_discovery_free(discovery);
}
END_TEST

/* ---- options ---- */

START_TEST(a_process_with_pubsub_disabled_neither_hears_nor_publishes)
{
    const netron_options options = loud_options();
    netron_options quiet_options = options;
    struct done_recorder done = {0};
    netron_discovery *discovery = join_and_listen(&options);
    quiet_options.pubsub_enabled = 0;
    netron_discovery *quiet = scene_join(&quiet_options);
    ck_assert_int_eq(netron_subscribe_to_events(quiet, record_event, &heard, NULL), NETRON_EDISABLED);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(quiet), "pubsub_enabled"));
    long long published = scene_calls("publish");
    netron_registration *registration = scene_enrol(quiet, "quiet", "h:1", "orders", NULL, NULL, NULL);
    ck_assert_int_eq(netron_registration_update_address(registration, "h:2", record_done, &done), 0);
    await_done(&done, 1);
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &done), 0);
    await_done(&done, 2);
    ck_assert_int_eq((int)(scene_calls("publish") - published), 0); /* on no channel at all */
    scene_enrol(discovery, "loud", "h:3", NULL, NULL, NULL, NULL);
    AWAIT(&scene.world, heard.count > 0);
    ck_assert_str_eq(heard.events[0].text, "NODE_REGISTERED loud h:3");
    ck_assert_uint_eq(heard.events[0].revision, 4); /* the quiet changes count all the same */
    ck_assert_int_eq(heard.count, 1);
    ck_assert_uint_eq(scene_stats(quiet).connects, 1);
    netron_discovery_free(quiet);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(the_channel_is_an_option)
{
    netron_options options = loud_options();
    options.pubsub_channel = "a channel of our own";
    netron_discovery *discovery = join_and_listen(&options);
    server_expect(&scene.server, "0", "PUBLISH %s x", CHANNEL);
    scene_enrol(discovery, "a", "h:1", NULL, NULL, NULL, NULL);
    AWAIT(&scene.world, heard.count == 1);
    ck_assert_str_eq(heard.events[0].text, "NODE_REGISTERED a h:1");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(the_default_channel_goes_by_the_key_prefix)
{
    netron_options options = loud_options();
    netron_discovery *usual = scene_join(&options);
    options.key_prefix = "other";
    netron_discovery *discovery = join_and_listen(&options);
    scene_enrol(usual, "usual", "h:1", NULL, NULL, NULL, NULL);
    scene_enrol(discovery, "a", "h:2", NULL, NULL, NULL, NULL);
    AWAIT(&scene.world, heard.count > 0);
    ck_assert_str_eq(heard.events[0].text, "NODE_REGISTERED a h:2");
    ck_assert_uint_eq(heard.events[0].revision, 1);
    ck_assert_int_eq((int)server_integer(&scene.server, "EXISTS other:registry netron:discovery:registry"), 2);
    netron_discovery_free(usual);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    const netron_options options = loud_options();
    netron_discovery *discovery = scene_join(&options);
    netron_subscription *subscription = NULL;
    ck_assert_int_eq(netron_subscribe_to_events(NULL, record_event, &heard, &subscription), NETRON_EINVAL);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, NULL, NULL, &subscription), NETRON_EINVAL);
    ck_assert_str_eq(netron_discovery_error(discovery), "on_event is NULL");
    ck_assert_int_eq(netron_discovery_shutdown(discovery, NULL, NULL), 0);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &heard, &subscription), NETRON_ESHUTDOWN);
    ck_assert_ptr_null(subscription);
    netron_subscription_free(NULL);
    netron_discovery_free(discovery);
}
END_TEST

/* ---- the original's ---- */

START_TEST(what_the_original_does_is_heard_as_what_changed)
{
    const netron_options options = loud_options();
    netron_discovery *discovery = join_and_listen(&options);
    scene_tell_original("NODE_REGISTERED", "a", "10.0.0.1:80",
                        "[{\"name\":\"orders\",\"version\":\"1.0.0\"},{\"name\":\"billing\"}]");
    AWAIT(&scene.world, heard.count == 1);
    scene_tell_original("NODE_UPDATED", "a", "10.0.0.1:80", "[]");
    AWAIT(&scene.world, heard.count == 2);
    scene_original_leaves("a");
    AWAIT(&scene.world, heard.count == 3);
    ck_assert_str_eq(heard.events[0].text, "NODE_REGISTERED a 10.0.0.1:80 orders@1.0.0 billing");
    ck_assert_str_eq(heard.events[1].text, "NODE_UPDATED a 10.0.0.1:80");
    ck_assert_str_eq(heard.events[2].text, "NODE_DEREGISTERED a 10.0.0.1:80 (shutdown)");
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(heard.events[i].revision, (unsigned)i + 1);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(an_original_that_says_nothing_is_heard_within_a_ttl)
{
    const netron_options options = loud_options();
    netron_discovery *discovery = join_and_listen(&options);
    scene_store_original("a", "h:1", "[{\"name\":\"orders\"}]");
    AWAIT(&scene.world, heard.count == 1);
    ck_assert_str_eq(heard.events[0].text, "NODE_REGISTERED a h:1 orders");
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(the_beats_of_the_original_are_no_events)
{
    const netron_options options = loud_options();
    netron_discovery *discovery = join_and_listen(&options);
    scene_tell_original("NODE_REGISTERED", "a", "h:1", "[]");
    AWAIT(&scene.world, heard.count == 1);
    for (int i = 0; i < 20; i++)
        scene_tell_original("NODE_UPDATED", "a", "h:1", "[]");
    scene_change(&scene.server, "end", "h:9");
    AWAIT(&scene.world, heard.count == 2);
    ck_assert_str_eq(heard.events[1].text, "NODE_REGISTERED end h:9");
    ck_assert_uint_eq(heard.events[1].revision, 2);
    netron_discovery_free(discovery);
}
END_TEST

START_TEST(what_the_channel_says_without_revision_is_a_hint_and_never_a_fact)
{
    const netron_options options = loud_options();
    netron_discovery *discovery = join_and_listen(&options);
    scene_enrol(discovery, "a", "h:1", NULL, NULL, NULL, NULL);
    AWAIT(&scene.world, heard.count == 1);
    server_expect(&scene.server, "1", "PUBLISH %s {\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"a\"}", CHANNEL);
    server_expect(&scene.server, "1",
                  "PUBLISH %s {\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"liar:1\",\"services\":[]}",
                  CHANNEL);
    server_expect(
        &scene.server, "1",
        "PUBLISH %s {\"type\":\"NODE_REGISTERED\",\"nodeId\":\"nobody\",\"address\":\"liar:1\",\"services\":[]}",
        CHANNEL);
    world_run(&scene.world, 500); /* longer than a hint waits */
    scene_change(&scene.server, "end", "h:9");
    AWAIT(&scene.world, heard.count == 2);
    ck_assert_str_eq(heard.events[1].text, "NODE_REGISTERED end h:9");
    netron_discovery_free(discovery);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("events");
    TCase *tcase = scene_case(suite, "ours");
    tcase_add_test(tcase, the_changes_of_ones_own_node_are_heard);
    tcase_add_test(tcase, the_changes_of_others_are_heard_in_the_order_of_the_registry);
    tcase_add_test(tcase, a_node_that_another_process_takes_over_is_heard_as_updated);
    tcase_add_test(tcase, the_timestamp_of_an_event_is_the_one_in_the_registry);
    tcase_add_test(tcase, odd_characters_come_through_unharmed);
    tcase_add_test(tcase, heartbeats_publish_nothing);
    tcase_add_test(tcase, an_update_to_the_same_content_publishes_nothing);
    tcase = scene_case(suite, "options");
    tcase_add_test(tcase, a_process_with_pubsub_disabled_neither_hears_nor_publishes);
    tcase_add_test(tcase, the_channel_is_an_option);
    tcase_add_test(tcase, the_default_channel_goes_by_the_key_prefix);
    tcase_add_test(tcase, bad_arguments_are_refused);
    tcase = scene_case(suite, "the original's");
    tcase_add_test(tcase, what_the_original_does_is_heard_as_what_changed);
    tcase_add_test(tcase, an_original_that_says_nothing_is_heard_within_a_ttl);
    tcase_add_test(tcase, the_beats_of_the_original_are_no_events);
    tcase_add_test(tcase, what_the_channel_says_without_revision_is_a_hint_and_never_a_fact);
    return suite_run(suite);
}
