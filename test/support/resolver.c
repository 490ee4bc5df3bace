/* SPDX-License-Identifier: MIT */
#include "resolver.h"
#include <arpa/inet.h>
#include <check.h>
#include <netdb.h>
#include <netron/error.h>
#include <pthread.h>
#include <stdbool.h>
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
    netron_resolve_fn fn; /* NULL when cancelled, or answered */
    void *arg;
    char host[256];
    int error;
    size_t count;
    char addresses[ADDRESSES_MAX][INET6_ADDRSTRLEN];
};

struct resolver {
    netron_loop *loop;
    struct question *cancelled; /* whose threads may still run */
};

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
    close(question->ends[1]);
    return NULL;
}

static void finish(struct question *question)
{
    close(question->ends[0]);
    free(question);
}

static void on_answer(unsigned events, void *arg)
{
    struct question *question = arg;
    netron_loop *loop = question->resolver->loop;
    const char *addresses[ADDRESSES_MAX];
    netron_resolve_fn fn = question->fn;
    (void)events;
    pthread_join(question->thread, NULL); /* it closed its end last */
    loop->io_free(loop, question->watch);
    for (size_t i = 0; i < question->count; i++)
        addresses[i] = question->addresses[i];
    question->fn = NULL; /* for a resolve_cancel() from inside the callback */
    if (question->count > 0)
        fn(0, addresses, question->count, NULL, question->arg);
    else
        fn(NETRON_ERESOLVE, NULL, 0, question->error != 0 ? gai_strerror(question->error) : "no address",
           question->arg);
    finish(question);
}

static void *resolve(netron_loop *loop, const char *host, netron_resolve_fn fn, void *arg)
{
    struct question *question = calloc(1, sizeof(*question));
    ck_assert_ptr_nonnull(question);
    ck_assert_uint_lt(strlen(host), sizeof(question->host));
    memcpy(question->host, host, strlen(host) + 1);
    question->resolver = loop->resolver;
    question->fn = fn;
    question->arg = arg;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, question->ends), 0);
    question->watch = loop->io_new(loop, question->ends[0], NETRON_READABLE, on_answer, question);
    ck_assert_ptr_nonnull(question->watch);
    ck_assert_int_eq(pthread_create(&question->thread, NULL, ask, question), 0);
    return question;
}

static void resolve_cancel(netron_loop *loop, void *handle)
{
    struct question *question = handle;
    if (question->fn == NULL)
        return;
    question->fn = NULL;
    loop->io_free(loop, question->watch);
    question->next = question->resolver->cancelled;
    question->resolver->cancelled = question;
}

struct resolver *resolver_attach(netron_loop *loop)
{
    struct resolver *resolver = calloc(1, sizeof(*resolver));
    ck_assert_ptr_nonnull(resolver);
    resolver->loop = loop;
    loop->resolver = resolver;
    loop->resolve = resolve;
    loop->resolve_cancel = resolve_cancel;
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    while (resolver->cancelled != NULL) {
        struct question *question = resolver->cancelled;
        resolver->cancelled = question->next;
        pthread_join(question->thread, NULL);
        finish(question);
    }
    free(resolver);
}
