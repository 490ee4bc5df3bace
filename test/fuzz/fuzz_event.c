/* SPDX-License-Identifier: MIT */
/* A message on the channel: what is read of it keeps the limits, and is read again the same when it is written anew. */
#include "event.h"
#include "fuzz.h"
#include "hostile.h"
#include "node.h"
#include <inttypes.h>
#include <jansson.h>

static void set(json_t *object, const char *member, json_t *value)
{
    FUZZ_EXPECT(json_object_set_new(object, member, value) == 0, "cannot write %s", member);
}

static json_t *hex(uint64_t number)
{
    char digits[32];
    snprintf(digits, sizeof(digits), "%012" PRIx64, number);
    return json_string(digits);
}

static json_t *timestamp(uint64_t number)
{
    return number <= INT64_MAX ? json_integer((json_int_t)number) : json_real((double)number);
}

/* As the scripts write one: the body of the record, and the event's own members. */
static char *write_event(const struct netron_parsed_event *event)
{
    uint32_t ttl_ms = event->revision > 0 ? event->ttl_ms : NETRON_DEFAULT_TTL_MS;
    char *body = netron_record_body(event->node, ttl_ms);
    FUZZ_EXPECT(body != NULL, "no body");
    json_t *object = json_loads(body, 0, NULL);
    FUZZ_EXPECT(object != NULL, "the body is no JSON: %s", body);
    free(body);
    set(object, "type", json_string(netron_event_type_name(event->type)));
    set(object, "timestamp", timestamp(event->node->timestamp_ms));
    if (event->revision > 0) {
        set(object, "revision", json_integer((json_int_t)event->revision));
        set(object, "epoch", json_string(event->epoch));
        set(object, "incarnation", json_string(event->incarnation));
        set(object, "digest", hex(event->digest));
        set(object, "tag", hex(event->tag));
        if (event->type == NETRON_NODE_DEREGISTERED)
            set(object, "reason", json_string(event->reason));
    }
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

static void compare(const struct netron_parsed_event *one, const struct netron_parsed_event *other, const char *text)
{
    FUZZ_EXPECT(one->type == other->type && one->revision == other->revision && one->tag == other->tag &&
                    one->digest == other->digest && one->ttl_ms == other->ttl_ms,
                "other numbers: %s", text);
    FUZZ_EXPECT(strcmp(one->reason, other->reason) == 0 && strcmp(one->epoch, other->epoch) == 0 &&
                    strcmp(one->incarnation, other->incarnation) == 0,
                "other texts: %s", text);
    FUZZ_EXPECT(netron_node_same(one->node, other->node) && one->node->timestamp_ms == other->node->timestamp_ms,
                "another node: %s", text);
}

static void expect_nothing(const struct netron_parsed_event *event, int code, const struct netron_failure *why)
{
    FUZZ_EXPECT(code == NETRON_EPROTOCOL && why->code == code && why->sentence[0] != '\0', "code %d", code);
    FUZZ_EXPECT(event->node == NULL && event->revision == 0 && event->type == 0, "something is left");
}

static void expect_the_same_again(const struct netron_parsed_event *event)
{
    struct netron_parsed_event again;
    struct netron_failure why = {0};
    char *text = write_event(event);
    if (strlen(text) > NETRON_EVENT_SIZE_MAX) { /* what was short in UTF-8 may be long in escapes */
        free(text);
        return;
    }
    FUZZ_EXPECT(netron_event_parse(text, strlen(text), &again, &why) == 0, "%s: %s", why.sentence, text);
    compare(event, &again, text);
    netron_event_clear(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct netron_parsed_event event;
    struct netron_failure why = {0};
    char *json = fuzz_exact(data, size);
    int code = netron_event_parse(json, size, &event, &why);
    if (code != 0) {
        expect_nothing(&event, code, &why);
    } else {
        hostile_node(event.node, event.type == NETRON_NODE_DEREGISTERED ? 0 : 1);
        expect_the_same_again(&event);
        netron_event_clear(&event);
    }
    free(json);
    return 0;
}
