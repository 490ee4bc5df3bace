/* SPDX-License-Identifier: MIT */
#include "whereabouts.h"

int netron_whereabouts_check(const struct netron_url *url, const netron_loop *loop, struct netron_failure *why)
{
    for (size_t i = 0; i < url->host_count; i++)
        if (!netron_resolution_is_possible(url->hosts[i].name, loop))
            return netron_fail(why, NETRON_ELOOP,
                               "url: the event loop cannot resolve the host name \"%s\"; give a numeric address, or "
                               "set its resolve (loop.h)",
                               url->hosts[i].name);
    return 0;
}

static void on_path(void *arg)
{
    struct netron_whereabouts *whereabouts = arg;
    const struct netron_endpoint endpoint = {.path = whereabouts->url->path};
    whereabouts->events->found(whereabouts->arg, &endpoint, NULL);
}

static void on_resolved(void *arg, const struct netron_endpoint *endpoint, const struct netron_failure *failure)
{
    struct netron_whereabouts *whereabouts = arg;
    if (endpoint == NULL && whereabouts->topology != NULL) /* who gave a name that nobody knows? */
        netron_whereabouts_doubt(whereabouts, NULL);
    whereabouts->events->found(whereabouts->arg, endpoint, failure);
}

static void on_primary(void *arg, const struct netron_failure *failure)
{
    struct netron_whereabouts *whereabouts = arg;
    if (failure != NULL)
        whereabouts->events->found(whereabouts->arg, NULL, failure);
    else
        netron_resolution_ask(&whereabouts->resolution, whereabouts->asker.at.host, whereabouts->asker.at.port);
}

static void on_moved(void *arg, const struct netron_failure *why)
{
    struct netron_whereabouts *whereabouts = arg;
    whereabouts->events->moved(whereabouts->arg, why);
}

void netron_whereabouts_init(struct netron_whereabouts *whereabouts, struct netron_core *core,
                             const struct netron_url *url, struct netron_topology *topology,
                             const struct netron_whereabouts_events *events, void *arg)
{
    *whereabouts =
        (struct netron_whereabouts){.core = core, .url = url, .topology = topology, .events = events, .arg = arg};
    whereabouts->asker = (struct netron_asker){.answer = on_primary, .moved = on_moved, .arg = whereabouts};
    netron_resolution_init(&whereabouts->resolution, core, on_resolved, whereabouts);
    netron_deadline_init(&whereabouts->answer, on_path, whereabouts);
    if (topology != NULL)
        netron_topology_join(topology, &whereabouts->asker);
}

void netron_whereabouts_ask(struct netron_whereabouts *whereabouts)
{
    const struct netron_url *url = whereabouts->url;
    if (whereabouts->topology != NULL)
        netron_topology_ask(whereabouts->topology, &whereabouts->asker);
    else if (url->path != NULL)
        netron_core_after(whereabouts->core, &whereabouts->answer, 0);
    else
        netron_resolution_ask(&whereabouts->resolution, url->hosts[0].name, url->hosts[0].port);
}

void netron_whereabouts_stop(struct netron_whereabouts *whereabouts)
{
    whereabouts->asker.asks = whereabouts->asker.is_there = false;
    netron_resolution_stop(&whereabouts->resolution);
    netron_core_cancel(whereabouts->core, &whereabouts->answer);
}

bool netron_whereabouts_is_resolving(const struct netron_whereabouts *whereabouts)
{
    return whereabouts->resolution.handle != NULL;
}

void netron_whereabouts_confirm(struct netron_whereabouts *whereabouts)
{
    if (whereabouts->topology != NULL)
        netron_topology_confirm(whereabouts->topology, &whereabouts->asker);
}

void netron_whereabouts_doubt(struct netron_whereabouts *whereabouts, const char *words)
{
    if (whereabouts->topology != NULL)
        netron_topology_doubt(whereabouts->topology, &whereabouts->asker, words);
}

void netron_whereabouts_clear(struct netron_whereabouts *whereabouts)
{
    netron_whereabouts_stop(whereabouts);
    if (whereabouts->topology != NULL)
        netron_topology_leave(whereabouts->topology, &whereabouts->asker);
    whereabouts->topology = NULL;
}
