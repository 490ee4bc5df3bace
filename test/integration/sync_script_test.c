/* SPDX-License-Identifier: MIT */
/* The script sync called directly: deltas in the order of their revisions, pages of them, and when all is to be read.
 */
#include "random.h"
#include "view_scripts.h"
#include <inttypes.h>

static redisReply *reply;

static void close_sync(void)
{
    if (reply != NULL)
        freeReplyObject(reply);
    reply = NULL;
    close_view_registry();
}

/* epoch NULL: the one that is there. */
static void sync_from(const char *epoch, const char *revision, const char *count)
{
    char present[32];
    if (epoch == NULL)
        server_text(&server, present, sizeof(present), "HGET " P ":registry epoch");
    if (reply != NULL)
        freeReplyObject(reply);
    reply = server_ask(&server, "EVALSHA %s 1 " P ":registry %s %s %s", netron_script_source_sync.sha1,
                       epoch != NULL ? epoch : present, revision, count);
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY, "sync answered %s", reply->str);
}

static void expect_numbers(const char *word, long long revision)
{
    char epoch[32], digest[32];
    ck_assert_str_eq(reply->element[0]->str, word);
    ck_assert(server_text(&server, epoch, sizeof(epoch), "HGET " P ":registry epoch"));
    ck_assert(server_text(&server, digest, sizeof(digest), "HGET " P ":registry digest"));
    ck_assert_str_eq(reply->element[1]->str, epoch);
    ck_assert_int_eq(reply->element[2]->integer, revision);
    ck_assert_str_eq(reply->element[3]->str, digest);
}

static void expect_full(long long revision)
{
    ck_assert_uint_eq(reply->elements, 4);
    expect_numbers("full", revision);
}

static void expect_no_registry(void)
{
    ck_assert_uint_eq(reply->elements, 4);
    ck_assert_str_eq(reply->element[0]->str, "full");
    ck_assert_str_eq(reply->element[1]->str, "");
    ck_assert_int_eq(reply->element[2]->integer, 0);
    ck_assert_str_eq(reply->element[3]->str, "000000000000");
}

/* "a@3 -b@4": the changes, those that are gone with a minus; "+" at the end when more follows. */
static const char *changes(void)
{
    static char text[65536];
    size_t length = 0;
    text[0] = '\0';
    ck_assert_uint_eq((reply->elements - 5) % 3, 0);
    for (size_t i = 5; i < reply->elements; i += 3) {
        const char *id = reply->element[i]->str;
        const char *line = reply->element[i + 2]->str;
        ck_assert_int_eq(reply->element[i + 1]->type, REDIS_REPLY_INTEGER);
        if (line[0] != '\0') {
            char stored[4096];
            server_text(&server, stored, sizeof(stored), "HGET " P ":records %s", id);
            ck_assert_str_eq(line, stored);
        }
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s%s@%lld", i > 5 ? " " : "",
                                   line[0] == '\0' ? "-" : "", id, reply->element[i + 1]->integer);
    }
    snprintf(text + length, sizeof(text) - length, "%s", reply->element[4]->integer != 0 ? "+" : "");
    return text;
}

static void expect_delta(long long revision, const char *expected)
{
    expect_numbers("delta", revision);
    ck_assert_str_eq(changes(), expected);
}

/* a, b and c came, a changed, b left. */
static void make_history(void)
{
    struct call call = call_of("a", "1111", "take-over");
    assert_registers(&call, "registered", 1);
    registers("b", "1111", "take-over", "registered", 2);
    registers("c", "1111", "take-over", "registered", 3);
    call.address = "10.0.0.2:1";
    assert_registers(&call, "updated", 4);
    deregisters("b", "1111", "deregistered", 5);
}

/* ---- deltas ---- */

static const struct {
    const char *revision;
    const char *count;
    const char *changes;
} deltas[] = {
    {"0", "512", "c@3 a@4 -b@5"},
    {"1", "512", "c@3 a@4 -b@5"},
    {"2", "512", "c@3 a@4 -b@5"},
    {"3", "512", "a@4 -b@5"},
    {"4", "512", "-b@5"},
    {"5", "512", ""},
    {"0", "1", "c@3+"},
    {"0", "2", "c@3 a@4+"},
    {"0", "3", "c@3 a@4 -b@5"},
    {"3", "1", "a@4+"},
    {"4", "1", "-b@5"},
    {"5", "1", ""},
    {"0", "99999", "c@3 a@4 -b@5"},
};

START_TEST(a_delta_has_each_id_once_in_the_order_of_their_latest_changes)
{
    make_history();
    sync_from(NULL, deltas[_i].revision, deltas[_i].count);
    expect_delta(5, deltas[_i].changes);
}
END_TEST

START_TEST(asking_changes_nothing)
{
    make_history();
    long long keys = server_integer(&server, "DBSIZE");
    redisReply *before = server_ask(&server, "HGETALL " P ":registry");
    spy_clear(&spy);
    sync_from(NULL, "0", "512");
    sync_from("other", "0", "512");
    redisReply *after = server_ask(&server, "HGETALL " P ":registry");
    ck_assert_uint_eq(before->elements, after->elements);
    for (size_t i = 0; i < before->elements; i++)
        ck_assert_str_eq(before->element[i]->str, after->element[i]->str);
    freeReplyObject(before);
    freeReplyObject(after);
    ck_assert_int_eq(server_integer(&server, "DBSIZE"), keys);
    ck_assert_str_eq(published(), "");
}
END_TEST

