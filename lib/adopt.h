/* SPDX-License-Identifier: MIT */
/* Reading a caller's struct that begins with its size, whatever version of the headers the caller was compiled with. */
#ifndef NETRON_LIB_ADOPT_H
#define NETRON_LIB_ADOPT_H

#include "failure.h"

/*
 * Fills known, of known_size bytes, from given (NULL: all zero). first_size is what the first version had: no caller's
 * is smaller. A larger one is fine as long as what this library does not know of it is zero. Returns 0, or
 * NETRON_EINVAL with a sentence that names the struct and the function that sets it up.
 */
int netron_adopt(void *known, size_t known_size, size_t first_size, const void *given, const char *name,
                 const char *initializer, struct netron_failure *why);

#endif
