/* SPDX-License-Identifier: MIT */
/* A Redis that stands still, by each means there is, and goes on: nobody has died of it. */
#include "watched.h"
#include <signal.h>

enum { STOPPED, PAUSED, WRITES_PAUSED, ASLEEP, STALLS };
static const char *const names[STALLS] = {"SIGSTOP", "CLIENT PAUSE ALL", "CLIENT PAUSE WRITE", "DEBUG SLEEP"};

static void open_stage(void)
{
    static const char *const extra[] = {"--enable-debug-command", "yes", NULL};
    open_watched(extra);
}

static void begin_stall(int kind, unsigned ms)
{
    char number[32];
    if (kind == STOPPED) {
        ck_assert_int_eq(kill(server.pid, SIGSTOP), 0);
    } else if (kind == ASLEEP) {
        snprintf(number, sizeof(number), "%u.%03u", ms / 1000, ms % 1000);
        say("DEBUG SLEEP %s", number);
    } else {
        snprintf(number, sizeof(number), "%u", ms);
        say(kind == PAUSED ? "CLIENT PAUSE %s ALL" : "CLIENT PAUSE %s WRITE", number);
        await_answer();
    }
}

static void end_stall(int kind)
{
    if (kind == STOPPED)
        ck_assert_int_eq(kill(server.pid, SIGCONT), 0);
    else if (kind == ASLEEP)
        await_answer();
}

/* Runs until then. Returns whether a beat was confirmed meanwhile, as far as it is known to have been before the end: a
 * stall may be over before this process gets to look. */
static bool beats_before(uint64_t end)
{
    bool has_beaten = false;
    uint64_t before = beats(discovery);
    while (world_clock_ms() < end) {
        world_turn(&world);
        has_beaten = has_beaten || (beats(discovery) > before && world_clock_ms() < end);
    }
    return has_beaten;
}

static void stall(int kind, unsigned ms)
{
    uint64_t end = world_clock_ms() + ms;
    begin_stall(kind, ms);
    world_run(&world, 50); /* what was under way is answered */
    ck_assert_msg(!beats_before(end - 10), "a beat was confirmed during %s", names[kind]);
    if (world_clock_ms() < end)
        world_run(&world, (unsigned)(end - world_clock_ms()));
    end_stall(kind);
}

START_TEST(a_stall_within_the_ttl_is_heard_by_nobody)
{
    options.heartbeat_interval_ms = 200;
    options.heartbeat_ttl_ms = 2500;
    begin_judged();
    for (int kind = 0; kind < STALLS; kind++) {
        stall(kind, 700);
        uint64_t enough = beats(discovery) + 3;
        AWAIT(&world, beats(discovery) >= enough && is_fresh());
        ck_assert_msg(states.count == 1, "%s was told to the owner", names[kind]);
        ck_assert_int_eq(links.count[NETRON_LINK_COMMANDS], 1);
        expect_nothing_told();
    }
}
END_TEST

/* That of SIGSTOP is in freeze_test.c. */
START_TEST(a_stall_beyond_the_ttl_is_told_to_the_owner_and_kills_nobody)
{
    begin_judged();
    for (int kind = PAUSED; kind < STALLS; kind++) {
        int before = states.count;
        stall(kind, options.heartbeat_ttl_ms * 3 / 2);
        ck_assert_msg(states.count > before && states.state[before] == NETRON_LOST &&
                          states.code[before] == NETRON_ETIMEDOUT,
                      "%s was not told to the owner", names[kind]);
        AWAIT_ALL_WELL();
        ck_assert_int_eq(links.count[NETRON_LINK_COMMANDS], 1); /* the connection lives through it */
        expect_nothing_told();
    }
    expect_nothing_told_later();
}
END_TEST

START_TEST(a_stall_beyond_the_command_timeout_ends_the_connection_and_kills_nobody)
{
    options.command_timeout_ms = options.ping_interval_ms = options.connect_timeout_ms = 500;
    begin_judged();
    stall(PAUSED, options.heartbeat_ttl_ms * 3 / 2);
    ck_assert_int_ge(links.count[NETRON_LINK_COMMANDS], 2);
    AWAIT(&world, links.is_up[NETRON_LINK_COMMANDS]);
    expect_nothing_told_later();
}
END_TEST

/* At its repairs a node that is no view looks after the registry as well, and the first of these looks is the first
 * that it hears of Redis' clock. */
START_TEST(a_stall_right_after_the_first_repair_kills_nobody)
{
    begin_watched();
    AWAIT(&world, registers(discovery) == 2);
    stall(PAUSED, options.heartbeat_ttl_ms * 3 / 2);
    expect_nothing_told_later();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_stall");
    TCase *tcase = suite_case(suite, "stalls");
    tcase_add_checked_fixture(tcase, open_stage, close_watched);
    tcase_add_test(tcase, a_stall_within_the_ttl_is_heard_by_nobody);
    tcase_add_test(tcase, a_stall_beyond_the_ttl_is_told_to_the_owner_and_kills_nobody);
    tcase_add_test(tcase, a_stall_beyond_the_command_timeout_ends_the_connection_and_kills_nobody);
    tcase_add_test(tcase, a_stall_right_after_the_first_repair_kills_nobody);
    return suite_run(suite);
}
