/* SPDX-License-Identifier: MIT */
#include "topology.h"
#include "text.h"
#include <string.h>

#define SHARES_MAX 4u

bool netron_location_set(struct netron_location *location, const char *host, size_t length, unsigned long port)
{
    if (length == 0 || length > NETRON_HOST_MAX || memchr(host, '\0', length) != NULL || port == 0 ||
        port > UINT16_MAX || !netron_text_is_utf8(host, length) || netron_text_has_control(host, length))
        return false;
    memset(location, 0, sizeof(*location));
    memcpy(location->host, host, length);
    location->port = (uint16_t)port;
    return strpbrk(location->host, " %[]\\/@") == NULL;
}

bool netron_location_same(const struct netron_location *one, const struct netron_location *other)
{
    return one->port == other->port && strcmp(one->host, other->host) == 0;
}

void netron_topology_join(struct netron_topology *topology, struct netron_asker *asker)
{
    asker->next = topology->askers;
    topology->askers = asker;
}

void netron_topology_leave(struct netron_topology *topology, struct netron_asker *asker)
{
    struct netron_asker **at = &topology->askers;
    while (*at != NULL && *at != asker)
        at = &(*at)->next;
    if (*at != NULL)
        *at = asker->next;
    asker->next = NULL;
    asker->asks = asker->is_due = asker->is_there = false;
}

void netron_topology_ask(struct netron_topology *topology, struct netron_asker *asker)
{
    asker->asks = true;
    topology->kind->ask(topology);
}

bool netron_topology_is_asked(const struct netron_topology *topology)
{
    for (const struct netron_asker *asker = topology->askers; asker != NULL; asker = asker->next)
        if (asker->asks)
            return true;
    return false;
}

uint64_t netron_topology_share(uint64_t now, uint64_t ends, size_t left)
{
    uint64_t time = ends > now ? ends - now : 0;
    return time / ((left < SHARES_MAX ? left : SHARES_MAX) + 1);
}

bool netron_topology_is_reached(const struct netron_topology *topology, const struct netron_location *at)
{
    for (const struct netron_asker *asker = topology->askers; asker != NULL; asker = asker->next)
        if (asker->is_there && netron_location_same(&asker->at, at))
            return true;
    return false;
}

static bool is_elsewhere(const struct netron_asker *asker, const struct netron_location *primary)
{
    return asker->at.port != 0 && !netron_location_same(&asker->at, primary);
}

/* Whoever is told can free the others, so each is looked for anew. */
static struct netron_asker *take_due(struct netron_topology *topology)
{
    for (struct netron_asker *asker = topology->askers; asker != NULL; asker = asker->next) {
        if (asker->is_due) {
            asker->is_due = false;
            return asker;
        }
    }
    return NULL;
}

static void tell_moved(struct netron_asker *asker, const struct netron_location *primary)
{
    struct netron_failure why;
    char address[NETRON_ADDRESS_SIZE];
    netron_fail(&why, NETRON_EUNAVAILABLE, "the primary is %s now",
                netron_address_text(address, primary->host, primary->port));
    asker->moved(asker->arg, &why);
}

void netron_topology_tell(struct netron_topology *topology, const struct netron_location *primary,
                          const struct netron_failure *failure)
{
    struct netron_asker *asker;
    for (asker = topology->askers; asker != NULL; asker = asker->next)
        asker->is_due = asker->asks || (primary != NULL && is_elsewhere(asker, primary));
    while ((asker = take_due(topology)) != NULL) {
        if (!asker->asks) {
            tell_moved(asker, primary);
            continue;
        }
        asker->asks = false;
        if (primary != NULL)
            asker->at = *primary;
        asker->answer(asker->arg, failure);
    }
}

void netron_topology_confirm(struct netron_topology *topology, struct netron_asker *asker)
{
    const struct netron_location primary = asker->at;
    asker->is_there = true;
    topology->kind->confirmed(topology, &primary);
    for (asker = topology->askers; asker != NULL; asker = asker->next)
        asker->is_due = !asker->asks && is_elsewhere(asker, &primary);
    while ((asker = take_due(topology)) != NULL)
        tell_moved(asker, &primary);
}

void netron_topology_doubt(struct netron_topology *topology, struct netron_asker *asker, const char *words)
{
    topology->kind->doubted(topology, &asker->at, words);
}

bool netron_topology_find(struct netron_topology *topology, uint16_t port, const struct netron_location *beside,
                          struct netron_location *out)
{
    return topology != NULL && topology->kind->find != NULL && topology->kind->find(topology, port, beside, out);
}

void netron_topology_free(struct netron_topology *topology)
{
    if (topology != NULL)
        topology->kind->free(topology);
}
