/* SPDX-License-Identifier: MIT */
#include "node_json.h"
#include "node.h"
#include "text.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(const struct netron_json_source *source)
{
    return netron_fail(source->why, NETRON_ENOMEM, "%s: no memory", source->name);
}

/* What jansson takes at the most, with what an allocator adds and what stands beside it while it grows: for an object
 * or an array, a member, an element; and for each byte of the text, which may be one of a token, of a key and of its
 * copies.
 */
#define MEMORY_FOR_ALL 512u
#define MEMORY_FOR_A_BRACKET 256u
#define MEMORY_FOR_A_COLON 192u
#define MEMORY_FOR_A_COMMA 96u
#define MEMORY_FOR_A_BYTE 6u

/* Deeper than jansson goes, nothing is taken. */
static size_t memory_for(const char *text, size_t length)
{
    size_t bytes = MEMORY_FOR_ALL + MEMORY_FOR_A_BYTE * length;
    size_t depth = 0;
    bool is_string = false;
    for (size_t i = 0; i < length && depth <= JSON_PARSER_MAX_DEPTH; i++) {
        if (text[i] == '"') {
            is_string = !is_string;
        } else if (is_string) {
            i += text[i] == '\\';
        } else if (text[i] == '{' || text[i] == '[') {
            bytes += MEMORY_FOR_A_BRACKET;
            depth++;
        } else if (text[i] == '}' || text[i] == ']') {
            depth -= depth > 0;
        } else {
            bytes += text[i] == ':' ? MEMORY_FOR_A_COLON : (text[i] == ',' ? MEMORY_FOR_A_COMMA : 0);
        }
    }
    return bytes;
}

/*
 * jansson does not look whether the token that it reads could grow: without memory it drops bytes out of the middle of
 * a text, or reads past its end. So it may begin only when there is more memory than it will take, which it then finds
 * where this leaves it.
 */
static bool has_memory_for(const char *text, size_t length)
{
    json_malloc_t allocate = NULL;
    json_free_t release = NULL;
    json_get_alloc_funcs(&allocate, &release);
    void *memory = allocate(memory_for(text, length));
    if (memory != NULL)
        release(memory);
    return memory != NULL;
}

/*
 * How jansson says that an allocation failed: mostly not at all, without a text. About the text of a string it says
 * that this is no token, or no key; but then it stands behind the whole string, its closing quote, and whatever is
 * wrong with a string itself is told in other words and before that.
 */
static bool is_lack_of_memory(const json_error_t *error, const char *text, size_t length)
{
    static const char no_token[] = "invalid token";
    static const char no_key[] = "string or '}' expected";
    if (error->text[0] == '\0' || json_error_code(error) == json_error_out_of_memory)
        return true;
    bool is_behind_string =
        error->position > 0 && (size_t)error->position <= length && text[error->position - 1] == '"';
    return is_behind_string && (strncmp(error->text, no_token, sizeof(no_token) - 1) == 0 ||
                                strncmp(error->text, no_key, sizeof(no_key) - 1) == 0);
}

int netron_json_load(const struct netron_json_source *source, const char *text, size_t length, json_type type,
                     json_t **out)
{
    if (length > NETRON_JSON_SIZE_MAX)
        return netron_fail(source->why, NETRON_EPROTOCOL, "%s: more than %zu bytes of JSON", source->name,
                           NETRON_JSON_SIZE_MAX);
    if (!has_memory_for(text, length))
        return no_memory(source);
    json_error_t error = {0};
    /* A NUL in a member that nobody reads is no fault; in the others it is a control character. */
    json_t *json = json_loadb(text, length, JSON_ALLOW_NUL, &error);
    if (json == NULL && is_lack_of_memory(&error, text, length))
        return no_memory(source);
    if (json == NULL)
        return netron_fail(source->why, NETRON_EPROTOCOL, "%s: no JSON: %s", source->name, error.text);
    if (json_typeof(json) != type) {
        json_decref(json);
        return netron_fail(source->why, NETRON_EPROTOCOL, "%s: no JSON %s", source->name,
                           type == JSON_OBJECT ? "object" : "array");
    }
    *out = json;
    return 0;
}

int netron_json_check_text(const struct netron_json_source *source, const char *member, const char *text, size_t length,
                           size_t min, size_t max)
{
    const char *complaint = NULL;
    if (text == NULL)
        complaint = "is missing or no string";
    else if (length < min)
        complaint = "is empty";
    else if (length > max)
        return netron_fail(source->why, NETRON_EPROTOCOL, "%s: %s is longer than %zu bytes", source->name, member, max);
    else if (!netron_text_is_utf8(text, length))
        complaint = "is not valid UTF-8";
    else if (netron_text_has_control(text, length))
        complaint = "holds a control character";
    if (complaint == NULL)
        return 0;
    return netron_fail(source->why, NETRON_EPROTOCOL, "%s: %s %s", source->name, member, complaint);
}

