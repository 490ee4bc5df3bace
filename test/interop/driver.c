/* SPDX-License-Identifier: MIT */
/*
 * A process with the library in it, steered by lines on stdin and telling what happens as JSON lines on stdout, so that
 * a test in another language can use it.
 *
 *     register ID ADDRESS NAME VERSION    update NAME VERSION    leave
 *     find NAME [VERSION]                 active                 is-active ID
 *     quit
 */
#include <netron/netron.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct driver {
    struct event_base *base;
    netron_discovery *discovery;
    netron_registration *registration;
};

static void say(json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);
    puts(text);
    fflush(stdout);
    free(text);
    json_decref(line);
}

static json_t *node_json(const netron_node *node)
{
    json_t *services = json_array();
    for (size_t i = 0; i < node->service_count; i++) {
        json_t *service = json_pack("{s:s}", "name", node->services[i].name);
        if (node->services[i].version != NULL)
            json_object_set_new(service, "version", json_string(node->services[i].version));
        json_array_append_new(services, service);
    }
    return json_pack("{s:s,s:s,s:o,s:I}", "nodeId", node->id, "address", node->address, "services", services,
                     "timestamp", (json_int_t)node->timestamp_ms);
}

static void on_state(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    (void)registration;
    (void)arg;
    say(json_pack("{s:s,s:i,s:i}", "says", "state", "state", (int)state, "code", code));
}

static void on_done(netron_discovery *discovery, int code, void *arg)
{
    (void)discovery;
    say(json_pack("{s:s,s:s,s:i}", "says", "done", "what", (const char *)arg, "code", code));
}

static void on_found(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    (void)discovery;
    (void)arg;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, node_json(nodes[i]));
    say(json_pack("{s:s,s:i,s:o}", "says", "found", "code", code, "nodes", list));
}

static void on_active(netron_discovery *discovery, int code, int active, void *arg)
{
    (void)discovery;
    (void)arg;
    say(json_pack("{s:s,s:i,s:b}", "says", "active", "code", code, "active", active));
}

static void on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    (void)arg;
    if (event->type == NETRON_SYNCED) {
        say(json_pack("{s:s}", "says", "synced"));
        return;
    }
    say(json_pack("{s:s,s:s,s:o,s:I,s:s}", "says", "event", "type", netron_event_type_name(event->type), "node",
                  node_json(event->node), "revision", (json_int_t)event->revision, "reason", event->reason));
}

static void on_link(netron_discovery *discovery, netron_link_role role, int code, const char *sentence, void *arg)
{
    (void)discovery;
    (void)arg;
    say(json_pack("{s:s,s:i,s:i,s:s}", "says", "link", "role", (int)role, "code", code, "sentence", sentence));
}

static int obey(struct driver *driver, char *line)
{
    static char update[] = "update";
    static char leave[] = "leave";
    char *rest = line;
    const char *word[6] = {NULL};
    for (size_t i = 0; i < 6; i++)
        word[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
    if (word[0] == NULL)
        return NETRON_EINVAL;
    if (strcmp(word[0], "register") == 0) {
        const netron_service service = {.name = word[3], .version = word[4]};
        netron_node node = NETRON_NODE_INIT;
        node.id = word[1];
        node.address = word[2];
        node.services = &service;
        node.service_count = 1;
        return netron_register(driver->discovery, &node, on_state, NULL, &driver->registration);
    }
    if (strcmp(word[0], "update") == 0) {
        const netron_service service = {.name = word[1], .version = word[2]};
        return netron_registration_update_services(driver->registration, &service, 1, on_done, update);
    }
    if (strcmp(word[0], "leave") == 0)
        return netron_registration_deregister(driver->registration, on_done, leave);
    if (strcmp(word[0], "find") == 0)
        return netron_find_nodes_by_service(driver->discovery, word[1], word[2], on_found, NULL);
    if (strcmp(word[0], "active") == 0)
        return netron_get_active_nodes(driver->discovery, on_found, NULL);
    if (strcmp(word[0], "is-active") == 0)
        return netron_is_node_active(driver->discovery, word[1], on_active, NULL);
    if (strcmp(word[0], "quit") == 0)
        return event_base_loopbreak(driver->base);
    return NETRON_EINVAL;
}

static void on_lines(struct bufferevent *input, void *arg)
{
    struct driver *driver = arg;
    char *line;
    while ((line = evbuffer_readln(bufferevent_get_input(input), NULL, EVBUFFER_EOL_LF)) != NULL) {
        int code = obey(driver, line);
        if (code != 0)
            say(json_pack("{s:s,s:i,s:s}", "says", "refused", "code", code, "sentence",
                          netron_discovery_error(driver->discovery)));
        free(line);
    }
}

static void on_input_end(struct bufferevent *input, short what, void *arg)
{
    (void)input;
    (void)what;
    struct driver *driver = arg;
    event_base_loopbreak(driver->base);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s URL INTERVAL_MS TTL_MS\n", argv[0]);
        return 2;
    }
    struct driver driver = {.base = event_base_new()};
    netron_options options;
    netron_options_init(&options);
    options.url = argv[1];
    options.heartbeat_interval_ms = (uint32_t)strtoul(argv[2], NULL, 10);
    options.heartbeat_ttl_ms = (uint32_t)strtoul(argv[3], NULL, 10);
    options.pubsub_enabled = 1;
    options.on_link = on_link;
    if (netron_discovery_new(driver.base, &options, &driver.discovery) != 0 ||
        netron_subscribe_to_events(driver.discovery, on_event, NULL, NULL) != 0)
        return 1;
    struct bufferevent *input = bufferevent_socket_new(driver.base, 0, 0);
    bufferevent_setcb(input, on_lines, NULL, on_input_end, &driver);
    bufferevent_enable(input, EV_READ);
    event_base_dispatch(driver.base);
    netron_discovery_free(driver.discovery);
    bufferevent_free(input);
    event_base_free(driver.base);
    return 0;
}
