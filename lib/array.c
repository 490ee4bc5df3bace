/* SPDX-License-Identifier: MIT */
#include "array.h"
#include <stdint.h>
#include <stdlib.h>

void *netron_array_grow(void *array, size_t *capacity, size_t first, size_t element_size)
{
    if (*capacity > SIZE_MAX / 2 / element_size)
        return NULL;
    size_t wanted = *capacity == 0 ? first : *capacity * 2;
    void *grown = realloc(array, wanted * element_size);
    if (grown != NULL)
        *capacity = wanted;
    return grown;
}
