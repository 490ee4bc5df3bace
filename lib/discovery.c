/* SPDX-License-Identifier: MIT */
/*
 * The public handle: it owns the rooms, wires them to each other, and leads them out again.
 *
 *     RUNNING -> LEAVING (the registrations deregister) -> CLOSED (both links are gone)
 */
#include "discovery.h"
#include "cluster.h"
#include "completion.h"
#include "feed.h"
#include "keys.h"
#include "lookup.h"
#include "registration.h"
#include "sentinels.h"
#include "whereabouts.h"
#include <netron/libevent.h>
#include <netron/view.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* netron_stats as the first version had it: no caller's is smaller. */
#define STATS_FIRST_SIZE (offsetof(netron_stats, nodes_registered) + sizeof(uint64_t))

enum discovery_state { DISCOVERY_RUNNING, DISCOVERY_LEAVING, DISCOVERY_CLOSED };

/* What on_link has been told of one link. */
struct told {
    bool is_told;
    struct netron_failure failure; /* code 0 = up */
};

struct netron_discovery {
    struct netron_core *core;
    struct netron_grave grave;
    struct netron_settings settings;
    struct netron_topology *topology; /* NULL: the URL names the server */
    struct netron_link *link;
    struct netron_registrar registrar;
    struct netron_lookups lookups;
    struct netron_feed feed;
    struct netron_picker_views pickers;
    struct told told[2];

    bool freed;
    enum discovery_state state;
    int shutdown_code; /* the first failure on the way out */
    struct netron_deadline shutdown_progress;
    struct netron_deadline shutdown_timeout;
    struct netron_completions shutdowns;
};

const char *netron_version(void)
{
    return NETRON_VERSION_STRING;
}

/* ---- the links ---- */

static void tell_link(netron_discovery *discovery, netron_link_role role, const struct netron_failure *why)
{
    struct told *told = &discovery->told[role == NETRON_LINK_EVENTS];
    const struct netron_failure up = {.code = 0};
    const struct netron_failure *news = why != NULL ? why : &up;
    const char *name = role == NETRON_LINK_EVENTS ? "events" : "commands";
    if (why != NULL)
        netron_core_note(discovery->core, why);
    if (told->is_told && told->failure.code == news->code && strcmp(told->failure.sentence, news->sentence) == 0)
        return;
    told->is_told = true;
    told->failure = *news;
    netron_log_level trouble = netron_failure_needs_operator(news->code) ? NETRON_LOG_ERROR : NETRON_LOG_WARNING;
    netron_log(&discovery->core->log, why == NULL ? NETRON_LOG_INFO : trouble, "%s link: %s", name,
               why == NULL ? "up" : why->sentence);
    if (discovery->settings.on_link != NULL)
        discovery->settings.on_link(discovery, role, news->code, told->failure.sentence,
                                    discovery->settings.on_link_arg);
}

static void on_commands_ready(void *arg)
{
    netron_discovery *discovery = arg;
    netron_registrar_link_ready(&discovery->registrar);
    netron_feed_commands_ready(&discovery->feed);
    tell_link(discovery, NETRON_LINK_COMMANDS, NULL);
}

static void on_commands_down(void *arg, const struct netron_failure *why)
{
    netron_discovery *discovery = arg;
    netron_feed_commands_down(&discovery->feed);
    if (netron_failure_needs_operator(why->code))
        netron_registrar_link_refused(&discovery->registrar);
    tell_link(discovery, NETRON_LINK_COMMANDS, why);
}

static void on_events_changed(void *arg, const struct netron_failure *why)
{
    tell_link(arg, NETRON_LINK_EVENTS, why);
}

static const struct netron_link_events commands_events = {.ready = on_commands_ready, .down = on_commands_down};

/* ---- shutting down ---- */

static void close_links(netron_discovery *discovery)
{
    netron_lookups_cancel_all(&discovery->lookups);
    netron_feed_close(&discovery->feed);
    netron_link_free(discovery->link);
    discovery->link = discovery->registrar.link = discovery->lookups.link = discovery->feed.commands = NULL;
    netron_topology_free(discovery->topology);
    discovery->topology = discovery->feed.topology = NULL;
}

