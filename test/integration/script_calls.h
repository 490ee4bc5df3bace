/* SPDX-License-Identifier: MIT */
/* Calls of the Lua scripts as the library makes them, on a server that all tests of a program share. */
#ifndef NETRON_TEST_SCRIPT_CALLS_H
#define NETRON_TEST_SCRIPT_CALLS_H

#include "record.h"
#include "script_sources.h"
#include "server.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define P "netron:discovery"
#define CHANNEL P ":events"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct server server;

static inline void start_server(void)
{
    server_start(&server, NULL);
    freeReplyObject(server_ask(&server, "SCRIPT LOAD %b", netron_script_source_register.text,
                               netron_script_source_register.length));
    freeReplyObject(server_ask(&server, "SCRIPT LOAD %b", netron_script_source_deregister.text,
                               netron_script_source_deregister.length));
    server_forget(&server);
}

static inline void stop_server(void)
{
    server_stop(&server);
}

static inline void open_registry(void)
{
    server_expect(&server, "OK", "FLUSHALL");
}

static inline void close_registry(void)
{
    server_forget(&server);
}

struct call {
    const char *id;
    const char *incarnation;
    const char *policy;
    const char *address;
    const netron_service *services;
    size_t count;
    long long ttl;
    bool is_silent;
};

static const netron_service users_and_mail[] = {{"users", "1.2.0"}, {"mail", NULL}};

/* The usual call, to be varied. */
static inline struct call call_of(const char *id, const char *incarnation, const char *policy)
{
    return (struct call){id, incarnation, policy, "10.0.0.1:4000", users_and_mail, 2, 15000, false};
}

/* Answers "outcome number", such as "registered 1". */
static inline const char *answer_of(redisReply *reply, long long *number)
{
    static char text[64];
    ck_assert_msg(reply->type == REDIS_REPLY_ARRAY && reply->elements == 2, "the script answered %s",
                  reply->str != NULL ? reply->str : "something else");
    snprintf(text, sizeof(text), "%s", reply->element[0]->str);
    *number = reply->element[1]->integer;
    freeReplyObject(reply);
    return text;
}

static inline const char *run(const struct call *call, long long *number)
{
    netron_node node = NETRON_NODE_INIT;
    node.id = call->id;
    node.address = call->address;
    node.services = call->services;
    node.service_count = call->count;
    char *services = netron_record_services_json(node.services, node.service_count);
    char *body = netron_record_body(&node, (uint32_t)call->ttl);
    char tag[16], ttl[24];
    snprintf(tag, sizeof(tag), "%06x%06x", (unsigned)rand() & 0xffffff, (unsigned)rand() & 0xffffff);
    snprintf(ttl, sizeof(ttl), "%lld", call->ttl);
    static const char registry[] = P ":registry";
    const char *words[32 + NETRON_SERVICES_MAX] = {"EVALSHA",
                                                   netron_script_source_register.sha1,
                                                   "1",
                                                   registry,
                                                   call->id,
                                                   call->incarnation,
                                                   tag,
                                                   call->policy,
                                                   ttl,
                                                   call->address,
                                                   services,
                                                   body,
                                                   call->is_silent ? "" : CHANNEL};
    int count = 13;
    for (size_t i = 0; i < call->count; i++)
        words[count++] = call->services[i].name;
    server_integer(&server, "EXISTS none"); /* so that the connection is there */
    redisReply *reply = redisCommandArgv(server.context, count, words, NULL);
    ck_assert_ptr_nonnull(reply);
    free(services);
    free(body);
    return answer_of(reply, number);
}

static inline void assert_registers(const struct call *call, const char *outcome, long long revision)
{
    long long number = -1;
    ck_assert_str_eq(run(call, &number), outcome);
    ck_assert_int_eq(number, revision);
}

static inline void registers(const char *id, const char *incarnation, const char *policy, const char *outcome,
                             long long revision)
{
    struct call call = call_of(id, incarnation, policy);
    assert_registers(&call, outcome, revision);
}

static inline const char *run_deregister(const char *id, const char *incarnation, long long *number)
{
    return answer_of(server_ask(&server, "EVALSHA %s 1 " P ":registry %s %s %s", netron_script_source_deregister.sha1,
                                id, incarnation, CHANNEL),
                     number);
}

static inline void deregisters(const char *id, const char *incarnation, const char *outcome, long long revision)
{
    long long number = -1;
    ck_assert_str_eq(run_deregister(id, incarnation, &number), outcome);
    ck_assert_int_eq(number, revision);
}

#endif
