/* SPDX-License-Identifier: MIT */
/* A real Redis whose user changes while a node and a view use it: nothing has to be restarted. */
#include "stage.h"
#include <stdio.h>

static struct link_recorder links;
static struct state_recorder states;
static struct event_recorder events;
static struct log_recorder log_lines;

static struct {
    int asked;
    const char *username;
    const char *password; /* NULL: none yet */
} supplier;

static int supply(netron_link_role role, netron_credentials *credentials, void *arg)
{
    (void)role, (void)arg;
    supplier.asked++;
    if (supplier.password == NULL)
        return NETRON_EUNAVAILABLE;
    return netron_credentials_set(credentials, supplier.username, supplier.password);
}

static void open_supplied(void)
{
    open_alone();
    server_expect(&server, "OK", "ACL SETUSER rotating reset on >first-secret allkeys allchannels +@all");
    server_expect(&server, "OK", "ACL SETUSER default resetpass >control-secret"); /* nobody comes in without */
    options.credentials = supply;
    options.on_link = record_link;
    options.on_link_arg = &links;
    options.log = record_log;
    options.log_arg = &log_lines;
    supplier.username = "rotating";
    supplier.password = "first-secret";
}

/* A node and a view that are both well. */
static void join(void)
{
    begin_registered(&states);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &events, NULL), 0);
    AWAIT(&world, events.synced == 1 && links.is_up[NETRON_LINK_COMMANDS] && links.is_up[NETRON_LINK_EVENTS]);
}

static bool are_up(uint64_t connects)
{
    return links.is_up[NETRON_LINK_COMMANDS] && links.is_up[NETRON_LINK_EVENTS] &&
           stats_of(discovery).connects >= connects;
}

/* The view hears of a change, and the change is made: both links do their work. */
static void assert_well(const char *id)
{
    struct state_recorder other = {0};
    int before = events.count;
    netron_registration *registration = begin(discovery, id, &other);
    AWAIT(&world, latest_state(&other) == NETRON_REGISTERED && events.count > before);
    ck_assert_ptr_nonnull(strstr(events.events[before].text, id));
    netron_registration_free(registration);
}

static void assert_untold(void)
{
    static const char *const secrets[] = {"first-secret", "second-secret", "irst-secre", "second-secre"};
    for (size_t i = 0; i < COUNT(secrets); i++) {
        ck_assert_int_eq(log_count(&log_lines, secrets[i]), 0);
        ck_assert_ptr_null(strstr(links.sentence[NETRON_LINK_COMMANDS], secrets[i]));
        ck_assert_ptr_null(strstr(links.sentence[NETRON_LINK_EVENTS], secrets[i]));
        ck_assert_ptr_null(strstr(netron_discovery_error(discovery), secrets[i]));
    }
    ck_assert_int_gt(log_count(&log_lines, "connecting -> greeting"), 0); /* the lines of all levels are there */
}

START_TEST(after_a_rotation_both_links_come_back_with_the_new_password)
{
    join();
    server_expect(&server, "OK", "ACL SETUSER rotating resetpass >second-secret");
    supplier.password = "second-secret";
    world_run(&world, 250); /* what is connected stays so, and beats */
    ck_assert_uint_eq(stats_of(discovery).connects, 2);
    ck_assert_int_ge(server_integer(&server, "CLIENT KILL USER rotating"), 2);
    AWAIT(&world, are_up(4));
    assert_well("node-2");
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    assert_untold();
}
END_TEST

START_TEST(a_password_that_comes_after_it_is_wanted_is_taken_at_a_next_attempt)
{
    join();
    server_expect(&server, "OK", "ACL SETUSER rotating resetpass >second-secret");
    ck_assert_int_ge(server_integer(&server, "CLIENT KILL USER rotating"), 2);
    AWAIT(&world, links.code[NETRON_LINK_COMMANDS] == NETRON_EAUTH && links.code[NETRON_LINK_EVENTS] == NETRON_EAUTH);
    ck_assert_ptr_nonnull(strstr(links.sentence[NETRON_LINK_COMMANDS], "WRONGPASS"));
    supplier.password = NULL; /* it is being fetched */
    AWAIT(&world, links.code[NETRON_LINK_COMMANDS] == NETRON_EUNAVAILABLE &&
                      links.code[NETRON_LINK_EVENTS] == NETRON_EUNAVAILABLE);
    supplier.password = "second-secret";
    AWAIT(&world, are_up(4));
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    assert_well("node-2");
    assert_untold();
}
END_TEST

START_TEST(a_user_that_is_deleted_and_made_anew_is_used_again)
{
    join();
    server_expect(&server, "1", "ACL DELUSER rotating"); /* which ends its connections */
    AWAIT(&world, links.code[NETRON_LINK_COMMANDS] == NETRON_EAUTH && links.code[NETRON_LINK_EVENTS] == NETRON_EAUTH);
    server_expect(&server, "OK", "ACL SETUSER rotating reset on >second-secret allkeys allchannels +@all");
    supplier.password = "second-secret";
    AWAIT(&world, are_up(4));
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    assert_well("node-2");
    assert_untold();
}
END_TEST

START_TEST(another_user_can_follow)
{
    join();
    server_expect(&server, "OK", "ACL SETUSER follower reset on >second-secret allkeys allchannels +@all");
    supplier.username = "follower";
    supplier.password = "second-secret";
    server_expect(&server, "1", "ACL DELUSER rotating");
    AWAIT(&world, are_up(4));
    assert_well("node-2");
    ck_assert_int_eq((int)server_integer(&server, "CLIENT KILL USER follower"), 2);
    AWAIT(&world, are_up(6));
    assert_untold();
}
END_TEST

START_TEST(the_password_alone_is_that_of_the_default_user)
{
    supplier.username = NULL;
    supplier.password = "control-secret";
    join();
    server_expect(&server, "OK", "ACL SETUSER default resetpass >second-secret");
    supplier.password = "second-secret";
    ck_assert_int_ge(server_integer(&server, "CLIENT KILL USER default SKIPME yes"), 2);
    AWAIT(&world, are_up(4));
    assert_well("node-2");
    ck_assert_int_ge(supplier.asked, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("credentials");
    TCase *tcase = suite_case(suite, "credentials");
    tcase_add_checked_fixture(tcase, open_supplied, close_alone);
    tcase_add_test(tcase, after_a_rotation_both_links_come_back_with_the_new_password);
    tcase_add_test(tcase, a_password_that_comes_after_it_is_wanted_is_taken_at_a_next_attempt);
    tcase_add_test(tcase, a_user_that_is_deleted_and_made_anew_is_used_again);
    tcase_add_test(tcase, another_user_can_follow);
    tcase_add_test(tcase, the_password_alone_is_that_of_the_default_user);
    return suite_run(suite);
}
