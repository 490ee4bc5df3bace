/* SPDX-License-Identifier: MIT */
/* The contract of loop.h for watches, on whatever reactor this is linked with. */
#include "seam.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>

#define BOTH (NETRON_READABLE | NETRON_WRITABLE)

static int ends[2];

static void open_pair(void)
{
    open_seam();
    connected_pair(ends);
}

static void close_pair(void)
{
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    close_seam();
}

static void turn_a_few_times(void)
{
    for (int i = 0; i < 8; i++)
        world_turn(&world);
}

static void free_itself(struct watch *watch)
{
    watch_end(watch);
}

static void free_other(struct watch *watch)
{
    watch_end(watch->other);
}

/* ---- what is told ---- */

START_TEST(only_what_is_watched_for_is_told)
{
    static const unsigned interests[] = {0, NETRON_READABLE, NETRON_WRITABLE, BOTH};
    struct watch watch = {.fd = ends[0]};
    unsigned interest = interests[_i];
    put_byte(ends[1]);
    watch_begin(&watch, interest);
    if (interest != 0)
        AWAIT(&world, watch.seen == interest);
    turn_a_few_times();
    ck_assert_uint_eq(watch.seen, interest);
    watch_end(&watch);
}
END_TEST

START_TEST(a_descriptor_that_is_not_ready_is_not_told)
{
    struct watch watch = {.fd = ends[0]};
    watch_begin(&watch, NETRON_READABLE);
    ck_assert_int_lt(turns_within(50), SPINNING);
    ck_assert_int_eq(watch.calls, 0);
    put_byte(ends[1]);
    AWAIT(&world, watch.seen == NETRON_READABLE);
    watch_end(&watch);
}
END_TEST

START_TEST(what_is_left_unread_is_told_again)
{
    struct watch watch = {.fd = ends[0]};
    put_byte(ends[1]);
    watch_begin(&watch, NETRON_READABLE);
    AWAIT(&world, watch.calls >= 5);
    char byte;
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    int calls = watch.calls;
    turn_a_few_times();
    ck_assert_int_eq(watch.calls, calls);
    watch_end(&watch);
}
END_TEST

START_TEST(interest_can_change_at_any_time)
{
    struct watch watch = {.fd = ends[0]};
    put_byte(ends[1]);
    watch_begin(&watch, 0);
    for (int round = 0; round < 3; round++) {
        turn_a_few_times();
        ck_assert_uint_eq(watch.seen, 0);
        watch_change(&watch, NETRON_WRITABLE);
        AWAIT(&world, watch.seen == NETRON_WRITABLE);
        watch_change(&watch, BOTH);
        AWAIT(&world, watch.seen == BOTH);
        watch.seen = 0;
        watch_change(&watch, NETRON_READABLE);
        AWAIT(&world, watch.seen != 0);
        turn_a_few_times();
        ck_assert_uint_eq(watch.seen, NETRON_READABLE);
        watch.seen = 0;
        watch_change(&watch, 0);
        watch_change(&watch, 0);
    }
    watch_end(&watch);
}
END_TEST

#define MANY 100

START_TEST(many_watches_are_all_served)
{
    struct watch watches[MANY] = {0};
    int pairs[MANY][2];
    for (int i = 0; i < MANY; i++) {
        connected_pair(pairs[i]);
        watches[i].fd = pairs[i][0];
        watches[i].then = free_itself;
        watch_begin(&watches[i], NETRON_READABLE);
    }
    for (int i = 0; i < MANY; i++)
        put_byte(pairs[i][1]);
    for (int i = 0; i < MANY; i++) {
        AWAIT(&world, watches[i].calls == 1);
        close(pairs[i][0]);
        close(pairs[i][1]);
    }
}
END_TEST

/* ---- inside callbacks ---- */

/* Readable and writable at once: a reactor that calls twice must not do so for a watch that is gone. */
START_TEST(a_watch_may_be_freed_in_its_own_callback)
{
    struct watch watch = {.fd = ends[0], .then = free_itself};
    put_byte(ends[1]);
    watch_begin(&watch, BOTH);
    AWAIT(&world, watch.calls > 0);
    turn_a_few_times();
    ck_assert_int_eq(watch.calls, 1);
}
END_TEST

static void want_nothing(struct watch *watch)
{
    watch_change(watch, 0);
}

START_TEST(a_watch_may_be_silenced_in_its_own_callback)
{
    struct watch watch = {.fd = ends[0], .then = want_nothing};
    put_byte(ends[1]);
    watch_begin(&watch, BOTH);
    AWAIT(&world, watch.calls > 0);
    turn_a_few_times();
    ck_assert_int_eq(watch.calls, 1);
    watch.then = NULL;
    watch_change(&watch, NETRON_READABLE);
    AWAIT(&world, watch.calls > 1);
    watch_end(&watch);
}
END_TEST

