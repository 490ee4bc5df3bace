/* SPDX-License-Identifier: MIT */
#include "cluster.h"
#include "backoff.h"
#include "permission.h"
#include "redirect.h"
#include "slot.h"
#include "slot_map.h"
#include "visit.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* How often the nodes are asked while the primary cannot be reached, varied by up to 10 % both ways. */
#define WATCH_MS 700u

struct netron_cluster {
    struct netron_topology topology; /* first: this is one */
    struct netron_grave grave;
    const struct netron_settings *settings;
    unsigned slot;
    struct netron_slot_map map;         /* its primary may be newer, from a MOVED */
    bool is_trusted;                    /* the primary need not be asked for */
    struct netron_location unreachable; /* which primary was so; port 0: none */
    unsigned turn;                      /* which of the places a round begins with */
    unsigned attempts;                  /* rounds since one succeeded */
    bool is_asking;                     /* a round is under way */
    size_t step;                        /* of that round: where its next place may be */
    uint64_t round_ends;
    unsigned share_ms;             /* of the node that is being asked */
    struct netron_failure failure; /* of that round: the one worth telling */
    struct netron_visit visit;
    struct netron_deadline patience; /* with the node that is being asked */
    struct netron_deadline answer;
    struct netron_deadline watch;
};

static struct netron_cluster *of(struct netron_topology *topology)
{
    return (struct netron_cluster *)topology;
}

/* ---- a round: the nodes are asked in turn, until one knows ---- */

static void host_at(const struct netron_cluster *cluster, size_t position, struct netron_location *out)
{
    const struct netron_host *host = &cluster->settings->redis.hosts[position];
    netron_location_set(out, host->name, strlen(host->name), host->port);
}

static bool is_heard_of(const struct netron_cluster *cluster, const struct netron_location *place)
{
    for (size_t i = 0; i < cluster->map.node_count; i++)
        if (netron_location_same(&cluster->map.nodes[i], place))
            return true;
    return false;
}

static size_t step_count(const struct netron_cluster *cluster)
{
    size_t heard_of = cluster->map.node_count;
    size_t named = cluster->settings->redis.host_count;
    return 2 * (heard_of > named ? heard_of : named) + 1;
}

/* The nodes that were heard of and those of the URL take turns, for all of either may have changed. Last comes the one
 * that could not be reached: it can say nothing, and if it is alone, what was true once. False: there is no place at
 * this step, or one that has another. */
static bool place_at(const struct netron_cluster *cluster, size_t step, struct netron_location *out)
{
    size_t heard_of = cluster->map.node_count;
    size_t named = cluster->settings->redis.host_count;
    size_t number = step / 2;
    if (step + 1 == step_count(cluster)) {
        *out = cluster->unreachable;
        return out->port != 0;
    }
    if (number >= (step % 2 == 0 ? heard_of : named))
        return false;
    if (step % 2 == 0)
        *out = cluster->map.nodes[(cluster->turn + number) % heard_of];
    else
        host_at(cluster, (cluster->turn + number) % named, out);
    return !netron_location_same(out, &cluster->unreachable) && (step % 2 == 0 || !is_heard_of(cluster, out));
}

/* left: how many places there are from it on; 0: none. */
static void next_place(struct netron_cluster *cluster, struct netron_location *out, size_t *left)
{
    struct netron_location place;
    size_t count = step_count(cluster);
    *left = 0;
    for (size_t step = cluster->step; step < count; step++) {
        if (!place_at(cluster, step, &place) || ++*left > 1)
            continue;
        *out = place;
        cluster->step = step + 1;
    }
}

static void ask_next(struct netron_cluster *cluster);

static void end_round(struct netron_cluster *cluster)
{
    cluster->is_asking = false;
    cluster->turn += (unsigned)(cluster->step + 1) / 2;
    netron_core_cancel(cluster->topology.core, &cluster->patience);
    netron_visit_end(&cluster->visit);
}

static void watch_later(struct netron_cluster *cluster)
{
    struct netron_core *core = cluster->topology.core;
    netron_core_after(core, &cluster->watch, netron_backoff_vary(WATCH_MS, netron_core_random(core)));
}

/* A server that is in no cluster, too. */
static bool needs_operator(int code)
{
    return netron_failure_needs_operator(code) || code == NETRON_EREDIS;
}

/* Until the next round of itself, after one in which no node told who the primary is. */
static uint32_t next_delay(struct netron_cluster *cluster, int code)
{
    const struct netron_settings *settings = cluster->settings;
    uint64_t random = netron_core_random(cluster->topology.core);
    if (needs_operator(code))
        return netron_backoff_operator(settings->reconnect_max_ms, random);
    return netron_backoff_reconnect(settings->reconnect_min_ms, settings->reconnect_max_ms, cluster->attempts++,
                                    random);
}

