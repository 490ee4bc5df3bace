/* SPDX-License-Identifier: MIT */
#include "node.h"
#include "text.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The struct as the first version had it: no caller's is smaller. */
#define FIRST_SIZE (offsetof(netron_node, timestamp_ms) + sizeof(uint64_t))

/* Room for "node.services[1023].version". */
#define FIELD_SIZE 48

/* ---- checks ---- */

static int check_text(const char *text, size_t max, const char *field, struct netron_failure *why)
{
    if (text == NULL)
        return netron_fail(why, NETRON_EINVAL, "%s is missing", field);
    size_t length = strnlen(text, max + 1);
    if (length == 0)
        return netron_fail(why, NETRON_EINVAL, "%s is empty", field);
    if (length > max)
        return netron_fail(why, NETRON_ELIMIT, "%s is longer than %zu bytes", field, max);
    if (!netron_text_is_utf8(text, length))
        return netron_fail(why, NETRON_EINVAL, "%s is not valid UTF-8", field);
    if (netron_text_has_control(text, length))
        return netron_fail(why, NETRON_EINVAL, "%s holds a control character", field);
    return 0;
}

int netron_node_check_id(const char *id, struct netron_failure *why)
{
    return check_text(id, NETRON_NODE_ID_MAX, "node.id", why);
}

/* An IPv6 address, with a zone ("%eth0") or without. */
static bool is_ipv6(const char *text, size_t length)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    const char *zone = memchr(text, '%', length);
    size_t address_length = zone != NULL ? (size_t)(zone - text) : length;
    if (address_length >= sizeof(address) || (zone != NULL && address_length + 1 == length))
        return false;
    memcpy(address, text, address_length);
    address[address_length] = '\0';
    return inet_pton(AF_INET6, address, &parsed) == 1;
}

static bool is_port(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > 5 || strspn(text, "0123456789") != length)
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    return port >= 1 && port <= 65535;
}

int netron_node_check_address(const char *address, struct netron_failure *why)
{
    int code = check_text(address, NETRON_ADDRESS_MAX, "node.address", why);
    if (code != 0)
        return code;
    const char *host_end; /* and the colon of the port, if there is one */
    if (address[0] == '[') {
        const char *bracket = strchr(address, ']');
        if (bracket == NULL || !is_ipv6(address + 1, (size_t)(bracket - address - 1)))
            return netron_fail(why, NETRON_EINVAL, "node.address \"%.100s\" has no IPv6 address in its brackets",
                               address);
        host_end = bracket + 1;
    } else {
        host_end = address + strcspn(address, ":");
        if (host_end[0] == ':' && strchr(host_end + 1, ':') != NULL)
            return netron_fail(why, NETRON_EINVAL,
                               "node.address \"%.100s\" has several colons: an IPv6 address needs brackets, "
                               "\"[ipv6]:port\"",
                               address);
    }
    if (host_end[0] != ':')
        return netron_fail(why, NETRON_EINVAL, "node.address \"%.100s\" has no port: \"host:port\" is needed", address);
    if (host_end == address)
        return netron_fail(why, NETRON_EINVAL, "node.address \"%.100s\" has no host: \"host:port\" is needed", address);
    if (!is_port(host_end + 1))
        return netron_fail(why, NETRON_EINVAL, "node.address \"%.100s\" has no port from 1 to 65535", address);
    return 0;
}

int netron_node_check_service_name(const char *name, const char *field, struct netron_failure *why)
{
    return check_text(name, NETRON_SERVICE_NAME_MAX, field, why);
}

int netron_node_check_service_version(const char *version, const char *field, struct netron_failure *why)
{
    return version == NULL ? 0 : check_text(version, NETRON_SERVICE_VERSION_MAX, field, why);
}

int netron_node_check_version_range(const char *wanted, const char *field, struct netron_failure *why)
{
    return wanted == NULL ? 0 : check_text(wanted, NETRON_VERSION_RANGE_MAX, field, why);
}

static bool same_text(const char *one, const char *other)
{
    return one == other || (one != NULL && other != NULL && strcmp(one, other) == 0);
}

static bool same_service(const netron_service *one, const netron_service *other)
{
    return same_text(one->name, other->name) && same_text(one->version, other->version);
}

/* By name, then version, none before any; what is equal stays in the order of the array. */
static int compare_services(const void *left, const void *right)
{
    const netron_service *one = *(const netron_service *const *)left;
    const netron_service *other = *(const netron_service *const *)right;
    int order = strcmp(one->name, other->name);
    if (order == 0 && one->version != NULL && other->version != NULL)
        order = strcmp(one->version, other->version);
    else if (order == 0)
        order = (one->version != NULL) - (other->version != NULL);
    return order != 0 ? order : (one > other) - (one < other);
}

/* The first service that stands in the array before already, or NULL. The array is small enough for the stack, so that
 * a check cannot fail for want of memory. */
