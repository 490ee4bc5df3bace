/* SPDX-License-Identifier: MIT */
/* Sentinels are being asked, or watched, and everything ends. */
#include "sentinel_stand.h"

#define COMMANDS NETRON_LINK_COMMANDS
#define EVENTS NETRON_LINK_EVENTS

static void free_all(netron_discovery *discovery, netron_link_role role, int code, const char *sentence, void *arg)
{
    (void)role;
    (void)sentence;
    if (code != *(const int *)arg)
        return;
    netron_discovery_free(discovery);
    sim.discovery = NULL;
}

START_TEST(everything_may_be_freed_when_a_link_tells)
{
    static const int codes[] = {0, NETRON_EUNAVAILABLE, NETRON_EDISCONNECTED};
    sim.options.pubsub_enabled = 1;
    sim.options.on_link = free_all;
    sim.options.on_link_arg = (void *)(uintptr_t)&codes[_i];
    if (_i == 2)
        for (int i = 0; i < STAND_SENTINELS; i++)
            peer_stop_listening(&stand.sentinel[i]);
    sim_join();
    ck_assert_int_eq(netron_view_open(sim.discovery), 0);
    sim_settle();
    if (_i == 1)
        stand_switch(0, "main", 1);
    sim_advance(1000);
    ck_assert_ptr_null(sim.discovery);
}
END_TEST

/* Turn by turn of the loop, and in the midst of each wait. */
START_TEST(everything_may_be_freed_at_any_time)
{
    static const uint64_t moments[] = {0, 1, 500, 1250, 1251, 2500, 3749, 3750, 3751, 4000, 5000, 9000};
    stand.is_silent[0] = _i % 2 == 0;
    stand.is_silent[1] = _i % 4 == 0;
    stand.is_silent[2] = _i % 8 == 0;
    sim.options.pubsub_enabled = 1;
    sim_join();
    ck_assert_int_eq(netron_view_open(sim.discovery), 0);
    if (moments[_i / 8] > 0)
        sim_advance(moments[_i / 8]);
    if (_i % 2 == 1)
        stand_switch(0, "main", 1);
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
    sim_settle();
    for (int i = 0; i < STAND_SENTINELS; i++)
        ck_assert_int_eq(stand_open_conns(&stand.sentinel[i]), 0);
}
END_TEST

START_TEST(after_a_shutdown_no_sentinel_is_watched)
{
    struct done_recorder done = {0};
    sim.options.pubsub_enabled = 1;
    sim_join();
    ck_assert_int_eq(netron_view_open(sim.discovery), 0);
    sim_settle();
    ck_assert(sim.links.is_up[COMMANDS] && sim.links.is_up[EVENTS]);
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &done), 0);
    sim_settle();
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(stand_open_conns(&stand.sentinel[0]), 0);
    ck_assert_int_eq(stand_open_conns(&stand.redis[0]), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sentinel_free");
    TCase *tcase = stand_case(suite, "the end");
    tcase_add_loop_test(tcase, everything_may_be_freed_when_a_link_tells, 0, 3);
    tcase_add_loop_test(tcase, everything_may_be_freed_at_any_time, 0, 8 * 12);
    tcase_add_test(tcase, after_a_shutdown_no_sentinel_is_watched);
    return suite_run(suite);
}
