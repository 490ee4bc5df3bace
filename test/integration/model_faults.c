/* SPDX-License-Identifier: MIT */
/* What goes wrong: links that break, data that is lost, history that is rolled back, bookkeeping that is damaged. */
#include "model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void ask(struct model *model, const char *command)
{
    redisReply *reply = server_ask(&model->server, command);
    model_trace(model, "%s: %s", command, reply->type == REDIS_REPLY_ERROR ? reply->str : "done");
    freeReplyObject(reply);
}

/* ---- links ---- */

static void kill_link(struct model *model, const char *name, bool events)
{
    char list[16384], wanted[32];
    snprintf(wanted, sizeof(wanted), " name=%s ", name);
    ck_assert(server_text(&model->server, list, sizeof(list), "CLIENT LIST TYPE %s", events ? "pubsub" : "normal"));
    model_trace(model, "the %s link of %s is cut", events ? "events" : "commands", name);
    for (char *line = strtok(list, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (strstr(line, wanted) != NULL && strncmp(line, "id=", 3) == 0)
            freeReplyObject(server_ask(&model->server, "CLIENT KILL ID %ld", strtol(line + 3, NULL, 10)));
}

void model_fault_link(struct model *model)
{
    static const char *const names[] = {"p0", "p1", "p2", "w0", "w1", "w2"};
    uint64_t name = model_draw(&model->random, COUNT_OF(names));
    model->is_shaken = true;
    switch (model_draw(&model->random, 6)) {
    case 0:
        ask(model, "CLIENT KILL TYPE pubsub");
        break;
    case 1:
        ask(model, "CLIENT KILL TYPE normal");
        break;
    case 2:
    case 3:
        kill_link(model, names[name], false);
        break;
    default:
        kill_link(model, names[3 + name % 3], true);
        break;
    }
}

/* ---- loss of everything ---- */

static void restart_server(struct model *model, unsigned pause_ms)
{
    model_trace(model, "the server restarts after %u ms", pause_ms);
    server_kill(&model->server);
    model->snapshot_at = 0;
    model_pump(model, pause_ms);
    server_start_again(&model->server, NULL);
    model->turned_at = world_clock_ms(); /* that it took is no standstill of ours: nothing could expire */
    model_relay_read(model);
}

/* When an id's heartbeat is lost before its former owner has heard that it is replaced, he registers again. */
static void former_owners_may_come_back(struct model *model)
{
    unsigned owners[IDS] = {0};
    for (int i = 0; i < CLAIMS; i++)
        if (model->claims[i].is_used && !model_claim_has_ended(&model->claims[i]))
            owners[model->claims[i].id]++;
    for (int id = 0; id < OWN_IDS; id++)
        if (owners[id] > 1)
            model_touch(model, id, 0, 2);
}

void model_fault_loss(struct model *model)
{
    model->is_shaken = true;
    former_owners_may_come_back(model);
    switch (model_draw(&model->random, 8)) {
    case 0:
        restart_server(model, (unsigned)model_draw(&model->random, 4) * 400);
        break;
    case 1:
    case 2:
        ask(model, "SCRIPT FLUSH");
        break;
    default:
        ask(model, "FLUSHDB");
        break;
    }
}

void model_fault_history(struct model *model)
{
    model->is_shaken = true;
    if (model->snapshot_at == 0 || model_chance(&model->random, 40))
        model_registry_copy(model);
    else
        model_registry_put_back(model);
}

/* ---- bookkeeping ---- */

/* Nodes that are adopted from their hashes may say no state until their owners repair them, and what they offered
 * before is not known any more. */
static void may_be_adopted(struct model *model)
{
    model->lost_services = true;
    for (int id = 0; id < IDS; id++)
        model->may_change[id] += 2;
}

static void damage_key(struct model *model)
{
    static const char *const keys[] = {"registry", "records", "changes", "expiry", "index:nodes"};
    char command[128];
    const char *key = keys[model_draw(&model->random, COUNT_OF(keys))];
    bool is_wrong = model_chance(&model->random, 40);
    snprintf(command, sizeof(command), "%s " MODEL_PREFIX ":%s%s", is_wrong ? "SET" : "DEL", key,
             is_wrong ? " junk" : "");
    ask(model, command);
    may_be_adopted(model);
}

static void damage_number(struct model *model)
{
    static const char *const fields[] = {"epoch", "revision", "digest", "floor", "count", "scan", "window"};
    char command[128];
    snprintf(command, sizeof(command), "HDEL " MODEL_PREFIX ":registry %s",
             fields[model_draw(&model->random, COUNT_OF(fields))]);
    ask(model, command);
    may_be_adopted(model);
}

static void damage_entry(struct model *model)
{
    enum { BROKEN = 4 };
    static const char *const commands[][2] = {
        {"HDEL " MODEL_PREFIX ":records ", ""},        {"ZREM " MODEL_PREFIX ":expiry ", ""},
        {"SREM " MODEL_PREFIX ":index:nodes ", ""},    {"ZREM " MODEL_PREFIX ":changes ", ""},
        {"HSET " MODEL_PREFIX ":records ", " broken"}, {"DEL " MODEL_PREFIX ":nodes:", ""},
        {"SET " MODEL_PREFIX ":nodes:", " junk"}};
    char command[128];
    int id = (int)model_draw(&model->random, IDS);
    uint64_t which = model_draw(&model->random, COUNT_OF(commands));
    if (which == COUNT_OF(commands) - 1 && id >= FIRST_ORIGINAL)
        return; /* the original cannot write there then: it is dead, and stays so */
    snprintf(command, sizeof(command), "%s%c%s", commands[which][0], MODEL_IDS[id], commands[which][1]);
    if (which == BROKEN)
        model_touch(model, id, 1, 1); /* told as unreadable */
    ask(model, command);
    may_be_adopted(model);
}

static void damage_service(struct model *model)
{
    char command[128];
    const char *name = model_service_names[model_draw(&model->random, SERVICES)];
    int id = (int)model_draw(&model->random, IDS);
    if (model_chance(&model->random, 50))
        snprintf(command, sizeof(command), "DEL " MODEL_PREFIX ":index:service:%s", name);
    else
        snprintf(command, sizeof(command), "SREM " MODEL_PREFIX ":index:service:%s %c", name, MODEL_IDS[id]);
    ask(model, command);
}

static void damage_heartbeat(struct model *model)
{
    char command[128];
    int id = (int)model_draw(&model->random, IDS);
    bool is_wrong = model_chance(&model->random, 30);
    snprintf(command, sizeof(command), "DEL " MODEL_PREFIX ":heartbeat:%c", MODEL_IDS[id]);
    ask(model, command);
    if (is_wrong)
        snprintf(command, sizeof(command), "HSET " MODEL_PREFIX ":heartbeat:%c a b", MODEL_IDS[id]);
    if (is_wrong)
        ask(model, command);
    model_touch(model, id, 1, 1);
}

void model_fault_bookkeeping(struct model *model)
{
    model->is_shaken = true;
    switch (model_draw(&model->random, 6)) {
    case 0:
        damage_key(model);
        break;
    case 1:
        damage_number(model);
        break;
    case 2:
    case 3:
        damage_entry(model);
        break;
    case 4:
        damage_service(model);
        break;
    default:
        damage_heartbeat(model);
        break;
    }
}
