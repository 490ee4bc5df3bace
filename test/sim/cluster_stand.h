/* SPDX-License-Identifier: MIT */
/* Two scripted nodes of a cluster, on the fake loop. */
#ifndef NETRON_TEST_CLUSTER_STAND_H
#define NETRON_TEST_CLUSTER_STAND_H

#include "sim.h"

#define NODES 2
#define SLOT 3714 /* of {netron:discovery} */

struct cluster_node_says {
    const char *slots; /* the answer to CLUSTER SLOTS, instead of the right one */
    const char *beat;  /* to GETEX and GET, likewise */
    const char *hello; /* to HELLO */
    bool is_silent;    /* it answers nothing */
};
extern struct peer node[NODES];
extern struct cluster_node_says says[NODES];
extern int primary; /* the number of the node that serves the slot */

/* On what sim_open() made; the discovery may live on. */
void cluster_stand_open(void);
void cluster_stand_close(void);
/* With both, in place of sim's fixtures. */
TCase *cluster_stand_case(Suite *suite, const char *name);
/* How often the nodes were asked for their slots. */
size_t cluster_stand_questions(void);

/* "-MOVED 3714 127.0.0.1:..." to that node. */
const char *redirection(char *text, size_t size, const char *word, size_t to);

#endif
