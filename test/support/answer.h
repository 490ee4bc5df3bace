/* SPDX-License-Identifier: MIT */
/* An answer in RESP, put together piece by piece; and answers that nobody should give. */
#ifndef NETRON_TEST_ANSWER_H
#define NETRON_TEST_ANSWER_H

#include <stddef.h>

#define ANSWER_SIZE 65536

/* bytes[length] is always a NUL. */
struct answer {
    char bytes[ANSWER_SIZE];
    size_t length;
};

void answer_clear(struct answer *answer);
/* Appends; the test fails when there is no room. */
void answer_say(struct answer *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void answer_say_text(struct answer *answer, const char *text); /* a bulk string */

/* Wrong types, wrong arity, nils, lengths that no memory holds, nesting, errors of every kind, and no RESP at all. */
extern const char *const hostile_answers[];
extern const size_t hostile_answer_count;

#endif
