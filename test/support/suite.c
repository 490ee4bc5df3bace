/* SPDX-License-Identifier: MIT */
#include "suite.h"
#include <dirent.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 12000 /* a resolver waits for its name servers, one after the other */
#define TIMEOUT_S 20      /* of one test; valgrind and sanitizer runs multiply it */

static int descriptors_before;

static bool is_of_kind(int folder, const char *name, const char *kind)
{
    char target[64];
    ssize_t length = readlinkat(folder, name, target, sizeof(target));
    return length == (ssize_t)strlen(kind) && memcmp(target, kind, strlen(kind)) == 0;
}

static int count_descriptors(const char *kind)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    ck_assert_msg(folder != NULL, "cannot count the descriptors");
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        if (kind == NULL || is_of_kind(dirfd(folder), entry->d_name, kind))
            count++;
    closedir(folder);
    return count;
}

int suite_descriptors(void)
{
    return count_descriptors(NULL);
}

int suite_descriptors_of(const char *kind)
{
    return count_descriptors(kind);
}

static void remember_descriptors(void)
{
    descriptors_before = suite_descriptors();
}

/* Threads of a library, that of a resolver for one, may still be closing theirs. */
static void compare_descriptors(void)
{
    int after = suite_descriptors();
    for (int waited_ms = 0; after != descriptors_before && waited_ms < PATIENCE_MS; waited_ms++) {
        poll(NULL, 0, 1);
        after = suite_descriptors();
    }
    ck_assert_msg(after == descriptors_before, "the test found %d descriptors and left %d", descriptors_before, after);
}

void suite_keep_open(int descriptors)
{
    descriptors_before += descriptors;
}

TCase *suite_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_checked_fixture(tcase, remember_descriptors, compare_descriptors);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int suite_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int run = srunner_ntests_run(runner);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
