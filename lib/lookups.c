/* SPDX-License-Identifier: MIT */
/* Lookups begin and end here; what lies between is in lookup.c. */
#include "keys.h"
#include "list.h"
#include "lookup_walk.h"
#include "node.h"
#include <stdlib.h>
#include <string.h>

static char *copy_of(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

static struct netron_lookup *lookup_new(struct netron_lookups *lookups, const char *id, const char *name,
                                        const char *version)
{
    struct netron_lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL)
        return NULL;
    lookup->lookups = lookups;
    lookup->id = copy_of(id);
    lookup->name = copy_of(name);
    if (name != NULL)
        lookup->service_key = netron_key_name(lookups->settings->key_prefix, NETRON_KEY_SERVICE_INDEX, name);
    if ((id != NULL && lookup->id == NULL) || (name != NULL && (lookup->name == NULL || lookup->service_key == NULL)) ||
        netron_version_range_parse(version, &lookup->range, NULL) != 0) {
        netron_lookup_destroy(&lookup->grave);
        return NULL;
    }
    netron_lookup_prepare(lookup);
    return lookup;
}

static int start(struct netron_lookups *lookups, const char *id, const char *name, const char *version,
                 netron_nodes_fn found, netron_active_fn found_active, void *arg, struct netron_failure *why)
{
    if (found == NULL && found_active == NULL)
        return netron_fail(why, NETRON_EINVAL, "found is NULL");
    if (lookups->count >= lookups->settings->lookups_max)
        return netron_fail(why, NETRON_EOVERLOAD, "%zu lookups are pending already (lookups_max)", lookups->count);
    struct netron_lookup *lookup = lookup_new(lookups, id, name, version);
    if (lookup == NULL)
        return netron_fail(why, NETRON_ENOMEM, "no memory for a lookup");
    lookup->found = found;
    lookup->found_active = found_active;
    lookup->arg = arg;
    DL_APPEND(lookups->pending, lookup);
    lookups->count++;
    netron_core_after(lookups->core, &lookup->begin, 0);
    return 0;
}

int netron_lookups_find(struct netron_lookups *lookups, const char *name, const char *version, netron_nodes_fn found,
                        void *arg, struct netron_failure *why)
{
    int code = name != NULL ? netron_node_check_service_name(name, "name", why) : 0;
    if (code == 0)
        code = netron_node_check_version_range(version, "version", why);
    return code != 0 ? code : start(lookups, NULL, name, version, found, NULL, arg, why);
}

int netron_lookups_is_active(struct netron_lookups *lookups, const char *id, netron_active_fn found, void *arg,
                             struct netron_failure *why)
{
    int code = netron_node_check_id(id, why);
    return code != 0 ? code : start(lookups, id, NULL, NULL, NULL, found, arg, why);
}

int netron_lookups_open(struct netron_lookups *lookups)
{
    const char *prefix = lookups->settings->key_prefix;
    lookups->skipped.core = lookups->core;
    lookups->witness =
        (struct netron_witness){.core = lookups->core, .settings = lookups->settings, .skipped = &lookups->skipped};
    netron_witness_open(&lookups->witness);
    lookups->page = netron_keyring_page(&lookups->settings->keyring);
    lookups->node_index_key = netron_key_name(prefix, NETRON_KEY_NODE_INDEX, "");
    lookups->expiry_key = netron_key_name(prefix, NETRON_KEY_EXPIRY, "");
    lookups->records_key = netron_key_name(prefix, NETRON_KEY_RECORDS, "");
    if (lookups->node_index_key != NULL && lookups->expiry_key != NULL && lookups->records_key != NULL)
        return 0;
    netron_lookups_close(lookups);
    return NETRON_ENOMEM;
}

void netron_lookups_cancel_all(struct netron_lookups *lookups)
{
    while (lookups->pending != NULL)
        netron_lookup_cancel(lookups->pending);
}

void netron_lookups_close(struct netron_lookups *lookups)
{
    netron_skipped_clear(&lookups->skipped);
    netron_witness_close(&lookups->witness);
    free(lookups->node_index_key);
    free(lookups->expiry_key);
    free(lookups->records_key);
    lookups->node_index_key = lookups->expiry_key = lookups->records_key = NULL;
}