int netron_json_member(const struct netron_json_source *source, const json_t *object, const char *member, size_t min,
                       size_t max, const char **out)
{
    const json_t *value = json_object_get(object, member);
    const char *text = json_string_value(value);
    int code = netron_json_check_text(source, member, text, json_string_length(value), min, max);
    if (code == 0)
        *out = text;
    return code;
}

/* A TTL that breaks the limits is the writer's affair; it is only a hint of how long a silence may last. */
uint32_t netron_json_ttl(const json_t *object)
{
    json_int_t ttl = json_integer_value(json_object_get(object, "ttl"));
    return ttl > 0 && ttl <= 86400000 ? (uint32_t)ttl : NETRON_DEFAULT_TTL_MS;
}

/* Copies a text of up to max bytes, or the fallback where there is none. */
static void copy_text(const json_t *object, const char *member, size_t max, const char *fallback, char *out)
{
    const json_t *value = json_object_get(object, member);
    size_t length = json_string_length(value);
    const char *text = json_string_value(value);
    bool is_usable = length > 0 && length <= max && strlen(text) == length;
    if (is_usable)
        memcpy(out, text, length + 1);
    else
        memcpy(out, fallback, strlen(fallback) + 1);
}

void netron_json_stamp(const json_t *object, struct netron_stamp *out)
{
    json_int_t sequence = json_integer_value(json_object_get(object, "sequence"));
    out->sequence = sequence > 0 && (uint64_t)sequence <= NETRON_SEQUENCE_MAX ? (uint64_t)sequence : 0;
    copy_text(object, "signature", NETRON_SIGNATURE_TEXT_MAX, "", out->signature);
    copy_text(object, "state", NETRON_STATE_NAME_MAX, netron_node_state_name(NETRON_NODE_UP), out->state);
}

/* The service borrows its texts from the JSON. An empty version is how some writers say that there is none. */
static int read_service(const struct netron_json_source *source, const json_t *entry, size_t position,
                        netron_service *out)
{
    char field[48];
    if (!json_is_object(entry))
        return netron_fail(source->why, NETRON_EPROTOCOL, "%s: services[%zu] is no object", source->name, position);
    const json_t *name = json_object_get(entry, "name");
    snprintf(field, sizeof(field), "services[%zu].name", position);
    int code = netron_json_check_text(source, field, json_string_value(name), json_string_length(name), 1,
                                      NETRON_SERVICE_NAME_MAX);
    if (code != 0)
        return code;
    *out = (netron_service){.name = json_string_value(name)};
    const json_t *version = json_object_get(entry, "version");
    if (version == NULL || json_is_null(version))
        return 0;
    snprintf(field, sizeof(field), "services[%zu].version", position);
    code = netron_json_check_text(source, field, json_string_value(version), json_string_length(version), 0,
                                  NETRON_SERVICE_VERSION_MAX);
    if (code == 0 && json_string_length(version) > 0)
        out->version = json_string_value(version);
    return code;
}

/* What is read of a node borrows its texts from the JSON until it is copied; the arrays are the reader's own. */
struct reading {
    netron_node node;
    netron_service *services;
    netron_metadata *metadata;
};

static int read_services(const struct netron_json_source *source, const json_t *services, struct reading *reading)
{
    if (!json_is_array(services))
        return netron_fail(source->why, NETRON_EPROTOCOL, "%s: services is missing or no array", source->name);
    size_t count = json_array_size(services);
    if (count > NETRON_SERVICES_MAX)
        return netron_fail(source->why, NETRON_EPROTOCOL, "%s: services has more than %d entries", source->name,
                           NETRON_SERVICES_MAX);
    int code = 0;
    reading->services = calloc(count + 1, sizeof(netron_service)); /* one more: an empty array is no lack of memory */
    if (reading->services == NULL)
        return no_memory(source);
    for (size_t i = 0; i < count && code == 0; i++)
        code = read_service(source, json_array_get(services, i), i, &reading->services[i]);
    reading->node.services = reading->services;
    reading->node.service_count = count;
    return code;
}

/* ---- what came later ---- */

static json_t *optional(const json_t *members, const char *member)
{
    json_t *value = json_object_get(members, member);
    return json_is_null(value) ? NULL : value;
}