static void want_to_write(struct watch *watch)
{
    watch->seen = 0;
    watch_change(watch, NETRON_WRITABLE);
    watch->then = NULL;
}

START_TEST(a_watch_may_turn_to_something_else_in_its_own_callback)
{
    struct watch watch = {.fd = ends[0], .then = want_to_write};
    put_byte(ends[1]);
    watch_begin(&watch, NETRON_READABLE);
    AWAIT(&world, watch.seen != 0);
    turn_a_few_times();
    ck_assert_uint_eq(watch.seen, NETRON_WRITABLE);
    watch_end(&watch);
}
END_TEST

static void begin_anew(struct watch *watch)
{
    watch_end(watch);
    watch->calls = 0;
    watch->then = NULL;
    watch_begin(watch, NETRON_READABLE);
}

START_TEST(a_descriptor_may_get_a_new_watch_in_the_callback_of_the_old_one)
{
    struct watch watch = {.fd = ends[0], .then = begin_anew};
    put_byte(ends[1]);
    watch_begin(&watch, NETRON_READABLE);
    AWAIT(&world, watch.then == NULL && watch.calls >= 3);
    watch_end(&watch);
}
END_TEST

/* As a reconnect does: the number of a closed descriptor is given to the next one. */
static void reconnect(struct watch *watch)
{
    int number = watch->fd;
    int fresh[2];
    watch_end(watch);
    close(ends[0]);
    close(ends[1]);
    connected_pair(fresh);
    ck_assert_int_eq(fresh[0], number);
    ends[0] = fresh[0];
    ends[1] = fresh[1];
    watch->calls = 0;
    watch->seen = 0;
    watch->then = NULL;
    watch_begin(watch, NETRON_READABLE);
}

START_TEST(a_number_of_a_descriptor_may_come_back_at_once)
{
    struct watch watch = {.fd = ends[0], .then = reconnect};
    put_byte(ends[1]);
    watch_begin(&watch, _i == 0 ? NETRON_READABLE : BOTH);
    AWAIT(&world, watch.then == NULL);
    turn_a_few_times();
    ck_assert_int_eq(watch.calls, 0); /* nothing has come over the new one */
    put_byte(ends[1]);
    AWAIT(&world, watch.calls > 0);
    watch_end(&watch);
}
END_TEST

/* ---- inside another's callback ---- */

/* Two watches that are ready in the same turn; whichever is called first does it to the other. */
static void begin_two(struct watch watches[2], unsigned events, void (*then)(struct watch *))
{
    put_byte(ends[0]);
    put_byte(ends[1]);
    for (int i = 0; i < 2; i++) {
        watches[i] = (struct watch){.fd = ends[i], .then = then, .other = &watches[1 - i]};
        watch_begin(&watches[i], events);
    }
}

static void silence_other(struct watch *watch)
{
    watch_change(watch->other, 0);
}

START_TEST(a_watch_may_be_freed_or_silenced_in_anothers_callback)
{
    static void (*const ways[])(struct watch *) = {free_other, silence_other};
    struct watch watches[2];
    begin_two(watches, _i / 2 == 0 ? NETRON_READABLE : BOTH, ways[_i % 2]);
    AWAIT(&world, watches[0].calls + watches[1].calls > 0);
    turn_a_few_times();
    ck_assert((watches[0].calls > 0) != (watches[1].calls > 0));
    watch_end(&watches[0]);
    watch_end(&watches[1]);
}
END_TEST

static void turn_other_to_writing(struct watch *watch)
{
    watch_change(watch->other, NETRON_WRITABLE);
}

/* Its being readable was noticed already, and is not asked for any more. */
START_TEST(a_watch_may_be_turned_to_something_else_in_anothers_callback)
{
    struct watch watches[2];
    begin_two(watches, NETRON_READABLE, turn_other_to_writing);
    AWAIT(&world, watches[0].calls > 0 && watches[1].calls > 0);
    ck_assert((watches[0].seen | watches[1].seen) == BOTH);
    ck_assert(watches[0].seen == NETRON_WRITABLE || watches[1].seen == NETRON_WRITABLE);
    watch_end(&watches[0]);
    watch_end(&watches[1]);
}
END_TEST

static void renew_other(struct watch *watch)
{
    watch->then = NULL;
    watch->other->then = NULL;
    watch_end(watch->other);
    watch->other->calls = 0;
    watch_begin(watch->other, NETRON_READABLE);
}

START_TEST(a_watch_may_be_made_anew_in_anothers_callback)
{
    struct watch watches[2];
    begin_two(watches, NETRON_READABLE, renew_other);
    AWAIT(&world, watches[0].calls > 1 && watches[1].calls > 1);
    watch_end(&watches[0]);
    watch_end(&watches[1]);
}
END_TEST

