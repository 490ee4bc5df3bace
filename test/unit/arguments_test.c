/* SPDX-License-Identifier: MIT */
/* The face of the library: what is called with nothing where something has to be refuses, and calls nothing back. */
#include "expect.h"
#include "suite.h"
#include <netron/libevent.h>
#include <netron/netron.h>
#include <string.h>

START_TEST(a_discovery_that_is_none_is_refused)
{
    const netron_node node = NETRON_NODE_INIT;
    netron_stats stats = {.size = sizeof(stats)};
    netron_view_status status = {.size = sizeof(status)};
    netron_picker *picker = NULL;
    ck_assert_int_eq(netron_register(NULL, &node, NULL, NULL, NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_find_nodes_by_service(NULL, "users", NULL, NULL, NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_get_active_nodes(NULL, NULL, NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_is_node_active(NULL, "id", NULL, NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_subscribe_to_events(NULL, NULL, NULL, NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_discovery_shutdown(NULL, NULL, NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_discovery_stats(NULL, &stats), NETRON_EINVAL);
    ck_assert_int_eq(netron_view_open(NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_view_get_status(NULL, &status), NETRON_EINVAL);
    ck_assert_int_eq(netron_picker_new(NULL, "users", NULL, NULL, &picker), NETRON_EINVAL);
    ck_assert_ptr_null(picker);
    ck_assert_ptr_null(netron_view_find(NULL, "users", NULL));
    ck_assert_ptr_null(netron_view_node(NULL, "id"));
}
END_TEST

START_TEST(a_loop_that_is_none_is_refused)
{
    netron_options options;
    netron_discovery *discovery = NULL;
    netron_loop *loop = NULL;
    netron_options_init(&options);
    ck_assert_int_eq(netron_discovery_new(NULL, &options, NULL), NETRON_EINVAL);
    ck_assert_int_eq(netron_discovery_new(NULL, &options, &discovery), NETRON_EINVAL);
    ck_assert_int_eq(netron_discovery_new_on(NULL, &options, &discovery), NETRON_EINVAL);
    ck_assert_int_eq(netron_libevent_loop_new(NULL, &loop), NETRON_EINVAL);
    ck_assert_ptr_null(discovery);
    ck_assert_ptr_null(loop);
}
END_TEST

START_TEST(nothing_can_be_freed)
{
    netron_discovery_free(NULL);
    netron_registration_free(NULL);
    netron_subscription_free(NULL);
    netron_picker_free(NULL);
    netron_snapshot_release(NULL);
    netron_loop_free(NULL);
    ck_assert_ptr_null(netron_snapshot_retain(NULL));
}
END_TEST

START_TEST(the_version_that_runs_is_the_one_of_its_headers)
{
    ck_assert_str_eq(netron_version(), NETRON_VERSION_STRING);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arguments");
    TCase *tcase = suite_case(suite, "face");
    tcase_add_test(tcase, a_discovery_that_is_none_is_refused);
    tcase_add_test(tcase, a_loop_that_is_none_is_refused);
    tcase_add_test(tcase, nothing_can_be_freed);
    tcase_add_test(tcase, the_version_that_runs_is_the_one_of_its_headers);
    return suite_run(suite);
}