static const netron_service *find_repeated(const netron_service *services, size_t count)
{
    const netron_service *sorted[NETRON_SERVICES_MAX];
    const netron_service *repeated = NULL;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &services[i];
    qsort(sorted, count, sizeof(sorted[0]), compare_services);
    for (size_t i = 1; i < count; i++)
        if (same_service(sorted[i - 1], sorted[i]) && (repeated == NULL || sorted[i] < repeated))
            repeated = sorted[i];
    return repeated;
}

static int check_each_service(const netron_service *services, size_t count, struct netron_failure *why)
{
    for (size_t i = 0; i < count; i++) {
        char field[FIELD_SIZE];
        snprintf(field, sizeof(field), "node.services[%zu].name", i);
        int code = netron_node_check_service_name(services[i].name, field, why);
        if (code != 0)
            return code;
        snprintf(field, sizeof(field), "node.services[%zu].version", i);
        code = netron_node_check_service_version(services[i].version, field, why);
        if (code != 0)
            return code;
    }
    return 0;
}

int netron_node_check_services(const netron_service *services, size_t count, struct netron_failure *why)
{
    if (count > NETRON_SERVICES_MAX)
        return netron_fail(why, NETRON_ELIMIT, "node.services has %zu entries: at most %d are allowed", count,
                           NETRON_SERVICES_MAX);
    if (count == 0)
        return 0;
    if (services == NULL)
        return netron_fail(why, NETRON_EINVAL, "node.services is missing, but node.service_count is %zu", count);
    int code = check_each_service(services, count, why);
    if (code != 0)
        return code;
    const netron_service *repeated = find_repeated(services, count);
    if (repeated == NULL)
        return 0;
    size_t position = (size_t)(repeated - services);
    if (repeated->version == NULL)
        return netron_fail(why, NETRON_EINVAL, "node.services[%zu] repeats the service \"%s\" without a version",
                           position, repeated->name);
    return netron_fail(why, NETRON_EINVAL, "node.services[%zu] repeats the service \"%s\" version \"%s\"", position,
                       repeated->name, repeated->version);
}

int netron_node_check(const netron_node *node, struct netron_failure *why)
{
    if (node == NULL)
        return netron_fail(why, NETRON_EINVAL, "node is missing");
    if (node->size < FIRST_SIZE)
        return netron_fail(why, NETRON_EINVAL,
                           "node.size is %zu, no size that the struct ever had: use NETRON_NODE_INIT", node->size);
    int code = netron_node_check_id(node->id, why);
    if (code == 0)
        code = netron_node_check_address(node->address, why);
    if (code == 0)
        code = netron_node_check_services(node->services, node->service_count, why);
    return code;
}

/* ---- copies ---- */

static size_t text_size(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

/* Copies a text to *room, which moves behind it. */
static const char *put_text(char **room, const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*room, text, size);
    *room += size;
    return copy;
}

struct counted_node {
    size_t references;
    netron_node node;
};

static struct counted_node *counted(netron_node *node)
{
    return (struct counted_node *)(void *)((char *)node - offsetof(struct counted_node, node));
}

netron_node *netron_node_copy(const netron_node *node)
{
    /* The services follow the node, the texts follow the services: in the order of their alignment. */
    size_t size = sizeof(struct counted_node) + node->service_count * sizeof(netron_service);
    size += text_size(node->id) + text_size(node->address);
    for (size_t i = 0; i < node->service_count; i++)
        size += text_size(node->services[i].name) + text_size(node->services[i].version);

    struct counted_node *memory = malloc(size);
    if (memory == NULL)
        return NULL;
    memory->references = 1;
    netron_node *copy = &memory->node;
    netron_service *services = (netron_service *)(memory + 1);
    char *room = (char *)(services + node->service_count);
    *copy = (netron_node){
        .size = sizeof(*copy),
        .id = put_text(&room, node->id),
        .address = put_text(&room, node->address),
        .services = node->service_count > 0 ? services : NULL,
        .service_count = node->service_count,
        .timestamp_ms = node->timestamp_ms,
    };
    for (size_t i = 0; i < node->service_count; i++) {
        services[i].name = put_text(&room, node->services[i].name);
        services[i].version = put_text(&room, node->services[i].version);
    }
    return copy;
}

netron_node *netron_node_retain(netron_node *node)
{
    counted(node)->references++;
    return node;
}

void netron_node_free(netron_node *node)
{
    if (node != NULL && --counted(node)->references == 0)
        free(counted(node));
}

/* ---- questions ---- */

bool netron_node_same_services(const netron_service *one, size_t one_count, const netron_service *other,
                               size_t other_count)
{
    if (one_count != other_count)
        return false;
    for (size_t i = 0; i < one_count; i++)
        if (!same_service(&one[i], &other[i]))
            return false;
    return true;
}

bool netron_node_same(const netron_node *one, const netron_node *other)
{
    return same_text(one->id, other->id) && same_text(one->address, other->address) &&
           netron_node_same_services(one->services, one->service_count, other->services, other->service_count);
}

const netron_service *netron_node_service(const netron_node *node, const char *name, const char *version)
{
    for (size_t i = 0; i < node->service_count; i++) {
        const netron_service *service = &node->services[i];
        if (strcmp(service->name, name) == 0 && (version == NULL || same_text(service->version, version)))
            return service;
    }
    return NULL;
}
