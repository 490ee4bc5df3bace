/* SPDX-License-Identifier: MIT */
/* Scripted sentinels, and the Redis that they name, on the fake loop. */
#ifndef NETRON_TEST_SENTINEL_STAND_H
#define NETRON_TEST_SENTINEL_STAND_H

#include "sim.h"

#define STAND_SENTINELS 3
#define STAND_REDISES 2
#define STAND_SHARE_MS 1250u /* of three sentinels and Redis, of the default connect_timeout_ms */

struct stand {
    struct peer sentinel[STAND_SENTINELS];
    struct peer redis[STAND_REDISES];
    int named[STAND_SENTINELS]; /* the number of the Redis that it names; -1: it knows no such primary */
    bool is_silent[STAND_SENTINELS];
    const char *answer[STAND_SENTINELS]; /* instead, to the question; NULL: as it should be */
    bool is_replica[STAND_REDISES];
    char url[256];
};
extern struct stand stand;

/* On what sim_open() made; the discovery may live on. All name the first Redis, which is the primary, by the name
 * "main".
 */
void stand_open(void);
void stand_close(void);
/* With both, in place of sim's fixtures. */
TCase *stand_case(Suite *suite, const char *name);

/* What such a peer says; for a test that says something else to one of the commands. */
const char *stand_sentinel(struct peer *peer, const struct peer_command *command);
const char *stand_redis(struct peer *peer, const struct peer_command *command);

/* How often the sentinel of that number was asked, and how many of its connections are open. */
size_t stand_questions(int sentinel);
int stand_open_conns(const struct peer *peer);

/* The sentinel tells whoever watches it that the primary of that name is the Redis of that number now. */
void stand_tell(int sentinel, const char *payload);
void stand_switch(int sentinel, const char *name, int redis);

#endif
