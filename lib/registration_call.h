/* SPDX-License-Identifier: MIT */
/* What a registration sends: beats, and calls of the scripts, with what they are made of. */
#ifndef NETRON_LIB_REGISTRATION_CALL_H
#define NETRON_LIB_REGISTRATION_CALL_H

#include "registration_life.h"

/* Each marks what it sends as in flight. Returns 0, or a code and nothing was sent. */
int netron_registration_send_beat(netron_registration *registration, netron_reply_fn fn);
int netron_registration_send_register(netron_registration *registration, netron_reply_fn fn);
int netron_registration_send_deregister(netron_registration *registration, netron_reply_fn fn);

/* The answer to a register: when the record that ours replaced was signed later than ours, by its clock, ours counts as
 * the older one to whoever knows both. Then it is signed anew, and to be sent again. */
void netron_registration_outrank(netron_registration *registration, const struct netron_reply *answer);

#endif
