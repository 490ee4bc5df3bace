/* SPDX-License-Identifier: MIT */
/*
 * A scripted other end: a listening socket that reads the library's commands, notes each with the moment of the
 * clock, and answers what the test's function or story says. It is no Redis and pretends to none: it says what a Redis
 * says at a moment that a test needs. On the fake loop that moment is one of the virtual clock, to the millisecond; in
 * a world, of the real one.
 */
#ifndef NETRON_TEST_PEER_H
#define NETRON_TEST_PEER_H

#include "fake_loop.h"
#include "world.h"

#define PEER_CONNS_MAX 256
#define PEER_COMMANDS_MAX 4096

struct peer;

struct peer_command {
    uint64_t at;
    int conn;
    char text[1024];   /* the words, parted by blanks */
    const void *words; /* the redisReply of them, while it is being answered */
};

/* The answer as RESP, "" for none yet. It may be built in peer->scratch. */
typedef const char *(*peer_answer_fn)(struct peer *peer, const struct peer_command *command);

/* One step of a story: the command that it waits for, by its beginning, and what that leads to. */
struct peer_step {
    const char *command;
    const char *answer;                                 /* NULL: as a healthy Redis; "" for none */
    enum { PEER_GO_ON, PEER_STALL, PEER_HANG_UP } then; /* it says nothing more on this connection; it closes it */
};

struct peer {
    struct fake_loop *loop; /* one of these two */
    struct world *world;
    struct peer *next; /* works whenever this one does */
    size_t watched;    /* of its descriptors, in the turn under way */
    uint16_t port;     /* of 127.0.0.1; 0: it listens on a Unix socket */
    char folder[64];
    char path[96];
    char url[112];
    int listener;
    int reserve;               /* holds the port */
    int conns[PEER_CONNS_MAX]; /* -1 when closed */
    void *readers[PEER_CONNS_MAX];
    int conn_count; /* accepted so far; the latest is conn_count - 1 */
    uint64_t accepted_at[PEER_CONNS_MAX];
    struct peer_command *commands;
    size_t command_count;
    peer_answer_fn answer;
    char scratch[2048];
    char incarnation[64]; /* of the last register */
    bool has_node;
    /* The registry that a view finds: these numbers, and no records. */
    const char *epoch;
    uint64_t revision;
    uint64_t digest;
    const struct peer_step *story; /* for peer_answer_story(): what comes next */
    size_t steps;                  /* left */
    bool is_stalled[PEER_CONNS_MAX];
    const char *greeting; /* said to whoever connects, before he asks; NULL = nothing */
    const char *refused;  /* for peer_answer_refusal(): the beginning of the command, and what is said to it */
    const char *refusal;
};

void peer_open(struct peer *peer, struct fake_loop *loop);
void peer_open_in_world(struct peer *peer, struct world *world);
/* One more, on a TCP port; to be closed before the first. */
void peer_open_beside(struct peer *peer, struct peer *first);
void peer_close(struct peer *peer);
/* As if it were opened anew, for what opens it very often. It keeps its folder, and listens there. */
void peer_renew(struct peer *peer);

/* What a healthy Redis with one node says to the handshake, register, deregister, GETEX, GET, PING, SUBSCRIBE. */
const char *peer_answer_well(struct peer *peer, const struct peer_command *command);
/* The same, but for one command. */
const char *peer_answer_refusal(struct peer *peer, const struct peer_command *command);
/* What the next step of the story says, when it is its command; and else what a healthy Redis says. */
const char *peer_answer_story(struct peer *peer, const struct peer_command *command);
void peer_tell_story(struct peer *peer, const struct peer_step *story, size_t steps);
/* Nothing, ever. */
const char *peer_answer_nothing(struct peer *peer, const struct peer_command *command);
/* Formats into peer->scratch. */
const char *peer_say(struct peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool peer_is(const struct peer_command *command, const char *beginning);
bool peer_is_register(const struct peer_command *command);
bool peer_is_deregister(const struct peer_command *command);
bool peer_is_sync(const struct peer_command *command);
bool peer_is_reconcile(const struct peer_command *command);
bool peer_is_handshake(const struct peer_command *command);

/* The words of a command that is being answered; "" behind the last. */
size_t peer_word_count(const struct peer_command *command);
const char *peer_word(const struct peer_command *command, size_t position);
/* What of a text follows its beginning; "" when it begins otherwise. */
const char *peer_behind(const char *text, const char *beginning);

/* Among the commands that begin so: how many there were, and the one of that position (negative: from the end). */
size_t peer_count(const struct peer *peer, const char *beginning);
const struct peer_command *peer_find(const struct peer *peer, const char *beginning, int position);

/* Sends raw bytes on a connection; closes one, or all; stops and begins listening. */
void peer_send(struct peer *peer, int conn, const char *bytes, size_t length);
void peer_hang_up(struct peer *peer, int conn);
void peer_hang_up_all(struct peer *peer);
void peer_stop_listening(struct peer *peer);
void peer_listen(struct peer *peer);

#endif
