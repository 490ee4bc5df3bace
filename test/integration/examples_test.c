/* SPDX-License-Identifier: MIT */
/* The example programs as people run them: servers that register, a client that finds and asks them, a node that obeys
 * its input. NETRON_TEST_EXAMPLES names the folder where they were built. */
#include "program.h"
#include "scene.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 8

/* The words are those of the command line, parted by blanks. */
static void start(struct program *program, const char *command_line)
{
    char text[512];
    const char *words[WORDS_MAX + 1] = {0};
    size_t count = 0;
    char *rest = NULL;
    const char *folder = getenv("NETRON_TEST_EXAMPLES");
    ck_assert_msg(folder != NULL, "NETRON_TEST_EXAMPLES is not set");
    ck_assert_int_eq(setenv("REDIS_URL", scene.server.url, 1), 0);
    snprintf(text, sizeof(text), "%s/%s", folder, command_line);
    for (char *word = strtok_r(text, " ", &rest); word != NULL && count < WORDS_MAX; word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    program_start(program, words);
}

/* Runs a program to its end; what it said is in program->text. */
static int run(struct program *program, const char *command_line)
{
    start(program, command_line);
    program_end_input(program);
    return program_wait(program);
}

#define EXPECT_SAID(program, words)                                                                                    \
    ck_assert_msg(strstr((program)->text, (words)) != NULL, "not \"%s\" but \"%s\"", (words), (program)->text)

/* A server that is registered; its node's id is copied to id. */
static void start_server_program(struct program *program, const char *command_line, char *id, size_t size)
{
    static const char words[] = "registered as ";
    start(program, command_line);
    program_expect(program, words, id, size);
    memmove(id, id + strlen(words), strlen(id + strlen(words)) + 1);
}

static void expect_gone(const char *id)
{
    ck_assert_int_eq(
        (int)server_integer(&scene.server, "EXISTS %s%s %s%s", PREFIX ":heartbeat:", id, PREFIX ":nodes:", id), 0);
    ck_assert_int_eq((int)server_integer(&scene.server, "SISMEMBER %s %s", PREFIX ":index:nodes", id), 0);
}

/* ---- server and client ---- */

START_TEST(a_client_finds_servers_by_name_and_version_until_they_leave)
{
    struct program one;
    struct program two;
    struct program client;
    char id_1[256];
    char id_2[256];
    start_server_program(&one, "server orders 1.0.0", id_1, sizeof(id_1));
    start_server_program(&two, "server orders 2.0.0", id_2, sizeof(id_2));
    ck_assert_int_eq(strncmp(id_1, "orders@127.0.0.1:", 17), 0);

    ck_assert_int_eq(run(&client, "client orders"), 0);
    EXPECT_SAID(&client, "2 found, asking orders@127.0.0.1:");
    EXPECT_SAID(&client, " answers 200\n");
    EXPECT_SAID(&client, "This is orders ");
    ck_assert_int_eq(run(&client, "client orders 1.0.0"), 0);
    EXPECT_SAID(&client, "1 found, asking ");
    EXPECT_SAID(&client, "This is orders 1.0.0 at 127.0.0.1:");
    EXPECT_SAID(&client, id_1);
    ck_assert_int_eq(run(&client, "client orders 2.0.0 /health"), 0);
    EXPECT_SAID(&client, " answers 200\nok\n");
    ck_assert_int_eq(run(&client, "client orders 2.0.0 /nothing"), 1);
    EXPECT_SAID(&client, " answers 404\n");

    ck_assert_int_eq(program_stop(&one, SIGTERM), 0);
    expect_gone(id_1);
    EXPECT_SAID(&one, "left the registry");
    ck_assert_int_eq(run(&client, "client orders 1.0.0"), 1);
    EXPECT_SAID(&client, "client: orders: no live node offers this version");
    ck_assert_int_eq(run(&client, "client orders"), 0);
    EXPECT_SAID(&client, "This is orders 2.0.0");

    ck_assert_int_eq(program_stop(&two, SIGINT), 0);
    expect_gone(id_2);
    ck_assert_int_eq(run(&client, "client orders"), 1);
    EXPECT_SAID(&client, "client: orders: no live node offers this service");
}
END_TEST

START_TEST(a_client_does_not_ask_a_server_that_drains)
{
    struct program server;
    struct program client;
    char id[256];
    ck_assert_int_eq(setenv("DRAIN_MS", "60000", 1), 0);
    start_server_program(&server, "server orders 1.0.0", id, sizeof(id));
    ck_assert_int_eq(run(&client, "client orders"), 0);
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    program_expect(&server, "draining for 60000 ms", NULL, 0);
    AWAIT(&scene.world, run(&client, "client orders") == 1);
    EXPECT_SAID(&client, "client: orders: no live node offers this service");
    program_stop(&server, SIGTERM); /* who asks twice does not want to wait */
}
END_TEST

START_TEST(a_server_that_is_killed_is_found_until_its_ttl_is_over)
{
    struct program server;
    struct program client;
    char id[256];
    start_server_program(&server, "server orders 1.0.0", id, sizeof(id));
    ck_assert_int_eq(program_stop(&server, SIGKILL), 128 + SIGKILL);
    long long ttl = server_integer(&scene.server, "PTTL %s%s", PREFIX ":heartbeat:", id);
    ck_assert_int_gt((int)ttl, 0);
    ck_assert_int_le((int)ttl, 15000);
    ck_assert_int_eq(run(&client, "client orders"), 1);
    EXPECT_SAID(&client, "1 found, asking ");
    EXPECT_SAID(&client, ": no answer");
    server_expect(&scene.server, "1", "PEXPIRE %s%s 1", PREFIX ":heartbeat:", id); /* instead of waiting */
    AWAIT(&scene.world, server_integer(&scene.server, "EXISTS %s%s", PREFIX ":heartbeat:", id) == 0);
    ck_assert_int_eq(run(&client, "client orders"), 1);
    EXPECT_SAID(&client, "no live node offers this service");
}
END_TEST

START_TEST(a_server_restarted_on_its_port_takes_its_old_place)
{
    struct program server;
    struct program client;
    char id[256];
    char again[256];
    char command_line[64];
    start_server_program(&server, "server orders 1.0.0", id, sizeof(id));
    ck_assert_int_eq(program_stop(&server, SIGKILL), 128 + SIGKILL);
    snprintf(command_line, sizeof(command_line), "server orders 1.0.1%s", strrchr(id, ':'));
    *strchr(command_line, ':') = ' ';
    start_server_program(&server, command_line, again, sizeof(again));
    ck_assert_str_eq(again, id);
    ck_assert_int_eq(run(&client, "client orders"), 0);
    EXPECT_SAID(&client, "1 found, asking ");
    EXPECT_SAID(&client, "This is orders 1.0.1");
    ck_assert_int_eq(program_stop(&server, SIGTERM), 0);
    expect_gone(id);
}
END_TEST

START_TEST(a_server_serves_while_redis_is_away_and_registers_when_it_is_back)
{
    struct program server;
    struct server late;
    server_start(&late, NULL);
    server_kill(&late);
    struct server shared = scene.server;
    scene.server = late; /* whose URL start() hands on */
    start(&server, "server orders 1.0.0");
    program_expect(&server, "orders 1.0.0 serves http://127.0.0.1:", NULL, 0);
    server_start_again(&late, NULL);
    program_expect(&server, "registered as orders@127.0.0.1:", NULL, 0);
    ck_assert_int_eq(program_stop(&server, SIGTERM), 0);
    ck_assert_int_eq((int)server_integer(&late, "EXISTS %s", PREFIX ":records"), 0);
    scene.server = shared;
    server_stop(&late);
}
END_TEST

START_TEST(wrong_command_lines_are_answered_by_the_usage)
{
    static const char *const wrong[] = {
        "server",
        "server orders",
        "server orders 1.0.0 port",
        "server orders 1.0.0 80 127.0.0.1 more",
        "server -x",
        "client",
        "client a b c d",
        "client -x",
        "node",
        "node a",
        "node --port 7",
    };
    struct program program;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_msg(run(&program, wrong[i]) == 2, "%s", wrong[i]);
        EXPECT_SAID(&program, "usage: ");
    }
    ck_assert_int_eq(run(&program, "server --help"), 0);
    ck_assert_int_eq(run(&program, "client --help"), 0);
    ck_assert_int_eq(run(&program, "node --help"), 0);
}
END_TEST

