/* SPDX-License-Identifier: MIT */
#include "shortage.h"
#include <stdio.h>
#include <string.h>

#define SEVERAL 4
#define PATIENCE_MS 60000
#define STEP_MS 100
#define POINTS_MAX 20000
#define PROMISES_MAX 16

static struct promise promises[PROMISES_MAX];
static size_t promise_count;
static long point; /* of this telling */
static bool (*peer_works)(void *arg);

struct promise *promise_new(void)
{
    ck_assert_uint_lt(promise_count, PROMISES_MAX);
    return &promises[promise_count++];
}

bool shortage_accepts(int code)
{
    ck_assert_msg(code == 0 || code == NETRON_ENOMEM || code == NETRON_ELOOP, "at allocation %ld: a call returned %d",
                  point, code);
    return code == 0;
}

bool promise_given(struct promise *promise, int code)
{
    promise->code = code;
    return shortage_accepts(code);
}

static void expect_promises_kept(void)
{
    for (size_t i = 0; i < promise_count; i++)
        ck_assert_msg(promises[i].done.calls == (promises[i].code == 0),
                      "at allocation %ld: call %zu returned %d and called back %d times", point, i, promises[i].code,
                      promises[i].done.calls);
}

/* The other end is a program of its own, which has all the memory it wants. */
static bool work_with_memory(void *arg)
{
    allocations_are_ours();
    bool worked = peer_works(arg);
    allocations_are_theirs();
    return worked;
}

static void open_telling(void)
{
    sim = (struct sim){0};
    memset(promises, 0, sizeof(promises));
    promise_count = 0;
    sim_open();
    peer_works = sim.loop.other_end;
    sim.loop.other_end = work_with_memory;
}

static void await_whole(const struct shortage_story *story)
{
    for (unsigned waited = 0; story->is_whole != NULL && !story->is_whole(); waited += STEP_MS) {
        ck_assert_msg(waited < PATIENCE_MS, "after allocation %ld had failed, nothing was whole again within %d ms",
                      point, PATIENCE_MS);
        sim_advance(STEP_MS);
    }
}

static unsigned long tell(const struct shortage_story *story, enum shortage shortage)
{
    static const long failing[] = {1, SEVERAL, -1};
    open_telling();
    if (story->begin != NULL)
        story->begin();
    allocations_failed = 0;
    allocations_failing = failing[shortage];
    allocations_left = point;
    story->tell();
    allocations_left = -1;
    if (story->again != NULL)
        story->again();
    await_whole(story);
    if (story->check != NULL)
        story->check();
    unsigned long failed = allocations_failed;
    sim_close();
    expect_promises_kept();
    return failed;
}

void shortage_run(const struct shortage_story *story, enum shortage shortage)
{
    static const char *const names[] = {"one allocation", "some allocations", "all allocations from there on"};
    int descriptors = suite_descriptors();
    for (point = 0; tell(story, shortage) > 0; point++) {
        ck_assert_int_eq(suite_descriptors(), descriptors);
        ck_assert_int_lt(point, POINTS_MAX);
    }
    ck_assert_int_gt(point, 0);
    printf("# %s: %s failing at %ld points\n", story->name, names[shortage], point);
    fflush(stdout);
}