/* Comes from the top level whenever a registration ended, and when the time is over. */
static void on_shutdown_progress(void *arg)
{
    netron_discovery *discovery = arg;
    struct netron_core *core = discovery->core;
    if (discovery->state == DISCOVERY_LEAVING) {
        if (discovery->registrar.remaining > 0)
            return;
        discovery->state = DISCOVERY_CLOSED;
        netron_core_cancel(core, &discovery->shutdown_timeout);
        close_links(discovery);
        if (discovery->freed)
            return;
        netron_log(&core->log, NETRON_LOG_INFO, "shut down");
    }
    if (discovery->state == DISCOVERY_CLOSED)
        netron_completions_run(&discovery->shutdowns, UINT64_MAX, discovery->core, discovery, discovery->shutdown_code);
}

static void on_shutdown_timeout(void *arg)
{
    netron_discovery *discovery = arg;
    struct netron_failure why;
    netron_fail(&why, NETRON_ETIMEDOUT, "shutdown: %zu nodes could not be deregistered within %u ms (%s)",
                discovery->registrar.remaining, discovery->settings.shutdown_timeout_ms,
                netron_link_is_ready(discovery->link) ? "no answer" : netron_link_failure(discovery->link)->sentence);
    netron_core_note(discovery->core, &why);
    discovery->shutdown_code = why.code;
    netron_registrar_give_up(&discovery->registrar, &why);
    if (!discovery->freed)
        on_shutdown_progress(discovery);
}

static void on_record_repaired(void *arg)
{
    netron_discovery *discovery = arg;
    netron_janitor_look_once(&discovery->feed.janitor);
}

static void on_unserved(void *arg)
{
    netron_discovery *discovery = arg;
    netron_janitor_unserved(&discovery->feed.janitor);
}

static void on_registration_ended(void *arg, int code)
{
    netron_discovery *discovery = arg;
    if (discovery->state != DISCOVERY_LEAVING || discovery->freed)
        return;
    /* An id that another process took over is out of our hands: that is no failure to leave. */
    if (discovery->shutdown_code == 0 && code != NETRON_EREPLACED)
        discovery->shutdown_code = code;
    netron_core_after(discovery->core, &discovery->shutdown_progress, 0);
}

int netron_discovery_shutdown(netron_discovery *discovery, netron_done_fn done, void *arg)
{
    if (discovery == NULL)
        return NETRON_EINVAL;
    struct netron_core *core = discovery->core;
    netron_core_enter(core);
    int code = discovery->freed ? NETRON_ESHUTDOWN : 0;
    if (code == 0)
        code = netron_completions_add(&discovery->shutdowns, 0, done, arg);
    if (code == 0 && discovery->state == DISCOVERY_RUNNING) {
        discovery->state = DISCOVERY_LEAVING;
        discovery->registrar.closed = true;
        netron_registrar_leave(&discovery->registrar);
        netron_core_after(core, &discovery->shutdown_timeout, discovery->settings.shutdown_timeout_ms);
    }
    if (code == 0)
        netron_core_after(core, &discovery->shutdown_progress, 0);
    netron_core_leave(core);
    return code;
}

/* ---- beginning and end ---- */

static void destroy(struct netron_grave *grave)
{
    netron_discovery *discovery = (netron_discovery *)((char *)grave - offsetof(struct netron_discovery, grave));
    netron_lookups_close(&discovery->lookups);
    netron_feed_clear(&discovery->feed);
    free(discovery->registrar.registry_key);
    netron_settings_clear(&discovery->settings);
    free(discovery);
}

static int make_topology(netron_discovery *discovery)
{
    switch (discovery->settings.redis.kind) {
    case NETRON_URL_SENTINELS:
        return netron_sentinels_new(discovery->core, &discovery->settings, &discovery->topology);
    case NETRON_URL_CLUSTER:
        return netron_cluster_new(discovery->core, &discovery->settings, &discovery->topology);
    case NETRON_URL_SERVER:
        break;
    }
    return 0;
}

