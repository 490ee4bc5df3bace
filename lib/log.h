/* SPDX-License-Identifier: MIT */
/* Lines for the user's log callback; nothing is formatted when there is none. */
#ifndef NETRON_LIB_LOG_H
#define NETRON_LIB_LOG_H

#include <netron/options.h>

struct netron_log {
    netron_log_fn fn;
    void *arg;
};

void netron_log(const struct netron_log *log, netron_log_level level, const char *format, ...) NETRON_PRINTF(3, 4);

#endif
