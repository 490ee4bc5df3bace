/* SPDX-License-Identifier: MIT */
/*
 * Many processes that lose Redis in the same moment, and come back: not in the same moment, each once, and without a
 * command that would hold the others up.
 *
 * NETRON_TEST_HERD says how many processes; the default is quick, and 500 is what it is made for.
 */
#include "recorders.h"
#include "server.h"
#include "spy.h"
#include "suite.h"
#include "tally.h"
#include "world.h"
#include <ctype.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PREFIX "netron:discovery"
#define HERD_MAX 1000
#define HERD_DEFAULT 60
#define LIMIT_MS 60000
/* What the returns are spread over at least, and how much of them may fall into a tenth of that: evenly it would be
 * 10 %. */
#define SPREAD_MS 2000
#define BUCKET_MS (SPREAD_MS / 10)
#define BUCKETS 100
#define SHARE_MAX 50
#define SLOW_US "5000"

static const char *const slow_log[] = {"--slowlog-log-slower-than", SLOW_US, "--slowlog-max-len", "1000", NULL};
static int herd;
static struct server server;
static struct world world;
static struct tally heard; /* by a watcher in this process */
static netron_discovery *watcher;

/* ---- a process of the herd ---- */

struct report {
    int number;
    int role; /* 0 = the registration is confirmed; else the link that is up or down */
    int is_up;
    uint64_t at; /* world_clock_ms(), which all processes share */
};

struct process {
    pid_t pid;
    bool is_registered;
    bool is_up[3]; /* by role */
    int ups[3];
    uint64_t up_at[3];
};
static struct process processes[HERD_MAX];
static int reports[2];

struct member {
    int number;
    netron_discovery *discovery;
};

static void send_report(const struct member *member, int role, int is_up)
{
    const struct report report = {member->number, role, is_up, world_clock_ms()};
    if (write(reports[1], &report, sizeof(report)) != (ssize_t)sizeof(report))
        _exit(1);
}

static void on_link(netron_discovery *discovery, netron_link_role role, int code, const char *sentence, void *arg)
{
    (void)discovery;
    (void)sentence;
    send_report(arg, (int)role, code == 0);
}

static void on_state(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    (void)registration;
    (void)code;
    send_report(arg, 0, state == NETRON_REGISTERED);
}

static void ignore_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    (void)event;
    (void)arg;
}

static netron_options herd_options(void)
{
    netron_options options = world_options(server.url);
    options.heartbeat_interval_ms = SPREAD_MS;
    options.heartbeat_ttl_ms = 10 * SPREAD_MS;
    options.reconnect_min_ms = SPREAD_MS;
    options.reconnect_max_ms = 2 * SPREAD_MS;
    options.retry_delay_ms = 500;
    return options;
}

/* Redis has a processor in earnest; here hundreds of processes would take it away, in the middle of a command. */
static void prefer_server(void)
{
    setpriority(PRIO_PROCESS, (id_t)server.pid, -20); /* where that is allowed */
}

static void live(int number, pid_t parent)
{
    struct member member = {.number = number};
    netron_options options = herd_options();
    netron_service services[2];
    char id[16];
    struct event_base *base = event_base_new();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpriority(PRIO_PROCESS, 0, 19);
    options.on_link = on_link;
    options.on_link_arg = &member;
    snprintf(id, sizeof(id), "n%d", number);
    const netron_node node = make_node(id, "10.0.0.1:80", services, "orders", "1.0.0", NULL, NULL);
    if (getppid() != parent || base == NULL || netron_discovery_new(base, &options, &member.discovery) != 0 ||
        netron_register(member.discovery, &node, on_state, &member, NULL) != 0 ||
        netron_subscribe_to_events(member.discovery, ignore_event, NULL, NULL) != 0)
        _exit(1);
    event_base_dispatch(base);
    _exit(1);
}

/* ---- all of them ---- */

static bool read_reports(void)
{
    struct report report;
    while (read(reports[0], &report, sizeof(report)) == (ssize_t)sizeof(report)) {
        struct process *process = &processes[report.number];
        if (report.role == 0) {
            process->is_registered = report.is_up;
            continue;
        }
        process->is_up[report.role] = report.is_up;
        if (report.is_up) {
            process->ups[report.role]++;
            process->up_at[report.role] = report.at;
        }
    }
    return true;
}

static int count_registered(void)
{
    int count = 0;
    for (int i = 0; i < herd; i++)
        count += processes[i].is_registered;
    return count;
}

/* How many have both links up, and had so often. */
static int count_up(int times)
{
    int count = 0;
    for (int i = 0; i < herd; i++)
        count += processes[i].is_up[NETRON_LINK_COMMANDS] && processes[i].is_up[NETRON_LINK_EVENTS] &&
                 processes[i].ups[NETRON_LINK_COMMANDS] >= times && processes[i].ups[NETRON_LINK_EVENTS] >= times;
    return count;
}

