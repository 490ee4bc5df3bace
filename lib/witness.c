/* SPDX-License-Identifier: MIT */
#include "witness.h"
#include "node.h"
#include "table.h"
#include <stdlib.h>
#include <string.h>

struct netron_witnessed {
    struct netron_table_entry in_table;
    bool is_present;
    uint64_t gone_since; /* ms of the loop's clock */
    uint64_t sequence;
    unsigned char digest[NETRON_DIGEST_SIZE]; /* of its proof */
    char incarnation[NETRON_INCARNATION_MAX + 1];
    uint32_t ttl_ms;
    netron_node *node; /* NULL: it left */
    char id[];
};

typedef struct netron_witnessed entry_t;

/* ---- memory ---- */

static void forget(entry_t *entry)
{
    netron_node_free(entry->node);
    free(entry);
}

static void age(struct netron_witness *witness)
{
    uint64_t now = netron_core_now(witness->core);
    const entry_t *oldest = netron_table_first(witness->gone);
    while (oldest != NULL && (netron_table_count(witness->gone) > NETRON_WITNESS_GONE_MAX ||
                              now - oldest->gone_since >= NETRON_WITNESS_MEMORY_MS)) {
        forget(netron_table_take(&witness->gone));
        oldest = netron_table_first(witness->gone);
    }
}

static entry_t *find(const struct netron_witness *witness, const char *id)
{
    size_t length = strlen(id);
    entry_t *entry = netron_table_find(witness->present, id, length);
    return entry != NULL ? entry : netron_table_find(witness->gone, id, length);
}

/* To the end of one of the tables, from whichever it is in. False without memory: it is forgotten. */
static bool move(struct netron_witness *witness, entry_t *entry, bool is_new, bool is_present)
{
    if (!is_new)
        netron_table_remove(entry->is_present ? &witness->present : &witness->gone, entry);
    entry->is_present = is_present;
    entry->gone_since = netron_core_now(witness->core);
    if (netron_table_add(is_present ? &witness->present : &witness->gone, entry, entry->id, strlen(entry->id)))
        return true;
    forget(entry);
    return false;
}

static entry_t *make(const char *id)
{
    size_t size = strlen(id) + 1;
    entry_t *entry = calloc(1, sizeof(*entry) + size);
    if (entry != NULL)
        memcpy(entry->id, id, size);
    return entry;
}

/* The record was believed. A node that is known already stays the one that is held, for the replica holds it too. */
static int remember(struct netron_witness *witness, entry_t *entry, const char *id, const struct netron_record *record,
                    uint64_t sequence, const struct netron_proof *proof)
{
    bool is_new = entry == NULL;
    if (is_new)
        entry = make(id);
    if (entry == NULL)
        return NETRON_ENOMEM;
    if (entry->node == NULL || memcmp(entry->digest, proof->digest, sizeof(entry->digest)) != 0) {
        netron_node_free(entry->node);
        entry->node = netron_node_retain(record->node);
    }
    entry->sequence = sequence;
    entry->ttl_ms = record->ttl_ms;
    memcpy(entry->digest, proof->digest, sizeof(entry->digest));
    memcpy(entry->incarnation, record->incarnation, sizeof(entry->incarnation));
    if (!is_new && witness->hears_departures && entry->is_present)
        return 0;
    return move(witness, entry, is_new, witness->hears_departures) ? 0 : NETRON_ENOMEM;
}

/* ---- judging ---- */

static bool is_older(const entry_t *entry, uint64_t sequence)
{
    return entry != NULL && sequence > 0 && sequence <= entry->sequence;
}

/* Whether the proof, which is not that of the entry, is one. What is older is refused whoever signed it, so that is not
 * looked at. */
static int check(const struct netron_witness *witness, const entry_t *entry, const char *id, uint64_t sequence,
                 const struct netron_proof *proof, struct netron_failure *why)
{
    if (is_older(entry, sequence))
        return netron_fail(why, NETRON_EPERM, "it is older than what was seen of the node, or contradicts it");
    return netron_keyring_check(&witness->settings->keyring, id, proof, why);
}

