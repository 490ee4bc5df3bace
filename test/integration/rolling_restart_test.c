/* SPDX-License-Identifier: MIT */
/* A service of three servers that are replaced one after the other, under a load that never ceases: not one request
 * fails, because clients hear of the draining before the server stops to listen. */
#include "program.h"
#include "scene.h"
#include <event2/event.h>
#include <event2/http.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define SERVERS 3
#define DRAIN_MS "1000" /* longer than this process may have to wait for its turn */
#define IN_FLIGHT 8
#define REQUESTS_MIN 1000 /* of them all; some thousands are usual, hundreds under valgrind would be no load */
#define PAUSE_US 0

/* ---- the load ---- */

struct place {
    char address[64];
    struct evhttp_connection *connection; /* kept alive, and made again by evhttp when it was closed */
};

/* One request after the other, on connections of its own. */
struct runner {
    struct load *load;
    struct place places[2 * SERVERS];
    const netron_node *node; /* of the request in flight */
    struct event *next;
};

struct load {
    netron_picker *picker;
    struct runner runners[IN_FLIGHT];
    int in_flight;
    int answered;
    int failed;
    char failure[128]; /* the first */
    bool is_over;
    int served[2 * SERVERS]; /* by the order in which the servers were started */
    char addresses[2 * SERVERS][64];
};

static void count_failure(struct load *load, const char *what)
{
    if (load->failed++ == 0)
        snprintf(load->failure, sizeof(load->failure), "%s, after %d answers", what, load->answered);
}

static void on_answer(struct evhttp_request *request, void *arg)
{
    const struct timeval pause = {0, PAUSE_US};
    struct runner *runner = arg;
    struct load *load = runner->load;
    int status = request != NULL ? evhttp_request_get_response_code(request) : 0;
    load->in_flight--;
    load->answered += status == HTTP_OK;
    if (status != HTTP_OK)
        count_failure(load, runner->node->address);
    for (int i = 0; i < 2 * SERVERS && status == HTTP_OK; i++)
        load->served[i] += strcmp(load->addresses[i], runner->node->address) == 0;
    netron_picker_report(load->picker, runner->node, status == HTTP_OK);
    if (!load->is_over)
        event_add(runner->next, &pause);
}

static struct evhttp_connection *connect_to(struct runner *runner, const char *address)
{
    for (size_t i = 0; i < sizeof(runner->places) / sizeof(runner->places[0]); i++) {
        struct place *place = &runner->places[i];
        if (place->connection != NULL && strcmp(place->address, address) != 0)
            continue;
        if (place->connection != NULL)
            return place->connection;
        const char *colon = strrchr(address, ':');
        ck_assert_ptr_nonnull(colon);
        snprintf(place->address, sizeof(place->address), "%s", address);
        place->connection = evhttp_connection_base_new(reactor_base(scene.world.reactor), NULL, "127.0.0.1",
                                                       (uint16_t)strtoul(colon + 1, NULL, 10));
        ck_assert_ptr_nonnull(place->connection);
        evhttp_connection_set_timeout(place->connection, 5);
        return place->connection;
    }
    ck_abort_msg("more servers than there were");
    return NULL;
}

static void on_next(evutil_socket_t none, short what, void *arg)
{
    (void)none;
    (void)what;
    struct runner *runner = arg;
    struct load *load = runner->load;
    runner->node = netron_picker_pick(load->picker, NULL, 0);
    ck_assert_msg(runner->node != NULL, "there is no server to ask");
    struct evhttp_connection *connection = connect_to(runner, runner->node->address);
    struct evhttp_request *request = evhttp_request_new(on_answer, runner);
    ck_assert_ptr_nonnull(request);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Host", runner->node->address);
    load->in_flight++;
    ck_assert_int_eq(evhttp_make_request(connection, request, EVHTTP_REQ_GET, "/"), 0);
}

static void begin_load(struct load *load)
{
    const struct timeval at_once = {0, 0};
    for (int i = 0; i < IN_FLIGHT; i++) {
        struct runner *runner = &load->runners[i];
        runner->load = load;
        runner->next = event_new(reactor_base(scene.world.reactor), -1, 0, on_next, runner);
        event_add(runner->next, &at_once);
    }
}

static void end_load(struct load *load)
{
    load->is_over = true;
    for (int i = 0; i < IN_FLIGHT; i++)
        event_del(load->runners[i].next);
    AWAIT(&scene.world, load->in_flight == 0);
    for (int i = 0; i < IN_FLIGHT; i++) {
        event_free(load->runners[i].next);
        for (int j = 0; j < 2 * SERVERS && load->runners[i].places[j].connection != NULL; j++)
            evhttp_connection_free(load->runners[i].places[j].connection);
    }
}