static void conclude(struct netron_cluster *cluster)
{
    const struct netron_location primary = cluster->map.primary;
    end_round(cluster);
    cluster->attempts = 0;
    /* Who was not reachable a moment ago is tried whenever a link wants to, and watched beside that. */
    cluster->is_trusted = !netron_location_same(&primary, &cluster->unreachable);
    if (cluster->is_trusted)
        netron_core_cancel(cluster->topology.core, &cluster->watch);
    else
        watch_later(cluster);
    netron_topology_tell(&cluster->topology, &primary, NULL);
}

/* What Redis itself said explains more than that somebody was not there. */
static void note_failure(struct netron_cluster *cluster, const struct netron_failure *why)
{
    const struct netron_location *at = &cluster->visit.at;
    int known = cluster->failure.code;
    bool is_absence =
        known == 0 || known == NETRON_EDISCONNECTED || known == NETRON_ETIMEDOUT || known == NETRON_ERESOLVE;
    if (is_absence) {
        char address[NETRON_ADDRESS_SIZE];
        netron_fail(&cluster->failure, why->code, "cluster node %s: %s",
                    netron_address_text(address, at->host, at->port), why->sentence);
    }
}

static void fail_node(struct netron_cluster *cluster, const struct netron_failure *why)
{
    note_failure(cluster, why);
    netron_core_cancel(cluster->topology.core, &cluster->patience);
    netron_visit_end(&cluster->visit);
    ask_next(cluster);
}

static void fail_round(struct netron_cluster *cluster)
{
    const struct netron_failure why = cluster->failure;
    end_round(cluster);
    netron_core_after(cluster->topology.core, &cluster->watch, next_delay(cluster, why.code));
    netron_topology_tell(&cluster->topology, NULL, &why);
}

static void ask_next(struct netron_cluster *cluster)
{
    struct netron_core *core = cluster->topology.core;
    struct netron_location place;
    size_t left;
    next_place(cluster, &place, &left);
    cluster->share_ms = (unsigned)netron_topology_share(netron_core_now(core), cluster->round_ends, left);
    if (left == 0 || (cluster->share_ms < NETRON_TOPOLOGY_LEAST_SHARE_MS && cluster->failure.code != 0)) {
        fail_round(cluster);
        return;
    }
    netron_core_after(core, &cluster->patience, cluster->share_ms);
    netron_visit_begin(&cluster->visit, &place);
}

static void begin_round(struct netron_cluster *cluster)
{
    if (cluster->is_asking)
        return;
    cluster->is_asking = true;
    cluster->step = 0;
    cluster->round_ends = netron_core_now(cluster->topology.core) + cluster->settings->connect_timeout_ms;
    cluster->failure.code = 0;
    netron_core_cancel(cluster->topology.core, &cluster->watch);
    ask_next(cluster);
}

/* ---- from the node that is being asked ---- */

static int read_map(const struct netron_cluster *cluster, const struct netron_reply *reply, struct netron_slot_map *map,
                    struct netron_failure *why)
{
    if (netron_reply_error(reply) != NULL)
        return netron_permission_fail(cluster->settings, NULL, reply, "CLUSTER SLOTS", why);
    return netron_slot_map_read(reply, cluster->slot, &cluster->visit.at, map, why);
}

static void on_slots(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_cluster *cluster = arg;
    struct netron_failure why;
    if (!cluster->is_asking || cluster->visit.state == NETRON_VISIT_IDLE) /* the visit is over, and so is this */
        return;
    if (reply == NULL) {
        fail_node(cluster, failure);
        return;
    }
    struct netron_slot_map *map = calloc(1, sizeof(*map));
    int code = NETRON_ENOMEM;
    if (map == NULL)
        netron_fail(&why, code, "no memory for the slots of the cluster");
    else
        code = read_map(cluster, reply, map, &why);
    if (map != NULL && code == 0 && map->primary.port == 0)
        code = netron_fail(&why, NETRON_EUNAVAILABLE, "no node of the cluster serves slot %u", cluster->slot);
    if (map != NULL && code == 0)
        cluster->map = *map;
    free(map);
    if (code == 0)
        conclude(cluster);
    else
        fail_node(cluster, &why);
}

