/* SPDX-License-Identifier: MIT */
#include "statement.h"
#include <stdlib.h>
#include <string.h>

#define FORM_VERSION 1

/* So that no key signs anything here that would be something elsewhere. */
static const char domain[] = "netron-discovery node record"; /* with its NUL */

/* Counts only, while there is no room. */
struct writer {
    unsigned char *room;
    size_t length;
};

static void put(struct writer *writer, const void *bytes, size_t size)
{
    if (writer->room != NULL && size > 0)
        memcpy(writer->room + writer->length, bytes, size);
    writer->length += size;
}

static void put_number(struct writer *writer, uint64_t number, unsigned size)
{
    unsigned char bytes[8];
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (unsigned char)(number >> 8 * (size - 1 - i) & 255);
    put(writer, bytes, size);
}

static void put_text(struct writer *writer, const char *text)
{
    size_t length = text != NULL ? strlen(text) : 0;
    put_number(writer, length, 4);
    put(writer, text, length);
}

static void put_statement(struct writer *writer, const struct netron_statement *statement)
{
    const netron_node *node = statement->node;
    put(writer, domain, sizeof(domain));
    put_number(writer, FORM_VERSION, 1);
    put_text(writer, statement->key_prefix);
    put_text(writer, statement->algorithm);
    put_text(writer, statement->key_id);
    put_text(writer, node->id);
    put_text(writer, statement->incarnation);
    put_number(writer, statement->sequence, 8);
    put_number(writer, statement->ttl_ms, 4);
    put_text(writer, node->address);
    put_text(writer, statement->state);
    put_text(writer, node->reason);
    put_number(writer, node->weight, 4);
    put_text(writer, node->zone);
    put_number(writer, node->service_count, 4);
    for (size_t i = 0; i < node->service_count; i++) {
        put_text(writer, node->services[i].name);
        put_text(writer, node->services[i].version);
    }
    put_number(writer, node->metadata_count, 4);
    for (size_t i = 0; i < node->metadata_count; i++) {
        put_text(writer, node->metadata[i].key);
        put_text(writer, node->metadata[i].value);
    }
}

unsigned char *netron_statement_write(const struct netron_statement *statement, size_t spare, size_t *length)
{
    struct writer writer = {.room = NULL};
    put_statement(&writer, statement);
    writer.room = malloc(writer.length + spare);
    if (writer.room == NULL)
        return NULL;
    writer.length = 0;
    put_statement(&writer, statement);
    *length = writer.length;
    return writer.room;
}

const char *netron_signature_algorithm_name(netron_signature_algorithm algorithm)
{
    if (algorithm == NETRON_HMAC_SHA256)
        return "hmac-sha256";
    return algorithm == NETRON_ED25519 ? "ed25519" : NULL;
}