START_TEST(a_client_without_redis_says_so)
{
    struct program client;
    struct server shared = scene.server;
    strcpy(scene.server.url, "unix:///nowhere/redis.sock");
    ck_assert_int_eq(run(&client, "client orders"), 1);
    EXPECT_SAID(&client, "client: Redis: ");
    strcpy(scene.server.url, "http://127.0.0.1");
    ck_assert_int_eq(run(&client, "client orders"), 1);
    EXPECT_SAID(&client, "client: ");
    ck_assert_int_eq(run(&client, "server orders 1.0.0"), 1);
    EXPECT_SAID(&client, "server: ");
    scene.server = shared;
}
END_TEST

/* ---- node ---- */

START_TEST(a_node_obeys_its_input)
{
    struct program orders;
    struct program billing;
    start(&orders, "node orders-1 127.0.0.1:7001 orders@1.0.0");
    program_expect(&orders, "registered", NULL, 0);
    start(&billing, "node billing-1 127.0.0.1:7003 billing orders@2.0.0");
    program_expect(&billing, "registered", NULL, 0);

    program_say(&billing, "find orders");
    program_expect(&billing, "found billing-1 at 127.0.0.1:7003, orders-1 at 127.0.0.1:7001", NULL, 0);
    program_say(&billing, "find orders 1.0.0");
    program_expect(&billing, "found orders-1 at 127.0.0.1:7001", NULL, 0);
    program_say(&billing, "find shipping");
    program_expect(&billing, "found nobody", NULL, 0);
    program_say(&orders, "services shipping@3 orders@1.1.0");
    program_expect(&orders, "updated", NULL, 0);
    program_say(&orders, "address 127.0.0.1:7002");
    program_expect(&orders, "updated", NULL, 0);
    program_say(&billing, "find orders 1.0.0");
    program_expect(&billing, "found nobody", NULL, 0);
    program_say(&billing, "find shipping 3");
    program_expect(&billing, "found orders-1 at 127.0.0.1:7002", NULL, 0);
    program_say(&orders, "address nowhere");
    program_expect(&orders, "node.address \"nowhere\" has no port", NULL, 0);
    program_say(&orders, "dance");
    program_expect(&orders, "usage: node", NULL, 0);

    program_say(&orders, "leave");
    program_expect(&orders, "left", NULL, 0);
    ck_assert_int_eq(program_wait(&orders), 0);
    expect_gone("orders-1");
    program_say(&billing, "find shipping");
    program_expect(&billing, "found nobody", NULL, 0);
    ck_assert_int_eq(program_stop(&billing, SIGTERM), 0);
    expect_gone("billing-1");
}
END_TEST

