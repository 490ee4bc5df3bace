/* SPDX-License-Identifier: MIT */
/* Arrays that grow. */
#ifndef NETRON_LIB_ARRAY_H
#define NETRON_LIB_ARRAY_H

#include <stddef.h>

/* The array with room for twice as many elements, or for this many at first; the capacity follows. NULL without memory,
 * and then the array stays as it was. */
void *netron_array_grow(void *array, size_t *capacity, size_t first, size_t element_size);

#endif
