/* SPDX-License-Identifier: MIT */
/*
 * A lookup goes through its pages one after the other; each page takes one or two pipelined round trips:
 *
 *     COUNT   SCARD index:nodes, ZCARD expiry, and the first page of ids (SSCAN of the service's index).
 *     FETCH   for up to 512 ids: HMGET of the records, MGET of the heartbeats
 *     HASHES  for live ids whose record is missing or another owner's: HMGET of the node's own hash
 *     then FETCH the next 512, or SCAN the next page of ids, until the cursor comes round to 0.
 *
 * The answers of a round come in any order, for each key may be at another node of a cluster: nothing is concluded from
 * one of them before all are there.
 *
 * Where the ids come from: the service's index is enough as long as every node is in it. If the counts differ, nodes
 * are there that no index of ours knows, and index:nodes is walked as well. A source that is broken is made up for by
 * those behind it, the records being the last.
 */
#include "candidate_reading.h"
#include "keys.h"
#include "list.h"
#include "lookup_walk.h"
#include "node.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 512 /* protocol section 3: no call handles more */
#define PAGE_TEXT "512"
#define RESTARTS_MAX 3u
#define PAGES_MAX 65536u /* a cursor that never comes round must not keep us for ever */

/* ---- the end ---- */

void netron_lookup_destroy(struct netron_grave *grave)
{
    struct netron_lookup *lookup = (struct netron_lookup *)((char *)grave - offsetof(struct netron_lookup, grave));
    netron_candidates_clear(&lookup->candidates);
    free(lookup->questions);
    free(lookup->id);
    free(lookup->name);
    netron_version_range_free(lookup->range);
    free(lookup->service_key);
    free(lookup);
}

static void release_if_done(struct netron_lookup *lookup)
{
    if (lookup->finished && lookup->outstanding == 0)
        netron_core_bury(lookup->lookups->core, &lookup->grave, netron_lookup_destroy);
}

static void finish(struct netron_lookup *lookup, int code, const netron_node *const *nodes, size_t count, int active)
{
    struct netron_lookups *lookups = lookup->lookups;
    lookup->finished = true;
    netron_core_cancel(lookups->core, &lookup->begin);
    DL_DELETE(lookups->pending, lookup);
    lookups->count--;
    if (code == 0)
        lookups->core->stats.lookups++;
    if (lookup->found != NULL)
        lookup->found(lookups->discovery, code, nodes, count, lookup->arg);
    else
        lookup->found_active(lookups->discovery, code, active, lookup->arg);
}

static void finish_failed(struct netron_lookup *lookup, const struct netron_failure *why)
{
    netron_core_note(lookup->lookups->core, why);
    finish(lookup, why->code, NULL, 0, 0);
}

static int by_id(const void *one, const void *other)
{
    const netron_node *const *a = one;
    const netron_node *const *b = other;
    return strcmp((*a)->id, (*b)->id);
}

static void finish_found(struct netron_lookup *lookup)
{
    size_t count = 0;
    const netron_node **nodes = netron_candidates_nodes(&lookup->candidates, &count);
    if (nodes == NULL) {
        struct netron_failure why;
        netron_fail(&why, NETRON_ENOMEM, "no memory for the nodes of a lookup");
        finish_failed(lookup, &why);
        return;
    }
    qsort(nodes, count, sizeof(*nodes), by_id);
    finish(lookup, 0, nodes, count, 0);
    free(nodes);
}

/* ---- rounds ---- */

static void fail_round(struct netron_lookup *lookup, const struct netron_failure *why)
{
    if (lookup->failure.code == 0)
        lookup->failure = *why;
}

static void fail_round_with(struct netron_lookup *lookup, int code, const char *what)
{
    struct netron_failure why;
    netron_fail(&why, code, "%s: %s", what, netron_strerror(code));
    fail_round(lookup, &why);
}

static void fail_round_by_reply(struct netron_lookup *lookup, const struct netron_reply *reply, const char *what)
{
    struct netron_failure why;
    netron_link_fail(lookup->lookups->link, NULL, reply, what, &why);
    fail_round(lookup, &why);
}

/* Every reply ends here: when it was the round's last, the lookup goes on, or ends. */
static void arrived(struct netron_lookup *lookup)
{
    lookup->outstanding--;
    if (!lookup->finished && lookup->outstanding == 0) {
        if (lookup->failure.code != 0)
            finish_failed(lookup, &lookup->failure);
        else
            lookup->step(lookup);
    }
    release_if_done(lookup);
}

