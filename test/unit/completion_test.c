/* SPDX-License-Identifier: MIT */
/* The room completion: each callback exactly once, oldest first, and whatever it does to the list. */
#include "completion.h"
#include "expect.h"
#include "recorders.h"
#include <stdio.h>
#include <string.h>

/* The core never looks into it: what counts is that the callbacks get this very one. */
static int nothing;
static netron_discovery *const discovery = (netron_discovery *)&nothing;

/* Only its latest failure counts here. */
static struct netron_core core;

static char order[256];

struct named {
    const char *name;
    int code;
    int calls;
};

static void note(netron_discovery *given, int code, void *arg)
{
    struct named *named = arg;
    ck_assert_ptr_eq(given, discovery);
    named->calls++;
    named->code = code;
    strcat(order, named->name);
}

static void forget(void)
{
    order[0] = '\0';
}

START_TEST(those_that_wait_for_less_or_the_same_are_called_oldest_first)
{
    struct netron_completions completions = {0};
    struct named each[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}, {.name = "e"}};
    static const uint64_t marks[] = {1, 2, 2, 3, UINT64_MAX};
    for (size_t i = 0; i < COUNT_OF(each); i++)
        ck_assert_int_eq(netron_completions_add(&completions, marks[i], note, &each[i]), 0);
    netron_completions_run(&completions, 0, &core, discovery, 0);
    ck_assert_str_eq(order, "");
    netron_completions_run(&completions, 2, &core, discovery, 0);
    ck_assert_str_eq(order, "abc");
    netron_completions_run(&completions, 2, &core, discovery, 0);
    ck_assert_str_eq(order, "abc");
    netron_completions_run(&completions, UINT64_MAX - 1, &core, discovery, NETRON_EPERM);
    ck_assert_str_eq(order, "abcd");
    netron_completions_run(&completions, UINT64_MAX, &core, discovery, NETRON_ECANCELLED);
    ck_assert_str_eq(order, "abcde");
    static const int codes[] = {0, 0, 0, NETRON_EPERM, NETRON_ECANCELLED};
    for (size_t i = 0; i < COUNT_OF(each); i++) {
        ck_assert_int_eq(each[i].calls, 1);
        ck_assert_int_eq(each[i].code, codes[i]);
    }
}
END_TEST

static char sentence[NETRON_SENTENCE_SIZE];

static void note_sentence(netron_discovery *given, int code, void *arg)
{
    (void)given;
    (void)code;
    (void)arg;
    memcpy(sentence, core.failure.sentence, sizeof(sentence));
}

START_TEST(the_sentence_that_a_callback_finds_belongs_to_its_code)
{
    struct netron_completions completions = {0};
    struct netron_failure other;
    ck_assert_int_eq(netron_completions_add(&completions, 0, note_sentence, NULL), 0);
    netron_fail(&other, NETRON_EPERM, "the very cause");
    netron_core_note(&core, &other);
    netron_completions_run(&completions, 0, &core, discovery, NETRON_EPERM);
    ck_assert_str_eq(sentence, "the very cause");
    ck_assert_int_eq(netron_completions_add(&completions, 0, note_sentence, NULL), 0);
    netron_fail(&other, NETRON_EINVAL, "something else that failed meanwhile");
    netron_core_note(&core, &other);
    netron_completions_run(&completions, 0, &core, discovery, NETRON_EPERM);
    ck_assert_str_eq(sentence, netron_strerror(NETRON_EPERM));
}
END_TEST

START_TEST(an_empty_list_has_nothing_to_call)
{
    struct netron_completions completions = {0};
    netron_completions_run(&completions, UINT64_MAX, &core, discovery, 0);
    ck_assert_ptr_null(completions.first);
}
END_TEST

START_TEST(no_callback_adds_nothing)
{
    struct netron_completions completions = {0};
    ck_assert_int_eq(netron_completions_add(&completions, 1, NULL, &nothing), 0);
    ck_assert_ptr_null(completions.first);
    netron_completions_run(&completions, UINT64_MAX, &core, discovery, 0);
}
END_TEST

START_TEST(an_emptied_list_is_filled_again)
{
    struct netron_completions completions = {0};
    struct named one = {.name = "1"}, two = {.name = "2"}, three = {.name = "3"};
    netron_completions_add(&completions, 1, note, &one);
    netron_completions_run(&completions, 1, &core, discovery, 0);
    netron_completions_add(&completions, 1, note, &two);
    netron_completions_add(&completions, 2, note, &three);
    netron_completions_run(&completions, 2, &core, discovery, 0);
    ck_assert_str_eq(order, "123");
}
END_TEST

