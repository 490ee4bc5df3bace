/* SPDX-License-Identifier: MIT */
/* The room node: every limit of a node at, below and above its bound, copies, and the services that it offers. */
#include "expect.h"
#include "node.h"
#include "recorders.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static int check(const char *id, const char *address, struct netron_failure *why)
{
    netron_service services[2];
    netron_node node = make_node(id, address, services, "chat", "1.0", "mail", NULL);
    *why = (struct netron_failure){0};
    return netron_node_check(&node, why);
}

START_TEST(a_node_that_keeps_the_limits_is_accepted)
{
    struct netron_failure why;
    expect_success("plain", check("node-1", "10.0.0.1:8080", &why), &why);
    netron_node bare = NETRON_NODE_INIT;
    bare.id = "n";
    bare.address = "h:1";
    expect_success("without services", netron_node_check(&bare, &why), &why);
    ck_assert_int_eq(netron_node_check(&bare, NULL), 0);
}
END_TEST

START_TEST(a_missing_node_and_a_size_that_never_was_are_refused)
{
    struct netron_failure why = {0};
    netron_node node = NETRON_NODE_INIT;
    node.id = "n";
    node.address = "h:1";
    expect_refusal("NULL", netron_node_check(NULL, &why), NETRON_EINVAL, &why, "node is missing");
    ck_assert_int_eq(netron_node_check(NULL, NULL), NETRON_EINVAL);
    node.size = 0;
    expect_refusal("0", netron_node_check(&node, &why), NETRON_EINVAL, &why, "node.size");
    node.size = offsetof(netron_node, timestamp_ms) + sizeof(uint64_t) - 1;
    expect_refusal("below the first", netron_node_check(&node, &why), NETRON_EINVAL, &why, "node.size");
    node.size++;
    expect_success("the first", netron_node_check(&node, &why), &why);
}
END_TEST

/* A text of any member: what is refused of it, and why. */
typedef int (*check_text_fn)(const char *text, struct netron_failure *why);

static int check_id(const char *text, struct netron_failure *why)
{
    return netron_node_check_id(text, why);
}

static int check_name(const char *text, struct netron_failure *why)
{
    return netron_node_check_service_name(text, "node.services[7].name", why);
}

static int check_version(const char *text, struct netron_failure *why)
{
    return netron_node_check_service_version(text, "node.services[7].version", why);
}

static const struct {
    const char *field;
    check_text_fn check;
    size_t max;
} members[] = {
    {"node.id", check_id, 256},
    {"node.services[7].name", check_name, 128},
    {"node.services[7].version", check_version, 64},
};

START_TEST(ids_names_and_versions_have_a_length_from_1_to_their_limit)
{
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        char text[600];
        struct netron_failure why = {0};
        expect_refusal(members[i].field, members[i].check("", &why), NETRON_EINVAL, &why, members[i].field);
        expect_success(members[i].field, members[i].check("x", &why), &why);
        fill(text, 'x', members[i].max);
        expect_success(members[i].field, members[i].check(text, &why), &why);
        fill(text, 'x', members[i].max + 1);
        char words[64];
        snprintf(words, sizeof(words), "%s is longer than %zu bytes", members[i].field, members[i].max);
        expect_refusal(members[i].field, members[i].check(text, &why), NETRON_ELIMIT, &why, words);
        /* Bytes are counted, not characters. */
        for (size_t at = 0; at < members[i].max; at += 2)
            memcpy(text + at, "\xc3\xa9", 2);
        text[members[i].max] = '\0';
        expect_success(members[i].field, members[i].check(text, &why), &why);
        strcat(text, "\xc3\xa9");
        expect_refusal(members[i].field, members[i].check(text, &why), NETRON_ELIMIT, &why, members[i].field);
    }
}
END_TEST