/* Sends one command of a round. A failure to send fails the round; the replies under way are still awaited. */
static void ask_for(struct netron_lookup *lookup, size_t count, const char *const *words, netron_reply_fn fn, void *arg)
{
    size_t *lengths = calloc(count, sizeof(*lengths));
    int code = NETRON_ENOMEM;
    if (lengths != NULL) {
        for (size_t i = 0; i < count; i++)
            lengths[i] = strlen(words[i]);
        code = netron_link_look(lookup->lookups->link, (int)count, words, lengths, fn, arg, NULL);
    }
    if (code == 0)
        lookup->outstanding++;
    else
        fail_round_with(lookup, code, words[0]);
    free(lengths);
}

static void ask(struct netron_lookup *lookup, size_t count, const char *const *words, netron_reply_fn fn)
{
    ask_for(lookup, count, words, fn, lookup);
}

/* A round in which nothing could be sent has no reply to end it. */
static void end_round(struct netron_lookup *lookup)
{
    if (lookup->outstanding == 0 && lookup->failure.code != 0)
        finish_failed(lookup, &lookup->failure);
}

/* ---- HASHES: the nodes' own hashes ---- */

static void fetch(struct netron_lookup *lookup);
static void scan(struct netron_lookup *lookup);

static const char *source_key(const struct netron_lookup *lookup)
{
    const char *const keys[] = {lookup->service_key, lookup->lookups->node_index_key, lookup->lookups->records_key};
    return keys[lookup->source];
}

/* False when all ids are there. */
static bool next_source(struct netron_lookup *lookup)
{
    if (lookup->source < SOURCE_NODE_INDEX && lookup->needs_node_index)
        lookup->source = SOURCE_NODE_INDEX;
    else if (lookup->source < SOURCE_RECORDS && lookup->needs_records)
        lookup->source = SOURCE_RECORDS;
    else
        return false;
    return true;
}

static void go_on(struct netron_lookup *lookup)
{
    lookup->fetched += lookup->fetching;
    lookup->fetching = 0;
    if (lookup->fetched < lookup->candidates.count)
        fetch(lookup);
    else if (lookup->must_restart || strcmp(lookup->cursor, "0") != 0 || next_source(lookup))
        scan(lookup);
    else
        finish_found(lookup);
}

/* What cannot be read is left out; but what there was no memory for would be missing. */
static void cannot_read(struct netron_lookup *lookup, const char *id, const struct netron_failure *why)
{
    if (why->code == NETRON_ENOMEM)
        fail_round(lookup, why);
    else
        netron_skipped_add(&lookup->lookups->skipped, id, why->sentence);
}

static void read_hash(struct netron_lookup *lookup, struct netron_candidate *candidate,
                      const struct netron_reply *reply)
{
    struct netron_lookups *lookups = lookup->lookups;
    struct netron_failure why;
    const char *members[NETRON_HASH_MEMBERS_MAX];
    netron_node *node = NULL;
    if (netron_reply_error_is(reply, "WRONGTYPE"))
        netron_skipped_add(&lookups->skipped, candidate->id, netron_reply_error(reply));
    else if (netron_reply_count(reply) != netron_candidate_hash_members(&lookups->witness, members))
        fail_round_by_reply(lookup, reply, "HMGET");
    else if (netron_candidate_read_hash(candidate, &lookups->witness, reply, &node, &why) != 0)
        cannot_read(lookup, candidate->id, &why);
    else if (node != NULL)
        netron_candidate_keep(candidate, lookup->name, lookup->range, node);
}

static void on_hash(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    const struct netron_question *question = arg;
    struct netron_lookup *lookup = question->lookup;
    if (reply == NULL)
        fail_round(lookup, failure);
    else if (!lookup->finished)
        read_hash(lookup, question->candidate, reply);
    arrived(lookup);
}

static void ask_hash(struct netron_lookup *lookup, struct netron_question *question)
{
    char *key = netron_key_name(lookup->lookups->settings->key_prefix, NETRON_KEY_NODE, question->candidate->id);
    const char *words[2 + NETRON_HASH_MEMBERS_MAX] = {"HMGET", key};
    size_t count = 2 + netron_candidate_hash_members(&lookup->lookups->witness, words + 2);
    if (key != NULL)
        ask_for(lookup, count, words, on_hash, question);
    else
        fail_round_with(lookup, NETRON_ENOMEM, "HMGET");
    free(key);
}

