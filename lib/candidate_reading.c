/* SPDX-License-Identifier: MIT */
#include "candidate_reading.h"
#include <string.h>

static bool is_strict(const struct netron_witness *witness)
{
    return netron_keyring_is_strict(&witness->settings->keyring);
}

int netron_candidate_read_record(struct netron_candidate *candidate, struct netron_witness *witness, const char *line,
                                 size_t length, struct netron_failure *why)
{
    struct netron_stamp stamp;
    int code = netron_record_parse_signed(line, length, candidate->id, &candidate->record, &stamp, why);
    return code != 0 ? code : netron_witness_judge(witness, candidate->id, &candidate->record, &stamp, why);
}

void netron_heartbeat_read(struct netron_heartbeat *heartbeat, const struct netron_reply *owner)
{
    size_t length = 0;
    const char *incarnation = netron_reply_text(owner, &length);
    *heartbeat = (struct netron_heartbeat){.is_there = incarnation != NULL};
    heartbeat->is_named = incarnation != NULL && length <= NETRON_INCARNATION_MAX && strlen(incarnation) == length;
    if (heartbeat->is_named)
        memcpy(heartbeat->incarnation, incarnation, length);
}

netron_node *netron_candidate_judge(struct netron_candidate *candidate, const struct netron_heartbeat *heartbeat)
{
    struct netron_record *record = &candidate->record;
    netron_node *node = NULL;
    bool is_owners = heartbeat->is_named && strcmp(heartbeat->incarnation, record->incarnation) == 0;
    if (is_owners) {
        node = record->node;
        record->node = NULL;
    }
    /* What the owner's own record says, and is not believed, its hash would say again. */
    candidate->needs_hash = heartbeat->is_there && node == NULL && !(is_owners && record->is_refused);
    netron_record_clear(record);
    if (candidate->needs_hash) /* the hash does not name it */
        memcpy(record->incarnation, heartbeat->incarnation, sizeof(record->incarnation));
    return node;
}

size_t netron_candidate_hash_members(const struct netron_witness *witness, const char *members[NETRON_HASH_MEMBERS_MAX])
{
    static const char *const plain[NETRON_HASH_MEMBERS_MAX] = {"address", "services", "timestamp"};
    if (is_strict(witness)) {
        members[0] = "record";
        members[1] = "address"; /* of any node; not believed, but there */
        return 2;
    }
    memcpy(members, plain, sizeof(plain));
    return NETRON_HASH_MEMBERS_MAX;
}

/* The whole body, as its owner left it at its own key. */
static int read_signed(struct netron_candidate *candidate, struct netron_witness *witness,
                       const struct netron_reply *reply, netron_node **out, struct netron_failure *why)
{
    size_t length = 0;
    const char *body = netron_reply_text(netron_reply_at(reply, 0), &length);
    struct netron_stamp stamp;
    struct netron_record record;
    if (body == NULL && netron_reply_is_nil(netron_reply_at(reply, 1))) /* it has left between the two trips */
        return 0;
    if (body == NULL) {
        netron_skipped_refuse(witness->skipped, candidate->id, "it is not signed");
        return 0;
    }
    int code =
        netron_record_parse_body(body, length, candidate->id, candidate->record.incarnation, &record, &stamp, why);
    if (code == 0)
        code = netron_witness_judge(witness, candidate->id, &record, &stamp, why);
    if (code == 0 && strcmp(record.incarnation, candidate->record.incarnation) == 0) {
        *out = record.node;
        record.node = NULL;
    }
    netron_record_clear(&record);
    return code;
}

int netron_candidate_read_hash(struct netron_candidate *candidate, struct netron_witness *witness,
                               const struct netron_reply *reply, netron_node **out, struct netron_failure *why)
{
    const char *texts[NETRON_HASH_MEMBERS_MAX];
    size_t lengths[NETRON_HASH_MEMBERS_MAX] = {0};
    *out = NULL;
    if (is_strict(witness))
        return read_signed(candidate, witness, reply, out, why);
    for (size_t i = 0; i < NETRON_HASH_MEMBERS_MAX; i++)
        texts[i] = netron_reply_text(netron_reply_at(reply, i), &lengths[i]);
    if (texts[0] == NULL && texts[1] == NULL && texts[2] == NULL) /* it has left between the two trips */
        return 0;
    return netron_record_from_hash(candidate->id, texts[0], lengths[0], texts[1], lengths[1], texts[2], lengths[2], out,
                                   why);
}
