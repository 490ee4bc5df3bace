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

uint8_t input_byte(struct input *input);                      /* 0 behind the end */
unsigned input_number(struct input *input);                   /* of two bytes */
struct input input_slice(struct input *input, size_t length); /* no more than there is */

/* ---- the server ---- */

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
    SERVER_QUESTIONS
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
    DISTURBANCES
};

struct disturbance {
    enum server_question question;
    unsigned skip; /* so many of them are answered well before */
    unsigned uses; /* and so many are disturbed */
    enum disturbance_kind kind;
    struct input bytes;
};

void server_begin(void);
void server_disturb(const struct disturbance *disturbance);
void server_calm(void);  /* from now on it answers well */
void server_flush(void); /* what was halved is sent */
void server_send(bool to_events, struct input bytes);
void server_send_event(struct input bytes, bool is_mutated, const char *id);
void server_hang_up(unsigned which);
void server_take_over(unsigned which); /* another process owns the node, or nobody */
void server_set_reconciled(long long wait, long long held, long long unjudged);
void server_set_unadopted(unsigned count);
bool server_has_forged(void); /* something that is no registry's was said: what a view holds proves nothing */

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
