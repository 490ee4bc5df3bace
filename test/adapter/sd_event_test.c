/* SPDX-License-Identifier: MIT */
/* What only sd-event does: it refuses. */
#include "suite.h"
#include <fcntl.h>
#include <netron/adapters/sd-event.h>
#include <unistd.h>

START_TEST(an_event_loop_that_has_ended_is_refused_and_left_as_it_was)
{
    sd_event *event = NULL;
    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_ge(sd_event_exit(event, 0), 0);
    while (sd_event_get_state(event) != SD_EVENT_FINISHED)
        sd_event_run(event, 0);
    ck_assert_ptr_null(netron_sd_event_loop(event));
    int fd = sd_event_get_fd(event);
    sd_event_unref(event);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1); /* nobody else holds it */
}
END_TEST

START_TEST(watches_and_timers_of_one_that_has_ended_are_refused)
{
    sd_event *event = NULL;
    ck_assert_int_ge(sd_event_new(&event), 0);
    netron_loop *loop = netron_sd_event_loop(event);
    ck_assert_ptr_nonnull(loop);
    void *timer = loop->timer_new(loop, NULL, NULL);
    ck_assert_int_ge(sd_event_exit(event, 0), 0);
    while (sd_event_get_state(event) != SD_EVENT_FINISHED)
        sd_event_run(event, 0);
    ck_assert_ptr_null(loop->io_new(loop, STDIN_FILENO, NETRON_READABLE, NULL, NULL));
    ck_assert_int_eq(loop->timer_start(loop, timer, 1), NETRON_ELOOP);
    loop->timer_free(loop, timer);
    netron_loop_free(loop);
    sd_event_unref(event);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sd_event");
    TCase *tcase = suite_case(suite, "sd-event");
    tcase_add_test(tcase, an_event_loop_that_has_ended_is_refused_and_left_as_it_was);
    tcase_add_test(tcase, watches_and_timers_of_one_that_has_ended_are_refused);
    return suite_run(suite);
}