START_TEST(ids_names_and_versions_are_utf_8_without_controls)
{
    static const char *const controls[] = {"a\n", "\x01", "a\x1f", "a\x7f", "\x1b[0m"};
    static const char *const broken[] = {"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"};
    static const char *const fine[] = {" ", "a b", "\xc3\xa9", "\xf0\x9f\x98\x80", "a:b", "{a}", "\"\\", "*?[x]"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        struct netron_failure why = {0};
        char words[64];
        snprintf(words, sizeof(words), "%s holds a control character", members[i].field);
        for (size_t each = 0; each < COUNT_OF(controls); each++)
            expect_refusal("control", members[i].check(controls[each], &why), NETRON_EINVAL, &why, words);
        snprintf(words, sizeof(words), "%s is not valid UTF-8", members[i].field);
        for (size_t each = 0; each < COUNT_OF(broken); each++)
            expect_refusal("broken", members[i].check(broken[each], &why), NETRON_EINVAL, &why, words);
        for (size_t each = 0; each < COUNT_OF(fine); each++)
            expect_success(fine[each], members[i].check(fine[each], &why), &why);
    }
}
END_TEST

START_TEST(only_a_version_may_be_missing)
{
    struct netron_failure why = {0};
    expect_refusal("id", check(NULL, "h:1", &why), NETRON_EINVAL, &why, "node.id is missing");
    expect_refusal("address", check("n", NULL, &why), NETRON_EINVAL, &why, "node.address is missing");
    expect_refusal("name", check_name(NULL, &why), NETRON_EINVAL, &why, "node.services[7].name is missing");
    expect_success("version", check_version(NULL, &why), &why);
}
END_TEST

START_TEST(an_address_is_a_host_and_a_port)
{
    static const char *const fine[] = {
        "h:1",      "10.0.0.1:65535",  "host.example.com:8080", "h:00080",           "b\xc3\xbc.example:80",
        "[::1]:80", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:80", "[fe80::1%eth0]:80",
    };
    static const struct {
        const char *address, *words;
    } odd[] = {
        {"", "empty"},
        {"host", "port"},
        {"host:", "port"},
        {":80", "host"},
        {":", "host"},
        {"h:0", "port"},
        {"h:00000", "port"},
        {"h:65536", "port"},
        {"h:99999", "port"},
        {"h:000080", "port"},
        {"h:4294967376", "port"}, /* 80 above 2^32 */
        {"h:-1", "port"},
        {"h:+1", "port"},
        {"h: 80", "port"},
        {"h:80 ", "port"},
        {"h:8o", "port"},
        {"::1:80", "brackets"},
        {"a:1:2", "brackets"},
        {"[::1]", "port"},
        {"[::1]:", "port"},
        {"[::1]:0", "port"},
        {"[::1]80", "port"},
        {"[::1]x:80", "port"},
        {"[::1:80", "brackets"},
        {"[]:80", "brackets"},
        {"[h]:80", "brackets"},
        {"[10.0.0.1]:80", "brackets"},
        {"[::1%]:80", "brackets"},
        {"[%eth0]:80", "brackets"},
        {"[::1::2]:80", "brackets"},
        {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80", "brackets"},
        {"h\n:80", "control character"},
        {"h\xff:80", "UTF-8"},
    };
    struct netron_failure why = {0};
    for (size_t i = 0; i < COUNT_OF(fine); i++)
        expect_success(fine[i], netron_node_check_address(fine[i], &why), &why);
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        int code = netron_node_check_address(odd[i].address, &why);
        expect_refusal(odd[i].address, code, NETRON_EINVAL, &why, "node.address");
        expect_refusal(odd[i].address, code, NETRON_EINVAL, &why, odd[i].words);
    }
}
END_TEST

START_TEST(an_address_has_at_most_512_bytes)
{
    char address[600];
    struct netron_failure why = {0};
    fill(address, 'h', 509);
    strcat(address, ":80");
    expect_success("512", netron_node_check_address(address, &why), &why);
    strcat(address, "8");
    int code = netron_node_check_address(address, &why);
    expect_refusal("513", code, NETRON_ELIMIT, &why, "node.address is longer than 512 bytes");
}
END_TEST

