/* SPDX-License-Identifier: MIT */
/* A discovery on the fake loop, with the scripted peer at the other end of its connections. */
#ifndef NETRON_TEST_SIM_H
#define NETRON_TEST_SIM_H

#include "fake_loop.h"
#include "peer.h"
#include "recorders.h"
#include "suite.h"
#include <random.h>

struct sim {
    struct fake_loop loop;
    struct peer peer;
    netron_options options; /* of the next sim_join(): defaults, the peer's URL, recorders for links and log */
    netron_discovery *discovery;
    struct link_recorder links;
    struct log_recorder log;
    struct state_recorder states;
    netron_registration *registration;
    struct netron_random random; /* runs like the library's own, from its beginning */
};

/* There is one for each test; suite_case() with these two fixtures. */
extern struct sim sim;
void sim_open(void);
void sim_close(void); /* frees the discovery, and looks that nothing is left */
TCase *sim_case(Suite *suite, const char *name);

/* Makes the discovery; the connection is made when time passes or the loop settles. */
void sim_join(void);
/* Registers node "n1" at 10.0.0.1:80 with service web 1, telling sim.states. */
void sim_register(void);
/* Both, and the node is registered and the clock where it was. */
void sim_join_and_register(void);
void sim_advance(uint64_t ms);
void sim_settle(void);

/* The library's next random number. Every draw of the library has to be matched by one of the test's. */
uint64_t sim_random(void);

/* When the command of that beginning came, at that position (negative: from the end). */
uint64_t sim_at(const char *beginning, int position);
size_t sim_count(const char *beginning);
size_t sim_registers(void);
size_t sim_deregisters(void);
const struct peer_command *sim_register_command(int position);
bool sim_last_register_has(const char *text);

/* Answers of the peer that let a connection come up: nothing works on it, or nothing is answered on it. */
const char *sim_busy(struct peer *peer, const struct peer_command *command);
const char *sim_silent(struct peer *peer, const struct peer_command *command);
/* Every connection ends, and no other is accepted. */
void sim_redis_goes_away(void);

#endif