static void fetch_hashes(struct netron_lookup *lookup)
{
    lookup->step = go_on;
    for (size_t i = 0; i < lookup->fetching; i++)
        if (lookup->questions[i].candidate->needs_hash)
            ask_hash(lookup, &lookup->questions[i]);
    if (lookup->outstanding == 0 && lookup->failure.code == 0)
        go_on(lookup);
    else
        end_round(lookup);
}

/* ---- FETCH: records and heartbeats ---- */

/* The bookkeeping itself may be garbage, or missing: then the nodes' own hashes are asked. */
static void on_records(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_lookup *lookup = arg;
    struct netron_failure why;
    if (reply == NULL)
        fail_round(lookup, failure);
    else if (netron_reply_error_is(reply, "WRONGTYPE"))
        netron_skipped_add(&lookup->lookups->skipped, lookup->lookups->records_key, netron_reply_error(reply));
    else if (netron_reply_count(reply) != lookup->fetching)
        fail_round_by_reply(lookup, reply, "HMGET");
    for (size_t i = 0; i < lookup->fetching && !lookup->finished; i++) {
        struct netron_candidate *candidate = lookup->questions[i].candidate;
        size_t length = 0;
        const char *line = netron_reply_text(netron_reply_at(reply, i), &length);
        if (line != NULL && netron_candidate_read_record(candidate, &lookup->lookups->witness, line, length, &why) != 0)
            cannot_read(lookup, candidate->id, &why);
    }
    arrived(lookup);
}

static void judge(struct netron_lookup *lookup)
{
    for (size_t i = 0; i < lookup->fetching; i++) {
        const struct netron_question *question = &lookup->questions[i];
        netron_node *node = netron_candidate_judge(question->candidate, &question->heartbeat);
        if (node != NULL)
            netron_candidate_keep(question->candidate, lookup->name, lookup->range, node);
    }
    fetch_hashes(lookup);
}

static void on_heartbeat(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_question *question = arg;
    struct netron_lookup *lookup = question->lookup;
    if (reply == NULL)
        fail_round(lookup, failure);
    else if (netron_reply_count(reply) != 1)
        fail_round_by_reply(lookup, reply, "MGET");
    else
        netron_heartbeat_read(&question->heartbeat, netron_reply_at(reply, 0));
    arrived(lookup);
}

/* While its slot is moved, a cluster answers no question about several keys unless they are all at one node: and those
 * of dead nodes are at none. MGET of one key is what whoever may ask for all of them may say. */
static void fetch_heartbeats_singly(struct netron_lookup *lookup)
{
    lookup->step = judge;
    for (size_t i = 0; i < lookup->fetching; i++) {
        struct netron_question *question = &lookup->questions[i];
        const char *prefix = lookup->lookups->settings->key_prefix;
        char *key = netron_key_name(prefix, NETRON_KEY_HEARTBEAT, question->candidate->id);
        const char *const words[] = {"MGET", key};
        if (key != NULL)
            ask_for(lookup, 2, words, on_heartbeat, question);
        else
            fail_round_with(lookup, NETRON_ENOMEM, "MGET");
        free(key);
    }
    end_round(lookup);
}

static void on_heartbeats(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_lookup *lookup = arg;
    if (reply == NULL)
        fail_round(lookup, failure);
    else if (netron_reply_error_is(reply, "TRYAGAIN"))
        lookup->step = fetch_heartbeats_singly;
    else if (netron_reply_count(reply) != lookup->fetching)
        fail_round_by_reply(lookup, reply, "MGET");
    else
        for (size_t i = 0; i < lookup->fetching; i++)
            netron_heartbeat_read(&lookup->questions[i].heartbeat, netron_reply_at(reply, i));
    arrived(lookup);
}

static void fetch_heartbeats(struct netron_lookup *lookup)
{
    const size_t count = lookup->fetching;
    const char *words[PAGE + 1];
    char *keys[PAGE];
    bool has_keys = true;
    words[0] = "MGET";
    for (size_t i = 0; i < count; i++) {
        const char *id = lookup->questions[i].candidate->id;
        words[i + 1] = keys[i] = netron_key_name(lookup->lookups->settings->key_prefix, NETRON_KEY_HEARTBEAT, id);
        has_keys = has_keys && keys[i] != NULL;
    }
    if (has_keys)
        ask(lookup, count + 1, words, on_heartbeats);
    else
        fail_round_with(lookup, NETRON_ENOMEM, "MGET");
    for (size_t i = 0; i < count; i++)
        free(keys[i]);
}

