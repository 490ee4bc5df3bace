/* SPDX-License-Identifier: MIT */
/* What is set on the socket of a connection to Redis beside what hiredis sets. */
#ifndef NETRON_LIB_SOCKET_H
#define NETRON_LIB_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

/* How the kernel judges the silence of the other end, in ms. */
struct netron_socket_patience {
    uint32_t idle_ms;         /* of nothing to and fro, after which it probes */
    uint32_t user_timeout_ms; /* of no confirmation for what was sent, after which it gives up; 0 = the system's own */
};

/* patience NULL: no TCP socket. Returns the descriptor to go on with, which may be another one, fd being closed then.
 * What the system does not know or allow is left as it is. */
int netron_socket_prepare(int fd, const struct netron_socket_patience *patience);

/* What became of connecting: 0, or an error of the system. With 0 *is_connected says whether it is done. */
int netron_socket_connection(int fd, bool is_tcp, bool *is_connected);

/* Its closing takes back what is unsent, and the other end sees a reset. */
void netron_socket_take_back(int fd);

#endif
