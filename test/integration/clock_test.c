/* SPDX-License-Identifier: MIT */
/* A host whose clock is wrong, or is set while it runs: the library counts on a clock that nobody sets, and what stands
 * in the registry is the server's time. */
#include "program.h"
#include "scene.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TTL_MS 1500u
#define INTERVAL_MS 500u /* examples/node takes a third of the TTL */
#define NEAR_MS 60000    /* nothing against an hour */
#define TELL_CLOCK "tell-clock"

static char itself[PATH_MAX];  /* this program */
static char preload[PATH_MAX]; /* LD_PRELOAD=... of libfaketime */
static char offset_file[128];
static struct event_recorder heard;

/* The offset that a process with a wrong clock reads at each look at it. */
static void set_clocks(const char *offset)
{
    char fresh[160];
    snprintf(fresh, sizeof(fresh), "%s.new", offset_file);
    FILE *file = fopen(fresh, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "%s\n", offset);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(rename(fresh, offset_file), 0);
}

/* Starts the program with those words, on a clock of its own. */
static void start_wrong(struct program *program, const char *const *words)
{
    char from[160];
    const char *arguments[16] = {"/usr/bin/env", preload, from, "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
                                 /* where the program is built with it, and wants to come first */
                                 "ASAN_OPTIONS=verify_asan_link_order=0"};
    size_t count = 6;
    snprintf(from, sizeof(from), "FAKETIME_TIMESTAMP_FILE=%s", offset_file);
    for (; *words != NULL; words++)
        arguments[count++] = *words;
    program_start(program, arguments);
}

static long long now_ms(void)
{
    return (long long)time(NULL) * 1000;
}

/* That the clocks of such programs are wrong at all. It is this one that tells its clock: of a program of the system's
 * it is not known which of the libc's functions it asks. */
static void expect_wrong_clock(long long offset_ms)
{
    const char *const words[] = {itself, TELL_CLOCK, NULL};
    struct program clock;
    char line[64];
    long long seconds = 0;
    start_wrong(&clock, words);
    program_expect(&clock, "clock", line, sizeof(line));
    ck_assert_int_eq(program_wait(&clock), 0);
    ck_assert_int_eq(sscanf(line, "clock %lld", &seconds), 1);
    ck_assert_int_lt(llabs(seconds * 1000 - now_ms() - offset_ms), NEAR_MS);
}

static void start_node(struct program *program)
{
    static char path[PATH_MAX];
    ck_assert_ptr_nonnull(getenv("NETRON_TEST_EXAMPLES"));
    snprintf(path, sizeof(path), "%s/node", getenv("NETRON_TEST_EXAMPLES"));
    const char *const words[] = {path, "node-1", "10.0.0.1:80", "orders@1.0.0", NULL};
    ck_assert_int_eq(setenv("REDIS_URL", scene.server.url, 1), 0);
    ck_assert_int_eq(setenv("HEARTBEAT_TTL_MS", "1500", 1), 0);
    start_wrong(program, words);
    program_expect(program, "registered", NULL, 0);
}

static void expect_right_time(uint64_t timestamp_ms)
{
    char stored[32];
    ck_assert_int_lt(llabs((long long)timestamp_ms - now_ms()), NEAR_MS);
    ck_assert(server_text(&scene.server, stored, sizeof(stored), "HGET " PREFIX ":nodes:node-1 timestamp"));
    ck_assert_int_eq(strtoll(stored, NULL, 10), (long long)timestamp_ms);
}

static void expect_steady_beats(void)
{
    long long before = scene_calls("getex");
    world_run(&scene.world, 2 * TTL_MS);
    long long beats = scene_calls("getex") - before;
    ck_assert_int_ge(beats, 2 * TTL_MS / INTERVAL_MS / 2); /* the slack is the machine's */
    ck_assert_int_le(beats, 2 * TTL_MS / INTERVAL_MS * 3 / 2);
}

#define HOUR_MS 3600000LL

static const struct {
    const char *at_first, *later;
    long long at_first_ms, later_ms;
} clocks[] = {
    {"+1h", "+1h", HOUR_MS, HOUR_MS},
    {"-1h", "-1h", -HOUR_MS, -HOUR_MS},
    {"+0", "+1h", 0, HOUR_MS},
    {"+0", "-1h", 0, -HOUR_MS},
};

START_TEST(a_clock_that_is_an_hour_wrong_or_set_by_an_hour_changes_nothing)
{
    struct program node;
    const netron_options options = world_options(scene.server.url);
    snprintf(offset_file, sizeof(offset_file), "%s/offset", scene.server.folder);
    netron_discovery *watcher = scene_join(&options);
    scene_listen(watcher, &heard);
    set_clocks(clocks[_i].at_first);
    expect_wrong_clock(clocks[_i].at_first_ms);
    start_node(&node);
    AWAIT(&scene.world, heard.count == 1);
    expect_right_time(heard.events[0].timestamp_ms);
    world_run(&scene.world, INTERVAL_MS);

    set_clocks(clocks[_i].later);
    expect_wrong_clock(clocks[_i].later_ms);
    expect_steady_beats();
    ck_assert_int_eq(heard.count, 1);
    program_say(&node, "find orders");
    program_expect(&node, "found node-1", NULL, 0);
    program_say(&node, "address 10.0.0.2:80");
    program_expect(&node, "updated", NULL, 0);
    AWAIT(&scene.world, heard.count == 2);
    expect_right_time(heard.events[1].timestamp_ms);
    program_say(&node, "leave");
    program_expect(&node, "left", NULL, 0);
    ck_assert_int_eq(program_wait(&node), 0);
    AWAIT(&scene.world, heard.count == 3);
    ck_assert_str_eq(heard.events[2].text, "NODE_DEREGISTERED node-1 10.0.0.2:80 orders@1.0.0 (shutdown)");
    netron_discovery_free(watcher);
    unlink(offset_file);
}
END_TEST

/* libfaketime, where its own program finds it. */
static int find_preload(void)
{
    char path[PATH_MAX - 16] = "";
    FILE *pipe = popen("faketime -f +1h printenv LD_PRELOAD 2>/dev/null", "r");
    bool is_there = pipe != NULL && fgets(path, sizeof(path), pipe) != NULL && strchr(path, '\n') != NULL;
    path[strcspn(path, "\n")] = '\0';
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", path);
    return pipe != NULL && pclose(pipe) == 0 && is_there;
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], TELL_CLOCK) == 0) {
        printf("clock %lld\n", now_ms() / 1000);
        return 0;
    }
    if (realpath("/proc/self/exe", itself) == NULL || !find_preload()) {
        puts("1..0 # SKIP faketime is missing");
        return 0;
    }
    Suite *suite = suite_create("clock");
    TCase *tcase = scene_case(suite, "clocks");
    tcase_add_loop_test(tcase, a_clock_that_is_an_hour_wrong_or_set_by_an_hour_changes_nothing, 0,
                        sizeof(clocks) / sizeof(clocks[0]));
    return suite_run(suite);
}