START_TEST(services_are_named_by_their_position_in_the_sentence)
{
    netron_service services[] = {{"a", "1"}, {"b", NULL}, {"c", "3"}};
    struct netron_failure why = {0};
    expect_success("all", netron_node_check_services(services, 3, &why), &why);
    services[2].name = NULL;
    int code = netron_node_check_services(services, 3, &why);
    expect_refusal("name", code, NETRON_EINVAL, &why, "node.services[2].name");
    services[2].name = "c";
    services[1].version = "";
    code = netron_node_check_services(services, 3, &why);
    expect_refusal("version", code, NETRON_EINVAL, &why, "node.services[1].version");
}
END_TEST

START_TEST(the_array_may_be_missing_only_when_it_is_empty)
{
    struct netron_failure why = {0};
    expect_success("none", netron_node_check_services(NULL, 0, &why), &why);
    expect_refusal("one", netron_node_check_services(NULL, 1, &why), NETRON_EINVAL, &why, "node.services");
}
END_TEST

START_TEST(a_node_offers_at_most_1024_services)
{
    static netron_service services[NETRON_SERVICES_MAX + 1];
    static char names[NETRON_SERVICES_MAX + 1][8];
    struct netron_failure why = {0};
    for (size_t i = 0; i < COUNT_OF(services); i++) {
        snprintf(names[i], sizeof(names[i]), "s%zu", i);
        services[i].name = names[i];
    }
    expect_success("1024", netron_node_check_services(services, 1024, &why), &why);
    int code = netron_node_check_services(services, 1025, &why);
    expect_refusal("1025", code, NETRON_ELIMIT, &why, "node.services has 1025 entries: at most 1024");
    code = netron_node_check_services(services, SIZE_MAX, &why);
    expect_refusal("SIZE_MAX", code, NETRON_ELIMIT, &why, "node.services");
    services[1023].version = "a\n";
    code = netron_node_check_services(services, 1024, &why);
    expect_refusal("the last", code, NETRON_EINVAL, &why, "node.services[1023].version");
    services[1023] = (netron_service){"s0", NULL};
    code = netron_node_check_services(services, 1024, &why);
    expect_refusal("the last repeats the first", code, NETRON_EINVAL, &why, "node.services[1023]");
}
END_TEST

