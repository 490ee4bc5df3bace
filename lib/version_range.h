/* SPDX-License-Identifier: MIT */
/* Which versions of a service are wanted. Today that is one exact text, as the original has it. */
#ifndef NETRON_LIB_VERSION_RANGE_H
#define NETRON_LIB_VERSION_RANGE_H

#include <stdbool.h>

/* wanted NULL accepts every version, also none; otherwise only the same text. */
bool netron_version_range_accepts(const char *wanted, const char *version);

#endif
