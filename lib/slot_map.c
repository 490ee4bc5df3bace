/* SPDX-License-Identifier: MIT */
#include "slot_map.h"
#include "slot.h"
#include <string.h>

/* A value of the list of names and values that Redis 7 puts behind a node's id. */
static const struct netron_reply *detail(const struct netron_reply *details, const char *name)
{
    for (size_t i = 0; i + 1 < netron_reply_count(details); i += 2)
        if (netron_reply_is_text(netron_reply_at(details, i), name))
            return netron_reply_at(details, i + 1);
    return NULL;
}

/* {host, port, id, details}. The host is nil or empty where it is that of whoever answers, and "?" where a name should
 * stand and there is none. */
static bool read_node(const struct netron_reply *node, const struct netron_location *asked, struct netron_location *out)
{
    size_t length = 0;
    long long port = 0;
    const struct netron_reply *host = netron_reply_at(node, 0);
    if (netron_reply_is_text(host, "?"))
        host = detail(netron_reply_at(node, 3), "ip");
    const char *text = netron_reply_text(host, &length);
    if (netron_reply_is_nil(host) || (text != NULL && length == 0)) {
        text = asked->host;
        length = strlen(text);
    }
    return text != NULL && netron_reply_integer(netron_reply_at(node, 1), &port) && port > 0 && port <= UINT16_MAX &&
           netron_location_set(out, text, length, (unsigned long)port);
}

static void add(struct netron_slot_map *map, const struct netron_location *node)
{
    for (size_t i = 0; i < map->node_count; i++)
        if (netron_location_same(&map->nodes[i], node))
            return;
    if (map->node_count < NETRON_HOSTS_MAX)
        map->nodes[map->node_count++] = *node;
}

/* {first slot, last slot, primary, replicas...}. A node without a place is passed over, for the others may do. */
static bool read_range(const struct netron_reply *range, unsigned slot, const struct netron_location *asked,
                       struct netron_slot_map *map)
{
    long long first = 0;
    long long last = 0;
    struct netron_location node;
    if (!netron_reply_integer(netron_reply_at(range, 0), &first) ||
        !netron_reply_integer(netron_reply_at(range, 1), &last) || first < 0 || last < first || last >= NETRON_SLOTS ||
        !netron_reply_is_array(netron_reply_at(range, 2)))
        return false;
    for (size_t i = 2; i < netron_reply_count(range); i++) {
        if (!read_node(netron_reply_at(range, i), asked, &node))
            continue;
        add(map, &node);
        if (i == 2 && first <= (long long)slot && (long long)slot <= last)
            map->primary = node;
    }
    return true;
}

int netron_slot_map_read(const struct netron_reply *reply, unsigned slot, const struct netron_location *asked,
                         struct netron_slot_map *out, struct netron_failure *why)
{
    static const char what[] = "CLUSTER SLOTS";
    out->primary.port = 0;
    out->node_count = 0;
    if (!netron_reply_is_array(reply))
        return netron_reply_fail(reply, what, why);
    for (size_t i = 0; i < netron_reply_count(reply); i++)
        if (!read_range(netron_reply_at(reply, i), slot, asked, out))
            return netron_fail(why, NETRON_EPROTOCOL, "%s: unexpected reply", what);
    return 0;
}
