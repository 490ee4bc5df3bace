/* SPDX-License-Identifier: MIT */
/* The other half of the room record: nodes out of the hashes that the original keeps. */
#include "expect.h"
#include "hostile.h"
#include "record.h"
#include "scarce.h"

#define SERVICES "[{\"name\":\"chat\",\"version\":\"1.0\"},{\"name\":\"mail\"}]"

static size_t length_of(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

static int read_hash(const char *id, const char *address, const char *services, const char *timestamp,
                     netron_node **node, struct netron_failure *why)
{
    *node = NULL;
    return netron_record_from_hash(id, address, length_of(address), services, length_of(services), timestamp,
                                   length_of(timestamp), node, why);
}

START_TEST(a_hash_of_the_original_is_a_node)
{
    static const netron_service services[] = {{"chat", "1.0"}, {"mail", NULL}};
    struct netron_failure why = {0};
    netron_node *node;
    expect_success("hash", read_hash("node-1", "10.0.0.1:8080", SERVICES, "1700000000000", &node, &why), &why);
    ck_assert_str_eq(node->id, "node-1");
    ck_assert_str_eq(node->address, "10.0.0.1:8080");
    ck_assert(node->timestamp_ms == UINT64_C(1700000000000));
    ck_assert(netron_node_same_services(node->services, node->service_count, services, 2));
    netron_node_free(node);
    expect_success("an address of its own kind", read_hash("n", "tcp://h", "[]", "1", &node, &why), &why);
    netron_node_free(node);
}
END_TEST

START_TEST(a_missing_or_odd_timestamp_counts_as_0)
{
    static const char *const odd[] = {NULL, "", "soon", "-1", "1.5", "1e3", " 1", "1 ", "0x1", "18446744073709551616"};
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        struct netron_failure why = {0};
        netron_node *node;
        expect_success(odd[i], read_hash("n", "h:1", "[]", odd[i], &node, &why), &why);
        ck_assert_msg(node->timestamp_ms == 0, "%s", odd[i]);
        netron_node_free(node);
    }
    netron_node *node;
    ck_assert_int_eq(read_hash("n", "h:1", "[]", "18446744073709551615", &node, NULL), 0);
    ck_assert(node->timestamp_ms == UINT64_MAX);
    netron_node_free(node);
}
END_TEST