/* ---- the servers ---- */

static void start_server_program(struct program *program)
{
    char path[512];
    const char *const arguments[] = {path, "orders", "1.0.0", NULL};
    const char *folder = getenv("NETRON_TEST_EXAMPLES");
    ck_assert_msg(folder != NULL, "NETRON_TEST_EXAMPLES is not set");
    ck_assert_int_eq(setenv("REDIS_URL", scene.server.url, 1), 0);
    ck_assert_int_eq(setenv("DRAIN_MS", DRAIN_MS, 1), 0);
    snprintf(path, sizeof(path), "%s/server", folder);
    program_start(program, arguments);
}

/* Once it is registered; it said so before, so that nothing blocks. */
static void read_address(struct program *program, char *address, size_t size)
{
    char line[256];
    program_expect(program, "registered as orders@", line, sizeof(line));
    snprintf(address, size, "%s", strchr(line, '@') + 1);
}

static size_t nodes_found(netron_discovery *discovery, netron_node_state state)
{
    const netron_snapshot *found = netron_view_find(discovery, "orders", NULL);
    size_t count = 0;
    for (size_t i = 0; i < found->count; i++)
        count += found->nodes[i]->state == state;
    netron_snapshot_release(found);
    return count;
}

static bool has_ended(const struct program *program)
{
    siginfo_t info = {0};
    ck_assert_int_eq(waitid(P_PID, (id_t)program->pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    return info.si_pid == program->pid;
}

/* ---- the story ---- */

START_TEST(servers_that_are_restarted_one_after_the_other_lose_no_request)
{
    static struct load load;
    static struct program servers[2 * SERVERS];
    netron_options options = world_options(scene.server.url);
    netron_discovery *discovery = scene_join(&options);
    ck_assert_int_eq(netron_view_open(discovery), 0);
    netron_picker_options picking;
    netron_picker_options_init(&picking);
    picking.policy = NETRON_PICK_LEAST_LOADED;
    ck_assert_int_eq(netron_picker_new(discovery, "orders", "^1.0.0", &picking, &load.picker), 0);

    for (int i = 0; i < SERVERS; i++)
        start_server_program(&servers[i]);
    AWAIT(&scene.world, nodes_found(discovery, NETRON_NODE_UP) == SERVERS);
    for (int i = 0; i < SERVERS; i++)
        read_address(&servers[i], load.addresses[i], sizeof(load.addresses[i]));
    begin_load(&load);
    AWAIT(&scene.world, load.served[0] > 0 && load.served[1] > 0 && load.served[2] > 0);

    for (int i = 0; i < SERVERS; i++) {
        int answered = load.answered;
        ck_assert_int_eq(kill(servers[i].pid, SIGTERM), 0);
        start_server_program(&servers[SERVERS + i]);
        AWAIT(&scene.world, nodes_found(discovery, NETRON_NODE_DRAINING) == 1);
        AWAIT(&scene.world, has_ended(&servers[i]));
        ck_assert_int_eq(program_wait(&servers[i]), 0);
        AWAIT(&scene.world, nodes_found(discovery, NETRON_NODE_UP) == SERVERS);
        read_address(&servers[SERVERS + i], load.addresses[SERVERS + i], sizeof(load.addresses[0]));
        AWAIT(&scene.world, load.served[SERVERS + i] > 0);
        ck_assert_int_gt(load.answered, answered);
        ck_assert_msg(load.failed == 0, "%d requests failed; the first one to %s", load.failed, load.failure);
    }
    AWAIT(&scene.world, load.answered >= REQUESTS_MIN);
    end_load(&load);
    fprintf(stderr, "# %d servers replaced: %d requests answered, %d failed\n", SERVERS, load.answered, load.failed);
    ck_assert_msg(load.failed == 0, "%d requests failed; the first one to %s", load.failed, load.failure);
    for (int i = 0; i < SERVERS; i++)
        ck_assert_int_eq(program_stop(&servers[SERVERS + i], SIGTERM), 0);
    netron_picker_free(load.picker);
    netron_discovery_free(discovery);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rolling_restart");
    TCase *tcase = scene_case(suite, "a rolling restart");
    tcase_add_test(tcase, servers_that_are_restarted_one_after_the_other_lose_no_request);
    return suite_run(suite);
}
