/* SPDX-License-Identifier: MIT */
#include "registration_call.h"
#include "record.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How far ahead of ours the clock may have been that signed with an unknown key; what is further was not a clock. */
#define CLAIM_AHEAD_MAX_MS UINT64_C(3600000)

/* ---- signing ---- */

static uint64_t wall_clock(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Whoever has seen the node of the process before this one, whose clock was ahead, takes ours for the older one, and
 * nobody tells us: its key may be unknown here, its record gone, or the answer lost. So each node is signed once more,
 * at a repair, when our clock has come further as well. */
static bool is_to_be_signed_anew(const netron_registration *registration)
{
    return !registration->is_signed_anew && registration->established && registration->confirmed &&
           registration->beats + 1 >= BEATS_PER_REPAIR && wall_clock() > registration->claimed_sequence;
}

/* Once for each content, when it is sent first: a repair sends the same signature, for it is no change. */
static int sign(netron_registration *registration)
{
    struct netron_registrar *registrar = registration->registrar;
    const struct netron_settings *settings = registrar->settings;
    if (!netron_keyring_signs(&settings->keyring))
        return 0;
    if (registration->wish.sequence != 0 && is_to_be_signed_anew(registration)) {
        registration->is_signed_anew = true;
        registration->wish.sequence = 0;
        registration->wanted++;
    }
    if (registration->wish.sequence != 0)
        return 0;
    /* The time of the wall clock alone would do, if it never stood still or went back. */
    uint64_t clock = wall_clock();
    uint64_t own = clock > registrar->sequence ? clock : registrar->sequence + 1;
    uint64_t sequence = own > registration->sequence ? own : registration->sequence + 1;
    int code = netron_wish_sign(&registration->wish, &settings->keyring, settings->key_prefix,
                                registration->incarnation, settings->heartbeat_ttl_ms, sequence);
    if (code != 0)
        return code;
    registrar->sequence = own;
    registration->sequence = sequence;
    return 0;
}

/* The sequence of another owner's record; 0: there is none, or none could be above it. Anybody can write a high one, so
 * whether its signature is right is another matter. */
static uint64_t sequence_of(const netron_registration *registration, const char *incarnation, const char *body,
                            size_t length, bool *is_proven)
{
    const struct netron_settings *settings = registration->registrar->settings;
    const char *id = registration->wish.node->id;
    struct netron_record record;
    struct netron_stamp stamp;
    struct netron_proof proof;
    *is_proven = false;
    if (netron_record_parse_body(body, length, id, incarnation, &record, &stamp, NULL) != 0)
        return 0;
    const struct netron_statement statement = {.key_prefix = settings->key_prefix,
                                               .incarnation = record.incarnation,
                                               .sequence = stamp.sequence,
                                               .ttl_ms = record.ttl_ms,
                                               .state = stamp.state,
                                               .node = record.node};
    int code = netron_proof_read(stamp.signature, statement, &proof, NULL);
    if (code == 0 && netron_keyring_check_own(&settings->keyring, &proof) != 0)
        code = netron_keyring_check(&settings->keyring, id, &proof, NULL);
    netron_proof_clear(&proof);
    netron_record_clear(&record);
    *is_proven = code == 0;
    return stamp.sequence < NETRON_SEQUENCE_MAX ? stamp.sequence : 0;
}

void netron_registration_outrank(netron_registration *registration, const struct netron_reply *answer)
{
    size_t length = 0;
    const char *incarnation = netron_reply_text(netron_reply_at(answer, 2), NULL);
    const char *body = netron_reply_text(netron_reply_at(answer, 3), &length);
    if (!netron_keyring_signs(&registration->registrar->settings->keyring) || incarnation == NULL || body == NULL)
        return;
    /* This is the only answer that tells of it: also what is wanted by now, and is not signed yet, has to outrank it.
     */
    bool is_proven;
    uint64_t sequence = sequence_of(registration, incarnation, body, length, &is_proven);
    if (!is_proven) {
        bool is_near = sequence < wall_clock() + CLAIM_AHEAD_MAX_MS;
        registration->claimed_sequence = is_near ? sequence : 0;
        return;
    }
    if (sequence > registration->sequence)
        registration->sequence = sequence;
    if (registration->wish.sequence == 0 || sequence < registration->wish.sequence)
        return;
    registration->wish.sequence = 0;
    registration->wanted++;
}

/* ---- sending ---- */

int netron_registration_send_beat(netron_registration *registration, netron_reply_fn fn)
{
    char ttl[16];
    snprintf(ttl, sizeof(ttl), "%" PRIu32, registration->registrar->settings->heartbeat_ttl_ms);
    const char *const words[] = {"GETEX", registration->heartbeat_key, "PX", ttl};
    const size_t lengths[] = {5, strlen(registration->heartbeat_key), 2, strlen(ttl)};
    registration->in_flight = OPERATION_BEAT;
    registration->only_renews = false;
    return netron_link_look(registration->registrar->link, 4, words, lengths, fn, registration, &registration->ticket);
}

static const char *policy(const netron_registration *registration)
{
    if (registration->established)
        return "renew";
    return registration->registrar->settings->registration_policy == NETRON_REJECT ? "reject" : "take-over";
}

static const char *channel(const netron_registration *registration)
{
    const struct netron_settings *settings = registration->registrar->settings;
    return settings->pubsub_enabled ? settings->pubsub_channel : "";
}

int netron_registration_send_register(netron_registration *registration, netron_reply_fn fn)
{
    const struct netron_registrar *registrar = registration->registrar;
    const netron_node *node = registration->wish.node;
    char ttl[16];
    char tag[NETRON_TAG_DIGITS + 1];
    int code = sign(registration);
    if (code != 0)
        return code;
    snprintf(ttl, sizeof(ttl), "%" PRIu32, registrar->settings->heartbeat_ttl_ms);
    snprintf(tag, sizeof(tag), "%012" PRIx64, netron_core_random(registrar->core) >> 16);
    const char *const fixed[] = {node->id,
                                 registration->incarnation,
                                 tag,
                                 policy(registration),
                                 ttl,
                                 node->address,
                                 registration->wish.services_json,
                                 registration->wish.body,
                                 channel(registration)};
    const size_t fixed_count = sizeof(fixed) / sizeof(fixed[0]);
    const char **arguments = malloc((fixed_count + node->service_count) * sizeof(*arguments));
    if (arguments == NULL)
        return NETRON_ENOMEM;
    memcpy(arguments, fixed, sizeof(fixed));
    for (size_t i = 0; i < node->service_count; i++)
        arguments[fixed_count + i] = node->services[i].name;
    registration->in_flight = OPERATION_REGISTER;
    registration->sent = registration->wanted;
    registration->attempted = true;
    code = netron_script_call(registrar->link, &netron_script_source_register, registrar->registry_key, arguments,
                              fixed_count + node->service_count, fn, registration, &registration->call);
    free(arguments);
    return code;
}

int netron_registration_send_deregister(netron_registration *registration, netron_reply_fn fn)
{
    const struct netron_registrar *registrar = registration->registrar;
    const char *const arguments[] = {registration->wish.node->id, registration->incarnation, channel(registration)};
    registration->in_flight = OPERATION_DEREGISTER;
    return netron_script_call(registrar->link, &netron_script_source_deregister, registrar->registry_key, arguments,
                              sizeof(arguments) / sizeof(arguments[0]), fn, registration, &registration->call);
}