/* ---- callbacks that do something ---- */

struct actor {
    struct netron_completions *completions;
    struct named *adds;  /* what it adds, or NULL */
    uint64_t runs_up_to; /* what it runs, 0 = nothing */
    const char *name;
};

static void act(netron_discovery *given, int code, void *arg)
{
    struct actor *actor = arg;
    struct named self = {.name = actor->name};
    note(given, code, &self);
    if (actor->adds != NULL)
        ck_assert_int_eq(netron_completions_add(actor->completions, 5, note, actor->adds), 0);
    if (actor->runs_up_to > 0)
        netron_completions_run(actor->completions, actor->runs_up_to, &core, given, code);
    strcat(order, ".");
}

START_TEST(what_a_callback_adds_waits_for_the_next_run)
{
    struct netron_completions completions = {0};
    struct named later = {.name = "later"}, last = {.name = "last"};
    struct actor actor = {.completions = &completions, .adds = &later, .name = "a"};
    netron_completions_add(&completions, 5, act, &actor);
    netron_completions_add(&completions, 5, note, &last);
    netron_completions_run(&completions, 5, &core, discovery, 0);
    ck_assert_str_eq(order, "a.last");
    netron_completions_run(&completions, 5, &core, discovery, 0);
    ck_assert_str_eq(order, "a.lastlater");
    ck_assert_ptr_null(completions.first);
}
END_TEST

START_TEST(the_only_callback_may_add_another)
{
    struct netron_completions completions = {0};
    struct named later = {.name = "later"};
    struct actor actor = {.completions = &completions, .adds = &later, .name = "a"};
    netron_completions_add(&completions, 5, act, &actor);
    netron_completions_run(&completions, 5, &core, discovery, 0);
    ck_assert_str_eq(order, "a.");
    netron_completions_run(&completions, 5, &core, discovery, 0);
    ck_assert_str_eq(order, "a.later");
}
END_TEST

START_TEST(a_callback_that_runs_the_list_calls_none_twice)
{
    struct netron_completions completions = {0};
    struct named b = {.name = "b"}, c = {.name = "c"}, added = {.name = "+"};
    struct actor actor = {.completions = &completions, .adds = &added, .runs_up_to = 5, .name = "a"};
    netron_completions_add(&completions, 4, act, &actor);
    netron_completions_add(&completions, 4, note, &b);
    netron_completions_add(&completions, 5, note, &c);
    netron_completions_run(&completions, 4, &core, discovery, 0);
    /* The inner run begins when "+" is there already; the outer finds nothing left. */
    ck_assert_str_eq(order, "abc+.");
    ck_assert_ptr_null(completions.first);
}
END_TEST

START_TEST(a_callback_may_run_less_than_what_is_being_run)
{
    struct netron_completions completions = {0};
    struct named b = {.name = "b"}, c = {.name = "c"};
    struct actor actor = {.completions = &completions, .runs_up_to = 2, .name = "a"};
    netron_completions_add(&completions, 1, act, &actor);
    netron_completions_add(&completions, 2, note, &b);
    netron_completions_add(&completions, 3, note, &c);
    netron_completions_run(&completions, 3, &core, discovery, 0);
    ck_assert_str_eq(order, "ab.c");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("completion");
    TCase *tcase = suite_case(suite, "completion");
    tcase_add_checked_fixture(tcase, forget, NULL);
    tcase_add_test(tcase, those_that_wait_for_less_or_the_same_are_called_oldest_first);
    tcase_add_test(tcase, the_sentence_that_a_callback_finds_belongs_to_its_code);
    tcase_add_test(tcase, an_empty_list_has_nothing_to_call);
    tcase_add_test(tcase, no_callback_adds_nothing);
    tcase_add_test(tcase, an_emptied_list_is_filled_again);
    tcase_add_test(tcase, what_a_callback_adds_waits_for_the_next_run);
    tcase_add_test(tcase, the_only_callback_may_add_another);
    tcase_add_test(tcase, a_callback_that_runs_the_list_calls_none_twice);
    tcase_add_test(tcase, a_callback_may_run_less_than_what_is_being_run);
    return suite_run(suite);
}
