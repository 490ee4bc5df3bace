/* SPDX-License-Identifier: MIT */
#include "record.h"
#include "node.h"
#include "node_json.h"
#include "text.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define INITIAL_ROOM 512 /* bytes: what most nodes take */

/* ---- writing ---- */

struct growing_text {
    char *bytes; /* for free() */
    size_t length;
    size_t room;
};

static int append(const char *bytes, size_t length, void *arg)
{
    struct growing_text *text = arg;
    if (text->room - text->length <= length) {
        size_t room = 2 * text->room + length;
        char *grown = realloc(text->bytes, room);
        if (grown == NULL)
            return -1;
        text->bytes = grown;
        text->room = room;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    return 0;
}

/* Not json_dumps(): the application may have given jansson an allocator of its own, and the text is for free(). */
static char *dump(const json_t *json)
{
    struct growing_text text = {.bytes = malloc(INITIAL_ROOM), .room = INITIAL_ROOM};
    if (text.bytes == NULL || json_dump_callback(json, append, &text, JSON_COMPACT) != 0) {
        free(text.bytes);
        return NULL;
    }
    text.bytes[text.length] = '\0';
    return text.bytes;
}

/* The setters of jansson take a NULL value as a failure, and the reference whether they fail or not. */
static json_t *make_service(const netron_service *service)
{
    json_t *object = json_object();
    if (json_object_set_new(object, "name", json_string(service->name)) == 0 &&
        (service->version == NULL || json_object_set_new(object, "version", json_string(service->version)) == 0))
        return object;
    json_decref(object);
    return NULL;
}

static json_t *make_services(const netron_service *services, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, make_service(&services[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

char *netron_record_services_json(const netron_service *services, size_t count)
{
    json_t *array = make_services(services, count);
    char *text = dump(array);
    json_decref(array);
    return text;
}

static json_t *make_metadata(const netron_metadata *metadata, size_t count)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        if (json_object_set_new(object, metadata[i].key, json_string(metadata[i].value)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* What differs from its default, always in this order: the registry compares bodies as texts. */
static bool add_members(json_t *body, const netron_node *node, uint32_t ttl_ms)
{
    if (node->state != NETRON_NODE_UP &&
        json_object_set_new(body, "state", json_string(netron_node_state_name(node->state))) != 0)
        return false;
    if (node->reason != NULL && json_object_set_new(body, "reason", json_string(node->reason)) != 0)
        return false;
    if (node->weight > NETRON_WEIGHT_DEFAULT &&
        json_object_set_new(body, "weight", json_integer((json_int_t)node->weight)) != 0)
        return false;
    if (node->zone != NULL && json_object_set_new(body, "zone", json_string(node->zone)) != 0)
        return false;
    if (node->metadata_count > 0 &&
        json_object_set_new(body, "metadata", make_metadata(node->metadata, node->metadata_count)) != 0)
        return false;
    return ttl_ms == NETRON_DEFAULT_TTL_MS || json_object_set_new(body, "ttl", json_integer(ttl_ms)) == 0;
}

static bool add_stamp(json_t *body, const struct netron_stamp *stamp)
{
    return stamp == NULL || (json_object_set_new(body, "sequence", json_integer((json_int_t)stamp->sequence)) == 0 &&
                             json_object_set_new(body, "signature", json_string(stamp->signature)) == 0);
}

char *netron_record_signed_body(const netron_node *node, uint32_t ttl_ms, const struct netron_stamp *stamp)
{
    char *text = NULL;
    json_t *body = json_object();
    if (json_object_set_new(body, "nodeId", json_string(node->id)) == 0 &&
        json_object_set_new(body, "address", json_string(node->address)) == 0 &&
        json_object_set_new(body, "services", make_services(node->services, node->service_count)) == 0 &&
        add_members(body, node, ttl_ms) && add_stamp(body, stamp))
        text = dump(body);
    json_decref(body);
    return text;
}

char *netron_record_body(const netron_node *node, uint32_t ttl_ms)
{
    return netron_record_signed_body(node, ttl_ms, NULL);
}

/* ---- reading ---- */

struct slice {
    const char *text;
    size_t length;
};

/* Takes what stands before the next space off the rest, and the space. */
static bool next_field(struct slice *rest, struct slice *field)
{
    const char *space = memchr(rest->text, ' ', rest->length);
    if (space == NULL)
        return false;
    *field = (struct slice){rest->text, (size_t)(space - rest->text)};
    rest->text += field->length + 1;
    rest->length -= field->length + 1;
    return true;
}

static bool read_decimal(struct slice field, uint64_t *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < field.length; i++) {
        if (field.text[i] < '0' || field.text[i] > '9')
            return false;
        unsigned digit = (unsigned)(field.text[i] - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return field.length > 0;
}

static bool is_hex(struct slice field, size_t digits)
{
    for (size_t i = 0; i < field.length; i++)
        if (netron_text_hex_value(field.text[i]) < 0)
            return false;
    return field.length == digits;
}

static bool read_tag(struct slice field, uint64_t *out)
{
    if (!is_hex(field, NETRON_TAG_DIGITS))
        return false;
    *out = 0;
    for (size_t i = 0; i < field.length; i++)
        *out = *out << 4 | (uint64_t)netron_text_hex_value(field.text[i]);
    return true;
}

static bool read_incarnation(struct slice field, char out[NETRON_INCARNATION_MAX + 1])
{
    if (field.length == 0 || field.length > NETRON_INCARNATION_MAX)
        return false;
    for (size_t i = 0; i < field.length; i++)
        if (field.text[i] < 0x21 || field.text[i] > 0x7e)
            return false;
    memcpy(out, field.text, field.length);
    out[field.length] = '\0';
    return true;
}

static bool is_of(struct slice field, const char *characters)
{
    for (size_t i = 0; i < field.length; i++)
        if (field.text[i] == '\0' || strchr(characters, field.text[i]) == NULL)
            return false;
    return field.length > 0;
}

static bool has_space(struct slice field)
{
    for (size_t i = 0; i < field.length; i++)
        if (field.text[i] == ' ' || (field.text[i] >= '\t' && field.text[i] <= '\r'))
            return true;
    return false;
}

/* The tag that the registry's digest counts for this line: the same pattern as in lua/record.lua. */
static uint64_t counted_tag(struct slice rest)
{
    static const char decimal[] = "0123456789";
    struct slice revision;
    struct slice tag;
    struct slice incarnation;
    struct slice timestamp;
    uint64_t number = 0;
    if (next_field(&rest, &revision) && is_of(revision, decimal) && next_field(&rest, &tag) && read_tag(tag, &number) &&
        next_field(&rest, &incarnation) && incarnation.length > 0 && !has_space(incarnation) &&
        next_field(&rest, &timestamp) && is_of(timestamp, decimal) && rest.length >= 2 && rest.text[0] == '{' &&
        rest.text[rest.length - 1] == '}')
        return number;
    return 0;
}

/* The four fields before the JSON; rest begins with the JSON afterwards. */
static int read_fields(const struct netron_json_source *source, struct slice *rest, struct netron_record *record,
                       uint64_t *timestamp)
{
    struct slice field;
    const char *broken = NULL;
    if (!next_field(rest, &field) || !read_decimal(field, &record->revision))
        broken = "revision";
    else if (!next_field(rest, &field) || !read_tag(field, &record->tag))
        broken = "tag";
    else if (!next_field(rest, &field) || !read_incarnation(field, record->incarnation))
        broken = "incarnation";
    else if (!next_field(rest, &field) || !read_decimal(field, timestamp))
        broken = "timestamp";
    else if (rest->length == 0 || rest->text[0] != '{')
        broken = "body";
    if (broken == NULL)
        return 0;
    return netron_fail(source->why, NETRON_EPROTOCOL, "record: the %s is missing or malformed", broken);
}

static int read_body(const struct netron_json_source *source, const json_t *body, const char *expected_id,
                     uint64_t timestamp, netron_node **out)
{
    const char *id;
    const char *address;
    int code = netron_json_member(source, body, "nodeId", 1, NETRON_NODE_ID_MAX, &id);
    if (code != 0)
        return code;
    if (expected_id != NULL && strcmp(id, expected_id) != 0)
        return netron_fail(source->why, NETRON_EPROTOCOL, "record: it is of the node \"%s\"", id);
    code = netron_json_member(source, body, "address", 1, NETRON_ADDRESS_MAX, &address);
    if (code != 0)
        return code;
    return netron_json_full_node(source, id, address, json_object_get(body, "services"), body, timestamp, out);
}

/* The JSON of a record whose fields before it are known. */
static int read_json(const struct netron_json_source *source, struct slice text, const char *expected_id,
                     uint64_t timestamp, struct netron_record *record, struct netron_stamp *stamp)
{
    json_t *body = NULL;
    int code = netron_json_load(source, text.text, text.length, JSON_OBJECT, &body);
    if (code == 0)
        code = read_body(source, body, expected_id, timestamp, &record->node);
    if (code == 0)
        record->ttl_ms = netron_json_ttl(body);
    if (code == 0 && stamp != NULL)
        netron_json_stamp(body, stamp);
    json_decref(body);
    return code;
}

int netron_record_parse_signed(const char *line, size_t length, const char *expected_id, struct netron_record *out,
                               struct netron_stamp *stamp, struct netron_failure *why)
{
    const struct netron_json_source source = {.name = "record", .why = why};
    struct netron_record record = {0};
    struct slice rest = {line, length};
    uint64_t timestamp = 0;
    *out = (struct netron_record){.tag = counted_tag(rest)};
    int code = read_fields(&source, &rest, &record, &timestamp);
    if (code == 0)
        code = read_json(&source, rest, expected_id, timestamp, &record, stamp);
    if (code == 0)
        *out = record;
    return code;
}

int netron_record_parse(const char *line, size_t length, const char *expected_id, struct netron_record *out,
                        struct netron_failure *why)
{
    return netron_record_parse_signed(line, length, expected_id, out, NULL, why);
}

int netron_record_parse_body(const char *body, size_t length, const char *expected_id, const char *incarnation,
                             struct netron_record *out, struct netron_stamp *stamp, struct netron_failure *why)
{
    const struct netron_json_source source = {.name = "record", .why = why};
    struct netron_record record = {0};
    *out = record;
    if (!read_incarnation((struct slice){incarnation, strlen(incarnation)}, record.incarnation))
        return netron_fail(why, NETRON_EPROTOCOL, "record: the incarnation is malformed");
    int code = read_json(&source, (struct slice){body, length}, expected_id, 0, &record, stamp);
    if (code == 0)
        *out = record;
    return code;
}

void netron_record_drop_node(struct netron_record *record)
{
    netron_node_free(record->node);
    record->node = NULL;
}

void netron_record_clear(struct netron_record *record)
{
    netron_node_free(record->node);
    *record = (struct netron_record){0};
}

int netron_record_from_hash(const char *id, const char *address, size_t address_length, const char *services,
                            size_t services_length, const char *timestamp, size_t timestamp_length, netron_node **out,
                            struct netron_failure *why)
{
    const struct netron_json_source source = {.name = "hash", .why = why};
    char address_text[NETRON_ADDRESS_MAX + 1];
    uint64_t timestamp_ms = 0;
    json_t *array = NULL;
    int code = netron_json_check_text(&source, "id", id, id != NULL ? strlen(id) : 0, 1, NETRON_NODE_ID_MAX);
    if (code == 0)
        code = netron_json_check_text(&source, "address", address, address_length, 1, NETRON_ADDRESS_MAX);
    if (code != 0)
        return code;
    if (services == NULL)
        return netron_fail(why, NETRON_EPROTOCOL, "hash: services is missing");
    memcpy(address_text, address, address_length);
    address_text[address_length] = '\0';
    if (timestamp == NULL || !read_decimal((struct slice){timestamp, timestamp_length}, &timestamp_ms))
        timestamp_ms = 0;
    code = netron_json_load(&source, services, services_length, JSON_ARRAY, &array);
    if (code == 0)
        code = netron_json_node(&source, id, address_text, array, timestamp_ms, out);
    json_decref(array);
    return code;
}
