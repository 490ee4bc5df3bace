/* SPDX-License-Identifier: MIT */
/* The room record: what is written for a node, to the letter, and what is read of lines and hashes of any shape. */
#include "expect.h"
#include "hostile.h"
#include "record.h"
#include "scarce.h"
#include <jansson.h>

#define HEAD "7 00000000ffff 0123456789abcdef 1700000000000 "
#define BODY                                                                                                           \
    "{\"nodeId\":\"node-1\",\"address\":\"h:1\",\"services\":[{\"name\":\"chat\",\"version\":\"1.0\"},{\"name\":"      \
    "\"mail\"}]}"

/* ---- writing ---- */

static void expect_written(char *text, const char *wanted)
{
    ck_assert_str_eq(text, wanted);
    free(text);
}

START_TEST(services_are_written_as_the_original_writes_them)
{
    static const netron_service services[] = {{"chat", "1.0"}, {"mail", NULL}, {"\"\\/", "\xc3\xa9\xf0\x9f\x98\x80"}};
    expect_written(netron_record_services_json(NULL, 0), "[]");
    expect_written(netron_record_services_json(services, 1), "[{\"name\":\"chat\",\"version\":\"1.0\"}]");
    expect_written(netron_record_services_json(services, 3),
                   "[{\"name\":\"chat\",\"version\":\"1.0\"},{\"name\":\"mail\"},"
                   "{\"name\":\"\\\"\\\\/\",\"version\":\"\xc3\xa9\xf0\x9f\x98\x80\"}]");
}
END_TEST

START_TEST(a_body_names_the_ttl_only_where_it_is_not_the_default)
{
    static const netron_service services[] = {{"chat", "1.0"}, {"mail", NULL}};
    const netron_node node = {.size = sizeof(node),
                              .id = "node-1",
                              .address = "h:1",
                              .services = services,
                              .service_count = 2,
                              .timestamp_ms = 99};
    const netron_node bare = {
        .size = sizeof(bare), .id = "n", .address = "[::1]:1", .services = NULL, .service_count = 0, .timestamp_ms = 0};
    expect_written(netron_record_body(&node, 15000), BODY);
    expect_written(netron_record_body(&bare, 15000), "{\"nodeId\":\"n\",\"address\":\"[::1]:1\",\"services\":[]}");
    expect_written(netron_record_body(&bare, 15001),
                   "{\"nodeId\":\"n\",\"address\":\"[::1]:1\",\"services\":[],\"ttl\":15001}");
    expect_written(netron_record_body(&bare, 86400000),
                   "{\"nodeId\":\"n\",\"address\":\"[::1]:1\",\"services\":[],\"ttl\":86400000}");
}
END_TEST

/* Its memory is no malloc()'s: free() on it breaks the heap. */
static void *shifted_malloc(size_t size)
{
    char *memory = malloc(size + 64);
    return memory != NULL ? memory + 64 : NULL;
}

static void shifted_free(void *memory)
{
    if (memory != NULL)
        free((char *)memory - 64);
}

START_TEST(what_is_written_is_for_free_whatever_allocator_the_application_gave_jansson)
{
    static const netron_service services[] = {{"chat", "1.0"}};
    const netron_node node = {
        .size = sizeof(node), .id = "n", .address = "h:1", .services = services, .service_count = 1, .timestamp_ms = 0};
    json_set_alloc_funcs(shifted_malloc, shifted_free);
    free(netron_record_services_json(services, 1));
    free(netron_record_body(&node, 15000));
    json_set_alloc_funcs(malloc, free);
}
END_TEST

/* ---- reading ---- */

static int parse(const char *line, size_t length, struct netron_failure *why)
{
    struct netron_record record;
    memset(&record, 0x5a, sizeof(record));
    int code = netron_record_parse(line, length, NULL, &record, why);
    if (code == 0) {
        ck_assert(record.tag >> 48 == 0);
        hostile_node(record.node, 1);
    } else {
        ck_assert_msg(record.node == NULL && record.revision == 0 && record.incarnation[0] == '\0',
                      "something is left behind");
        ck_assert(record.tag >> 48 == 0);
    }
    netron_record_clear(&record);
    ck_assert_ptr_null(record.node);
    return code;
}

