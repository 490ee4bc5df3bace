/* SPDX-License-Identifier: MIT */
/* The room snapshot: a counted list that keeps its nodes for as long as anybody holds it. */
#include "expect.h"
#include "failing_allocations.h"
#include "nodes.h"
#include "snapshot.h"

/* A snapshot of these nodes, which nobody else holds any more. */
static netron_snapshot *snapshot_of(const char *const *texts, size_t count)
{
    netron_snapshot *snapshot = netron_snapshot_new(count);
    ck_assert_ptr_nonnull(snapshot);
    for (size_t i = 0; i < count; i++) {
        netron_node *node = node_of(texts[i]);
        netron_snapshot_add(snapshot, node);
        netron_node_free(node);
    }
    return snapshot;
}

START_TEST(a_snapshot_begins_empty_and_holds_what_is_added_in_that_order)
{
    netron_snapshot *snapshot = netron_snapshot_new(3);
    netron_node *nodes[] = {node_of("b web@1"), node_of("a"), node_of("b mail")};
    ck_assert_uint_eq(snapshot->count, 0);
    for (size_t i = 0; i < 3; i++) {
        netron_snapshot_add(snapshot, nodes[i]);
        ck_assert_uint_eq(snapshot->count, i + 1);
        ck_assert_ptr_eq(snapshot->nodes[i], nodes[i]);
    }
    ck_assert_str_eq(ids_in(snapshot), "b a b");
    netron_snapshot_release(snapshot);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(nodes[i]->address, "h:1"); /* ours still */
        netron_node_free(nodes[i]);
    }
}
END_TEST

START_TEST(nodes_live_until_the_last_holder_of_the_snapshot_lets_go)
{
    static const char *const texts[] = {"a web@1", "b"};
    const netron_snapshot *snapshot = snapshot_of(texts, 2);
    ck_assert_ptr_eq(netron_snapshot_retain(snapshot), snapshot);
    ck_assert_ptr_eq(netron_snapshot_retain(snapshot), snapshot);
    for (int holders = 3; holders > 0; holders--) {
        ck_assert_uint_eq(snapshot->count, 2);
        ck_assert_str_eq(snapshot->nodes[0]->services[0].version, "1");
        ck_assert_str_eq(snapshot->nodes[1]->id, "b");
        netron_snapshot_release(snapshot); /* what the last one leaves behind, or takes too early, the sanitizer sees */
    }
}
END_TEST

START_TEST(two_snapshots_of_a_node_hold_it_each_on_its_own)
{
    netron_node *node = node_of("a web");
    netron_snapshot *first = netron_snapshot_new(1);
    netron_snapshot *second = netron_snapshot_new(2);
    netron_snapshot_add(first, node);
    netron_snapshot_add(second, node);
    netron_snapshot_add(second, node);
    netron_node_free(node);
    ck_assert_ptr_eq(first->nodes[0], second->nodes[1]);
    netron_snapshot_release(first);
    ck_assert_str_eq(second->nodes[0]->services[0].name, "web");
    netron_snapshot_release(second);
}
END_TEST

START_TEST(null_is_held_and_released_without_harm)
{
    ck_assert_ptr_null(netron_snapshot_retain(NULL));
    netron_snapshot_release(NULL);
}
END_TEST

START_TEST(there_may_be_room_for_none)
{
    netron_snapshot *snapshot = netron_snapshot_new(0);
    ck_assert_ptr_nonnull(snapshot);
    ck_assert_uint_eq(snapshot->count, 0);
    netron_snapshot_release(snapshot);
}
END_TEST

START_TEST(without_memory_there_is_no_snapshot)
{
    static const size_t beyond_memory[] = {SIZE_MAX, SIZE_MAX / sizeof(void *), SIZE_MAX / sizeof(void *) + 1};
    const netron_snapshot *made[COUNT_OF(beyond_memory)];
    unsigned long before = allocations; /* assertions allocate, too */
    for (size_t i = 0; i < COUNT_OF(beyond_memory); i++)
        made[i] = netron_snapshot_new(beyond_memory[i]);
    unsigned long after = allocations;
    ck_assert_uint_eq(after, before); /* its size has no number: malloc() must not see a smaller one */
    for (size_t i = 0; i < COUNT_OF(beyond_memory); i++)
        ck_assert_ptr_null(made[i]);
    allocations_left = 0;
    netron_snapshot *snapshot = netron_snapshot_new(1);
    allocations_left = -1;
    ck_assert_ptr_null(snapshot);
}
END_TEST

START_TEST(adding_allocates_nothing)
{
    netron_snapshot *snapshot = netron_snapshot_new(1000);
    netron_node *node = node_of("a");
    unsigned long before = allocations;
    for (int i = 0; i < 1000; i++)
        netron_snapshot_add(snapshot, node);
    unsigned long after = allocations;
    ck_assert_uint_eq(after, before);
    ck_assert_uint_eq(snapshot->count, 1000);
    netron_node_free(node);
    netron_snapshot_release(snapshot);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *tcase = suite_case(suite, "snapshot");
    tcase_add_test(tcase, a_snapshot_begins_empty_and_holds_what_is_added_in_that_order);
    tcase_add_test(tcase, nodes_live_until_the_last_holder_of_the_snapshot_lets_go);
    tcase_add_test(tcase, two_snapshots_of_a_node_hold_it_each_on_its_own);
    tcase_add_test(tcase, null_is_held_and_released_without_harm);
    tcase_add_test(tcase, there_may_be_room_for_none);
    tcase_add_test(tcase, without_memory_there_is_no_snapshot);
    tcase_add_test(tcase, adding_allocates_nothing);
    return suite_run(suite);
}
