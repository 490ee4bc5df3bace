/* SPDX-License-Identifier: MIT */
#include "feed.h"
#include "backoff.h"
#include "keys.h"
#include "node.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char plain_subscribe[] = "SUBSCRIBE";
static const char shard_subscribe[] = "SSUBSCRIBE";

#define RETRY_MIN_MS 200u /* between syncs that failed while both links were up */
#define RETRY_MAX_MS 10000u
#define GAP_MS 200u      /* for an event on its way, after a look over the other link told of its change */
#define SEARCH_MS 100u   /* between parts of a search for more nodes than the janitor takes at once */
#define FOREIGN_MS 5000u /* a foreign fleet on the channel costs one sync in this time */

static void enter(struct netron_feed *feed, enum netron_feed_state state, const char *why)
{
    static const char *const names[] = {"closed", "subscribing", "syncing", "live"};
    netron_log(&feed->core->log, NETRON_LOG_DEBUG, "feed: %s -> %s (%s)", names[feed->state], names[state], why);
    feed->state = state;
    netron_core_cancel(feed->core, &feed->next_sync);
}

/* ---- syncing ---- */

static void cancel_grace(struct netron_feed *feed)
{
    netron_core_cancel(feed->core, &feed->grace);
    netron_core_cancel(feed->core, &feed->search);
    netron_survivors_abort(&feed->survivors);
}

/* Nobody comes back while Redis is away, so the time to come back in begins anew when the feed is live again. */
static void grow_stale(struct netron_feed *feed)
{
    cancel_grace(feed);
    if (feed->stale_since == 0 && feed->subscriptions.is_synced)
        feed->stale_since = netron_core_now(feed->core);
}

static void begin_sync(struct netron_feed *feed, const char *why)
{
    if (feed->state != NETRON_FEED_SYNCING)
        enter(feed, NETRON_FEED_SYNCING, why);
    netron_core_cancel(feed->core, &feed->next_sync);
    if (!netron_sync_is_idle(&feed->sync))
        return;
    feed->must_reach = 0;
    if (netron_link_is_ready(feed->commands))
        netron_sync_begin(&feed->sync);
    else
        grow_stale(feed);
}

static void begin_grace(struct netron_feed *feed)
{
    netron_survivors_abort(&feed->survivors); /* others are missing now, or the same ones again */
    netron_replica_begin_search(&feed->replica);
    netron_core_after(feed->core, &feed->grace, feed->replica.ttl_max);
    netron_core_after(feed->core, &feed->search, feed->replica.ttl_max / 2);
}

/* Who lives is waited for once more: his repair beat enters him again. */
static void on_judged(void *arg, const struct netron_failure *why)
{
    struct netron_feed *feed = arg;
    if (why != NULL)
        netron_log(&feed->core->log, NETRON_LOG_WARNING, "the missing nodes could not be asked for: %s", why->sentence);
    if (feed->replica.kept > 0)
        begin_grace(feed);
}

/* The time for which missing nodes are kept begins anew whenever there are other ones. */
static void align_grace(struct netron_feed *feed)
{
    bool is_over = feed->is_grace_over && !feed->replica.kept_anew;
    feed->is_grace_over = false;
    if (feed->replica.kept == 0)
        cancel_grace(feed);
    else if (is_over ? netron_survivors_begin(&feed->survivors, feed->sync.revision) != 0
                     : !feed->grace.set || feed->replica.kept_anew)
        begin_grace(feed);
    feed->replica.kept_anew = false;
}

/* Pub/Sub knows no databases: a fleet with the same prefix in another one is heard as well. */
static void judge_suspect(struct netron_feed *feed)
{
    if (strcmp(feed->foreign, feed->sync.epoch) == 0)
        feed->foreign[0] = '\0';
    if (feed->suspect[0] != '\0' && strcmp(feed->suspect, feed->sync.epoch) != 0) {
        memcpy(feed->foreign, feed->suspect, sizeof(feed->foreign));
        feed->foreign_until = netron_core_now(feed->core) + FOREIGN_MS;
    }
    feed->suspect[0] = '\0';
}

static void go_live(struct netron_feed *feed)
{
    enter(feed, NETRON_FEED_LIVE, "synced");
    feed->attempts = 0;
    feed->stale_since = 0;
    uint32_t period = feed->settings->anti_entropy_interval_ms;
    netron_core_after(feed->core, &feed->next_sync, netron_backoff_vary(period, netron_core_random(feed->core)));
    align_grace(feed);
    judge_suspect(feed);
    netron_subscriptions_synced(&feed->subscriptions);
}