START_TEST(half_a_hash_and_a_broken_one_are_refused_by_member)
{
    static const struct {
        const char *id, *address, *services, *words;
    } cases[] = {
        {NULL, "h:1", "[]", "hash: id"},
        {"", "h:1", "[]", "hash: id"},
        {"a\n", "h:1", "[]", "hash: id"},
        {"a\xff", "h:1", "[]", "hash: id"},
        {"n", NULL, "[]", "hash: address"},
        {"n", "", "[]", "hash: address"},
        {"n", "h\t:1", "[]", "hash: address"},
        {"n", "h\xc0\xaf:1", "[]", "hash: address"},
        {"n", "h:1", NULL, "hash: services"},
        {"n", NULL, NULL, "hash: address"},
        {"n", "h:1", "", "hash: no JSON"},
        {"n", "h:1", "{}", "hash: no JSON array"},
        {"n", "h:1", "null", "hash: no JSON"},
        {"n", "h:1", "chat", "hash: no JSON"},
        {"n", "h:1", "[{\"name\":\"a\"}", "hash: no JSON"},
        {"n", "h:1", "[{\"name\":\"\xff\"}]", "hash: no JSON"},
        {"n", "h:1", "[\"chat\"]", "hash: services[0]"},
        {"n", "h:1", "[{\"version\":\"1\"}]", "hash: services[0].name"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_failure why = {0};
        netron_node *node;
        int code = read_hash(cases[i].id, cases[i].address, cases[i].services, "1", &node, &why);
        expect_refusal(cases[i].words, code, NETRON_EPROTOCOL, &why, cases[i].words);
        ck_assert_ptr_null(node);
    }
}
END_TEST

START_TEST(the_lengths_are_the_members_own)
{
    struct netron_failure why = {0};
    netron_node *node = NULL;
    /* As in a reply, where other bytes may follow, and NULs stand within. */
    expect_success("cut", netron_record_from_hash("n", "h:123", 3, "[]]", 2, "12x", 2, &node, &why), &why);
    ck_assert_str_eq(node->address, "h:1");
    ck_assert_uint_eq(node->timestamp_ms, 12);
    netron_node_free(node);
    node = NULL;
    int code = netron_record_from_hash("n", "h:1\0x", 5, "[]", 2, "1", 1, &node, &why);
    expect_refusal("NUL", code, NETRON_EPROTOCOL, &why, "hash: address holds a control character");
    code = netron_record_from_hash("n", "h:1", 3, "[]\0", 3, "1", 1, &node, &why);
    expect_refusal("NUL", code, NETRON_EPROTOCOL, &why, "hash: no JSON");
    ck_assert_int_eq(netron_record_from_hash("n", "h:1", 3, "[]", 2, "1\0", 2, &node, &why), 0);
    ck_assert_uint_eq(node->timestamp_ms, 0);
    netron_node_free(node);
}
END_TEST

START_TEST(ids_and_addresses_keep_the_limits_of_a_node)
{
    static const struct {
        size_t id, address;
        const char *words; /* NULL = fine */
    } cases[] = {{256, 512, NULL},
                 {257, 1, "hash: id is longer"},
                 {1, 513, "hash: address is longer"},
                 {1, 100000, "hash: address is longer"}};
    static char id[300], address[100001];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_failure why = {0};
        netron_node *node;
        int code = read_hash(fill(id, 'i', cases[i].id), fill(address, 'a', cases[i].address), "[]", NULL, &node, &why);
        if (cases[i].words == NULL)
            expect_success("limits", code, &why);
        else
            expect_refusal("limits", code, NETRON_EPROTOCOL, &why, cases[i].words);
        netron_node_free(node);
    }
}
END_TEST

static int read_services(const char *text, size_t length, struct netron_failure *why)
{
    netron_node *node = NULL;
    int code = netron_record_from_hash("n", "h:1", 3, text, length, NULL, 0, &node, why);
    ck_assert((code == 0) == (node != NULL));
    if (node != NULL)
        hostile_node(node, 1);
    netron_node_free(node);
    return code;
}

static int read_address(const char *text, size_t length, struct netron_failure *why)
{
    netron_node *node = NULL;
    int code = netron_record_from_hash("n", text, length, "[]", 2, text, length, &node, why);
    if (node != NULL)
        hostile_node(node, 1);
    netron_node_free(node);
    return code;
}

START_TEST(no_spoilt_hash_does_harm)
{
    hostile_beginnings(read_services, SERVICES);
    hostile_bytes(read_services, SERVICES);
    hostile_bytes(read_address, "b\xc3\xbc.example.com:8080");
}
END_TEST

static int read_something(void)
{
    struct netron_failure why;
    return read_services(SERVICES, strlen(SERVICES), &why);
}

START_TEST(a_lack_of_memory_fails_and_leaves_nothing_behind)
{
    scarce_memory(read_something);
}
END_TEST

int main(void)
{
    allocations_of_libraries();
    Suite *suite = suite_create("hash");
    TCase *tcase = suite_case(suite, "hash");
    tcase_add_test(tcase, a_hash_of_the_original_is_a_node);
    tcase_add_test(tcase, a_missing_or_odd_timestamp_counts_as_0);
    tcase_add_test(tcase, half_a_hash_and_a_broken_one_are_refused_by_member);
    tcase_add_test(tcase, the_lengths_are_the_members_own);
    tcase_add_test(tcase, ids_and_addresses_keep_the_limits_of_a_node);
    tcase_add_test(tcase, no_spoilt_hash_does_harm);
    tcase_add_test(tcase, a_lack_of_memory_fails_and_leaves_nothing_behind);
    return suite_run(suite);
}
