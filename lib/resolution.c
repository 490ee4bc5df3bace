/* SPDX-License-Identifier: MIT */
#include "resolution.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static bool is_literal(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

bool netron_resolution_is_possible(const char *host, const netron_loop *loop)
{
    return is_literal(host) || loop->resolve != NULL;
}

static void answer(struct netron_resolution *resolution, const char *address)
{
    const struct netron_endpoint endpoint = {.address = address, .port = resolution->port, .name = resolution->host};
    resolution->fn(resolution->arg, &endpoint, NULL);
}

/* The literal is known at once, but answers come from the top level only. */
static void on_answer(void *arg)
{
    struct netron_resolution *resolution = arg;
    struct netron_failure why;
    if (is_literal(resolution->host)) {
        answer(resolution, resolution->host);
        return;
    }
    netron_fail(&why, NETRON_ERESOLVE, "cannot resolve \"%s\": %s", resolution->host,
                resolution->core->loop->resolve != NULL ? "the resolver could not be started"
                                                        : "the event loop has no resolver (loop.h)");
    resolution->fn(resolution->arg, NULL, &why);
}

static void on_resolved(int code, const char *const *addresses, size_t count, const char *reason, void *arg)
{
    struct netron_resolution *resolution = arg;
    struct netron_core *core = resolution->core;
    struct netron_failure why;
    netron_core_enter(core);
    resolution->handle = NULL;
    if (code != 0 || count == 0) {
        netron_fail(&why, NETRON_ERESOLVE, "cannot resolve \"%s\": %s", resolution->host,
                    reason != NULL ? reason : "no address");
        resolution->fn(resolution->arg, NULL, &why);
    } else {
        answer(resolution, addresses[resolution->turn++ % count]);
    }
    netron_core_leave(core);
}

void netron_resolution_init(struct netron_resolution *resolution, struct netron_core *core, netron_endpoint_fn fn,
                            void *arg)
{
    *resolution = (struct netron_resolution){.core = core, .fn = fn, .arg = arg};
    netron_deadline_init(&resolution->answer, on_answer, resolution);
}

void netron_resolution_ask(struct netron_resolution *resolution, const char *host, uint16_t port)
{
    netron_loop *loop = resolution->core->loop;
    resolution->host = host;
    resolution->port = port;
    if (!is_literal(host) && loop->resolve != NULL)
        resolution->handle = loop->resolve(loop, host, on_resolved, resolution);
    if (resolution->handle == NULL)
        netron_core_after(resolution->core, &resolution->answer, 0);
}

void netron_resolution_stop(struct netron_resolution *resolution)
{
    netron_loop *loop = resolution->core->loop;
    if (resolution->handle != NULL)
        loop->resolve_cancel(loop, resolution->handle);
    resolution->handle = NULL;
    netron_core_cancel(resolution->core, &resolution->answer);
}
