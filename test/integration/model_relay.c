/* SPDX-License-Identifier: MIT */
/* The relay: what it hears on the publishers' channel reaches two of the watchers as the seed wants it to. */
#include "model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOST, DOUBLED, DELAYED, GARBLED, PASSED };

const char *model_channel_of(int watcher)
{
    static const char *const channels[WATCHERS] = {MODEL_CHANNEL, "relayed:1", "relayed:2"};
    return channels[watcher];
}

static void pass_on(struct model *model, int watcher, const char *text, size_t length)
{
    if (model->server.pid != 0) /* what was read when it went is lost */
        freeReplyObject(server_ask(&model->server, "PUBLISH %s %b", model_channel_of(watcher), text, length));
}

static void delay(struct model_relay *relay, int watcher, const char *text, size_t length)
{
    if (relay->delayed_count == DELAYED_MAX)
        return;
    struct model_delayed *delayed = &relay->delayed[relay->delayed_count++];
    *delayed = (struct model_delayed){
        .watcher = watcher, .after = 1 + (unsigned)model_draw(&relay->random, 12), .length = length};
    delayed->text = malloc(length + 1);
    memcpy(delayed->text, text, length + 1);
}

/* Those whose time has come; one that waits for a single message has been swapped with it. */
static void release(struct model *model, int watcher, bool all)
{
    struct model_relay *relay = &model->relay;
    for (unsigned i = 0; i < relay->delayed_count;) {
        struct model_delayed *delayed = &relay->delayed[i];
        if (delayed->watcher != watcher || (!all && --delayed->after > 0)) {
            i++;
            continue;
        }
        pass_on(model, watcher, delayed->text, delayed->length);
        free(delayed->text);
        *delayed = relay->delayed[--relay->delayed_count];
    }
}

static void pass_garbage(struct model *model, int watcher, const char *text, size_t length)
{
    static const char *const garbage[] = {"",
                                          "{}",
                                          "[]",
                                          "nonsense",
                                          "{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"a\"}",
                                          "\xff\xfe{",
                                          "{\"type\":\"NODE_GONE\",\"nodeId\":\"a\",\"revision\":1}"};
    uint64_t which = model_draw(&model->relay.random, 10);
    uint64_t cut = model_draw(&model->relay.random, length);
    if (which < sizeof(garbage) / sizeof(garbage[0]))
        pass_on(model, watcher, garbage[which], strlen(garbage[which]));
    else
        pass_on(model, watcher, text, (size_t)cut);
}

static void mangle(struct model *model, int watcher, const char *text, size_t length)
{
    struct model_relay *relay = &model->relay;
    uint64_t chance = relay->is_honest ? 100 : model_draw(&relay->random, 100);
    int what = chance < 10 ? LOST : chance < 18 ? DOUBLED : chance < 32 ? DELAYED : chance < 37 ? GARBLED : PASSED;
    relay->counts[what]++;
    if (what == DELAYED || (what == DOUBLED && model_chance(&relay->random, 50)))
        delay(relay, watcher, text, length);
    else if (what == DOUBLED)
        pass_on(model, watcher, text, length);
    else if (what == GARBLED)
        pass_garbage(model, watcher, text, length);
    if (what != LOST && what != DELAYED)
        pass_on(model, watcher, text, length);
    release(model, watcher, false);
}

/* ---- its own subscription ---- */

static void disconnect(struct model_relay *relay)
{
    if (relay->readable != NULL)
        event_free(relay->readable);
    if (relay->context != NULL)
        redisFree(relay->context);
    relay->readable = NULL;
    relay->context = NULL;
}

static void on_readable(evutil_socket_t none, short what, void *arg)
{
    (void)none;
    (void)what;
    model_relay_read(arg);
}

static void connect_relay(struct model *model)
{
    struct model_relay *relay = &model->relay;
    relay->context = server_connect(&model->server);
    ck_assert(relay->context != NULL && relay->context->err == 0);
    redisReply *reply = redisCommand(relay->context, "SUBSCRIBE %s", MODEL_CHANNEL);
    ck_assert(reply != NULL && reply->type == REDIS_REPLY_ARRAY);
    freeReplyObject(reply);
    relay->readable =
        event_new(reactor_base(model->world.reactor), relay->context->fd, EV_READ | EV_PERSIST, on_readable, model);
    ck_assert_int_eq(event_add(relay->readable, NULL), 0);
}

void model_relay_read(struct model *model)
{
    struct model_relay *relay = &model->relay;
    void *message = NULL;
    if (relay->context == NULL || redisBufferRead(relay->context) != REDIS_OK) {
        disconnect(relay); /* it was cut as well; what is published meanwhile is lost */
        if (model->server.pid != 0)
            connect_relay(model);
        return;
    }
    while (redisReaderGetReply(relay->context->reader, &message) == REDIS_OK && message != NULL) {
        const redisReply *reply = message;
        const redisReply *payload = reply->elements == 3 ? reply->element[2] : NULL;
        for (int watcher = 1; watcher < WATCHERS && payload != NULL && payload->type == REDIS_REPLY_STRING; watcher++)
            mangle(model, watcher, payload->str, (size_t)payload->len);
        freeReplyObject(message);
    }
}

void model_relay_heal(struct model *model)
{
    model->relay.is_honest = true;
    for (int watcher = 1; watcher < WATCHERS; watcher++)
        release(model, watcher, true);
}

void model_relay_open(struct model *model)
{
    model->relay.random.state = ~model->seed;
    connect_relay(model);
}

void model_relay_close(struct model *model)
{
    model_trace(model, "messages: %u lost, %u doubled, %u delayed, %u with garbage, %u passed", model->relay.counts[0],
                model->relay.counts[1], model->relay.counts[2], model->relay.counts[3], model->relay.counts[4]);
    for (unsigned i = 0; i < model->relay.delayed_count; i++)
        free(model->relay.delayed[i].text);
    disconnect(&model->relay);
}
