/* SPDX-License-Identifier: MIT */
#include "member.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE "members"

static void on_state(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    const struct member *member = arg;
    (void)registration;
    if (state == NETRON_REGISTERED)
        printf("registered as %s\n", member->id);
    else if (code != 0) /* the library goes on trying, unless another process took the id */
        printf("%s: %s\n", netron_strerror(code), netron_discovery_error(member->discovery));
}

static void tell_who_is_there(const struct member *member)
{
    const netron_snapshot *found = netron_view_find(member->discovery, SERVICE, "^1");
    if (found == NULL) /* no memory */
        return;
    printf("found");
    for (size_t i = 0; i < found->count; i++)
        printf(" %s at %s", found->nodes[i]->id, found->nodes[i]->address);
    puts("");
    netron_snapshot_release(found);
}

static void on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    if (event->type == NETRON_SYNCED)
        puts("knows everybody");
    else
        printf("%s %s%s%s\n", netron_event_type_name(event->type), event->node->id,
               event->reason[0] != '\0' ? ": " : "", event->reason);
    tell_who_is_there(arg);
}

static void on_left(netron_discovery *discovery, int code, void *arg)
{
    struct member *member = arg;
    if (code == NETRON_ECANCELLED) /* freed before it was over */
        return;
    if (code == 0)
        puts("left the registry");
    else
        printf("could not leave: %s\n", netron_discovery_error(discovery));
    member->exit_code = code != 0;
    member->left(member->arg);
}

/* What is wrong with the options, or with Redis, is said here in a sentence. */
static void on_log(netron_log_level level, const char *line, void *arg)
{
    (void)arg;
    if (level <= NETRON_LOG_WARNING)
        fprintf(stderr, "%s\n", line);
}

static int begin(struct member *member, netron_loop *loop, const char *address)
{
    netron_options options;
    netron_node node = NETRON_NODE_INIT;
    const netron_service service = {SERVICE, "1.0.0"};
    netron_options_init(&options);
    options.url = getenv("REDIS_URL");
    options.pubsub_enabled = 1;
    options.log = on_log;
    node.id = member->id;
    node.address = address;
    node.services = &service;
    node.service_count = 1;
    int code = netron_discovery_new_on(loop, &options, &member->discovery);
    if (code == 0)
        code = netron_subscribe_to_events(member->discovery, on_event, member, NULL);
    if (code == 0)
        code = netron_register(member->discovery, &node, on_state, member, NULL);
    return code;
}

int member_start(struct member *member, netron_loop *loop, int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s ID HOST:PORT\nEnvironment: REDIS_URL (default redis://127.0.0.1:6379/0).\n",
                argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    member->id = argv[1];
    int code = loop != NULL ? begin(member, loop, argv[2]) : NETRON_ENOMEM;
    if (code != 0) {
        fprintf(stderr, "%s\n", netron_strerror(code));
        member_free(member);
        return 1;
    }
    return 0;
}

void member_leave(struct member *member)
{
    if (member->is_leaving)
        return;
    member->is_leaving = true;
    if (netron_discovery_shutdown(member->discovery, on_left, member) != 0) { /* no memory; the node expires */
        member->exit_code = 1;
        member->left(member->arg);
    }
}

void member_free(struct member *member)
{
    netron_discovery_free(member->discovery);
    member->discovery = NULL;
}
