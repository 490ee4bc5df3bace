/* SPDX-License-Identifier: MIT */
#include "socket.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROBES 3
#define SECONDS_MAX 32767 /* of Linux, which refuses more */
#ifndef TCP_USER_TIMEOUT  /* a system without it refuses the number */
#define TCP_USER_TIMEOUT (-1)
#endif

static void set(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof(value));
}

static int seconds(uint32_t ms)
{
    uint32_t whole = ms / 1000;
    return whole < 1 ? 1 : whole > SECONDS_MAX ? SECONDS_MAX : (int)whole;
}

/* The link's own PING comes as early as the first probe; but a probe is also sent while our loop stands still, so a
 * process that goes on after a long pause finds at once that its connection is dead. Not redisEnableKeepAlive(): where
 * one of its options is missing it poisons the context. */
static void keep_alive(int fd, const struct netron_socket_patience *patience)
{
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds(patience->idle_ms));
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds(patience->idle_ms / PROBES));
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
    if (patience->user_timeout_ms != 0)
        set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)patience->user_timeout_ms);
}

int netron_socket_prepare(int fd, const struct netron_socket_patience *patience)
{
    int flags = fcntl(fd, F_GETFD);
    if (flags != -1)
        fcntl(fd, F_SETFD, flags | FD_CLOEXEC); /* hiredis leaves it open for child processes */
    /* In a process that closed its standard input the socket can be 0, which hiredis 0.14.1 never closes. */
    int moved = fd == 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (moved != -1) {
        close(fd);
        fd = moved;
    }
    if (patience != NULL)
        keep_alive(fd, patience);
    return fd;
}

int netron_socket_connection(int fd, bool is_tcp, bool *is_connected)
{
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    struct sockaddr_storage peer;
    length = sizeof(peer);
    *is_connected = error == 0 && getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
    /* hiredis 1.3 takes a Unix socket whose server has no room for it for one that connects; nothing will come. */
    return error != 0 || *is_connected || is_tcp ? error : EAGAIN;
}

/* An orderly end would let the system go on delivering it for minutes. */
void netron_socket_take_back(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}
