/* SPDX-License-Identifier: MIT */
/* The Lua scripts called directly: what they publish, and contents that are awkward to store or to tell. */
#include "event.h"
#include "node.h"
#include "script_calls.h"
#include "spy.h"
#include "suite.h"

static struct spy spy;
static struct netron_parsed_event event;

static void open_events(void)
{
    open_registry();
    spy_watch_events(&spy, &server);
}

static void close_events(void)
{
    netron_event_clear(&event);
    spy_close(&spy);
    close_registry();
}

/* The only event since the last one, read as every reader reads it. */
static void hear(void)
{
    struct netron_failure why = {0};
    spy_collect(&spy);
    ck_assert_int_eq(spy.count, 1);
    netron_event_clear(&event);
    ck_assert_msg(netron_event_parse(spy.line[0], strlen(spy.line[0]), &event, &why) == 0, "%s: %s", spy.line[0],
                  why.sentence);
    spy.count = 0;
}

static void assert_silence(void)
{
    spy_collect(&spy);
    ck_assert_int_eq(spy.count, 0);
}

static uint64_t registry_number(const char *field, int base)
{
    char text[64];
    ck_assert(server_text(&server, text, sizeof(text), "HGET " P ":registry %s", field));
    return strtoull(text, NULL, base);
}

static void assert_event(netron_event_type type, uint64_t revision, const char *incarnation, const char *reason)
{
    char epoch[64];
    hear();
    ck_assert_int_eq(event.type, type);
    ck_assert_uint_eq(event.revision, revision);
    ck_assert_uint_eq(event.digest, registry_number("digest", 16));
    ck_assert_str_eq(event.incarnation, incarnation);
    ck_assert_str_eq(event.reason, reason);
    server_text(&server, epoch, sizeof(epoch), "HGET " P ":registry epoch");
    ck_assert_str_eq(event.epoch, epoch);
}

/* ---- events ---- */

START_TEST(each_change_is_published_once_with_what_stands_there_afterwards)
{
    char record[1024];
    uint64_t tag;
    uint64_t timestamp;
    struct call call = call_of("a", "1111", "take-over");
    assert_registers(&call, "registered", 1);
    assert_event(NETRON_NODE_REGISTERED, 1, "1111", "");
    ck_assert_uint_eq(event.tag, event.digest);
    ck_assert_str_eq(event.node->id, "a");
    ck_assert_str_eq(event.node->address, "10.0.0.1:4000");
    ck_assert(netron_node_same_services(event.node->services, event.node->service_count, users_and_mail, 2));

    call.address = "10.0.0.2:1";
    call.incarnation = "2222";
    call.count = 1;
    assert_registers(&call, "updated", 2);
    assert_event(NETRON_NODE_UPDATED, 2, "2222", "");
    ck_assert_str_eq(event.node->address, "10.0.0.2:1");
    ck_assert_uint_eq(event.node->service_count, 1);
    tag = event.tag;
    timestamp = event.node->timestamp_ms;
    server_text(&server, record, sizeof(record), "HGET " P ":nodes:a timestamp");
    ck_assert_uint_eq(timestamp, strtoull(record, NULL, 10));

    deregisters("a", "2222", "deregistered", 3);
    assert_event(NETRON_NODE_DEREGISTERED, 3, "2222", "shutdown");
    ck_assert_uint_eq(event.tag, tag);
    ck_assert_uint_eq(event.digest, 0);
    ck_assert_str_eq(event.node->address, "10.0.0.2:1");
    ck_assert_uint_ge(event.node->timestamp_ms, timestamp);
}
END_TEST

START_TEST(what_changes_nothing_is_not_published)
{
    long long remaining;
    struct call call = call_of("a", "1111", "take-over");
    assert_registers(&call, "registered", 1);
    hear();
    assert_registers(&call, "unchanged", 1);
    registers("a", "1111", "renew", "unchanged", 1);
    struct call second = call_of("a", "2222", "reject");
    ck_assert_str_eq(run(&second, &remaining), "held");
    second.policy = "renew";
    ck_assert_str_eq(run(&second, &remaining), "fenced");
    ck_assert_str_eq(run_deregister("a", "2222", &remaining), "fenced");
    deregisters("b", "2222", "gone", 0);
    assert_silence();
}
END_TEST

START_TEST(without_a_channel_changes_are_counted_but_not_published)
{
    struct call call = call_of("a", "1111", "take-over");
    call.is_silent = true;
    assert_registers(&call, "registered", 1);
    call.address = "10.0.0.2:1";
    assert_registers(&call, "updated", 2);
    assert_silence();
}
END_TEST

