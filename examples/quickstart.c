/* SPDX-License-Identifier: MIT */
/*
 * The quickstart: three servers in three processes register, find each other, change, leave, and die.
 *
 *     quickstart PATH-OF-THE-NODE-PROGRAM        (made from node.c)
 *
 * This process starts the three, tells them what to do, and watches the registry as any member of a fleet could: it
 * hears the events and looks up who is there. Every step waits until what it announced was really seen, and the exit
 * code is 0 only when all of it was.
 */
#include <netron/netron.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TTL_MS 1500u  /* of the three; so short only to be quick, the default is 15 s */
#define LOOKUP_MS 25  /* how often this process looks up who is there */
#define SLACK_MS 500u /* what a busy Redis may add to the TTL */
#define PATIENCE_MS 10000u

struct server {
    char id[16];
    char address[32];
    char service[32];
    pid_t pid; /* 0 while it does not run */
    struct bufferevent *wire;
    char said[512];  /* the last line that it printed */
    char event[512]; /* the last event about it that was heard */
};

struct quickstart {
    struct event_base *base;
    netron_discovery *discovery;
    char *node_program;
    struct server orders_1, orders_2, billing_1;
    char hearing[512]; /* "yes", or why not */
    char active[512];  /* the ids of all live nodes, by the last lookup */
    bool is_looking;
    uint64_t asked_at; /* when the last lookup began */
    uint64_t found_at; /* and the last one that found the server which is killed */
    bool has_failed;   /* whatever comes after a failure does nothing */
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Adds to the text, as far as there is room. */
NETRON_PRINTF(3, 4) static void append(char *text, size_t size, const char *format, ...)
{
    const size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, size - length, format, arguments);
    va_end(arguments);
}

static void fail(struct quickstart *quickstart, const char *what)
{
    printf("FAILED: %s\n", what);
    quickstart->has_failed = true;
}

/* ---- what the registry tells this process ---- */

static void on_link(netron_discovery *discovery, netron_link_role role, int code, const char *sentence, void *arg)
{
    (void)discovery;
    struct quickstart *quickstart = arg;
    if (role == NETRON_LINK_EVENTS)
        snprintf(quickstart->hearing, sizeof(quickstart->hearing), "%s", code == 0 ? "yes" : sentence);
}

static struct server *server_of(struct quickstart *quickstart, const char *id)
{
    struct server *const all[] = {&quickstart->orders_1, &quickstart->orders_2, &quickstart->billing_1};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strcmp(all[i]->id, id) == 0)
            return all[i];
    return NULL;
}

static void on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    if (event->type == NETRON_SYNCED) /* what was there already has been told; it is about no node */
        return;
    const netron_node *node = event->node;
    struct server *server = server_of(arg, node->id);
    if (server == NULL)
        return;
    snprintf(server->event, sizeof(server->event), "%s %s", netron_event_type_name(event->type), node->address);
    for (size_t i = 0; i < node->service_count; i++)
        append(server->event, sizeof(server->event), " %s@%s", node->services[i].name,
               node->services[i].version != NULL ? node->services[i].version : "");
    if (event->reason[0] != '\0')
        append(server->event, sizeof(server->event), " (%s)", event->reason);
    printf("    event about %-10s %s\n", node->id, server->event);
}

static void on_active(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    (void)discovery;
    struct quickstart *quickstart = arg;
    quickstart->is_looking = false;
    if (code != 0)
        return; /* the next tick asks again */
    quickstart->active[0] = '\0';
    for (size_t i = 0; i < count; i++)
        append(quickstart->active, sizeof(quickstart->active), "%s%s", i == 0 ? "" : " ", nodes[i]->id);
    if (strstr(quickstart->active, quickstart->billing_1.id) != NULL)
        quickstart->found_at = quickstart->asked_at;
}

static void on_tick(evutil_socket_t none, short what, void *arg)
{
    (void)none;
    (void)what;
    struct quickstart *quickstart = arg;
    if (quickstart->discovery == NULL || quickstart->is_looking)
        return;
    quickstart->asked_at = now_ms();
    quickstart->is_looking = netron_get_active_nodes(quickstart->discovery, on_active, quickstart) == 0;
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    fail(arg, "interrupted");
}

/* ---- the three processes ---- */

static void on_line(struct bufferevent *wire, void *arg)
{
    struct server *server = arg;
    char *line;
    while ((line = evbuffer_readln(bufferevent_get_input(wire), NULL, EVBUFFER_EOL_LF)) != NULL) {
        snprintf(server->said, sizeof(server->said), "%s", line);
        printf("    %-10s says    %s\n", server->id, server->said);
        free(line);
    }
}

static pid_t spawn(char *const *arguments, int standard_input_and_output)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, standard_input_and_output, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, standard_input_and_output, STDOUT_FILENO);
    const int error = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error == 0 ? pid : 0;
}

