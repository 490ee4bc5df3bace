/* SPDX-License-Identifier: MIT */
/* Single stories of a server that behaves oddly at one moment, told by the scripted peer in real time. */
#include "peer.h"
#include "recorders.h"
#include "suite.h"
#include <stdio.h>
#include <string.h>

static struct world world;
static struct peer peer;
static netron_options options;
static netron_discovery *discovery;
static struct state_recorder states;
static struct link_recorder links;

static void open_story(void)
{
    world_open(&world);
    peer_open_in_world(&peer, &world);
    options = world_options(peer.url);
    options.on_link = record_link;
    options.on_link_arg = &links;
}

static void close_story(void)
{
    netron_discovery_free(discovery);
    peer_close(&peer);
    world_close(&world);
}

static void join(void)
{
    netron_service services[2];
    const netron_node node = make_node("node-1", "10.0.0.1:4000", services, "users", NULL, NULL, NULL);
    discovery = world_join(&world, &options);
    states.discovery = discovery;
    ck_assert_int_eq(netron_register(discovery, &node, record_state, &states, NULL), 0);
}

static bool is_registered(void)
{
    return latest_state(&states) == NETRON_REGISTERED;
}

START_TEST(an_answer_that_comes_in_pieces_is_one)
{
    static const char rest[] = "is\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n";
    static const struct peer_step story[] = {{"HELLO", "*4\r\n$6\r\nserver\r\n$5\r\nred", PEER_GO_ON},
                                             {"CLIENT SETNAME", "", PEER_GO_ON}};
    peer_tell_story(&peer, story, 2);
    join();
    AWAIT(&world, peer.steps == 0);
    for (size_t i = 0; i < sizeof(rest) - 1; i++) {
        peer_send(&peer, 0, rest + i, 1);
        world_turn(&world);
    }
    ck_assert_int_eq(links.count[NETRON_LINK_COMMANDS], 0);
    peer_send(&peer, 0, "+OK\r\n", 5);
    AWAIT(&world, is_registered());
    ck_assert_int_eq(peer.conn_count, 1);
}
END_TEST

/* Redis may have done it, or not; it is said again in the same words, as the same incarnation. */
START_TEST(a_registration_whose_answer_never_comes_is_made_again_by_the_same_incarnation)
{
    static const struct peer_step stories[] = {{"EVALSHA", "", PEER_STALL}, {"EVALSHA", "", PEER_HANG_UP}};
    options.command_timeout_ms = 200;
    peer_tell_story(&peer, &stories[_i], 1);
    join();
    AWAIT(&world, links.count[NETRON_LINK_COMMANDS] == 2);
    ck_assert_int_eq(links.code[NETRON_LINK_COMMANDS], _i == 0 ? NETRON_ETIMEDOUT : NETRON_EDISCONNECTED);
    AWAIT(&world, is_registered());
    ck_assert_uint_eq(peer_count(&peer, "EVALSHA"), 2);
    char ids[2][64] = {"", ""};
    char incarnations[2][64] = {"", ""};
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(
            sscanf(peer_find(&peer, "EVALSHA", i)->text, "%*s %*s %*s %*s %63s %63s", ids[i], incarnations[i]), 2);
    ck_assert_str_eq(ids[0], ids[1]);
    ck_assert_str_eq(incarnations[0], incarnations[1]);
}
END_TEST

START_TEST(a_server_that_hangs_up_after_each_greeting_is_told_once_and_tried_on)
{
    static const struct peer_step story[] = {{"HELLO", NULL, PEER_HANG_UP},
                                             {"HELLO", NULL, PEER_HANG_UP},
                                             {"HELLO", NULL, PEER_HANG_UP},
                                             {"HELLO", NULL, PEER_HANG_UP}};
    peer_tell_story(&peer, story, 4);
    join();
    AWAIT(&world, is_registered());
    ck_assert_int_eq(peer.conn_count, 5);
    ck_assert_int_eq(links.count[NETRON_LINK_COMMANDS], 2); /* down, and up */
}
END_TEST

START_TEST(a_server_that_is_too_old_is_told_and_found_again_when_it_is_not)
{
    static const struct peer_step story[] = {
        {"HELLO", "*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n6.0.16\r\n", PEER_GO_ON}};
    peer_tell_story(&peer, story, 1);
    join();
    AWAIT(&world, links.count[NETRON_LINK_COMMANDS] == 1);
    ck_assert_int_eq(links.code[NETRON_LINK_COMMANDS], NETRON_EVERSION);
    ck_assert_ptr_nonnull(strstr(links.sentence[NETRON_LINK_COMMANDS], "6.0.16"));
    AWAIT(&world, is_registered());
}
END_TEST

START_TEST(a_server_that_refuses_before_it_is_asked_is_told_in_its_words)
{
    peer.greeting = "-ERR max number of clients reached\r\n";
    peer.answer = peer_answer_nothing;
    join();
    AWAIT(&world, links.count[NETRON_LINK_COMMANDS] == 1);
    ck_assert_int_eq(links.code[NETRON_LINK_COMMANDS], NETRON_EUNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(links.sentence[NETRON_LINK_COMMANDS], "max number of clients reached"));
    peer.greeting = NULL;
    peer.answer = peer_answer_well;
    AWAIT(&world, is_registered());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stories");
    TCase *tcase = suite_case(suite, "stories");
    tcase_add_checked_fixture(tcase, open_story, close_story);
    tcase_add_test(tcase, an_answer_that_comes_in_pieces_is_one);
    tcase_add_loop_test(tcase, a_registration_whose_answer_never_comes_is_made_again_by_the_same_incarnation, 0, 2);
    tcase_add_test(tcase, a_server_that_hangs_up_after_each_greeting_is_told_once_and_tried_on);
    tcase_add_test(tcase, a_server_that_is_too_old_is_told_and_found_again_when_it_is_not);
    tcase_add_test(tcase, a_server_that_refuses_before_it_is_asked_is_told_in_its_words);
    return suite_run(suite);
}
