/* SPDX-License-Identifier: MIT */
#include "feed.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct netron_subscription {
    struct netron_feed *feed;
    struct netron_grave grave;
    netron_subscription *prev; /* utlist.h wants these names */
    netron_subscription *next;
    bool freed;
    uint64_t order;
    netron_event_fn on_event;
    void *arg;
};

/* ---- from the channel ---- */

/* A subscription that is freed meanwhile keeps its place in the walk: its memory, and what it points to, last until the
 * outermost entry leaves. */
static void deliver(struct netron_feed *feed, const struct netron_parsed_event *parsed)
{
    const netron_event event = {
        .size = sizeof(event),
        .type = parsed->type,
        .node = parsed->node,
        .reason = parsed->reason,
        .revision = parsed->revision,
    };
    uint64_t limit = feed->order;
    feed->core->stats.events++;
    for (netron_subscription *each = feed->all; each != NULL; each = each->next)
        if (!each->freed && each->order < limit)
            each->on_event(each, &event, each->arg);
}

static void skip(struct netron_feed *feed, const char *why)
{
    feed->core->stats.skipped_events++;
    if (!feed->garbage_logged)
        netron_log(&feed->core->log, NETRON_LOG_WARNING, "skipping a message on the channel: %s", why);
    feed->garbage_logged = true; /* once a connection: whoever sends garbage sends it again */
}

static void on_message(void *arg, const struct netron_reply *reply)
{
    struct netron_feed *feed = arg;
    struct netron_failure why;
    struct netron_parsed_event parsed;
    size_t length = 0;
    if (netron_reply_is_text(netron_reply_at(reply, 0), "pong") || netron_reply_is_text(reply, "PONG"))
        return;
    if (netron_reply_error(reply) != NULL) {
        netron_reply_fail(reply, "the subscription", &why);
        netron_link_reject(feed->link, &why);
        return;
    }
    const char *payload = netron_reply_text(netron_reply_at(reply, 2), &length);
    if (!netron_reply_is_text(netron_reply_at(reply, 0), "message") || payload == NULL) {
        skip(feed, "it has not the shape of a message");
        return;
    }
    if (netron_event_parse(payload, length, &parsed, &why) != 0) {
        skip(feed, why.sentence);
        return;
    }
    deliver(feed, &parsed);
    netron_event_clear(&parsed);
}

/* ---- from the link ---- */

static void on_subscribed(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_feed *feed = arg;
    struct netron_failure why;
    if (reply == NULL) {
        (void)failure; /* the link tells it as well */
    } else if (netron_reply_is_text(netron_reply_at(reply, 0), "subscribe")) {
        feed->changed(feed->arg, NULL);
    } else {
        char what[16 + NETRON_CHANNEL_MAX];
        snprintf(what, sizeof(what), "SUBSCRIBE %s", feed->settings->pubsub_channel);
        netron_reply_fail(reply, what, &why);
        netron_link_reject(feed->link, &why);
    }
}

static void on_ready(void *arg)
{
    struct netron_feed *feed = arg;
    const char *const words[] = {"SUBSCRIBE", feed->settings->pubsub_channel};
    const size_t lengths[] = {9, strlen(feed->settings->pubsub_channel)};
    struct netron_failure why;
    feed->garbage_logged = false;
    int code = netron_link_send(feed->link, 2, words, lengths, on_subscribed, feed, NULL);
    if (code == 0) {
        netron_link_stream(feed->link); /* messages may come in the same bytes as the acknowledgement */
    } else {
        netron_fail(&why, code, "SUBSCRIBE: %s", netron_strerror(code));
        netron_link_reject(feed->link, &why);
    }
}

static void on_down(void *arg, const struct netron_failure *why)
{
    struct netron_feed *feed = arg;
    feed->changed(feed->arg, why);
}

static const struct netron_link_events link_events = {.ready = on_ready, .down = on_down, .message = on_message};

/* ---- subscriptions ---- */

static int open_link(struct netron_feed *feed)
{
    if (feed->link != NULL)
        return 0;
    int code = netron_link_new(feed->core, feed->settings, "events", &link_events, feed, &feed->link);
    if (code == 0)
        netron_link_open(feed->link);
    return code;
}

int netron_feed_subscribe(struct netron_feed *feed, netron_event_fn on_event, void *arg, netron_subscription **out)
{
    netron_subscription *subscription = calloc(1, sizeof(*subscription));
    if (subscription == NULL || open_link(feed) != 0) {
        free(subscription);
        return NETRON_ENOMEM;
    }
    subscription->feed = feed;
    subscription->order = feed->order++;
    subscription->on_event = on_event;
    subscription->arg = arg;
    DL_APPEND(feed->all, subscription);
    *out = subscription;
    return 0;
}

static void destroy(struct netron_grave *grave)
{
    free((char *)grave - offsetof(struct netron_subscription, grave));
}

void netron_subscription_free(netron_subscription *subscription)
{
    if (subscription == NULL || subscription->freed)
        return;
    struct netron_core *core = subscription->feed->core;
    netron_core_enter(core);
    subscription->freed = true;
    DL_DELETE(subscription->feed->all, subscription);
    netron_core_bury(core, &subscription->grave, destroy);
    netron_core_leave(core);
}

void netron_feed_close(struct netron_feed *feed)
{
    netron_link_free(feed->link);
    feed->link = NULL;
}

void netron_feed_free_all(struct netron_feed *feed)
{
    while (feed->all != NULL)
        netron_subscription_free(feed->all);
}
