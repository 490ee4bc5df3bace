/* SPDX-License-Identifier: MIT */
/* What went wrong: a code for programs and a sentence for people. */
#ifndef NETRON_LIB_FAILURE_H
#define NETRON_LIB_FAILURE_H

#include <netron/error.h>
#include <stdbool.h>

/* Room for a long key or a Redis error line; what is longer is cut at a character boundary. */
#define NETRON_SENTENCE_SIZE 320

struct netron_failure {
    int code; /* 0 or negative */
    char sentence[NETRON_SENTENCE_SIZE];
};

/* Fills the failure (NULL = nobody wants to know) and returns code, so that `return netron_fail(...)` reads well.
 * Control characters and invalid UTF-8 in the result become '?', for parts of it can come from the network. */
int netron_fail(struct netron_failure *failure, int code, const char *format, ...) NETRON_PRINTF(3, 4);

/* Whether only an operator can mend it: then it is tried again rarely, and told loudly. */
bool netron_failure_needs_operator(int code);

#endif
