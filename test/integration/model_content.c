/* SPDX-License-Identifier: MIT */
/* Chance, and nodes as text. */
#include "model.h"
#include <stdio.h>
#include <string.h>

static const char *const versions[] = {NULL, "1.0.0", "1.2.3", "2.0.0"};
const char *const model_service_names[SERVICES] = {"billing", "mail", "orders", "search"};

/* SplitMix64 (Steele, Lea, Flood). */
uint64_t model_draw(struct model_random *random, uint64_t limit)
{
    uint64_t mixed = random->state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (mixed ^ (mixed >> 31)) % limit;
}

bool model_chance(struct model_random *random, unsigned percent)
{
    return model_draw(random, 100) < percent;
}

void model_content_draw_services(struct model_content *content, struct model_random *random)
{
    unsigned first = (unsigned)model_draw(random, SERVICES);
    content->service_count = (unsigned)model_draw(random, SERVICES);
    for (unsigned i = 0; i < content->service_count; i++) {
        content->names[i] = (first + i) % SERVICES;
        content->versions[i] = (unsigned)model_draw(random, sizeof(versions) / sizeof(versions[0]));
    }
}

void model_content_draw(struct model_content *content, struct model_random *random)
{
    content->port = 1000 + (unsigned)model_draw(random, 9000);
    content->state = model_chance(random, 25) ? NETRON_NODE_STARTING : NETRON_NODE_UP;
    model_content_draw_services(content, random);
}

netron_node model_content_node(const struct model_content *content, char id[2], netron_service services[SERVICES],
                               char address[32])
{
    netron_node node = NETRON_NODE_INIT;
    snprintf(address, 32, "10.0.0.1:%u", content->port);
    for (unsigned i = 0; i < content->service_count; i++)
        services[i] = (netron_service){model_service_names[content->names[i]], versions[content->versions[i]]};
    node.id = id;
    node.address = address;
    node.services = services;
    node.service_count = content->service_count;
    node.state = content->state;
    return node;
}

void model_content_json(const struct model_content *content, char *out, size_t size)
{
    size_t length = (size_t)snprintf(out, size, "[");
    for (unsigned i = 0; i < content->service_count; i++) {
        const char *version = versions[content->versions[i]];
        length += (size_t)snprintf(out + length, size - length, "%s{\"name\":\"%s\"", i > 0 ? "," : "",
                                   model_service_names[content->names[i]]);
        if (version != NULL)
            length += (size_t)snprintf(out + length, size - length, ",\"version\":\"%s\"", version);
        length += (size_t)snprintf(out + length, size - length, "}");
    }
    snprintf(out + length, size - length, "]");
}

void model_line(const netron_node *node, char out[LINE_MAX_])
{
    size_t length =
        (size_t)snprintf(out, LINE_MAX_, "%s %s %s", node->id, node->address, netron_node_state_name(node->state));
    for (size_t i = 0; i < node->service_count && length < LINE_MAX_ - 2; i++) {
        const netron_service *service = &node->services[i];
        bool has_version = service->version != NULL;
        length += (size_t)snprintf(out + length, LINE_MAX_ - length, " %s%s%s", service->name, has_version ? "@" : "",
                                   has_version ? service->version : "");
    }
    ck_assert_uint_lt(length, LINE_MAX_ - 1);
    strcpy(out + length, "\n");
}

void model_content_line(const struct model_content *content, char id, char out[LINE_MAX_])
{
    netron_service services[SERVICES];
    char name[2] = {id, '\0'};
    char address[32];
    const netron_node node = model_content_node(content, name, services, address);
    model_line(&node, out);
}

int model_id(const char *id)
{
    const char *place = id[0] != '\0' && id[1] == '\0' ? strchr(MODEL_IDS, id[0]) : NULL;
    return place != NULL ? (int)(place - MODEL_IDS) : -1;
}
