/* SPDX-License-Identifier: MIT */
/* What nodes say beyond address and services (state, reason, weight, zone, metadata): its limits, and its way through
 * copies, records and events. */
#include "event.h"
#include "node.h"
#include "scarce.h"
#include "suite.h"
#include <jansson.h>
#include <netron/netron.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define FIRST_SIZE (offsetof(netron_node, timestamp_ms) + sizeof(uint64_t))
#define LINE "7 0123456789ab 0123456789abcdef 1700000000000 "
#define BASE "{\"nodeId\":\"n\",\"address\":\"h:1\",\"services\":[]"
#define ALL                                                                                                            \
    ",\"state\":\"draining\",\"reason\":\"disk \\\"full\\\"\",\"weight\":65535,\"zone\":\"eu-1\",\"metadata\":"        \
    "{\"a\":\"\",\"b\":\"\\\\\"}"

static const netron_metadata two[] = {{"b", "\\"}, {"a", ""}};

static netron_node plain_node(void)
{
    netron_node node = NETRON_NODE_INIT;
    node.id = "n";
    node.address = "h:1";
    return node;
}

static netron_node full_node(void)
{
    netron_node node = plain_node();
    node.state = NETRON_NODE_DRAINING;
    node.reason = "disk \"full\"";
    node.weight = 65535;
    node.zone = "eu-1";
    node.metadata = two;
    node.metadata_count = 2;
    return node;
}

static void expect_full(const netron_node *node, const char *reason)
{
    ck_assert_int_eq(node->state, NETRON_NODE_DRAINING);
    if (reason != NULL)
        ck_assert_str_eq(node->reason, reason);
    else
        ck_assert_ptr_null(node->reason);
    ck_assert_uint_eq(node->weight, 65535);
    ck_assert_str_eq(node->zone, "eu-1");
    ck_assert_uint_eq(node->metadata_count, 2);
    ck_assert_str_eq(node->metadata[0].key, "a");
    ck_assert_str_eq(node->metadata[0].value, "");
    ck_assert_str_eq(node->metadata[1].key, "b");
    ck_assert_str_eq(node->metadata[1].value, "\\");
}

static void expect_defaults(const netron_node *node)
{
    ck_assert_int_eq(node->state, NETRON_NODE_UP);
    ck_assert_ptr_null(node->reason);
    ck_assert_uint_eq(node->weight, 1);
    ck_assert_ptr_null(node->zone);
    ck_assert_ptr_null(node->metadata);
    ck_assert_uint_eq(node->metadata_count, 0);
}

static void expect_refused(const netron_node *node, int code, const char *words)
{
    struct netron_failure why = {0};
    ck_assert_msg(netron_node_check(node, &why) == code, "%s: \"%s\"", words, why.sentence);
    ck_assert_msg(strstr(why.sentence, words) != NULL, "\"%s\" does not say \"%s\"", why.sentence, words);
}

static void expect_accepted(const netron_node *node)
{
    struct netron_failure why = {0};
    ck_assert_msg(netron_node_check(node, &why) == 0, "%s", why.sentence);
}

/* The same character so often, on the heap. */
static char *repeat(char character, size_t length)
{
    char *text = malloc(length + 1);
    memset(text, character, length);
    text[length] = '\0';
    return text;
}

/* ---- nodes ---- */

START_TEST(a_struct_of_the_first_version_is_read_no_further_than_it_goes)
{
    netron_node node = full_node();
    node.size = FIRST_SIZE;
    void *room = malloc(FIRST_SIZE); /* a sanitizer sees who reads behind it */
    netron_node *older = room;
    memcpy(older, &node, FIRST_SIZE);
    expect_accepted(older);
    netron_node *copy = netron_node_copy(older);
    ck_assert_uint_eq(copy->size, sizeof(netron_node));
    ck_assert_str_eq(copy->address, "h:1");
    expect_defaults(copy);
    netron_node_free(copy);
    free(room);
}
END_TEST

START_TEST(sizes_between_two_versions_are_refused_and_larger_ones_are_not)
{
    netron_node node = full_node();
    for (node.size = FIRST_SIZE + 1; node.size < sizeof(node); node.size++)
        expect_refused(&node, NETRON_EINVAL, "node.size");
    node.size = sizeof(node) + 100;
    expect_accepted(&node);
}
END_TEST

