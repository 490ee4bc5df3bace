/* SPDX-License-Identifier: MIT */
#include "event.h"
#include "node.h"
#include "node_json.h"
#include <stdlib.h>
#include <string.h>

const char *netron_event_type_name(netron_event_type type)
{
    switch (type) {
    case NETRON_NODE_REGISTERED:
        return "NODE_REGISTERED";
    case NETRON_NODE_UPDATED:
        return "NODE_UPDATED";
    case NETRON_NODE_DEREGISTERED:
        return "NODE_DEREGISTERED";
    case NETRON_SYNCED:
        return "SYNCED";
    default:
        return "";
    }
}

static int read_type(const struct netron_json_source *source, const json_t *object, netron_event_type *out)
{
    static const netron_event_type types[] = {NETRON_NODE_REGISTERED, NETRON_NODE_UPDATED, NETRON_NODE_DEREGISTERED};
    const char *name;
    int code = netron_json_member(source, object, "type", 1, 64, &name);
    if (code != 0)
        return code;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(name, netron_event_type_name(types[i])) == 0) {
            *out = types[i];
            return 0;
        }
    }
    return netron_fail(source->why, NETRON_EPROTOCOL, "event: the type \"%s\" is unknown", name);
}

static int read_timestamp(const struct netron_json_source *source, const json_t *object, uint64_t *out)
{
    const json_t *value = json_object_get(object, "timestamp");
    double real = json_real_value(value);
    json_int_t integer = json_integer_value(value);
    *out = 0;
    if (value == NULL)
        return 0;
    if (json_is_integer(value) && integer >= 0)
        *out = (uint64_t)integer;
    else if (json_is_real(value) && real >= 0 && real < 18446744073709551616.0) /* 2^64 */
        *out = (uint64_t)real;
    else
        return netron_fail(source->why, NETRON_EPROTOCOL, "event: timestamp is no number of milliseconds");
    return 0;
}

/* Without a revision the original wrote it: what else it may hold is none of ours. */
static int read_node(const struct netron_json_source *source, const json_t *object,
                     const struct netron_parsed_event *event, netron_node **out)
{
    const bool may_lack = event->type == NETRON_NODE_DEREGISTERED;
    const json_t *members = event->revision > 0 ? object : NULL;
    const json_t *services = json_object_get(object, "services");
    json_t *nothing = NULL;
    const char *id;
    const char *address = "";
    uint64_t timestamp_ms;
    int code = netron_json_member(source, object, "nodeId", 1, NETRON_NODE_ID_MAX, &id);
    if (code == 0 && !(may_lack && json_object_get(object, "address") == NULL))
        code = netron_json_member(source, object, "address", may_lack ? 0 : 1, NETRON_ADDRESS_MAX, &address);
    if (code == 0)
        code = read_timestamp(source, object, &timestamp_ms);
    if (code != 0)
        return code;
    if (may_lack && services == NULL) {
        services = nothing = json_array();
        if (nothing == NULL)
            return netron_fail(source->why, NETRON_ENOMEM, "event: no memory");
    }
    code = netron_json_full_node(source, id, address, services, members, timestamp_ms, out);
    json_decref(nothing);
    return code;
}

/* A text that may be missing, copied to out, which has max + 1 bytes. */
static int read_text(const struct netron_json_source *source, const json_t *object, const char *member, size_t max,
                     char *out)
{
    const char *text = "";
    if (json_object_get(object, member) == NULL)
        return 0;
    int code = netron_json_member(source, object, member, 0, max, &text);
    if (code == 0)
        memcpy(out, text, strlen(text) + 1);
    return code;
}

/* 48 bits in hex, or missing. */
static int read_hex(const struct netron_json_source *source, const json_t *object, const char *member, uint64_t *out)
{
    char digits[NETRON_TAG_DIGITS + 1] = "";
    if (json_object_get(object, member) == NULL)
        return 0;
    int code = read_text(source, object, member, NETRON_TAG_DIGITS, digits);
    if (code != 0)
        return code;
    if (strspn(digits, "0123456789abcdefABCDEF") != NETRON_TAG_DIGITS)
        return netron_fail(source->why, NETRON_EPROTOCOL, "event: %s has not %d hex digits", member, NETRON_TAG_DIGITS);
    *out = strtoull(digits, NULL, 16);
    return 0;
}

/* Why a node left. Otherwise a reason is the node's own; so what is left of the object is the node. */
static int take_reason(const struct netron_json_source *source, json_t *object, struct netron_parsed_event *event)
{
    if (event->type != NETRON_NODE_DEREGISTERED)
        return 0;
    int code = read_text(source, object, "reason", NETRON_REASON_MAX, event->reason);
    json_object_del(object, "reason");
    return code;
}

/* What this library's events have in addition. Without a revision none of it is ours, whatever it is called. */
static int read_own_members(const struct netron_json_source *source, json_t *object, struct netron_parsed_event *event)
{
    const json_t *revision = json_object_get(object, "revision");
    if (revision == NULL)
        return 0;
    if (json_integer_value(revision) <= 0)
        return netron_fail(source->why, NETRON_EPROTOCOL, "event: revision is no integer above zero");
    event->revision = (uint64_t)json_integer_value(revision);
    event->ttl_ms = netron_json_ttl(object);
    netron_json_stamp(object, &event->stamp);
    int code = read_text(source, object, "epoch", NETRON_EPOCH_MAX, event->epoch);
    if (code == 0)
        code = read_text(source, object, "incarnation", NETRON_INCARNATION_MAX, event->incarnation);
    if (code == 0)
        code = take_reason(source, object, event);
    if (code == 0)
        code = read_hex(source, object, "digest", &event->digest);
    if (code == 0)
        code = read_hex(source, object, "tag", &event->tag);
    return code;
}

int netron_event_parse(const char *json, size_t length, struct netron_parsed_event *out, struct netron_failure *why)
{
    const struct netron_json_source source = {.name = "event", .why = why};
    struct netron_parsed_event event = {0};
    json_t *object = NULL;
    *out = event;
    if (length > NETRON_EVENT_SIZE_MAX)
        return netron_fail(why, NETRON_EPROTOCOL, "event: more than %zu bytes", NETRON_EVENT_SIZE_MAX);
    int code = netron_json_load(&source, json, length, JSON_OBJECT, &object);
    if (code == 0)
        code = read_type(&source, object, &event.type);
    if (code == 0)
        code = read_own_members(&source, object, &event);
    if (code == 0)
        code = read_node(&source, object, &event, &event.node); /* last, for it is what has to be freed */
    if (code == 0)
        *out = event;
    json_decref(object);
    return code;
}

void netron_event_clear(struct netron_parsed_event *event)
{
    netron_node_free(event->node);
    *event = (struct netron_parsed_event){0};
}