/* ---- ends and errors ---- */

/* Told as both, as far as it is watched for; and whoever watches for nothing is left alone, without a loop that spins.
 */
START_TEST(a_peer_that_hung_up_is_told_and_not_spun_on)
{
    static const unsigned interests[] = {0, NETRON_READABLE, NETRON_WRITABLE, BOTH};
    struct watch watch = {.fd = ends[0]};
    unsigned interest = interests[_i];
    close(ends[1]);
    ends[1] = -1;
    watch_begin(&watch, interest);
    if (interest != 0)
        AWAIT(&world, watch.seen == interest);
    watch_change(&watch, 0);
    int calls = watch.calls;
    ck_assert_int_lt(turns_within(50), SPINNING);
    ck_assert_int_eq(watch.calls, calls);
    if (interest != 0) { /* it is still so when it is asked for again */
        watch_change(&watch, interest);
        AWAIT(&world, watch.calls > calls);
    }
    watch_end(&watch);
    ck_assert_int_lt(turns_within(50), SPINNING);
}
END_TEST

/* To a port of this host where nobody listens, and nobody else can meanwhile. */
static int refused_connection(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(holder, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(getsockname(holder, (struct sockaddr *)&address, &length), 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert(connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0);
    close(holder);
    return fd;
}

/* Also when the reactor itself would stop watching at an error: it is told for as long as it is there. */
START_TEST(an_error_is_told_as_both_for_as_long_as_it_is_watched)
{
    static const unsigned interests[] = {NETRON_READABLE, NETRON_WRITABLE, BOTH};
    struct watch watch = {.fd = refused_connection()};
    watch_begin(&watch, interests[_i]);
    AWAIT(&world, watch.seen == interests[_i] && watch.calls >= 3);
    watch_end(&watch);
    close(watch.fd);
}
END_TEST

START_TEST(a_watch_is_freed_at_an_error_and_not_called_again)
{
    struct watch watch = {.fd = refused_connection(), .then = free_itself};
    watch_begin(&watch, BOTH);
    AWAIT(&world, watch.calls > 0);
    close(watch.fd);
    turn_a_few_times();
    ck_assert_int_eq(watch.calls, 1);
}
END_TEST

/* Some reactors refuse them at once, others tell an error; none may end the process, and nothing may stay behind. */
START_TEST(a_descriptor_that_is_none_is_refused_or_told_as_an_error)
{
    int closed = dup(ends[0]);
    struct watch watch = {.fd = _i == 0 ? closed : -1, .then = free_itself};
    close(closed);
    watch.io = loop->io_new(loop, watch.fd, NETRON_READABLE, on_watch, &watch);
    if (watch.io != NULL)
        AWAIT(&world, watch.calls == 1);
    turn_a_few_times();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watches");
    TCase *tcase = suite_case(suite, reactor_name);
    tcase_add_checked_fixture(tcase, open_pair, close_pair);
    tcase_add_loop_test(tcase, only_what_is_watched_for_is_told, 0, 4);
    tcase_add_test(tcase, a_descriptor_that_is_not_ready_is_not_told);
    tcase_add_test(tcase, what_is_left_unread_is_told_again);
    tcase_add_test(tcase, interest_can_change_at_any_time);
    tcase_add_test(tcase, many_watches_are_all_served);
    tcase_add_test(tcase, a_watch_may_be_freed_in_its_own_callback);
    tcase_add_test(tcase, a_watch_may_be_silenced_in_its_own_callback);
    tcase_add_test(tcase, a_watch_may_turn_to_something_else_in_its_own_callback);
    tcase_add_test(tcase, a_descriptor_may_get_a_new_watch_in_the_callback_of_the_old_one);
    tcase_add_loop_test(tcase, a_number_of_a_descriptor_may_come_back_at_once, 0, 2);
    tcase_add_loop_test(tcase, a_watch_may_be_freed_or_silenced_in_anothers_callback, 0, 4);
    tcase_add_test(tcase, a_watch_may_be_turned_to_something_else_in_anothers_callback);
    tcase_add_test(tcase, a_watch_may_be_made_anew_in_anothers_callback);
    tcase_add_loop_test(tcase, a_peer_that_hung_up_is_told_and_not_spun_on, 0, 4);
    tcase_add_loop_test(tcase, an_error_is_told_as_both_for_as_long_as_it_is_watched, 0, 3);
    tcase_add_test(tcase, a_watch_is_freed_at_an_error_and_not_called_again);
    tcase_add_loop_test(tcase, a_descriptor_that_is_none_is_refused_or_told_as_an_error, 0, 2);
    return suite_run(suite);
}