static void start(struct quickstart *quickstart, struct server *server)
{
    int ends[2];
    if (quickstart->has_failed)
        return;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        fail(quickstart, "no sockets left");
        return;
    }
    evutil_make_socket_nonblocking(ends[0]);
    char *arguments[] = {quickstart->node_program, server->id, server->address, server->service, NULL};
    server->said[0] = '\0';
    server->pid = spawn(arguments, ends[1]);
    close(ends[1]);
    server->wire = bufferevent_socket_new(quickstart->base, ends[0], BEV_OPT_CLOSE_ON_FREE);
    if (server->pid == 0 || server->wire == NULL) {
        fail(quickstart, "the node program cannot be run");
        return;
    }
    bufferevent_setcb(server->wire, on_line, NULL, NULL, server);
    bufferevent_enable(server->wire, EV_READ);
}

/* Returns its exit code, or -1 when a signal ended it. */
static int bury(struct server *server)
{
    int status = 0;
    waitpid(server->pid, &status, 0);
    server->pid = 0;
    if (server->wire != NULL)
        bufferevent_free(server->wire);
    server->wire = NULL;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void kill_and_bury(struct server *server)
{
    if (server->pid > 0) {
        kill(server->pid, SIGKILL);
        bury(server);
    }
}

/* Runs the loop until one of the texts above is as expected. */
static void await(struct quickstart *quickstart, const char *text, const char *expected)
{
    const uint64_t limit = now_ms() + PATIENCE_MS;
    while (!quickstart->has_failed && strcmp(text, expected) != 0) {
        if (now_ms() < limit) {
            event_base_loop(quickstart->base, EVLOOP_ONCE);
        } else {
            printf("expected \"%s\" within %u s, but have \"%s\"\n", expected, PATIENCE_MS / 1000, text);
            fail(quickstart, "not everything went as described");
        }
    }
}

static void tell(struct quickstart *quickstart, struct server *server, const char *command, const char *answer)
{
    if (quickstart->has_failed)
        return;
    printf("    %-10s is told \"%s\"\n", server->id, command);
    server->said[0] = '\0';
    evbuffer_add_printf(bufferevent_get_output(server->wire), "%s\n", command);
    await(quickstart, server->said, answer);
}

static void tell_to_leave(struct quickstart *quickstart, struct server *server)
{
    tell(quickstart, server, "leave", "left");
    if (!quickstart->has_failed && bury(server) != 0)
        fail(quickstart, "it did not end with exit code 0");
}

/* ---- the story ---- */

static void they_register(struct quickstart *all)
{
    puts("\n1. Three servers start, each a process of its own, and register.");
    start(all, &all->orders_1);
    start(all, &all->orders_2);
    start(all, &all->billing_1);
    await(all, all->orders_1.said, "registered");
    await(all, all->orders_2.said, "registered");
    await(all, all->billing_1.said, "registered");
    await(all, all->orders_1.event, "NODE_REGISTERED 127.0.0.1:7001 orders@1.0.0");
    await(all, all->orders_2.event, "NODE_REGISTERED 127.0.0.1:7002 orders@1.1.0");
    await(all, all->billing_1.event, "NODE_REGISTERED 127.0.0.1:7003 billing@2.0.0");
    await(all, all->active, "billing-1 orders-1 orders-2");
}

static void they_find_each_other(struct quickstart *all)
{
    puts("\n2. They find each other: by service, or by service and version.");
    tell(all, &all->billing_1, "find orders", "found orders-1 at 127.0.0.1:7001, orders-2 at 127.0.0.1:7002");
    tell(all, &all->orders_1, "find billing", "found billing-1 at 127.0.0.1:7003");
    tell(all, &all->orders_2, "find orders 1.0.0", "found orders-1 at 127.0.0.1:7001");
}

static void one_changes(struct quickstart *all)
{
    puts("\n3. One of them offers a second service, and moves to another port.");
    tell(all, &all->orders_2, "services orders@1.1.0 refunds@1.0.0", "updated");
    await(all, all->orders_2.event, "NODE_UPDATED 127.0.0.1:7002 orders@1.1.0 refunds@1.0.0");
    tell(all, &all->orders_2, "address 127.0.0.1:7012", "updated");
    await(all, all->orders_2.event, "NODE_UPDATED 127.0.0.1:7012 orders@1.1.0 refunds@1.0.0");
    tell(all, &all->billing_1, "find refunds", "found orders-2 at 127.0.0.1:7012");
}

static void one_leaves(struct quickstart *all)
{
    puts("\n4. One leaves: it is out at once, and whoever listens hears of it.");
    tell_to_leave(all, &all->orders_1);
    await(all, all->orders_1.event, "NODE_DEREGISTERED 127.0.0.1:7001 orders@1.0.0 (shutdown)");
    tell(all, &all->billing_1, "find orders", "found orders-2 at 127.0.0.1:7012");
    await(all, all->active, "billing-1 orders-2");
}

static void one_is_killed(struct quickstart *all)
{
    if (all->has_failed)
        return;
    printf("\n5. One is killed by SIGKILL: lookups stop finding it within its TTL of %.1f s, and whoever listens hears "
           "of it.\n",
           TTL_MS / 1000.0);
    kill_and_bury(&all->billing_1);
    const uint64_t killed_at = now_ms();
    await(all, all->active, "orders-2");
    printf("    %-10s is gone after %.2f s\n", all->billing_1.id, (double)(now_ms() - killed_at) / 1000.0);
    if (all->found_at > killed_at + TTL_MS + SLACK_MS)
        fail(all, "that is later than its TTL");
    await(all, all->billing_1.event, "NODE_DEREGISTERED 127.0.0.1:7003 billing@2.0.0 (expired)");
    tell(all, &all->orders_2, "find billing", "found nobody");
}

static void it_comes_back(struct quickstart *all)
{
    puts("\n6. The killed one is started again and has its place back. Then all leave.");
    start(all, &all->billing_1);
    await(all, all->billing_1.said, "registered");
    tell(all, &all->orders_2, "find billing", "found billing-1 at 127.0.0.1:7003");
    tell_to_leave(all, &all->billing_1);
    tell_to_leave(all, &all->orders_2);
    await(all, all->active, "");
}

/* ---- the start ---- */

/* Whatever Redis this is, other registries in it are left alone. The three inherit both variables. */
static void choose_registry(void)
{
    char prefix[64];
    char ttl[16];
    snprintf(prefix, sizeof(prefix), "netron:quickstart:%llx-%lx", (unsigned long long)time(NULL),
             (unsigned long)getpid());
    snprintf(ttl, sizeof(ttl), "%u", TTL_MS);
    setenv("NETRON_KEY_PREFIX", prefix, 1);
    setenv("HEARTBEAT_TTL_MS", ttl, 1);
    printf("The registry is \"%s\".\n", prefix);
}

static void watch_registry(struct quickstart *quickstart)
{
    netron_options options;
    netron_options_init(&options);
    options.url = getenv("REDIS_URL");
    options.key_prefix = getenv("NETRON_KEY_PREFIX");
    options.heartbeat_ttl_ms = TTL_MS; /* the fleet's: nobody judges a silence before having watched for so long */
    options.heartbeat_interval_ms = TTL_MS / 3;
    options.pubsub_enabled = 1;
    options.on_link = on_link;
    options.on_link_arg = quickstart;
    char sentence[256];
    if (netron_options_check(&options, sentence, sizeof(sentence)) != 0) {
        fail(quickstart, sentence);
        return;
    }
    int code = netron_discovery_new(quickstart->base, &options, &quickstart->discovery);
    if (code == 0)
        code = netron_subscribe_to_events(quickstart->discovery, on_event, quickstart, NULL);
    if (code != 0)
        fail(quickstart, netron_strerror(code));
    /* Redis may still be starting: the library waits for it. */
    await(quickstart, quickstart->hearing, "yes");
}

static void play(struct quickstart *all)
{
    void (*const steps[])(struct quickstart *) = {
        watch_registry, they_register, they_find_each_other, one_changes, one_leaves, one_is_killed, it_comes_back,
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !all->has_failed; i++)
        steps[i](all);
}

int main(int argc, char **argv)
{
    if (argc != 2 || argv[1][0] == '-') {
        fputs("usage: quickstart PATH-OF-THE-NODE-PROGRAM\nEnvironment: REDIS_URL.\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN); /* a server may die while it is told something */
    struct quickstart all = {
        .base = event_base_new(),
        .node_program = argv[1],
        .orders_1 = {.id = "orders-1", .address = "127.0.0.1:7001", .service = "orders@1.0.0"},
        .orders_2 = {.id = "orders-2", .address = "127.0.0.1:7002", .service = "orders@1.1.0"},
        .billing_1 = {.id = "billing-1", .address = "127.0.0.1:7003", .service = "billing@2.0.0"},
    };
    if (all.base == NULL)
        return 1;
    struct event *interrupt = evsignal_new(all.base, SIGINT, on_signal, &all);
    struct event *terminate = evsignal_new(all.base, SIGTERM, on_signal, &all);
    struct event *tick = event_new(all.base, -1, EV_PERSIST, on_tick, &all);
    const struct timeval period = {0, LOOKUP_MS * 1000L};
    if (interrupt == NULL || terminate == NULL || tick == NULL)
        return 1;
    evsignal_add(interrupt, NULL);
    evsignal_add(terminate, NULL);
    event_add(tick, &period);

    choose_registry();
    play(&all);

    kill_and_bury(&all.orders_1);
    kill_and_bury(&all.orders_2);
    kill_and_bury(&all.billing_1);
    netron_discovery_free(all.discovery);
    event_free(interrupt);
    event_free(terminate);
    event_free(tick);
    event_base_free(all.base);
    puts(all.has_failed ? "\nThe quickstart has failed." : "\nAll of this has really happened.");
    return all.has_failed ? 1 : 0;
}
