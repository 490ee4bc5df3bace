/* SPDX-License-Identifier: MIT */
/* Writing to somebody who hears no more: whatever is written, the host gets no SIGPIPE, and neither its mask nor what
 * is pending for it is another afterwards. */
#include "registry.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Everything that a library writes in a life: greetings, a subscription, a registration, beats, pings, looks, lookups,
 * updates, and a departure. It has at least so many moments: the acceptance of a connection, or a command. */
#define MOMENTS 44
#define STEP 4 /* of them, where it is the host that differs */
#define LIFE_MS 4000u

static int deaf_at; /* the moment from which on that connection's other end hears no more */
static int moment;
static int accepted;
static int deaf = -1; /* the connection to be made deaf */
static int kept[2] = {-1, -1};

static void pass_moment(int conn)
{
    if (moment++ == deaf_at)
        deaf = conn;
}

/* The next write fails with EPIPE, and nothing can be read that would tell so before. The peer would take its own
 * deafness for a hang-up, so it gets another socket, where nothing is ever said. */
static void go_deaf(int conn)
{
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    kept[0] = sim.peer.conns[conn];
    kept[1] = pair[1];
    sim.peer.conns[conn] = pair[0];
    ck_assert_int_eq(shutdown(kept[0], SHUT_RD), 0);
}

static const char *hear(struct peer *peer, const struct peer_command *command)
{
    pass_moment(command->conn);
    if (peer_is(command, "SCARD ") || peer_is(command, "ZCARD "))
        return ":1\r\n";
    if (peer_is(command, "SSCAN "))
        return "*2\r\n$1\r\n0\r\n*1\r\n$2\r\nn1\r\n";
    if (peer_is(command, "MGET ") || peer_is(command, "HMGET netron:discovery:records "))
        return "*1\r\n$-1\r\n";
    return registry_answer(peer, command);
}

static bool (*work)(void *arg);

static bool work_and_count(void *arg)
{
    bool worked = work(arg);
    for (; accepted < sim.peer.conn_count; accepted++)
        pass_moment(accepted);
    if (deaf != -1 && sim.peer.conns[deaf] != -1)
        go_deaf(deaf);
    deaf = -1;
    return worked;
}

static void open_pipe(void)
{
    registry_open();
    sim.peer.answer = hear;
    work = sim.loop.other_end;
    sim.loop.other_end = work_and_count;
    sim.options.ping_interval_ms = 300;
    sim.options.heartbeat_interval_ms = 500;
    sim.options.anti_entropy_interval_ms = 500;
    sim.options.reconnect_max_ms = 100;
    sim.options.retry_delay_ms = 100;
}

static void close_pipe(void)
{
    for (int i = 0; i < 2; i++)
        if (kept[i] != -1)
            close(kept[i]);
}

static void live(void)
{
    static struct nodes_recorder nodes;
    struct done_recorder updated = {0}, left = {0};
    registry_subscribe();
    sim_register();
    sim_advance(LIFE_MS / 4);
    ck_assert_int_eq(netron_find_nodes_by_service(sim.discovery, "web", NULL, record_nodes, &nodes), 0);
    sim_advance(LIFE_MS / 4);
    ck_assert_int_eq(nodes.calls, 1);
    ck_assert_int_eq(netron_registration_update_address(sim.registration, "10.0.0.2:80", record_done, &updated), 0);
    sim_advance(LIFE_MS / 4);
    ck_assert_int_eq(updated.calls, 1);
    ck_assert_int_eq(updated.code, 0);
    ck_assert_int_eq(netron_discovery_shutdown(sim.discovery, record_done, &left), 0);
    sim_advance(LIFE_MS);
    ck_assert_int_eq(left.calls, 1);
    ck_assert_int_eq(left.code, 0);
    ck_assert_int_gt(moment, deaf_at); /* it has been deaf */
}

static bool is_pending(void)
{
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
}

static void expect_mask(const sigset_t *expected)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < SIGRTMAX; number++)
        ck_assert_int_eq(sigismember(&mask, number), sigismember(expected, number));
}

/* With its default action a single one would end this process. */
START_TEST(whenever_the_other_end_hears_no_more_no_signal_is_raised)
{
    sigset_t before;
    signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    deaf_at = _i;
    live();
    ck_assert(!is_pending());
    expect_mask(&before);
}
END_TEST

START_TEST(a_host_that_blocks_the_signal_finds_none_pending_but_its_own)
{
    sigset_t blocked;
    bool has_its_own = _i % 2 == 1;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGPIPE);
    sigaddset(&blocked, SIGUSR1);
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &blocked, NULL), 0);
    if (has_its_own)
        raise(SIGPIPE);
    deaf_at = _i / 2 * STEP;
    live();
    ck_assert_int_eq(is_pending(), has_its_own);
    expect_mask(&blocked);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("broken_pipe");
    TCase *tcase = sim_case(suite, "writing in vain");
    tcase_add_checked_fixture(tcase, open_pipe, close_pipe);
    tcase_add_loop_test(tcase, whenever_the_other_end_hears_no_more_no_signal_is_raised, 0, MOMENTS);
    tcase_add_loop_test(tcase, a_host_that_blocks_the_signal_finds_none_pending_but_its_own, 0, 2 * MOMENTS / STEP);
    return suite_run(suite);
}
