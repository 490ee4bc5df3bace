/* SPDX-License-Identifier: MIT */
/*
 * A whole client between two hands of the fuzzer: a server that answers whatever the input says, and a user who calls
 * whatever the input says, also from inside callbacks. The input is a program; see fuzz_client.c.
 */
#ifndef NETRON_TEST_FUZZ_CLIENT_H
#define NETRON_TEST_FUZZ_CLIENT_H

#include "answer.h"
#include "fuzz.h"
#include "registry.h"

/* ---- the program ---- */

struct input {
    const uint8_t *at;
    const uint8_t *end;
};

void program_begin(void);
uint8_t input_byte(struct input *input);                      /* 0 behind the end */
unsigned input_number(struct input *input);                   /* of two bytes */
struct input input_slice(struct input *input, size_t length); /* no more than there is */
bool input_holds(struct input input, const char *text);

const char *program_id(uint8_t number, char id[8]); /* of one of the user's nodes, or of another's */
void program_change_registry(struct input *input);
void program_disturb(struct input *input, unsigned questions, unsigned kinds);
void program_stall_or_refuse(struct input *input);
void program_pass_time(uint64_t ms); /* as long as there is time left */

/* ---- disturbances ---- */

/* Which commands a disturbance is for. */
enum server_question {
    QUESTION_ANY,
    QUESTION_SYNC,
    QUESTION_NUMBERS,
    QUESTION_PAGE,
    QUESTION_RECONCILE,
    QUESTION_REGISTER,
    QUESTION_DEREGISTER,
    QUESTION_BEAT,
    QUESTION_LOOKUP,
    QUESTION_GREETING,
    QUESTION_SUBSCRIBE,
    QUESTION_PING,
    SERVER_QUESTIONS,
    /* Where there are several servers. */
    QUESTION_ADDRESS = SERVER_QUESTIONS, /* to a sentinel */
    QUESTION_WATCH,                      /* to a sentinel: SUBSCRIBE */
    QUESTION_ROLE,
    QUESTION_SLOTS,
    QUESTION_ASKING,
    TOPOLOGY_QUESTIONS
};

enum disturbance_kind {
    WITHHELD, /* no answer */
    INSTEAD,  /* the bytes of the input */
    HOSTILE,  /* one of hostile_answers */
    MUTATED,  /* the right answer, edited as the input says */
    DOUBLED,  /* the right answer, twice */
    ECHOED,   /* an error that repeats the command */
    HALVED,   /* the right answer, its rest later */
    CUT_OFF,  /* the right answer, and the connection ends */
    DISTURBANCES,
    /* Where there are several servers. */
    ELSEWHERE = DISTURBANCES, /* another server is named, by MOVED or ASK, or where the answer names one */
    TOPOLOGY_DISTURBANCES
};

struct disturbance {
    enum server_question question;
    unsigned skip; /* so many of them are answered well before */
    unsigned uses; /* and so many are disturbed */
    enum disturbance_kind kind;
    struct input bytes;
};

void disturbances_begin(void);
void disturbances_clear(void);
void disturbance_add(const struct disturbance *disturbance);
/* The one that is for such a question, if any; it is used up by that. */
bool disturbance_take(enum server_question question, struct disturbance *out);
void disturbance_apply(const struct disturbance *disturbance, struct peer *peer, const struct peer_command *command,
                       struct answer *answer);
void disturbance_flush(void); /* what was halved is sent */
void disturbance_flush_before(const struct peer *peer, int conn);
/* Something that is no registry's was said: what a view holds proves nothing. */
void disturbance_forge(void);
bool disturbance_has_forged(void);

bool conn_is_open(const struct peer *peer, int conn);

/* ---- what a Redis says that nobody disturbs ---- */

void redis_begin(void);
void redis_calm(void);
void redis_watch(const struct peer_command *command); /* nothing is said that must not be */
enum server_question redis_question(const struct peer_command *command);
void redis_answer(struct peer *peer, const struct peer_command *command, bool is_subscribed, struct answer *answer);
void redis_take_over(unsigned which); /* another process owns the node, or nobody */
void redis_set_reconciled(long long wait, long long held, long long unjudged);

/* ---- the server, or the servers ---- */

#define URL_SIZE 256

void server_begin(void);
void server_calm(void); /* from now on it answers well */
/* Where the next discovery finds it, and what else of the options follows from that. */
void server_set_place(uint8_t flags, char url[URL_SIZE]);

/* ---- the one server ---- */

void server_send(bool to_events, struct input bytes);
void server_send_event(struct input bytes, bool is_mutated, const char *id);
void server_hang_up(unsigned which);

/* Edits a text of RESP; returns the new length, at most room. */
size_t mutate(char *text, size_t length, size_t room, struct input edits);

/* ---- the user ---- */

#define USER_IDS 4

void user_begin(struct input *input); /* options, and a discovery */
void user_act(struct input *input);   /* one call */
void user_plan(struct input actions); /* calls to be made inside the next callbacks */
void user_end(void);                  /* frees everything, and looks that everything has ended */
void user_expect_recovery(void);      /* after a minute with a server that answers well */
bool user_may_leave(const char *id);  /* whether the user asked for it */
bool user_exists(void);

#endif
