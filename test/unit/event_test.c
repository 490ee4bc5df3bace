/* SPDX-License-Identifier: MIT */
/* The room event: what is read of messages on the channel, the original's, this library's, and anybody's. */
#include "event.h"
#include "expect.h"
#include "hostile.h"
#include "scarce.h"

#define NODE                                                                                                           \
    "\"nodeId\":\"node-1\",\"address\":\"h:1\",\"services\":[{\"name\":\"chat\",\"version\":\"1.0\"},{\"name\":"       \
    "\"mail\"}]"
#define ORIGINAL "{\"type\":\"NODE_UPDATED\"," NODE ",\"timestamp\":1700000000000}"
#define OURS                                                                                                           \
    "{\"type\":\"NODE_REGISTERED\"," NODE ",\"timestamp\":1700000000000,\"epoch\":\"e1\",\"revision\":7,"              \
    "\"digest\":\"00000000ffff\",\"tag\":\"ABCDEF012345\",\"incarnation\":\"0123456789abcdef\",\"reason\":\"\"}"

static int parse(const char *text, struct netron_parsed_event *event, struct netron_failure *why)
{
    memset(event, 0x5a, sizeof(*event));
    return netron_event_parse(text, strlen(text), event, why);
}

/* The event with these members in place of the usual ones behind its node. */
static const char *with(const char *members)
{
    static char text[2048];
    snprintf(text, sizeof(text), "{\"type\":\"NODE_UPDATED\"," NODE ",%s}", members);
    return text;
}

static void expect_refused(const char *text, const char *words)
{
    struct netron_parsed_event event;
    struct netron_failure why = {0};
    expect_refusal(text, parse(text, &event, &why), NETRON_EPROTOCOL, &why, words);
    ck_assert_msg(event.node == NULL && event.revision == 0 && event.type == 0 && event.reason[0] == '\0',
                  "%s: something is left behind", text);
}

static void expect_fine(const char *text)
{
    struct netron_parsed_event event;
    struct netron_failure why = {0};
    expect_success(text, parse(text, &event, &why), &why);
    netron_event_clear(&event);
}

/* ---- types ---- */

START_TEST(every_type_has_its_name_and_no_other_number_has_one)
{
    ck_assert_str_eq(netron_event_type_name(NETRON_NODE_REGISTERED), "NODE_REGISTERED");
    ck_assert_str_eq(netron_event_type_name(NETRON_NODE_UPDATED), "NODE_UPDATED");
    ck_assert_str_eq(netron_event_type_name(NETRON_NODE_DEREGISTERED), "NODE_DEREGISTERED");
    ck_assert_str_eq(netron_event_type_name(NETRON_SYNCED), "SYNCED");
    static const int others[] = {0, 5, -1, 1000};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        netron_event_type type;
        memcpy(&type, &others[i], sizeof(type)); /* no value that the enumeration has */
        ck_assert_str_eq(netron_event_type_name(type), "");
    }
}
END_TEST

START_TEST(the_type_is_one_of_three_names)
{
    static const struct {
        const char *name;
        netron_event_type type;
    } types[] = {{"NODE_REGISTERED", NETRON_NODE_REGISTERED},
                 {"NODE_UPDATED", NETRON_NODE_UPDATED},
                 {"NODE_DEREGISTERED", NETRON_NODE_DEREGISTERED}};
    static const char *const odd[] = {
        "\"NODE_GONE\"", "\"node_updated\"",  "\"NODE_UPDATED \"", "\"NODE_UPDATE\"", "\"\"", "2",
        "null",          "[\"NODE_UPDATED\"]"};
    char text[512];
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct netron_parsed_event event;
        snprintf(text, sizeof(text), "{\"type\":\"%s\"," NODE "}", types[i].name);
        ck_assert_int_eq(parse(text, &event, NULL), 0);
        ck_assert_int_eq(event.type, types[i].type);
        netron_event_clear(&event);
    }
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        snprintf(text, sizeof(text), "{\"type\":%s," NODE "}", odd[i]);
        expect_refused(text, "type");
    }
    expect_refused("{" NODE "}", "type");
}
END_TEST

/* ---- whole events ---- */

START_TEST(an_event_of_the_original_has_no_revision)
{
    static const netron_service services[] = {{"chat", "1.0"}, {"mail", NULL}};
    struct netron_parsed_event event;
    struct netron_failure why = {0};
    expect_success(ORIGINAL, parse(ORIGINAL, &event, &why), &why);
    ck_assert_int_eq(event.type, NETRON_NODE_UPDATED);
    ck_assert_str_eq(event.node->id, "node-1");
    ck_assert_str_eq(event.node->address, "h:1");
    ck_assert(netron_node_same_services(event.node->services, event.node->service_count, services, 2));
    ck_assert(event.node->timestamp_ms == UINT64_C(1700000000000));
    ck_assert(event.revision == 0 && event.tag == 0 && event.digest == 0);
    ck_assert_str_eq(event.epoch, "");
    ck_assert_str_eq(event.incarnation, "");
    ck_assert_str_eq(event.reason, "");
    netron_event_clear(&event);
    ck_assert_ptr_null(event.node);
    netron_event_clear(&event);
}
END_TEST

