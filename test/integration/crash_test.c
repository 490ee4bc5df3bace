/* SPDX-License-Identifier: MIT */
/* Processes that die: each watcher hears it once and soon, however many look, and nothing of the dead is left. The same
 * for nodes of the original, which say nothing but by their keys. */
#include "scene.h"
#include "spy.h"
#include "tally.h"
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TTL_MS 1000
#define NEAR 4 /* watchers in this process */
#define FAR 4  /* and in processes of their own */
#define WATCHERS (NEAR + FAR)
#define VICTIMS 3

static struct tally heard[WATCHERS];
static netron_discovery *near_watchers[NEAR];

/* ---- other processes ---- */

struct news {
    netron_event_type type;
    char id[32];
    char reason[16];
    uint64_t at; /* world_clock_ms(), which all processes share */
};

struct process {
    pid_t pid;
    int news; /* -1 when it tells none */
};
static struct process far_watchers[FAR];

static void send_news(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    struct news news = {.type = event->type, .at = world_clock_ms()};
    snprintf(news.id, sizeof(news.id), "%s", event->node->id);
    snprintf(news.reason, sizeof(news.reason), "%s", event->reason);
    if (write(*(const int *)arg, &news, sizeof(news)) != (ssize_t)sizeof(news))
        _exit(1);
}

/* The life of a child: a node of that id, or a watcher when there is none. It never returns. */
static void live(pid_t parent, const char *id, int news)
{
    netron_options options = world_options(scene.server.url);
    netron_discovery *discovery = NULL;
    netron_service services[2];
    struct event_base *base = event_base_new();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || base == NULL || netron_discovery_new(base, &options, &discovery) != 0)
        _exit(1);
    netron_node node = make_node(id, "10.0.0.1:80", services, "orders", "1.0.0", NULL, NULL);
    if (id != NULL && netron_register(discovery, &node, NULL, NULL, NULL) != 0)
        _exit(1);
    if (id == NULL && netron_subscribe_to_events(discovery, send_news, &news, NULL) != 0)
        _exit(1);
    event_base_dispatch(base);
    _exit(1);
}

static struct process begin_process(const char *id)
{
    int ends[2] = {-1, -1};
    pid_t parent = getpid();
    ck_assert(id != NULL || pipe2(ends, O_CLOEXEC) == 0);
    const struct process process = {.pid = fork(), .news = ends[0]};
    if (process.pid == 0)
        live(parent, id, ends[1]);
    ck_assert_int_gt(process.pid, 0);
    if (id == NULL) {
        close(ends[1]);
        ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    }
    return process;
}

static void end_process(struct process *process)
{
    kill(process->pid, SIGKILL);
    ck_assert_int_eq(waitpid(process->pid, NULL, 0), process->pid);
    if (process->news >= 0)
        close(process->news);
}

static void read_news(const struct process *process, struct tally *tally)
{
    struct news news;
    ssize_t size;
    while ((size = read(process->news, &news, sizeof(news))) == (ssize_t)sizeof(news))
        tally_note(tally, news.type, news.id, news.reason, news.at);
    ck_assert_msg(size < 0 && errno == EAGAIN, "a watcher ended");
}

/* ---- all watchers ---- */

static void begin_watchers(void)
{
    const netron_options options = world_options(scene.server.url);
    for (int i = 0; i < FAR; i++)
        far_watchers[i] = begin_process(NULL);
    for (int i = 0; i < NEAR; i++) {
        near_watchers[i] = world_join(&scene.world, &options);
        ck_assert_int_eq(netron_subscribe_to_events(near_watchers[i], tally_event, &heard[i], NULL), 0);
    }
}

static void end_watchers(void)
{
    for (int i = 0; i < NEAR; i++)
        netron_discovery_free(near_watchers[i]);
    for (int i = 0; i < FAR; i++)
        end_process(&far_watchers[i]);
}

