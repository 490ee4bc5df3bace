/* SPDX-License-Identifier: MIT */
#include "subscription.h"
#include "list.h"
#include <stddef.h>
#include <stdlib.h>

struct netron_subscription {
    struct netron_subscriptions *subscriptions;
    struct netron_grave grave;
    netron_subscription *prev; /* utlist.h wants these names */
    netron_subscription *next;
    struct netron_deadline begin;
    bool freed;
    bool has_picture; /* it has been told what is there, and hears the differences */
    bool is_synced;   /* it has been told that this is all */
    netron_event_fn on_event;
    void *arg;
};

/* Its memory lasts until the outermost entry leaves, whatever the callback frees. */
static void tell(netron_subscription *subscription, const netron_event *event)
{
    if (!subscription->freed)
        subscription->on_event(subscription, event, subscription->arg);
}

static void tell_synced(netron_subscription *subscription)
{
    static const netron_node nobody = {.size = sizeof(nobody), .id = "", .address = "", .weight = 1};
    const netron_event event = {
        .size = sizeof(event),
        .type = NETRON_SYNCED,
        .node = &nobody,
        .reason = "",
        .revision = *subscription->subscriptions->revision,
    };
    if (subscription->is_synced)
        return;
    subscription->is_synced = true;
    tell(subscription, &event);
}

static void tell_picture(netron_subscription *subscription, const netron_snapshot *picture)
{
    for (size_t i = 0; i < picture->count && !subscription->freed; i++) {
        const netron_event event = {
            .size = sizeof(event),
            .type = NETRON_NODE_REGISTERED,
            .node = picture->nodes[i],
            .reason = "",
            .revision = *subscription->subscriptions->revision,
        };
        tell(subscription, &event);
    }
}

static void on_begin(void *arg)
{
    netron_subscription *subscription = arg;
    struct netron_subscriptions *all = subscription->subscriptions;
    const netron_snapshot *picture = all->picture(all->picture_arg);
    if (picture == NULL) { /* no memory now: it begins later */
        netron_core_after(all->core, &subscription->begin, 1000);
        return;
    }
    subscription->has_picture = true;
    tell_picture(subscription, picture);
    netron_snapshot_release(picture);
    if (!subscription->freed && all->is_synced)
        tell_synced(subscription);
}

int netron_subscriptions_add(struct netron_subscriptions *subscriptions, netron_event_fn on_event, void *arg,
                             netron_subscription **out)
{
    netron_subscription *subscription = calloc(1, sizeof(*subscription));
    if (subscription == NULL)
        return NETRON_ENOMEM;
    subscription->subscriptions = subscriptions;
    subscription->on_event = on_event;
    subscription->arg = arg;
    netron_deadline_init(&subscription->begin, on_begin, subscription);
    netron_core_after(subscriptions->core, &subscription->begin, 0);
    DL_APPEND(subscriptions->all, subscription);
    *out = subscription;
    return 0;
}

/* A subscription that is freed meanwhile keeps its place in the walk: its memory, and what it points to, last until the
 * outermost entry leaves. One that is added meanwhile has no picture yet. */
void netron_subscriptions_tell(struct netron_subscriptions *subscriptions, const netron_event *event)
{
    subscriptions->core->stats.events++;
    for (netron_subscription *each = subscriptions->all; each != NULL; each = each->next)
        if (each->has_picture)
            tell(each, event);
}

void netron_subscriptions_synced(struct netron_subscriptions *subscriptions)
{
    subscriptions->is_synced = true;
    for (netron_subscription *each = subscriptions->all; each != NULL; each = each->next)
        if (each->has_picture)
            tell_synced(each);
}

static void destroy(struct netron_grave *grave)
{
    free((char *)grave - offsetof(struct netron_subscription, grave));
}

void netron_subscription_free(netron_subscription *subscription)
{
    if (subscription == NULL || subscription->freed)
        return;
    struct netron_core *core = subscription->subscriptions->core;
    netron_core_enter(core);
    subscription->freed = true;
    netron_core_cancel(core, &subscription->begin);
    DL_DELETE(subscription->subscriptions->all, subscription);
    netron_core_bury(core, &subscription->grave, destroy);
    netron_core_leave(core);
}

void netron_subscriptions_free_all(struct netron_subscriptions *subscriptions)
{
    while (subscriptions->all != NULL)
        netron_subscription_free(subscriptions->all);
}
