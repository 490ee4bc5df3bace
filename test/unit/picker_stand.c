/* SPDX-License-Identifier: MIT */
#include "picker_stand.h"
#include "node.h"
#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 2048
#define TEXT_SIZE 65536
#define TRIES_MAX 10000

uint64_t stand_seed = 1;

struct counted_snapshot {
    netron_snapshot snapshot;
    size_t references;
    struct stand *stand;
    netron_node *nodes[];
};

static netron_node *counted(const netron_node *node)
{
    return (netron_node *)(uintptr_t)node;
}

/* ---- snapshots ---- */

static void release(const netron_snapshot *snapshot)
{
    struct counted_snapshot *whole = (struct counted_snapshot *)(uintptr_t)snapshot;
    if (--whole->references > 0)
        return;
    for (size_t i = 0; i < snapshot->count; i++)
        netron_node_free(whole->nodes[i]);
    whole->stand->snapshots--;
    free(whole);
}

static netron_node_state read_state(const char *word)
{
    static const char *const words[] = {"up", "starting", "draining", "maintenance", "unknown"};
    for (int i = 0; i < 5; i++)
        if (strcmp(words[i], word) == 0)
            return (netron_node_state)i;
    ck_abort_msg("no state: %s", word);
}

/* The part behind the mark, which is cut off. */
static char *cut(char *text, char mark)
{
    char *found = strchr(text, mark);
    if (found == NULL)
        return NULL;
    *found = '\0';
    return found + 1;
}

static bool is_same(const netron_node *one, const netron_node *other)
{
    bool same_zone =
        one->zone == NULL || other->zone == NULL ? one->zone == other->zone : strcmp(one->zone, other->zone) == 0;
    return same_zone && strcmp(one->id, other->id) == 0 && one->weight == other->weight && one->state == other->state;
}

static netron_node *make_node(const netron_snapshot *before, char *word)
{
    netron_node node = NETRON_NODE_INIT;
    const char *state = cut(word, '!');
    const char *weight;
    node.state = state != NULL ? read_state(state) : NETRON_NODE_UP;
    node.zone = cut(word, '@');
    weight = cut(word, ':');
    node.weight = weight != NULL ? (uint32_t)strtoul(weight, NULL, 10) : 0;
    node.id = word;
    node.address = "127.0.0.1:1";
    for (size_t i = 0; before != NULL && i < before->count; i++)
        if (is_same(before->nodes[i], &node))
            return netron_node_retain(counted(before->nodes[i]));
    return netron_node_copy(&node);
}

void stand_change(struct stand *stand, const char *nodes)
{
    static char text[TEXT_SIZE];
    const netron_snapshot *before = stand->snapshot;
    stand->snapshot = NULL;
    if (nodes != NULL) {
        struct counted_snapshot *whole = calloc(1, sizeof(*whole) + NODES_MAX * sizeof(netron_node *));
        ck_assert_ptr_nonnull(whole);
        ck_assert_uint_lt(strlen(nodes), sizeof(text));
        strcpy(text, nodes);
        size_t count = 0;
        for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
            ck_assert_uint_lt(count, NODES_MAX);
            whole->nodes[count++] = make_node(before, word);
        }
        whole->snapshot = (netron_snapshot){.count = count, .nodes = (const netron_node *const *)whole->nodes};
        whole->references = 1;
        whole->stand = stand;
        stand->snapshots++;
        stand->snapshot = &whole->snapshot;
    }
    if (before != NULL)
        release(before);
}

/* ---- the source ---- */

static const netron_snapshot *find(void *arg)
{
    struct stand *stand = arg;
    if (stand->snapshot != NULL)
        ((struct counted_snapshot *)(uintptr_t)stand->snapshot)->references++;
    return stand->snapshot;
}

static uint64_t now(void *arg)
{
    return ((struct stand *)arg)->now;
}

static void free_source(void *arg)
{
    ((struct stand *)arg)->source_freed = true;
}

netron_picker_options stand_options(netron_pick_policy policy)
{
    netron_picker_options options;
    netron_picker_options_init(&options);
    options.policy = policy;
    return options;
}

void stand_open(struct stand *stand, const netron_picker_options *options, const char *nodes)
{
    const struct netron_picker_source source = {
        .find = find, .release = release, .now = now, .free = free_source, .arg = stand};
    const struct netron_random random = {.state = stand_seed};
    struct netron_failure why = {0};
    *stand = (struct stand){.now = 1000};
    stand_change(stand, nodes);
    int code = netron_picker_new_on(&source, &random, options, &why, &stand->picker);
    ck_assert_msg(code == 0, "%s", why.sentence);
}

void stand_close(struct stand *stand)
{
    netron_picker_free(stand->picker);
    stand_change(stand, NULL);
    ck_assert_uint_eq(stand->snapshots, 0);
    ck_assert(stand->source_freed);
}

/* ---- picks ---- */

const netron_node *stand_pick(struct stand *stand)
{
    return netron_picker_pick(stand->picker, NULL, 0);
}

const char *stand_picks(struct stand *stand, int count)
{
    static char text[1024];
    size_t length = 0;
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        const netron_node *node = stand_pick(stand);
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i > 0 ? " " : "",
                                   node != NULL ? node->id : "-");
        ck_assert_uint_lt(length, sizeof(text));
        netron_picker_report(stand->picker, node, 1);
    }
    return text;
}

void stand_report(struct stand *stand, const char *id, int ok)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        const netron_node *node = stand_pick(stand);
        bool is_wanted = node != NULL && strcmp(node->id, id) == 0;
        netron_picker_report(stand->picker, node, is_wanted ? ok : 1);
        if (is_wanted)
            return;
    }
    ck_abort_msg("%s is never picked", id);
}

int stand_share(struct stand *stand, const char *id, int picks)
{
    int share = 0;
    for (int i = 0; i < picks; i++) {
        const netron_node *node = stand_pick(stand);
        ck_assert_ptr_nonnull(node);
        share += strcmp(node->id, id) == 0;
        netron_picker_report(stand->picker, node, 1);
    }
    return share;
}