/* Whether each has heard so many events of that type. */
static bool have_heard(netron_event_type type, int count)
{
    bool is_so = true;
    for (int i = 0; i < FAR; i++)
        read_news(&far_watchers[i], &heard[NEAR + i]);
    for (int i = 0; i < WATCHERS && is_so; i++)
        is_so = (type == NETRON_SYNCED ? heard[i].synced : heard[i].count[type]) >= count;
    return is_so;
}

static void await_synced(void)
{
    begin_watchers();
    AWAIT(&scene.world, have_heard(NETRON_SYNCED, 1));
}

/* A last node, for whoever has heard of it has heard all that was published before. */
static void await_marker(int registered_before)
{
    const netron_options options = world_options(scene.server.url);
    netron_discovery *marker = scene_join(&options);
    scene_enrol(marker, "marker-999", "10.0.0.9:80", NULL, NULL, NULL, NULL);
    AWAIT(&scene.world, have_heard(NETRON_NODE_REGISTERED, registered_before + 1));
    netron_discovery_free(marker);
}

static void expect_nothing_of(const char *id)
{
    server_expect(&scene.server, "0", "EXISTS %s%s %s%s", PREFIX ":heartbeat:", id, PREFIX ":nodes:", id);
    server_expect(&scene.server, "0", "SISMEMBER %s %s", PREFIX ":index:nodes", id);
    server_expect(&scene.server, "0", "SISMEMBER %s %s", PREFIX ":index:service:orders", id);
    server_expect(&scene.server, "0", "HEXISTS %s %s", PREFIX ":records", id);
    server_expect(&scene.server, "(nil)", "ZSCORE %s %s", PREFIX ":expiry", id);
    ck_assert(digest_is_right(&scene.server));
}

/* ---- our own nodes ---- */

static void print_delays(const char *what, uint64_t since)
{
    uint64_t first = UINT64_MAX;
    uint64_t last = 0;
    for (int i = 0; i < WATCHERS; i++)
        for (int j = 0; j < heard[i].count[NETRON_NODE_DEREGISTERED]; j++) {
            uint64_t delay = heard[i].departed_at[j] - since;
            first = delay < first ? delay : first;
            last = delay > last ? delay : last;
        }
    fprintf(stderr, "# %s: told after %d to %d ms\n", what, (int)first, (int)last);
}

START_TEST(processes_that_are_killed_are_told_once_to_each_of_eight_watchers_and_nothing_of_them_is_left)
{
    static const char *const ids[VICTIMS] = {"victim-1", "victim-2", "victim-3"};
    static struct spy spy;
    struct process victims[VICTIMS];
    const netron_options options = world_options(scene.server.url);
    netron_discovery *survivor = scene_join(&options);
    scene_enrol(survivor, "survivor-4", "10.0.0.4:80", "orders", "1.0.0", NULL, NULL);
    await_synced();
    for (int i = 0; i < VICTIMS; i++)
        victims[i] = begin_process(ids[i]);
    AWAIT(&scene.world, have_heard(NETRON_NODE_REGISTERED, 1 + VICTIMS));
    spy_watch_events(&spy, &scene.server);

    uint64_t killed_at = world_clock_ms();
    for (int i = 0; i < VICTIMS; i++)
        end_process(&victims[i]);
    AWAIT(&scene.world, have_heard(NETRON_NODE_DEREGISTERED, VICTIMS));
    print_delays("killed processes", killed_at);
    for (int i = 0; i < VICTIMS; i++)
        expect_nothing_of(ids[i]);
    await_marker(1 + VICTIMS);
    for (int i = 0; i < WATCHERS; i++) {
        ck_assert_int_eq(heard[i].expired, VICTIMS);
        ck_assert_int_eq(heard[i].count[NETRON_NODE_DEREGISTERED], VICTIMS);
        ck_assert_int_eq(tally_most(&heard[i], NETRON_NODE_DEREGISTERED), 1);
        ck_assert_int_eq(tally_of(&heard[i], NETRON_NODE_DEREGISTERED, "survivor-4"), 0);
        ck_assert_int_eq(tally_most(&heard[i], NETRON_NODE_REGISTERED), 1);
        ck_assert_int_eq(heard[i].count[NETRON_NODE_UPDATED], 0);
    }
    ck_assert_int_eq(spy_count(&spy, "NODE_DEREGISTERED"), VICTIMS); /* published once, not told once only */
    spy_close(&spy);
    end_watchers();
    netron_discovery_free(survivor);
}
END_TEST

