/* SPDX-License-Identifier: MIT */
/* A TCP port of 127.0.0.1 where somebody accepts, hears, and says what the test wants: no Redis at all. */
#ifndef NETRON_TEST_LISTENER_H
#define NETRON_TEST_LISTENER_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

struct listener {
    int socket;
    int conn; /* the first that came; -1 while there is none */
    size_t heard;
};

static inline void listener_open(struct listener *listener, unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    *listener = (struct listener){.socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .conn = -1};
    setsockopt(listener->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ck_assert_int_eq(bind(listener->socket, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener->socket, 8), 0);
}

/* Accepts the first, without waiting. */
static inline bool listener_accept(struct listener *listener)
{
    if (listener->conn == -1)
        listener->conn = accept4(listener->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return listener->conn != -1;
}

/* Reads on, without waiting, what the first says; how much that is so far. */
static inline size_t listener_hear(struct listener *listener, char *out, size_t size)
{
    if (!listener_accept(listener))
        return 0;
    ssize_t count = read(listener->conn, out + listener->heard, size - listener->heard);
    listener->heard += count > 0 ? (size_t)count : 0;
    return listener->heard;
}

/* Ends the connection with the first, and takes the next. */
static inline void listener_hang_up(struct listener *listener)
{
    if (listener->conn != -1)
        close(listener->conn);
    listener->conn = -1;
    listener->heard = 0;
}

static inline void listener_close(struct listener *listener)
{
    listener_hang_up(listener);
    close(listener->socket);
}

#endif
