/* SPDX-License-Identifier: MIT */
/*
 * A network that fails at will: a process between the library and a real server, on a TCP port of 127.0.0.1 and on a
 * Unix socket, that does to the bytes on their way what the test says.
 *
 *     library --- TCP or Unix ---> proxy --- Unix ---> redis-server
 *
 * Every order is answered when it has been carried out, so what comes after it in the test happens after it. The
 * process dies with the one that started it.
 *
 * Both links of a discovery greet the server in the same words, so a connection is GREETING until its first command
 * that is no greeting (AUTH, HELLO, SELECT, CLIENT): by SUBSCRIBE it is of the events, by any other of the commands.
 * What holds for its kind holds from that command on.
 */
#ifndef NETRON_TEST_PROXY_H
#define NETRON_TEST_PROXY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proxy {
    pid_t pid;
    int control;
    char folder[64];
    char socket[96];
    char url[64];       /* redis://127.0.0.1:port */
    char unix_url[112]; /* the same by the Unix socket, where a reset is only an end */
    unsigned port;
};

/* Which connections; added up. Those that are made later as well, unless PROXY_PRESENT is added. */
enum proxy_links { PROXY_GREETING = 1, PROXY_COMMANDS = 2, PROXY_EVENTS = 4, PROXY_ALL = 7, PROXY_PRESENT = 8 };

enum proxy_ways { PROXY_TO_SERVER = 1, PROXY_TO_CLIENT = 2, PROXY_BOTH_WAYS = 3 };

enum proxy_end { PROXY_RESET, PROXY_FINISH };

/* upstream: the path of the server's socket. Fails the test, or the whole run, when it cannot be. */
void proxy_start(struct proxy *proxy, const char *upstream);
void proxy_stop(struct proxy *proxy);

/* What becomes of bytes and of the end of a connection; one of these at a time for each link and way.
 * pass: they go through, with all that is still on its way.
 * delay: they go through later by so much.
 * hold: they stay on their way until it is something else, as in a partition that TCP outlives; unless their sender
 *       resets the connection.
 * drop: they are lost, and the end as well. Both ways it is the half-open connection; of those who greet, a server that
 *       accepts and never answers.
 * lose: the next so many are lost, and the rest goes through.
 * drip: so many go through each so many milliseconds.
 * truncate: so many more go through, then both sides are closed. */
void proxy_pass(struct proxy *proxy, unsigned links, unsigned ways);
void proxy_delay(struct proxy *proxy, unsigned links, unsigned ways, unsigned ms);
void proxy_hold(struct proxy *proxy, unsigned links, unsigned ways);
void proxy_drop(struct proxy *proxy, unsigned links, unsigned ways);
void proxy_lose(struct proxy *proxy, unsigned links, unsigned ways, unsigned bytes);
void proxy_drip(struct proxy *proxy, unsigned links, unsigned ways, unsigned bytes, unsigned ms);
void proxy_truncate(struct proxy *proxy, unsigned links, unsigned ways, unsigned bytes);

/* Closes the connections that are there now, on both sides, with what is on its way. */
void proxy_cut(struct proxy *proxy, unsigned links, enum proxy_end how);

/* Sends bytes to the client on each connection that is there: between two replies, or amid the next one. */
void proxy_inject(struct proxy *proxy, unsigned links, const char *bytes, size_t length);
void proxy_inject_amid(struct proxy *proxy, unsigned links, const char *bytes, size_t length);

/* Commands that begin so (their words parted by one blank) do not reach the server and are answered so, in their turn;
 * with answer "" they get none. So often, or with times 0 until proxy_answer_no_more(). The first that fits counts. */
void proxy_answer(struct proxy *proxy, unsigned links, const char *beginning, const char *answer, unsigned times);
void proxy_answer_no_more(struct proxy *proxy);

/* New connections are refused, or accepted again. */
void proxy_refuse(struct proxy *proxy, bool refuse);

/* Everything passes, nothing is answered or refused. */
void proxy_heal(struct proxy *proxy);

struct proxy_counts {
    unsigned made;      /* connections that became such a link, ever */
    unsigned open;      /* of these, whose client is there now */
    uint64_t to_server; /* bytes that went through */
    uint64_t to_client;
    unsigned commands; /* heard */
    unsigned answered; /* in the server's place */
};
/* Of one kind of link. Each connection was greeting once; its bytes and commands count where it was at the time. */
struct proxy_counts proxy_count(struct proxy *proxy, enum proxy_links link);

#endif