START_TEST(a_node_leaves_at_the_end_of_its_input_or_by_an_interrupt)
{
    struct program node;
    start(&node, "node a 127.0.0.1:7001 orders");
    program_expect(&node, "registered", NULL, 0);
    program_end_input(&node);
    ck_assert_int_eq(program_wait(&node), 0);
    EXPECT_SAID(&node, "left");
    expect_gone("a");
    start(&node, "node b 127.0.0.1:7001 orders");
    program_expect(&node, "registered", NULL, 0);
    ck_assert_int_eq(program_stop(&node, SIGINT), 0);
    expect_gone("b");
}
END_TEST

START_TEST(a_node_that_is_killed_is_gone_after_its_ttl)
{
    struct program node;
    struct program other;
    ck_assert_int_eq(setenv("HEARTBEAT_TTL_MS", "1000", 1), 0);
    start(&other, "node other 127.0.0.1:7002 billing");
    program_expect(&other, "registered", NULL, 0);
    start(&node, "node a 127.0.0.1:7001 orders");
    program_expect(&node, "registered", NULL, 0);
    ck_assert_int_eq(program_stop(&node, SIGKILL), 128 + SIGKILL);
    uint64_t killed_at = world_clock_ms();
    AWAIT(&scene.world, server_integer(&scene.server, "EXISTS %s", PREFIX ":heartbeat:a") == 0);
    ck_assert_uint_lt(world_clock_ms() - killed_at, 3000);
    program_say(&other, "find orders");
    program_expect(&other, "found nobody", NULL, 0);
    ck_assert_int_eq((int)server_integer(&scene.server, "EXISTS %s", PREFIX ":heartbeat:other"),
                     1); /* that one beats */
    ck_assert_int_eq(program_stop(&other, SIGTERM), 0);
}
END_TEST

