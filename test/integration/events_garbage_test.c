/* SPDX-License-Identifier: MIT */
/* Garbage on the channel: skipped, counted, logged once a connection; the next good event is heard. */
#include "scene.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL PREFIX ":events"
#define SKIPPED "skipping a message on the channel"

static struct event_recorder heard;
static struct link_recorder links;
static struct log_recorder lines;
static netron_discovery *discovery;

static void open_garbage(void)
{
    netron_options options = scene_options();
    options.pubsub_enabled = 1;
    options.on_link = record_link;
    options.on_link_arg = &links;
    options.log = record_log;
    options.log_arg = &lines;
    discovery = scene_join(&options);
    scene_listen(discovery, &heard);
}

static void close_garbage(void)
{
    netron_discovery_free(discovery);
}

static void publish(const char *message, size_t length)
{
    server_expect(&scene.server, "1", "PUBLISH %s %b", CHANNEL, message, length);
}

static void expect_next_good_event(void)
{
    static int port = 1; /* each is a change of its own */
    char address[32], expected[64];
    int before = heard.count;
    snprintf(address, sizeof(address), "h:%d", port++);
    snprintf(expected, sizeof(expected), "%s good %s", before == 0 ? "NODE_REGISTERED" : "NODE_UPDATED", address);
    scene_change(&scene.server, "good", address);
    AWAIT(&scene.world, heard.count > before);
    ck_assert_int_eq(heard.count, before + 1);
    ck_assert_str_eq(heard.events[before].text, expected);
}

static void expect_skipped(const char *message, size_t length)
{
    uint64_t before = scene_stats(discovery).skipped_events;
    publish(message, length);
    expect_next_good_event();
    ck_assert_msg(scene_stats(discovery).skipped_events == before + 1, "not skipped: %.100s", message);
    ck_assert_int_eq(log_count(&lines, SKIPPED), 1);
    ck_assert_int_eq(links.count[NETRON_LINK_EVENTS], 1); /* garbage is no reason to disconnect */
}

#define NODE "\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":[]"

