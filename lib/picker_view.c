/* SPDX-License-Identifier: MIT */
/* The picker of a discovery: its snapshots come from the view, its time from the loop. */
#include "picker_view.h"
#include "discovery.h"
#include "list.h"
#include "node.h"
#include "picker.h"
#include <stdlib.h>
#include <string.h>

struct netron_picker_wanted {
    netron_discovery *discovery;       /* NULL when it is gone */
    char *service;                     /* NULL = all nodes */
    char *version_range;               /* NULL = any version */
    uint64_t time;                     /* when it was asked for last: goes no further without a discovery */
    struct netron_picker_wanted *next; /* utlist.h wants this name */
};

static const netron_snapshot *find(void *arg)
{
    const struct netron_picker_wanted *wanted = arg;
    if (wanted->discovery == NULL)
        return NULL;
    return netron_view_find(wanted->discovery, wanted->service, wanted->version_range);
}

static uint64_t now(void *arg)
{
    struct netron_picker_wanted *wanted = arg;
    if (wanted->discovery != NULL)
        wanted->time = netron_core_now(netron_discovery_core(wanted->discovery));
    return wanted->time;
}

void netron_picker_views_detach(struct netron_picker_views *views)
{
    struct netron_picker_wanted *wanted = views->all;
    views->all = NULL;
    while (wanted != NULL) {
        struct netron_picker_wanted *next = wanted->next;
        wanted->discovery = NULL;
        wanted = next;
    }
}

static void free_wanted(void *arg)
{
    struct netron_picker_wanted *wanted = arg;
    if (wanted == NULL)
        return;
    if (wanted->discovery != NULL)
        LL_DELETE(netron_discovery_pickers(wanted->discovery)->all, wanted);
    free(wanted->service);
    free(wanted->version_range);
    free(wanted);
}

static int check(const char *service, const char *version_range, struct netron_failure *why)
{
    int code = service != NULL ? netron_node_check_service_name(service, "service", why) : 0;
    return code != 0 ? code : netron_node_check_version_range(version_range, "version_range", why);
}

static struct netron_picker_wanted *new_wanted(netron_discovery *discovery, const char *service,
                                               const char *version_range)
{
    struct netron_picker_wanted *wanted = calloc(1, sizeof(*wanted));
    if (wanted == NULL)
        return NULL;
    wanted->discovery = discovery;
    LL_PREPEND(netron_discovery_pickers(discovery)->all, wanted);
    wanted->service = service != NULL ? strdup(service) : NULL;
    wanted->version_range = version_range != NULL ? strdup(version_range) : NULL;
    if ((service != NULL && wanted->service == NULL) || (version_range != NULL && wanted->version_range == NULL)) {
        free_wanted(wanted);
        return NULL;
    }
    return wanted;
}

static int make(netron_discovery *discovery, const char *service, const char *version_range,
                const netron_picker_options *options, struct netron_failure *why, netron_picker **out)
{
    int code = check(service, version_range, why);
    if (code != 0)
        return code;
    struct netron_picker_wanted *wanted = new_wanted(discovery, service, version_range);
    if (wanted == NULL)
        return netron_fail(why, NETRON_ENOMEM, "no memory for a picker");
    const struct netron_picker_source source = {
        .find = find, .release = netron_snapshot_release, .now = now, .free = free_wanted, .arg = wanted};
    struct netron_random random;
    netron_random_seed(&random);
    code = netron_picker_new_on(&source, &random, options, why, out);
    if (code != 0)
        free_wanted(wanted);
    return code;
}

int netron_picker_new(netron_discovery *discovery, const char *service, const char *version_range,
                      const netron_picker_options *options, netron_picker **out)
{
    struct netron_failure why = {0};
    if (discovery == NULL)
        return NETRON_EINVAL;
    int code = out == NULL ? netron_fail(&why, NETRON_EINVAL, "out is NULL")
                           : make(discovery, service, version_range, options, &why, out);
    return code != 0 ? netron_core_note(netron_discovery_core(discovery), &why) : 0;
}