static void on_ready(void *arg)
{
    static const char *const words[] = {"CLUSTER", "SLOTS"};
    static const size_t lengths[] = {7, 5};
    struct netron_cluster *cluster = arg;
    struct netron_failure why;
    int code = netron_visit_send(&cluster->visit, 2, words, lengths, on_slots, cluster);
    if (code == 0)
        return;
    netron_fail(&why, code, "CLUSTER SLOTS: %s", netron_strerror(code));
    fail_node(cluster, &why);
}

static void on_ended(void *arg, const struct netron_failure *why)
{
    fail_node(arg, why);
}

static const struct netron_visit_events visit_events = {.ready = on_ready, .ended = on_ended};

static void on_patience(void *arg)
{
    struct netron_cluster *cluster = arg;
    struct netron_failure why;
    netron_fail(&why, NETRON_ETIMEDOUT, "no answer within %u ms", cluster->share_ms);
    fail_node(cluster, &why);
}

/* ---- for the links ---- */

static void on_answer(void *arg)
{
    struct netron_cluster *cluster = arg;
    if (!cluster->is_trusted) {
        begin_round(cluster);
        return;
    }
    const struct netron_location primary = cluster->map.primary;
    netron_topology_tell(&cluster->topology, &primary, NULL);
}

static void on_watch(void *arg)
{
    begin_round(arg);
}

static void ask(struct netron_topology *topology)
{
    netron_core_after(topology->core, &of(topology)->answer, 0);
}

static void confirmed(struct netron_topology *topology, const struct netron_location *at)
{
    struct netron_cluster *cluster = of(topology);
    cluster->map.primary = *at;
    cluster->is_trusted = true;
    cluster->unreachable.port = 0;
    netron_core_cancel(topology->core, &cluster->watch);
}

static void doubted(struct netron_topology *topology, const struct netron_location *at, const char *words)
{
    struct netron_cluster *cluster = of(topology);
    struct netron_location to;
    if (words != NULL && netron_redirect_parse(words, cluster->slot, at, &to) == NETRON_REDIRECT_MOVED &&
        to.host[0] != '\0') {
        cluster->map.primary = to;
        cluster->is_trusted = true;
        return;
    }
    if (!netron_location_same(at, &cluster->map.primary))
        return;
    bool is_there = words != NULL || netron_topology_is_reached(topology, at); /* it has no room for one more, say */
    if (!is_there)
        cluster->unreachable = *at;
    else if (netron_location_same(at, &cluster->unreachable))
        cluster->unreachable.port = 0;
    cluster->is_trusted = false;
    if (!cluster->is_asking && !cluster->watch.set)
        watch_later(cluster);
}

/* Where all nodes have one port, none can be told from the others by it. */
static bool find(struct netron_topology *topology, uint16_t port, const struct netron_location *beside,
                 struct netron_location *out)
{
    struct netron_cluster *cluster = of(topology);
    size_t found = 0;
    for (size_t i = 0; i < cluster->map.node_count; i++) {
        const struct netron_location *node = &cluster->map.nodes[i];
        if (node->port == port && !netron_location_same(node, beside)) {
            *out = *node;
            found++;
        }
    }
    if (found == 0 && !cluster->is_asking && !cluster->watch.set) /* it is new here */
        watch_later(cluster);
    return found == 1;
}

static void destroy(struct netron_grave *grave)
{
    free((char *)grave - offsetof(struct netron_cluster, grave));
}

static void free_cluster(struct netron_topology *topology)
{
    struct netron_cluster *cluster = of(topology);
    end_round(cluster);
    netron_core_cancel(topology->core, &cluster->answer);
    netron_core_cancel(topology->core, &cluster->watch);
    netron_core_bury(topology->core, &cluster->grave, destroy);
}

static const struct netron_topology_kind kind = {
    .ask = ask, .confirmed = confirmed, .doubted = doubted, .find = find, .free = free_cluster};

int netron_cluster_new(struct netron_core *core, const struct netron_settings *settings, struct netron_topology **out)
{
    struct netron_cluster *cluster = calloc(1, sizeof(*cluster));
    if (cluster == NULL)
        return NETRON_ENOMEM;
    cluster->topology = (struct netron_topology){.kind = &kind, .core = core};
    cluster->settings = settings;
    cluster->slot = netron_slot_of(settings->key_prefix);
    cluster->turn = (unsigned)netron_core_random(core); /* so that a fleet does not ask one of the nodes alone */
    netron_visit_init(&cluster->visit, core, settings, &visit_events, cluster);
    netron_deadline_init(&cluster->patience, on_patience, cluster);
    netron_deadline_init(&cluster->answer, on_answer, cluster);
    netron_deadline_init(&cluster->watch, on_watch, cluster);
    *out = &cluster->topology;
    return 0;
}
