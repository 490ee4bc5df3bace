/* SPDX-License-Identifier: MIT */
/* A cluster, with the memory running out at each allocation in turn. */
#include "cluster_stand.h"
#include "shortage.h"

static void run(const struct shortage_story *story, int shortage)
{
    shortage_run(story, (enum shortage)shortage);
}

static void begin(void)
{
    cluster_stand_open();
    sim.options.reconnect_max_ms = 500;
}

static void join(void)
{
    if (sim.discovery == NULL)
        shortage_accepts(netron_discovery_new_on(&sim.loop.seam, &sim.options, &sim.discovery));
    sim_settle();
}

static bool is_up(void)
{
    return sim.links.is_up[NETRON_LINK_COMMANDS];
}

START_TEST(finding_the_primary)
{
    static const struct shortage_story story = {"cluster", begin, join, join, is_up, cluster_stand_close};
    run(&story, _i);
}
END_TEST

static void begin_registered(void)
{
    begin();
    sim_join_and_register();
}

/* The heartbeat's key goes first, the slot follows. */
static void move_the_slot(void)
{
    static char way[64];
    says[0].beat = redirection(way, sizeof(way), "ASK", 1);
    sim_advance(12000);
    says[0].beat = redirection(way, sizeof(way), "MOVED", 1);
    primary = 1;
    sim_advance(8000);
}

static bool is_registered(void)
{
    return is_up() && latest_state(&sim.states) == NETRON_REGISTERED;
}

START_TEST(following_a_slot)
{
    static const struct shortage_story story = {"move", begin_registered, move_the_slot,
                                                NULL,   is_registered,    cluster_stand_close};
    run(&story, _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shortage_cluster");
    TCase *tcase = suite_case(suite, "cluster");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, finding_the_primary, 0, SHORTAGES);
    tcase_add_loop_test(tcase, following_a_slot, 0, SHORTAGES);
    return suite_run(suite);
}
