/* SPDX-License-Identifier: MIT */
/* The options of a picker, checked, with their defaults filled in. */
#ifndef NETRON_LIB_PICKER_SETTINGS_H
#define NETRON_LIB_PICKER_SETTINGS_H

#include "failure.h"
#include "outlier.h"
#include <netron/picker.h>

struct netron_picker_settings {
    netron_pick_policy policy;
    char *zone; /* owned; NULL = zones do not count */
    uint32_t zone_min_percent;
    struct netron_outlier_limits ejection;
};

/* options NULL = the defaults. Returns 0, or NETRON_EINVAL, NETRON_ELIMIT, NETRON_ENOMEM with a sentence that names the
 * member, and nothing in *out. */
int netron_picker_settings_make(const netron_picker_options *options, struct netron_picker_settings *out,
                                struct netron_failure *why);
void netron_picker_settings_clear(struct netron_picker_settings *settings);

#endif