/* AWAIT for what hundreds of processes do on a machine that has other work as well. */
#define AWAIT_HERD(condition)                                                                                          \
    do {                                                                                                               \
        uint64_t herd_limit = world_clock_ms() + LIMIT_MS;                                                             \
        while (read_reports() && !(condition)) {                                                                       \
            ck_assert_msg(world_clock_ms() < herd_limit, "waited in vain for: %s", #condition);                        \
            world_turn(&world);                                                                                        \
        }                                                                                                              \
    } while (0)

static bool is_fresh(void)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(watcher, &status), 0);
    return status.state == NETRON_VIEW_FRESH && (int)status.node_count == herd;
}

static void open_herd(void)
{
    const char *wanted = getenv("NETRON_TEST_HERD");
    const char *slowness = getenv("CK_TIMEOUT_MULTIPLIER");
    herd = wanted != NULL && wanted[0] != '\0' ? atoi(wanted) : HERD_DEFAULT;
    if (slowness != NULL && strtol(slowness, NULL, 10) >= 10)
        herd /= 4; /* where everything is ten times as slow, as under valgrind */
    ck_assert(herd > 1 && herd <= HERD_MAX);
    server_start(&server, slow_log);
    prefer_server();
    ck_assert_int_eq(pipe2(reports, O_CLOEXEC), 0);
    ck_assert_int_eq(fcntl(reports[0], F_SETFL, O_NONBLOCK), 0);
    pid_t parent = getpid();
    for (int i = 0; i < herd; i++) {
        processes[i].pid = fork();
        if (processes[i].pid == 0)
            live(i, parent);
        ck_assert_int_gt(processes[i].pid, 0);
    }
    world_open(&world);
    const netron_options options = herd_options();
    watcher = world_join(&world, &options);
    ck_assert_int_eq(netron_subscribe_to_events(watcher, tally_event, &heard, NULL), 0);
    AWAIT_HERD(count_registered() == herd && count_up(1) == herd && is_fresh());
}

static void close_herd(void)
{
    for (int i = 0; i < herd; i++)
        kill(processes[i].pid, SIGKILL);
    for (int i = 0; i < herd; i++)
        waitpid(processes[i].pid, NULL, 0);
    netron_discovery_free(watcher);
    world_close(&world);
    close(reports[0]);
    close(reports[1]);
    server_stop(&server);
}

/* ---- what must hold ---- */

/* No tenth of the time holds more than its share of these moments. The machine may stretch the time; that it is all at
 * once is what must not be. */
static void expect_spread(const char *what, const uint64_t *at, int count)
{
    int buckets[BUCKETS] = {0};
    uint64_t first = UINT64_MAX;
    int most = 0;
    for (int i = 0; i < count; i++)
        first = at[i] < first ? at[i] : first;
    for (int i = 0; i < count; i++) {
        uint64_t bucket = (at[i] - first) / BUCKET_MS;
        ck_assert_uint_lt(bucket, BUCKETS);
        buckets[bucket]++;
    }
    fprintf(stderr, "# %d %s, in each %d ms:", count, what, BUCKET_MS);
    for (int i = 0, left = count; left > 0; left -= buckets[i++]) {
        fprintf(stderr, " %d", buckets[i]);
        most = buckets[i] > most ? buckets[i] : most;
    }
    fprintf(stderr, "\n");
    ck_assert_msg(most * 100 <= count * SHARE_MAX, "%d of %d %s came within %d ms", most, count, what, BUCKET_MS);
}

static void expect_spread_links(const char *what, netron_link_role role)
{
    uint64_t at[HERD_MAX];
    for (int i = 0; i < herd; i++)
        at[i] = processes[i].up_at[role];
    expect_spread(what, at, herd);
}

/* By the server's clock. */
static void expect_spread_registrations(void)
{
    uint64_t at[HERD_MAX];
    redisReply *records = server_ask(&server, "HVALS " PREFIX ":records");
    ck_assert_int_eq((int)records->elements, herd);
    for (int i = 0; i < herd; i++) {
        unsigned long long timestamp = 0;
        ck_assert_int_eq(sscanf(records->element[i]->str, "%*s %*s %*s %llu ", &timestamp), 1);
        at[i] = timestamp;
    }
    freeReplyObject(records);
    expect_spread("registrations", at, herd);
}

/* All are there, each has changed the registry once, and whoever watches heard each come once, and nothing else. */
static void expect_all_once(void)
{
    char revision[16];
    snprintf(revision, sizeof(revision), "%d", herd);
    server_expect(&server, revision, "HGET " PREFIX ":registry revision");
    ck_assert_int_eq((int)server_integer(&server, "HLEN " PREFIX ":records"), herd);
    ck_assert_int_eq((int)server_integer(&server, "SCARD " PREFIX ":index:service:orders"), herd);
    ck_assert(digest_is_right(&server));
    ck_assert_int_eq(heard.count[NETRON_NODE_REGISTERED], herd);
    ck_assert_int_eq(tally_most(&heard, NETRON_NODE_REGISTERED), 1);
    ck_assert_int_eq(tally_all(&heard), herd);
}

