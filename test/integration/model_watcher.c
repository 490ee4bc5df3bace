/* SPDX-License-Identifier: MIT */
/* Watchers: a view each, and subscriptions whose events are replayed as they come. */
#include "core.h"
#include "discovery.h"
#include "model.h"
#include <stdio.h>
#include <string.h>

/* The first hears the channel itself; the first two look for what they missed so seldom that only what is on the
 * channel can tell them. */
static struct {
    char name[4];
    uint32_t anti_entropy_ms;
} kinds[WATCHERS] = {{"w0", 60000}, {"w1", 60000}, {"w2", 200}};

/* ---- what is told ---- */

static void note_departure(struct model_subscription *subscription, int id, const char *line, const char *reason)
{
    struct model *model = subscription->model;
    char *known = subscription->lines[id];
    if (known[0] == '\0')
        model_fail(model, "watcher %d: told as gone without having been there: %s", subscription->watcher, line);
    if (strcmp(known, line) != 0)
        model_fail(model, "watcher %d: told as gone: %sbut it was %s", subscription->watcher, line, known);
    if (reason[0] != '\0' && strcmp(reason, "shutdown") != 0 && strcmp(reason, "expired") != 0 &&
        strcmp(reason, "unreadable") != 0)
        model_fail(model, "watcher %d: %c is gone for the reason \"%s\"", subscription->watcher, line[0], reason);
    model_log(NETRON_LOG_DEBUG, "is gone", kinds[subscription->watcher].name);
    known[0] = '\0';
    subscription->departures[id]++;
}

static void on_event(netron_subscription *handle, const netron_event *event, void *arg)
{
    struct model_subscription *subscription = arg;
    struct model *model = subscription->model;
    char line[LINE_MAX_];
    (void)handle;
    if (event->type == NETRON_SYNCED) {
        subscription->synced++;
        return;
    }
    int id = model_id(event->node->id);
    if (id < 0)
        model_fail(model, "watcher %d: told of \"%s\"", subscription->watcher, event->node->id);
    model_line(event->node, line);
    model_log(NETRON_LOG_DEBUG, line, kinds[subscription->watcher].name);
    bool was_there = subscription->lines[id][0] != '\0';
    if (event->type == NETRON_NODE_DEREGISTERED) {
        note_departure(subscription, id, line, event->reason);
        return;
    }
    if (was_there != (event->type == NETRON_NODE_UPDATED))
        model_fail(model, "watcher %d: %s, but it %s: %s", subscription->watcher, netron_event_type_name(event->type),
                   was_there ? "was there" : "was not there", line);
    subscription->updates[id] += was_there;
    strcpy(subscription->lines[id], line);
}

void model_watcher_subscribe(struct model *model, int watcher)
{
    struct model_subscription *subscription = model->watchers[watcher].subscriptions;
    while (subscription < model->watchers[watcher].subscriptions + SUBSCRIPTIONS && subscription->handle != NULL)
        subscription++;
    if (subscription == model->watchers[watcher].subscriptions + SUBSCRIPTIONS)
        return;
    *subscription = (struct model_subscription){.model = model, .watcher = watcher};
    ck_assert_int_eq(
        netron_subscribe_to_events(model->watchers[watcher].discovery, on_event, subscription, &subscription->handle),
        0);
    model_trace(model, "watcher %d: one more subscription", watcher);
}

void model_watcher_unsubscribe(struct model *model, int watcher)
{
    struct model_subscription *subscription = &model->watchers[watcher].subscriptions[SUBSCRIPTIONS - 1];
    netron_subscription_free(subscription->handle);
    subscription->handle = NULL;
    model_trace(model, "watcher %d: one subscription less", watcher);
}

/* ---- beginning and end ---- */

void model_watcher_start(struct model *model, int watcher)
{
    netron_options options = world_options(model_url_of(model, WATCHERS_SIDE));
    model_network_options(&options);
    options.heartbeat_ttl_ms = MODEL_GRACE_MS;
    options.client_name = kinds[watcher].name;
    options.log = model_log;
    options.log_arg = kinds[watcher].name;
    options.pubsub_channel = model_channel_of(watcher);
    options.anti_entropy_interval_ms = kinds[watcher].anti_entropy_ms;
    netron_discovery *discovery = world_join(&model->world, &options);
    netron_discovery_core(discovery)->random.state = model_draw(&model->random, UINT64_MAX);
    model->watchers[watcher] = (struct model_watcher){.discovery = discovery};
    ck_assert_int_eq(netron_view_open(discovery), 0);
    model_watcher_subscribe(model, watcher);
}

