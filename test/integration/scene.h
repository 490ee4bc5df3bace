/* SPDX-License-Identifier: MIT */
/*
 * The scene of tests on a real Redis: one server and one loop that the tests of a program share, emptied before each
 * test; and what tests write to the registry and read from it beside the library.
 */
#ifndef NETRON_TEST_SCENE_H
#define NETRON_TEST_SCENE_H

#include "recorders.h"
#include "server.h"
#include "suite.h"
#include "world.h"

#define PREFIX "netron:discovery"

struct scene {
    struct server server;
    struct world world;
};
extern struct scene scene;

/* A test case on the shared server and loop. */
TCase *scene_case(Suite *suite, const char *name);

/* The library's defaults on the shared server, but for beats, which are too rare to meddle with a test, and quicker
 * reconnects. */
netron_options scene_options(void);
/* A discovery that is connected; the test frees it. */
netron_discovery *scene_join(const netron_options *options);
/* A node that Redis has confirmed. Its services are up to two, NULL for none. */
netron_registration *scene_enrol(netron_discovery *discovery, const char *id, const char *address, const char *name_1,
                                 const char *version_1, const char *name_2, const char *version_2);
netron_stats scene_stats(const netron_discovery *discovery);

/* A lookup that must end with code 0, awaited: "id address name@version; ..." Valid until the next one. name NULL: all
 * active nodes. */
const char *scene_find(netron_discovery *discovery, const char *name, const char *version);
bool scene_is_active(netron_discovery *discovery, const char *id);
#define EXPECT_FOUND(discovery, name, version, expected)                                                               \
    ck_assert_str_eq(scene_find((discovery), (name), (version)), (expected))

/* What a node of the original implementation writes. services is a JSON array. */
void scene_store_original(const char *id, const char *address, const char *services);

/* The same, and tells the channel so: type is "NODE_REGISTERED" or "NODE_UPDATED". */
void scene_tell_original(const char *type, const char *id, const char *address, const char *services);
/* Deletes the keys and tells, as the original leaves. */
void scene_original_leaves(const char *id);

/* A change of the registry by the library's own script, published: the node is at that address now, without services.
 */
void scene_change(struct server *server, const char *id, const char *address);

/* Subscribes, and awaits the end of the first picture. */
void scene_listen(netron_discovery *discovery, struct event_recorder *recorder);

/* Many nodes at once, ids prefix00000 and so on: by the library's own script, or as the original writes them. */
void scene_fill(const char *id_prefix, int count, const char *services);
void scene_fill_originals(const char *id_prefix, int count, const char *services);

/* How often Redis was asked for that command, also by scripts, since it runs. name in small letters. */
long long scene_calls(const char *name);

/* A text that differs when any key or value in Redis does; lifetimes do not count. Valid until the second next call. */
const char *scene_picture(void);

#endif