/* It stopped beating without being dead: what was told as gone is told as back, and belongs to nobody else. */
START_TEST(a_process_that_was_stopped_for_longer_than_its_ttl_is_back_when_it_goes_on)
{
    struct process stopped;
    await_synced();
    stopped = begin_process("stopped-1");
    AWAIT(&scene.world, have_heard(NETRON_NODE_REGISTERED, 1));
    ck_assert_int_eq(kill(stopped.pid, SIGSTOP), 0);
    AWAIT(&scene.world, have_heard(NETRON_NODE_DEREGISTERED, 1));
    expect_nothing_of("stopped-1");
    ck_assert_int_eq(kill(stopped.pid, SIGCONT), 0);
    AWAIT(&scene.world, have_heard(NETRON_NODE_REGISTERED, 2));
    await_marker(2);
    for (int i = 0; i < WATCHERS; i++) {
        ck_assert_int_eq(heard[i].expired, 1);
        ck_assert_int_eq(tally_of(&heard[i], NETRON_NODE_REGISTERED, "stopped-1"), 2);
        ck_assert_int_eq(tally_all(&heard[i]), 4);
    }
    end_process(&stopped);
    end_watchers();
}
END_TEST

/* ---- nodes of the original ---- */

/* A record that says no TTL has the default one. For so long a janitor has to be connected before it judges. */
#define UNSAID_TTL_MS 15000
#define SERVICES "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]"

struct original {
    const char *id;
    bool is_loud; /* it publishes, and at every beat */
    struct event *beat;
};

/* What it writes to register and at every beat. */
static void store(const struct original *original)
{
    server_expect(&scene.server, "1", "EVAL %s 3 %s%s %s%s %s %s %s %s %d %s",
                  "redis.call('HSET', KEYS[1], 'address', ARGV[1], 'services', ARGV[2], 'timestamp', ARGV[3]) "
                  "redis.call('PEXPIRE', KEYS[1], ARGV[4]) "
                  "redis.call('SET', KEYS[2], '1', 'PX', ARGV[4]) "
                  "redis.call('SADD', KEYS[3], ARGV[5]) "
                  "return 1",
                  PREFIX ":nodes:", original->id, PREFIX ":heartbeat:", original->id, PREFIX ":index:nodes",
                  "10.0.0.7:80", SERVICES, "1700000000000", TTL_MS, original->id);
}

static void say(const struct original *original, const char *type)
{
    char event[256];
    snprintf(event, sizeof(event),
             "{\"type\":\"%s\",\"nodeId\":\"%s\",\"address\":\"10.0.0.7:80\",\"services\":" SERVICES
             ",\"timestamp\":1700000000000}",
             type, original->id);
    if (original->is_loud)
        freeReplyObject(server_ask(&scene.server, "PUBLISH " PREFIX ":events %s", event));
}

static void on_beat(evutil_socket_t none, short what, void *arg)
{
    (void)none;
    (void)what;
    store(arg);
    say(arg, "NODE_UPDATED");
}

/* Registers and beats from now on. */
static void begin_original(struct original *original)
{
    const struct timeval interval = {0, TTL_MS / 5 * 1000};
    original->beat = event_new(reactor_base(scene.world.reactor), -1, EV_PERSIST, on_beat, original);
    store(original);
    say(original, "NODE_REGISTERED");
    ck_assert_int_eq(event_add(original->beat, &interval), 0);
}

static void kill_original(struct original *original)
{
    event_free(original->beat);
}

