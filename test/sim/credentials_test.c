/* SPDX-License-Identifier: MIT */
/* Credentials that are asked for at each connect: when, of whom, what becomes of none, and that nobody repeats them. */
#include "sim.h"
#include <stdio.h>
#include <string.h>

#define COMMANDS NETRON_LINK_COMMANDS
#define EVENTS NETRON_LINK_EVENTS
#define TOKEN "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvcmRlcnMifQ"

static struct {
    int asked[3]; /* by role */
    int code;
    const char *username;
    const char *password;
    netron_link_role freed_by; /* 0 = nobody */
    struct done_recorder shut;
} supplier;

static int supply(netron_link_role role, netron_credentials *credentials, void *arg)
{
    ck_assert_ptr_eq(arg, &supplier);
    ck_assert_ptr_nonnull(sim.discovery); /* never from inside the call that makes it */
    supplier.asked[role]++;
    if (supplier.password != NULL) {
        char copy[128]; /* of which nothing stays */
        snprintf(copy, sizeof(copy), "%s", supplier.password);
        ck_assert_int_eq(netron_credentials_set(credentials, supplier.username, copy), 0);
        memset(copy, 'x', sizeof(copy));
    }
    if (supplier.freed_by == role) {
        netron_discovery_free(sim.discovery);
        sim.discovery = NULL;
    }
    return supplier.code;
}

static void open_supplied(void)
{
    sim.options.credentials = supply;
    sim.options.credentials_arg = &supplier;
    sim.options.pubsub_enabled = 1;
    supplier.username = "orders";
    supplier.password = TOKEN;
}

static void join_with_view(void)
{
    sim_join();
    ck_assert_int_eq(netron_view_open(sim.discovery), 0);
    sim_settle();
}

START_TEST(each_link_asks_at_each_connect_and_says_the_latest)
{
    join_with_view();
    ck_assert_int_eq(supplier.asked[COMMANDS], 1);
    ck_assert_int_eq(supplier.asked[EVENTS], 1);
    ck_assert_uint_eq(sim_count("AUTH orders " TOKEN), 2);
    sim_advance(60000); /* what is connected asks no more */
    ck_assert_int_eq(supplier.asked[COMMANDS] + supplier.asked[EVENTS], 2);
    supplier.username = NULL;
    supplier.password = "another";
    peer_hang_up_all(&sim.peer);
    sim_advance(20000);
    ck_assert_int_eq(supplier.asked[COMMANDS], 2);
    ck_assert_int_eq(supplier.asked[EVENTS], 2);
    ck_assert_uint_eq(sim_count("AUTH another"), 2);
    ck_assert_uint_eq(sim_count("AUTH "), 4);
    ck_assert(sim.links.is_up[COMMANDS] && sim.links.is_up[EVENTS]);
}
END_TEST

START_TEST(without_a_connection_nobody_is_asked)
{
    peer_stop_listening(&sim.peer);
    join_with_view();
    sim_advance(60000);
    ck_assert_int_eq(supplier.asked[COMMANDS] + supplier.asked[EVENTS], 0);
}
END_TEST

START_TEST(when_nothing_is_set_redis_is_greeted_without_auth)
{
    supplier.password = NULL;
    sim_join();
    sim_settle();
    ck_assert_uint_eq(sim_count("AUTH "), 0);
    ck_assert(sim.links.is_up[COMMANDS]);
}
END_TEST

/* Those that pass by themselves are tried again soon; those that an operator has to mend, rarely. */
START_TEST(a_supplier_that_has_none_fails_the_attempt_and_is_asked_again)
{
    static const struct {
        int code;
        int told;
        int least, most; /* attempts within a minute, at reconnect_max_ms = 10000 */
    } cases[] = {
        {NETRON_EUNAVAILABLE, NETRON_EUNAVAILABLE, 8, 200},
        {NETRON_EAUTH, NETRON_EAUTH, 6, 13},
        {NETRON_ENOMEM, NETRON_ENOMEM, 8, 200},
        {7, NETRON_EINVAL, 8, 200},
    };
    supplier.code = cases[_i].code;
    sim_join();
    sim_register();
    sim_settle();
    ck_assert_int_eq(sim.links.code[COMMANDS], cases[_i].told);
    ck_assert_ptr_nonnull(strstr(sim.links.sentence[COMMANDS], "options.credentials supplied none: "));
    sim_advance(60000);
    ck_assert_int_ge(supplier.asked[COMMANDS], cases[_i].least);
    ck_assert_int_le(supplier.asked[COMMANDS], cases[_i].most);
    ck_assert_int_eq(sim.links.count[COMMANDS], 1); /* the same again is no news */
    ck_assert_int_eq(sim.states.code[sim.states.count - 1], cases[_i].told);
    ck_assert_uint_eq(sim_count(""), 0); /* Redis has not been told anything */
    ck_assert_int_eq(log_count(&sim.log, TOKEN), 0);
    supplier.code = 0;
    sim_advance(15000);
    ck_assert(sim.links.is_up[COMMANDS]);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

START_TEST(a_supplier_may_free_the_discovery)
{
    supplier.freed_by = _i % 2 == 0 ? COMMANDS : EVENTS;
    supplier.code = _i < 2 ? 0 : NETRON_EUNAVAILABLE;
    sim_join();
    ck_assert_int_eq(netron_view_open(sim.discovery), 0);
    while (sim.discovery != NULL)
        sim_settle();
    sim_advance(60000);
    ck_assert_int_eq(supplier.asked[supplier.freed_by], 1);
}
END_TEST

static int shut_down(netron_link_role role, netron_credentials *credentials, void *arg)
{
    int code = supply(role, credentials, arg);
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &supplier.shut), 0);
    return code;
}

