/* SPDX-License-Identifier: MIT */
/* What the janitor says of itself that decides whose silence it may judge: for how long it has been served, and when
 * its call should be there. */
#include "looks.h"

START_TEST(a_look_says_for_how_long_it_has_been_connected)
{
    registry_subscribe();
    uint64_t connected_at = sim.loop.now;
    sim_advance(20000);
    ck_assert_uint_eq(said_connected(look(0)), 0); /* which nobody could tell to be held up */
    for (int i = 1; i < (int)looks(); i++)
        ck_assert_uint_eq(said_connected(look(i)), look(i)->at - connected_at);
    peer_hang_up(&sim.peer, registry_commands_conn());
    sim_advance(5000);
    ck_assert_uint_le(said_connected(look(-1)), 5000);
    ck_assert_uint_ge(said_connected(look(-1)), 3000);
}
END_TEST

static uint64_t told_time;

static const char *answer_with_the_time(enum registry_question question, size_t number)
{
    static char text[160];
    (void)number;
    if (question != ASKED_RECONCILE)
        return NULL;
    told_time = 1700000000000u + sim.loop.now;
    snprintf(text, sizeof(text), "*9\r\n:5000\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n$13\r\n%llu\r\n$2\r\ne1\r\n:0\r\n",
             (unsigned long long)told_time);
    return text;
}

START_TEST(a_look_says_what_time_it_should_be_in_redis_by_the_answer_before)
{
    registry.interrupt = answer_with_the_time;
    registry_subscribe();
    sim_advance(10000);
    ck_assert_uint_eq(said_expected(look(0)), 0);
    for (int i = 1; i < (int)looks(); i++)
        ck_assert_uint_eq(said_expected(look(i)), 1700000000000u + look(i)->at);
    peer_hang_up(&sim.peer, registry_commands_conn());
    size_t before = looks();
    sim_advance(800);
    ck_assert_uint_eq(said_expected(look((int)before)), 0); /* it may be another Redis */
}
END_TEST

START_TEST(an_answer_that_took_long_counts_as_a_reconnect)
{
    registry_subscribe();
    sim_advance(20000);
    registry.interrupt = hold_back;
    size_t before = looks();
    while (looks() == before)
        sim_advance(1);
    sim_advance(1500);
    registry.interrupt = NULL;
    peer_send(&sim.peer, look(-1)->conn, NOTHING_DUE, strlen(NOTHING_DUE));
    sim_settle();
    sim_advance(800);
    ck_assert_uint_le(said_connected(look(-1)), 800);
}
END_TEST

/* So long between a look and its answer; the time it tells, as Redis has it when the look is there. */
static void answer_in(uint64_t way_ms, uint64_t there_ms)
{
    size_t before = looks();
    while (looks() == before)
        sim_advance(1);
    sim_advance((uint32_t)there_ms);
    const char *answer = answer_with_the_time(ASKED_RECONCILE, 0);
    sim_advance((uint32_t)(way_ms - there_ms));
    peer_send(&sim.peer, look(-1)->conn, answer, strlen(answer));
    sim_settle();
}

START_TEST(what_a_look_usually_takes_is_no_delay)
{
    enum { THERE = 700, WAY = 1200, ENOUGH = 12, LATEST = 8 };
    registry.interrupt = hold_back;
    registry_subscribe();
    for (int i = 0; i < ENOUGH; i++) {
        answer_in(WAY, THERE);
        if (i > 1)
            ck_assert_uint_eq(said_expected(look(-1)), 1700000000000u + look(-1)->at + THERE);
    }
    ck_assert_uint_gt(said_connected(look(-1)), (ENOUGH - 3) * WAY); /* and no stall either */

    answer_in(WAY + 900, THERE + 900); /* one that is held up is no measure */
    uint64_t stalled_at = look(-1)->at;
    answer_in(WAY, THERE);
    ck_assert_uint_eq(said_expected(look(-1)), 1700000000000u + look(-1)->at + THERE);
    ck_assert_uint_gt(said_connected(look(-1)), look(-1)->at - stalled_at);

    for (int i = 0; i < LATEST; i++) /* but a line may become slow */
        answer_in(WAY + 900, THERE + 900);
    answer_in(WAY + 900, THERE + 900);
    ck_assert_uint_eq(said_expected(look(-1)), 1700000000000u + look(-1)->at + THERE + 900);
    peer_hang_up(&sim.peer, look(-1)->conn);
    answer_in(0, 0);
    answer_in(0, 0);
    ck_assert_uint_eq(said_expected(look(-1)), 1700000000000u + look(-1)->at); /* another connection, another way */
}
END_TEST

/* The silence of the others says nothing when Redis may have refused their beats. */
START_TEST(a_look_that_was_refused_counts_as_a_reconnect)
{
    registry_subscribe();
    sim_advance(20000);
    registry.reconciled = "-MISCONF the disk is full\r\n";
    sim_advance(5000);
    size_t before = looks();
    registry.reconciled = NOTHING_DUE;
    sim_advance(20000);
    ck_assert_uint_eq(said_connected(look((int)before)), 0); /* nobody knows yet whether it serves again */
    uint64_t served_at = look((int)before)->at;
    for (int i = (int)before + 1; i < (int)looks(); i++)
        ck_assert_uint_eq(said_connected(look(i)), look(i)->at - served_at);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("judging");
    TCase *tcase = sim_case(suite, "judging");
    tcase_add_checked_fixture(tcase, registry_open, NULL);
    tcase_add_test(tcase, a_look_says_for_how_long_it_has_been_connected);
    tcase_add_test(tcase, a_look_says_what_time_it_should_be_in_redis_by_the_answer_before);
    tcase_add_test(tcase, an_answer_that_took_long_counts_as_a_reconnect);
    tcase_add_test(tcase, what_a_look_usually_takes_is_no_delay);
    tcase_add_test(tcase, a_look_that_was_refused_counts_as_a_reconnect);
    return suite_run(suite);
}