static int examine(struct netron_witness *witness, entry_t *entry, const char *id, const struct netron_record *record,
                   const struct netron_stamp *stamp, struct netron_failure *why)
{
    struct netron_proof proof;
    const struct netron_statement statement = {.key_prefix = witness->settings->key_prefix,
                                               .incarnation = record->incarnation,
                                               .sequence = stamp->sequence,
                                               .ttl_ms = record->ttl_ms,
                                               .state = stamp->state,
                                               .node = record->node};
    if (stamp->signature[0] == '\0' || stamp->sequence == 0)
        return netron_fail(why, NETRON_EPERM, "it is not signed");
    int code = netron_proof_read(stamp->signature, statement, &proof, why);
    if (code != 0)
        return code;
    if (entry == NULL || memcmp(entry->digest, proof.digest, sizeof(entry->digest)) != 0)
        code = check(witness, entry, id, stamp->sequence, &proof, why);
    if (code == 0 && remember(witness, entry, id, record, stamp->sequence, &proof) != 0)
        code = netron_fail(why, NETRON_ENOMEM, "no memory for a node that is believed");
    netron_proof_clear(&proof);
    return code;
}

/* When the same record would be judged otherwise, it is read again. */
static void look_again(struct netron_witness *witness, const entry_t *entry)
{
    if (witness->again == NULL || entry->is_present || witness->forgetting.set)
        return;
    uint64_t gone_for = netron_core_now(witness->core) - entry->gone_since;
    netron_core_after(witness->core, &witness->forgetting, NETRON_WITNESS_MEMORY_MS - gone_for);
}

/* The record becomes what was known before, unless it says that another process has the id now. */
static void refuse(struct netron_witness *witness, const entry_t *entry, struct netron_record *record,
                   const struct netron_stamp *stamp)
{
    bool was_older = is_older(entry, stamp->sequence);
    bool keeps = entry != NULL && (was_older || strcmp(entry->incarnation, record->incarnation) == 0);
    if (was_older)
        look_again(witness, entry);
    netron_record_drop_node(record);
    record->ttl_ms = 0;
    record->is_refused = true;
    if (!keeps || entry->node == NULL)
        return;
    record->node = netron_node_retain(entry->node);
    record->ttl_ms = entry->ttl_ms;
    memcpy(record->incarnation, entry->incarnation, sizeof(record->incarnation));
}

int netron_witness_judge(struct netron_witness *witness, const char *id, struct netron_record *record,
                         const struct netron_stamp *stamp, struct netron_failure *why)
{
    if (!netron_keyring_is_strict(&witness->settings->keyring) || record->node == NULL)
        return 0;
    age(witness);
    int code = examine(witness, find(witness, id), id, record, stamp, why);
    if (code == 0 || code == NETRON_ENOMEM)
        return code;
    netron_skipped_refuse(witness->skipped, id, why->sentence);
    refuse(witness, find(witness, id), record, stamp);
    return 0;
}

void netron_witness_departed(struct netron_witness *witness, const char *id)
{
    entry_t *entry = netron_table_find(witness->present, id, strlen(id));
    if (entry == NULL)
        return;
    netron_node_free(entry->node);
    entry->node = NULL;
    move(witness, entry, false, false);
    age(witness);
}

/* ---- beginning and end ---- */

static void on_forgetting(void *arg)
{
    struct netron_witness *witness = arg;
    witness->again(witness->arg);
}

void netron_witness_open(struct netron_witness *witness)
{
    netron_deadline_init(&witness->forgetting, on_forgetting, witness);
}

void netron_witness_close(struct netron_witness *witness)
{
    if (witness->core != NULL)
        netron_core_cancel(witness->core, &witness->forgetting);
    while (witness->present != NULL)
        forget(netron_table_take(&witness->present));
    while (witness->gone != NULL)
        forget(netron_table_take(&witness->gone));
}
