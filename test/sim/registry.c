/* SPDX-License-Identifier: MIT */
#include "registry.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAG_MASK ((UINT64_C(1) << 48) - 1)

struct registry registry;
struct event_recorder registry_heard;

static struct answer answer;

/* ---- what stands there ---- */

static struct registry_node *node_of(const char *id)
{
    for (size_t i = 0; i < registry.count; i++)
        if (strcmp(registry.nodes[i].id, id) == 0)
            return &registry.nodes[i];
    ck_assert_uint_lt(registry.count, REGISTRY_NODES_MAX);
    struct registry_node *node = &registry.nodes[registry.count++];
    *node = (struct registry_node){0};
    snprintf(node->id, sizeof(node->id), "%s", id);
    return node;
}

static uint64_t digest_of_all(void)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < registry.count; i++)
        if (registry.nodes[i].port > 0)
            sum += registry.nodes[i].tag;
    return sum & TAG_MASK;
}

static struct registry_node *change(const char *id, unsigned port)
{
    struct registry_node *node = node_of(id);
    node->was_there = node->port > 0;
    node->port = port;
    node->is_garbage = false;
    node->revision = ++registry.revision;
    if (port > 0)
        node->tag = (node->revision * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)registry.epoch[1]) & TAG_MASK;
    return node;
}

void registry_put(const char *id, unsigned port)
{
    change(id, port);
}

void registry_put_many(int count)
{
    char id[16];
    for (int i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "n%02d", i);
        registry_put(id, 10);
    }
}

void registry_put_with_ttl(const char *id, unsigned port, uint32_t ttl_ms)
{
    change(id, port)->ttl_ms = ttl_ms;
}

void registry_garble(const char *id)
{
    change(id, 1)->is_garbage = true;
}

void registry_remove(const char *id)
{
    change(id, 0);
}

void registry_flush(const char *epoch)
{
    snprintf(registry.epoch, sizeof(registry.epoch), "%s", epoch);
    registry.count = 0;
    registry.revision = registry.floor = 0;
}

static int compare_ids(const void *one, const void *other)
{
    return strcmp(((const struct registry_node *)one)->id, ((const struct registry_node *)other)->id);
}

const char *registry_picture(void)
{
    static char text[2048];
    struct registry_node sorted[REGISTRY_NODES_MAX];
    size_t length = 0;
    memcpy(sorted, registry.nodes, sizeof(sorted));
    qsort(sorted, registry.count, sizeof(sorted[0]), compare_ids);
    text[0] = '\0';
    for (size_t i = 0; i < registry.count; i++)
        if (sorted[i].port > 0 && !sorted[i].is_garbage)
            length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s:%u", length > 0 ? " " : "",
                                       sorted[i].id, sorted[i].port);
    return text;
}

const char *registry_view(void)
{
    static char text[2048];
    size_t length = 0;
    const netron_snapshot *snapshot = netron_view_find(sim.discovery, NULL, NULL);
    text[0] = '\0';
    for (size_t i = 0; i < snapshot->count; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s%s", length > 0 ? " " : "",
                                   snapshot->nodes[i]->id, strchr(snapshot->nodes[i]->address, ':'));
    netron_snapshot_release(snapshot);
    return text;
}

/* ---- what it says ---- */

static void write_body(char *text, size_t size, const struct registry_node *node, unsigned port)
{
    if (registry.write != NULL) {
        registry.write(text, size, node, port);
        return;
    }
    int length = snprintf(text, size, "\"nodeId\":\"%s\",\"address\":\"10.0.0.1:%u\",\"services\":[{\"name\":\"web\"}]",
                          node->id, port);
    if (node->ttl_ms > 0)
        snprintf(text + length, size - (size_t)length, ",\"ttl\":%" PRIu32, node->ttl_ms);
}

const char *registry_record(const struct registry_node *node)
{
    static char line[1024];
    char body[512];
    write_body(body, sizeof(body), node, node->port);
    snprintf(line, sizeof(line), "%" PRIu64 " %012" PRIx64 " i 5 {%s%s}", node->revision, node->tag,
             node->is_garbage ? "no JSON" : "", body);
    return line;
}

