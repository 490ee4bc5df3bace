/* SPDX-License-Identifier: MIT */
#include "redis_cluster.h"
#include "world.h"
#include <signal.h>
#include <slot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 30000u
#define ARGUMENTS_MAX 24
/* The port of the bus is this much above a node's own. Both lie below what the system gives to connections. */
#define BUS_ABOVE 10000u
#define PORT_MIN 10000u
#define PORT_MAX 22000u

#define ASK_UNTIL(condition, what)                                                                                     \
    do {                                                                                                               \
        uint64_t limit = world_clock_ms() + LIMIT_MS;                                                                  \
        while (!(condition)) {                                                                                         \
            ck_assert_msg(world_clock_ms() < limit, "waited in vain for %s", what);                                    \
            pause_a_moment();                                                                                          \
        }                                                                                                              \
    } while (0)

static void pause_a_moment(void)
{
    const struct timespec moment = {0, 5000000};
    nanosleep(&moment, NULL);
}

/* ---- ports ---- */

static bool hold_both(unsigned port)
{
    unsigned bus = port + BUS_ABOVE;
    return server_hold_port(&port) && server_hold_port(&bus);
}

/* Other programs look for ports at the same time, so each begins elsewhere. */
static void choose_ports(struct cluster *cluster)
{
    unsigned port = PORT_MIN + (unsigned)getpid() * 37u % (PORT_MAX - PORT_MIN);
    for (size_t i = 0; i < cluster->count; i++) {
        do
            port = port + 1 < PORT_MAX ? port + 1 : PORT_MIN;
        while (!hold_both(port));
        cluster->port[i] = port;
    }
}

/* ---- what the nodes say ---- */

static bool runs(const struct cluster *cluster, size_t node)
{
    return cluster->node[node].pid > 0;
}

/* Whether the answer to a question that lists texts holds this one. */
static bool says(struct cluster *cluster, size_t node, const char *question, const char *text)
{
    redisReply *reply = server_ask(&cluster->node[node], question);
    bool found = reply->str != NULL && strstr(reply->str, text) != NULL;
    freeReplyObject(reply);
    return found;
}

static size_t count_in(const char *text, const char *wanted)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, wanted)) != NULL; at += strlen(wanted))
        count++;
    return count;
}

static bool knows_all(struct cluster *cluster, size_t node)
{
    redisReply *reply = server_ask(&cluster->node[node], "CLUSTER NODES");
    size_t known = 0;
    for (size_t i = 0; i < cluster->count; i++)
        known += strstr(reply->str, cluster->id[i]) != NULL;
    bool is_whole = known == cluster->count && count_in(reply->str, "handshake") == 0;
    freeReplyObject(reply);
    return is_whole;
}

static bool is_replica(struct cluster *cluster, size_t node)
{
    return says(cluster, node, "INFO replication", "role:slave");
}

static bool is_well(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->count; i++) {
        if (!runs(cluster, i))
            continue;
        if (!says(cluster, i, "CLUSTER INFO", "cluster_state:ok"))
            return false;
        if (is_replica(cluster, i) && !says(cluster, i, "INFO replication", "master_link_status:up"))
            return false;
    }
    return true;
}

void cluster_settle(struct cluster *cluster)
{
    ASK_UNTIL(is_well(cluster), "a cluster that is well");
}

/* ---- beginning and end ---- */

static void start_node(struct cluster *cluster, size_t node, const char *const *extra, bool is_first)
{
    char port[16];
    char timeout[16];
    snprintf(port, sizeof(port), "%u", cluster->port[node]);
    snprintf(timeout, sizeof(timeout), "%d", CLUSTER_NODE_TIMEOUT_MS);
    const char *arguments[ARGUMENTS_MAX] = {"--port",
                                            port,
                                            "--bind",
                                            "127.0.0.1",
                                            "--cluster-enabled",
                                            "yes",
                                            "--cluster-node-timeout",
                                            timeout,
                                            "--cluster-replica-validity-factor",
                                            "0", /* however long it was apart from its primary, it takes over */
                                            "--repl-diskless-sync-delay",
                                            "0"};
    size_t count = 12;
    for (; extra != NULL && *extra != NULL && count + 1 < ARGUMENTS_MAX; extra++)
        arguments[count++] = *extra;
    if (is_first)
        server_start(&cluster->node[node], arguments);
    else
        server_start_again(&cluster->node[node], arguments);
}

