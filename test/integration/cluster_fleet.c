/* SPDX-License-Identifier: MIT */
#include "cluster_fleet.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cluster cluster;
struct world world;

void fleet_begin(void)
{
    cluster_flush(&cluster, FLEET_KEY);
    cluster_forget(&cluster);
    world_open(&world);
}

void fleet_end(void)
{
    world_close(&world);
    cluster_forget(&cluster);
}

netron_options fleet_options(const char *url)
{
    netron_options options = world_options(url);
    options.key_prefix = FLEET_PREFIX;
    options.heartbeat_ttl_ms = 2000;
    return options;
}

/* ---- the ledger ---- */

static size_t position_of(const struct ledger *ledger, const char *id)
{
    size_t position = 0;
    while (position < ledger->count && strcmp(ledger->node[position].id, id) != 0)
        position++;
    return position;
}

static void enter(struct ledger *ledger, size_t position, const netron_node *node)
{
    ck_assert_uint_lt(position, LEDGER_MAX);
    snprintf(ledger->node[position].id, sizeof(ledger->node[position].id), "%s", node->id);
    snprintf(ledger->node[position].address, sizeof(ledger->node[position].address), "%s", node->address);
    if (position == ledger->count)
        ledger->count++;
}

static void on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    struct ledger *ledger = arg;
    if (event->type == NETRON_SYNCED)
        return;
    size_t position = position_of(ledger, event->node->id);
    bool is_known = position < ledger->count;
    ledger->events++;
    switch (event->type) {
    case NETRON_NODE_REGISTERED:
        ledger->odd += is_known;
        enter(ledger, position, event->node);
        break;
    case NETRON_NODE_UPDATED:
        ledger->odd += !is_known || strcmp(ledger->node[position].address, event->node->address) == 0;
        enter(ledger, position, event->node);
        break;
    default:
        ledger->odd += !is_known;
        ledger->expired += strcmp(event->reason, "expired") == 0;
        if (is_known)
            ledger->node[position] = ledger->node[--ledger->count];
    }
}

/* ---- members ---- */

void fleet_open(struct member *member, const netron_options *options)
{
    netron_options own = *options;
    *member = (struct member){0};
    own.on_link = record_link;
    own.on_link_arg = &member->links;
    member->discovery = world_join(&world, &own);
    ck_assert_int_eq(netron_subscribe_to_events(member->discovery, on_event, &member->ledger, NULL), 0);
}

bool fleet_is_fresh(const struct member *member)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(member->discovery, &status), 0);
    return status.state == NETRON_VIEW_FRESH;
}

void fleet_join(struct member *member, const netron_options *options)
{
    fleet_open(member, options);
    AWAIT(&world, fleet_is_fresh(member));
}

void fleet_enrol(struct member *member, size_t number)
{
    netron_service services[2];
    char id[32];
    snprintf(id, sizeof(id), "node-%zu", number);
    snprintf(member->address, sizeof(member->address), "10.0.0.%zu:1", number);
    netron_node node = make_node(id, member->address, services, "chat", "1.0.0", NULL, NULL);
    ck_assert_int_eq(netron_register(member->discovery, &node, record_state, &member->states, &member->registration),
                     0);
    AWAIT(&world, netron_registration_get_state(member->registration) == NETRON_REGISTERED);
}

void fleet_change(struct member *member)
{
    snprintf(strchr(member->address, ':'), 16, ":%u", ++member->changes + 1);
    ck_assert_int_eq(netron_registration_update_address(member->registration, member->address, NULL, NULL), 0);
}

void fleet_free(struct member *member)
{
    netron_discovery_free(member->discovery);
    member->discovery = NULL;
}

size_t fleet_view_count(const struct member *member)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(member->discovery, &status), 0);
    return status.node_count;
}

size_t fleet_find(struct member *member, const char *service)
{
    struct nodes_recorder found = {0};
    ck_assert_int_eq(netron_find_nodes_by_service(member->discovery, service, NULL, record_nodes, &found), 0);
    AWAIT(&world, found.calls > 0);
    ck_assert_msg(found.code == 0, "the lookup failed: %s", netron_discovery_error(member->discovery));
    return found.count;
}

/* ---- what all of it comes to ---- */

static bool knows(const struct ledger *ledger, const struct member *member)
{
    const char *id = netron_registration_node(member->registration)->id;
    size_t position = position_of(ledger, id);
    return position < ledger->count && strcmp(ledger->node[position].address, member->address) == 0;
}

static bool is_exact(const struct member *of, const struct member *members, size_t count)
{
    if (!fleet_is_fresh(of) || of->ledger.count != count || fleet_view_count(of) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!knows(&of->ledger, &members[i]))
            return false;
    return true;
}

/* Every set and list of the registry has one entry for each node, and the records have what is wanted. */
static void expect_registry(const struct member *members, size_t count)
{
    struct server *home = &cluster.node[cluster_home_of(&cluster, FLEET_KEY)];
    ck_assert_int_eq(server_integer(home, "HLEN " FLEET_PREFIX ":records"), (long long)count);
    ck_assert_int_eq(server_integer(home, "SCARD " FLEET_PREFIX ":index:nodes"), (long long)count);
    ck_assert_int_eq(server_integer(home, "ZCARD " FLEET_PREFIX ":expiry"), (long long)count);
    ck_assert_int_eq(server_integer(home, "SCARD " FLEET_PREFIX ":index:service:chat"), (long long)count);
    for (size_t i = 0; i < count; i++) {
        char record[512];
        const char *id = netron_registration_node(members[i].registration)->id;
        ck_assert(server_text(home, record, sizeof(record), "HGET " FLEET_PREFIX ":records %s", id));
        ck_assert_ptr_nonnull(strstr(record, members[i].address));
    }
}

void fleet_expect_exact(struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AWAIT(&world, netron_registration_get_state(members[i].registration) == NETRON_REGISTERED);
        AWAIT(&world, is_exact(&members[i], members, count));
        ck_assert_int_eq(members[i].ledger.odd, 0);
        ck_assert_uint_eq(fleet_find(&members[i], "chat"), count);
    }
    expect_registry(members, count);
}

void fleet_expect_nobody_lost(const struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(members[i].ledger.expired, 0);
        for (int state = 0; state < members[i].states.count; state++)
            ck_assert_int_ne(members[i].states.state[state], NETRON_LOST);
    }
}

void fleet_gather(struct member *members, size_t count, const netron_options *options)
{
    for (size_t i = 0; i < count; i++)
        fleet_join(&members[i], options);
    for (size_t i = 0; i < count; i++)
        fleet_enrol(&members[i], i);
}
