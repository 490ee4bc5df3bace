/* SPDX-License-Identifier: MIT */
/*
 * A small registry behind the scripted peer: records with tags, changes with tombstones, a digest. It answers what a
 * view asks as Redis does, in pages as small as a test wants, and wrongly where a test wants that.
 */
#ifndef NETRON_TEST_REGISTRY_H
#define NETRON_TEST_REGISTRY_H

#include "answer.h"
#include "sim.h"

#define REGISTRY_NODES_MAX 64

enum registry_question { ASKED_SYNC, ASKED_NUMBERS, ASKED_PAGE, ASKED_RECONCILE, QUESTIONS };

struct registry_node {
    char id[16];
    unsigned port;     /* its address is 10.0.0.1:port; 0 = it has left, and this is its tombstone */
    uint32_t ttl_ms;   /* 0 = the default */
    bool is_garbage;   /* its record cannot be read, but for its tag */
    bool was_there;    /* before its latest change */
    uint64_t revision; /* of its latest change */
    uint64_t tag;
};

struct registry {
    char epoch[16]; /* "" = there is none */
    uint64_t revision;
    uint64_t floor;
    struct registry_node nodes[REGISTRY_NODES_MAX];
    size_t count;
    size_t page;        /* records in a page of HSCAN; 0 = all */
    size_t delta_page;  /* changes in a reply; 0 = as many as are asked for */
    unsigned unadopted; /* so many nodes stand in the index that nobody looks after */
    int lies;           /* so many digests are told wrong; -1 = all */

    /* Writes the members of a node's record, without braces; NULL = the usual ones, which are not signed. */
    void (*write)(char *text, size_t size, const struct registry_node *node, unsigned port);

    size_t asked[QUESTIONS];
    /* Called before a question is answered; number counts those of its kind, from 0. What it returns is the answer, ""
     * for none yet, NULL for the usual one. */
    const char *(*interrupt)(enum registry_question question, size_t number);
    const char *reconciled; /* the answer to reconcile; NULL = nothing is due for 5 s */
};

extern struct registry registry;

void registry_open(void); /* empty, epoch e1, and the peer answers from it */
/* Enters a node, or changes it. */
void registry_put(const char *id, unsigned port);
void registry_put_many(int count); /* n00, n01 ... at port 10 */
void registry_put_with_ttl(const char *id, unsigned port, uint32_t ttl_ms);
void registry_garble(const char *id);
void registry_remove(const char *id);
/* Everything is lost; "" = also that there was a registry. */
void registry_flush(const char *epoch);
const char *registry_answer(struct peer *peer, const struct peer_command *command);
/* What a lookup asks, and SCRIPT LOAD; false when the command is none of these. Of the nodes every fourth is one of the
 * original's, whose heartbeat is not the record's. */
bool registry_answer_lookup(const struct peer_command *command, struct answer *answer);

/* The line of a node that is there. Valid until the next call. */
const char *registry_record(const struct registry_node *node);
/* The event of the id's latest change, as the library publishes it. Valid until the next call. */
const char *registry_event(const char *id);
/* Sends a message over the latest events link, without letting the library work. */
void registry_send(const char *payload);
void registry_publish(const char *id); /* its event; and settles */

/* "a:1 b:2": ids and ports in order of the ids. Valid until the next call. */
const char *registry_picture(void);
const char *registry_view(void); /* the same of what the discovery's view holds */

/* A discovery with a view on it, which is told to registry_heard. */
extern struct event_recorder registry_heard;
void registry_subscribe(void);
netron_view_status registry_status(void);
int registry_commands_conn(void);
int registry_events_conn(void);

#endif