/* A line that cannot be read counts in the digest all the same, whenever the scripts' pattern matches it. */
START_TEST(the_tag_is_known_whenever_the_registry_counts_it)
{
    static const struct {
        const char *line;
        uint64_t tag;
    } lines[] = {
        {"1 00000000002a i 0 {}", 42},
        {"1 00000000002a i 0 {no json}", 42},
        {"1 00000000002A i 0 {}", 42},
        {"99999999999999999999999999 00000000002a i 0 {}", 42},
        {"1 00000000002a \xff\xfe 0 {\n}", 42},
        {"1 00000000002a i 0 []", 0},
        {"1 00000000002a i 0 {", 0},
        {"1 00000000002a i 0 {} ", 0},
        {" 1 00000000002a i 0 {}", 0},
        {"-1 00000000002a i 0 {}", 0},
        {"1 0000000002a i 0 {}", 0},
        {"1 00000000002g i 0 {}", 0},
        {"1 00000000002a  0 {}", 0},
        {"1 00000000002a i\tj 0 {}", 0},
        {"1 00000000002a i z {}", 0},
        {"1 00000000002a i 0 0 {}", 0},
        {"1 00000000002a i 0x0 {}", 0},
        {"1 00000000002a i {}", 0},
        {"", 0},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct netron_record record;
        ck_assert_int_eq(netron_record_parse(lines[i].line, strlen(lines[i].line), NULL, &record, NULL),
                         NETRON_EPROTOCOL);
        ck_assert_msg(record.tag == lines[i].tag, "%s", lines[i].line);
    }
}
END_TEST

START_TEST(a_line_is_read_whole)
{
    static const char line[] = HEAD BODY;
    static const netron_service services[] = {{"chat", "1.0"}, {"mail", NULL}};
    struct netron_record record;
    struct netron_failure why = {0};
    expect_success(line, netron_record_parse(line, sizeof(line) - 1, "node-1", &record, &why), &why);
    ck_assert_uint_eq(record.revision, 7);
    ck_assert_uint_eq(record.tag, 0xffff);
    ck_assert_str_eq(record.incarnation, "0123456789abcdef");
    ck_assert_str_eq(record.node->id, "node-1");
    ck_assert_str_eq(record.node->address, "h:1");
    ck_assert(record.node->timestamp_ms == UINT64_C(1700000000000));
    ck_assert(netron_node_same_services(record.node->services, record.node->service_count, services, 2));
    netron_record_clear(&record);
    netron_record_clear(&record);
}
END_TEST

START_TEST(a_line_of_another_node_is_refused)
{
    static const char line[] = HEAD BODY;
    struct netron_record record;
    struct netron_failure why = {0};
    static const char *const others[] = {"node-2", "node-", "node-11", "", "NODE-1"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        int code = netron_record_parse(line, sizeof(line) - 1, others[i], &record, &why);
        expect_refusal(others[i], code, NETRON_EPROTOCOL, &why, "node-1");
        ck_assert_ptr_null(record.node);
    }
    ck_assert_int_eq(netron_record_parse(line, sizeof(line) - 1, "node-2", &record, NULL), NETRON_EPROTOCOL);
}
END_TEST

#define REST " i 0 " BODY
#define LONGEST_INCARNATION "0123456789012345678901234567890123456789012345678901234567890123"

