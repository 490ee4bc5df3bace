/* SPDX-License-Identifier: MIT */
#include "whereabouts.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static bool is_literal(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

int netron_whereabouts_check(const struct netron_url *url, const netron_loop *loop, struct netron_failure *why)
{
    if (url->path != NULL || is_literal(url->hosts[0].name) || loop->resolve != NULL)
        return 0;
    return netron_fail(
        why, NETRON_ELOOP,
        "url: the event loop cannot resolve the host name \"%s\"; give a numeric address, or set its resolve (loop.h)",
        url->hosts[0].name);
}

/* The path or the literal is known at once, but answers come from the top level only. */
static void on_answer(void *arg)
{
    struct netron_whereabouts *whereabouts = arg;
    const struct netron_url *url = whereabouts->url;
    struct netron_failure why;
    if (url->path == NULL && !is_literal(url->hosts[0].name)) {
        netron_fail(&why, NETRON_ERESOLVE, "cannot resolve \"%s\": the resolver could not be started",
                    url->hosts[0].name);
        whereabouts->fn(whereabouts->arg, NULL, &why);
        return;
    }
    struct netron_endpoint endpoint = {.path = url->path};
    if (url->path == NULL) {
        endpoint.address = url->hosts[0].name;
        endpoint.port = url->hosts[0].port;
    }
    whereabouts->fn(whereabouts->arg, &endpoint, NULL);
}

static void on_resolved(int code, const char *const *addresses, size_t count, const char *reason, void *arg)
{
    struct netron_whereabouts *whereabouts = arg;
    struct netron_core *core = whereabouts->core;
    struct netron_failure why;
    netron_core_enter(core);
    whereabouts->resolution = NULL;
    if (code != 0 || count == 0) {
        netron_fail(&why, NETRON_ERESOLVE, "cannot resolve \"%s\": %s", whereabouts->url->hosts[0].name,
                    reason != NULL ? reason : "no address");
        whereabouts->fn(whereabouts->arg, NULL, &why);
    } else {
        const struct netron_endpoint endpoint = {.address = addresses[whereabouts->turn++ % count],
                                                 .port = whereabouts->url->hosts[0].port};
        whereabouts->fn(whereabouts->arg, &endpoint, NULL);
    }
    netron_core_leave(core);
}

void netron_whereabouts_init(struct netron_whereabouts *whereabouts, struct netron_core *core,
                             const struct netron_url *url, netron_endpoint_fn fn, void *arg)
{
    *whereabouts = (struct netron_whereabouts){.core = core, .url = url, .fn = fn, .arg = arg};
    netron_deadline_init(&whereabouts->answer, on_answer, whereabouts);
}

void netron_whereabouts_ask(struct netron_whereabouts *whereabouts)
{
    netron_loop *loop = whereabouts->core->loop;
    const struct netron_url *url = whereabouts->url;
    if (url->path == NULL && !is_literal(url->hosts[0].name))
        whereabouts->resolution = loop->resolve(loop, url->hosts[0].name, on_resolved, whereabouts);
    if (whereabouts->resolution == NULL)
        netron_core_after(whereabouts->core, &whereabouts->answer, 0);
}

void netron_whereabouts_stop(struct netron_whereabouts *whereabouts)
{
    netron_loop *loop = whereabouts->core->loop;
    if (whereabouts->resolution != NULL)
        loop->resolve_cancel(loop, whereabouts->resolution);
    whereabouts->resolution = NULL;
    netron_core_cancel(whereabouts->core, &whereabouts->answer);
}
