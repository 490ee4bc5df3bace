/* SPDX-License-Identifier: MIT */
#include "survivors.h"
#include "keys.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 512u /* protocol section 3: no call handles more */

static void clear(struct netron_survivors *survivors)
{
    free(survivors->ids);
    survivors->ids = NULL;
    survivors->count = 0;
}

/* ---- a page ---- */

static int ask_page(struct netron_survivors *survivors);

static void on_heartbeats(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_survivors *survivors = arg;
    struct netron_replica *replica = survivors->replica;
    struct netron_failure why = {0};
    if (reply == NULL)
        why = *failure;
    else if (netron_reply_count(reply) != survivors->count)
        netron_link_fail(survivors->link, NULL, reply, "MGET", &why);
    for (size_t i = 0; i < survivors->count && why.code == 0; i++)
        if (netron_reply_is_nil(netron_reply_at(reply, i)))
            netron_replica_drop_kept(replica, survivors->ids[i], "expired", survivors->revision);
    if (survivors->ids == NULL) /* aborted by whoever was told of a death */
        return;
    clear(survivors);
    int code = why.code == 0 ? ask_page(survivors) : 0;
    if (code != 0)
        netron_fail(&why, code, "MGET: %s", netron_strerror(code));
    if (survivors->ids == NULL)
        survivors->done(survivors->arg, why.code != 0 ? &why : NULL);
}

static int send_page(struct netron_survivors *survivors)
{
    const char *words[1 + PAGE] = {"MGET"};
    size_t lengths[1 + PAGE] = {4};
    char *keys[PAGE];
    size_t made = 0;
    for (; survivors->ids != NULL && made < survivors->count; made++) {
        keys[made] = netron_key_name(survivors->settings->key_prefix, NETRON_KEY_HEARTBEAT, survivors->ids[made]);
        if (keys[made] == NULL)
            break;
        words[1 + made] = keys[made];
        lengths[1 + made] = strlen(keys[made]);
    }
    int code = NETRON_ENOMEM;
    if (made == survivors->count)
        code = netron_link_look(survivors->link, 1 + (int)made, words, lengths, on_heartbeats, survivors,
                                &survivors->ticket);
    while (made > 0)
        free(keys[--made]);
    return code;
}

static bool take(void *arg, const char *id)
{
    struct netron_survivors *survivors = arg;
    if (survivors->count == PAGE)
        return false;
    snprintf(survivors->ids[survivors->count++], sizeof(*survivors->ids), "%s", id);
    return true;
}

/* Asks for the next ones. Without any there is no page, and that is the end. */
static int ask_page(struct netron_survivors *survivors)
{
    int code = NETRON_ENOMEM;
    survivors->ids = calloc(PAGE, sizeof(*survivors->ids));
    if (survivors->ids != NULL && netron_replica_search(survivors->replica, take, survivors) && survivors->count == 0)
        code = 0;
    else if (survivors->count > 0)
        code = send_page(survivors);
    if (code != 0 || survivors->count == 0)
        clear(survivors);
    return code;
}

/* ---- beginning and end ---- */

int netron_survivors_begin(struct netron_survivors *survivors, uint64_t revision)
{
    if (survivors->ids != NULL)
        return 0;
    survivors->revision = revision;
    netron_replica_begin_search(survivors->replica);
    return ask_page(survivors);
}

void netron_survivors_abort(struct netron_survivors *survivors)
{
    if (survivors->ids != NULL)
        netron_link_cancel(survivors->link, survivors->ticket);
    clear(survivors);
}