START_TEST(every_state_can_be_registered_but_unknown_ones)
{
    netron_node node = plain_node();
    for (int state = -3; state < 7; state++) {
        node.state = (netron_node_state)state;
        if (state >= 0 && state <= 3)
            expect_accepted(&node);
        else
            expect_refused(&node, NETRON_EINVAL, "node.state");
    }
}
END_TEST

START_TEST(states_have_names)
{
    static const char *const names[] = {"up", "starting", "draining", "maintenance"};
    for (int state = 0; state < 4; state++) {
        ck_assert_str_eq(netron_node_state_name((netron_node_state)state), names[state]);
        ck_assert_int_eq(netron_node_state_of_name(names[state]), state);
    }
    ck_assert_str_eq(netron_node_state_name(NETRON_NODE_UNKNOWN), "unknown");
    ck_assert_str_eq(netron_node_state_name((netron_node_state)4), "unknown");
    ck_assert_str_eq(netron_registration_state_name(NETRON_REGISTERING), "registering");
    ck_assert_str_eq(netron_registration_state_name(NETRON_LEFT), "left");
    ck_assert_str_eq(netron_registration_state_name((netron_registration_state)0), "unknown");
    ck_assert_str_eq(netron_registration_state_name((netron_registration_state)8), "unknown");
    ck_assert_str_eq(netron_view_state_name(NETRON_VIEW_CLOSED), "closed");
    ck_assert_str_eq(netron_view_state_name(NETRON_VIEW_PROTECTED), "protected");
    ck_assert_str_eq(netron_view_state_name((netron_view_state)5), "unknown");
    ck_assert_int_eq(netron_node_state_of_name("unknown"), NETRON_NODE_UNKNOWN);
    ck_assert_int_eq(netron_node_state_of_name("Up"), NETRON_NODE_UNKNOWN);
    ck_assert_int_eq(netron_node_state_of_name(""), NETRON_NODE_UNKNOWN);
}
END_TEST

START_TEST(reason_and_zone_keep_their_limits)
{
    static const struct {
        const char *field;
        size_t offset, max;
    } members[] = {
        {"node.reason", offsetof(netron_node, reason), 256},
        {"node.zone", offsetof(netron_node, zone), 64},
    };
    static const char *const broken[] = {"", "a\nb", "\x7f", "\xff", "\xed\xa0\x80"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        netron_node node = plain_node();
        const char **member = (const char **)(void *)((char *)&node + members[i].offset);
        char *longest = repeat('x', members[i].max);
        char *longer = repeat('x', members[i].max + 1);
        *member = longest;
        expect_accepted(&node);
        *member = longer;
        expect_refused(&node, NETRON_ELIMIT, members[i].field);
        for (size_t each = 0; each < COUNT_OF(broken); each++) {
            *member = broken[each];
            expect_refused(&node, NETRON_EINVAL, members[i].field);
        }
        free(longest);
        free(longer);
    }
}
END_TEST

START_TEST(a_weight_has_16_bits)
{
    netron_node node = plain_node();
    static const uint32_t fine[] = {0, 1, 2, 65535};
    static const uint32_t odd[] = {65536, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(fine); i++) {
        node.weight = fine[i];
        expect_accepted(&node);
    }
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        node.weight = odd[i];
        expect_refused(&node, NETRON_ELIMIT, "node.weight");
    }
}
END_TEST