void model_watcher_stop(struct model *model, int watcher)
{
    model_trace(model, "watcher %d stops", watcher);
    netron_discovery_free(model->watchers[watcher].discovery);
    model->watchers[watcher] = (struct model_watcher){.discovery = NULL};
}

/* ---- comparing ---- */

/* The view's nodes, or only the ids of those who offer a service. */
static void view_picture(netron_discovery *discovery, const char *service, char out[PICTURE_MAX])
{
    size_t length = 0;
    const netron_snapshot *snapshot = netron_view_find(discovery, service, NULL);
    ck_assert_ptr_nonnull(snapshot);
    out[0] = '\0';
    for (size_t i = 0; i < snapshot->count; i++) {
        char line[LINE_MAX_];
        model_line(snapshot->nodes[i], line);
        if (service != NULL)
            snprintf(line, sizeof(line), " %s", snapshot->nodes[i]->id);
        ck_assert_uint_lt(length + strlen(line), PICTURE_MAX);
        strcpy(out + length, line);
        length += strlen(line);
    }
    netron_snapshot_release(snapshot);
}

static void view_services(netron_discovery *discovery, char out[PICTURE_MAX])
{
    size_t length = 0;
    for (int i = 0; i < SERVICES; i++) {
        char members[PICTURE_MAX];
        view_picture(discovery, model_service_names[i], members);
        length += (size_t)snprintf(out + length, PICTURE_MAX - length, "%s:%s\n", model_service_names[i], members);
        ck_assert_uint_lt(length, PICTURE_MAX);
    }
}

static void events_complaint(const struct model_subscription *subscription, const char *picture, char *out, size_t size)
{
    char replayed[PICTURE_MAX] = "";
    if (subscription->handle == NULL)
        return;
    for (int i = 0; i < IDS; i++)
        strcat(replayed, subscription->lines[i]);
    if (strcmp(replayed, picture) != 0)
        snprintf(out, size, "the events add up to\n%s", replayed);
    else if (subscription->synced != 1)
        snprintf(out, size, "SYNCED was told %u times", subscription->synced);
}

void model_watcher_complaint(struct model *model, int watcher, const char *picture, const char *services, char *out,
                             size_t size)
{
    netron_discovery *discovery = model->watchers[watcher].discovery;
    netron_view_status status = {.size = sizeof(status)};
    char seen[PICTURE_MAX];
    out[0] = '\0';
    ck_assert_int_eq(netron_view_get_status(discovery, &status), 0);
    view_picture(discovery, NULL, seen);
    if (status.state != NETRON_VIEW_FRESH || status.kept_count != 0) {
        snprintf(out, size, "state %d, kept %zu, faults %d; the view is\n%s", status.state, status.kept_count,
                 (int)status.faults, seen);
        return;
    }
    if (strcmp(seen, picture) != 0) {
        snprintf(out, size, "the view is\n%s", seen);
        return;
    }
    view_services(discovery, seen);
    if (strcmp(seen, services) != 0) {
        snprintf(out, size, "the view of the services is\n%s", seen);
        return;
    }
    for (int i = 0; i < SUBSCRIPTIONS && out[0] == '\0'; i++)
        events_complaint(&model->watchers[watcher].subscriptions[i], picture, out, size);
}

void model_watchers_check_counts(struct model *model)
{
    for (int i = 0; i < WATCHERS * SUBSCRIPTIONS; i++) {
        struct model_subscription *subscription = &model->watchers[i / SUBSCRIPTIONS].subscriptions[i % SUBSCRIPTIONS];
        for (int id = 0; id < IDS && subscription->handle != NULL; id++) {
            if (subscription->departures[id] > model->may_depart[id])
                model_fail(model, "watcher %d was told %u times that %c is gone, not at most %u times",
                           subscription->watcher, subscription->departures[id], MODEL_IDS[id], model->may_depart[id]);
            if (subscription->updates[id] > model->may_change[id])
                model_fail(model, "watcher %d was told %u updates of %c, not at most %u", subscription->watcher,
                           subscription->updates[id], MODEL_IDS[id], model->may_change[id]);
        }
    }
}

void model_watchers_count_anew(struct model *model)
{
    for (int i = 0; i < WATCHERS * SUBSCRIPTIONS; i++) {
        struct model_subscription *subscription = &model->watchers[i / SUBSCRIPTIONS].subscriptions[i % SUBSCRIPTIONS];
        memset(subscription->departures, 0, sizeof(subscription->departures));
        memset(subscription->updates, 0, sizeof(subscription->updates));
    }
}
