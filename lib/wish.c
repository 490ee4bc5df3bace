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

void netron_wish_clear(struct netron_wish *wish)
{
    netron_node_free(wish->node);
    free(wish->services_json);
    free(wish->body);
    *wish = (struct netron_wish){0};
}