static void on_synced(void *arg, const struct netron_failure *why)
{
    struct netron_feed *feed = arg;
    if (feed->state != NETRON_FEED_SYNCING)
        return;
    if (why == NULL && feed->must_reach > feed->sync.revision) {
        begin_sync(feed, "more was heard of");
        return;
    }
    if (why == NULL) {
        go_live(feed);
        return;
    }
    feed->is_grace_over = false;
    /* Without a commands link its return begins the next sync. */
    netron_log(&feed->core->log, feed->attempts == 0 ? NETRON_LOG_WARNING : NETRON_LOG_DEBUG, "%s", why->sentence);
    grow_stale(feed);
    if (feed->sync.is_doubted)
        netron_janitor_doubt(&feed->janitor, feed->sync.epoch);
    uint64_t random = netron_core_random(feed->core);
    uint32_t spread = netron_backoff_reconnect(RETRY_MIN_MS, RETRY_MAX_MS, feed->attempts++, random);
    netron_core_after(feed->core, &feed->next_sync, RETRY_MIN_MS + spread);
}

static void on_next_sync(void *arg)
{
    struct netron_feed *feed = arg;
    if (feed->state == NETRON_FEED_LIVE && !netron_link_is_ready(feed->commands))
        netron_core_after(feed->core, &feed->next_sync, feed->settings->anti_entropy_interval_ms);
    else
        begin_sync(feed, "it is time");
}

/* Changes that are never published (a process without Pub/Sub, a user who may not publish) are seen by the looks. */
static bool is_behind(const struct netron_feed *feed, const char *epoch, uint64_t revision)
{
    return feed->state == NETRON_FEED_LIVE && (strcmp(epoch, feed->sync.epoch) != 0 || revision > feed->sync.revision);
}

/* A registry that stands before what was known when it was asked has lost its latest changes. Its events do not show
 * that as long as they are about nodes that changed in what is lost: they look like late messages. */
static bool is_rolled_back(const struct netron_feed *feed, const char *epoch, uint64_t revision, uint64_t known)
{
    return feed->state == NETRON_FEED_LIVE && strcmp(epoch, feed->sync.epoch) == 0 && revision < known &&
           revision < feed->sync.revision;
}

static void on_looked(void *arg, const char *epoch, uint64_t revision, uint64_t known)
{
    struct netron_feed *feed = arg;
    if (is_rolled_back(feed, epoch, revision, known)) {
        begin_sync(feed, "the registry is at an older change than before");
        return;
    }
    if (feed->gap.set || !is_behind(feed, epoch, revision) || strlen(epoch) > NETRON_EPOCH_MAX)
        return;
    memcpy(feed->gap_epoch, epoch, strlen(epoch) + 1);
    feed->gap_revision = revision;
    netron_core_after(feed->core, &feed->gap, GAP_MS);
}

static void on_gap(void *arg)
{
    struct netron_feed *feed = arg;
    if (is_behind(feed, feed->gap_epoch, feed->gap_revision))
        begin_sync(feed, "changes were not heard of");
}

static bool search_for(void *arg, const char *id)
{
    return netron_janitor_hint(arg, id);
}

/* Where the index of the nodes was lost with the registry, nobody but who watched knows of nodes that live on: they
 * beat, and are entered again by their next repair beat only, which may come later than the grace ends. Of many there
 * is not room for all at once; and for the last ones, too, there is half the grace to be found in. */
static void on_search(void *arg)
{
    struct netron_feed *feed = arg;
    if (!netron_replica_search(&feed->replica, search_for, &feed->janitor))
        netron_core_after(feed->core, &feed->search, SEARCH_MS);
    netron_core_after(feed->core, &feed->grace, feed->replica.ttl_max - feed->replica.ttl_max / 2);
}

/* They may have come back unheard, for not everybody publishes: so the registry is asked once more. Nobody is told dead
 * while Redis is away; being live again begins anew. */
static void on_grace_over(void *arg)
{
    struct netron_feed *feed = arg;
    if (feed->state != NETRON_FEED_LIVE)
        return;
    feed->is_grace_over = netron_link_is_ready(feed->commands);
    begin_sync(feed, "the grace period is over");
}

/* ---- from the channel ---- */

/* What does not add up is told to nobody: it is forged, or of another history. */
static bool adds_up(const struct netron_feed *feed, const struct netron_parsed_event *event)
{
    uint64_t tag = event->type == NETRON_NODE_DEREGISTERED ? 0 : event->tag;
    return netron_replica_digest_with(&feed->replica, event->node->id, tag) == event->digest;
}

