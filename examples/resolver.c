/* SPDX-License-Identifier: MIT */
#include "resolver.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <netron/error.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESSES_MAX 8

struct question {
    struct question *next;
    struct resolver *resolver;
    pthread_t thread;
    int ends[2]; /* what the loop watches, and what the thread closes when it has the answer */
    void *watch;
    netron_resolve_fn fn; /* NULL when cancelled: the answer goes nowhere */
    void *arg;
    char *host;
    int error;
    size_t count;
    char addresses[ADDRESSES_MAX][INET6_ADDRSTRLEN];
};

struct resolver {
    netron_loop *loop;
    struct question *questions; /* whose threads run */
};

/* ---- in the thread ---- */

static void *ask(void *arg)
{
    struct question *question = arg;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    question->error = getaddrinfo(question->host, NULL, &hints, &list);
    for (struct addrinfo *at = list; at != NULL && question->count < ADDRESSES_MAX; at = at->ai_next) {
        if (getnameinfo(at->ai_addr, at->ai_addrlen, question->addresses[question->count], INET6_ADDRSTRLEN, NULL, 0,
                        NI_NUMERICHOST) == 0)
            question->count++;
    }
    if (list != NULL)
        freeaddrinfo(list);
    close(question->ends[1]); /* last: whoever sees this may join the thread without waiting */
    return NULL;
}

/* ---- in the loop ---- */

static void forget(struct question *question)
{
    struct question **at = &question->resolver->questions;
    while (*at != NULL && *at != question)
        at = &(*at)->next;
    if (*at != NULL)
        *at = question->next;
}

static void destroy(struct question *question)
{
    netron_loop *loop = question->resolver->loop;
    if (question->watch != NULL)
        loop->io_free(loop, question->watch); /* before its descriptor is closed */
    if (question->ends[0] >= 0)
        close(question->ends[0]);
    free(question->host);
    free(question);
}

static void answer(const struct question *question)
{
    const char *addresses[ADDRESSES_MAX];
    for (size_t i = 0; i < question->count; i++)
        addresses[i] = question->addresses[i];
    if (question->count > 0)
        question->fn(0, addresses, question->count, NULL, question->arg);
    else
        question->fn(NETRON_ERESOLVE, NULL, 0, question->error != 0 ? gai_strerror(question->error) : "no address",
                     question->arg);
}

static void on_answer(unsigned events, void *arg)
{
    struct question *question = arg;
    (void)events;
    pthread_join(question->thread, NULL);
    forget(question);
    if (question->fn != NULL)
        answer(question);
    destroy(question);
}

static void *resolve(netron_loop *loop, const char *host, netron_resolve_fn fn, void *arg)
{
    struct question *question = calloc(1, sizeof(*question));
    if (question == NULL)
        return NULL;
    question->resolver = loop->resolver;
    question->fn = fn;
    question->arg = arg;
    question->host = strdup(host);
    question->ends[0] = question->ends[1] = -1;
    if (question->host != NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, question->ends) == 0) {
        question->watch = loop->io_new(loop, question->ends[0], NETRON_READABLE, on_answer, question);
        if (question->watch != NULL && pthread_create(&question->thread, NULL, ask, question) == 0) {
            question->next = question->resolver->questions;
            question->resolver->questions = question;
            return question;
        }
        close(question->ends[1]);
    }
    destroy(question);
    return NULL;
}

/* The thread cannot be called back. The loop hears of its end as of any other, or resolver_free() waits for it. */
static void resolve_cancel(netron_loop *loop, void *handle)
{
    struct question *question = handle;
    (void)loop;
    question->fn = NULL;
}

/* ---- beginning and end ---- */

struct resolver *resolver_attach(netron_loop *loop)
{
    struct resolver *resolver = loop != NULL ? calloc(1, sizeof(*resolver)) : NULL;
    if (resolver == NULL)
        return NULL;
    resolver->loop = loop;
    loop->resolver = resolver;
    loop->resolve = resolve;
    loop->resolve_cancel = resolve_cancel;
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    while (resolver != NULL && resolver->questions != NULL) {
        struct question *question = resolver->questions;
        resolver->questions = question->next;
        pthread_join(question->thread, NULL);
        destroy(question);
    }
    free(resolver);
}
