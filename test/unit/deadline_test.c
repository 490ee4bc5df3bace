/* SPDX-License-Identifier: MIT */
/* The room deadline: the earliest comes first, equal ones in the order in which they were set, whatever was moved. */
#include "deadline.h"
#include "expect.h"
#include "random.h"
#include <stdlib.h>

static void ignore(void *arg)
{
    (void)arg;
}

static void init_all(struct netron_deadline *each, size_t count)
{
    for (size_t i = 0; i < count; i++)
        netron_deadline_init(&each[i], ignore, &each[i]);
}

/* Takes them all off, and compares with the positions that are wanted. */
static void expect_order(struct netron_deadlines *deadlines, const struct netron_deadline *each, const char *wanted)
{
    char found[32] = "";
    for (size_t i = 0; deadlines->first != NULL; i++) {
        ck_assert_uint_lt(i, sizeof(found) - 1);
        struct netron_deadline *first = deadlines->first;
        ck_assert(first->set);
        found[i] = (char)('0' + (first - each));
        netron_deadlines_clear(deadlines, first);
        ck_assert(!first->set);
    }
    ck_assert_str_eq(found, wanted);
}

START_TEST(a_new_deadline_is_not_set_and_knows_its_function)
{
    struct netron_deadlines deadlines = {0};
    struct netron_deadline one;
    int arg;
    memset(&one, 0x5a, sizeof(one));
    netron_deadline_init(&one, ignore, &arg);
    ck_assert(!one.set);
    ck_assert(one.fn == ignore);
    ck_assert_ptr_eq(one.arg, &arg);
    netron_deadlines_clear(&deadlines, &one); /* of one that is not set */
    ck_assert_ptr_null(deadlines.first);
    netron_deadlines_set(&deadlines, &one, 7);
    ck_assert(one.set);
    ck_assert_uint_eq(one.at, 7);
    ck_assert_ptr_eq(deadlines.first, &one);
    ck_assert(one.fn == ignore);
    ck_assert_ptr_eq(one.arg, &arg);
}
END_TEST

START_TEST(the_earliest_comes_first)
{
    struct netron_deadlines deadlines = {0};
    struct netron_deadline each[6];
    static const uint64_t moments[] = {30, UINT64_MAX, 0, 20, 31, UINT64_MAX - 1};
    init_all(each, COUNT_OF(each));
    for (size_t i = 0; i < COUNT_OF(each); i++)
        netron_deadlines_set(&deadlines, &each[i], moments[i]);
    expect_order(&deadlines, each, "230451");
}
END_TEST

START_TEST(equal_moments_come_in_the_order_in_which_they_were_set)
{
    struct netron_deadlines deadlines = {0};
    struct netron_deadline each[8];
    init_all(each, COUNT_OF(each));
    for (size_t i = COUNT_OF(each); i-- > 0;)
        netron_deadlines_set(&deadlines, &each[i], i < 4 ? 100 : 50);
    expect_order(&deadlines, each, "76543210");
}
END_TEST

START_TEST(one_that_is_set_again_moves_behind_its_equals)
{
    struct netron_deadlines deadlines = {0};
    struct netron_deadline each[4];
    init_all(each, COUNT_OF(each));
    for (size_t i = 0; i < COUNT_OF(each); i++)
        netron_deadlines_set(&deadlines, &each[i], 10);
    netron_deadlines_set(&deadlines, &each[0], 10);
    netron_deadlines_set(&deadlines, &each[2], 10);
    expect_order(&deadlines, each, "1302");
}
END_TEST

START_TEST(one_that_is_set_again_has_the_new_moment_only)
{
    struct netron_deadlines deadlines = {0};
    struct netron_deadline each[4];
    init_all(each, COUNT_OF(each));
    for (size_t i = 0; i < COUNT_OF(each); i++)
        netron_deadlines_set(&deadlines, &each[i], 10 * i + 10);
    netron_deadlines_set(&deadlines, &each[0], 35); /* the first, later */
    netron_deadlines_set(&deadlines, &each[3], 5);  /* the last, earlier */
    netron_deadlines_set(&deadlines, &each[1], 20); /* to where it is */
    expect_order(&deadlines, each, "3120");
}
END_TEST

