/* SPDX-License-Identifier: MIT */
/* Some work for which the memory runs out at each allocation in turn, those of jansson included. */
#ifndef NETRON_TEST_SCARCE_H
#define NETRON_TEST_SCARCE_H

#include "failing_allocations.h"
#include <check.h>
#include <netron/error.h>

/* Once one allocation fails, once all from there on: either way the work ends with NETRON_ENOMEM, and leaves nothing
 * behind (the sanitizers see that), until it comes through without any failure. Needs allocations_of_libraries(). */
static inline void scarce_memory(int (*work)(void))
{
    for (long failing = -1; failing <= 1; failing += 2) {
        int code = NETRON_ENOMEM;
        long point = 0;
        for (; code != 0; point++) {
            allocations_failing = failing;
            allocations_left = point;
            code = work();
            allocations_left = -1;
            ck_assert_msg(code == 0 || code == NETRON_ENOMEM, "at allocation %ld: %d", point, code);
            ck_assert_int_lt(point, 10000);
        }
        ck_assert_int_gt(point, 5);
    }
    allocations_failing = -1;
}

#endif
