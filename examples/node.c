/* SPDX-License-Identifier: MIT */
/*
 * A node that obeys its standard input: it registers, and leaves when told to, at the end of the input, or by Ctrl-C.
 *
 * Try it in two terminals:
 *
 *     node orders-1 127.0.0.1:7001 orders@1.0.0
 *     node billing-1 127.0.0.1:7003 billing
 *     find orders
 */
#include <netron/netron.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 16 /* of one line of input, or of services at the start */

struct process {
    struct event_base *base;
    netron_discovery *discovery;
    netron_registration *registration;
    bool is_leaving;
    int exit_code;
};

static const char usage[] =
    "usage: node ID HOST:PORT SERVICE[@VERSION]...\n"
    "Registers this node and reads commands from the standard input:\n"
    "  find SERVICE [VERSION]           who offers it?\n"
    "  services SERVICE[@VERSION]...    offer these from now on\n"
    "  address HOST:PORT                be reached there from now on\n"
    "  leave                            deregister and end\n"
    "Environment: REDIS_URL (default redis://127.0.0.1:6379/0), NETRON_KEY_PREFIX, HEARTBEAT_TTL_MS.\n";

/* ---- what the library tells ---- */

static void on_state(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    (void)registration;
    struct process *process = arg;
    if (state == NETRON_REGISTERED)
        puts("registered");
    else if (code != 0) /* LOST, FAILED or REPLACED; only the last of them is for good */
        printf("%s: %s\n", netron_strerror(code), netron_discovery_error(process->discovery));
}

static void on_found(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    (void)arg;
    if (code == NETRON_ECANCELLED) /* it is being freed, and nobody waits for the answer */
        return;
    if (code != 0) {
        printf("not found out: %s\n", netron_discovery_error(discovery));
        return;
    }
    fputs(count == 0 ? "found nobody" : "found", stdout);
    for (size_t i = 0; i < count; i++)
        printf("%s %s at %s", i == 0 ? "" : ",", nodes[i]->id, nodes[i]->address);
    puts("");
}

static void on_updated(netron_discovery *discovery, int code, void *arg)
{
    (void)arg;
    if (code == 0)
        puts("updated");
    else if (code != NETRON_ECANCELLED) /* it stays wanted and is tried again */
        printf("not updated yet: %s\n", netron_discovery_error(discovery));
}

static void on_left(netron_discovery *discovery, int code, void *arg)
{
    struct process *process = arg;
    if (code == 0) {
        puts("left");
        process->exit_code = 0;
    } else if (code != NETRON_ECANCELLED) {
        printf("could not leave: %s\n", netron_discovery_error(discovery));
    }
    event_base_loopbreak(process->base);
}

/* ---- what the user tells ---- */

/* "orders@1.0.0" or "orders"; the words are cut in place, and the services point into them. */
static void parse_services(char *const *words, size_t count, netron_service *services)
{
    for (size_t i = 0; i < count; i++) {
        char *at = strchr(words[i], '@');
        if (at != NULL)
            *at++ = '\0';
        services[i] = (netron_service){.name = words[i], .version = at};
    }
}

static void leave(struct process *process)
{
    if (process->is_leaving || netron_discovery_shutdown(process->discovery, on_left, process) != 0)
        event_base_loopbreak(process->base); /* who asks twice does not want to wait */
    process->is_leaving = true;
}

static void obey(struct process *process, char *line)
{
    char *words[WORDS_MAX];
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(line, " \t", &rest); word != NULL && count < WORDS_MAX;
         word = strtok_r(NULL, " \t", &rest))
        words[count++] = word;
    if (count == 0)
        return;

    int code = 0;
    if (strcmp(words[0], "find") == 0 && (count == 2 || count == 3)) {
        const char *version = count == 3 ? words[2] : NULL; /* NULL: in whatever version */
        code = netron_find_nodes_by_service(process->discovery, words[1], version, on_found, NULL);
    } else if (strcmp(words[0], "services") == 0) {
        netron_service services[WORDS_MAX];
        parse_services(words + 1, count - 1, services);
        code = netron_registration_update_services(process->registration, services, count - 1, on_updated, NULL);
    } else if (strcmp(words[0], "address") == 0 && count == 2) {
        code = netron_registration_update_address(process->registration, words[1], on_updated, NULL);
    } else if (strcmp(words[0], "leave") == 0) {
        leave(process);
    } else {
        fputs(usage, stdout);
    }
    if (code != 0) /* a call that failed never calls back */
        printf("%s: %s\n", netron_strerror(code), netron_discovery_error(process->discovery));
}

static void on_input(struct bufferevent *input, void *arg)
{
    char *line;
    while ((line = evbuffer_readln(bufferevent_get_input(input), NULL, EVBUFFER_EOL_CRLF)) != NULL) {
        obey(arg, line);
        free(line);
    }
}

static void on_input_end(struct bufferevent *input, short what, void *arg)
{
    (void)input;
    (void)what;
    leave(arg);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    leave(arg);
}

/* ---- the start ---- */

static int join(struct process *process, int argc, char **argv)
{
    netron_options options;
    netron_options_init(&options);
    options.url = getenv("REDIS_URL"); /* NULL means the default, for this and every other option */
    options.key_prefix = getenv("NETRON_KEY_PREFIX");
    options.pubsub_enabled = 1;
    const char *ttl = getenv("HEARTBEAT_TTL_MS");
    if (ttl != NULL) {
        options.heartbeat_ttl_ms = (uint32_t)strtoul(ttl, NULL, 10);
        options.heartbeat_interval_ms = options.heartbeat_ttl_ms / 3;
    }
    char sentence[256];
    if (netron_options_check(&options, sentence, sizeof(sentence)) != 0) {
        fprintf(stderr, "node: %s\n", sentence);
        return -1;
    }
    int code = netron_discovery_new(process->base, &options, &process->discovery);
    if (code != 0) {
        fprintf(stderr, "node: %s\n", netron_strerror(code));
        return -1;
    }

    netron_service services[WORDS_MAX];
    const size_t count = (size_t)argc - 3;
    parse_services(argv + 3, count, services);
    netron_node node = NETRON_NODE_INIT;
    node.id = argv[1];
    node.address = argv[2];
    node.services = services;
    node.service_count = count;
    code = netron_register(process->discovery, &node, on_state, process, &process->registration);
    if (code != 0)
        fprintf(stderr, "node: %s\n", netron_discovery_error(process->discovery));
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 3 + WORDS_MAX || argv[1][0] == '-') {
        fputs(usage, stderr);
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct process process = {.base = event_base_new(), .exit_code = 1};
    if (process.base == NULL)
        return 1;
    struct bufferevent *input = bufferevent_socket_new(process.base, STDIN_FILENO, 0);
    struct event *interrupt = evsignal_new(process.base, SIGINT, on_signal, &process);
    struct event *terminate = evsignal_new(process.base, SIGTERM, on_signal, &process);
    if (input == NULL || interrupt == NULL || terminate == NULL)
        return 1;
    bufferevent_setcb(input, on_input, NULL, on_input_end, &process);

    if (join(&process, argc, argv) == 0) {
        if (bufferevent_enable(input, EV_READ) == 0 && evsignal_add(interrupt, NULL) == 0 &&
            evsignal_add(terminate, NULL) == 0)
            event_base_dispatch(process.base);
        else
            fputs("node: the standard input must be a terminal, a pipe or a socket\n", stderr);
    }

    netron_discovery_free(process.discovery);
    bufferevent_free(input);
    event_free(interrupt);
    event_free(terminate);
    event_base_free(process.base);
    return process.exit_code;
}
