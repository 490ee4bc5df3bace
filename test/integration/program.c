/* SPDX-License-Identifier: MIT */
#include "program.h"
#include "world.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS WORLD_LIMIT_MS

static void run(const char *const *arguments, const int *input, const int *output, pid_t parent)
{
    union {
        const char *const *given;
        char *const *taken;
    } words = {.given = arguments};
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    dup2(output[1], STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        execv(words.taken[0], words.taken);
    _exit(127);
}

void program_start(struct program *program, const char *const *arguments)
{
    int input[2];
    int output[2];
    pid_t parent = getpid();
    ck_assert_int_eq(pipe2(input, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(output, O_CLOEXEC), 0);
    program->length = 0;
    program->text[0] = '\0';
    program->pid = fork();
    if (program->pid == 0)
        run(arguments, input, output, parent);
    ck_assert_int_gt(program->pid, 0);
    close(input[0]);
    close(output[1]);
    program->input = input[1];
    program->output = output[0];
}

void program_say(struct program *program, const char *line)
{
    ck_assert_int_eq(write(program->input, line, strlen(line)), (ssize_t)strlen(line));
    ck_assert_int_eq(write(program->input, "\n", 1), 1);
}

void program_end_input(struct program *program)
{
    if (program->input >= 0)
        close(program->input);
    program->input = -1;
}

/* Reads what there is by the limit; false at the end of the output. */
static bool read_more(struct program *program, uint64_t limit)
{
    uint64_t now = world_clock_ms();
    struct pollfd ready = {.fd = program->output, .events = POLLIN};
    ck_assert_msg(now < limit && poll(&ready, 1, (int)(limit - now)) == 1, "the program says nothing more than \"%s\"",
                  program->text);
    ck_assert_uint_lt(program->length + 1, sizeof(program->text));
    ssize_t count = read(program->output, program->text + program->length, sizeof(program->text) - program->length - 1);
    ck_assert_int_ge(count, 0);
    program->length += (size_t)count;
    program->text[program->length] = '\0';
    return count > 0;
}

/* Takes the first line off the text; false when there is no whole one. */
static bool take_line(struct program *program, char *line, size_t size)
{
    const char *end = strchr(program->text, '\n');
    if (end == NULL)
        return false;
    size_t taken = (size_t)(end - program->text) + 1;
    snprintf(line, size, "%.*s", (int)taken - 1, program->text);
    program->length -= taken;
    memmove(program->text, program->text + taken, program->length + 1);
    return true;
}

void program_expect(struct program *program, const char *text, char *line, size_t size)
{
    char taken[1024];
    uint64_t limit = world_clock_ms() + LIMIT_MS;
    for (;;) {
        while (take_line(program, taken, sizeof(taken))) {
            if (strstr(taken, text) == NULL)
                continue;
            if (line != NULL)
                snprintf(line, size, "%s", taken);
            return;
        }
        ck_assert_msg(read_more(program, limit), "the program ended without saying \"%s\"", text);
    }
}

int program_wait(struct program *program)
{
    int status = 0;
    uint64_t limit = world_clock_ms() + LIMIT_MS;
    while (read_more(program, limit))
        ;
    ck_assert_int_eq(waitpid(program->pid, &status, 0), program->pid);
    program_end_input(program);
    close(program->output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_stop(struct program *program, int number)
{
    ck_assert_int_eq(kill(program->pid, number), 0);
    return program_wait(program);
}