static void say_record(const struct registry_node *node)
{
    answer_say_text(&answer, registry_record(node));
}

const char *registry_event(const char *id)
{
    static char text[1024];
    char body[512];
    const struct registry_node *node = node_of(id);
    write_body(body, sizeof(body), node, node->port > 0 ? node->port : 1);
    snprintf(text, sizeof(text),
             "{\"type\":\"NODE_%s\",%s,\"timestamp\":5,\"epoch\":\"%s\",\"revision\":%" PRIu64
             ",\"digest\":\"%012" PRIx64 "\",\"tag\":\"%012" PRIx64 "\",\"incarnation\":\"i\"%s}",
             node->port == 0 ? "DEREGISTERED" : (node->was_there ? "UPDATED" : "REGISTERED"), body, registry.epoch,
             node->revision, digest_of_all(), node->tag, node->port == 0 ? ",\"reason\":\"expired\"" : "");
    return text;
}

static void say_digest(void)
{
    char digits[16];
    bool is_wrong = registry.lies != 0;
    if (registry.lies > 0)
        registry.lies--;
    snprintf(digits, sizeof(digits), "%012" PRIx64, (digest_of_all() + (is_wrong ? 1 : 0)) & TAG_MASK);
    answer_say_text(&answer, digits);
}

static int compare_revisions(const void *one, const void *other)
{
    uint64_t left = (*(struct registry_node *const *)one)->revision;
    uint64_t right = (*(struct registry_node *const *)other)->revision;
    return (left > right) - (left < right);
}

static void say_delta(uint64_t revision, size_t limit)
{
    struct registry_node *changes[REGISTRY_NODES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < registry.count; i++)
        if (registry.nodes[i].revision > revision)
            changes[count++] = &registry.nodes[i];
    qsort(changes, count, sizeof(changes[0]), compare_revisions);
    size_t told = count < limit ? count : limit;
    answer_say(&answer, "*%zu\r\n", 5 + 3 * told);
    answer_say_text(&answer, "delta");
    answer_say_text(&answer, registry.epoch);
    answer_say(&answer, ":%" PRIu64 "\r\n", registry.revision);
    say_digest();
    answer_say(&answer, ":%d\r\n", told < count);
    for (size_t i = 0; i < told; i++) {
        answer_say_text(&answer, changes[i]->id);
        answer_say(&answer, ":%" PRIu64 "\r\n", changes[i]->revision);
        if (changes[i]->port > 0)
            say_record(changes[i]);
        else
            answer_say_text(&answer, "");
    }
}

/* The word of that position; words may be empty. */
static const char *word_at(const struct peer_command *command, int position, char word[64])
{
    const char *from = command->text;
    for (; position > 0; position--)
        from = strchr(from, ' ') + 1;
    snprintf(word, 64, "%.*s", (int)strcspn(from, " "), from);
    return word;
}

static void answer_sync(const struct peer_command *command)
{
    char epoch[64], revision[64], count[64];
    uint64_t known = strtoull(word_at(command, 5, revision), NULL, 10);
    size_t limit = strtoul(word_at(command, 6, count), NULL, 10);
    word_at(command, 4, epoch);
    ck_assert_uint_eq(limit, 512);
    if (registry.delta_page > 0)
        limit = registry.delta_page;
    if (registry.epoch[0] != '\0' && strcmp(epoch, registry.epoch) == 0 && known >= registry.floor &&
        known <= registry.revision) {
        say_delta(known, limit);
        return;
    }
    answer_say(&answer, "*4\r\n");
    answer_say_text(&answer, "full");
    answer_say_text(&answer, registry.epoch);
    answer_say(&answer, ":%" PRIu64 "\r\n", registry.revision);
    answer_say_text(&answer, "000000000000");
}

