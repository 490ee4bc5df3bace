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

/* As many as fit, each as short as can be: {"a":"","b":""} */
#define METADATA_COUNT_MAX (NETRON_METADATA_SIZE_MAX / 7)

/* Room for "node.services[1023].version" and "node.metadata[2339].value". */
#define FIELD_SIZE 48

/* ---- the struct as it grew ---- */

/* What the caller's struct does not have, for it is an older one, is zero. */
static netron_node whole(const netron_node *given)
{
    netron_node node = {0};
    memcpy(&node, given, given->size < sizeof(node) ? given->size : sizeof(node));
    node.size = sizeof(node);
    return node;
}

/* Sizes of newer versions are fine: what they have in addition is left out. */
static bool is_size(size_t size)
{
    return size == FIRST_SIZE || size >= sizeof(netron_node);
}

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

static int check_optional_text(const char *text, size_t max, const char *field, struct netron_failure *why)
{
    return text == NULL ? 0 : check_text(text, max, field, why);
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
    return check_optional_text(version, NETRON_SERVICE_VERSION_MAX, field, why);
}

int netron_node_check_version_range(const char *wanted, const char *field, struct netron_failure *why)
{
    return check_optional_text(wanted, NETRON_VERSION_RANGE_MAX, field, why);
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
    if (count < 2)
        return NULL;
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

static int check_state(netron_node_state state, struct netron_failure *why)
{
    if (state >= NETRON_NODE_UP && state <= NETRON_NODE_MAINTENANCE)
        return 0;
    return netron_fail(why, NETRON_EINVAL, "node.state is %d, no state that a node can be registered in", (int)state);
}

static int check_weight(uint32_t weight, struct netron_failure *why)
{
    if (weight <= NETRON_WEIGHT_MAX)
        return 0;
    return netron_fail(why, NETRON_ELIMIT, "node.weight is %lu: at most %d is allowed", (unsigned long)weight,
                       NETRON_WEIGHT_MAX);
}

static int too_much_metadata(struct netron_failure *why)
{
    return netron_fail(why, NETRON_ELIMIT, "node.metadata takes more than %d bytes as JSON", NETRON_METADATA_SIZE_MAX);
}

static int check_each_metadata(const netron_metadata *metadata, size_t count, struct netron_failure *why)
{
    for (size_t i = 0; i < count; i++) {
        char field[FIELD_SIZE];
        snprintf(field, sizeof(field), "node.metadata[%zu].key", i);
        int code = check_text(metadata[i].key, NETRON_METADATA_KEY_MAX, field, why);
        if (code != 0)
            return code;
        snprintf(field, sizeof(field), "node.metadata[%zu].value", i);
        if (metadata[i].value == NULL || metadata[i].value[0] != '\0')
            code = check_text(metadata[i].value, NETRON_METADATA_SIZE_MAX, field, why);
        if (code != 0)
            return code;
    }
    return 0;
}

/* What is equal stays in the order of the array. */
static int compare_metadata(const void *left, const void *right)
{
    const netron_metadata *one = *(const netron_metadata *const *)left;
    const netron_metadata *other = *(const netron_metadata *const *)right;
    int order = strcmp(one->key, other->key);
    return order != 0 ? order : (one > other) - (one < other);
}

static int check_metadata(const netron_metadata *metadata, size_t count, struct netron_failure *why)
{
    const netron_metadata *sorted[METADATA_COUNT_MAX]; /* no check fails for want of memory */
    if (count == 0)
        return 0;
    if (metadata == NULL)
        return netron_fail(why, NETRON_EINVAL, "node.metadata is missing, but node.metadata_count is %zu", count);
    if (count > METADATA_COUNT_MAX)
        return too_much_metadata(why);
    int code = check_each_metadata(metadata, count, why);
    if (code != 0)
        return code;
    if (netron_node_metadata_size(metadata, count) > NETRON_METADATA_SIZE_MAX)
        return too_much_metadata(why);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &metadata[i];
    qsort(sorted, count, sizeof(sorted[0]), compare_metadata);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
            return netron_fail(why, NETRON_EINVAL, "node.metadata[%zu] repeats the key \"%s\"",
                               (size_t)(sorted[i] - metadata), sorted[i]->key);
    return 0;
}

int netron_node_check(const netron_node *given, struct netron_failure *why)
{
    if (given == NULL)
        return netron_fail(why, NETRON_EINVAL, "node is missing");
    if (!is_size(given->size))
        return netron_fail(why, NETRON_EINVAL,
                           "node.size is %zu, no size that the struct ever had: use NETRON_NODE_INIT", given->size);
    const netron_node node = whole(given);
    int code = netron_node_check_id(node.id, why);
    if (code == 0)
        code = netron_node_check_address(node.address, why);
    if (code == 0)
        code = netron_node_check_services(node.services, node.service_count, why);
    if (code == 0)
        code = check_state(node.state, why);
    if (code == 0)
        code = check_optional_text(node.reason, NETRON_NODE_REASON_MAX, "node.reason", why);
    if (code == 0)
        code = check_weight(node.weight, why);
    if (code == 0)
        code = check_optional_text(node.zone, NETRON_ZONE_MAX, "node.zone", why);
    if (code == 0)
        code = check_metadata(node.metadata, node.metadata_count, why);
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
    netron_node node; /* first: the one is the other */
    size_t references;
};

static struct counted_node *counted(netron_node *node)
{
    return (struct counted_node *)(void *)node;
}

static size_t texts_size(const netron_node *node)
{
    size_t size = text_size(node->id) + text_size(node->address) + text_size(node->reason) + text_size(node->zone);
    for (size_t i = 0; i < node->service_count; i++)
        size += text_size(node->services[i].name) + text_size(node->services[i].version);
    for (size_t i = 0; i < node->metadata_count; i++)
        size += text_size(node->metadata[i].key) + text_size(node->metadata[i].value);
    return size;
}

static void put_services(char **room, netron_service *copies, const netron_node *node)
{
    for (size_t i = 0; i < node->service_count; i++) {
        copies[i].name = put_text(room, node->services[i].name);
        copies[i].version = put_text(room, node->services[i].version);
    }
}

static int compare_keys(const void *left, const void *right)
{
    return strcmp(((const netron_metadata *)left)->key, ((const netron_metadata *)right)->key);
}

/* By key: callers often have theirs in a table that yields them in another order each time. */
static void put_metadata(char **room, netron_metadata *copies, const netron_node *node)
{
    for (size_t i = 0; i < node->metadata_count; i++) {
        copies[i].key = put_text(room, node->metadata[i].key);
        copies[i].value = put_text(room, node->metadata[i].value);
    }
    if (node->metadata_count > 1)
        qsort(copies, node->metadata_count, sizeof(copies[0]), compare_keys);
}

netron_node *netron_node_copy(const netron_node *given)
{
    const netron_node node = whole(given);
    /* The arrays follow the node, the texts follow the arrays: in the order of their alignment. */
    struct counted_node *memory = malloc(sizeof(*memory) + node.service_count * sizeof(netron_service) +
                                         node.metadata_count * sizeof(netron_metadata) + texts_size(&node));
    if (memory == NULL)
        return NULL;
    memory->references = 1;
    netron_node *copy = (netron_node *)(void *)memory;
    netron_service *services = (netron_service *)(memory + 1);
    netron_metadata *metadata = (netron_metadata *)(services + node.service_count);
    char *room = (char *)(metadata + node.metadata_count);
    *copy = node;
    copy->id = put_text(&room, node.id);
    copy->address = put_text(&room, node.address);
    copy->services = node.service_count > 0 ? services : NULL;
    copy->reason = put_text(&room, node.reason);
    copy->weight = node.weight > 0 ? node.weight : NETRON_WEIGHT_DEFAULT;
    copy->zone = put_text(&room, node.zone);
    copy->metadata = node.metadata_count > 0 ? metadata : NULL;
    put_services(&room, services, &node);
    put_metadata(&room, metadata, &node);
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

static bool same_metadata(const netron_node *one, const netron_node *other)
{
    if (one->metadata_count != other->metadata_count)
        return false;
    for (size_t i = 0; i < one->metadata_count; i++)
        if (!same_text(one->metadata[i].key, other->metadata[i].key) ||
            !same_text(one->metadata[i].value, other->metadata[i].value))
            return false;
    return true;
}

bool netron_node_same(const netron_node *one, const netron_node *other)
{
    return same_text(one->id, other->id) && same_text(one->address, other->address) &&
           netron_node_same_services(one->services, one->service_count, other->services, other->service_count) &&
           one->state == other->state && same_text(one->reason, other->reason) && one->weight == other->weight &&
           same_text(one->zone, other->zone) && same_metadata(one, other);
}

size_t netron_node_metadata_size(const netron_metadata *metadata, size_t count)
{
    size_t size = 2 + (count > 0 ? count - 1 : 0); /* the braces, and the commas */
    for (size_t i = 0; i < count; i++) {
        const char *const texts[] = {metadata[i].key, metadata[i].value};
        size++; /* the colon */
        for (size_t j = 0; j < 2; j++) {
            size += 2 + strlen(texts[j]);
            for (const char *escaped = texts[j]; (escaped = strpbrk(escaped, "\"\\")) != NULL; escaped++)
                size++;
        }
    }
    return size;
}

static const char *const state_names[] = {
    [NETRON_NODE_UP] = "up",
    [NETRON_NODE_STARTING] = "starting",
    [NETRON_NODE_DRAINING] = "draining",
    [NETRON_NODE_MAINTENANCE] = "maintenance",
};

const char *netron_node_state_name(netron_node_state state)
{
    return state >= NETRON_NODE_UP && state <= NETRON_NODE_MAINTENANCE ? state_names[state] : "unknown";
}

netron_node_state netron_node_state_of_name(const char *name)
{
    for (int state = NETRON_NODE_UP; state <= NETRON_NODE_MAINTENANCE; state++)
        if (strcmp(name, state_names[state]) == 0)
            return (netron_node_state)state;
    return NETRON_NODE_UNKNOWN;
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