START_TEST(any_can_be_cleared_wherever_it_stands)
{
    for (size_t gone = 0; gone < 8; gone++) {
        for (size_t taken = 0; taken < 3; taken++) { /* taking the first reshapes the heap */
            struct netron_deadlines deadlines = {0};
            struct netron_deadline each[8];
            char wanted[16] = "";
            init_all(each, COUNT_OF(each));
            for (size_t i = 0; i < COUNT_OF(each); i++)
                netron_deadlines_set(&deadlines, &each[i], 100 + i * 5 % 8);
            for (size_t i = 0; i < taken; i++)
                netron_deadlines_clear(&deadlines, deadlines.first);
            netron_deadlines_clear(&deadlines, &each[gone]);
            netron_deadlines_clear(&deadlines, &each[gone]);
            /* i * 5 % 8 puts them into this order. */
            for (size_t place = taken; place < COUNT_OF(each); place++)
                if (place * 5 % 8 != gone)
                    wanted[strlen(wanted)] = (char)('0' + place * 5 % 8);
            expect_order(&deadlines, each, wanted);
        }
    }
}
END_TEST

START_TEST(a_cleared_one_can_be_set_again)
{
    struct netron_deadlines deadlines = {0};
    struct netron_deadline each[3];
    init_all(each, COUNT_OF(each));
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(each); i++)
            netron_deadlines_set(&deadlines, &each[i], 3 - i);
        netron_deadlines_clear(&deadlines, &each[1]);
        netron_deadlines_set(&deadlines, &each[1], 0);
        expect_order(&deadlines, each, "120");
    }
}
END_TEST

/* ---- against a naive model ---- */

#define DEADLINES 200

struct model {
    bool set[DEADLINES];
    uint64_t at[DEADLINES];
    uint64_t order[DEADLINES];
    uint64_t next_order;
};

/* The position of the first, or -1. */
static int first_of(const struct model *model)
{
    int first = -1;
    for (int i = 0; i < DEADLINES; i++) {
        if (!model->set[i])
            continue;
        if (first < 0 || model->at[i] < model->at[first] ||
            (model->at[i] == model->at[first] && model->order[i] < model->order[first]))
            first = i;
    }
    return first;
}

static void expect_as_model(const struct netron_deadlines *deadlines, const struct netron_deadline *each,
                            const struct model *model, int operation)
{
    int wanted = first_of(model);
    int found = deadlines->first != NULL ? (int)(deadlines->first - each) : -1;
    ck_assert_msg(found == wanted, "operation %d: the first is %d, not %d", operation, found, wanted);
    for (int i = 0; i < DEADLINES; i++)
        if (each[i].set != model->set[i])
            ck_abort_msg("operation %d: %d is %sset", operation, i, each[i].set ? "" : "not ");
}

START_TEST(thousands_of_random_operations_end_as_in_a_naive_model)
{
    struct netron_random random = {.state = (uint64_t)_i};
    struct netron_deadlines deadlines = {0};
    struct netron_deadline each[DEADLINES];
    struct model model = {0};
    init_all(each, DEADLINES);
    for (int operation = 0; operation < 6000; operation++) {
        uint64_t bits = netron_random_next(&random);
        size_t which = (size_t)(bits % DEADLINES);
        unsigned kind = (unsigned)(bits >> 32) % 100;
        /* It grows for a thousand operations and shrinks for the next: each shape of the heap is met. */
        unsigned setting = operation / 1000 % 2 == 0 ? 75 : 35;
        if (kind >= setting && kind < setting + 15 && deadlines.first != NULL)
            which = (size_t)(deadlines.first - each);
        if (kind < setting) {
            uint64_t at = bits >> 40 & 0x3f; /* few moments, so that many are equal */
            netron_deadlines_set(&deadlines, &each[which], at);
            model.set[which] = true;
            model.at[which] = at;
            model.order[which] = model.next_order++;
        } else {
            netron_deadlines_clear(&deadlines, &each[which]);
            model.set[which] = false;
        }
        expect_as_model(&deadlines, each, &model, operation);
    }
    while (deadlines.first != NULL) {
        size_t which = (size_t)(deadlines.first - each);
        netron_deadlines_clear(&deadlines, &each[which]);
        model.set[which] = false;
        expect_as_model(&deadlines, each, &model, -1);
    }
    ck_assert_int_eq(first_of(&model), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deadline");
    TCase *tcase = suite_case(suite, "deadline");
    tcase_add_test(tcase, a_new_deadline_is_not_set_and_knows_its_function);
    tcase_add_test(tcase, the_earliest_comes_first);
    tcase_add_test(tcase, equal_moments_come_in_the_order_in_which_they_were_set);
    tcase_add_test(tcase, one_that_is_set_again_moves_behind_its_equals);
    tcase_add_test(tcase, one_that_is_set_again_has_the_new_moment_only);
    tcase_add_test(tcase, any_can_be_cleared_wherever_it_stands);
    tcase_add_test(tcase, a_cleared_one_can_be_set_again);
    tcase_add_loop_test(tcase, thousands_of_random_operations_end_as_in_a_naive_model, 0, 4);
    return suite_run(suite);
}
