/* SPDX-License-Identifier: MIT */
/* What bytes lead to that the server did not send, or that do not arrive: lib/README.md, "The network". */
#include "network.h"
#include "script_sources.h"

START_TEST(bytes_that_are_no_redis_protocol_end_the_link)
{
    static const char *const garbage[] = {"\x01\x02\x03\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "*-7\r\n", "$x\r\n"};
    int which = _i % 2;
    join();
    watch();
    proxy_inject(&proxy, hits[which].links, garbage[_i / 2], strlen(garbage[_i / 2]));
    assert_hit(which, NETRON_EPROTOCOL, "Redis sent what is no Redis protocol");
    assert_nobody_noticed();
}
END_TEST

START_TEST(a_reply_that_nobody_asked_for_ends_the_commands_link)
{
    static const char *const replies[] = {"+OK\r\n", "$5\r\nhello\r\n", ":7\r\n", "*0\r\n"};
    join();
    watch();
    proxy_inject(&proxy, PROXY_COMMANDS, replies[_i], strlen(replies[_i]));
    /* In the place of an answer that is under way it raises a doubt, and then it is the PING that gets another one. */
    assert_hit(0, NETRON_EPROTOCOL, "Redis ");
    bool is_told = strstr(down[COMMANDS].sentence, "sent a reply that nothing asked for") != NULL ||
                   strstr(down[COMMANDS].sentence, "its answers are out of step") != NULL;
    ck_assert_msg(is_told, "%s", down[COMMANDS].sentence);
    assert_nobody_noticed();
}
END_TEST

START_TEST(a_reply_that_takes_the_place_of_a_beats_does_not_end_the_registration)
{
    static const char *const replies[] = {"+OK\r\n", "$5\r\nhello\r\n", ":7\r\n", "*0\r\n", "$-1\r\n"};
    join();
    watch();
    proxy_answer(&proxy, PROXY_COMMANDS, "GETEX", replies[_i], 2);
    uint64_t enough = beats(discovery) + 3;
    AWAIT(&world, beats(discovery) >= enough);
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_COMMANDS).answered, 2);
    assert_whole();
    ck_assert_int_eq(told_of(&watched, " node-1 "), 1);
}
END_TEST

/* What somebody else's registration was told, say. */
START_TEST(a_reply_that_takes_the_place_of_a_scripts_does_not_end_the_registration)
{
    static const char *const fenced = "*2\r\n$6\r\nfenced\r\n:1000\r\n";
    char beginning[64];
    struct done_recorder done = {0};
    netron_registration *registration = join();
    watch();
    snprintf(beginning, sizeof(beginning), "EVALSHA %s",
             _i == 0 ? netron_script_source_register.sha1 : netron_script_source_deregister.sha1);
    proxy_answer(&proxy, PROXY_COMMANDS, beginning, fenced, 1);
    if (_i == 0)
        ck_assert_int_eq(netron_registration_update_address(registration, "10.0.0.9:1", record_done, &done), 0);
    else
        ck_assert_int_eq(netron_registration_deregister(registration, record_done, &done), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    ck_assert_uint_eq(proxy_count(&proxy, PROXY_COMMANDS).answered, 1);
    ck_assert_int_eq((int)latest_state(&states), _i == 0 ? NETRON_REGISTERED : NETRON_LEFT);
    ck_assert_int_eq(is_alive("node-1"), _i == 0);
    AWAIT(&world, told_of(&watched, " node-1 ") == 2); /* one change, or its end */
}
END_TEST

START_TEST(bytes_that_get_into_a_reply_do_not_end_the_registration)
{
    join();
    watch();
    for (int i = 0; i < 3; i++) {
        uint64_t enough = beats(discovery) + 2;
        proxy_inject_amid(&proxy, PROXY_COMMANDS, "-@-", 3);
        AWAIT(&world, beats(discovery) >= enough);
    }
    assert_whole();
    ck_assert_int_eq(told_of(&watched, " node-1 "), 1);
}
END_TEST

START_TEST(bytes_that_are_lost_from_a_reply_do_not_end_the_registration)
{
    join();
    watch();
    for (unsigned lost = 1; lost < 24; lost += 3) {
        uint64_t enough = beats(discovery) + 1;
        proxy_lose(&proxy, PROXY_COMMANDS | PROXY_PRESENT, PROXY_TO_CLIENT, lost);
        AWAIT(&world, beats(discovery) >= enough);
    }
    assert_whole();
    ck_assert_int_eq(told_of(&watched, " node-1 "), 1);
}
END_TEST

START_TEST(what_is_no_message_is_skipped_on_the_events_link)
{
    static const char *const words = "+garbage\r\n";
    join();
    watch();
    proxy_inject(&proxy, PROXY_EVENTS, words, strlen(words));
    AWAIT(&world, stats_of(discovery).skipped_events == 1);
    ck_assert_int_eq(log_count(&log_lines, "skipping a message on the channel"), 1);
    assert_nobody_noticed();
    ck_assert_int_eq(downs[EVENTS], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network_bytes");
    TCase *tcase = suite_case(suite, "network");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_network, close_network);
    tcase_add_loop_test(tcase, bytes_that_are_no_redis_protocol_end_the_link, 0, 8);
    tcase_add_loop_test(tcase, a_reply_that_nobody_asked_for_ends_the_commands_link, 0, 4);
    tcase_add_loop_test(tcase, a_reply_that_takes_the_place_of_a_beats_does_not_end_the_registration, 0, 5);
    tcase_add_loop_test(tcase, a_reply_that_takes_the_place_of_a_scripts_does_not_end_the_registration, 0, 2);
    tcase_add_test(tcase, bytes_that_get_into_a_reply_do_not_end_the_registration);
    tcase_add_test(tcase, bytes_that_are_lost_from_a_reply_do_not_end_the_registration);
    tcase_add_test(tcase, what_is_no_message_is_skipped_on_the_events_link);
    return suite_run(suite);
}