static int wire(netron_discovery *discovery)
{
    struct netron_core *core = discovery->core;
    int code = make_topology(discovery);
    if (code != 0)
        return code;
    code = netron_link_new(core, &discovery->settings, discovery->topology, NETRON_LINK_COMMANDS, &commands_events,
                           discovery, &discovery->link);
    if (code != 0)
        return code;
    discovery->registrar = (struct netron_registrar){
        .core = core,
        .settings = &discovery->settings,
        .link = discovery->link,
        .discovery = discovery,
        .registry_key = netron_key_name(discovery->settings.key_prefix, NETRON_KEY_REGISTRY, ""),
        .repaired = on_record_repaired,
        .unserved = on_unserved,
        .ended = on_registration_ended,
        .ended_arg = discovery,
    };
    discovery->lookups = (struct netron_lookups){
        .core = core, .settings = &discovery->settings, .link = discovery->link, .discovery = discovery};
    discovery->feed = (struct netron_feed){.core = core,
                                           .settings = &discovery->settings,
                                           .commands = discovery->link,
                                           .topology = discovery->topology,
                                           .registry_key = discovery->registrar.registry_key,
                                           .changed = on_events_changed,
                                           .arg = discovery,
                                           .skipped = &discovery->lookups.skipped};
    netron_deadline_init(&discovery->shutdown_progress, on_shutdown_progress, discovery);
    netron_deadline_init(&discovery->shutdown_timeout, on_shutdown_timeout, discovery);
    code = netron_feed_init(&discovery->feed); /* whatever else fails, so that it can be closed */
    if (code == 0 && discovery->registrar.registry_key == NULL)
        code = NETRON_ENOMEM;
    return code == 0 ? netron_lookups_open(&discovery->lookups) : code;
}

static bool is_complete(const netron_loop *loop)
{
    return loop != NULL && loop->size >= offsetof(netron_loop, resolver) && loop->io_new != NULL &&
           loop->io_update != NULL && loop->io_free != NULL && loop->timer_new != NULL && loop->timer_start != NULL &&
           loop->timer_stop != NULL && loop->timer_free != NULL && loop->now != NULL && loop->free != NULL &&
           (loop->resolve == NULL) == (loop->resolve_cancel == NULL);
}

/* Owns the loop from success on when owns_loop is set. */
static int new_on(netron_loop *loop, bool owns_loop, const netron_options *options, netron_discovery **out)
{
    struct netron_failure why = {0};
    netron_discovery *discovery = calloc(1, sizeof(*discovery));
    if (discovery == NULL)
        return NETRON_ENOMEM;
    int code = netron_settings_make(options, &discovery->settings, &why);
    const struct netron_log log = {.fn = discovery->settings.log, .arg = discovery->settings.log_arg};
    if (code == 0)
        code = netron_whereabouts_check(&discovery->settings.redis, loop, &why);
    if (code == 0) {
        code = netron_core_new(loop, owns_loop, &log, &discovery->core);
        if (code != 0)
            netron_fail(&why, code, "cannot begin: %s", netron_strerror(code));
    }
    if (code != 0) {
        netron_log(&log, NETRON_LOG_ERROR, "%s", why.sentence);
        destroy(&discovery->grave);
        return code;
    }
    netron_core_enter(discovery->core);
    code = wire(discovery);
    if (code == 0) {
        netron_link_open(discovery->link);
        *out = discovery;
    } else {
        discovery->core->owns_loop = false; /* the caller frees what it made */
        if (discovery->feed.core != NULL)   /* there was memory for the link below it */
            netron_feed_close(&discovery->feed);
        netron_link_free(discovery->link);
        netron_topology_free(discovery->topology);
        netron_core_dispose(discovery->core);
        netron_core_bury(discovery->core, &discovery->grave, destroy);
    }
    netron_core_leave(discovery->core);
    return code;
}

