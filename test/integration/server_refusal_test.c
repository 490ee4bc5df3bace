/* SPDX-License-Identifier: MIT */
/* A Redis that answers and does not write, for each reason there is: what stands in it is kept, and nobody dies of what
 * could not be renewed. */
#include "watched.h"
#include <stdint.h>
#include <string.h>
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
    options.heartbeat_interval_ms = options.heartbeat_ttl_ms / 2; /* so that it is slow to come back */
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

/* ---- memory ---- */

START_TEST(without_memory_what_is_held_is_kept_and_found_and_what_is_lost_comes_back_with_it)
{
    char incarnation[64];
    struct nodes_recorder found = {0};
    begin_judged();
    server_text(&server, incarnation, sizeof(incarnation), "GET %s", P ":heartbeat:node-1");
    server_expect(&server, "OK", "CONFIG SET maxmemory 1");
    await_refusal("OOM"); /* by the tenth beat, which repairs */
    world_run(&world, options.heartbeat_ttl_ms * 2);
    ck_assert_int_eq(states.count, 2);
    server_expect(&server, incarnation, "GET %s", P ":heartbeat:node-1");
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "users", NULL, record_nodes, &found), 0);
    AWAIT(&world, found.calls == 1);
    ck_assert_str_eq(found.text, "node-1 10.0.0.1:4000 users@1.2.0 mail");
    ck_assert(is_fresh());
    expect_nothing_told();

    server_expect(&server, "1", "DEL %s", P ":heartbeat:node-1");
    AWAIT(&world, latest_state(&states) == NETRON_LOST);
    AWAIT(&world, latest_state(&states) == NETRON_FAILED);
    server_expect(&server, "OK", "CONFIG SET maxmemory 0");
    AWAIT_ALL_WELL();
    server_expect(&server, incarnation, "GET %s", P ":heartbeat:node-1");
    ck_assert(digest_is_right(&server));
}
END_TEST

/* How many of the keys of a registry with one node are there; but for the changes, which the next one brings back. */
static int keys_left(void)
{
    return (int)server_integer(&server, "EXISTS %s %s %s %s %s %s %s %s", P ":registry", P ":records", P ":expiry",
                               P ":index:nodes", P ":index:service:users", P ":index:service:mail", P ":nodes:node-1",
                               P ":heartbeat:node-1");
}

/* Somebody else fills the memory; what has not been used for longest goes. */
static void let_evict(void)
{
    static const char filling[] = "for i = 1, 200 do "
                                  "  redis.call('SET', 'filling:' .. ARGV[1] .. ':' .. i, string.rep('x', 1000)) "
                                  "end";
    for (int i = 0; keys_left() == 8; i++) {
        char number[16];
        ck_assert_int_lt(i, 1000);
        snprintf(number, sizeof(number), "%d", i);
        freeReplyObject(server_ask(&server, "EVAL %s 0 %s", filling, number));
    }
}

/* Whether a lookup has found the node; asks until one has. */
static bool finds_node(struct nodes_recorder *found)
{
    if (found->calls == 1 && strcmp(found->text, "node-1 10.0.0.1:4000 users@1.2.0 mail") == 0)
        return true;
    if (found->calls == 0 && found->code == 0 && found->count == SIZE_MAX)
        return false; /* it is under way */
    *found = (struct nodes_recorder){.count = SIZE_MAX};
    ck_assert_int_eq(netron_find_nodes_by_service(discovery, "users", NULL, record_nodes, found), 0);
    return false;
}

/* Ten beats bring what was evicted back, and the next anti-entropy look what a view missed of that. */
START_TEST(what_is_evicted_is_repaired_by_the_tenth_beat_and_views_are_right_again_at_their_next_look)
{
    struct nodes_recorder found = {0};
    options.anti_entropy_interval_ms = 500;
    begin_judged();
    server_expect(&server, "OK", "CONFIG SET maxmemory-policy allkeys-lru");
    server_expect(&server, "OK", "CONFIG SET maxmemory 3mb");
    for (int round = 0; round < 3; round++) {
        let_evict();
        uint64_t evicted_at = world_clock_ms();
        AWAIT(&world, keys_left() == 8 && digest_is_right(&server));
        AWAIT_ALL_WELL();
        AWAIT(&world, watchers_view().revision == (uint64_t)server_integer(&server, "EVAL %s 1 %s",
                                                                           "return tonumber(redis.call('HGET', "
                                                                           "KEYS[1], 'revision'))",
                                                                           P ":registry"));
        fprintf(stderr, "# all is as before %d ms after an eviction\n", (int)(world_clock_ms() - evicted_at));
        /* What comes back can push something else out, so a lookup may have to wait for one more repair. */
        found = (struct nodes_recorder){0};
        AWAIT(&world, finds_node(&found));
    }
    ck_assert_uint_eq(watchers_view().faults, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_refusal");
    TCase *tcase = suite_case(suite, "it writes nothing");
    tcase_add_checked_fixture(tcase, open_stage, close_watched);
    tcase_add_test(tcase, a_refusal_within_the_ttl_is_told_after_the_retries_and_is_over_with_its_cause);
    tcase_add_test(tcase, a_refusal_beyond_the_ttl_is_told_as_lost_and_kills_nobody);
    tcase = suite_case(suite, "it has no memory");
    tcase_add_checked_fixture(tcase, open_stage, close_watched);
    tcase_add_test(tcase, without_memory_what_is_held_is_kept_and_found_and_what_is_lost_comes_back_with_it);
    tcase_add_test(tcase, what_is_evicted_is_repaired_by_the_tenth_beat_and_views_are_right_again_at_their_next_look);
    return suite_run(suite);
}
