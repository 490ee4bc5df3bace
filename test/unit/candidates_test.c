/* SPDX-License-Identifier: MIT */
/* The room candidates: each id once, in the order in which they came, with what was found about them. */
#include "candidates.h"
#include "expect.h"
#include "node.h"
#include "random.h"
#include <stdio.h>
#include <stdlib.h>

static netron_node *node_of(const char *id)
{
    netron_node node = NETRON_NODE_INIT;
    node.id = id;
    node.address = "h:1";
    return netron_node_copy(&node);
}

START_TEST(an_id_is_added_once_and_copied)
{
    struct netron_candidates candidates = {0};
    char id[] = "node-1";
    ck_assert_int_eq(netron_candidates_add(&candidates, id), 0);
    id[5] = '2';
    ck_assert_int_eq(netron_candidates_add(&candidates, id), 0);
    ck_assert_int_eq(netron_candidates_add(&candidates, "node-1"), 0);
    ck_assert_int_eq(netron_candidates_add(&candidates, "node-2"), 0);
    ck_assert_int_eq(netron_candidates_add(&candidates, "node-"), 0);
    ck_assert_int_eq(netron_candidates_add(&candidates, ""), 0);
    ck_assert_int_eq(netron_candidates_add(&candidates, ""), 0);
    ck_assert_uint_eq(candidates.count, 4);
    ck_assert_str_eq(candidates.list[0].id, "node-1");
    ck_assert_str_eq(candidates.list[1].id, "node-2");
    ck_assert_str_eq(candidates.list[2].id, "node-");
    ck_assert_str_eq(candidates.list[3].id, "");
    netron_candidates_clear(&candidates);
}
END_TEST

START_TEST(a_new_candidate_is_blank)
{
    struct netron_candidates candidates = {0};
    ck_assert_int_eq(netron_candidates_add(&candidates, "a"), 0);
    ck_assert(!candidates.list[0].needs_hash);
    ck_assert_ptr_null(candidates.list[0].node);
    ck_assert_ptr_null(candidates.list[0].record.node);
    netron_candidates_clear(&candidates);
}
END_TEST

START_TEST(thousands_of_ids_keep_their_order_and_their_findings)
{
    struct netron_candidates candidates = {0};
    struct netron_random random = {.state = 7};
    bool known[3000] = {0};
    size_t came[3000];
    size_t count = 0;
    for (int i = 0; i < 9000; i++) { /* a scan tells most of them more than once */
        size_t number = (size_t)(netron_random_next(&random) % COUNT_OF(known));
        char id[16];
        snprintf(id, sizeof(id), "node-%zu", number);
        ck_assert_int_eq(netron_candidates_add(&candidates, id), 0);
        if (known[number])
            continue;
        known[number] = true;
        came[count] = number;
        candidates.list[count++].record.revision = number; /* has to survive every growth */
    }
    ck_assert_uint_gt(count, 2000);
    ck_assert_uint_eq(candidates.count, count);
    for (size_t i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof(id), "node-%zu", came[i]);
        ck_assert_str_eq(candidates.list[i].id, id);
        ck_assert_uint_eq(candidates.list[i].record.revision, came[i]);
    }
    netron_candidates_clear(&candidates);
}
END_TEST

START_TEST(the_nodes_are_those_of_the_candidates_that_have_one)
{
    struct netron_candidates candidates = {0};
    size_t count = 99;
    const netron_node **nodes = netron_candidates_nodes(&candidates, &count);
    ck_assert_ptr_nonnull(nodes);
    ck_assert_uint_eq(count, 0);
    free(nodes);

    static const char *const ids[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        ck_assert_int_eq(netron_candidates_add(&candidates, ids[i]), 0);
    nodes = netron_candidates_nodes(&candidates, &count);
    ck_assert_ptr_nonnull(nodes);
    ck_assert_uint_eq(count, 0);
    free(nodes);

    candidates.list[1].node = node_of("b");
    candidates.list[2].record.node = node_of("c"); /* known, but not found live */
    candidates.list[3].node = node_of("d");
    nodes = netron_candidates_nodes(&candidates, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_ptr_eq(nodes[0], candidates.list[1].node);
    ck_assert_ptr_eq(nodes[1], candidates.list[3].node);
    free(nodes);
    ck_assert_str_eq(candidates.list[1].node->id, "b"); /* the nodes stayed */
    netron_candidates_clear(&candidates);
}
END_TEST

START_TEST(clearing_forgets_everything)
{
    struct netron_candidates candidates = {0};
    netron_candidates_clear(&candidates);
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(netron_candidates_add(&candidates, "a"), 0);
        ck_assert_int_eq(netron_candidates_add(&candidates, "b"), 0);
        ck_assert_uint_eq(candidates.count, 2);
        candidates.list[0].node = node_of("a");
        candidates.list[1].record.node = node_of("b");
        netron_candidates_clear(&candidates);
        ck_assert_uint_eq(candidates.count, 0);
        ck_assert_ptr_null(candidates.known);
    }
    netron_candidates_clear(&candidates);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("candidates");
    TCase *tcase = suite_case(suite, "candidates");
    tcase_add_test(tcase, an_id_is_added_once_and_copied);
    tcase_add_test(tcase, a_new_candidate_is_blank);
    tcase_add_test(tcase, thousands_of_ids_keep_their_order_and_their_findings);
    tcase_add_test(tcase, the_nodes_are_those_of_the_candidates_that_have_one);
    tcase_add_test(tcase, clearing_forgets_everything);
    return suite_run(suite);
}
