/* SPDX-License-Identifier: MIT */
/* The room request: a ring in the order of the calls, whatever grows, wraps around or is cancelled. */
#include "expect.h"
#include "random.h"
#include "request.h"

static void on_reply(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    (void)arg;
    (void)reply;
    (void)failure;
}

/* due numbers them, so that each can be recognised. */
static uint64_t push(struct netron_requests *requests, uint64_t number)
{
    if (netron_requests_reserve(requests) != 0)
        ck_abort_msg("there is no room for request %llu", (unsigned long long)number);
    const struct netron_request request = {.fn = on_reply, .arg = requests, .due = number};
    return netron_requests_push(requests, &request);
}

/* Asserts only what fails: it is called too often for Check to note each success. */
static void expect_pop(struct netron_requests *requests, uint64_t number, bool is_cancelled)
{
    struct netron_request request = {0};
    const struct netron_request *first = netron_requests_first(requests);
    if (first == NULL || first->due != number)
        ck_abort_msg("request %llu is not the first", (unsigned long long)number);
    if (!netron_requests_pop(requests, &request) || request.due != number || request.arg != requests)
        ck_abort_msg("request %llu is not what was taken", (unsigned long long)number);
    if (request.fn != (is_cancelled ? NULL : on_reply))
        ck_abort_msg("request %llu is %scancelled", (unsigned long long)number, is_cancelled ? "not " : "");
}

START_TEST(an_empty_ring_has_nothing_to_give)
{
    struct netron_requests requests = {0};
    struct netron_request request;
    ck_assert(!netron_requests_pop(&requests, &request));
    ck_assert_ptr_null(netron_requests_first(&requests));
    netron_requests_cancel(&requests, 0);
    netron_requests_clear(&requests);
    push(&requests, 1);
    expect_pop(&requests, 1, false);
    ck_assert(!netron_requests_pop(&requests, &request));
    ck_assert_ptr_null(netron_requests_first(&requests));
    netron_requests_clear(&requests);
    netron_requests_clear(&requests);
}
END_TEST

START_TEST(the_oldest_comes_first_through_every_growth)
{
    struct netron_requests requests = {0};
    for (uint64_t i = 0; i < 1000; i++)
        push(&requests, i);
    ck_assert_uint_eq(requests.count, 1000);
    for (uint64_t i = 0; i < 1000; i++)
        expect_pop(&requests, i, false);
    ck_assert_uint_eq(requests.count, 0);
    netron_requests_clear(&requests);
}
END_TEST

START_TEST(a_ring_that_wraps_around_keeps_its_order_when_it_grows)
{
    /* Each start is another place of the head at the moment of growing. */
    for (uint64_t start = 0; start < 40; start++) {
        struct netron_requests requests = {0};
        for (uint64_t i = 0; i < start; i++) {
            push(&requests, i);
            expect_pop(&requests, i, false);
        }
        for (uint64_t i = 0; i < 70; i++)
            push(&requests, 1000 + i);
        for (uint64_t i = 0; i < 70; i++)
            expect_pop(&requests, 1000 + i, false);
        netron_requests_clear(&requests);
    }
}
END_TEST

START_TEST(a_steady_flow_allocates_nothing)
{
    struct netron_requests requests = {0};
    push(&requests, 0);
    const struct netron_request *ring = requests.ring;
    size_t capacity = requests.capacity;
    for (uint64_t i = 1; i < 10000; i++) {
        push(&requests, i);
        expect_pop(&requests, i - 1, false);
    }
    ck_assert_ptr_eq(requests.ring, ring);
    ck_assert_uint_eq(requests.capacity, capacity);
    netron_requests_clear(&requests);
}
END_TEST

START_TEST(reserving_makes_room_once_and_adds_nothing)
{
    struct netron_requests requests = {0};
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(netron_requests_reserve(&requests), 0);
    ck_assert_uint_eq(requests.count, 0);
    ck_assert_uint_lt(requests.capacity, 100);
    netron_requests_clear(&requests);
}
END_TEST

START_TEST(tickets_count_up)
{
    struct netron_requests requests = {0};
    uint64_t first = push(&requests, 0);
    for (uint64_t i = 1; i < 100; i++) {
        ck_assert_uint_eq(push(&requests, i), first + i);
        if (i % 3 == 0)
            expect_pop(&requests, i / 3 - 1, false);
    }
    netron_requests_clear(&requests);
}
END_TEST

START_TEST(a_cancelled_request_keeps_its_place_and_loses_its_function)
{
    struct netron_requests requests = {0};
    uint64_t tickets[40];
    for (uint64_t i = 0; i < COUNT_OF(tickets); i++)
        tickets[i] = push(&requests, i);
    netron_requests_cancel(&requests, tickets[0]);
    netron_requests_cancel(&requests, tickets[17]);
    netron_requests_cancel(&requests, tickets[17]);
    netron_requests_cancel(&requests, tickets[39]);
    ck_assert_uint_eq(requests.count, COUNT_OF(tickets));
    for (uint64_t i = 0; i < COUNT_OF(tickets); i++)
        expect_pop(&requests, i, i == 0 || i == 17 || i == 39);
    netron_requests_clear(&requests);
}
END_TEST

START_TEST(a_ticket_that_is_not_in_flight_is_ignored)
{
    struct netron_requests requests = {0};
    uint64_t answered = push(&requests, 0);
    expect_pop(&requests, 0, false);
    netron_requests_cancel(&requests, answered);
    uint64_t waiting = push(&requests, 1);
    netron_requests_cancel(&requests, answered);
    netron_requests_cancel(&requests, waiting + 1);
    netron_requests_cancel(&requests, waiting + 16);
    netron_requests_cancel(&requests, UINT64_MAX);
    uint64_t next = push(&requests, 2);
    ck_assert_uint_eq(next, waiting + 1);
    expect_pop(&requests, 1, false);
    expect_pop(&requests, 2, false);
    netron_requests_clear(&requests);
}
END_TEST

