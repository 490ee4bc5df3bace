/* SPDX-License-Identifier: MIT */
/* The proxy's process: accepts connections, and carries out orders. */
#include "proxy_conn.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

enum front { TCP, LOCAL, FRONTS };

struct process {
    struct proxy_realm realm;
    int fronts[FRONTS];
    struct event *accepts[FRONTS]; /* NULL while it refuses */
    struct proxy_order order;
};

static void on_connection(evutil_socket_t listener, short what, void *arg)
{
    struct process *process = arg;
    int fd;
    (void)what;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1)
        proxy_conn_begin(&process->realm, fd);
}

/* ---- orders ---- */

static void set_rule(struct proxy_realm *realm, const struct proxy_order *order)
{
    for (unsigned kind = 0; kind < PROXY_KINDS && (order->links & PROXY_PRESENT) == 0; kind++)
        for (unsigned way = 0; way < 2; way++)
            if ((order->links & (1u << kind)) != 0 && (order->ways & (1u << way)) != 0)
                realm->rules[kind][way] = order->rule;
    proxy_conns_set_rule(realm, order->links, order->ways, order->rule);
}

static bool add_answer(struct proxy_realm *realm, const struct proxy_order *order)
{
    struct proxy_answer **place = &realm->answers;
    struct proxy_answer *answer = malloc(sizeof(*answer) + order->length);
    if (answer == NULL)
        return false;
    *answer = (struct proxy_answer){
        .links = order->links, .times = order->times, .is_for_ever = order->times == 0, .length = order->length};
    memcpy(answer->beginning, order->beginning, sizeof(answer->beginning));
    memcpy(answer->bytes, order->bytes, order->length);
    while (*place != NULL)
        place = &(*place)->next;
    *place = answer;
    return true;
}

static void forget_answers(struct proxy_realm *realm)
{
    while (realm->answers != NULL) {
        struct proxy_answer *answer = realm->answers;
        realm->answers = answer->next;
        free(answer);
    }
}

/* A socket that is bound but does not listen refuses, and keeps its port or its path. */
static bool bind_anew(int *front)
{
    struct sockaddr_storage address = {0};
    struct sockaddr *place = (struct sockaddr *)&address;
    socklen_t length = sizeof(address);
    const int on = 1;
    if (getsockname(*front, place, &length) != 0)
        return false;
    close(*front);
    if (place->sa_family == AF_UNIX)
        unlink(((struct sockaddr_un *)place)->sun_path);
    *front = socket(place->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(*front, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return *front != -1 && bind(*front, place, length) == 0;
}

static void ignore(struct process *process)
{
    for (int i = 0; i < FRONTS; i++)
        if (process->accepts[i] != NULL)
            event_free(process->accepts[i]);
    memset(process->accepts, 0, sizeof(process->accepts));
}

static bool refuse(struct process *process)
{
    if (process->accepts[TCP] == NULL)
        return true;
    ignore(process);
    return bind_anew(&process->fronts[TCP]) && bind_anew(&process->fronts[LOCAL]);
}

static bool welcome(struct process *process)
{
    for (int i = 0; i < FRONTS && process->accepts[i] == NULL; i++) {
        if (listen(process->fronts[i], BACKLOG) != 0)
            return false;
        process->accepts[i] =
            event_new(process->realm.base, process->fronts[i], EV_READ | EV_PERSIST, on_connection, process);
        event_add(process->accepts[i], NULL);
    }
    return true;
}

static bool heal(struct process *process)
{
    static const struct proxy_order pass = {.links = PROXY_ALL, .ways = PROXY_BOTH_WAYS};
    forget_answers(&process->realm);
    set_rule(&process->realm, &pass);
    return welcome(process);
}

static bool carry_out(struct process *process, const struct proxy_order *order)
{
    struct proxy_realm *realm = &process->realm;
    switch (order->verb) {
    case PROXY_DO_RULE:
        set_rule(realm, order);
        break;
    case PROXY_DO_CUT:
        proxy_conns_cut(realm, order->links, order->end);
        break;
    case PROXY_DO_INJECT:
        return proxy_conns_inject(realm, order->links, order->bytes, order->length, order->amid);
    case PROXY_DO_ANSWER:
        return add_answer(realm, order);
    case PROXY_DO_ANSWER_NO_MORE:
        forget_answers(realm);
        break;
    case PROXY_DO_REFUSE:
        return order->refuse ? refuse(process) : welcome(process);
    case PROXY_DO_HEAL:
        return heal(process);
    case PROXY_DO_COUNT:
        break;
    }
    return true;
}

static void on_order(evutil_socket_t control, short what, void *arg)
{
    struct process *process = arg;
    struct proxy_report report = {.is_done = false};
    (void)what;
    if (recv(control, &process->order, sizeof(process->order), 0) != sizeof(process->order))
        _exit(0); /* the test has ended */
    report.is_done = carry_out(process, &process->order);
    memcpy(report.counts, process->realm.counts, sizeof(report.counts));
    send(control, &report, sizeof(report), MSG_NOSIGNAL);
}

/* What the test had open is not ours: a connection of its would stay open with us. */
static void close_what_is_inherited(const struct proxy_fronts *fronts)
{
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = STDERR_FILENO + 1; fd < limit && fd < 4096; fd++)
        if (fd != fronts->control && fd != fronts->tcp && fd != fronts->local)
            close(fd);
}

void proxy_run(const struct proxy_fronts *fronts)
{
    static struct process process;
    close_what_is_inherited(fronts);
    process = (struct process){.fronts = {fronts->tcp, fronts->local}};
    process.realm.base = event_base_new();
    process.realm.upstream = fronts->upstream;
    if (process.realm.base == NULL)
        _exit(1);
    struct event *orders = event_new(process.realm.base, fronts->control, EV_READ | EV_PERSIST, on_order, &process);
    event_add(orders, NULL);
    if (!welcome(&process))
        _exit(1);
    event_base_dispatch(process.realm.base);
    _exit(1);
}
