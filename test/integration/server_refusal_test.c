/* SPDX-License-Identifier: MIT */
/* A Redis that answers and does not write, for each reason there is: what stands in it is kept, and nobody dies of what
 * could not be renewed. */
#include "watched.h"
#include <sys/stat.h>
#include <unistd.h>

static void open_stage(void)
{
    static const char *const extra[] = {"--busy-reply-threshold", "50", NULL};
    open_watched(extra);
}

/* ---- nothing is written ---- */

/* A script of somebody else that does not end. */
static void begin_busy(void)
{
    say("EVAL %s 0", "while true do end");
}

static void end_busy(void)
{
    server_expect(&server, "OK", "SCRIPT KILL");
    await_answer();
}

static char blocked[160];

/* A folder where the dump should go is as good as a full disk. */
static void begin_disk_failure(void)
{
    snprintf(blocked, sizeof(blocked), "%s/dump.rdb", server.folder);
    ck_assert_int_eq(mkdir(blocked, 0700), 0);
    server_expect(&server, "OK", "CONFIG SET save %s", "3600 1000000");
    freeReplyObject(server_ask(&server, "BGSAVE"));
}

static void end_disk_failure(void)
{
    ck_assert_int_eq(rmdir(blocked), 0);
    freeReplyObject(server_ask(&server, "BGSAVE"));
}

static void begin_without_replicas(void)
{
    server_expect(&server, "OK", "CONFIG SET min-replicas-to-write 1");
}

static void end_without_replicas(void)
{
    server_expect(&server, "OK", "CONFIG SET min-replicas-to-write 0");
}

static const struct {
    const char *word;
    void (*begin)(void);
    void (*end)(void);
} refusals[] = {
    {"BUSY", begin_busy, end_busy},
    {"MISCONF", begin_disk_failure, end_disk_failure},
    {"NOREPLICAS", begin_without_replicas, end_without_replicas},
};

/* Told after the retries. */
static void await_refusal(const char *word)
{
    AWAIT(&world, latest_state(&states) == NETRON_FAILED);
    ck_assert_int_eq(states.code[states.count - 1], NETRON_EUNAVAILABLE);
    ck_assert_msg(strstr(states.sentence, word) != NULL, "the sentence is: %s", states.sentence);
}

START_TEST(a_refusal_within_the_ttl_is_told_after_the_retries_and_is_over_with_its_cause)
{
    options.heartbeat_ttl_ms = 10000;
    begin_watched();
    for (size_t i = 0; i < COUNT(refusals); i++) {
        int before = states.count;
        refusals[i].begin();
        await_refusal(refusals[i].word);
        refusals[i].end();
        AWAIT_ALL_WELL();
        ck_assert_int_eq(states.count, before + 2);
        ck_assert_int_eq(links.count[NETRON_LINK_COMMANDS], 1);
        expect_nothing_told();
    }
}
END_TEST

/* Nobody could renew a heartbeat, so that they are gone says nothing. */
START_TEST(a_refusal_beyond_the_ttl_is_told_as_lost_and_kills_nobody)
{
    begin_judged();
    for (size_t i = 0; i < COUNT(refusals); i++) {
        int before = states.count;
        refusals[i].begin();
        await_refusal(refusals[i].word);
        AWAIT(&world, latest_state(&states) == NETRON_LOST);
        world_run(&world, options.heartbeat_ttl_ms / 2);
        ck_assert_int_eq(states.count, before + 2);
        ck_assert_int_eq(states.code[before + 1], NETRON_EUNAVAILABLE);
        refusals[i].end();
        AWAIT_ALL_WELL();
        ck_assert_msg(heard.count == 1, "after %s was told: %s", refusals[i].word, heard.events[heard.count - 1].text);
    }
    expect_nothing_told_later();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_refusal");
    TCase *tcase = suite_case(suite, "it writes nothing");
    tcase_add_checked_fixture(tcase, open_stage, close_watched);
    tcase_add_test(tcase, a_refusal_within_the_ttl_is_told_after_the_retries_and_is_over_with_its_cause);
    tcase_add_test(tcase, a_refusal_beyond_the_ttl_is_told_as_lost_and_kills_nobody);
    return suite_run(suite);
}
