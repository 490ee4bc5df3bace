/* SPDX-License-Identifier: MIT */
#include "picker_settings.h"
#include "adopt.h"
#include <stdlib.h>
#include <string.h>

/* The struct as the first version had it: no caller's is smaller. */
#define FIRST_SIZE (offsetof(netron_picker_options, ejection_max_percent) + sizeof(uint32_t))

#define TIME_MAX_MS 86400000u /* a day: whoever waits longer has mistaken the unit */
#define FAILURES_MAX 1000000u

void netron_picker_options_init(netron_picker_options *options)
{
    memset(options, 0, sizeof(*options));
    options->size = sizeof(*options);
}

static int adopt_options(const netron_picker_options *options, netron_picker_options *known, struct netron_failure *why)
{
    return netron_adopt(known, sizeof(*known), FIRST_SIZE, options, "options", "netron_picker_options_init", why);
}

static uint32_t either(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

static int check_ranges(const struct netron_picker_settings *settings, struct netron_failure *why)
{
    const struct netron_outlier_limits *ejection = &settings->ejection;
    const struct {
        const char *member;
        uint32_t value;
        uint32_t max;
    } ranges[] = {
        {"zone_min_percent", settings->zone_min_percent, 100}, {"ejection_failures", ejection->failures, FAILURES_MAX},
        {"ejection_base_ms", ejection->base_ms, TIME_MAX_MS},  {"ejection_max_ms", ejection->max_ms, TIME_MAX_MS},
        {"ejection_max_percent", ejection->max_percent, 100},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (ranges[i].value > ranges[i].max)
            return netron_fail(why, NETRON_ELIMIT, "options.%s is %u: 1 to %u is allowed", ranges[i].member,
                               ranges[i].value, ranges[i].max);
    if (ejection->base_ms > ejection->max_ms)
        return netron_fail(why, NETRON_EINVAL,
                           "options.ejection_base_ms (%u) must not exceed options.ejection_max_ms (%u)",
                           ejection->base_ms, ejection->max_ms);
    return 0;
}

int netron_picker_settings_make(const netron_picker_options *options, struct netron_picker_settings *out,
                                struct netron_failure *why)
{
    netron_picker_options known;
    *out = (struct netron_picker_settings){.policy = NETRON_PICK_ROUND_ROBIN};
    int code = adopt_options(options, &known, why);
    if (code != 0)
        return code;
    int policy = (int)known.policy;
    if (policy < NETRON_PICK_ROUND_ROBIN || policy > NETRON_PICK_RENDEZVOUS)
        return netron_fail(why, NETRON_EINVAL, "options.policy is %d, which is no policy", policy);
    if (known.zone != NULL && known.zone[0] == '\0')
        return netron_fail(why, NETRON_EINVAL, "options.zone is empty");
    struct netron_picker_settings settings = {
        .policy = known.policy,
        .zone_min_percent = either(known.zone_min_percent, 50),
        .ejection =
            {
                .disabled = known.ejection_disabled != 0,
                .failures = either(known.ejection_failures, 5),
                .base_ms = either(known.ejection_base_ms, 10000),
                .max_ms = either(known.ejection_max_ms, 300000),
                .max_percent = either(known.ejection_max_percent, 50),
            },
    };
    code = check_ranges(&settings, why);
    if (code != 0)
        return code;
    if (known.zone != NULL) {
        settings.zone = strdup(known.zone);
        if (settings.zone == NULL)
            return netron_fail(why, NETRON_ENOMEM, "options: no memory");
    }
    *out = settings;
    return 0;
}

void netron_picker_settings_clear(struct netron_picker_settings *settings)
{
    free(settings->zone);
    *settings = (struct netron_picker_settings){.policy = NETRON_PICK_ROUND_ROBIN};
}