START_TEST(a_node_whose_id_is_taken_says_so)
{
    struct program older;
    struct program newer;
    ck_assert_int_eq(setenv("HEARTBEAT_TTL_MS", "1000", 1), 0);
    start(&older, "node a 127.0.0.1:7001 orders");
    program_expect(&older, "registered", NULL, 0);
    start(&newer, "node a 127.0.0.1:7002 orders");
    program_expect(&newer, "registered", NULL, 0);
    program_expect(&older, "node a was registered by another process", NULL, 0);
    program_say(&older, "find orders");
    program_expect(&older, "found a at 127.0.0.1:7002", NULL, 0);
    ck_assert_int_eq(program_stop(&older, SIGTERM), 0);
    ck_assert_int_eq((int)server_integer(&scene.server, "EXISTS %s", PREFIX ":heartbeat:a"), 1); /* the newer one's */
    ck_assert_int_eq(program_stop(&newer, SIGTERM), 0);
    expect_gone("a");
}
END_TEST

START_TEST(a_node_in_another_registry_is_not_found)
{
    struct program node;
    struct program other;
    start(&node, "node a 127.0.0.1:7001 orders");
    program_expect(&node, "registered", NULL, 0);
    ck_assert_int_eq(setenv("NETRON_KEY_PREFIX", "elsewhere", 1), 0);
    start(&other, "node b 127.0.0.1:7002");
    program_expect(&other, "registered", NULL, 0);
    server_expect(&scene.server, "1", "EXISTS elsewhere:heartbeat:b");
    program_say(&other, "find orders");
    program_expect(&other, "found nobody", NULL, 0);
    ck_assert_int_eq(program_stop(&other, SIGTERM), 0);
    ck_assert_int_eq(program_stop(&node, SIGTERM), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("examples");
    TCase *tcase = scene_case(suite, "server and client");
    tcase_add_test(tcase, a_client_finds_servers_by_name_and_version_until_they_leave);
    tcase_add_test(tcase, a_client_does_not_ask_a_server_that_drains);
    tcase_add_test(tcase, a_server_that_is_killed_is_found_until_its_ttl_is_over);
    tcase_add_test(tcase, a_server_restarted_on_its_port_takes_its_old_place);
    tcase_add_test(tcase, a_server_serves_while_redis_is_away_and_registers_when_it_is_back);
    tcase_add_test(tcase, wrong_command_lines_are_answered_by_the_usage);
    tcase_add_test(tcase, a_client_without_redis_says_so);
    tcase = scene_case(suite, "node");
    tcase_add_test(tcase, a_node_obeys_its_input);
    tcase_add_test(tcase, a_node_leaves_at_the_end_of_its_input_or_by_an_interrupt);
    tcase_add_test(tcase, a_node_that_is_killed_is_gone_after_its_ttl);
    tcase_add_test(tcase, a_node_whose_id_is_taken_says_so);
    tcase_add_test(tcase, a_node_in_another_registry_is_not_found);
    return suite_run(suite);
}