/* ---- awkward contents ---- */

START_TEST(no_services_are_an_empty_array_and_no_object)
{
    struct call call = call_of("a", "1111", "take-over");
    call.count = 0;
    assert_registers(&call, "registered", 1);
    hear();
    ck_assert_uint_eq(event.node->service_count, 0);
    server_expect(&server, "[]", "HGET " P ":nodes:a services");
    char record[1024];
    server_text(&server, record, sizeof(record), "HGET " P ":records a");
    ck_assert_ptr_nonnull(strstr(record, "\"services\":[]"));
    assert_registers(&call, "unchanged", 1);
    deregisters("a", "1111", "deregistered", 2);
    hear();
    ck_assert_uint_eq(event.node->service_count, 0);
}
END_TEST

static const char *const odd_texts[] = {
    "a b",       "\"quoted\"", "back\\slash",     "{brace} [bracket]", "%s %1 %%",
    "a:b:c",     "]--",        "'; return 1 --'", "*?[a-z]^$+-.()",    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
    "</script>", "1 2 3 {}",
};

START_TEST(texts_with_odd_characters_are_kept_as_they_are)
{
    const char *text = odd_texts[_i];
    const netron_service services[] = {{text, text}};
    char address[64];
    char record[1024];
    struct netron_record parsed;
    struct netron_failure why;
    struct call call = call_of(text, "1111", "take-over");
    snprintf(address, sizeof(address), "%s:1", text);
    call.address = address;
    call.services = services;
    call.count = 1;
    assert_registers(&call, "registered", 1);
    hear();
    ck_assert_str_eq(event.node->id, text);
    ck_assert_str_eq(event.node->address, address);
    ck_assert(netron_node_same_services(event.node->services, event.node->service_count, services, 1));
    server_text(&server, record, sizeof(record), "HGET " P ":records %s", text);
    ck_assert_int_eq(netron_record_parse(record, strlen(record), text, &parsed, &why), 0);
    ck_assert_str_eq(parsed.node->services[0].version, text);
    netron_record_clear(&parsed);
    server_expect(&server, "1", "SISMEMBER " P ":index:service:%b %b", text, strlen(text), text, strlen(text));
    assert_registers(&call, "unchanged", 1);
    call.count = 0;
    assert_registers(&call, "updated", 2);
    server_expect(&server, "0", "EXISTS " P ":index:service:%b", text, strlen(text));
    hear();
    deregisters(text, "1111", "deregistered", 3);
    hear();
    ck_assert_str_eq(event.node->id, text);
    server_expect(&server, "2", "DBSIZE");
}
END_TEST

START_TEST(contents_at_the_limits_are_kept)
{
    static char id[NETRON_NODE_ID_MAX + 1];
    static char address[NETRON_ADDRESS_MAX + 1];
    static char names[NETRON_SERVICES_MAX][8];
    static netron_service services[NETRON_SERVICES_MAX];
    memset(id, 'i', sizeof(id) - 1);
    memset(address, 'a', sizeof(address) - 1);
    for (unsigned i = 0; i < NETRON_SERVICES_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "s%u", i % 10000);
        services[i] = (netron_service){names[i], "1.0.0"};
    }
    struct call call = call_of(id, "1111", "take-over");
    call.address = address;
    call.services = services;
    call.count = NETRON_SERVICES_MAX;
    call.is_silent = true; /* longer than a line of the spy */
    assert_registers(&call, "registered", 1);
    server_expect(&server, "1", "SISMEMBER " P ":index:service:s0 %s", id);
    server_expect(&server, "1", "SISMEMBER " P ":index:service:s1023 %s", id);
    assert_registers(&call, "unchanged", 1);
    long long number = 0;
    call.count = 1;
    ck_assert_str_eq(run(&call, &number), "updated");
    server_expect(&server, "8", "DBSIZE"); /* one service index of all those is left */
    ck_assert(digest_is_right(&server));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("script_event");
    TCase *tcase = suite_case(suite, "events");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_events, close_events);
    tcase_add_test(tcase, each_change_is_published_once_with_what_stands_there_afterwards);
    tcase_add_test(tcase, what_changes_nothing_is_not_published);
    tcase_add_test(tcase, without_a_channel_changes_are_counted_but_not_published);
    tcase_add_test(tcase, no_services_are_an_empty_array_and_no_object);
    tcase_add_loop_test(tcase, texts_with_odd_characters_are_kept_as_they_are, 0, COUNT(odd_texts));
    tcase_add_test(tcase, contents_at_the_limits_are_kept);
    return suite_run(suite);
}
