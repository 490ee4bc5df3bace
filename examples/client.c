/* SPDX-License-Identifier: MIT */
/*
 * Finds a server by the name of its service, and asks it something over HTTP.
 *
 *     client orders                  in whatever version
 *     client orders 1.0.0 /health
 *     client orders '^1.0'           a range
 */
#include <netron/netron.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/util.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_TIMEOUT_S 5

struct client {
    struct event_base *base;
    netron_discovery *discovery;
    const char *service;
    const char *version; /* NULL: whatever */
    const char *path;
    struct evhttp_connection *connection;
    char address[NETRON_ADDRESS_MAX + 1];
    int exit_code;
};

static const char usage[] =
    "usage: client NAME [VERSION [PATH]]\n"
    "Finds a server of service NAME (in that VERSION or range), sends GET PATH (default /), and prints the answer.\n"
    "Environment: REDIS_URL (default redis://127.0.0.1:6379/0).\n"
    "Exit code: 0 answered with 200, 1 anything else, 2 wrong usage.\n";

static void give_up(struct client *client, const char *what, const char *why)
{
    fprintf(stderr, "client: %s: %s\n", what, why);
    event_base_loopbreak(client->base);
}

/* ---- 3. the answer ---- */

static void on_answer(struct evhttp_request *request, void *arg)
{
    struct client *client = arg;
    const int status = request != NULL ? evhttp_request_get_response_code(request) : 0;
    if (status == 0) {
        give_up(client, client->address, "no answer");
        return;
    }
    struct evbuffer *body = evhttp_request_get_input_buffer(request);
    const size_t length = evbuffer_get_length(body);
    printf("%s answers %d\n", client->address, status);
    if (length > 0)
        fwrite(evbuffer_pullup(body, -1), 1, length, stdout);
    client->exit_code = status == HTTP_OK ? 0 : 1;
    event_base_loopbreak(client->base);
}

/* ---- 2. the question ---- */

static void ask(struct client *client)
{
    /* "host:port" or "[ipv6]:port": the library has checked that a port is there. */
    char host[sizeof(client->address)];
    snprintf(host, sizeof(host), "%s", client->address);
    char *colon = strrchr(host, ':');
    *colon = '\0';
    const uint16_t port = (uint16_t)strtoul(colon + 1, NULL, 10);
    char *name = host;
    if (host[0] == '[') {
        colon[-1] = '\0';
        name = host + 1;
    }
    /* Without a resolver of its own evhttp looks a host name up in a blocking way: fine here, not in a server. */
    client->connection = evhttp_connection_base_new(client->base, NULL, name, port);
    struct evhttp_request *request = evhttp_request_new(on_answer, client);
    if (client->connection == NULL || request == NULL) {
        give_up(client, client->address, "no memory");
        return;
    }
    evhttp_connection_set_timeout(client->connection, HTTP_TIMEOUT_S);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Host", client->address);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
    if (evhttp_make_request(client->connection, request, EVHTTP_REQ_GET, client->path) != 0)
        give_up(client, client->address, "the request could not be sent");
}

/* ---- 1. the lookup ---- */

static void on_found(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    struct client *client = arg;
    if (code == NETRON_ECANCELLED)
        return;
    if (code != 0) {
        give_up(client, "the lookup failed", netron_discovery_error(discovery));
        return;
    }
    /* Those that are up; one that drains, say, is still there for what it has begun. */
    const netron_node *node = NULL;
    size_t usable = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned dice = 0;
        evutil_secure_rng_get_bytes(&dice, sizeof(dice));
        if (nodes[i]->state == NETRON_NODE_UP && dice % ++usable == 0)
            node = nodes[i]; /* any of them will do, so the load is spread; who asks more often uses a picker */
    }
    if (node == NULL) {
        give_up(client, client->service,
                client->version != NULL ? "no live node offers this version" : "no live node offers this service");
        return;
    }
    snprintf(client->address, sizeof(client->address), "%s", node->address); /* a node ends with this callback */
    printf("%zu found, asking %s\n", usable, node->id);
    ask(client);
}

/* A lookup does not wait for a connection, so it begins when there is one. */
static void on_link(netron_discovery *discovery, netron_link_role role, int code, const char *sentence, void *arg)
{
    struct client *client = arg;
    if (role != NETRON_LINK_COMMANDS || client->address[0] != '\0')
        return;
    if (code != 0) /* a server would simply wait: the library goes on trying */
        give_up(client, "Redis", sentence);
    else if (netron_find_nodes_by_service(discovery, client->service, client->version, on_found, client) != 0)
        give_up(client, "the lookup failed", netron_discovery_error(discovery));
}

static int begin(struct client *client)
{
    netron_options options;
    netron_options_init(&options);
    options.url = getenv("REDIS_URL");
    options.client_name = "netron-example-client";
    options.on_link = on_link;
    options.on_link_arg = client;
    char sentence[256];
    if (netron_options_check(&options, sentence, sizeof(sentence)) != 0) {
        fprintf(stderr, "client: %s\n", sentence);
        return -1;
    }
    const int code = netron_discovery_new(client->base, &options, &client->discovery);
    if (code != 0)
        fprintf(stderr, "client: %s\n", netron_strerror(code));
    return code;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4 || argv[1][0] == '-') {
        fputs(usage, stderr);
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    struct client client = {
        .base = event_base_new(),
        .service = argv[1],
        .version = argc > 2 ? argv[2] : NULL,
        .path = argc > 3 ? argv[3] : "/",
        .exit_code = 1,
    };
    if (client.base == NULL)
        return 1;
    if (begin(&client) == 0)
        event_base_dispatch(client.base);

    if (client.connection != NULL)
        evhttp_connection_free(client.connection);
    netron_discovery_free(client.discovery);
    event_base_free(client.base);
    return client.exit_code;
}
