/* SPDX-License-Identifier: MIT */
#include "tally.h"
#include "world.h"
#include <stdlib.h>
#include <string.h>

static size_t number_of(const char *id)
{
    const char *digits = id + strlen(id);
    while (digits > id && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    size_t number = strtoul(digits, NULL, 10);
    ck_assert_uint_lt(number, TALLY_NODES_MAX);
    return number;
}

void tally_note(struct tally *tally, netron_event_type type, const char *id, const char *reason, uint64_t at)
{
    if (type == NETRON_SYNCED) {
        tally->synced++;
        return;
    }
    if (type == NETRON_NODE_DEREGISTERED) {
        ck_assert_int_lt(tally->count[type], TALLY_NODES_MAX);
        tally->departed_at[tally->count[type]] = at;
        tally->expired += strcmp(reason, "expired") == 0;
        tally->shutdown += strcmp(reason, "shutdown") == 0;
        tally->unexplained += reason[0] == '\0';
    }
    tally->count[type]++;
    tally->told[type][number_of(id)]++;
}

void tally_event(netron_subscription *subscription, const netron_event *event, void *tally)
{
    (void)subscription;
    tally_note(tally, event->type, event->node->id, event->reason, world_clock_ms());
}

void tally_clear(struct tally *tally)
{
    int synced = tally->synced;
    memset(tally, 0, sizeof(*tally));
    tally->synced = synced;
}

int tally_of(const struct tally *tally, netron_event_type type, const char *id)
{
    return tally->told[type][number_of(id)];
}

int tally_most(const struct tally *tally, netron_event_type type)
{
    int most = 0;
    for (size_t i = 0; i < TALLY_NODES_MAX; i++)
        most = tally->told[type][i] > most ? tally->told[type][i] : most;
    return most;
}

int tally_all(const struct tally *tally)
{
    return tally->count[NETRON_NODE_REGISTERED] + tally->count[NETRON_NODE_UPDATED] +
           tally->count[NETRON_NODE_DEREGISTERED];
}
