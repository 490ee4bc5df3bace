/* SPDX-License-Identifier: MIT */
/* What the user of a fuzzed client holds: everything that was got from the library, and what it promised. */
#ifndef NETRON_TEST_FUZZ_CLIENT_USER_H
#define NETRON_TEST_FUZZ_CLIENT_USER_H

#include "client.h"

#define CALLS_MAX 256
#define HANDLES_MAX 32
#define HELD_MAX 8

/* A callback that the library owes: it comes exactly once, and not before the call has returned. */
struct call {
    unsigned generation; /* of the discovery */
    bool is_accepted;
    bool is_done;
};

/* A registration or a subscription. After it was freed nothing is told of it. */
struct handle {
    unsigned generation;
    void *object;
    bool is_freed;
    unsigned id;
};

/* Something that must not change for as long as it is held. */
struct held {
    const void *object;
    uint32_t sum;
};

struct user {
    netron_discovery *discovery;
    unsigned generation; /* counts discoveries, from 1 */
    unsigned ended;      /* those up to this one have been freed */
    bool is_freeing;
    bool is_leaving;
    bool may_leave[USER_IDS];
    bool is_link_up[3];
    bool says_secret; /* the input itself holds the password: it may be quoted */
    struct input plan;
    unsigned depth; /* of calls inside callbacks */

    struct call calls[CALLS_MAX];
    size_t call_count;
    struct handle registrations[HANDLES_MAX];
    size_t registration_count;
    struct handle subscriptions[HANDLES_MAX];
    size_t subscription_count;
    netron_picker *picker;
    unsigned picker_generation; /* of its discovery: when that is gone it picks no more */
    struct held picks[HELD_MAX];
    netron_picker *picked_from;
    struct held snapshots[HELD_MAX];
};

extern struct user user;

#define SECRET "sesame-7531"

void user_on_link(netron_discovery *discovery, netron_link_role role, int code, const char *sentence, void *arg);
void user_on_log(netron_log_level level, const char *line, void *arg);
/* Reads every byte of it. */
uint32_t user_sum_node(const netron_node *node);
uint32_t user_sum_snapshot(const netron_snapshot *snapshot);
void user_expect_sentence(const char *sentence);
/* The next planned call, from inside a callback. */
void user_react(void);
void user_free_discovery(void);
void user_release(void); /* what is held beyond the discovery */

#endif
