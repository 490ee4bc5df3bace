/* SPDX-License-Identifier: MIT */
#include "version_range.h"
#include <stddef.h>
#include <string.h>

bool netron_version_range_accepts(const char *wanted, const char *version)
{
    return wanted == NULL || (version != NULL && strcmp(wanted, version) == 0);
}
