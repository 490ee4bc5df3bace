/* SPDX-License-Identifier: MIT */
#include "wish.h"
#include "record.h"
#include <stdlib.h>

int netron_wish_make(struct netron_wish *wish, const netron_node *node, uint32_t ttl_ms)
{
    struct netron_wish made = {.node = netron_node_copy(node)};
    if (made.node != NULL) {
        made.services_json = netron_record_services_json(made.node->services, made.node->service_count);
        made.body = netron_record_body(made.node, ttl_ms);
    }
    if (made.services_json == NULL || made.body == NULL) {
        netron_wish_clear(&made);
        return NETRON_ENOMEM;
    }
    *wish = made;
    return 0;
}

int netron_wish_sign(struct netron_wish *wish, const struct netron_keyring *keyring, const char *key_prefix,
                     const char *incarnation, uint32_t ttl_ms, uint64_t sequence)
{
    struct netron_stamp stamp = {.sequence = sequence};
    const struct netron_statement statement = {.key_prefix = key_prefix,
                                               .incarnation = incarnation,
                                               .sequence = sequence,
                                               .ttl_ms = ttl_ms,
                                               .state = netron_node_state_name(wish->node->state),
                                               .node = wish->node};
    int code = netron_keyring_sign(keyring, &statement, stamp.signature);
    if (code != 0)
        return code;
    char *body = netron_record_signed_body(wish->node, ttl_ms, &stamp);
    if (body == NULL)
        return NETRON_ENOMEM;
    free(wish->body);
    wish->body = body;
    wish->sequence = sequence;
    return 0;
}

void netron_wish_clear(struct netron_wish *wish)
{
    netron_node_free(wish->node);
    free(wish->services_json);
    free(wish->body);
    *wish = (struct netron_wish){0};
}
