/* SPDX-License-Identifier: MIT */
/* Sentinels, with the memory running out at each allocation in turn. */
#include "sentinel_stand.h"
#include "shortage.h"

static void run(const struct shortage_story *story, int shortage)
{
    shortage_run(story, (enum shortage)shortage);
}

static void begin(void)
{
    stand_open();
    sim.options.pubsub_enabled = 1;
    sim.options.reconnect_max_ms = 500;
    sim.options.sentinel_username = "a-watcher-of-sentinels";
    sim.options.sentinel_password = "a-password-of-some-length";
}

static bool has_view;

static void join(void)
{
    if (sim.discovery == NULL)
        shortage_accepts(netron_discovery_new_on(&sim.loop.seam, &sim.options, &sim.discovery));
    has_view = sim.discovery != NULL && shortage_accepts(netron_view_open(sim.discovery));
    sim_settle();
}

static void join_again(void)
{
    if (!has_view)
        join();
}

static bool are_both_up(void)
{
    return sim.links.is_up[NETRON_LINK_COMMANDS] && sim.links.is_up[NETRON_LINK_EVENTS];
}

static bool is_watched(void)
{
    int watches = 0;
    for (int i = 0; i < STAND_SENTINELS; i++)
        watches += stand_open_conns(&stand.sentinel[i]);
    return are_both_up() && watches == 1;
}

static void close_stand(void)
{
    stand_close();
}

START_TEST(asking_the_sentinels)
{
    static const struct shortage_story story = {"sentinels", begin, join, join_again, is_watched, close_stand};
    run(&story, _i);
}
END_TEST

static void begin_joined(void)
{
    begin();
    join();
    ck_assert(is_watched());
}

static void switch_the_primary(void)
{
    stand.named[0] = stand.named[1] = stand.named[2] = 1;
    stand.is_replica[0] = true;
    stand_switch(0, "main", 1);
    sim_advance(3000);
}

static bool are_at_the_new_one(void)
{
    return is_watched() && stand_open_conns(&stand.redis[1]) == 2;
}

/* Where there was no memory for the news the links stay where they are; the sentinels would throw them out there. */
static void throw_out(void)
{
    peer_hang_up_all(&stand.redis[0]);
}

START_TEST(following_a_switch)
{
    static const struct shortage_story story = {"switch",  begin_joined,       switch_the_primary,
                                                throw_out, are_at_the_new_one, close_stand};
    run(&story, _i);
}
END_TEST

static void lose_the_watch(void)
{
    peer_hang_up_all(&stand.sentinel[0]);
    peer_stop_listening(&stand.sentinel[0]);
    stand.answer[1] = "*2\r\n$1\r\n-\r\n$1\r\n-\r\n";
    sim_advance(3000);
}

START_TEST(losing_the_watch)
{
    static const struct shortage_story story = {"watch", begin_joined, lose_the_watch, NULL, is_watched, close_stand};
    run(&story, _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shortage_sentinel");
    TCase *tcase = suite_case(suite, "memory runs out during");
    allocations_of_libraries();
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, asking_the_sentinels, 0, SHORTAGES);
    tcase_add_loop_test(tcase, following_a_switch, 0, SHORTAGES);
    tcase_add_loop_test(tcase, losing_the_watch, 0, SHORTAGES);
    return suite_run(suite);
}
