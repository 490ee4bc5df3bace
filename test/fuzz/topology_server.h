/* SPDX-License-Identifier: MIT */
/*
 * What stands at the other end of a client that has to find its server: two servers, one of which is the primary, and
 * three sentinels. In a cluster the servers are its nodes, and the others are in none. Both servers know the same
 * registry, as if replication took no time.
 */
#ifndef NETRON_TEST_FUZZ_TOPOLOGY_SERVER_H
#define NETRON_TEST_FUZZ_TOPOLOGY_SERVER_H

#include "client.h"

void topology_open(bool is_cluster);
bool topology_has_room(void); /* for the connections of one more step */
/* Bytes that nobody asked for, on one of the latest connections of a peer. */
void topology_send(uint8_t to, struct input bytes);
/* A sentinel tells of another primary: the right one, or whatever the input makes of it. */
void topology_announce(uint8_t how, struct input bytes);
/* The other server becomes the primary, and the connections of the one that was may end. */
void topology_switch(uint8_t how);
/* A peer, or all of them: connections end, it listens or not, it answers or not. */
void topology_go_away(uint8_t how);

#endif
