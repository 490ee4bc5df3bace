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

/* What no test then finds in the library (DEBUG is off for everybody). The test's own connection may do everything: it
 * asks here for FLUSHALL. */
START_TEST(whoever_does_not_log_in_may_not_look_around_or_change_the_server)
{
    static const char *const forbidden[] = {"KEYS *",  "SCAN 0",   "CONFIG GET maxmemory",
                                            "MONITOR", "FLUSHALL", "FLUSHDB"};
    struct server server;
    server_start(&server, NULL);
    redisContext *library = redisConnectUnix(server.socket);
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        redisReply *reply = redisCommand(library, forbidden[i]);
        ck_assert_msg(reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOPERM", 6) == 0, "%s", forbidden[i]);
        freeReplyObject(reply);
    }
    redisFree(library);
    server_expect(&server, "OK", "FLUSHALL");
    server_forget(&server);
    server_stop(&server);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chosen_server");
    TCase *tcase = suite_case(suite, "setting");
    tcase_add_test(tcase, the_server_is_the_one_that_was_chosen);
    tcase_add_test(tcase, whoever_does_not_log_in_may_not_look_around_or_change_the_server);
    return suite_run(suite);
}