int netron_discovery_new_on(netron_loop *loop, const netron_options *options, netron_discovery **out)
{
    if (out == NULL || !is_complete(loop))
        return NETRON_EINVAL;
    return new_on(loop, false, options, out);
}

int netron_discovery_new(struct event_base *base, const netron_options *options, netron_discovery **out)
{
    netron_loop *loop = NULL;
    if (out == NULL)
        return NETRON_EINVAL;
    int code = netron_libevent_loop_new(base, &loop);
    if (code != 0)
        return code;
    code = new_on(loop, true, options, out);
    if (code != 0)
        netron_loop_free(loop);
    return code;
}

void netron_discovery_free(netron_discovery *discovery)
{
    if (discovery == NULL || discovery->freed)
        return;
    struct netron_core *core = discovery->core;
    netron_core_enter(core);
    discovery->freed = true;
    discovery->registrar.closed = true;
    netron_core_cancel(core, &discovery->shutdown_progress);
    netron_core_cancel(core, &discovery->shutdown_timeout);
    netron_registrar_free_all(&discovery->registrar);
    netron_feed_free_all(&discovery->feed);
    close_links(discovery);
    netron_completions_run(&discovery->shutdowns, UINT64_MAX, discovery->core, discovery, NETRON_ECANCELLED);
    netron_picker_views_detach(&discovery->pickers); /* the last word of a user can have made one more */
    netron_core_dispose(core);
    netron_core_bury(core, &discovery->grave, destroy);
    netron_core_leave(core);
}

struct netron_core *netron_discovery_core(const netron_discovery *discovery)
{
    return discovery->core;
}

struct netron_picker_views *netron_discovery_pickers(netron_discovery *discovery)
{
    return &discovery->pickers;
}

/* ---- calls that lead to a room ---- */

static int refuse_when_closed(netron_discovery *discovery, struct netron_failure *why)
{
    if (discovery->freed || discovery->state != DISCOVERY_RUNNING)
        return netron_fail(why, NETRON_ESHUTDOWN, "the discovery is shutting down");
    return 0;
}

static int conclude(netron_discovery *discovery, const struct netron_failure *why, int code)
{
    if (code != 0)
        netron_core_note(discovery->core, why);
    netron_core_leave(discovery->core);
    return code;
}

int netron_register(netron_discovery *discovery, const netron_node *node, netron_registration_fn on_change, void *arg,
                    netron_registration **out)
{
    struct netron_failure why = {0};
    netron_registration *registration = NULL;
    if (discovery == NULL)
        return NETRON_EINVAL;
    netron_core_enter(discovery->core);
    int code = refuse_when_closed(discovery, &why);
    if (code == 0)
        code = netron_registration_new(&discovery->registrar, node, on_change, arg, &registration, &why);
    if (code == 0 && out != NULL)
        *out = registration;
    return conclude(discovery, &why, code);
}

int netron_find_nodes_by_service(netron_discovery *discovery, const char *name, const char *version,
                                 netron_nodes_fn found, void *arg)
{
    struct netron_failure why = {0};
    if (discovery == NULL)
        return NETRON_EINVAL;
    netron_core_enter(discovery->core);
    int code = refuse_when_closed(discovery, &why);
    if (code == 0 && name == NULL)
        code = netron_fail(&why, NETRON_EINVAL, "name is NULL");
    if (code == 0)
        code = netron_lookups_find(&discovery->lookups, name, version, found, arg, &why);
    return conclude(discovery, &why, code);
}

int netron_get_active_nodes(netron_discovery *discovery, netron_nodes_fn found, void *arg)
{
    struct netron_failure why = {0};
    if (discovery == NULL)
        return NETRON_EINVAL;
    netron_core_enter(discovery->core);
    int code = refuse_when_closed(discovery, &why);
    if (code == 0)
        code = netron_lookups_find(&discovery->lookups, NULL, NULL, found, arg, &why);
    return conclude(discovery, &why, code);
}