START_TEST(each_field_of_the_head_keeps_its_form)
{
    static const struct {
        const char *line, *words; /* NULL = fine */
    } cases[] = {
        {"0 000000000000" REST, NULL},
        {"18446744073709551615 ffffffffffff" REST, NULL},
        {"18446744073709551616 ffffffffffff" REST, "revision"},
        {"99999999999999999999 ffffffffffff" REST, "revision"},
        {"-1 ffffffffffff" REST, "revision"},
        {"+1 ffffffffffff" REST, "revision"},
        {"1a ffffffffffff" REST, "revision"},
        {"0x1 ffffffffffff" REST, "revision"},
        {"1.0 ffffffffffff" REST, "revision"},
        {" ffffffffffff" REST, "revision"},
        {" 1 ffffffffffff" REST, "revision"},
        {"", "revision"},
        {"7", "revision"},
        {"{}", "revision"},
        {BODY, "revision"},
        {"1 ABCDEFabcdef" REST, NULL},
        {"1  fffffffffff" REST, "tag"}, /* two blanks */
        {"1 fffffffffff" REST, "tag"},
        {"1 fffffffffffff" REST, "tag"},
        {"1 ffffffffffg0" REST, "tag"},
        {"1 0xffffffffff" REST, "tag"},
        {"1 ", "tag"},
        {"1 ffffffffffff " LONGEST_INCARNATION " 0 " BODY, NULL},
        {"1 ffffffffffff " LONGEST_INCARNATION "4 0 " BODY, "incarnation"},
        {"1 ffffffffffff !~ 0 " BODY, NULL},
        {"1 ffffffffffff  0 " BODY, "incarnation"},
        {"1 ffffffffffff a\tb 0 " BODY, "incarnation"},
        {"1 ffffffffffff a\x7f 0 " BODY, "incarnation"},
        {"1 ffffffffffff \xc3\xa9 0 " BODY, "incarnation"},
        {"1 ffffffffffff i 0123456789abcdef0123456789abcdefABCDEF00 0 " BODY, "timestamp"}, /* as it once was */
        {"1 ffffffffffff i 18446744073709551615 " BODY, NULL},
        {"1 ffffffffffff i 18446744073709551616 " BODY, "timestamp"},
        {"1 ffffffffffff i -1 " BODY, "timestamp"},
        {"1 ffffffffffff i 1e3 " BODY, "timestamp"},
        {"1 ffffffffffff i  " BODY, "timestamp"},
        {"1 ffffffffffff i 0", "timestamp"},
        {"1 ffffffffffff i 0 ", "body"},
        {"1 ffffffffffff i 0 []", "body"},
        {"1 ffffffffffff i 0  " BODY, "body"},
        {"1 ffffffffffff i 0 " BODY "x", "no JSON"},
        {"1 ffffffffffff i 0 " BODY BODY, "no JSON"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_failure why = {0};
        int code = parse(cases[i].line, strlen(cases[i].line), &why);
        if (cases[i].words == NULL)
            expect_success(cases[i].line, code, &why);
        else
            expect_refusal(cases[i].line, code, NETRON_EPROTOCOL, &why, cases[i].words);
    }
}
END_TEST

START_TEST(each_member_of_the_body_keeps_its_form)
{
    static const struct {
        const char *body, *words;
    } cases[] = {
        {"{}", "nodeId"},
        {"{\"nodeId\":1,\"address\":\"h:1\",\"services\":[]}", "nodeId"},
        {"{\"nodeId\":null,\"address\":\"h:1\",\"services\":[]}", "nodeId"},
        {"{\"nodeId\":\"\",\"address\":\"h:1\",\"services\":[]}", "nodeId"},
        {"{\"nodeId\":\"a\\n\",\"address\":\"h:1\",\"services\":[]}", "nodeId"},
        {"{\"id\":\"a\",\"address\":\"h:1\",\"services\":[]}", "nodeId"},
        {"{\"nodeId\":\"a\",\"services\":[]}", "address"},
        {"{\"nodeId\":\"a\",\"address\":\"\",\"services\":[]}", "address"},
        {"{\"nodeId\":\"a\",\"address\":[\"h:1\"],\"services\":[]}", "address"},
        {"{\"nodeId\":\"a\",\"address\":\"h\\u0001:1\",\"services\":[]}", "address"},
        {"{\"nodeId\":\"a\",\"address\":\"h:1\"}", "services"},
        {"{\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":{}}", "services"},
        {"{\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":\"[]\"}", "services"},
        {"{\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":[{\"name\":7}]}", "services[0].name"},
        {"{\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":[", "no JSON"},
        {"{\"nodeId\":\"a\xff\",\"address\":\"h:1\",\"services\":[]}", "no JSON"},
        {"{\"nodeId\":\"a\\u0000\",\"address\":\"h:1\",\"services\":[]}", "record"},
        {"{\"nodeId\":\"a\",\"nodeId\":2,\"address\":\"h:1\",\"services\":[]}", "nodeId"}, /* the last one counts */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_failure why = {0};
        char line[512];
        snprintf(line, sizeof(line), HEAD "%s", cases[i].body);
        expect_refusal(cases[i].body, parse(line, strlen(line), &why), NETRON_EPROTOCOL, &why, cases[i].words);
    }
}
END_TEST

START_TEST(members_that_are_not_known_are_ignored)
{
    static const char *const members[] = {
        "\"ttl\":30000",
        "\"ttl\":\"soon\"",
        "\"state\":\"draining\",\"weight\":2,\"zone\":null,\"signature\":\"\"",
        "\"extra\":{\"a\":\"\\n\",\"b\":\"\"}",
        "\"extra\":{\"a\":\"\\u0000\"}",
        "\"future\":[[[{\"nodeId\":\"x\"}]]]",
        "\"\":0",
    };
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        struct netron_failure why = {0};
        char line[512];
        snprintf(line, sizeof(line), HEAD "{%s,\"nodeId\":\"a\",\"address\":\"h:1\",\"services\":[]}", members[i]);
        expect_success(members[i], parse(line, strlen(line), &why), &why);
    }
}
END_TEST

START_TEST(ids_and_addresses_keep_the_limits_of_a_node)
{
    static const struct {
        size_t id, address;
        const char *words; /* NULL = fine */
    } cases[] = {{256, 512, NULL},
                 {257, 512, "nodeId is longer than 256 bytes"},
                 {256, 513, "address is longer than 512 bytes"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_failure why = {0};
        char id[300], address[600], line[1200];
        snprintf(line, sizeof(line), HEAD "{\"nodeId\":\"%s\",\"address\":\"%s\",\"services\":[]}",
                 fill(id, 'i', cases[i].id), fill(address, 'a', cases[i].address));
        int code = parse(line, strlen(line), &why);
        if (cases[i].words == NULL)
            expect_success("limits", code, &why);
        else
            expect_refusal("limits", code, NETRON_EPROTOCOL, &why, cases[i].words);
    }
}
END_TEST

/* Quotation marks and backslashes take two bytes each: no text of the limits is longer in JSON. */
START_TEST(the_largest_node_that_keeps_the_limits_can_be_read_back)
{
    static char name[129], version[65], id[257], address[513];
    static char names[1024][160];
    static netron_service services[1024];
    netron_node node = NETRON_NODE_INIT;
    node.id = fill(id, '"', 256);
    node.address = fill(address, '\\', 512);
    node.services = services;
    node.service_count = 1024;
    for (size_t i = 0; i < COUNT_OF(services); i++) {
        snprintf(names[i], sizeof(names[i]), "%s%04zu", fill(name, '"', 124), i);
        services[i] = (netron_service){names[i], fill(version, '\\', 64)};
    }
    char *body = netron_record_body(&node, 86400000);
    size_t size = strlen(HEAD) + strlen(body) + 1;
    char *line = malloc(size);
    struct netron_record record;
    struct netron_failure why = {0};
    snprintf(line, size, HEAD "%s", body);
    expect_success("largest", netron_record_parse(line, size - 1, id, &record, &why), &why);
    ck_assert_str_eq(record.node->address, address);
    ck_assert(netron_node_same_services(record.node->services, record.node->service_count, services, 1024));
    netron_record_clear(&record);
    free(line);
    free(body);
}
END_TEST

START_TEST(no_spoilt_line_does_harm)
{
    hostile_beginnings(parse, HEAD BODY);
    hostile_bytes(parse, HEAD BODY);
}
END_TEST

static int parse_something(void)
{
    struct netron_failure why;
    return parse(HEAD BODY, strlen(HEAD BODY), &why);
}

START_TEST(a_lack_of_memory_fails_and_leaves_nothing_behind)
{
    scarce_memory(parse_something);
}
END_TEST

int main(void)
{
    allocations_of_libraries();
    Suite *suite = suite_create("record");
    TCase *tcase = suite_case(suite, "writing");
    tcase_add_test(tcase, services_are_written_as_the_original_writes_them);
    tcase_add_test(tcase, a_body_names_the_ttl_only_where_it_is_not_the_default);
    tcase_add_test(tcase, what_is_written_is_for_free_whatever_allocator_the_application_gave_jansson);
    tcase = suite_case(suite, "reading lines");
    tcase_add_test(tcase, a_line_is_read_whole);
    tcase_add_test(tcase, the_tag_is_known_whenever_the_registry_counts_it);
    tcase_add_test(tcase, a_line_of_another_node_is_refused);
    tcase_add_test(tcase, each_field_of_the_head_keeps_its_form);
    tcase_add_test(tcase, each_member_of_the_body_keeps_its_form);
    tcase_add_test(tcase, members_that_are_not_known_are_ignored);
    tcase_add_test(tcase, ids_and_addresses_keep_the_limits_of_a_node);
    tcase_add_test(tcase, the_largest_node_that_keeps_the_limits_can_be_read_back);
    tcase_add_test(tcase, no_spoilt_line_does_harm);
    tcase_add_test(tcase, a_lack_of_memory_fails_and_leaves_nothing_behind);
    return suite_run(suite);
}
