/* SPDX-License-Identifier: MIT */
/* A program that a test runs: what it says, line by line, and how it ends. It dies with the test. */
#ifndef NETRON_TEST_PROGRAM_H
#define NETRON_TEST_PROGRAM_H

#include <stddef.h>
#include <sys/types.h>

struct program {
    pid_t pid;
    int input;  /* of the program: written by program_say() */
    int output; /* of the program, standard output and standard error in one */
    size_t length;
    char text[8192]; /* what it has said and nobody has waited for yet */
};

/* arguments: ended by NULL, the path of the program first. */
void program_start(struct program *program, const char *const *arguments);
void program_say(struct program *program, const char *line);
/* Closes the program's standard input. */
void program_end_input(struct program *program);
/* Waits for the next line that holds the text, skips those before, and copies it to line (may be NULL). Fails the test
 * when the program ends before, or says nothing of the kind within ten seconds. */
void program_expect(struct program *program, const char *text, char *line, size_t size);
/* Waits for its end, and returns its exit code, or 128 + the signal. Whatever it still said is in program->text. */
int program_wait(struct program *program);
/* Sends the signal, and waits for the end. */
int program_stop(struct program *program, int number);

#endif
