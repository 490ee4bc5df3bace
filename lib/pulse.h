/* SPDX-License-Identifier: MIT */
/* Whether the other end of a connection lives: one that was silent for an interval is asked, and one that is silent for
 * a further interval is dead. Traffic counts as an answer, so a node that beats sends no ping. */
#ifndef NETRON_LIB_PULSE_H
#define NETRON_LIB_PULSE_H

#include "conn.h"

struct netron_pulse {
    uint64_t pinged_at; /* 0 = no ping is unanswered; to be set when the connection is made */
};

/* Looks after the connection. Returns in how many ms to look again, or UINT64_MAX: it ends, with NETRON_ETIMEDOUT and
 * a sentence that says who did not answer. */
uint64_t netron_pulse_check(struct netron_pulse *pulse, struct netron_conn *conn, uint32_t interval_ms, uint64_t now,
                            const char *who);

#endif
