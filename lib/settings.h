/* SPDX-License-Identifier: MIT */
/* The options, checked, with every default filled in and every string owned. */
#ifndef NETRON_LIB_SETTINGS_H
#define NETRON_LIB_SETTINGS_H

#include "failure.h"
#include "keyring.h"
#include "tls_settings.h"
#include "url.h"
#include <netron/options.h>
#include <stdbool.h>

#define NETRON_CHANNEL_MAX 256u /* bytes */

struct netron_settings {
    struct netron_url redis; /* options.username and options.password are already in it */
    char *sentinel_username; /* NULL when there is none */
    char *sentinel_password; /* likewise */
    struct netron_tls_settings tls;
    char *key_prefix;
    char *client_name;
    char *pubsub_channel;
    bool pubsub_enabled;
    bool is_in_one_slot; /* of a cluster: all keys, and the channel */
    netron_registration_policy registration_policy;
    uint32_t heartbeat_interval_ms;
    uint32_t heartbeat_ttl_ms;
    uint32_t retry_count;
    uint32_t retry_delay_ms;
    uint32_t shutdown_timeout_ms;
    uint32_t connect_timeout_ms;
    uint32_t command_timeout_ms;
    uint32_t ping_interval_ms;
    uint32_t anti_entropy_interval_ms;
    uint32_t tcp_user_timeout_ms; /* 0 = the system's own */
    uint32_t reconnect_min_ms;
    uint32_t reconnect_max_ms;
    uint32_t lookups_max;
    netron_log_fn log;
    void *log_arg;
    netron_link_fn on_link;
    void *on_link_arg;
    netron_credentials_fn credentials;
    void *credentials_arg;
    struct netron_keyring keyring;
};

/* options NULL = all defaults. Returns as netron_options_check() does; on failure out holds at most log and log_arg, so
 * that the refusal can be logged where it was asked for, and needs no clearing.
 * options.size must be at least that of the first version; a larger one is accepted as long as the bytes that this
 * library does not know are zero. */
int netron_settings_make(const netron_options *options, struct netron_settings *out, struct netron_failure *why);
void netron_settings_clear(struct netron_settings *settings); /* idempotent */

#endif