START_TEST(a_ticket_from_before_clearing_is_never_given_again)
{
    struct netron_requests requests = {0};
    push(&requests, 0);
    expect_pop(&requests, 0, false);
    push(&requests, 1);
    uint64_t old = push(&requests, 2);
    netron_requests_clear(&requests);
    ck_assert_uint_eq(requests.count, 0);
    ck_assert_ptr_null(netron_requests_first(&requests));
    for (uint64_t i = 0; i < 3; i++)
        ck_assert_uint_gt(push(&requests, 10 + i), old);
    netron_requests_cancel(&requests, old);
    for (uint64_t i = 0; i < 3; i++)
        expect_pop(&requests, 10 + i, false);
    netron_requests_clear(&requests);
}
END_TEST

START_TEST(too_many_in_flight_are_refused_until_one_is_answered)
{
    struct netron_requests requests = {0};
    uint64_t count = 0;
    int code = 0;
    while ((code = netron_requests_reserve(&requests)) == 0 && count < 1u << 20)
        netron_requests_push(&requests, &(struct netron_request){.fn = on_reply, .arg = &requests, .due = count++});
    ck_assert_int_eq(code, NETRON_EOVERLOAD);
    ck_assert_uint_ge(count, 65536); /* 1024 lookups of some pages each, and the beats of many nodes */
    ck_assert_int_eq(netron_requests_reserve(&requests), NETRON_EOVERLOAD);
    ck_assert_uint_eq(requests.count, count);
    expect_pop(&requests, 0, false);
    push(&requests, count);
    ck_assert_int_eq(netron_requests_reserve(&requests), NETRON_EOVERLOAD);
    for (uint64_t i = 1; i <= count; i++)
        expect_pop(&requests, i, false);
    ck_assert_uint_eq(requests.count, 0);
    netron_requests_clear(&requests);
}
END_TEST

#define PUSHED_MAX 20000

START_TEST(thousands_of_random_operations_end_as_in_a_naive_model)
{
    struct netron_random random = {.state = (uint64_t)_i};
    struct netron_requests requests = {0};
    static bool cancelled[PUSHED_MAX]; /* the model: what is in flight is first .. next - 1 */
    memset(cancelled, 0, sizeof(cancelled));
    uint64_t first = 0;
    uint64_t next = 0;
    uint64_t base = 0;
    for (int operation = 0; operation < PUSHED_MAX; operation++) {
        uint64_t bits = netron_random_next(&random);
        unsigned kind = (unsigned)(bits >> 32) % 10;
        unsigned pushes = operation / 500 % 2 == 0 ? 5 : 3;
        if (kind < pushes) {
            uint64_t ticket = push(&requests, next);
            if (next == 0)
                base = ticket;
            if (ticket != base + next)
                ck_abort_msg("operation %d: a wrong ticket", operation);
            next++;
        } else if (kind < 8 && first < next) {
            expect_pop(&requests, first, cancelled[first]);
            first++;
        } else if (next > 0) {
            uint64_t number = bits % (next + 8);
            netron_requests_cancel(&requests, base + number);
            if (number >= first && number < next)
                cancelled[number] = true;
        }
        if (requests.count != next - first)
            ck_abort_msg("operation %d: %zu are in flight", operation, requests.count);
    }
    for (; first < next; first++)
        expect_pop(&requests, first, cancelled[first]);
    netron_requests_clear(&requests);
}
END_TEST

START_TEST(what_is_unsent_is_due_from_the_sending_on)
{
    struct netron_requests requests = {0};
    netron_requests_send(&requests, 1);
    push(&requests, 1);
    for (int round = 0; round < 40; round++) { /* the ring grows, and wraps around */
        uint64_t first = (uint64_t)round + 1;
        push(&requests, NETRON_REQUEST_UNSENT);
        push(&requests, NETRON_REQUEST_UNSENT);
        netron_requests_send(&requests, first + 1);
        netron_requests_send(&requests, 1000); /* none of those is unsent any more */
        expect_pop(&requests, first, false);
        expect_pop(&requests, first + 1, false);
        ck_assert_uint_eq(netron_requests_first(&requests)->due, first + 1);
    }
    netron_requests_clear(&requests);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("request");
    TCase *tcase = suite_case(suite, "request");
    tcase_add_test(tcase, an_empty_ring_has_nothing_to_give);
    tcase_add_test(tcase, the_oldest_comes_first_through_every_growth);
    tcase_add_test(tcase, a_ring_that_wraps_around_keeps_its_order_when_it_grows);
    tcase_add_test(tcase, a_steady_flow_allocates_nothing);
    tcase_add_test(tcase, reserving_makes_room_once_and_adds_nothing);
    tcase_add_test(tcase, tickets_count_up);
    tcase_add_test(tcase, a_cancelled_request_keeps_its_place_and_loses_its_function);
    tcase_add_test(tcase, a_ticket_that_is_not_in_flight_is_ignored);
    tcase_add_test(tcase, a_ticket_from_before_clearing_is_never_given_again);
    tcase_add_test(tcase, too_many_in_flight_are_refused_until_one_is_answered);
    tcase_add_test(tcase, what_is_unsent_is_due_from_the_sending_on);
    tcase_add_loop_test(tcase, thousands_of_random_operations_end_as_in_a_naive_model, 0, 4);
    return suite_run(suite);
}
