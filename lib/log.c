/* SPDX-License-Identifier: MIT */
#include "log.h"
#include "text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void netron_log(const struct netron_log *log, netron_log_level level, const char *format, ...)
{
    if (log->fn == NULL)
        return;
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    netron_text_make_printable(line, strlen(line));
    log->fn(level, line, log->arg);
}
