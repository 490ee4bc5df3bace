/* SPDX-License-Identifier: MIT */
#include "settings.h"
#include "adopt.h"
#include "log.h"
#include "slot.h"
#include "text.h"
#include "tls.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The struct as the first version had it: no caller's is smaller. */
#define FIRST_SIZE (offsetof(netron_options, on_link_arg) + sizeof(void *))

#define DEFAULT_URL "redis://127.0.0.1:6379/0"
#define KEY_PREFIX_MAX 128u
#define CLIENT_NAME_MAX 64u
#define RETRY_COUNT_MAX 10u
#define TIME_MAX_MS 86400000u /* a day: whoever waits longer has mistaken the unit */
#define HEARTBEAT_TTL_MIN_MS 1000u

static int no_memory(struct netron_failure *why)
{
    return netron_fail(why, NETRON_ENOMEM, "options: no memory");
}

/* ---- texts ---- */

static int check_text(const char *text, size_t max, const char *member, struct netron_failure *why)
{
    size_t length = strnlen(text, max + 1);
    if (length == 0)
        return netron_fail(why, NETRON_EINVAL, "options.%s is empty", member);
    if (length > max)
        return netron_fail(why, NETRON_ELIMIT, "options.%s is longer than %zu bytes", member, max);
    if (!netron_text_is_utf8(text, length))
        return netron_fail(why, NETRON_EINVAL, "options.%s is not valid UTF-8", member);
    if (netron_text_has_control(text, length))
        return netron_fail(why, NETRON_EINVAL, "options.%s holds a control character", member);
    return 0;
}

static int copy_text(const char *text, const char *fallback, size_t max, const char *member, char **out,
                     struct netron_failure *why)
{
    int code = text != NULL ? check_text(text, max, member, why) : 0;
    if (code != 0)
        return code;
    *out = strdup(text != NULL ? text : fallback);
    return *out != NULL ? 0 : no_memory(why);
}

/* CLIENT SETNAME refuses everything else. */
static int check_client_name(const char *name, struct netron_failure *why)
{
    for (; *name != '\0'; name++)
        if (*name < 0x21 || *name > 0x7e)
            return netron_fail(why, NETRON_EINVAL,
                               "options.client_name may hold printable ASCII characters only, and no blank");
    return 0;
}

static int make_default_channel(struct netron_settings *settings, struct netron_failure *why)
{
    static const char tail[] = ":events";
    size_t length = strlen(settings->key_prefix);
    settings->pubsub_channel = malloc(length + sizeof(tail));
    if (settings->pubsub_channel == NULL)
        return no_memory(why);
    memcpy(settings->pubsub_channel, settings->key_prefix, length);
    memcpy(settings->pubsub_channel + length, tail, sizeof(tail));
    return 0;
}

static int make_texts(const netron_options *options, struct netron_settings *settings, struct netron_failure *why)
{
    int code =
        copy_text(options->key_prefix, "netron:discovery", KEY_PREFIX_MAX, "key_prefix", &settings->key_prefix, why);
    if (code == 0)
        code = copy_text(options->client_name, "netron", CLIENT_NAME_MAX, "client_name", &settings->client_name, why);
    if (code == 0)
        code = check_client_name(settings->client_name, why);
    if (code == 0 && options->pubsub_channel == NULL)
        code = make_default_channel(settings, why);
    else if (code == 0)
        code = copy_text(options->pubsub_channel, NULL, NETRON_CHANNEL_MAX, "pubsub_channel", &settings->pubsub_channel,
                         why);
    return code;
}

/* ---- where Redis is ---- */

