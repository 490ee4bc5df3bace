/* SPDX-License-Identifier: MIT */
/* An answer by which a script says that somebody else owns the id: it ends a registration only if Redis says so twice.
 */
#include "sim.h"
#include <string.h>

#define FENCED "*2\r\n$6\r\nfenced\r\n:1000\r\n"
#define SOMEBODY "somebody-else"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the second question finds; NULL = our own incarnation, "" = the connection is lost. */
static const struct {
    const char *owner;
    bool is_replaced;
} owners[] = {
    {"$13\r\n" SOMEBODY "\r\n", true},
    {NULL, false},
    {"$-1\r\n", false},
    {"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", false},
    {"-NOPERM no\r\n", false},
    {":17\r\n", false},
    {"", false},
};

static int which;
static size_t fences; /* so many are still to be answered so */

static const char *fence(struct peer *peer, const struct peer_command *command)
{
    bool is_fenced = peer_is_register(command) || peer_is_deregister(command);
    if (is_fenced && fences > 0) {
        fences--;
        return FENCED;
    }
    if (!peer_is(command, "GET ") || owners[which].owner == NULL)
        return peer_answer_well(peer, command);
    if (owners[which].owner[0] != '\0')
        return owners[which].owner;
    peer_hang_up(peer, command->conn);
    return "";
}

static int times_told(netron_registration_state state)
{
    int told = 0;
    for (int i = 0; i < sim.states.count; i++)
        told += sim.states.state[i] == state;
    return told;
}

static void begin(int owner)
{
    which = owner;
    fences = 1;
    sim_join_and_register();
    sim.peer.answer = fence;
}

static void expect_asked_behind_a_ping(void)
{
    ck_assert_uint_eq(sim_count("GET "), 1);
    ck_assert(peer_find(&sim.peer, "PING", -1) < peer_find(&sim.peer, "GET ", 0));
}

START_TEST(an_update_that_is_fenced_ends_the_registration_only_if_somebody_owns_the_id)
{
    struct done_recorder done = {0};
    begin(_i);
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.9:80", record_done, &done), 0);
    sim_settle();
    expect_asked_behind_a_ping();
    sim_advance(20000);
    ck_assert_int_eq(times_told(NETRON_REPLACED), owners[_i].is_replaced);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code == NETRON_EREPLACED, owners[_i].is_replaced);
    if (owners[_i].is_replaced)
        return;
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
    ck_assert(sim_last_register_has(" 10.0.0.9:80 "));
    ck_assert_int_eq(done.code, strstr(owners[_i].owner != NULL ? owners[_i].owner : "", "NOPERM") ? NETRON_EPERM : 0);
}
END_TEST

START_TEST(a_departure_that_is_fenced_is_tried_again_unless_somebody_owns_the_id)
{
    struct done_recorder done = {0};
    begin(_i);
    sim.options.retry_count = 3;
    ck_assert_int_eq(netron_registration_deregister(sim.registration, record_done, &done), 0);
    sim_settle();
    expect_asked_behind_a_ping();
    sim_advance(20000);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(times_told(NETRON_REPLACED), owners[_i].is_replaced);
    ck_assert_int_eq(times_told(NETRON_LOST), 0);
    bool is_forbidden = owners[_i].owner != NULL && strstr(owners[_i].owner, "NOPERM") != NULL;
    ck_assert_int_eq(done.code, owners[_i].is_replaced ? NETRON_EREPLACED : (is_forbidden ? NETRON_EPERM : 0));
    if (!owners[_i].is_replaced && !is_forbidden)
        ck_assert_int_eq(latest_state(&sim.states), NETRON_LEFT);
}
END_TEST

/* A server that says so for ever does not keep us busy for ever. */
START_TEST(an_update_that_is_fenced_by_nobody_again_and_again_is_tried_as_any_other)
{
    begin(2);
    fences = 1000;
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.9:80", NULL, NULL), 0);
    sim_advance(20000);
    ck_assert_uint_le(sim_registers(), 30);
    ck_assert_int_eq(times_told(NETRON_REPLACED), 0);
    fences = 0;
    sim_advance(10000);
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}
END_TEST

START_TEST(a_departure_that_is_fenced_by_nobody_again_and_again_is_given_up)
{
    struct done_recorder done = {0};
    begin(2);
    fences = 1000;
    ck_assert_int_eq(netron_registration_deregister(sim.registration, record_done, &done), 0);
    sim_advance(20000);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, NETRON_EPROTOCOL);
    ck_assert_uint_le(sim_deregisters(), 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fence");
    TCase *tcase = sim_case(suite, "fence");
    tcase_add_loop_test(tcase, an_update_that_is_fenced_ends_the_registration_only_if_somebody_owns_the_id, 0,
                        COUNT(owners));
    tcase_add_loop_test(tcase, a_departure_that_is_fenced_is_tried_again_unless_somebody_owns_the_id, 0, COUNT(owners));
    tcase_add_test(tcase, an_update_that_is_fenced_by_nobody_again_and_again_is_tried_as_any_other);
    tcase_add_test(tcase, a_departure_that_is_fenced_by_nobody_again_and_again_is_given_up);
    return suite_run(suite);
}
