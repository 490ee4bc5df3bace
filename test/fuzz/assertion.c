/* SPDX-License-Identifier: MIT */
/* Outside of a Check test an assertion of Check has nowhere to go: here it ends the process, with its words. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void __wrap__ck_assert_failed(const char *file, int line, const char *expression, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));
void __wrap__mark_point(const char *file, int line);

void __wrap__ck_assert_failed(const char *file, int line, const char *expression, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "%s:%d: %s: ", file, line, expression);
    if (format != NULL) {
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
    }
    fprintf(stderr, "\n");
    abort();
}

void __wrap__mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}
