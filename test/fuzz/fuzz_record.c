/* SPDX-License-Identifier: MIT */
/*
 * What stands in Redis: the line of a record, or, behind an 'H', the members of a node's own hash, a line each: id,
 * address, services, timestamp. What is read keeps the limits, and is read again the same when it is written anew.
 */
#include "base64.h"
#include "fuzz.h"
#include "hostile.h"
#include "node.h"
#include "node_json.h"
#include "proof.h"
#include "record.h"
#include <inttypes.h>

/* ---- the line ---- */

static char *write_line(const struct netron_record *record)
{
    char *body = netron_record_body(record->node, record->ttl_ms);
    FUZZ_EXPECT(body != NULL, "no body");
    size_t room = strlen(body) + 256;
    char *line = malloc(room);
    FUZZ_EXPECT(line != NULL, "no memory");
    snprintf(line, room, "%" PRIu64 " %012" PRIx64 " %s %" PRIu64 " %s", record->revision, record->tag,
             record->incarnation, record->node->timestamp_ms, body);
    free(body);
    return line;
}

static void expect_the_same_again(const struct netron_record *record)
{
    struct netron_record again;
    struct netron_failure why = {0};
    char *line = write_line(record);
    FUZZ_EXPECT(netron_record_parse(line, strlen(line), record->node->id, &again, &why) == 0, "%s: %s", why.sentence,
                line);
    FUZZ_EXPECT(again.revision == record->revision && again.tag == record->tag && again.ttl_ms == record->ttl_ms &&
                    strcmp(again.incarnation, record->incarnation) == 0,
                "other fields: %s", line);
    FUZZ_EXPECT(netron_node_same(again.node, record->node) && again.node->timestamp_ms == record->node->timestamp_ms,
                "another node: %s", line);
    netron_record_clear(&again);
    FUZZ_EXPECT(netron_record_parse(line, strlen(line), "another", &again, &why) != 0 ||
                    strcmp(record->node->id, "another") == 0,
                "the record of another node was taken: %s", line);
    netron_record_clear(&again);
    free(line);
}

/* What is read as a signature is a text that says the same when it is written anew. */
static void expect_the_same_signature_again(const struct netron_record *record, const struct netron_stamp *stamp)
{
    char base64[NETRON_BASE64_LENGTH(NETRON_SIGNATURE_MAX) + 1];
    char text[NETRON_SIGNATURE_TEXT_MAX + 1];
    const struct netron_statement statement = {.key_prefix = "p",
                                               .incarnation = record->incarnation,
                                               .sequence = stamp->sequence,
                                               .ttl_ms = record->ttl_ms,
                                               .state = stamp->state,
                                               .node = record->node};
    struct netron_proof proof;
    FUZZ_EXPECT(stamp->sequence <= NETRON_SEQUENCE_MAX, "a sequence that could not be");
    if (netron_proof_read(stamp->signature, statement, &proof, NULL) != 0)
        return;
    netron_base64_write(proof.signature, netron_signature_size(proof.algorithm), base64);
    snprintf(text, sizeof(text), "%s:%s:%s", netron_signature_algorithm_name(proof.algorithm), proof.key_id, base64);
    FUZZ_EXPECT(strcmp(text, stamp->signature) == 0, "%s is read as %s", stamp->signature, text);
    netron_proof_clear(&proof);
}

static void read_line(const char *line, size_t length)
{
    struct netron_record record;
    struct netron_stamp stamp;
    struct netron_failure why = {0};
    int code = netron_record_parse_signed(line, length, NULL, &record, &stamp, &why);
    if (code != 0) {
        FUZZ_EXPECT(code == NETRON_EPROTOCOL && why.code == code && why.sentence[0] != '\0', "code %d", code);
        FUZZ_EXPECT(record.node == NULL && record.revision == 0, "something is left");
        return;
    }
    hostile_node(record.node, 1);
    expect_the_same_again(&record);
    expect_the_same_signature_again(&record, &stamp);
    netron_record_clear(&record);
}

/* ---- the hash ---- */

/* The next line as a text of its own; NULL, a missing member, when there is none. */
static char *next_member(const char **at, const char *end, size_t *length)
{
    if (*at == NULL)
        return NULL;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    *length = (size_t)((stop != NULL ? stop : end) - *at);
    char *member = fuzz_text((const uint8_t *)*at, *length);
    *at = stop != NULL ? stop + 1 : NULL;
    return member;
}

static void expect_the_same_hash_again(const netron_node *node)
{
    netron_node *again = NULL;
    struct netron_failure why = {0};
    char *services = netron_record_services_json(node->services, node->service_count);
    char timestamp[32];
    snprintf(timestamp, sizeof(timestamp), "%" PRIu64, node->timestamp_ms);
    FUZZ_EXPECT(services != NULL, "no services");
    if (strlen(services) <= NETRON_JSON_SIZE_MAX) {
        FUZZ_EXPECT(netron_record_from_hash(node->id, node->address, strlen(node->address), services, strlen(services),
                                            timestamp, strlen(timestamp), &again, &why) == 0,
                    "%s: %s", why.sentence, services);
        FUZZ_EXPECT(netron_node_same(again, node) && again->timestamp_ms == node->timestamp_ms, "another node");
    }
    netron_node_free(again);
    free(services);
}

static void read_hash(const char *text, size_t length)
{
    const char *at = text;
    size_t lengths[4] = {0};
    char *members[4];
    netron_node *node = NULL;
    struct netron_failure why = {0};
    for (size_t i = 0; i < 4; i++)
        members[i] = next_member(&at, text + length, &lengths[i]);
    int code = netron_record_from_hash(members[0], members[1], lengths[1], members[2], lengths[2], members[3],
                                       lengths[3], &node, &why);
    if (code == 0) {
        hostile_node(node, 1);
        expect_the_same_hash_again(node);
    } else {
        FUZZ_EXPECT(code == NETRON_EPROTOCOL && why.code == code && node == NULL, "code %d", code);
    }
    netron_node_free(node);
    for (size_t i = 0; i < 4; i++)
        free(members[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_exact(data, size);
    if (size > 0 && text[0] == 'H')
        read_hash(text + 1, size - 1);
    else
        read_line(text, size);
    free(text);
    return 0;
}
