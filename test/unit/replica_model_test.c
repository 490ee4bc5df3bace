/* SPDX-License-Identifier: MIT */
/* The room replica beside a naive model of it: the same nodes, the same digest, the same differences told. */
#include "random.h"
#include "replica_stand.h"

enum { IDS = 30, STEPS = 8000 };

struct model_entry {
    uint64_t tag;
    int content;  /* -1 unreadable */
    bool is_held; /* in the registry */
    bool is_kept;
    bool is_put; /* in this round */
};

static struct model_entry model[IDS];

static bool is_visible(const struct model_entry *entry)
{
    return (entry->is_held || entry->is_kept) && entry->content >= 0;
}

/* What has to be told when the entry becomes another one. */
static void expect_difference(char *expected, int id, const struct model_entry *before, const struct model_entry *after,
                              uint64_t revision, const char *reason)
{
    size_t length = strlen(expected);
    bool was = is_visible(before);
    bool is = is_visible(after);
    if (!was && !is)
        return;
    if (was && is && before->content == after->content)
        return;
    length += (size_t)sprintf(expected + length, "%cn%d@%" PRIu64, was && is ? '~' : (is ? '+' : '-'), id, revision);
    if (was && !is && reason[0] != '\0')
        length += (size_t)sprintf(expected + length, "(%s)", reason);
    strcpy(expected + length, " ");
}

static void random_put(int id, uint64_t random, uint64_t revision, char *expected)
{
    char name[8], text[32];
    struct model_entry before = model[id];
    model[id] =
        (struct model_entry){.tag = random >> 16, .content = (int)(random % 4) - 1, .is_held = true, .is_put = true};
    snprintf(name, sizeof(name), "n%d", id);
    snprintf(text, sizeof(text), "n%d web@%d", id, model[id].content);
    put(name, model[id].content >= 0 ? text : NULL, revision, model[id].tag);
    expect_difference(expected, id, &before, &model[id], revision, "unreadable");
}

static void random_remove(int id, uint64_t revision, char *expected)
{
    char name[8];
    struct model_entry before = model[id];
    model[id] = (struct model_entry){0};
    snprintf(name, sizeof(name), "n%d", id);
    remove_id(name, "expired", revision);
    expect_difference(expected, id, &before, &model[id], revision, "expired");
}

/* What it tells of several ids at once has no order of its own, so it is told and compared as a sum of letters. */
static uint64_t letters_in(const char *text)
{
    uint64_t sum = 0;
    char *copy = strdup(text);
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        uint64_t hash = 5381;
        for (; *word != '\0'; word++)
            hash = hash * 33 + (unsigned char)*word;
        sum += hash;
    }
    free(copy);
    return sum;
}

static void sweep_all(bool keep, uint64_t revision, char *expected)
{
    for (int id = 0; id < IDS; id++) {
        struct model_entry before = model[id];
        if (!model[id].is_held || model[id].is_put)
            continue;
        model[id].is_held = false;
        model[id].is_kept = keep && model[id].content >= 0;
        expect_difference(expected, id, &before, &model[id], revision, "");
    }
    netron_replica_sweep(&replica, keep, revision);
}

static void drop_all(uint64_t revision, char *expected)
{
    for (int id = 0; id < IDS; id++) {
        struct model_entry before = model[id];
        model[id].is_kept = false;
        expect_difference(expected, id, &before, &model[id], revision, "expired");
    }
    drop_all_kept("expired", revision);
}

START_TEST(thousands_of_random_changes_are_told_as_a_naive_model_says)
{
    struct netron_random random = {.state = (uint64_t)_i + 11};
    uint64_t told = 0;
    memset(model, 0, sizeof(model));
    for (uint64_t step = 1; step <= STEPS; step++) {
        char expected[IDS * 32] = "";
        uint64_t what = netron_random_next(&random) % 100;
        int id = (int)(netron_random_next(&random) % IDS);
        if (what < 60) {
            random_put(id, netron_random_next(&random), step, expected);
        } else if (what < 85) {
            random_remove(id, step, expected);
        } else if (what < 90) {
            netron_replica_begin_round(&replica);
            for (int each = 0; each < IDS; each++)
                model[each].is_put = false;
        } else if (what < 97) {
            sweep_all(what < 94, step, expected);
        } else {
            drop_all(step, expected);
        }
        ck_assert_uint_eq(letters_in(heard), letters_in(expected));
        told += expected[0] != '\0';
        heard[heard_length = 0] = '\0';
        uint64_t digest = 0;
        size_t kept = 0, visible = 0;
        for (int each = 0; each < IDS; each++) {
            digest += model[each].is_held ? model[each].tag : 0;
            kept += model[each].is_kept;
            visible += is_visible(&model[each]);
        }
        ck_assert_uint_eq(replica.digest, digest & ((UINT64_C(1) << 48) - 1));
        ck_assert_uint_eq(replica.kept, kept);
        ck_assert_uint_eq(netron_catalogue_count(&replica.catalogue), visible);
    }
    ck_assert_uint_gt(told, STEPS / 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replica_model");
    TCase *tcase = suite_case(suite, "replica_model");
    tcase_add_checked_fixture(tcase, open_replica, close_replica);
    tcase_add_loop_test(tcase, thousands_of_random_changes_are_told_as_a_naive_model_says, 0, 3);
    return suite_run(suite);
}