static void give_slots(struct cluster *cluster, size_t node)
{
    unsigned begin = (unsigned)(NETRON_SLOTS * node / cluster->primaries);
    unsigned end = (unsigned)(NETRON_SLOTS * (node + 1) / cluster->primaries - 1);
    server_expect(&cluster->node[node], "OK", "CLUSTER ADDSLOTSRANGE %u %u", begin, end);
    server_expect(&cluster->node[node], "OK", "CLUSTER SET-CONFIG-EPOCH %u", (unsigned)node + 1);
}

static void join(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->count; i++)
        server_text(&cluster->node[i], cluster->id[i], sizeof(cluster->id[i]), "CLUSTER MYID");
    for (size_t i = 0; i < cluster->primaries; i++)
        give_slots(cluster, i);
    for (size_t i = 1; i < cluster->count; i++)
        server_expect(&cluster->node[0], "OK", "CLUSTER MEET 127.0.0.1 %u", cluster->port[i]);
    for (size_t i = 0; i < cluster->count; i++)
        ASK_UNTIL(knows_all(cluster, i), "nodes that know each other");
    size_t primaries = cluster->primaries > 0 ? cluster->primaries : 1;
    for (size_t i = primaries; i < cluster->count; i++)
        server_expect(&cluster->node[i], "OK", "CLUSTER REPLICATE %s", cluster->id[i % primaries]);
    for (size_t i = 0; i < cluster->count; i++)
        ASK_UNTIL(is_replica(cluster, i) == (i >= cluster->primaries), "replicas");
    cluster_settle(cluster);
}

static void write_url(struct cluster *cluster)
{
    bool has_tls = cluster->node[0].tls_port[0] != '\0';
    cluster->scheme = has_tls ? "rediss+cluster" : "redis+cluster";
    for (size_t i = 0; i < cluster->count; i++) {
        size_t length = strlen(cluster->url);
        cluster->client_port[i] = has_tls ? (unsigned)atoi(cluster->node[i].tls_port) : cluster->port[i];
        snprintf(cluster->url + length, sizeof(cluster->url) - length, "%s%s127.0.0.1:%u",
                 i == 0 ? cluster->scheme : "", i == 0 ? "://" : ",", cluster->client_port[i]);
    }
}

void cluster_start(struct cluster *cluster, size_t primaries, size_t replicas, const char *const *extra)
{
    *cluster = (struct cluster){.count = primaries + replicas, .primaries = primaries};
    ck_assert_uint_le(cluster->count, CLUSTER_NODES_MAX);
    choose_ports(cluster);
    for (size_t i = 0; i < cluster->count; i++)
        start_node(cluster, i, extra, true);
    write_url(cluster);
    join(cluster);
    cluster_forget(cluster);
}

void cluster_stop(struct cluster *cluster)
{
    for (size_t i = cluster->count; i-- > 0;) /* what a server trusts is what those before it do, and itself */
        server_stop(&cluster->node[i]);
    cluster->count = 0;
}

void cluster_forget(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->count; i++)
        server_forget(&cluster->node[i]);
}

const char *cluster_url_of(const struct cluster *cluster, size_t node, char *out, size_t size)
{
    snprintf(out, size, "%s://127.0.0.1:%u", cluster->scheme, cluster->client_port[node]);
    return out;
}

void cluster_kill(struct cluster *cluster, size_t node)
{
    server_kill(&cluster->node[node]);
}

void cluster_start_again(struct cluster *cluster, size_t node)
{
    start_node(cluster, node, NULL, false);
}

/* ---- who serves what ---- */

/* A node that is being left by the slot serves what it still has, and says ASK for the rest. */
static bool serves(struct cluster *cluster, size_t node, const char *key)
{
    if (!runs(cluster, node))
        return false;
    redisReply *reply = server_ask(&cluster->node[node], "EXISTS %s", key);
    bool is_home = reply->type == REDIS_REPLY_INTEGER || strncmp(reply->str, "ASK ", 4) == 0;
    freeReplyObject(reply);
    return is_home;
}

static bool find_home(struct cluster *cluster, const char *key, size_t *home)
{
    for (*home = 0; *home < cluster->count; ++*home)
        if (serves(cluster, *home, key))
            return true;
    return false;
}

