/* SPDX-License-Identifier: MIT */
/* One setting, NETRON_TEST_SERVER, chooses what all of the tests speak to. */
#include "server.h"
#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(the_server_is_the_one_that_was_chosen)
{
    struct server server;
    char info[16384];
    char expected[256];
    const char *chosen = getenv("NETRON_TEST_SERVER");
    if (chosen == NULL || chosen[0] == '\0')
        chosen = "redis-server";
    const char *name = strrchr(chosen, '/');
    snprintf(expected, sizeof(expected), "/%s", name != NULL ? name + 1 : chosen);
    server_start(&server, NULL);
    ck_assert(server_text(&server, info, sizeof(info), "INFO server"));
    char *executable = strstr(info, "executable:");
    ck_assert_ptr_nonnull(executable);
    executable[strcspn(executable, "\r\n")] = '\0';
    ck_assert_str_eq(strrchr(executable, '/'), expected);
    server_forget(&server);
    server_stop(&server);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chosen_server");
    tcase_add_test(suite_case(suite, "setting"), the_server_is_the_one_that_was_chosen);
    return suite_run(suite);
}
