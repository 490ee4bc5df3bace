/* SPDX-License-Identifier: MIT */
/* A picker that outlives its discovery: what was picked is reported whenever it ends. */
#include "registry.h"
#include <netron/picker.h>

static netron_picker *picker;
static const netron_node *picked[2];

static void pick_two(void)
{
    netron_picker_options options;
    netron_picker_options_init(&options);
    options.ejection_failures = 1;
    registry_open();
    registry_put_many(2);
    registry_subscribe();
    ck_assert_int_eq(netron_picker_new(sim.discovery, NULL, NULL, &options, &picker), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_ptr_nonnull(picked[i] = netron_picker_pick(picker, NULL, 0));
}

static void free_discovery(void)
{
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
}

/* A failure that ejects asks for the time, of which the discovery was the source. */
START_TEST(failures_may_be_reported_when_the_discovery_is_gone)
{
    pick_two();
    free_discovery();
    for (int i = 0; i < 2; i++) {
        ck_assert_str_eq(picked[i]->address, "10.0.0.1:10");
        netron_picker_report(picker, picked[i], 0);
    }
    netron_picker_free(picker);
}
END_TEST

START_TEST(a_picker_freed_before_its_discovery_leaves_nothing_there)
{
    netron_picker *other;
    pick_two();
    ck_assert_int_eq(netron_picker_new(sim.discovery, NULL, NULL, NULL, &other), 0);
    netron_picker_free(picker);
    free_discovery();
    netron_picker_free(other);
    for (int i = 0; i < 2; i++)
        netron_picker_report(picker, picked[i], 0);
}
END_TEST

static int made;

static void make_another(netron_discovery *discovery, int code, void *arg)
{
    (void)code, (void)arg;
    made = netron_picker_new(discovery, NULL, NULL, NULL, &picker);
}

START_TEST(a_picker_may_be_made_while_the_discovery_is_being_freed)
{
    netron_picker *first;
    pick_two();
    first = picker;
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, make_another, NULL), 0);
    made = 1;
    free_discovery();
    ck_assert_int_eq(made, 0);
    ck_assert_ptr_null(netron_picker_pick(picker, NULL, 0));
    netron_picker_free(picker);
    for (int i = 0; i < 2; i++)
        netron_picker_report(first, picked[i], 0);
    netron_picker_free(first);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("picker_view");
    TCase *tcase = sim_case(suite, "picker_view");
    tcase_add_test(tcase, failures_may_be_reported_when_the_discovery_is_gone);
    tcase_add_test(tcase, a_picker_freed_before_its_discovery_leaves_nothing_there);
    tcase_add_test(tcase, a_picker_may_be_made_while_the_discovery_is_being_freed);
    return suite_run(suite);
}
