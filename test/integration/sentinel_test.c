/* SPDX-License-Identifier: MIT */
/* A primary that sentinels know: it is found, and found again when it is another. */
#include "sentinel_stage.h"

/* ---- finding ---- */

START_TEST(the_sentinels_say_where_the_primary_is)
{
    join();
    ck_assert_str_eq(on_primary(0, "EXISTS " P ":heartbeat:node-1"), "1");
    ck_assert_int_eq(log_count(&log_lines, "the primary \"" SET_NAME "\" is"), 1);
}
END_TEST

START_TEST(a_primary_that_is_killed_is_followed_to_the_next)
{
    join();
    set_member_kill(&set.redis[0]);
    int primary = await_failover(0);
    assert_whole(primary);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sentinel");
    TCase *tcase = sentinel_case(suite, "sentinel");
    tcase_add_test(tcase, the_sentinels_say_where_the_primary_is);
    tcase_add_test(tcase, a_primary_that_is_killed_is_followed_to_the_next);
    return suite_run(suite);
}
