/* SPDX-License-Identifier: MIT */
/*
 * A private redis-server on a Unix socket in a temporary folder. It dies with the process that started it, and is ended
 * by its pid. NETRON_TEST_SERVER names the program (default: redis-server). With NETRON_TEST_TLS=1 its URL leads to a
 * port of 127.0.0.1 that speaks TLS, and whoever trusts what the system trusts trusts its certificate; what tests ask
 * it beside the library goes through the Unix socket all the same.
 *
 * Whoever does not log in is a user that KEYS, SCAN, CONFIG, MONITOR, FLUSHALL, FLUSHDB and DEBUG are forbidden to, and
 * so is the library in every test; the test's own connections are of another user, who may do everything.
 */
#ifndef NETRON_TEST_SERVER_H
#define NETRON_TEST_SERVER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <sys/types.h>

struct server {
    pid_t pid; /* 0 while it does not run */
    char folder[64];
    char socket[96];
    char url[112];         /* unix://... or rediss://... */
    char tls_port[8];      /* "" without TLS */
    char trusted[128];     /* with TLS: what was trusted before, "" for nothing of one's own */
    redisContext *context; /* for server_ask(); made when needed */
    pid_t context_owner;
};

/* Starts it and waits until it answers. extra: further arguments, ended by NULL; may be NULL. Fails the test, or the
 * whole run, when that cannot be. */
void server_start(struct server *server, const char *const *extra);
/* Ends it (SIGKILL) and waits; the folder stays, and server_start_again() takes up there, with nothing in memory. */
void server_kill(struct server *server);
void server_start_again(struct server *server, const char *const *extra);
/* Ends it and removes the folder. */
void server_stop(struct server *server);

/* A TCP port of 127.0.0.1 that nobody listens on. Until this process ends it is given to nobody else, neither by this
 * nor by the system. */
unsigned server_free_port(void);
/* The same with a port that was chosen, or with 0 for any; false when somebody has it. */
bool server_hold_port(unsigned *port);

/* A connection of the test's own; the caller frees it. */
redisContext *server_connect(const struct server *server);

/* Asks over a connection of the test's own, and waits for the answer; the caller frees the reply. Error replies are
 * replies. Must be closed by server_forget() before descriptors are compared. */
redisReply *server_ask(struct server *server, const char *format, ...);
/* The same, and the reply is what is expected: "OK", an integer as text, or "(nil)". */
void server_expect(struct server *server, const char *expected, const char *format, ...);
long long server_integer(struct server *server, const char *format, ...);
/* A string reply, copied to out; false when it is nil. */
bool server_text(struct server *server, char *out, size_t size, const char *format, ...);
void server_forget(struct server *server);

#endif
