/* SPDX-License-Identifier: MIT */
#include "adopt.h"
#include <string.h>

/* No version will come near. What is larger was never set up, and its bytes must not be looked at. */
#define SANE_SIZE 4096u

int netron_adopt(void *known, size_t known_size, size_t first_size, const void *given, const char *name,
                 const char *initializer, struct netron_failure *why)
{
    const unsigned char *bytes = given;
    size_t size = known_size;
    memset(known, 0, known_size);
    if (given == NULL) {
        memcpy(known, &size, sizeof(size));
        return 0;
    }
    memcpy(&size, given, sizeof(size));
    if (size < first_size || size > SANE_SIZE)
        return netron_fail(why, NETRON_EINVAL, "%s.size is %zu, no size that the struct ever had: use %s()", name, size,
                           initializer);
    for (size_t i = known_size; i < size; i++)
        if (bytes[i] != 0)
            return netron_fail(why, NETRON_EINVAL,
                               "%s.size is %zu, and a member is set that this version of the library has not", name,
                               size);
    memcpy(known, given, size < known_size ? size : known_size);
    return 0;
}