static void apply(struct netron_feed *feed, struct netron_parsed_event *event)
{
    const char *id = event->node->id;
    netron_node *held = netron_node_retain(event->node); /* its id is needed to the end */
    struct netron_failure why;
    int code = 0;
    feed->sync.revision = event->revision;
    netron_janitor_seen(&feed->janitor, id);
    if (event->type == NETRON_NODE_DEREGISTERED) {
        netron_replica_remove(&feed->replica, id, strlen(id), event->reason, event->revision);
    } else {
        struct netron_record record = {.revision = event->revision, .tag = event->tag, .ttl_ms = event->ttl_ms};
        memcpy(record.incarnation, event->incarnation, sizeof(record.incarnation));
        record.node = event->node;
        event->node = NULL;
        code = netron_witness_judge(&feed->witness, id, &record, &event->stamp, &why);
        if (code == 0)
            code = netron_replica_put(&feed->replica, id, strlen(id), &record);
        netron_record_drop_node(&record);
    }
    netron_node_free(held);
    if (!feed->replica.closed && code != 0)
        begin_sync(feed, "no memory for an event");
}

static void on_revisioned(struct netron_feed *feed, struct netron_parsed_event *event)
{
    bool is_departure = event->type == NETRON_NODE_DEREGISTERED;
    /* Where there was a registry before, this may be a late message of that one. */
    bool is_birth = feed->sync.epoch[0] == '\0' && event->revision == 1 && feed->replica.kept == 0;
    if (is_birth && feed->state == NETRON_FEED_LIVE) /* there was no registry: its first change is all there is */
        memcpy(feed->sync.epoch, event->epoch, sizeof(feed->sync.epoch));
    bool is_same_history = strcmp(event->epoch, feed->sync.epoch) == 0;
    bool is_foreign = !is_same_history && strcmp(event->epoch, feed->foreign) == 0;
    if (is_foreign && netron_core_now(feed->core) < feed->foreign_until)
        return;
    if (!is_same_history)
        memcpy(feed->suspect, event->epoch, sizeof(feed->suspect));
    if (feed->state != NETRON_FEED_LIVE) {
        uint64_t reach = is_same_history ? event->revision : UINT64_MAX;
        feed->must_reach = reach > feed->must_reach ? reach : feed->must_reach;
    } else if (!is_same_history) {
        begin_sync(feed, "an event of another history");
    } else if (event->revision == feed->sync.revision + 1) {
        if (adds_up(feed, event))
            apply(feed, event);
        else
            begin_sync(feed, "an event does not add up");
    } else if (event->revision > feed->sync.revision) {
        begin_sync(feed, "events are missing");
    } else if (!netron_replica_holds(&feed->replica, event->node->id, event->revision, is_departure)) {
        begin_sync(feed, "an event of a history that was rolled back");
    }
}

/* The original says at every beat that a node was updated: that is news only when it says something new, and of a node
 * that is not believed none at all. */
static void on_hint(struct netron_feed *feed, const struct netron_parsed_event *event)
{
    const netron_node *known = netron_replica_node(&feed->replica, event->node->id);
    if (netron_keyring_is_strict(&feed->settings->keyring) && netron_replica_is_unread(&feed->replica, event->node->id))
        return;
    if (event->type == NETRON_NODE_DEREGISTERED ? known != NULL
                                                : known == NULL || !netron_node_same(known, event->node))
        netron_janitor_hint(&feed->janitor, event->node->id);
}

/* What there was no memory for counts as not heard. */
static void miss(struct netron_feed *feed)
{
    if (feed->state == NETRON_FEED_LIVE)
        begin_sync(feed, "no memory for an event");
    else
        feed->must_reach = UINT64_MAX;
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
    struct netron_parsed_event event;
    size_t length = 0;
    if (netron_reply_is_text(netron_reply_at(reply, 0), "pong") || netron_reply_is_text(reply, "PONG"))
        return;
    if (netron_reply_error(reply) != NULL) {
        netron_link_fail(feed->link, NULL, reply, "the subscription", &why);
        netron_link_reject(feed->link, &why);
        return;
    }
    const char *payload = netron_reply_text(netron_reply_at(reply, 2), &length);
    const struct netron_reply *type = netron_reply_at(reply, 0);
    if (netron_reply_is_text(type, "sunsubscribe")) {
        netron_fail(&why, NETRON_EUNAVAILABLE, "the slot of the channel has left this node of the cluster");
        netron_link_leave(feed->link, &why);
        return;
    }
    if ((!netron_reply_is_text(type, "message") && !netron_reply_is_text(type, "smessage")) || payload == NULL) {
        skip(feed, "it has not the shape of a message");
        return;
    }
    int code = netron_event_parse(payload, length, &event, &why);
    if (code == NETRON_ENOMEM)
        miss(feed);
    else if (code != 0)
        skip(feed, why.sentence);
    else if (event.revision > 0)
        on_revisioned(feed, &event);
    else
        on_hint(feed, &event);
    netron_event_clear(&event);
}