static void answer_numbers(void)
{
    char revision[32];
    if (registry.epoch[0] == '\0') {
        answer_say(&answer, "*2\r\n$-1\r\n$-1\r\n");
        return;
    }
    snprintf(revision, sizeof(revision), "%" PRIu64, registry.revision);
    answer_say(&answer, "*2\r\n");
    answer_say_text(&answer, registry.epoch);
    answer_say_text(&answer, revision);
}

/* The cursor is the place in the array, plus 1000 so that it is no small number. */
static void answer_page(const struct peer_command *command)
{
    char cursor[64], next[32];
    size_t from = strtoul(word_at(command, 2, cursor), NULL, 10);
    from = from > 0 ? from - 1000 : 0;
    size_t to = registry.page > 0 && from + registry.page < registry.count ? from + registry.page : registry.count;
    size_t live = 0;
    for (size_t i = from; i < to; i++)
        live += registry.nodes[i].port > 0;
    snprintf(next, sizeof(next), "%zu", to < registry.count ? to + 1000 : 0);
    answer_say(&answer, "*2\r\n");
    answer_say_text(&answer, next);
    answer_say(&answer, "*%zu\r\n", 2 * live);
    for (size_t i = from; i < to; i++) {
        if (registry.nodes[i].port == 0)
            continue;
        answer_say_text(&answer, registry.nodes[i].id);
        say_record(&registry.nodes[i]);
    }
}

static enum registry_question question_of(const struct peer_command *command)
{
    if (peer_is_sync(command))
        return ASKED_SYNC;
    if (peer_is_reconcile(command))
        return ASKED_RECONCILE;
    if (peer_is(command, "HMGET netron:discovery:registry "))
        return ASKED_NUMBERS;
    return peer_is(command, "HSCAN netron:discovery:records ") ? ASKED_PAGE : QUESTIONS;
}

const char *registry_answer(struct peer *peer, const struct peer_command *command)
{
    enum registry_question question = question_of(command);
    answer_clear(&answer);
    if (question == QUESTIONS)
        return registry_answer_lookup(command, &answer) ? answer.bytes : peer_answer_well(peer, command);
    size_t number = registry.asked[question]++;
    const char *instead = registry.interrupt != NULL ? registry.interrupt(question, number) : NULL;
    if (instead != NULL)
        return instead;
    if (question == ASKED_SYNC)
        answer_sync(command);
    else if (question == ASKED_NUMBERS)
        answer_numbers();
    else if (question == ASKED_PAGE)
        answer_page(command);
    else
        answer_say(&answer, "%s",
                   registry.reconciled != NULL
                       ? registry.reconciled
                       : "*9\r\n:5000\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n$1\r\n0\r\n:0\r\n:0\r\n"); /* no epoch */
    return answer.bytes;
}

/* ---- with a discovery ---- */

void registry_open(void)
{
    registry = (struct registry){.epoch = "e1"};
    registry_heard = (struct event_recorder){0};
    sim.peer.answer = registry_answer;
}

void registry_subscribe(void)
{
    sim.options.pubsub_enabled = 1;
    sim_join();
    ck_assert_int_eq(netron_subscribe_to_events(sim.discovery, record_event, &registry_heard, NULL), 0);
    sim_settle();
}

netron_view_status registry_status(void)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(sim.discovery, &status), 0);
    return status;
}

int registry_commands_conn(void)
{
    for (size_t i = sim.peer.command_count; i > 0; i--)
        if (question_of(&sim.peer.commands[i - 1]) != QUESTIONS)
            return sim.peer.commands[i - 1].conn;
    ck_abort_msg("the view has not asked anything yet");
    return -1;
}

int registry_events_conn(void)
{
    return peer_find(&sim.peer, "SUBSCRIBE", -1)->conn;
}

void registry_send(const char *payload)
{
    char bytes[2048];
    int length =
        snprintf(bytes, sizeof(bytes), "*3\r\n$7\r\nmessage\r\n$23\r\nnetron:discovery:events\r\n$%zu\r\n%s\r\n",
                 strlen(payload), payload);
    peer_send(&sim.peer, registry_events_conn(), bytes, (size_t)length);
}

void registry_publish(const char *id)
{
    registry_send(registry_event(id));
    sim_settle();
}