static void fetch_records(struct netron_lookup *lookup)
{
    const char *words[PAGE + 2];
    size_t count = 0;
    words[count++] = "HMGET";
    words[count++] = lookup->lookups->records_key;
    for (size_t i = 0; i < lookup->fetching; i++)
        words[count++] = lookup->questions[i].candidate->id;
    ask(lookup, count, words, on_records);
}

/* The list of candidates stays where it is until all of the page's questions are answered. */
static int prepare_questions(struct netron_lookup *lookup)
{
    free(lookup->questions);
    lookup->questions = calloc(lookup->fetching, sizeof(*lookup->questions));
    if (lookup->questions == NULL)
        return NETRON_ENOMEM;
    for (size_t i = 0; i < lookup->fetching; i++) {
        lookup->questions[i].lookup = lookup;
        lookup->questions[i].candidate = &lookup->candidates.list[lookup->fetched + i];
    }
    return 0;
}

static void fetch(struct netron_lookup *lookup)
{
    size_t left = lookup->candidates.count - lookup->fetched;
    lookup->fetching = left < lookup->lookups->page ? left : lookup->lookups->page;
    lookup->step = judge;
    if (prepare_questions(lookup) == 0) {
        fetch_records(lookup);
        fetch_heartbeats(lookup);
    } else {
        fail_round_with(lookup, NETRON_ENOMEM, "HMGET");
    }
    end_round(lookup);
}

/* ---- COUNT and SCAN: the ids ---- */

static void add_ids(struct netron_lookup *lookup, const struct netron_reply *ids)
{
    struct netron_failure why;
    size_t step = lookup->source == SOURCE_RECORDS ? 2 : 1; /* each id is followed by its record there */
    for (size_t i = 0; i < netron_reply_count(ids) && lookup->failure.code == 0; i += step) {
        size_t length = 0;
        const char *id = netron_reply_text(netron_reply_at(ids, i), &length);
        if (id == NULL || length != strlen(id) || netron_node_check_id(id, &why) != 0)
            netron_skipped_add(&lookup->lookups->skipped, id != NULL ? id : "", "an index holds what is no node id");
        else if (netron_candidates_add(&lookup->candidates, id) != 0)
            fail_round_with(lookup, NETRON_ENOMEM, "SSCAN");
    }
}

/* Each server has an order of its own: the cursor of one says nothing to another, to which the source has gone. A slot
 * goes one way, so this comes once; more often there is something wrong. */
static void check_whence(struct netron_lookup *lookup)
{
    uint64_t whence = netron_link_whence(lookup->lookups->link);
    bool is_first = strcmp(lookup->cursor, "0") == 0;
    if (is_first)
        lookup->whence = whence;
    else if (whence != lookup->whence && lookup->restarts++ == RESTARTS_MAX)
        fail_round_with(lookup, NETRON_EUNAVAILABLE, "SSCAN");
    else
        lookup->must_restart = whence != lookup->whence;
}

static void on_ids(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_lookup *lookup = arg;
    const char *cursor = netron_reply_text(netron_reply_at(reply, 0), NULL);
    const struct netron_reply *ids = netron_reply_at(reply, 1);
    if (reply == NULL) {
        fail_round(lookup, failure);
    } else if (netron_reply_error_is(reply,
                                     "WRONGTYPE")) { /* what comes after it in the order of sources still serves */
        strcpy(lookup->cursor, "0");
        lookup->needs_node_index = lookup->needs_records = true;
        netron_skipped_add(&lookup->lookups->skipped, source_key(lookup), netron_reply_error(reply));
    } else if (cursor == NULL || strlen(cursor) >= sizeof(lookup->cursor) || !netron_reply_is_array(ids)) {
        fail_round_by_reply(lookup, reply, "SSCAN");
    } else if (!lookup->finished) {
        check_whence(lookup);
        memcpy(lookup->cursor, cursor, strlen(cursor) + 1);
        add_ids(lookup, ids);
    }
    arrived(lookup);
}

