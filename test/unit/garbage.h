/* SPDX-License-Identifier: MIT */
/* Texts that nobody would write, the same in each run. */
#ifndef NETRON_TEST_GARBAGE_H
#define NETRON_TEST_GARBAGE_H

#include "random.h"
#include "suite.h"
#include <stdlib.h>
#include <string.h>

/* Up to longest characters of the alphabet; alphabet NULL: any bytes but NUL. A text of its own on the heap, so that a
 * sanitizer sees who reads behind its end; to be freed. */
static inline char *garbage(struct netron_random *random, const char *alphabet, size_t longest)
{
    size_t length = (size_t)(netron_random_next(random) % (longest + 1));
    char *text = malloc(length + 1);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < length; i++) {
        uint64_t bits = netron_random_next(random);
        if (alphabet != NULL)
            text[i] = alphabet[bits % strlen(alphabet)];
        else
            text[i] = (char)(bits % 255 + 1);
    }
    text[length] = '\0';
    return text;
}

#endif