static int override_credentials(const netron_options *options, struct netron_url *redis, struct netron_failure *why)
{
    if (options->username != NULL) {
        if (options->username[0] == '\0')
            return netron_fail(why, NETRON_EINVAL, "options.username is empty");
        free(redis->username);
        redis->username = strdup(options->username);
        if (redis->username == NULL)
            return no_memory(why);
    }
    if (options->password != NULL) {
        netron_secret_free(redis->password);
        redis->password = strdup(options->password);
        if (redis->password == NULL)
            return no_memory(why);
    }
    if (redis->username != NULL && redis->password == NULL)
        return netron_fail(why, NETRON_EINVAL, "options.username needs a password, in options.password or in the URL");
    /* An empty password is one only of a user that is named; alone it is a variable that was not set. */
    if (redis->username == NULL && redis->password != NULL && redis->password[0] == '\0') {
        netron_secret_free(redis->password);
        redis->password = NULL;
    }
    if (options->credentials != NULL && (redis->username != NULL || redis->password != NULL))
        return netron_fail(why, NETRON_EINVAL,
                           "options.credentials supplies user and password: there may be none in options.username, "
                           "options.password and the URL");
    return 0;
}

/* What the grammar knows, and this library does not yet do. */
static int check_support(const struct netron_url *url, struct netron_failure *why)
{
    if (url->tls && !netron_tls_is_built_in())
        return netron_fail(why, NETRON_EURL,
                           "url: rediss:// needs a build with TLS (hiredis 1.0 or newer with hiredis_ssl)");
    return 0;
}

/* Whoever sets them where no sentinel is asked has mistaken them for those of Redis. */
static int make_sentinel_credentials(const netron_options *options, struct netron_settings *settings,
                                     struct netron_failure *why)
{
    const char *username = options->sentinel_username;
    const char *password = options->sentinel_password;
    if (username == NULL && password != NULL && password[0] == '\0')
        password = NULL;
    if (username == NULL && password == NULL)
        return 0;
    if (settings->redis.kind != NETRON_URL_SENTINELS)
        return netron_fail(why, NETRON_EINVAL,
                           "options.sentinel_username and options.sentinel_password need a redis+sentinel URL");
    if (username != NULL && username[0] == '\0')
        return netron_fail(why, NETRON_EINVAL, "options.sentinel_username is empty");
    if (password == NULL)
        return netron_fail(why, NETRON_EINVAL, "options.sentinel_username needs options.sentinel_password");
    settings->sentinel_username = username != NULL ? strdup(username) : NULL;
    settings->sentinel_password = strdup(password);
    bool is_whole = settings->sentinel_password != NULL && (username == NULL || settings->sentinel_username != NULL);
    return is_whole ? 0 : no_memory(why);
}

static int make_redis(const netron_options *options, struct netron_settings *settings, struct netron_failure *why)
{
    int code = netron_url_parse(options->url != NULL ? options->url : DEFAULT_URL, &settings->redis, why);
    if (code == 0)
        code = check_support(&settings->redis, why);
    if (code == 0)
        code = netron_tls_settings_make(options, settings->redis.tls, &settings->tls, why);
    if (code == 0)
        code = override_credentials(options, &settings->redis, why);
    return code != 0 ? code : make_sentinel_credentials(options, settings, why);
}

/* In a cluster the scripts reach the keys of one slot, and a shard channel is heard at the node of its own. */
static int check_slot(struct netron_settings *settings, struct netron_failure *why)
{
    const char *prefix = settings->key_prefix;
    const char *channel = settings->pubsub_channel;
    bool is_tagged = netron_slot_has_tag(prefix);
    bool is_near = netron_slot_of(channel) == netron_slot_of(prefix);
    settings->is_in_one_slot = is_tagged && is_near;
    if (settings->redis.kind != NETRON_URL_CLUSTER || settings->is_in_one_slot)
        return 0;
    if (!is_tagged)
        return netron_fail(why, NETRON_EINVAL,
                           "options.key_prefix needs a hash tag, for in a cluster all keys have to be in one slot: "
                           "\"{%s}\" instead of \"%s\"",
                           strpbrk(prefix, "{}") == NULL ? prefix : "netron:discovery", prefix);
    return netron_fail(why, NETRON_EINVAL,
                       "options.pubsub_channel is in another slot of the cluster than the keys: it needs the hash tag "
                       "of options.key_prefix, as in \"%s:events\"",
                       prefix);
}