START_TEST(keys_and_values_of_metadata_keep_their_limits)
{
    char *longest = repeat('k', 128);
    char *longer = repeat('k', 129);
    const struct {
        netron_metadata second;
        int code;
        const char *words;
    } cases[] = {
        {{longest, ""}, 0, ""},
        {{longer, ""}, NETRON_ELIMIT, "node.metadata[1].key is longer than 128 bytes"},
        {{NULL, ""}, NETRON_EINVAL, "node.metadata[1].key is missing"},
        {{"", ""}, NETRON_EINVAL, "node.metadata[1].key is empty"},
        {{"a\t", ""}, NETRON_EINVAL, "node.metadata[1].key holds a control"},
        {{"\xc3", ""}, NETRON_EINVAL, "node.metadata[1].key is not valid UTF-8"},
        {{"b", NULL}, NETRON_EINVAL, "node.metadata[1].value is missing"},
        {{"b", "\n"}, NETRON_EINVAL, "node.metadata[1].value holds a control"},
        {{"b", "\xff"}, NETRON_EINVAL, "node.metadata[1].value is not valid UTF-8"},
        {{"a", "2"}, NETRON_EINVAL, "node.metadata[1] repeats the key \"a\""},
        {{"A", "2"}, 0, ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const netron_metadata metadata[] = {{"a", "1"}, cases[i].second};
        netron_node node = plain_node();
        node.metadata = metadata;
        node.metadata_count = 2;
        if (cases[i].code == 0)
            expect_accepted(&node);
        else
            expect_refused(&node, cases[i].code, cases[i].words);
    }
    netron_node node = plain_node();
    node.metadata_count = 1;
    expect_refused(&node, NETRON_EINVAL, "node.metadata is missing, but node.metadata_count is 1");
    free(longest);
    free(longer);
}
END_TEST

START_TEST(metadata_takes_16_kib_as_json_at_most)
{
    /* {"k":"..."} has 8 bytes beside the value; a quote in it takes two. */
    static const struct {
        char character;
        size_t length;
        int code;
    } cases[] = {
        {'v', 16376, 0}, {'v', 16377, NETRON_ELIMIT},  {'"', 8188, 0}, {'"', 8189, NETRON_ELIMIT}, {'\\', 8188, 0},
        {'/', 16376, 0}, {'v', 100000, NETRON_ELIMIT},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *value = repeat(cases[i].character, cases[i].length);
        const netron_metadata metadata = {"k", value};
        netron_node node = plain_node();
        node.metadata = &metadata;
        node.metadata_count = 1;
        if (cases[i].code == 0) {
            netron_node *copy = netron_node_copy(&node);
            char *body = netron_record_body(copy, NETRON_DEFAULT_TTL_MS);
            expect_accepted(&node);
            ck_assert_uint_eq(strlen(body), strlen(BASE ",\"metadata\":}") + 16384);
            free(body);
            netron_node_free(copy);
        } else {
            expect_refused(&node, NETRON_ELIMIT, "node.metadata");
        }
        free(value);
    }
}
END_TEST

START_TEST(many_entries_are_measured_whole)
{
    static netron_metadata metadata[4000];
    static char keys[4000][5];
    netron_node node = plain_node();
    for (size_t i = 0; i < COUNT_OF(metadata); i++) {
        snprintf(keys[i], sizeof(keys[i]), "%04u", (unsigned)i);
        metadata[i] = (netron_metadata){keys[i], ""};
    }
    node.metadata = metadata;
    node.metadata_count = 1638; /* 10 bytes each, and one */
    ck_assert_uint_eq(netron_node_metadata_size(metadata, node.metadata_count), 16381);
    expect_accepted(&node);
    for (node.metadata_count = 1639; node.metadata_count <= COUNT_OF(metadata); node.metadata_count += 100)
        expect_refused(&node, NETRON_ELIMIT, "node.metadata takes more than 16384 bytes");
}
END_TEST

START_TEST(a_copy_shares_nothing_and_is_in_order)
{
    char reason[] = "disk \"full\"", zone[] = "eu-1", key[] = "b", value[] = "\\";
    netron_metadata metadata[] = {{key, value}, {"a", ""}};
    netron_node node = full_node();
    node.reason = reason;
    node.zone = zone;
    node.metadata = metadata;
    netron_node *copy = netron_node_copy(&node);
    reason[0] = zone[0] = key[0] = value[0] = 'x';
    metadata[1].key = NULL;
    expect_full(copy, "disk \"full\"");
    netron_node_free(copy);
    node = plain_node();
    copy = netron_node_copy(&node);
    expect_defaults(copy);
    netron_node_free(copy);
}
END_TEST

static bool same_copies(const netron_node *one, const netron_node *other)
{
    netron_node *left = netron_node_copy(one);
    netron_node *right = netron_node_copy(other);
    bool is_same = netron_node_same(left, right);
    ck_assert(netron_node_same(right, left) == is_same);
    netron_node_free(left);
    netron_node_free(right);
    return is_same;
}

START_TEST(nodes_are_the_same_when_all_but_the_time_is)
{
    static const netron_service service = {"s", NULL};
    static const netron_metadata swapped[] = {{"a", ""}, {"b", "\\"}};
    static const netron_metadata other_key[] = {{"a", ""}, {"c", "\\"}};
    static const netron_metadata other_value[] = {{"a", "1"}, {"b", "\\"}};
    netron_node one = full_node();
    netron_node others[11];
    for (size_t i = 0; i < COUNT_OF(others); i++)
        others[i] = full_node();
    others[0].id = "m";
    others[1].address = "h:2";
    others[2].services = &service;
    others[2].service_count = 1;
    others[3].state = NETRON_NODE_UP;
    others[4].reason = NULL;
    others[5].reason = "else";
    others[6].weight = 2;
    others[7].zone = NULL;
    others[8].metadata_count = 1;
    others[9].metadata = other_key;
    others[10].metadata = other_value;
    for (size_t i = 0; i < COUNT_OF(others); i++)
        ck_assert_msg(!same_copies(&one, &others[i]), "%zu", i);
    netron_node other = full_node();
    other.timestamp_ms = 5;
    other.metadata = swapped;
    ck_assert(same_copies(&one, &other));
    one.weight = 0;
    other.weight = 1;
    ck_assert(same_copies(&one, &other));
}
END_TEST

/* ---- records ---- */

static void expect_body(const netron_node *node, uint32_t ttl_ms, const char *wanted)
{
    netron_node *copy = netron_node_copy(node);
    char *body = netron_record_body(copy, ttl_ms);
    ck_assert_str_eq(body, wanted);
    free(body);
    netron_node_free(copy);
}

START_TEST(a_body_has_what_differs_from_the_default_in_its_order)
{
    netron_node node = plain_node();
    expect_body(&node, 15000, BASE "}");
    node.weight = 1;
    expect_body(&node, 15000, BASE "}");
    node.zone = "z";
    expect_body(&node, 20000, BASE ",\"zone\":\"z\",\"ttl\":20000}");
    node.state = NETRON_NODE_MAINTENANCE;
    expect_body(&node, 15000, BASE ",\"state\":\"maintenance\",\"zone\":\"z\"}");
    node = full_node();
    expect_body(&node, 20000, BASE ALL ",\"ttl\":20000}");
}
END_TEST

static int write_body(void)
{
    netron_node node = full_node();
    netron_node *copy = netron_node_copy(&node);
    char *body = copy != NULL ? netron_record_body(copy, 20000) : NULL;
    int code = body != NULL ? 0 : NETRON_ENOMEM;
    if (body != NULL)
        ck_assert_str_eq(body, BASE ALL ",\"ttl\":20000}");
    free(body);
    netron_node_free(copy);
    return code;
}

START_TEST(a_body_without_memory_is_none)
{
    scarce_memory(write_body);
}
END_TEST

static int read_record(const char *members, struct netron_record *record, struct netron_failure *why)
{
    char *line = malloc(strlen(members) + 1024);
    int length = sprintf(line, LINE BASE "%s}", members);
    int code = netron_record_parse(line, (size_t)length, "n", record, why);
    free(line);
    return code;
}

START_TEST(what_is_written_is_read)
{
    struct netron_record record;
    struct netron_failure why = {0};
    ck_assert_msg(read_record(ALL, &record, &why) == 0, "%s", why.sentence);
    expect_full(record.node, "disk \"full\"");
    netron_record_clear(&record);
    ck_assert_int_eq(read_record("", &record, &why), 0);
    expect_defaults(record.node);
    netron_record_clear(&record);
}
END_TEST

START_TEST(null_and_empty_say_nothing)
{
    struct netron_record record;
    struct netron_failure why = {0};
    ck_assert_int_eq(
        read_record(",\"state\":null,\"reason\":null,\"weight\":null,\"zone\":null,\"metadata\":null", &record, &why),
        0);
    expect_defaults(record.node);
    netron_record_clear(&record);
    ck_assert_int_eq(read_record(",\"reason\":\"\",\"zone\":\"\",\"metadata\":{},\"signature\":[1]", &record, &why), 0);
    expect_defaults(record.node);
    netron_record_clear(&record);
}
END_TEST

START_TEST(a_state_that_is_not_known_is_unknown)
{
    struct netron_record record;
    struct netron_failure why = {0};
    ck_assert_int_eq(read_record(",\"state\":\"canary\",\"weight\":2", &record, &why), 0);
    ck_assert_int_eq(record.node->state, NETRON_NODE_UNKNOWN);
    ck_assert_uint_eq(record.node->weight, 2);
    netron_record_clear(&record);
}
END_TEST

static void expect_garbage(const char *members, const char *words)
{
    struct netron_record record;
    struct netron_failure why = {0};
    ck_assert_msg(read_record(members, &record, &why) == NETRON_EPROTOCOL, "%.200s", members);
    ck_assert_ptr_null(record.node);
    ck_assert_msg(strstr(why.sentence, words) != NULL, "\"%s\" does not say \"%s\"", why.sentence, words);
}

START_TEST(what_breaks_a_limit_or_has_another_type_is_garbage)
{
    static const struct {
        const char *members, *words;
    } cases[] = {
        {",\"state\":1", "state"},
        {",\"state\":[\"up\"]", "state"},
        {",\"state\":\"up\\n\"", "state"},
        {",\"reason\":false", "reason"},
        {",\"reason\":{}", "reason"},
        {",\"reason\":\"\\u001b[2J\"", "reason"},
        {",\"weight\":\"1\"", "weight"},
        {",\"weight\":0", "weight"},
        {",\"weight\":-1", "weight"},
        {",\"weight\":65536", "weight"},
        {",\"weight\":1.0", "weight"},
        {",\"weight\":true", "weight"},
        {",\"weight\":9223372036854775807", "weight"},
        {",\"zone\":7", "zone"},
        {",\"zone\":\"\\u007f\"", "zone"},
        {",\"metadata\":[]", "metadata is no object"},
        {",\"metadata\":\"a\"", "metadata is no object"},
        {",\"metadata\":{\"a\":\"\",\"b\":1}", "metadata[1].value"},
        {",\"metadata\":{\"a\":null}", "metadata[0].value"},
        {",\"metadata\":{\"a\":{\"b\":\"c\"}}", "metadata[0].value"},
        {",\"metadata\":{\"a\":\"\\n\"}", "metadata[0].value"},
        {",\"metadata\":{\"\":\"x\"}", "metadata[0].key"},
        {",\"metadata\":{\"a\\n\":\"x\"}", "metadata[0].key"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_garbage(cases[i].members, cases[i].words);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_garbage)
{
    static const struct {
        const char *before, *after, *words;
        size_t max;
    } cases[] = {
        {",\"state\":\"", "\"", "state is longer", 64},
        {",\"reason\":\"", "\"", "reason is longer", 256},
        {",\"zone\":\"", "\"", "zone is longer", 64},
        {",\"metadata\":{\"", "\":\"\"}", "metadata[0].key is longer", 128},
        {",\"metadata\":{\"k\":\"", "\"}", "metadata takes more", 16376},
        {",\"metadata\":{\"k\":\"\\u0041", "\"}", "metadata takes more",
         16375}, /* what it says, not how, is measured */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t length = cases[i].max; length <= cases[i].max + 1; length++) {
            struct netron_record record;
            char *text = repeat('x', length);
            char *members = malloc(length + 64);
            sprintf(members, "%s%s%s", cases[i].before, text, cases[i].after);
            if (length > cases[i].max)
                expect_garbage(members, cases[i].words);
            else
                ck_assert_msg(read_record(members, &record, NULL) == 0, "%.60s", members);
            if (length == cases[i].max)
                netron_record_clear(&record);
            free(members);
            free(text);
        }
    }
}
END_TEST

/* ---- events ---- */

static void read_event(const char *type, const char *members, struct netron_parsed_event *event)
{
    struct netron_failure why = {0};
    char text[1024];
    int length = snprintf(text, sizeof(text), "{\"type\":\"%s\",%s%s}", type, &BASE[1], members);
    ck_assert_msg(netron_event_parse(text, (size_t)length, event, &why) == 0, "%s", why.sentence);
}

START_TEST(an_event_hands_out_what_the_node_says)
{
    struct netron_parsed_event event;
    read_event("NODE_UPDATED", ALL ",\"timestamp\":5,\"revision\":3", &event);
    expect_full(event.node, "disk \"full\"");
    ck_assert_str_eq(event.reason, ""); /* it is no departure's */
    netron_event_clear(&event);
    read_event("NODE_REGISTERED", ",\"timestamp\":5,\"revision\":3", &event);
    expect_defaults(event.node);
    netron_event_clear(&event);
}
END_TEST

START_TEST(the_reason_of_a_departure_is_not_that_of_the_state)
{
    struct netron_parsed_event event;
    read_event("NODE_DEREGISTERED", ALL ",\"timestamp\":5,\"revision\":3,\"reason\":\"shutdown\"", &event);
    ck_assert_str_eq(event.reason, "shutdown");
    expect_full(event.node, NULL);
    netron_event_clear(&event);
}
END_TEST

START_TEST(what_the_original_adds_to_its_events_is_none_of_ours)
{
    struct netron_parsed_event event;
    read_event("NODE_UPDATED", ",\"timestamp\":5,\"state\":7,\"weight\":\"heavy\",\"metadata\":[]", &event);
    expect_defaults(event.node);
    netron_event_clear(&event);
}
END_TEST

START_TEST(an_event_with_a_broken_member_is_garbage)
{
    static const char text[] = "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"n\",\"address\":\"h:1\",\"services\":[],"
                               "\"revision\":3,\"weight\":0}";
    struct netron_parsed_event event;
    struct netron_failure why = {0};
    ck_assert_int_eq(netron_event_parse(text, sizeof(text) - 1, &event, &why), NETRON_EPROTOCOL);
    ck_assert_ptr_nonnull(strstr(why.sentence, "event: weight"));
    ck_assert_ptr_null(event.node);
}
END_TEST

int main(void)
{
    allocations_of_libraries();
    Suite *suite = suite_create("members");
    TCase *nodes = suite_case(suite, "nodes");
    tcase_add_test(nodes, a_struct_of_the_first_version_is_read_no_further_than_it_goes);
    tcase_add_test(nodes, sizes_between_two_versions_are_refused_and_larger_ones_are_not);
    tcase_add_test(nodes, every_state_can_be_registered_but_unknown_ones);
    tcase_add_test(nodes, states_have_names);
    tcase_add_test(nodes, reason_and_zone_keep_their_limits);
    tcase_add_test(nodes, a_weight_has_16_bits);
    tcase_add_test(nodes, keys_and_values_of_metadata_keep_their_limits);
    tcase_add_test(nodes, metadata_takes_16_kib_as_json_at_most);
    tcase_add_test(nodes, many_entries_are_measured_whole);
    tcase_add_test(nodes, a_copy_shares_nothing_and_is_in_order);
    tcase_add_test(nodes, nodes_are_the_same_when_all_but_the_time_is);
    TCase *records = suite_case(suite, "records");
    tcase_add_test(records, a_body_has_what_differs_from_the_default_in_its_order);
    tcase_add_test(records, a_body_without_memory_is_none);
    tcase_add_test(records, what_is_written_is_read);
    tcase_add_test(records, null_and_empty_say_nothing);
    tcase_add_test(records, a_state_that_is_not_known_is_unknown);
    tcase_add_test(records, what_breaks_a_limit_or_has_another_type_is_garbage);
    tcase_add_test(records, a_text_that_is_too_long_is_garbage);
    TCase *events = suite_case(suite, "events");
    tcase_add_test(events, an_event_hands_out_what_the_node_says);
    tcase_add_test(events, the_reason_of_a_departure_is_not_that_of_the_state);
    tcase_add_test(events, what_the_original_adds_to_its_events_is_none_of_ours);
    tcase_add_test(events, an_event_with_a_broken_member_is_garbage);
    return suite_run(suite);
}