/* A record that was refused as an older one would not be any more. */
static void on_forgotten(void *arg)
{
    struct netron_feed *feed = arg;
    netron_sync_doubt(&feed->sync);
    if (feed->state == NETRON_FEED_LIVE)
        begin_sync(feed, "what was refused is looked at again");
}

/* ---- from the links ---- */

static void on_subscribed(void *arg, const struct netron_reply *reply, const struct netron_failure *failure);

static void subscribe(struct netron_feed *feed, const char *command)
{
    const char *const words[] = {command, feed->settings->pubsub_channel};
    const size_t lengths[] = {strlen(command), strlen(feed->settings->pubsub_channel)};
    struct netron_failure why;
    feed->subscribing = command;
    int code = netron_link_send(feed->link, 2, words, lengths, on_subscribed, feed);
    if (code == 0) {
        netron_link_stream(feed->link); /* messages may come in the same bytes as the acknowledgement */
    } else {
        netron_fail(&why, code, "%s: %s", command, netron_strerror(code));
        netron_link_reject(feed->link, &why);
    }
}

/* Shard channels came with Redis 7; where they are not known, the scripts publish on the other kind (publish.lua). */
static bool knows_no_shards(const struct netron_feed *feed, const struct netron_reply *reply)
{
    static const char unknown[] = "ERR unknown command";
    const char *error = netron_reply_error(reply);
    return feed->subscribing == shard_subscribe && error != NULL && strncmp(error, unknown, sizeof(unknown) - 1) == 0;
}

static void on_subscribed(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_feed *feed = arg;
    struct netron_failure why;
    const struct netron_reply *type = netron_reply_at(reply, 0);
    if (reply == NULL) {
        (void)failure; /* the link tells it as well */
    } else if ((netron_reply_is_text(type, "subscribe") || netron_reply_is_text(type, "ssubscribe")) &&
               netron_reply_is_text(netron_reply_at(reply, 1), feed->settings->pubsub_channel)) {
        begin_sync(feed, "subscribed");
        feed->changed(feed->arg, NULL);
    } else if (knows_no_shards(feed, reply)) {
        subscribe(feed, plain_subscribe);
    } else {
        char what[16 + NETRON_CHANNEL_MAX];
        snprintf(what, sizeof(what), "%s %s", feed->subscribing, feed->settings->pubsub_channel);
        netron_link_fail(feed->link, NULL, reply, what, &why);
        netron_link_reject(feed->link, &why);
    }
}

static void on_ready(void *arg)
{
    struct netron_feed *feed = arg;
    feed->garbage_logged = false;
    subscribe(feed, netron_link_is_in_cluster(feed->link) ? shard_subscribe : plain_subscribe);
}

static void on_down(void *arg, const struct netron_failure *why)
{
    struct netron_feed *feed = arg;
    netron_sync_abort(&feed->sync);
    feed->is_grace_over = false;
    if (feed->state != NETRON_FEED_SUBSCRIBING)
        enter(feed, NETRON_FEED_SUBSCRIBING, why->sentence);
    grow_stale(feed);
    feed->changed(feed->arg, why);
}

void netron_feed_commands_ready(struct netron_feed *feed)
{
    netron_janitor_link_ready(&feed->janitor);
    if (feed->state == NETRON_FEED_SYNCING || feed->state == NETRON_FEED_LIVE)
        begin_sync(feed, "Redis is back");
}

void netron_feed_commands_down(struct netron_feed *feed)
{
    grow_stale(feed); /* what it misses it could not fetch */
    netron_janitor_link_down(&feed->janitor);
}

static const struct netron_link_events link_events = {.ready = on_ready, .down = on_down, .message = on_message};

/* ---- to the user ---- */

static void on_changed(void *arg, netron_event_type type, netron_node *node, const char *reason, uint64_t revision)
{
    struct netron_feed *feed = arg;
    if (type == NETRON_NODE_DEREGISTERED)
        netron_witness_departed(&feed->witness, node->id);
    const netron_event event = {
        .size = sizeof(event), .type = type, .node = node, .reason = reason, .revision = revision};
    netron_subscriptions_tell(&feed->subscriptions, &event);
}

static const netron_snapshot *picture(void *arg)
{
    struct netron_feed *feed = arg;
    return netron_catalogue_find(&feed->replica.catalogue, NULL, NULL);
}

