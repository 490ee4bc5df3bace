/* SPDX-License-Identifier: MIT */
/*
 * An HTTP server that registers itself: discovery and service on one libevent base, in one thread.
 *
 *     server orders 1.0.0          any free port of 127.0.0.1
 *     server orders 1.0.0 8080 192.0.2.7
 *
 * It registers once it listens. On SIGTERM or SIGINT it first drains: it says so in the registry, and after a moment in
 * which clients can turn away it leaves. Then it stops accepting, finishes the answers under way, and exits with 0.
 * Meanwhile it goes on serving.
 */
#include <netron/netron.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define DRAIN_MS_DEFAULT 500
#define DRAIN_MS_MAX 600000
#define FINISH_S 5 /* the longest that a slow client's answer can delay the end */

struct server {
    struct event_base *base;
    struct evhttp *http;
    struct evhttp_bound_socket *listener; /* NULL once nothing is accepted any more */
    netron_discovery *discovery;
    netron_registration *registration;
    uint32_t drain_ms;
    const char *name;
    const char *version;
    char address[NETRON_ADDRESS_MAX];
    char id[NETRON_NODE_ID_MAX];
    size_t answers_under_way;
    bool is_stopping;
};

static const char usage[] =
    "usage: server NAME VERSION [PORT [HOST]]\n"
    "Serves HTTP on HOST:PORT (default: a free port of 127.0.0.1) and registers there as service NAME, VERSION.\n"
    "HOST is a numeric address that clients can reach.\n"
    "Environment: REDIS_URL (default redis://127.0.0.1:6379/0),\n"
    "DRAIN_MS, how long it says that it is about to leave before it does (default 500, at most 600000).\n";

/* ---- the service ---- */

static void end_when_finished(struct server *server)
{
    if (server->listener == NULL && server->answers_under_way == 0)
        event_base_loopexit(server->base, NULL);
}

static void on_answered(struct evhttp_request *request, void *arg)
{
    (void)request;
    struct server *server = arg;
    server->answers_under_way--;
    end_when_finished(server);
}

static void answer(struct server *server, struct evhttp_request *request, int status, const char *text)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Content-Type", "text/plain; charset=utf-8");
    if (server->is_stopping)
        evhttp_add_header(headers, "Connection", "close");
    evbuffer_add_printf(evhttp_request_get_output_buffer(request), "%s\n", text);
    server->answers_under_way++;
    evhttp_request_set_on_complete_cb(request, on_answered, server);
    evhttp_send_reply(request, status, NULL, NULL);
}

static void on_root(struct evhttp_request *request, void *arg)
{
    struct server *server = arg;
    char text[512 + NETRON_ADDRESS_MAX + NETRON_NODE_ID_MAX];
    snprintf(text, sizeof(text), "This is %s %s at %s, node %s.", server->name, server->version, server->address,
             server->id);
    answer(server, request, HTTP_OK, text);
}

/* Healthy means able to serve. That Redis is away is no reason to take this server out. */
static void on_health(struct evhttp_request *request, void *arg)
{
    struct server *server = arg;
    if (server->is_stopping)
        answer(server, request, HTTP_SERVUNAVAIL, "stopping");
    else
        answer(server, request, HTTP_OK, "ok");
}

/* ---- the membership ---- */

static void on_state(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    (void)registration;
    struct server *server = arg;
    if (state == NETRON_REGISTERED)
        printf("registered as %s\n", server->id);
    else if (state == NETRON_LOST && code == 0)
        puts("the registration was gone from Redis, and is made again");
    else if (state == NETRON_REPLACED)
        printf("another process registered as %s; this one serves on, unlisted\n", server->id);
    else if (code != 0)
        printf("not registered, trying on: %s\n", netron_discovery_error(server->discovery));
}

static bool join(struct server *server)
{
    netron_options options;
    netron_options_init(&options);
    options.url = getenv("REDIS_URL");
    options.client_name = "netron-example-server";
    options.pubsub_enabled = 1; /* others may hear at once that this server came, and that it left */
    char sentence[256];
    if (netron_options_check(&options, sentence, sizeof(sentence)) != 0) {
        fprintf(stderr, "server: %s\n", sentence);
        return false;
    }
    int code = netron_discovery_new(server->base, &options, &server->discovery);
    if (code != 0) {
        fprintf(stderr, "server: %s\n", netron_strerror(code));
        return false;
    }

    const netron_service service = {.name = server->name, .version = server->version};
    netron_node node = NETRON_NODE_INIT;
    node.id = server->id;
    node.address = server->address;
    node.services = &service;
    node.service_count = 1;
    if (netron_register(server->discovery, &node, on_state, server, &server->registration) != 0) {
        fprintf(stderr, "server: %s\n", netron_discovery_error(server->discovery));
        return false;
    }
    return true;
}

