/* SPDX-License-Identifier: MIT */
#include "script.h"
#include <stdlib.h>
#include <string.h>

#define FIXED_WORDS 3 /* EVALSHA sha1 numkeys */

/* The last parts of the keys that a call declares: in one slot of a cluster all that every registry has (registry.lua),
 * else the one that decides where the call goes. */
static const char *const key_tails[] = {"registry", "records", "changes", "expiry", "index:nodes"};
#define KEY_TAILS (sizeof(key_tails) / sizeof(key_tails[0]))

/* Keeps the words until the answer, in case they have to be said again after SCRIPT LOAD. */
struct netron_script_call {
    struct netron_link *link;
    const struct netron_script_source *source;
    netron_reply_fn fn; /* NULL when cancelled */
    void *arg;
    bool has_relied; /* on a SCRIPT LOAD that another call had sent */
    bool has_loaded; /* its own was sent: another NOSCRIPT is final */
    int count;
    size_t *lengths;     /* behind the words */
    const char *words[]; /* count of them; the lengths and the texts follow */
};

static void finish(struct netron_script_call *call, const struct netron_reply *reply,
                   const struct netron_failure *failure)
{
    netron_reply_fn fn = call->fn;
    void *arg = call->arg;
    free(call);
    if (fn != NULL)
        fn(arg, reply, failure);
}

static void on_result(void *arg, const struct netron_reply *reply, const struct netron_failure *failure);

static int evaluate(struct netron_script_call *call)
{
    return netron_link_send(call->link, call->count, call->words, call->lengths, on_result, call);
}

/* SCRIPT LOAD's answer matters only if it is a refusal; then the call's own NOSCRIPT would hide the cause. */
static void on_loaded(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_script_call *call = arg;
    struct netron_failure why;
    unsigned *loading = netron_link_loading(call->link);
    if (loading != NULL && reply != NULL)
        *loading &= ~call->source->bit;
    if (reply == NULL || netron_reply_error(reply) != NULL || call->fn == NULL) {
        finish(call, reply, failure);
        return;
    }
    int code = evaluate(call);
    if (code != 0) {
        netron_fail(&why, code, "%s", netron_strerror(code));
        finish(call, NULL, &why);
    }
}

static int load(struct netron_script_call *call)
{
    const char *const words[] = {"SCRIPT", "LOAD", call->source->text};
    const size_t lengths[] = {6, 4, call->source->length};
    unsigned *loading = netron_link_loading(call->link);
    if (loading == NULL)
        return NETRON_EDISCONNECTED;
    /* Another call has sent it already, and Redis answers in order: a thousand nodes need not send it a thousand times.
     * But if it was refused there, the other call alone has heard why. */
    if ((*loading & call->source->bit) != 0 && !call->has_relied) {
        call->has_relied = true;
        return evaluate(call);
    }
    call->has_loaded = true;
    int code = netron_link_send(call->link, 3, words, lengths, on_loaded, call);
    if (code == 0)
        *loading |= call->source->bit;
    return code;
}

static void on_result(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_script_call *call = arg;
    /* A cancelled call is not said again: its owner has something newer to say. */
    if (netron_reply_error_is(reply, "NOSCRIPT") && !call->has_loaded && call->fn != NULL && load(call) == 0)
        return;
    finish(call, reply, failure);
}

int netron_script_call(struct netron_link *link, const struct netron_script_source *source, const char *registry_key,
                       const char *const *arguments, size_t count, netron_reply_fn fn, void *arg,
                       struct netron_script_call **out)
{
    if (!netron_link_is_ready(link))
        return NETRON_EDISCONNECTED;
    size_t keys = netron_link_is_in_cluster(link) ? KEY_TAILS : 1;
    size_t prefix = strlen(registry_key) - strlen(key_tails[0]); /* with its last colon */
    size_t words = FIXED_WORDS + keys + count;
    size_t size = 0;
    for (size_t i = 0; i < keys; i++)
        size += prefix + strlen(key_tails[i]) + 1;
    for (size_t i = 0; i < count; i++)
        size += strlen(arguments[i]) + 1;
    struct netron_script_call *call = malloc(sizeof(*call) + words * (sizeof(char *) + sizeof(size_t)) + size);
    if (call == NULL)
        return NETRON_ENOMEM;
    *call = (struct netron_script_call){.link = link, .source = source, .fn = fn, .arg = arg};
    call->lengths = (size_t *)(void *)(call->words + words);
    call->words[call->count++] = "EVALSHA";
    call->words[call->count++] = source->sha1;
    call->words[call->count++] = keys == 1 ? "1" : "5";
    char *text = (char *)(call->lengths + words);
    for (size_t i = 0; i < keys; i++) {
        call->words[call->count++] = text;
        text = stpcpy(mempcpy(text, registry_key, prefix), key_tails[i]) + 1;
    }
    for (size_t i = 0; i < count; i++) {
        call->words[call->count++] = text;
        text = stpcpy(text, arguments[i]) + 1;
    }
    for (int i = 0; i < call->count; i++)
        call->lengths[i] = strlen(call->words[i]);
    int code = evaluate(call);
    if (code != 0) {
        free(call);
        return code;
    }
    *out = call;
    return 0;
}

void netron_script_cancel(struct netron_script_call *call)
{
    call->fn = NULL;
}