/* An empty text is how some writers say that there is none. */
static int read_optional_text(const struct netron_json_source *source, const json_t *members, const char *member,
                              size_t max, const char **out)
{
    const char *text = "";
    int code = 0;
    if (optional(members, member) != NULL)
        code = netron_json_member(source, members, member, 0, max, &text);
    *out = text[0] != '\0' ? text : NULL;
    return code;
}

static int read_state(const struct netron_json_source *source, const json_t *members, netron_node_state *out)
{
    const char *name = NULL;
    int code = read_optional_text(source, members, "state", NETRON_STATE_NAME_MAX, &name);
    *out = name != NULL ? netron_node_state_of_name(name) : NETRON_NODE_UP;
    return code;
}

static int read_weight(const struct netron_json_source *source, const json_t *members, uint32_t *out)
{
    const json_t *value = optional(members, "weight");
    json_int_t weight = json_integer_value(value);
    *out = NETRON_WEIGHT_DEFAULT;
    if (value == NULL)
        return 0;
    if (weight < 1 || weight > NETRON_WEIGHT_MAX)
        return netron_fail(source->why, NETRON_EPROTOCOL, "%s: weight is no integer from 1 to %d", source->name,
                           NETRON_WEIGHT_MAX);
    *out = (uint32_t)weight;
    return 0;
}

static int read_metadata_entry(const struct netron_json_source *source, const char *key, const json_t *value,
                               size_t position, netron_metadata *out)
{
    char field[48];
    snprintf(field, sizeof(field), "metadata[%zu].key", position);
    int code = netron_json_check_text(source, field, key, strlen(key), 1, NETRON_METADATA_KEY_MAX);
    if (code != 0)
        return code;
    snprintf(field, sizeof(field), "metadata[%zu].value", position);
    *out = (netron_metadata){.key = key, .value = json_string_value(value)};
    return netron_json_check_text(source, field, out->value, json_string_length(value), 0, NETRON_METADATA_SIZE_MAX);
}

static int read_metadata(const struct netron_json_source *source, const json_t *members, struct reading *reading)
{
    json_t *metadata = optional(members, "metadata");
    if (metadata == NULL)
        return 0;
    if (!json_is_object(metadata))
        return netron_fail(source->why, NETRON_EPROTOCOL, "%s: metadata is no object", source->name);
    int code = 0;
    size_t count = 0;
    reading->metadata = calloc(json_object_size(metadata) + 1, sizeof(netron_metadata));
    if (reading->metadata == NULL)
        return no_memory(source);
    for (void *each = json_object_iter(metadata); each != NULL && code == 0;
         each = json_object_iter_next(metadata, each), count++)
        code = read_metadata_entry(source, json_object_iter_key(each), json_object_iter_value(each), count,
                                   &reading->metadata[count]);
    if (code == 0 && netron_node_metadata_size(reading->metadata, count) > NETRON_METADATA_SIZE_MAX)
        code = netron_fail(source->why, NETRON_EPROTOCOL, "%s: metadata takes more than %d bytes", source->name,
                           NETRON_METADATA_SIZE_MAX);
    reading->node.metadata = reading->metadata;
    reading->node.metadata_count = count;
    return code;
}

static int read_members(const struct netron_json_source *source, const json_t *members, struct reading *reading)
{
    netron_node *node = &reading->node;
    int code = read_state(source, members, &node->state);
    if (code == 0)
        code = read_optional_text(source, members, "reason", NETRON_NODE_REASON_MAX, &node->reason);
    if (code == 0)
        code = read_weight(source, members, &node->weight);
    if (code == 0)
        code = read_optional_text(source, members, "zone", NETRON_ZONE_MAX, &node->zone);
    if (code == 0)
        code = read_metadata(source, members, reading);
    return code;
}

int netron_json_full_node(const struct netron_json_source *source, const char *id, const char *address,
                          const json_t *services, const json_t *members, uint64_t timestamp_ms, netron_node **out)
{
    struct reading reading = {
        .node = {.size = sizeof(netron_node), .id = id, .address = address, .timestamp_ms = timestamp_ms}};
    int code = read_services(source, services, &reading);
    if (code == 0)
        code = read_members(source, members, &reading);
    if (code == 0) {
        netron_node *node = netron_node_copy(&reading.node);
        if (node != NULL)
            *out = node;
        else
            code = no_memory(source);
    }
    free(reading.services);
    free(reading.metadata);
    return code;
}

int netron_json_node(const struct netron_json_source *source, const char *id, const char *address,
                     const json_t *services, uint64_t timestamp_ms, netron_node **out)
{
    return netron_json_full_node(source, id, address, services, NULL, timestamp_ms, out);
}