int netron_is_node_active(netron_discovery *discovery, const char *id, netron_active_fn found, void *arg)
{
    struct netron_failure why = {0};
    if (discovery == NULL)
        return NETRON_EINVAL;
    netron_core_enter(discovery->core);
    int code = refuse_when_closed(discovery, &why);
    if (code == 0)
        code = netron_lookups_is_active(&discovery->lookups, id, found, arg, &why);
    return conclude(discovery, &why, code);
}

static int refuse_view(netron_discovery *discovery, struct netron_failure *why)
{
    int code = refuse_when_closed(discovery, why);
    if (code == 0 && !discovery->settings.pubsub_enabled)
        code = netron_fail(why, NETRON_EDISABLED,
                           "options.pubsub_enabled is 0: events can be neither published nor heard");
    return code;
}

int netron_view_open(netron_discovery *discovery)
{
    struct netron_failure why = {0};
    if (discovery == NULL)
        return NETRON_EINVAL;
    netron_core_enter(discovery->core);
    int code = refuse_view(discovery, &why);
    if (code == 0) {
        code = netron_feed_open(&discovery->feed);
        if (code != 0)
            netron_fail(&why, code, "no memory for the view");
    }
    return conclude(discovery, &why, code);
}

int netron_view_get_status(const netron_discovery *discovery, netron_view_status *status)
{
    if (discovery == NULL || status == NULL || status->size < sizeof(*status))
        return NETRON_EINVAL;
    netron_feed_get_status(&discovery->feed, status);
    return 0;
}

const char *netron_view_state_name(netron_view_state state)
{
    static const char *const names[] = {"closed", "syncing", "fresh", "stale", "protected"};
    return state >= NETRON_VIEW_CLOSED && state <= NETRON_VIEW_PROTECTED ? names[state] : "unknown";
}

const netron_snapshot *netron_view_find(netron_discovery *discovery, const char *name, const char *version_range)
{
    if (discovery == NULL || discovery->feed.state == NETRON_FEED_CLOSED)
        return NULL;
    return netron_catalogue_find(&discovery->feed.replica.catalogue, name, version_range);
}

const netron_snapshot *netron_view_node(netron_discovery *discovery, const char *id)
{
    if (discovery == NULL || id == NULL || discovery->feed.state == NETRON_FEED_CLOSED)
        return NULL;
    netron_node *node = netron_replica_node(&discovery->feed.replica, id);
    netron_snapshot *snapshot = netron_snapshot_new(node != NULL ? 1 : 0);
    if (snapshot != NULL && node != NULL)
        netron_snapshot_add(snapshot, node);
    return snapshot;
}

int netron_subscribe_to_events(netron_discovery *discovery, netron_event_fn on_event, void *arg,
                               netron_subscription **out)
{
    struct netron_failure why = {0};
    netron_subscription *subscription = NULL;
    if (discovery == NULL)
        return NETRON_EINVAL;
    netron_core_enter(discovery->core);
    int code = refuse_view(discovery, &why);
    if (code == 0 && on_event == NULL)
        code = netron_fail(&why, NETRON_EINVAL, "on_event is NULL");
    if (code == 0) {
        code = netron_feed_subscribe(&discovery->feed, on_event, arg, &subscription);
        if (code != 0)
            netron_fail(&why, code, "no memory for a subscription");
    }
    if (code == 0 && out != NULL)
        *out = subscription;
    return conclude(discovery, &why, code);
}

const char *netron_discovery_error(const netron_discovery *discovery)
{
    return discovery->core->failure.sentence;
}

int netron_discovery_stats(const netron_discovery *discovery, netron_stats *stats)
{
    if (discovery == NULL || stats == NULL || stats->size < STATS_FIRST_SIZE)
        return NETRON_EINVAL;
    size_t size = stats->size;
    memcpy(stats, &discovery->core->stats, size < sizeof(*stats) ? size : sizeof(*stats));
    stats->size = size;
    return 0;
}