/* ---- numbers ---- */

static uint32_t either(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

static void fill_numbers(const netron_options *options, struct netron_settings *settings)
{
    settings->heartbeat_interval_ms = either(options->heartbeat_interval_ms, 5000);
    settings->heartbeat_ttl_ms = either(options->heartbeat_ttl_ms, 15000);
    settings->retry_count = either(options->retry_count, 3);
    settings->retry_delay_ms = either(options->retry_delay_ms, 500);
    settings->shutdown_timeout_ms = either(options->shutdown_timeout_ms, 5000);
    settings->connect_timeout_ms = either(options->connect_timeout_ms, 5000);
    settings->command_timeout_ms = either(options->command_timeout_ms, 5000);
    settings->ping_interval_ms = either(options->ping_interval_ms, 10000);
    settings->anti_entropy_interval_ms = either(options->anti_entropy_interval_ms, 30000);
    settings->reconnect_min_ms = either(options->reconnect_min_ms, 100);
    settings->reconnect_max_ms = either(options->reconnect_max_ms, 10000);
    settings->tcp_user_timeout_ms = options->tcp_user_timeout_ms;
    settings->lookups_max = either(options->lookups_max, 1024);
}

static int check_ranges(const struct netron_settings *settings, struct netron_failure *why)
{
    const struct {
        const char *member;
        uint32_t value;
        uint32_t min;
        uint32_t max;
    } ranges[] = {
        {"heartbeat_interval_ms", settings->heartbeat_interval_ms, 1, TIME_MAX_MS},
        {"heartbeat_ttl_ms", settings->heartbeat_ttl_ms, HEARTBEAT_TTL_MIN_MS, TIME_MAX_MS},
        {"retry_count", settings->retry_count, 1, RETRY_COUNT_MAX},
        {"retry_delay_ms", settings->retry_delay_ms, 1, TIME_MAX_MS},
        {"shutdown_timeout_ms", settings->shutdown_timeout_ms, 1, TIME_MAX_MS},
        {"connect_timeout_ms", settings->connect_timeout_ms, 1, TIME_MAX_MS},
        {"command_timeout_ms", settings->command_timeout_ms, 1, TIME_MAX_MS},
        {"ping_interval_ms", settings->ping_interval_ms, 1, TIME_MAX_MS},
        {"anti_entropy_interval_ms", settings->anti_entropy_interval_ms, 100, TIME_MAX_MS},
        {"tcp_user_timeout_ms", settings->tcp_user_timeout_ms, 0, TIME_MAX_MS},
        {"reconnect_min_ms", settings->reconnect_min_ms, 1, TIME_MAX_MS},
        {"reconnect_max_ms", settings->reconnect_max_ms, 1, TIME_MAX_MS},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (ranges[i].value < ranges[i].min || ranges[i].value > ranges[i].max)
            return netron_fail(why, NETRON_ELIMIT, "options.%s is %u: %u to %u is allowed", ranges[i].member,
                               ranges[i].value, ranges[i].min, ranges[i].max);
    return 0;
}

/* Runs after check_ranges(), which keeps the doubling from overflowing. */
static int check_relations(const struct netron_settings *settings, struct netron_failure *why)
{
    if (settings->heartbeat_ttl_ms < 2 * settings->heartbeat_interval_ms)
        return netron_fail(why, NETRON_EINVAL,
                           "options.heartbeat_ttl_ms (%u) must be at least twice options.heartbeat_interval_ms (%u)",
                           settings->heartbeat_ttl_ms, settings->heartbeat_interval_ms);
    if (settings->reconnect_min_ms > settings->reconnect_max_ms)
        return netron_fail(why, NETRON_EINVAL,
                           "options.reconnect_min_ms (%u) must not exceed options.reconnect_max_ms (%u)",
                           settings->reconnect_min_ms, settings->reconnect_max_ms);
    return 0;
}

static int make_policy(const netron_options *options, struct netron_settings *settings, struct netron_failure *why)
{
    int policy = (int)options->registration_policy;
    if (policy != 0 && policy != NETRON_TAKE_OVER && policy != NETRON_REJECT)
        return netron_fail(why, NETRON_EINVAL,
                           "options.registration_policy is %d: NETRON_TAKE_OVER or NETRON_REJECT is allowed", policy);
    settings->registration_policy = policy == NETRON_REJECT ? NETRON_REJECT : NETRON_TAKE_OVER;
    return 0;
}

/* ---- the whole ---- */

static int adopt_options(const netron_options *options, netron_options *known, struct netron_failure *why)
{
    return netron_adopt(known, sizeof(*known), FIRST_SIZE, options, "options", "netron_options_init", why);
}

static int make(const netron_options *given, struct netron_settings *out, struct netron_failure *why)
{
    netron_options options;
    struct netron_settings settings = {0};
    *out = settings;
    int code = adopt_options(given, &options, why);
    if (code != 0)
        return code;
    settings.pubsub_enabled = options.pubsub_enabled != 0;
    settings.log = options.log;
    settings.log_arg = options.log_arg;
    settings.on_link = options.on_link;
    settings.on_link_arg = options.on_link_arg;
    settings.credentials = options.credentials;
    settings.credentials_arg = options.credentials_arg;
    fill_numbers(&options, &settings);
    code = check_ranges(&settings, why);
    if (code == 0)
        code = check_relations(&settings, why);
    if (code == 0)
        code = make_policy(&options, &settings, why);
    if (code == 0)
        code = make_texts(&options, &settings, why);
    if (code == 0)
        code = make_redis(&options, &settings, why);
    if (code == 0)
        code = netron_keyring_make(&options, &settings.keyring, why);
    if (code == 0)
        code = check_slot(&settings, why);
    if (code != 0) {
        netron_settings_clear(&settings);
        settings.log = options.log;
        settings.log_arg = options.log_arg;
    }
    *out = settings;
    return code;
}

int netron_settings_make(const netron_options *options, struct netron_settings *out, struct netron_failure *why)
{
    int code = make(options, out, why);
    if (code != 0 || out->heartbeat_ttl_ms >= 3 * out->heartbeat_interval_ms)
        return code;
    const struct netron_log log = {.fn = out->log, .arg = out->log_arg};
    netron_log(&log, NETRON_LOG_WARNING,
               "options.heartbeat_ttl_ms (%u) is below three times options.heartbeat_interval_ms (%u): "
               "a single late beat can lose the node",
               out->heartbeat_ttl_ms, out->heartbeat_interval_ms);
    return 0;
}

void netron_settings_clear(struct netron_settings *settings)
{
    netron_url_clear(&settings->redis);
    free(settings->sentinel_username);
    netron_secret_free(settings->sentinel_password);
    netron_keyring_clear(&settings->keyring);
    netron_tls_settings_clear(&settings->tls);
    free(settings->key_prefix);
    free(settings->client_name);
    free(settings->pubsub_channel);
    *settings = (struct netron_settings){0};
}

/* ---- the public part ---- */

void netron_options_init(netron_options *options)
{
    memset(options, 0, sizeof(*options));
    options->size = sizeof(*options);
}

int netron_options_check(const netron_options *options, char *sentence, size_t size)
{
    struct netron_failure why = {0};
    struct netron_settings settings;
    int code = make(options, &settings, &why);
    netron_settings_clear(&settings);
    if (sentence == NULL || size == 0)
        return code;
    size_t length = strnlen(why.sentence, size - 1);
    while (length > 0 && ((unsigned char)why.sentence[length] & 0xc0) == 0x80) /* not into a character */
        length--;
    memcpy(sentence, why.sentence, length);
    sentence[length] = '\0';
    return code;
}
