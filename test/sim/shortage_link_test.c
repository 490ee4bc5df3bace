/* SPDX-License-Identifier: MIT */
/* A discovery and its connections, with the memory running out at each allocation in turn. */
#include "shortage.h"
#include <script_sources.h>
#include <stdio.h>
#include <string.h>

static char url[256];

static void run(const struct shortage_story *story, int shortage)
{
    shortage_run(story, (enum shortage)shortage);
}

/* ---- beginning and end ---- */

static void give_all_options(void)
{
    snprintf(url, sizeof(url), "unix://alice:a%%20password@%s?db=7", sim.peer.path);
    sim.options.url = url;
    sim.options.username = "another-user-name";
    sim.options.password = "another-password";
    sim.options.client_name = "a-client-name-of-some-length";
    sim.options.pubsub_channel = "a:channel:of:some:length";
    sim.options.pubsub_enabled = 1;
}

static void give_all_options_and_a_prefix(void)
{
    give_all_options();
    sim.options.key_prefix = "a:prefix:of:some:length";
}

static void begin_and_end(void)
{
    char sentence[128];
    bool is_made = false;
    shortage_accepts(netron_options_check(&sim.options, sentence, sizeof(sentence)));
    is_made = shortage_accepts(netron_discovery_new_on(&sim.loop.seam, &sim.options, &sim.discovery));
    ck_assert(is_made == (sim.discovery != NULL));
    if (is_made)
        shortage_accepts(netron_view_open(sim.discovery));
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
}

START_TEST(making_and_freeing)
{
    static const struct shortage_story story = {
        "make and free", give_all_options_and_a_prefix, begin_and_end, NULL, NULL, NULL};
    run(&story, _i);
}
END_TEST

static bool has_view;

static void join(void)
{
    if (sim.discovery == NULL)
        shortage_accepts(netron_discovery_new_on(&sim.loop.seam, &sim.options, &sim.discovery));
    has_view = sim.discovery != NULL && sim.options.pubsub_enabled && shortage_accepts(netron_view_open(sim.discovery));
}

static void connect_both(void)
{
    join();
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

/* What there was no memory for is not the fault of Redis. */
static void expect_no_blame(void)
{
    ck_assert_int_eq(log_count(&sim.log, "what is no Redis protocol"), 0);
}

START_TEST(connecting_and_greeting)
{
    static const struct shortage_story story = {"handshake", give_all_options, connect_both,
                                                join_again,  are_both_up,      expect_no_blame};
    run(&story, _i);
}
END_TEST

/* ---- losses ---- */

static void join_with_memory(void)
{
    sim.options.pubsub_enabled = 1;
    join();
    sim_settle();
    ck_assert(are_both_up());
}

static void lose_and_reconnect(void)
{
    peer_hang_up_all(&sim.peer);
    sim_advance(5000);
}

START_TEST(reconnecting)
{
    static const struct shortage_story story = {"reconnect", join_with_memory, lose_and_reconnect,
                                                NULL,        are_both_up,      expect_no_blame};
    run(&story, _i);
}
END_TEST

static void be_silent_and_come_back(void)
{
    sim.peer.answer = peer_answer_nothing;
    sim_advance(25000); /* both links ask for a sign of life, in vain */
    sim.peer.answer = peer_answer_well;
    sim_advance(5000);
}

START_TEST(asking_for_a_sign_of_life)
{
    static const struct shortage_story story = {"silence", join_with_memory, be_silent_and_come_back,
                                                NULL,      are_both_up,      NULL};
    run(&story, _i);
}
END_TEST

/* ---- refusals ---- */

static unsigned refusals;

static const char *refuse_at_first(struct peer *peer, const struct peer_command *command)
{
    static const char *const answers[] = {"-LOADING Redis is loading the dataset in memory\r\n",
                                          "-ERR max number of clients reached\r\n",
                                          "-NOAUTH Authentication required.\r\n", ":42\r\n", "?no protocol\r\n"};
    bool is_asked_for = peer_is(command, "HELLO") || peer_is(command, "SUBSCRIBE ");
    if (!is_asked_for || refusals >= sizeof(answers) / sizeof(answers[0]))
        return peer_answer_well(peer, command);
    return answers[refusals++];
}

static void begin_refused(void)
{
    refusals = 0;
    sim.options.pubsub_enabled = 1;
    sim.options.reconnect_max_ms = 500;
    sim.peer.answer = refuse_at_first;
}

static void be_refused_for_a_while(void)
{
    join();
    sim_advance(5000);
}

START_TEST(being_refused)
{
    static const struct shortage_story story = {"refusals", begin_refused, be_refused_for_a_while,
                                                join_again, are_both_up,   NULL};
    run(&story, _i);
}
END_TEST

/* ---- names ---- */

static void name_the_host(void)
{
    sim.options.url = "redis://a-host-of-some-length.example:1";
    sim.options.connect_timeout_ms = 1000;
}

static void ask_for_the_host(void)
{
    static const char *const nowhere[] = {"127.0.0.1"};
    join();
    sim_settle();
    for (int i = 0; i < 8; i++) {
        if (sim.loop.resolved != NULL)
            fake_loop_resolve(&sim.loop, i % 2 == 0 ? nowhere : NULL, 1);
        sim_advance(1500);
    }
}

static unsigned resolutions_before;

static void ask_again(void)
{
    if (sim.discovery == NULL)
        join();
    resolutions_before = sim.loop.resolutions;
}

/* Nobody listens there, so all that can be seen is that it goes on trying. */
static bool goes_on_asking(void)
{
    static const char *const nowhere[] = {"127.0.0.1"};
    if (sim.loop.resolved != NULL)
        fake_loop_resolve(&sim.loop, nowhere, 1);
    return sim.loop.resolutions > resolutions_before + 2;
}

START_TEST(resolving_a_name)
{
    static const struct shortage_story story = {"names",   name_the_host,  ask_for_the_host,
                                                ask_again, goes_on_asking, NULL};
    run(&story, _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shortage_link");
    TCase *tcase = suite_case(suite, "memory runs out during");
    allocations_of_libraries();
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, making_and_freeing, 0, SHORTAGES);
    tcase_add_loop_test(tcase, connecting_and_greeting, 0, SHORTAGES);
    tcase_add_loop_test(tcase, reconnecting, 0, SHORTAGES);
    tcase_add_loop_test(tcase, asking_for_a_sign_of_life, 0, SHORTAGES);
    tcase_add_loop_test(tcase, being_refused, 0, SHORTAGES);
    tcase_add_loop_test(tcase, resolving_a_name, 0, SHORTAGES);
    return suite_run(suite);
}
