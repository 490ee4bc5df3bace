/* SPDX-License-Identifier: MIT */
/* Processes that stand still while another takes their id, and go on: the id belongs to one of them at every moment. */
#include "program.h"
#include "scene.h"
#include "spy.h"
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define TTL_MS 1000u

static struct spy spy;
static struct event_recorder heard;
static netron_discovery *watcher;

static void start_node(struct program *program, const char *address)
{
    static char path[PATH_MAX];
    ck_assert_ptr_nonnull(getenv("NETRON_TEST_EXAMPLES"));
    snprintf(path, sizeof(path), "%s/node", getenv("NETRON_TEST_EXAMPLES"));
    const char *const arguments[] = {path, "node-1", address, "orders@1.0.0", NULL};
    ck_assert_int_eq(setenv("REDIS_URL", scene.server.url, 1), 0);
    ck_assert_int_eq(setenv("HEARTBEAT_TTL_MS", "1000", 1), 0);
    program_start(program, arguments);
    program_expect(program, "registered", NULL, 0);
}

static void read_owner(char owner[32])
{
    ck_assert(server_text(&scene.server, owner, 32, "GET " PREFIX ":heartbeat:node-1"));
}

/* Looked at in every turn of the loop. */
static bool is_owned_by(const char *incarnation)
{
    char owner[32];
    read_owner(owner);
    ck_assert_str_eq(owner, incarnation);
    return true;
}

/* Every change of ownership is one of these: "type incarnation" in their order. */
static void expect_history(int count, const char *const types[], const char *const incarnations[])
{
    spy_collect(&spy);
    ck_assert_int_eq(spy.count, count);
    for (int i = 0; i < count; i++) {
        ck_assert_msg(strstr(spy.line[i], types[i]) != NULL && strstr(spy.line[i], incarnations[i]) != NULL,
                      "instead of %s by %s there was %s", types[i], incarnations[i], spy.line[i]);
    }
}

/* Whether the older one's heartbeat is over when the newer one comes; and whether it finds an order to leave when it
 * goes on, which is then maybe the first that it sends. */
static const struct {
    bool has_expired, leaves_at_once;
} cases[] = {{false, false}, {false, true}, {true, false}, {true, true}};

START_TEST(a_process_whose_id_was_taken_while_it_stood_still_is_replaced_and_its_departure_removes_nobody)
{
    struct program older;
    struct program newer;
    char first[32];
    char second[32];
    const netron_options options = world_options(scene.server.url);
    bool has_expired = cases[_i].has_expired;
    watcher = scene_join(&options);
    scene_listen(watcher, &heard);
    spy_watch_events(&spy, &scene.server);
    start_node(&older, "10.0.0.1:80");
    read_owner(first);
    if (has_expired)
        world_run(&scene.world, TTL_MS); /* so that the watcher may judge */
    ck_assert_int_eq(kill(older.pid, SIGSTOP), 0);
    if (has_expired)
        AWAIT(&scene.world, heard.count == 2);
    start_node(&newer, "10.0.0.2:80");
    read_owner(second);
    ck_assert_str_ne(second, first);

    if (cases[_i].leaves_at_once)
        program_say(&older, "leave");
    ck_assert_int_eq(kill(older.pid, SIGCONT), 0);
    uint64_t end = world_clock_ms() + 2 * TTL_MS;
    AWAIT(&scene.world, is_owned_by(second) && world_clock_ms() > end);
    if (!cases[_i].leaves_at_once) {
        program_expect(&older, "another process registered the node id", NULL, 0);
        program_say(&older, "leave");
    }
    program_wait(&older);
    end = world_clock_ms() + TTL_MS;
    AWAIT(&scene.world, is_owned_by(second) && world_clock_ms() > end);

    const char *const expiry[] = {"NODE_REGISTERED", "NODE_DEREGISTERED", "NODE_REGISTERED"};
    const char *const takeover[] = {"NODE_REGISTERED", "NODE_UPDATED"};
    const char *const owners[] = {first, has_expired ? first : second, second};
    expect_history(has_expired ? 3 : 2, has_expired ? expiry : takeover, owners);
    EXPECT_FOUND(watcher, "orders", NULL, "node-1 10.0.0.2:80 orders@1.0.0");
    ck_assert(digest_is_right(&scene.server));
    ck_assert_int_eq(program_stop(&newer, SIGTERM), 0);
    server_expect(&scene.server, "0", "EXISTS " PREFIX ":heartbeat:node-1");
    spy_close(&spy);
    netron_discovery_free(watcher);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("process_faults");
    TCase *tcase = scene_case(suite, "owners");
    tcase_add_loop_test(tcase,
                        a_process_whose_id_was_taken_while_it_stood_still_is_replaced_and_its_departure_removes_nobody,
                        0, sizeof(cases) / sizeof(cases[0]));
    return suite_run(suite);
}
