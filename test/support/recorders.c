/* SPDX-License-Identifier: MIT */
#include "recorders.h"
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static __attribute__((format(printf, 3, 4))) void append(char *text, size_t size, const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, size - length, format, arguments);
    va_end(arguments);
}

static void append_node(char *text, size_t size, const netron_node *node)
{
    append(text, size, "%s %s", node->id, node->address);
    for (size_t i = 0; i < node->service_count; i++) {
        const netron_service *service = &node->services[i];
        append(text, size, service->version != NULL ? " %s@%s" : " %s", service->name, service->version);
    }
}

void record_done(netron_discovery *discovery, int code, void *arg)
{
    (void)discovery;
    struct done_recorder *recorder = arg;
    recorder->calls++;
    recorder->code = code;
}

void record_state(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    (void)registration;
    struct state_recorder *recorder = arg;
    ck_assert_int_lt(recorder->count, RECORDS_MAX);
    recorder->state[recorder->count] = state;
    recorder->code[recorder->count++] = code;
    if (recorder->discovery != NULL)
        snprintf(recorder->sentence, sizeof(recorder->sentence), "%s", netron_discovery_error(recorder->discovery));
}

netron_registration_state latest_state(const struct state_recorder *recorder)
{
    return recorder->count > 0 ? recorder->state[recorder->count - 1] : (netron_registration_state)0;
}

void record_nodes(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    (void)discovery;
    struct nodes_recorder *recorder = arg;
    recorder->calls++;
    recorder->code = code;
    recorder->count = count;
    recorder->text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        append(recorder->text, sizeof(recorder->text), "%s", i > 0 ? "; " : "");
        append_node(recorder->text, sizeof(recorder->text), nodes[i]);
    }
}

void record_active(netron_discovery *discovery, int code, int active, void *arg)
{
    (void)discovery;
    struct active_recorder *recorder = arg;
    recorder->calls++;
    recorder->code = code;
    recorder->active = active;
}

void record_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    struct event_recorder *recorder = arg;
    ck_assert_int_lt(recorder->count, RECORDS_MAX);
    if (event->type == NETRON_SYNCED) {
        recorder->synced++;
        return;
    }
    struct event_record *record = &recorder->events[recorder->count++];
    *record = (struct event_record){
        .type = event->type, .revision = event->revision, .timestamp_ms = event->node->timestamp_ms};
    append(record->text, sizeof(record->text), "%s ", netron_event_type_name(event->type));
    append_node(record->text, sizeof(record->text), event->node);
    if (event->reason[0] != '\0')
        append(record->text, sizeof(record->text), " (%s)", event->reason);
}

void record_link(netron_discovery *discovery, netron_link_role role, int code, const char *sentence, void *arg)
{
    (void)discovery;
    struct link_recorder *recorder = arg;
    recorder->count[role]++;
    recorder->code[role] = code;
    recorder->is_up[role] = code == 0;
    snprintf(recorder->sentence[role], sizeof(recorder->sentence[role]), "%s", sentence);
}

void record_log(netron_log_level level, const char *line, void *arg)
{
    struct log_recorder *recorder = arg;
    if (recorder->count == RECORDS_MAX)
        return;
    recorder->level[recorder->count] = level;
    snprintf(recorder->line[recorder->count++], sizeof(recorder->line[0]), "%s", line);
}

int log_count(const struct log_recorder *recorder, const char *text)
{
    int count = 0;
    for (int i = 0; i < recorder->count; i++)
        count += strstr(recorder->line[i], text) != NULL;
    return count;
}

netron_node make_node(const char *id, const char *address, netron_service services[2], const char *name_1,
                      const char *version_1, const char *name_2, const char *version_2)
{
    netron_node node = NETRON_NODE_INIT;
    node.id = id;
    node.address = address;
    if (name_1 != NULL)
        services[node.service_count++] = (netron_service){name_1, version_1};
    if (name_2 != NULL)
        services[node.service_count++] = (netron_service){name_2, version_2};
    node.services = services;
    return node;
}