static const char *const garbage[] = {
    "",
    " ",
    "garbage",
    "{",
    "}",
    "[]",
    "null",
    "true",
    "7",
    "\"NODE_UPDATED\"",
    "{}",
    "[{\"type\":\"NODE_UPDATED\"," NODE "}]",
    "{\"type\":\"NODE_UPDATED\"," NODE,
    "{\"type\":\"NODE_UPDATED\"," NODE "}}",
    "{\"type\":\"NODE_UPDATED\"," NODE "}{\"type\":\"NODE_UPDATED\"," NODE "}",
    "{'type':'NODE_UPDATED'}",
    "\xef\xbb\xbf{\"type\":\"NODE_UPDATED\"," NODE "}",
    /* type */
    "{" NODE "}",
    "{\"type\":null," NODE "}",
    "{\"type\":2," NODE "}",
    "{\"type\":\"\"," NODE "}",
    "{\"type\":\"node_updated\"," NODE "}",
    "{\"type\":\"NODE_UPDATED \"," NODE "}",
    "{\"type\":\"NODE_HEARTBEAT\"," NODE "}",
    "{\"type\":\"NODE_UPDATED\\u0000\"," NODE "}",
    "{\"type\":[\"NODE_UPDATED\"]," NODE "}",
    /* nodeId */
    "{\"type\":\"NODE_UPDATED\",\"address\":\"h:1\",\"services\":[]}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"\",\"address\":\"h:1\",\"services\":[]}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":7,\"address\":\"h:1\",\"services\":[]}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\\n\",\"address\":\"h:1\",\"services\":[]}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\\u0000\",\"address\":\"h:1\",\"services\":[]}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"\xff\",\"address\":\"h:1\",\"services\":[]}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"\\ud800\",\"address\":\"h:1\",\"services\":[]}",
    /* address */
    "{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"a\",\"services\":[]}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"\",\"services\":[]}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":[],\"services\":[]}",
    "{\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"a\",\"address\":7,\"services\":[]}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"\xc0\xaf:1\",\"services\":[]}",
    /* services */
    "{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"a\",\"address\":\"h:1\"}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":null}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":{}}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":[{}]}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":[\"orders\"]}",
    "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":[{\"name\":1}]}",
    "{\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"a\",\"services\":7}",
    /* timestamp */
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"timestamp\":\"now\"}",
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"timestamp\":-1}",
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"timestamp\":1e300}",
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"timestamp\":99999999999999999999999999}",
    /* what only ours have */
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"revision\":0}",
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"revision\":-7}",
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"revision\":\"7\"}",
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"revision\":7.5}",
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"revision\":null}",
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"revision\":7,\"tag\":\"xyz\"}",
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"revision\":7,\"digest\":\"0123\"}",
    "{\"type\":\"NODE_UPDATED\"," NODE ",\"revision\":7,\"epoch\":7}",
    "{\"type\":\"NODE_DEREGISTERED\"," NODE ",\"revision\":7,\"reason\":{}}",
};
#define GARBAGE (sizeof(garbage) / sizeof(garbage[0]))

START_TEST(what_is_no_event_is_skipped_counted_and_logged_once)
{
    for (size_t i = 0; i < GARBAGE; i++)
        expect_skipped(garbage[i], strlen(garbage[i]));
    ck_assert_uint_eq(scene_stats(discovery).skipped_events, GARBAGE);
    ck_assert_uint_eq(scene_stats(discovery).events, GARBAGE);
    for (int i = 0; i < lines.count; i++)
        if (strstr(lines.line[i], SKIPPED) != NULL)
            ck_assert_int_eq((int)lines.level[i], NETRON_LOG_WARNING);
}
END_TEST

START_TEST(bytes_of_zero_are_no_event)
{
    static const char zeroes[8];
    static const char inside[] = "{\"type\":\"NODE_UPDATED\"," NODE "\0}";
    static const char behind[] = "{\"type\":\"NODE_UPDATED\"," NODE "}\0";
    expect_skipped(zeroes, sizeof(zeroes));
    expect_skipped(inside, sizeof(inside) - 1);
    expect_skipped(behind, sizeof(behind) - 1);
}
END_TEST

START_TEST(a_good_event_cut_off_anywhere_is_no_event)
{
    static const char whole[] = "{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":"
                                "[{\"name\":\"orders\",\"version\":\"1\"}],\"timestamp\":1,\"revision\":7}";
    const size_t length = sizeof(whole) - 1;
    for (size_t i = 0; i < length; i++)
        publish(whole, i);
    expect_next_good_event();
    ck_assert_uint_eq(scene_stats(discovery).skipped_events, length);
    ck_assert_int_eq(log_count(&lines, SKIPPED), 1);
}
END_TEST

/* A message of that size: a beginning, and then one byte again and again. */
static void expect_large_skipped(const char *beginning, char filler, size_t size)
{
    char *message = malloc(size);
    ck_assert_ptr_nonnull(message);
    memset(message, filler, size);
    memcpy(message, beginning, strlen(beginning));
    expect_skipped(message, size);
    free(message);
}

START_TEST(huge_and_deep_messages_are_no_events)
{
    expect_large_skipped("{\"type\":\"NODE_UPDATED\"," NODE ",\"x\":", '[', 100000);
    expect_large_skipped("{\"type\":\"NODE_UPDATED\"," NODE "}", ' ', 512 * 1024 + 1);
    expect_large_skipped("{\"type\":\"NODE_UPDATED\"," NODE ",\"x\":\"", 'x', 3 * 1024 * 1024);
    expect_large_skipped("{\"type\":\"NODE_UPDATED\",\"nodeId\":\"", 'x', 200000);
}
END_TEST

START_TEST(an_event_of_the_largest_size_is_read)
{
    static const char event[] = "{\"type\":\"NODE_UPDATED\"," NODE "}";
    const size_t size = 512 * 1024;
    char *message = malloc(size);
    ck_assert_ptr_nonnull(message);
    memset(message, ' ', size);
    memcpy(message, event, sizeof(event) - 1);
    publish(message, size);
    expect_next_good_event();
    ck_assert_uint_eq(scene_stats(discovery).skipped_events, 0);
    free(message);
}
END_TEST

START_TEST(fields_beyond_the_limits_are_no_events)
{
    static const char *const members[] = {"nodeId", "address", "type"};
    char message[2048];
    char value[NETRON_ADDRESS_MAX + 2];
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (size_t i = 0; i < 3; i++) {
        /* The last of several members of a name counts. */
        snprintf(message, sizeof(message),
                 "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"h:1\","
                 "\"services\":[],\"%s\":\"%s\"}",
                 members[i], value);
        expect_skipped(message, strlen(message));
    }
    snprintf(message, sizeof(message),
             "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"h:1\","
             "\"services\":[{\"name\":\"%.129s\"}]}",
             value);
    expect_skipped(message, strlen(message));
    snprintf(message, sizeof(message),
             "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"h:1\","
             "\"services\":[{\"name\":\"n\",\"version\":\"%.65s\"}]}",
             value);
    expect_skipped(message, strlen(message));
}
END_TEST

START_TEST(garbage_is_logged_anew_on_a_new_connection)
{
    expect_skipped("x", 1);
    expect_skipped("y", 1);
    server_expect(&scene.server, "1", "CLIENT KILL TYPE pubsub");
    AWAIT(&scene.world, links.count[NETRON_LINK_EVENTS] == 3 && links.is_up[NETRON_LINK_EVENTS]);
    publish("z", 1);
    publish("z", 1);
    expect_next_good_event();
    ck_assert_int_eq(log_count(&lines, SKIPPED), 2);
    ck_assert_uint_eq(scene_stats(discovery).skipped_events, 4);
}
END_TEST

START_TEST(a_flood_of_garbage_does_not_hide_the_good)
{
    redisContext *context = server_connect(&scene.server);
    for (int i = 0; i < 5000; i++)
        redisAppendCommand(context, i % 100 == 0 ? "PUBLISH %s {\"type\":\"NODE_UPDATED\"," NODE "}" : "PUBLISH %s {]",
                           CHANNEL);
    for (int i = 0; i < 5000; i++) {
        void *reply = NULL;
        ck_assert_int_eq(redisGetReply(context, &reply), REDIS_OK);
        freeReplyObject(reply);
    }
    redisFree(context);
    AWAIT(&scene.world, scene_stats(discovery).skipped_events == 4950);
    expect_next_good_event();
    ck_assert_int_eq(log_count(&lines, SKIPPED), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("events_garbage");
    TCase *tcase = scene_case(suite, "garbage on the channel");
    tcase_add_checked_fixture(tcase, open_garbage, close_garbage);
    tcase_add_test(tcase, what_is_no_event_is_skipped_counted_and_logged_once);
    tcase_add_test(tcase, bytes_of_zero_are_no_event);
    tcase_add_test(tcase, a_good_event_cut_off_anywhere_is_no_event);
    tcase_add_test(tcase, huge_and_deep_messages_are_no_events);
    tcase_add_test(tcase, an_event_of_the_largest_size_is_read);
    tcase_add_test(tcase, fields_beyond_the_limits_are_no_events);
    tcase_add_test(tcase, garbage_is_logged_anew_on_a_new_connection);
    tcase_add_test(tcase, a_flood_of_garbage_does_not_hide_the_good);
    return suite_run(suite);
}