static void scan_source(struct netron_lookup *lookup)
{
    const char *command = lookup->source == SOURCE_RECORDS ? "HSCAN" : "SSCAN";
    const char *const words[] = {command, source_key(lookup), lookup->cursor, "COUNT", PAGE_TEXT};
    if (++lookup->pages > PAGES_MAX)
        fail_round_with(lookup, NETRON_EPROTOCOL, "SSCAN does not end");
    else
        ask(lookup, 5, words, on_ids);
    end_round(lookup);
}

static void scan(struct netron_lookup *lookup)
{
    lookup->step = go_on;
    lookup->fetching = 0;
    if (lookup->must_restart)
        strcpy(lookup->cursor, "0");
    lookup->must_restart = false;
    scan_source(lookup);
}

/* How many there are. A key that holds something else cannot be counted, which is as good as a count that differs. */
static void read_count(struct netron_lookup *lookup, const struct netron_reply *reply,
                       const struct netron_failure *failure, const char *key, long long *count)
{
    if (reply == NULL)
        fail_round(lookup, failure);
    else if (netron_reply_error_is(reply, "WRONGTYPE"))
        netron_skipped_add(&lookup->lookups->skipped, key, netron_reply_error(reply));
    else if (!netron_reply_integer(reply, count) || *count < 0)
        fail_round_by_reply(lookup, reply, "counting the nodes");
}

static void on_indexed(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_lookup *lookup = arg;
    read_count(lookup, reply, failure, lookup->lookups->node_index_key, &lookup->indexed);
    arrived(lookup);
}

static void on_adopted(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_lookup *lookup = arg;
    read_count(lookup, reply, failure, lookup->lookups->expiry_key, &lookup->adopted);
    arrived(lookup);
}

static void compare_counts(struct netron_lookup *lookup)
{
    if (lookup->adopted != lookup->indexed && lookup->name != NULL)
        lookup->needs_node_index = true;
    else if (lookup->adopted != lookup->indexed)
        lookup->needs_records = true;
    go_on(lookup);
}

static void count_and_scan(struct netron_lookup *lookup)
{
    const char *const indexed[] = {"SCARD", lookup->lookups->node_index_key};
    const char *const adopted[] = {"ZCARD", lookup->lookups->expiry_key};
    lookup->source = lookup->name != NULL ? SOURCE_SERVICE_INDEX : SOURCE_NODE_INDEX;
    lookup->step = compare_counts;
    lookup->indexed = -1;
    lookup->adopted = -2;
    ask(lookup, 2, indexed, on_indexed);
    ask(lookup, 2, adopted, on_adopted);
    scan_source(lookup);
}

static void on_exists(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_lookup *lookup = arg;
    long long exists = 0;
    if (reply == NULL)
        fail_round(lookup, failure);
    else if (!netron_reply_integer(reply, &exists) || (exists != 0 && exists != 1))
        fail_round_by_reply(lookup, reply, "EXISTS");
    else if (!lookup->finished)
        finish(lookup, 0, NULL, 0, exists != 0);
    arrived(lookup);
}

static void ask_active(struct netron_lookup *lookup)
{
    char *key = netron_key_name(lookup->lookups->settings->key_prefix, NETRON_KEY_HEARTBEAT, lookup->id);
    const char *const words[] = {"EXISTS", key};
    if (key != NULL)
        ask(lookup, 2, words, on_exists);
    else
        fail_round_with(lookup, NETRON_ENOMEM, "EXISTS");
    free(key);
    end_round(lookup);
}

/* ---- the beginning ---- */

static void on_begin(void *arg)
{
    struct netron_lookup *lookup = arg;
    struct netron_link *link = lookup->lookups->link;
    strcpy(lookup->cursor, "0");
    if (!netron_link_is_ready(link))
        finish_failed(lookup, netron_link_failure(link));
    else if (lookup->id != NULL)
        ask_active(lookup);
    else
        count_and_scan(lookup);
    release_if_done(lookup);
}

void netron_lookup_prepare(struct netron_lookup *lookup)
{
    netron_deadline_init(&lookup->begin, on_begin, lookup);
}

void netron_lookup_cancel(struct netron_lookup *lookup)
{
    struct netron_failure why;
    netron_fail(&why, NETRON_ECANCELLED, "the lookup was cancelled");
    lookup->outstanding++; /* its callback may free everything, and only one of us may bury it */
    finish_failed(lookup, &why);
    lookup->outstanding--;
    release_if_done(lookup);
}