START_TEST(an_event_of_this_library_has_all_of_it)
{
    struct netron_parsed_event event;
    struct netron_failure why = {0};
    expect_success(OURS, parse(OURS, &event, &why), &why);
    ck_assert_int_eq(event.type, NETRON_NODE_REGISTERED);
    ck_assert_uint_eq(event.revision, 7);
    ck_assert_uint_eq(event.digest, 0xffff);
    ck_assert(event.tag == UINT64_C(0xabcdef012345));
    ck_assert_str_eq(event.epoch, "e1");
    ck_assert_str_eq(event.incarnation, "0123456789abcdef");
    ck_assert_str_eq(event.reason, "");
    netron_event_clear(&event);
}
END_TEST

START_TEST(a_departure_may_lack_address_and_services)
{
    static const struct {
        const char *text, *address;
        size_t services;
    } cases[] = {
        {"{\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"a\"}", "", 0},
        {"{\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"a\",\"address\":\"\",\"services\":[]}", "", 0},
        {"{\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"a\",\"address\":\"h:1\"}", "h:1", 0},
        {"{\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"a\",\"services\":[{\"name\":\"x\"}]}", "", 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_parsed_event event;
        struct netron_failure why = {0};
        expect_success(cases[i].text, parse(cases[i].text, &event, &why), &why);
        ck_assert_str_eq(event.node->address, cases[i].address);
        ck_assert_uint_eq(event.node->service_count, cases[i].services);
        netron_event_clear(&event);
    }
    expect_refused("{\"type\":\"NODE_DEREGISTERED\",\"address\":\"h:1\",\"services\":[]}", "nodeId");
    expect_refused("{\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"a\",\"address\":7}", "address");
    expect_refused("{\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"a\",\"services\":{}}", "services");
    expect_refused("{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"a\",\"services\":[]}", "address");
    expect_refused("{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"\",\"services\":[]}", "address");
    expect_refused("{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"h:1\"}", "services");
}
END_TEST

START_TEST(a_departure_of_this_library_gives_its_reason)
{
    struct netron_parsed_event event;
    static const char departure[] =
        "{\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"a\",\"revision\":1,\"reason\":\"expired\"}";
    ck_assert_int_eq(parse(departure, &event, NULL), 0);
    ck_assert_str_eq(event.reason, "expired");
    netron_event_clear(&event);
}
END_TEST

/* ---- members ---- */

START_TEST(the_node_keeps_the_limits_of_a_node)
{
    static const struct {
        size_t id, address;
        const char *words; /* NULL = fine */
    } cases[] = {
        {256, 512, NULL}, {257, 1, "nodeId is longer than 256 bytes"}, {1, 513, "address is longer than 512 bytes"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char id[300], address[600], text[1200];
        snprintf(text, sizeof(text), "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"%s\",\"address\":\"%s\",\"services\":[]}",
                 fill(id, 'i', cases[i].id), fill(address, 'a', cases[i].address));
        if (cases[i].words == NULL)
            expect_fine(text);
        else
            expect_refused(text, cases[i].words);
    }
    expect_refused("{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\\n\",\"address\":\"h:1\",\"services\":[]}", "nodeId");
    expect_refused("{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\\u0000\",\"address\":\"h:1\",\"services\":[]}", "event");
    expect_refused("{\"type\":\"NODE_UPDATED\",\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":[7]}", "services[0]");
}
END_TEST

START_TEST(a_timestamp_is_a_number_of_milliseconds_or_missing)
{
    static const struct {
        const char *members;
        uint64_t wanted;
    } cases[] = {
        {"\"x\":0", 0},
        {"\"timestamp\":0", 0},
        {"\"timestamp\":1700000000000", UINT64_C(1700000000000)},
        {"\"timestamp\":9223372036854775807", INT64_MAX},
        {"\"timestamp\":1.7e12", UINT64_C(1700000000000)},
        {"\"timestamp\":12.75", 12},
        {"\"timestamp\":-0.0", 0},
        {"\"timestamp\":1.8446744073709549e19", UINT64_C(18446744073709549568)}, /* the last double below 2^64 */
    };
    static const char *const odd[] = {"-1", "-0.5", "\"1700000000000\"",     "null",
                                      "[]", "true", "1.8446744073709552e19", "1e300"};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_parsed_event event;
        struct netron_failure why = {0};
        expect_success(cases[i].members, parse(with(cases[i].members), &event, &why), &why);
        ck_assert_msg(event.node->timestamp_ms == cases[i].wanted, "%s: %llu", cases[i].members,
                      (unsigned long long)event.node->timestamp_ms);
        netron_event_clear(&event);
    }
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        char members[64];
        snprintf(members, sizeof(members), "\"timestamp\":%s", odd[i]);
        expect_refused(with(members), "timestamp");
    }
}
END_TEST