size_t cluster_home_of(struct cluster *cluster, const char *key)
{
    size_t home = 0;
    ASK_UNTIL(find_home(cluster, key, &home), "a node that serves the key");
    return home;
}

size_t cluster_replica_of(struct cluster *cluster, size_t node)
{
    char follows[32];
    snprintf(follows, sizeof(follows), "master_port:%u", cluster->port[node]);
    for (size_t i = 0; i < cluster->count; i++)
        if (runs(cluster, i) && says(cluster, i, "INFO replication", follows))
            return i;
    ck_abort_msg("node %zu has no replica", node);
    return 0;
}

void cluster_flush(struct cluster *cluster, const char *key)
{
    for (size_t i = 0; i < cluster->count; i++) {
        if (!runs(cluster, i) || is_replica(cluster, i))
            continue;
        server_expect(&cluster->node[i], "OK", "FLUSHALL");
        server_expect(&cluster->node[i], "OK", "CLUSTER SETSLOT %u STABLE", (unsigned)netron_slot_of(key));
    }
}

/* ---- moving a slot ---- */

void cluster_move_begin(struct cluster *cluster, const char *key, size_t from, size_t to)
{
    unsigned slot = netron_slot_of(key);
    server_expect(&cluster->node[to], "OK", "CLUSTER SETSLOT %u IMPORTING %s", slot, cluster->id[from]);
    server_expect(&cluster->node[from], "OK", "CLUSTER SETSLOT %u MIGRATING %s", slot, cluster->id[to]);
}

void cluster_move_key(struct cluster *cluster, const char *key, size_t from, size_t to)
{
    redisReply *reply =
        server_ask(&cluster->node[from], "MIGRATE 127.0.0.1 %u %b 0 5000", cluster->port[to], key, strlen(key));
    /* What expired meanwhile has no need to be moved. */
    ck_assert_msg(strcmp(reply->str, "OK") == 0 || strcmp(reply->str, "NOKEY") == 0, "MIGRATE %s: %s", key, reply->str);
    freeReplyObject(reply);
}

long long cluster_move_keys(struct cluster *cluster, const char *key, size_t from, size_t to, int keys_max)
{
    unsigned slot = netron_slot_of(key);
    redisReply *keys = server_ask(&cluster->node[from], "CLUSTER GETKEYSINSLOT %u %d", slot, keys_max);
    for (size_t i = 0; i < keys->elements; i++)
        cluster_move_key(cluster, keys->element[i]->str, from, to);
    freeReplyObject(keys);
    return server_integer(&cluster->node[from], "CLUSTER COUNTKEYSINSLOT %u", slot);
}

/* What a node says of another, or of itself: "ID ADDRESS FLAGS PRIMARY PING PONG EPOCH ...". */
static long long epoch_of(struct cluster *cluster, size_t asked, size_t node)
{
    long long epoch = -1;
    redisReply *reply = server_ask(&cluster->node[asked], "CLUSTER NODES");
    const char *line = strstr(reply->str, cluster->id[node]);
    if (line != NULL)
        sscanf(line, "%*s %*s %*s %*s %*s %*s %lld", &epoch);
    freeReplyObject(reply);
    return epoch;
}

static bool all_know_epoch_of(struct cluster *cluster, size_t node)
{
    long long epoch = epoch_of(cluster, node, node);
    for (size_t i = 0; i < cluster->count; i++)
        if (runs(cluster, i) && epoch_of(cluster, i, node) != epoch)
            return false;
    return true;
}

/* A node that takes a slot back before it heard under which epoch it went away keeps its own, and then hears that the
 * slot went away: it is nobody's from then on. */
void cluster_move_end(struct cluster *cluster, const char *key, size_t from, size_t to)
{
    unsigned slot = netron_slot_of(key);
    server_expect(&cluster->node[to], "OK", "CLUSTER SETSLOT %u NODE %s", slot, cluster->id[to]);
    server_expect(&cluster->node[from], "OK", "CLUSTER SETSLOT %u NODE %s", slot, cluster->id[to]);
    ASK_UNTIL(all_know_epoch_of(cluster, to), "nodes that know who has the slot");
}

void cluster_move(struct cluster *cluster, const char *key, size_t to)
{
    size_t from = cluster_home_of(cluster, key);
    cluster_move_begin(cluster, key, from, to);
    while (cluster_move_keys(cluster, key, from, to, 100) > 0)
        ;
    cluster_move_end(cluster, key, from, to);
}