START_TEST(more_than_512_changes_come_in_pages_that_lead_to_the_end)
{
    enum { NODES = 1300 };
    char revision[24] = "0";
    long long expected = 0;
    int pages = 0;
    for (int i = 0; i < NODES; i++) {
        char id[16];
        snprintf(id, sizeof(id), "n%d", i);
        struct call call = call_of(id, "1111", "take-over");
        call.is_silent = true;
        assert_registers(&call, "registered", i + 1);
    }
    do {
        sync_from(NULL, revision, "100000");
        expect_numbers("delta", NODES);
        ck_assert_uint_le(reply->elements, 5 + 3 * 512);
        for (size_t i = 5; i < reply->elements; i += 3)
            ck_assert_int_eq(reply->element[i + 1]->integer, ++expected);
        snprintf(revision, sizeof(revision), "%lld", expected);
        pages++;
    } while (reply->element[4]->integer != 0);
    ck_assert_int_eq(expected, NODES);
    ck_assert_int_eq(pages, 3);
}
END_TEST

/* ---- when everything has to be read ---- */

START_TEST(another_epoch_or_a_revision_that_never_was_is_full)
{
    static const char *const asked[][2] = {
        {"", "0"},
        {"", "5"},
        {"other", "5"},
        {NULL, "6"},
        {NULL, "18446744073709551615"},
        {NULL, "99999999999999999999"},
    };
    make_history();
    sync_from(asked[_i][0], asked[_i][1], "512");
    expect_full(5);
}
END_TEST

START_TEST(without_a_registry_it_says_so)
{
    sync_from("", "0", "512");
    expect_no_registry();
    sync_from("e1", "17", "512");
    expect_no_registry();
    server_expect(&server, "0", "DBSIZE");
}
END_TEST

static const struct {
    const char *command;
    const char *key; /* is deleted first */
    bool is_no_registry;
} ruins[] = {
    {"DEL " P ":registry", NULL, true},
    {"DEL " P ":records", NULL, true},
    {"SET " P ":registry x", P ":registry", true},
    {"SET " P ":records x", P ":records", true},
    {"HSET " P ":registry epoch %%", NULL, true},
    {"HSET " P ":registry revision x", NULL, true},
    {"HSET " P ":registry revision 9999999999999999", NULL, true},
    {"HSET " P ":registry digest 12", NULL, true},
    {"HSET " P ":registry count 7", NULL, true},
    {"HSET " P ":records stray x", NULL, true},
    {"HDEL " P ":records c", NULL, true},
    {"HDEL " P ":registry floor", NULL, true},
    {"HSET " P ":registry floor x", NULL, true},
    {"HSET " P ":registry floor 4", NULL, false},
    {"DEL " P ":changes", NULL, false},
    {"SET " P ":changes x", P ":changes", false},
};

START_TEST(of_a_registry_in_ruins_everything_is_to_be_read_or_it_is_none)
{
    char epoch[32];
    make_history();
    server_text(&server, epoch, sizeof(epoch), "HGET " P ":registry epoch");
    if (ruins[_i].key != NULL)
        server_integer(&server, "DEL %s", ruins[_i].key);
    freeReplyObject(server_ask(&server, ruins[_i].command));
    sync_from(epoch, "3", "512");
    if (ruins[_i].is_no_registry)
        expect_no_registry();
    else
        expect_full(5);
}
END_TEST

START_TEST(a_replica_that_is_up_to_date_needs_no_changes)
{
    make_history();
    server_integer(&server, "DEL " P ":changes");
    sync_from(NULL, "5", "512");
    expect_delta(5, "");
    registers("d", "1111", "take-over", "registered", 6);
    sync_from(NULL, "4", "512"); /* nobody knows what happened since */
    expect_full(6);
    sync_from(NULL, "5", "512");
    expect_delta(6, "d@6");
}
END_TEST

START_TEST(an_unreadable_record_is_told_as_it_stands)
{
    make_history();
    server_integer(&server, "HSET " P ":records c garbage");
    sync_from(NULL, "2", "512");
    expect_delta(5, "c@3 a@4 -b@5");
    ck_assert_str_eq(reply->element[7]->str, "garbage");
}
END_TEST

/* ---- the floor ---- */