static void on_left(netron_discovery *discovery, int code, void *arg)
{
    struct server *server = arg;
    if (code == NETRON_ECANCELLED)
        return;
    if (code == 0)
        puts("left the registry");
    else if (code != NETRON_EREPLACED) /* that was told before */
        printf("could not leave, the registration will expire: %s\n", netron_discovery_error(discovery));
    evhttp_del_accept_socket(server->http, server->listener);
    server->listener = NULL;
    const struct timeval limit = {FINISH_S, 0};
    event_base_loopexit(server->base, &limit);
    end_when_finished(server);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    struct server *server = arg;
    if (server->is_stopping ||
        netron_registration_drain(server->registration, server->drain_ms, on_left, server) != 0) {
        event_base_loopbreak(server->base); /* who asks twice does not want to wait */
        return;
    }
    server->is_stopping = true;
    printf("draining for %u ms\n", (unsigned)server->drain_ms);
}

/* ---- the start ---- */

static bool listen_on(struct server *server, const char *host, uint16_t port)
{
    server->listener = evhttp_bind_socket_with_handle(server->http, host, port);
    if (server->listener == NULL) {
        fprintf(stderr, "server: cannot listen on %s, port %u\n", host, port);
        return false;
    }
    /* Which port a 0 became. */
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } bound = {.ipv6 = {.sin6_family = AF_UNSPEC}};
    socklen_t size = sizeof(bound);
    if (getsockname(evhttp_bound_socket_get_fd(server->listener), &bound.any, &size) != 0)
        return false;
    const bool is_ipv6 = bound.any.sa_family == AF_INET6;
    port = is_ipv6 ? bound.ipv6.sin6_port : bound.ipv4.sin_port;
    snprintf(server->address, sizeof(server->address), is_ipv6 ? "[%s]:%u" : "%s:%u", host, ntohs(port));
    /* One server per name and address: restarted on the same port, it takes its old place in the registry. */
    return snprintf(server->id, sizeof(server->id), "%s@%s", server->name, server->address) < (int)sizeof(server->id);
}

static bool parse_number(const char *text, unsigned long max, uint32_t *out)
{
    char *end;
    const unsigned long number = strtoul(text, &end, 10);
    *out = (uint32_t)number;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && number <= max;
}

static int serve(struct server *server, const char *host, uint16_t port)
{
    struct event *terminate = evsignal_new(server->base, SIGTERM, on_signal, server);
    struct event *interrupt = evsignal_new(server->base, SIGINT, on_signal, server);
    int exit_code = 1;
    if (terminate != NULL && interrupt != NULL && evsignal_add(terminate, NULL) == 0 &&
        evsignal_add(interrupt, NULL) == 0 && listen_on(server, host, port) && join(server)) {
        evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
        evhttp_set_cb(server->http, "/", on_root, server);
        evhttp_set_cb(server->http, "/health", on_health, server);
        printf("%s %s serves http://%s/\n", server->name, server->version, server->address);
        exit_code = event_base_dispatch(server->base) == 0 ? 0 : 1;
    }
    if (terminate != NULL)
        event_free(terminate);
    if (interrupt != NULL)
        event_free(interrupt);
    return exit_code;
}

int main(int argc, char **argv)
{
    const char *drain_ms = getenv("DRAIN_MS");
    uint32_t port = 0;
    struct server server = {.drain_ms = DRAIN_MS_DEFAULT};
    if (argc < 3 || argc > 5 || argv[1][0] == '-' || (argc > 3 && !parse_number(argv[3], 65535, &port)) ||
        (drain_ms != NULL && !parse_number(drain_ms, DRAIN_MS_MAX, &server.drain_ms))) {
        fputs(usage, stderr);
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN); /* HTTP clients may hang up while they are answered */
    server.base = event_base_new();
    server.name = argv[1];
    server.version = argv[2];
    server.http = server.base != NULL ? evhttp_new(server.base) : NULL;
    if (server.http == NULL)
        return 1;
    const int exit_code = serve(&server, argc > 4 ? argv[4] : "127.0.0.1", (uint16_t)port);

    netron_discovery_free(server.discovery);
    evhttp_free(server.http);
    event_base_free(server.base);
    return exit_code;
}
