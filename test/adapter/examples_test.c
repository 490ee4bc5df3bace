/* SPDX-License-Identifier: MIT */
/* The example of each event loop as people run it, in one fleet with that of another. NETRON_TEST_EXAMPLES names the
 * folder where they were built, NETRON_TEST_REACTOR_EXAMPLES the programs. */
#include "program.h"
#include "scene.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAMS_MAX 8

static char programs[PROGRAMS_MAX][256];
static int program_count;

static void name_programs(void)
{
    const char *folder = getenv("NETRON_TEST_EXAMPLES");
    const char *names = getenv("NETRON_TEST_REACTOR_EXAMPLES");
    char text[256];
    char *rest = NULL;
    if (folder == NULL || names == NULL)
        return; /* without programs there are no tests, which is a failure */
    snprintf(text, sizeof(text), "%s", names);
    for (char *name = strtok_r(text, " ", &rest); name != NULL && program_count < PROGRAMS_MAX;
         name = strtok_r(NULL, " ", &rest))
        snprintf(programs[program_count++], sizeof(programs[0]), "%s/%s", folder, name);
}

static void begin(struct program *program, const char *path, const char *id, const char *address)
{
    const char *const words[] = {path, id, address, NULL};
    ck_assert_int_eq(setenv("REDIS_URL", scene.server.url, 1), 0);
    program_start(program, words);
    program_expect(program, "registered as", NULL, 0);
}

START_TEST(it_registers_finds_hears_and_leaves)
{
    struct program one;
    struct program two;
    begin(&one, programs[_i], "one", "127.0.0.1:7001");
    begin(&two, programs[(_i + 1) % program_count], "two", "127.0.0.1:7002");
    program_expect(&one, "NODE_REGISTERED two", NULL, 0);
    program_expect(&one, "found one at 127.0.0.1:7001 two at 127.0.0.1:7002", NULL, 0);
    ck_assert_int_eq(kill(scene.server.pid, SIGSTOP), 0); /* it takes its time, and who is impatient presses twice */
    ck_assert_int_eq(kill(two.pid, SIGINT), 0);
    ck_assert_int_eq(kill(two.pid, SIGTERM), 0);
    ck_assert_int_eq(kill(scene.server.pid, SIGCONT), 0);
    ck_assert_int_eq(program_wait(&two), 0);
    ck_assert_ptr_nonnull(strstr(two.text, "left the registry\n"));
    program_expect(&one, "NODE_DEREGISTERED two: shutdown", NULL, 0);
    program_expect(&one, "found one at 127.0.0.1:7001", NULL, 0);
    ck_assert_int_eq(program_stop(&one, SIGINT), 0);
    ck_assert_int_eq((int)server_integer(&scene.server, "SCARD " PREFIX ":index:nodes"), 0);
}
END_TEST

START_TEST(it_says_how_it_is_used_and_what_is_wrong)
{
    struct program program;
    const char *const too_few[] = {programs[_i], "one", NULL};
    const char *const words[] = {programs[_i], "one", "127.0.0.1:7001", NULL};
    program_start(&program, too_few);
    ck_assert_int_eq(program_wait(&program), 2);
    ck_assert_ptr_nonnull(strstr(program.text, "usage: "));
    ck_assert_int_eq(setenv("REDIS_URL", "http://127.0.0.1", 1), 0);
    program_start(&program, words);
    ck_assert_int_eq(program_wait(&program), 1);
}
END_TEST

int main(void)
{
    name_programs();
    Suite *suite = suite_create("examples");
    TCase *tcase = scene_case(suite, "programs");
    tcase_add_loop_test(tcase, it_registers_finds_hears_and_leaves, 0, program_count);
    tcase_add_loop_test(tcase, it_says_how_it_is_used_and_what_is_wrong, 0, program_count);
    return suite_run(suite);
}