/* ---- slow commands ---- */

/*
 * Redis measures a command by the clock on the wall, so one in the middle of which the machine turned to something else
 * looks slow: hundreds of processes on a few processors do that to a hundredth of them. A command that takes long
 * because of what it does takes long each time. So a kind of command is slow of which one in twenty was, in each of
 * some rounds.
 */
#define ROUNDS 3
#define TOLERATED 20
#define KINDS_MAX 64

static struct kind {
    char name[32];
    int slow;
} kinds[KINDS_MAX];
static int kind_count;

static struct kind *kind_of(const redisReply *words)
{
    char name[32];
    snprintf(name, sizeof(name), "%s", words->element[0]->str);
    for (char *letter = name; *letter != '\0'; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    int i = 0;
    while (i < kind_count && strcmp(kinds[i].name, name) != 0)
        i++;
    if (i == kind_count) {
        ck_assert_int_lt(kind_count, KINDS_MAX);
        kinds[kind_count++] = (struct kind){.slow = 0};
        memcpy(kinds[i].name, name, sizeof(name));
    }
    return &kinds[i];
}

static int calls_of(const char *name)
{
    static char stats[32768];
    char beginning[64];
    snprintf(beginning, sizeof(beginning), "cmdstat_%.31s:calls=", name);
    ck_assert(server_text(&server, stats, sizeof(stats), "INFO commandstats"));
    const char *found = strstr(stats, beginning);
    return found != NULL ? atoi(found + strlen(beginning)) : 0;
}

static void forget_commands(void)
{
    server_expect(&server, "OK", "CONFIG RESETSTAT");
    server_expect(&server, "OK", "SLOWLOG RESET");
    kind_count = 0;
}

/* Whether there is a slow kind in this round; its name is left in slowest. */
static char slowest[32];

static bool has_slow_commands(void)
{
    bool is_slow = false;
    redisReply *log = server_ask(&server, "SLOWLOG GET 1000");
    for (size_t i = 0; i < log->elements; i++)
        kind_of(log->element[i]->element[3])->slow++;
    freeReplyObject(log);
    for (int i = 0; i < kind_count; i++) {
        int calls = calls_of(kinds[i].name);
        fprintf(stderr, "# %d of %d %s took more than " SLOW_US " us\n", kinds[i].slow, calls, kinds[i].name);
        if (calls < herd || kinds[i].slow * TOLERATED <= calls) /* fewer calls are the test's own */
            continue;
        is_slow = true;
        memcpy(slowest, kinds[i].name, sizeof(slowest));
    }
    return is_slow;
}

/* ---- cut off and back ---- */

START_TEST(a_herd_that_is_cut_off_at_once_reconnects_spread_and_changes_nothing)
{
    bool is_slow = true;
    for (int round = 0; round < ROUNDS && is_slow; round++) {
        server_integer(&server, "CLIENT KILL TYPE normal SKIPME yes");
        server_integer(&server, "CLIENT KILL TYPE pubsub");
        forget_commands(); /* those were the test's own */
        AWAIT_HERD(count_up(2 + round) == herd && count_registered() == herd && is_fresh());
        is_slow = has_slow_commands();
        expect_spread_links("commands links", NETRON_LINK_COMMANDS);
        expect_spread_links("events links", NETRON_LINK_EVENTS);
    }
    ck_assert_msg(!is_slow, "%s was slow in each round", slowest);
    expect_all_once();
}
END_TEST

START_TEST(a_herd_whose_redis_restarts_empty_registers_spread_and_each_once)
{
    bool is_slow = true;
    for (int round = 0; round < ROUNDS && is_slow; round++) {
        server_kill(&server);
        server_start_again(&server, slow_log);
        prefer_server();
        forget_commands();
        AWAIT_HERD(count_up(2 + round) == herd && count_registered() == herd &&
                   (int)server_integer(&server, "HLEN " PREFIX ":records") == herd && is_fresh());
        is_slow = has_slow_commands();
        expect_spread_registrations();
        expect_all_once();
    }
    ck_assert_msg(!is_slow, "%s was slow in each round", slowest);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("herd");
    TCase *tcase = suite_case(suite, "herd");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, open_herd, close_herd);
    tcase_add_test(tcase, a_herd_that_is_cut_off_at_once_reconnects_spread_and_changes_nothing);
    tcase_add_test(tcase, a_herd_whose_redis_restarts_empty_registers_spread_and_each_once);
    return suite_run(suite);
}