START_TEST(a_revision_is_an_integer_above_zero)
{
    static const char *const odd[] = {"0", "-1", "1.0", "1.5", "\"1\"", "null", "true", "[]", "-9223372036854775808"};
    struct netron_parsed_event event;
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        char members[64];
        snprintf(members, sizeof(members), "\"revision\":%s", odd[i]);
        expect_refused(with(members), "revision");
    }
    ck_assert_int_eq(parse(with("\"revision\":9223372036854775807"), &event, NULL), 0);
    ck_assert(event.revision == INT64_MAX);
    netron_event_clear(&event);
}
END_TEST

START_TEST(a_number_beyond_all_bounds_is_never_wrapped_around)
{
    static const char *const odd[] = {"9223372036854775808", "18446744073709551617", "1e999", "-1e999"};
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        char members[64];
        snprintf(members, sizeof(members), "\"revision\":%s", odd[i]);
        expect_refused(with(members), "event");
        snprintf(members, sizeof(members), "\"timestamp\":%s", odd[i]);
        expect_refused(with(members), "event");
    }
}
END_TEST

START_TEST(tag_and_digest_have_twelve_hex_digits_or_are_missing)
{
    static const char *const names[] = {"tag", "digest"};
    static const char *const odd[] = {
        "\"\"", "\"00000000000\"",  "\"0000000000000\"", "\"0x0000000000\"", "\"00000000000g\"", "null",
        "0",    "\" 00000000000\"", "\"-00000000001\""};
    for (size_t name = 0; name < COUNT_OF(names); name++) {
        char members[128];
        for (size_t i = 0; i < COUNT_OF(odd); i++) {
            snprintf(members, sizeof(members), "\"revision\":1,\"%s\":%s", names[name], odd[i]);
            expect_refused(with(members), names[name]);
        }
        struct netron_parsed_event event;
        snprintf(members, sizeof(members), "\"revision\":1,\"%s\":\"fFfFfFfFfFfF\"", names[name]);
        ck_assert_int_eq(parse(with(members), &event, NULL), 0);
        ck_assert((name == 0 ? event.tag : event.digest) == UINT64_C(0xffffffffffff));
        ck_assert((name == 0 ? event.digest : event.tag) == 0);
        netron_event_clear(&event);
    }
    expect_fine(with("\"revision\":1"));
}
END_TEST

START_TEST(epoch_and_incarnation_have_64_bytes_at_most)
{
    static const char *const names[] = {"epoch", "incarnation"};
    static const char *const odd[] = {"1", "null", "[]", "{}", "\"a\\n\"", "\"\\u007f\""};
    for (size_t name = 0; name < COUNT_OF(names); name++) {
        char text[80], members[160];
        for (size_t length = 64; length <= 65; length++) {
            struct netron_parsed_event event;
            snprintf(members, sizeof(members), "\"revision\":1,\"%s\":\"%s\"", names[name], fill(text, 'x', length));
            if (length == 65) {
                expect_refused(with(members), names[name]);
                continue;
            }
            ck_assert_int_eq(parse(with(members), &event, NULL), 0);
            ck_assert_str_eq(name == 0 ? event.epoch : event.incarnation, text);
            netron_event_clear(&event);
        }
        for (size_t i = 0; i < COUNT_OF(odd); i++) {
            snprintf(members, sizeof(members), "\"revision\":1,\"%s\":%s", names[name], odd[i]);
            expect_refused(with(members), names[name]);
        }
    }
}
END_TEST

START_TEST(without_a_revision_none_of_the_other_members_is_ours)
{
    struct netron_parsed_event event;
    struct netron_failure why = {0};
    const char *text = with("\"epoch\":7,\"tag\":\"x\",\"digest\":[],\"incarnation\":{},\"reason\":\"expired\"");
    expect_success(text, parse(text, &event, &why), &why);
    ck_assert(event.revision == 0 && event.tag == 0 && event.digest == 0);
    ck_assert_str_eq(event.epoch, "");
    ck_assert_str_eq(event.reason, "");
    netron_event_clear(&event);
}
END_TEST

START_TEST(members_that_are_not_known_are_ignored)
{
    static const char *const members[] = {
        "\"ttl\":30000,\"state\":\"draining\",\"weight\":1.5,\"zone\":null",
        "\"extra\":{\"a\":\"\\n\",\"b\":\"\"}",
        "\"extra\":{\"a\":\"\\u0000\"}",
        "\"future\":[[[{\"nodeId\":\"x\",\"type\":0}]]]",
        "\"\":0",
    };
    for (size_t i = 0; i < COUNT_OF(members); i++)
        expect_fine(with(members[i]));
}
END_TEST