START_TEST(no_pair_of_name_and_version_stands_twice)
{
    static const struct {
        netron_service services[4];
        const char *words; /* NULL = fine */
    } cases[] = {
        {{{"a", "1"}, {"a", "2"}, {"a", NULL}, {"b", "1"}}, NULL},
        {{{"ab", NULL}, {"a", "b"}, {"a", NULL}, {"abc", NULL}}, NULL},
        {{{"a", "1"}, {"b", "1"}, {"a", "1"}, {"c", "1"}}, "node.services[2]"},
        {{{"a", NULL}, {"b", "1"}, {"c", "1"}, {"a", NULL}}, "node.services[3]"},
        {{{"a", NULL}, {"a", "1"}, {"a", NULL}, {"b", "1"}}, "node.services[2]"},
        {{{"z", "1"}, {"z", "1"}, {"a", "1"}, {"a", "1"}}, "node.services[1]"}, /* the first that repeats */
        {{{"a", "1"}, {"a", "1"}, {"a", "1"}, {"a", "1"}}, "node.services[1]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_failure why = {0};
        int code = netron_node_check_services(cases[i].services, 4, &why);
        if (cases[i].words == NULL)
            expect_success("pairs", code, &why);
        else
            expect_refusal("pairs", code, NETRON_EINVAL, &why, cases[i].words);
    }
}
END_TEST

START_TEST(a_copy_shares_nothing_with_its_source)
{
    char id[] = "node-1", address[] = "h:1", name[] = "chat", version[] = "1.0";
    netron_service services[] = {{name, version}, {"mail", NULL}};
    netron_node node = {.size = sizeof(node) + 64,
                        .id = id,
                        .address = address,
                        .services = services,
                        .service_count = 2,
                        .timestamp_ms = UINT64_MAX};
    netron_node *copy = netron_node_copy(&node);
    memset(id, 'x', sizeof(id) - 1);
    memset(address, 'x', sizeof(address) - 1);
    memset(name, 'x', sizeof(name) - 1);
    memset(version, 'x', sizeof(version) - 1);
    services[1].name = NULL;
    ck_assert_uint_eq(copy->size, sizeof(netron_node));
    ck_assert_str_eq(copy->id, "node-1");
    ck_assert_str_eq(copy->address, "h:1");
    ck_assert_uint_eq(copy->service_count, 2);
    ck_assert_str_eq(copy->services[0].name, "chat");
    ck_assert_str_eq(copy->services[0].version, "1.0");
    ck_assert_str_eq(copy->services[1].name, "mail");
    ck_assert_ptr_null(copy->services[1].version);
    ck_assert(copy->timestamp_ms == UINT64_MAX);
    netron_node_free(copy);
    netron_node_free(NULL);
}
END_TEST

START_TEST(services_are_the_same_in_the_same_order)
{
    static const netron_service one[] = {{"a", "1"}, {"b", NULL}};
    static const netron_service swapped[] = {{"b", NULL}, {"a", "1"}};
    static const netron_service other_version[] = {{"a", "2"}, {"b", NULL}};
    static const netron_service other_name[] = {{"c", "1"}, {"b", NULL}};
    static const netron_service with_version[] = {{"a", "1"}, {"b", ""}};
    char name[] = "a";
    const netron_service elsewhere[] = {{name, "1"}, {"b", NULL}};
    ck_assert(netron_node_same_services(one, 2, elsewhere, 2));
    ck_assert(netron_node_same_services(one, 0, NULL, 0));
    ck_assert(!netron_node_same_services(one, 2, one, 1));
    ck_assert(!netron_node_same_services(one, 1, one, 2));
    ck_assert(!netron_node_same_services(one, 2, swapped, 2));
    ck_assert(!netron_node_same_services(one, 2, other_version, 2));
    ck_assert(!netron_node_same_services(one, 2, other_name, 2));
    ck_assert(!netron_node_same_services(one, 2, with_version, 2));
}
END_TEST

START_TEST(a_service_is_found_by_name_and_by_version)
{
    netron_service services[] = {{"a", NULL}, {"b", "1"}, {"b", "2"}, {"b", NULL}};
    netron_node node = {
        .size = sizeof(node), .id = "n", .address = "h:1", .services = services, .service_count = 4, .timestamp_ms = 0};
    ck_assert_ptr_eq(netron_node_service(&node, "a", NULL), &services[0]);
    ck_assert_ptr_eq(netron_node_service(&node, "b", NULL), &services[1]);
    ck_assert_ptr_eq(netron_node_service(&node, "b", "2"), &services[2]);
    ck_assert_ptr_null(netron_node_service(&node, "b", "3"));
    ck_assert_ptr_null(netron_node_service(&node, "a", "1"));
    ck_assert_ptr_null(netron_node_service(&node, "A", NULL));
    node.services = NULL;
    node.service_count = 0;
    ck_assert_ptr_null(netron_node_service(&node, "a", NULL));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("node");
    TCase *tcase = suite_case(suite, "limits");
    tcase_add_test(tcase, a_node_that_keeps_the_limits_is_accepted);
    tcase_add_test(tcase, a_missing_node_and_a_size_that_never_was_are_refused);
    tcase_add_test(tcase, ids_names_and_versions_have_a_length_from_1_to_their_limit);
    tcase_add_test(tcase, ids_names_and_versions_are_utf_8_without_controls);
    tcase_add_test(tcase, only_a_version_may_be_missing);
    tcase_add_test(tcase, an_address_is_a_host_and_a_port);
    tcase_add_test(tcase, an_address_has_at_most_512_bytes);
    tcase_add_test(tcase, services_are_named_by_their_position_in_the_sentence);
    tcase_add_test(tcase, the_array_may_be_missing_only_when_it_is_empty);
    tcase_add_test(tcase, a_node_offers_at_most_1024_services);
    tcase_add_test(tcase, no_pair_of_name_and_version_stands_twice);
    tcase = suite_case(suite, "copies and questions");
    tcase_add_test(tcase, a_copy_shares_nothing_with_its_source);
    tcase_add_test(tcase, services_are_the_same_in_the_same_order);
    tcase_add_test(tcase, a_service_is_found_by_name_and_by_version);
    return suite_run(suite);
}