START_TEST(changes_are_cut_beyond_4096_tombstones_and_the_floor_tells)
{
    enum { TOMBSTONES = 5000 };
    char floor[24];
    registers("a", "1111", "take-over", "registered", 1);
    for (int i = 0; i < TOMBSTONES; i += 100) { /* a long life, of which only the tombstones are left */
        char command[8192] = "ZADD " P ":changes";
        size_t length = strlen(command);
        for (int j = i; j < i + 100; j++)
            length += (size_t)snprintf(command + length, sizeof(command) - length, " %d gone-%d", j + 2, j);
        freeReplyObject(server_ask(&server, command));
    }
    server_integer(&server, "HSET " P ":registry revision %d", TOMBSTONES + 1);
    registers("b", "1111", "take-over", "registered", TOMBSTONES + 2);
    deregisters("b", "1111", "deregistered", TOMBSTONES + 3);
    /* 1 record, 4096 entries beyond one each, and at most 512 are cut at once */
    ck_assert_int_eq(server_integer(&server, "ZCARD " P ":changes"), TOMBSTONES + 2 - 512);
    ck_assert(server_text(&server, floor, sizeof(floor), "HGET " P ":registry floor"));
    ck_assert_str_eq(floor, "512");
    sync_from(NULL, "511", "512");
    expect_full(TOMBSTONES + 3);
    sync_from(NULL, "512", "2");
    expect_delta(TOMBSTONES + 3, "-gone-511@513 -gone-512@514+");
    registers("c", "1111", "take-over", "registered", TOMBSTONES + 4);
    deregisters("c", "1111", "deregistered", TOMBSTONES + 5);
    ck_assert_int_eq(server_integer(&server, "ZCARD " P ":changes"), 4096 + 1);
    sync_from(NULL, "512", "512");
    expect_full(TOMBSTONES + 5);
}
END_TEST

/* ---- against a replica that applies what it gets ---- */

enum { IDS = 50, STEPS = 2500 };

START_TEST(deltas_after_random_steps_add_up_to_the_registry)
{
    struct netron_random random = {.state = (uint64_t)_i + 5};
    static char lines[IDS][1024];
    char epoch[32] = "", revision[24] = "0";
    int deltas_seen = 0;
    memset(lines, 0, sizeof(lines));
    for (int step = 0; step < STEPS; step++) {
        char id[16], count[16];
        long long number = 0;
        snprintf(id, sizeof(id), "n%" PRIu64, netron_random_next(&random) % IDS);
        struct call call = call_of(id, "1111", "take-over");
        call.is_silent = true;
        call.count = (size_t)(netron_random_next(&random) % 3);
        if (netron_random_next(&random) % 3 == 0)
            run_deregister(id, "1111", &number);
        else
            run(&call, &number);
        if (netron_random_next(&random) % 20 != 0)
            continue;
        snprintf(count, sizeof(count), "%" PRIu64, netron_random_next(&random) % 7 + 1);
        do {
            sync_from(epoch, revision, count);
            if (strcmp(reply->element[0]->str, "full") == 0) { /* the first time: from its very beginning */
                snprintf(epoch, sizeof(epoch), "%s", reply->element[1]->str);
                sync_from(epoch, revision, count);
            }
            expect_numbers("delta", registry_revision());
            deltas_seen++;
            for (size_t i = 5; i < reply->elements; i += 3) {
                snprintf(lines[atoi(reply->element[i]->str + 1)], sizeof(lines[0]), "%s", reply->element[i + 2]->str);
                snprintf(revision, sizeof(revision), "%lld", reply->element[i + 1]->integer);
            }
        } while (reply->element[4]->integer != 0);
        unsigned long long sum = 0;
        for (int i = 0; i < IDS; i++) {
            unsigned long long tag = 0;
            sum += sscanf(lines[i], "%*u %12llx", &tag) == 1 ? tag : 0;
        }
        ck_assert_uint_eq(sum & ((1ULL << 48) - 1), strtoull(reply->element[3]->str, NULL, 16));
    }
    ck_assert_int_gt(deltas_seen, STEPS / 20);
    for (int i = 0; i < IDS; i++) {
        char line[1024];
        server_text(&server, line, sizeof(line), "HGET " P ":records n%d", i);
        if (atoll(revision) == registry_revision())
            ck_assert_str_eq(lines[i], line);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sync_script");
    TCase *tcase = suite_case(suite, "sync");
    tcase_add_unchecked_fixture(tcase, start_view_server, stop_server);
    tcase_add_checked_fixture(tcase, open_view_registry, close_sync);
    tcase_add_loop_test(tcase, a_delta_has_each_id_once_in_the_order_of_their_latest_changes, 0, COUNT(deltas));
    tcase_add_test(tcase, asking_changes_nothing);
    tcase_add_test(tcase, more_than_512_changes_come_in_pages_that_lead_to_the_end);
    tcase_add_loop_test(tcase, another_epoch_or_a_revision_that_never_was_is_full, 0, 6);
    tcase_add_test(tcase, without_a_registry_it_says_so);
    tcase_add_loop_test(tcase, of_a_registry_in_ruins_everything_is_to_be_read_or_it_is_none, 0, COUNT(ruins));
    tcase_add_test(tcase, a_replica_that_is_up_to_date_needs_no_changes);
    tcase_add_test(tcase, an_unreadable_record_is_told_as_it_stands);
    tcase_add_test(tcase, changes_are_cut_beyond_4096_tombstones_and_the_floor_tells);
    tcase_add_loop_test(tcase, deltas_after_random_steps_add_up_to_the_registry, 0, 3);
    return suite_run(suite);
}