/* In one go, as those do: eight watchers look meanwhile. */
static void leave_as_original(struct original *original)
{
    event_free(original->beat);
    server_expect(&scene.server, "1", "EVAL %s 3 %s%s %s%s %s %s",
                  "redis.call('DEL', KEYS[1], KEYS[2]) "
                  "return redis.call('SREM', KEYS[3], ARGV[1])",
                  PREFIX ":nodes:", original->id, PREFIX ":heartbeat:", original->id, PREFIX ":index:nodes",
                  original->id);
    say(original, "NODE_DEREGISTERED");
}

static struct original loud = {.id = "loud-7", .is_loud = true};
static struct original silent = {.id = "silent-8"};

static void adopt(struct original *original, int registered)
{
    uint64_t began_at = world_clock_ms();
    begin_original(original);
    AWAIT(&scene.world, have_heard(NETRON_NODE_REGISTERED, registered));
    fprintf(stderr, "# %s: adopted after %d ms\n", original->id, (int)(world_clock_ms() - began_at));
    server_expect(&scene.server, "1", "SISMEMBER %s %s", PREFIX ":index:service:orders", original->id);
    ck_assert(digest_is_right(&scene.server));
}

static void adopt_both(void)
{
    await_synced();
    adopt(&silent, 1);
    adopt(&loud, 2);
}

static void expect_one_departure_each(int expired, int left)
{
    expect_nothing_of(loud.id);
    expect_nothing_of(silent.id);
    await_marker(2);
    for (int i = 0; i < WATCHERS; i++) {
        ck_assert_int_eq(heard[i].expired, expired);
        ck_assert_int_eq(heard[i].shutdown, left);
        ck_assert_int_eq(tally_most(&heard[i], NETRON_NODE_DEREGISTERED), 1);
        ck_assert_int_eq(tally_all(&heard[i]), 5); /* two came and left, and the marker came */
    }
}

START_TEST(a_node_of_the_original_that_deletes_its_keys_has_shut_down_whether_it_says_so_or_not)
{
    adopt_both();
    uint64_t left_at = world_clock_ms();
    leave_as_original(&silent);
    leave_as_original(&loud);
    AWAIT(&scene.world, have_heard(NETRON_NODE_DEREGISTERED, 2));
    print_delays("nodes of the original that left", left_at);
    expect_one_departure_each(0, 2);
    end_watchers();
}
END_TEST

START_TEST(a_node_of_the_original_beats_unnoticed_and_its_death_is_told_once)
{
    uint64_t began_at = world_clock_ms();
    adopt_both();
    AWAIT(&scene.world, world_clock_ms() - began_at > UNSAID_TTL_MS / 2);
    AWAIT(&scene.world, world_clock_ms() - began_at > UNSAID_TTL_MS);
    for (int i = 0; i < NEAR; i++)
        ck_assert_int_eq(tally_all(&heard[i]), 2); /* its beats are no updates */
    uint64_t killed_at = world_clock_ms();
    kill_original(&silent);
    kill_original(&loud);
    AWAIT(&scene.world, have_heard(NETRON_NODE_DEREGISTERED, 2));
    print_delays("dead nodes of the original", killed_at);
    expect_one_departure_each(2, 0);
    end_watchers();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crash");
    TCase *tcase = scene_case(suite, "processes");
    tcase_add_test(tcase,
                   processes_that_are_killed_are_told_once_to_each_of_eight_watchers_and_nothing_of_them_is_left);
    tcase_add_test(tcase, a_process_that_was_stopped_for_longer_than_its_ttl_is_back_when_it_goes_on);
    tcase = scene_case(suite, "nodes of the original");
    tcase_set_timeout(tcase, 40);
    tcase_add_test(tcase, a_node_of_the_original_that_deletes_its_keys_has_shut_down_whether_it_says_so_or_not);
    tcase_add_test(tcase, a_node_of_the_original_beats_unnoticed_and_its_death_is_told_once);
    return suite_run(suite);
}