START_TEST(the_last_of_repeated_members_counts)
{
    struct netron_parsed_event event;
    ck_assert_int_eq(parse(with("\"nodeId\":\"node-2\",\"revision\":0,\"revision\":3"), &event, NULL), 0);
    ck_assert_str_eq(event.node->id, "node-2");
    ck_assert_uint_eq(event.revision, 3);
    netron_event_clear(&event);
    expect_refused(with("\"revision\":3,\"revision\":\"x\""), "revision");
}
END_TEST

/* ---- messages of any kind ---- */

START_TEST(a_message_that_is_no_json_object_is_no_event)
{
    static const char *const odd[] = {"",   "hello",      "1",       "null",  "\"NODE_UPDATED\"",
                                      "[]", "[" OURS "]", OURS OURS, OURS "x"};
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        expect_refused(odd[i], "event: no JSON");
    expect_refused("{}", "event: type");
}
END_TEST

START_TEST(a_message_is_looked_at_up_to_half_a_megabyte)
{
    static char text[NETRON_EVENT_SIZE_MAX + 2];
    struct netron_parsed_event event;
    struct netron_failure why = {0};
    memset(text, ' ', sizeof(text));
    memcpy(text, OURS, strlen(OURS));
    expect_success("the largest", netron_event_parse(text, NETRON_EVENT_SIZE_MAX, &event, &why), &why);
    netron_event_clear(&event);
    int code = netron_event_parse(text, NETRON_EVENT_SIZE_MAX + 1, &event, &why);
    expect_refusal("one more", code, NETRON_EPROTOCOL, &why, "event: more than 524288 bytes");
    ck_assert_ptr_null(event.node);
    code = netron_event_parse("{", SIZE_MAX, &event, &why);
    expect_refusal("huge", code, NETRON_EPROTOCOL, &why, "524288");
}
END_TEST

static int read_event(const char *text, size_t length, struct netron_failure *why)
{
    struct netron_parsed_event event;
    int code = netron_event_parse(text, length, &event, why);
    if (code == 0)
        hostile_node(event.node, event.type == NETRON_NODE_DEREGISTERED ? 0 : 1);
    ck_assert((code == 0) == (event.node != NULL));
    netron_event_clear(&event);
    return code;
}

START_TEST(no_spoilt_message_does_harm)
{
    hostile_beginnings(read_event, OURS);
    hostile_bytes(read_event, OURS);
    hostile_bytes(read_event, ORIGINAL);
}
END_TEST

static int read_something(void)
{
    struct netron_failure why;
    return read_event(OURS, strlen(OURS), &why);
}

START_TEST(a_lack_of_memory_fails_and_leaves_nothing_behind)
{
    scarce_memory(read_something);
}
END_TEST

int main(void)
{
    allocations_of_libraries();
    Suite *suite = suite_create("event");
    TCase *tcase = suite_case(suite, "events");
    tcase_add_test(tcase, every_type_has_its_name_and_no_other_number_has_one);
    tcase_add_test(tcase, the_type_is_one_of_three_names);
    tcase_add_test(tcase, an_event_of_the_original_has_no_revision);
    tcase_add_test(tcase, an_event_of_this_library_has_all_of_it);
    tcase_add_test(tcase, a_departure_may_lack_address_and_services);
    tcase_add_test(tcase, a_departure_of_this_library_gives_its_reason);
    tcase = suite_case(suite, "members");
    tcase_add_test(tcase, the_node_keeps_the_limits_of_a_node);
    tcase_add_test(tcase, a_timestamp_is_a_number_of_milliseconds_or_missing);
    tcase_add_test(tcase, a_revision_is_an_integer_above_zero);
    tcase_add_test(tcase, a_number_beyond_all_bounds_is_never_wrapped_around);
    tcase_add_test(tcase, tag_and_digest_have_twelve_hex_digits_or_are_missing);
    tcase_add_test(tcase, epoch_and_incarnation_have_64_bytes_at_most);
    tcase_add_test(tcase, without_a_revision_none_of_the_other_members_is_ours);
    tcase_add_test(tcase, members_that_are_not_known_are_ignored);
    tcase_add_test(tcase, the_last_of_repeated_members_counts);
    tcase = suite_case(suite, "messages");
    tcase_add_test(tcase, a_message_that_is_no_json_object_is_no_event);
    tcase_add_test(tcase, a_message_is_looked_at_up_to_half_a_megabyte);
    tcase_add_test(tcase, no_spoilt_message_does_harm);
    tcase_add_test(tcase, a_lack_of_memory_fails_and_leaves_nothing_behind);
    return suite_run(suite);
}