START_TEST(a_supplier_may_shut_down)
{
    sim.options.credentials = shut_down;
    sim_join();
    sim_settle();
    ck_assert_int_eq(supplier.shut.calls, 1);
    ck_assert_int_eq(supplier.shut.code, 0);
}
END_TEST

/* ---- nobody repeats them ---- */

static void assert_untold(const char *secret)
{
    ck_assert_ptr_null(strstr(sim.links.sentence[COMMANDS], secret));
    ck_assert_ptr_null(strstr(sim.states.sentence, secret));
    ck_assert_ptr_null(strstr(netron_discovery_error(sim.discovery), secret));
    ck_assert_int_eq(log_count(&sim.log, secret), 0);
}

/* Whatever a server, or something before it, says to whichever command of the greeting. */
START_TEST(no_answer_to_the_greeting_gets_the_password_into_a_sentence_or_the_log)
{
    static const char *const commands[] = {"AUTH ", "HELLO", "SELECT ", "CLIENT "};
    static const char *const answers[] = {
        "-ERR unknown command 'AUTH', with args beginning with: 'orders' '" TOKEN "' \r\n",
        "-ERR unknown command 'AUTH', with args beginning with: 'orders' 'eyJhbGci\r\n",
        "-ERR unknown command 'AUTH', with args beginning with: 'orders' 'eyJ\r\n",
        "-WRONGPASS for " TOKEN "\r\n",
        "-NOAUTH " TOKEN "\r\n",
        "-NOPERM User orders with " TOKEN " has no permissions to run the '" TOKEN "' command\r\n",
        "-NOPERM to run the 'eyJhbGciOiJIUzI' command\r\n",
        "-LOADING " TOKEN "\r\n",
        "-ERR wrong number of arguments for 'auth' command: " TOKEN "\r\n",
        "+" TOKEN "\r\n",
        "*2\r\n$7\r\nversion\r\n$27\r\n5.0.0 eyJhbGciOiJIUzI1NiJ9.e\r\n",
    };
    char url[256];
    snprintf(url, sizeof(url), "%s?db=3", sim.peer.url);
    sim.options.url = url;
    if (_i % 2 == 1) {
        sim.options.credentials = NULL;
        sim.options.username = supplier.username;
        sim.options.password = supplier.password;
    }
    sim.peer.answer = peer_answer_refusal;
    sim.peer.refused = commands[_i / 2 % 4];
    sim.peer.refusal = answers[_i / 8];
    sim_join();
    sim.states.discovery = sim.discovery;
    sim_register();
    sim_advance(30000);
    ck_assert_uint_gt(sim_count("AUTH orders " TOKEN), 0);
    assert_untold(TOKEN);
    if (strcmp(sim.peer.refused, "AUTH ") == 0 || _i / 8 != 2) /* three letters may be anybody's */
        assert_untold("eyJ");
    sim.peer.answer = peer_answer_well;
    sim_advance(30000);
    ck_assert(sim.links.is_up[COMMANDS]);
    assert_untold(TOKEN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("credentials");
    TCase *tcase = sim_case(suite, "credentials");
    tcase_add_checked_fixture(tcase, open_supplied, NULL);
    tcase_add_test(tcase, each_link_asks_at_each_connect_and_says_the_latest);
    tcase_add_test(tcase, without_a_connection_nobody_is_asked);
    tcase_add_test(tcase, when_nothing_is_set_redis_is_greeted_without_auth);
    tcase_add_loop_test(tcase, a_supplier_that_has_none_fails_the_attempt_and_is_asked_again, 0, 4);
    tcase_add_loop_test(tcase, a_supplier_may_free_the_discovery, 0, 4);
    tcase_add_test(tcase, a_supplier_may_shut_down);
    tcase_add_loop_test(tcase, no_answer_to_the_greeting_gets_the_password_into_a_sentence_or_the_log, 0, 2 * 4 * 11);
    return suite_run(suite);
}
