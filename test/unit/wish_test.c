/* SPDX-License-Identifier: MIT */
/* The room wish: a copy of the node with the texts that say the same. */
#include "expect.h"
#include "scarce.h"
#include "wish.h"

static const netron_service services[] = {{"chat", "1.0"}, {"mail", NULL}};
static const netron_node node = {.size = sizeof(node),
                                 .id = "node-1",
                                 .address = "h:1",
                                 .services = services,
                                 .service_count = 2,
                                 .timestamp_ms = 99};

START_TEST(a_wish_holds_the_node_and_its_texts)
{
    struct netron_wish wish = {0};
    ck_assert_int_eq(netron_wish_make(&wish, &node, 20000), 0);
    ck_assert_ptr_ne(wish.node, &node);
    ck_assert_str_eq(wish.node->id, "node-1");
    ck_assert(netron_node_same_services(wish.node->services, wish.node->service_count, services, 2));
    ck_assert_str_eq(wish.services_json, "[{\"name\":\"chat\",\"version\":\"1.0\"},{\"name\":\"mail\"}]");
    ck_assert_str_eq(wish.body, "{\"nodeId\":\"node-1\",\"address\":\"h:1\",\"services\":[{\"name\":\"chat\","
                                "\"version\":\"1.0\"},{\"name\":\"mail\"}],\"ttl\":20000}");
    netron_wish_clear(&wish);
    ck_assert(wish.node == NULL && wish.services_json == NULL && wish.body == NULL);
    netron_wish_clear(&wish);
}
END_TEST

START_TEST(a_node_without_services_is_a_wish_as_well)
{
    const netron_node bare = {
        .size = sizeof(bare), .id = "n", .address = "h:1", .services = NULL, .service_count = 0, .timestamp_ms = 0};
    struct netron_wish wish = {0};
    ck_assert_int_eq(netron_wish_make(&wish, &bare, 15000), 0);
    ck_assert_str_eq(wish.services_json, "[]");
    ck_assert_str_eq(wish.body, "{\"nodeId\":\"n\",\"address\":\"h:1\",\"services\":[]}");
    netron_wish_clear(&wish);
}
END_TEST

static struct netron_wish held;

static int wish_again(void)
{
    struct netron_wish wish = held;
    int code = netron_wish_make(&wish, &node, 20000);
    if (code == 0)
        netron_wish_clear(&wish);
    else
        ck_assert_mem_eq(&wish, &held, sizeof(wish));
    return code;
}

START_TEST(without_memory_the_old_wish_stays)
{
    ck_assert_int_eq(netron_wish_make(&held, &node, 15000), 0);
    scarce_memory(wish_again);
    ck_assert_str_eq(held.node->id, "node-1");
    netron_wish_clear(&held);
}
END_TEST

int main(void)
{
    allocations_of_libraries();
    Suite *suite = suite_create("wish");
    TCase *tcase = suite_case(suite, "wish");
    tcase_add_test(tcase, a_wish_holds_the_node_and_its_texts);
    tcase_add_test(tcase, a_node_without_services_is_a_wish_as_well);
    tcase_add_test(tcase, without_memory_the_old_wish_stays);
    return suite_run(suite);
}