void netron_feed_get_status(const struct netron_feed *feed, netron_view_status *status)
{
    if (feed->state == NETRON_FEED_CLOSED)
        status->state = NETRON_VIEW_CLOSED;
    else if (!feed->subscriptions.is_synced)
        status->state = NETRON_VIEW_SYNCING;
    else if (feed->stale_since != 0)
        status->state = NETRON_VIEW_STALE;
    else
        status->state =
            feed->replica.kept > 0 || feed->janitor.is_protecting ? NETRON_VIEW_PROTECTED : NETRON_VIEW_FRESH;
    bool is_stale = status->state == NETRON_VIEW_STALE;
    status->stale_ms = is_stale ? netron_core_now(feed->core) - feed->stale_since : 0;
    status->revision = feed->sync.revision;
    status->node_count = netron_catalogue_count(&feed->replica.catalogue);
    status->kept_count = feed->replica.kept;
    status->syncs = feed->sync.syncs;
    status->full_syncs = feed->sync.full_syncs;
    status->faults = feed->sync.faults;
}

/* ---- beginning and end ---- */

int netron_feed_init(struct netron_feed *feed)
{
    netron_deadline_init(&feed->next_sync, on_next_sync, feed);
    netron_deadline_init(&feed->grace, on_grace_over, feed);
    netron_deadline_init(&feed->search, on_search, feed);
    netron_deadline_init(&feed->gap, on_gap, feed);
    feed->records_key = netron_key_name(feed->settings->key_prefix, NETRON_KEY_RECORDS, "");
    feed->subscriptions = (struct netron_subscriptions){
        .core = feed->core, .revision = &feed->sync.revision, .picture = picture, .picture_arg = feed};
    feed->janitor = (struct netron_janitor){.core = feed->core,
                                            .settings = feed->settings,
                                            .link = feed->commands,
                                            .registry_key = feed->registry_key,
                                            .looked = on_looked,
                                            .arg = feed,
                                            .revision = &feed->sync.revision};
    netron_janitor_init(&feed->janitor);
    feed->witness = (struct netron_witness){.core = feed->core,
                                            .settings = feed->settings,
                                            .skipped = feed->skipped,
                                            .hears_departures = true,
                                            .again = on_forgotten,
                                            .arg = feed};
    netron_witness_open(&feed->witness);
    feed->sync = (struct netron_sync){.core = feed->core,
                                      .link = feed->commands,
                                      .registry_key = feed->registry_key,
                                      .records_key = feed->records_key,
                                      .replica = &feed->replica,
                                      .skipped = feed->skipped,
                                      .witness = &feed->witness,
                                      .page = netron_keyring_page(&feed->settings->keyring),
                                      .done = on_synced,
                                      .arg = feed};
    feed->survivors = (struct netron_survivors){
        .link = feed->commands, .settings = feed->settings, .replica = &feed->replica, .done = on_judged, .arg = feed};
    if (feed->records_key == NULL)
        return NETRON_ENOMEM;
    int code = netron_replica_open(&feed->replica, on_changed, feed);
    feed->replica.ttl_max = feed->settings->heartbeat_ttl_ms;
    return code;
}

int netron_feed_open(struct netron_feed *feed)
{
    if (feed->link != NULL)
        return 0;
    int code = netron_link_new(feed->core, feed->settings, feed->topology, NETRON_LINK_EVENTS, &link_events, feed,
                               &feed->link);
    if (code != 0)
        return code;
    enter(feed, NETRON_FEED_SUBSCRIBING, "opened");
    netron_link_open(feed->link);
    netron_janitor_open(&feed->janitor);
    return 0;
}

int netron_feed_subscribe(struct netron_feed *feed, netron_event_fn on_event, void *arg, netron_subscription **out)
{
    int code = netron_feed_open(feed);
    return code != 0 ? code : netron_subscriptions_add(&feed->subscriptions, on_event, arg, out);
}

void netron_feed_close(struct netron_feed *feed)
{
    if (feed->state != NETRON_FEED_CLOSED)
        enter(feed, NETRON_FEED_CLOSED, "closed");
    netron_sync_abort(&feed->sync);
    netron_janitor_close(&feed->janitor);
    cancel_grace(feed);
    netron_core_cancel(feed->core, &feed->gap);
    netron_replica_close(&feed->replica);
    netron_witness_close(&feed->witness);
    netron_link_free(feed->link);
    feed->link = NULL;
}

void netron_feed_free_all(struct netron_feed *feed)
{
    netron_subscriptions_free_all(&feed->subscriptions);
}

void netron_feed_clear(struct netron_feed *feed)
{
    free(feed->records_key);
    feed->records_key = NULL;
}
