/* SPDX-License-Identifier: MIT */
/* What tests of a failing server begin with: a node of ours, and a watcher whom nothing may be told that is not so. */
#ifndef NETRON_TEST_WATCHED_H
#define NETRON_TEST_WATCHED_H

#include "stage.h"

static struct state_recorder states; /* of the node */
static struct link_recorder links;   /* of its discovery */
static struct event_recorder heard;  /* by the watcher */
static netron_discovery *watcher;

static inline void open_watched(const char *const *extra)
{
    server_start(&server, extra);
    open_world();
    options.on_link = record_link;
    options.on_link_arg = &links;
}

static inline void close_watched(void)
{
    netron_discovery_free(watcher);
    close_alone();
}

static inline netron_view_status watchers_view(void)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(watcher, &status), 0);
    return status;
}

static inline bool is_fresh(void)
{
    netron_view_status status = watchers_view();
    return status.state == NETRON_VIEW_FRESH && status.node_count == 1;
}

static inline netron_registration *begin_watched(void)
{
    netron_registration *registration = begin_registered(&states);
    states.discovery = discovery;
    netron_options of_watcher = options;
    of_watcher.on_link = NULL;
    watcher = world_join(&world, &of_watcher);
    ck_assert_int_eq(netron_subscribe_to_events(watcher, record_event, &heard, NULL), 0);
    AWAIT(&world, heard.synced == 1 && is_fresh());
    ck_assert_int_eq(heard.count, 1);
    return registration;
}

/* The same, and the watcher has been there for long enough to think somebody dead. */
static inline netron_registration *begin_judged(void)
{
    netron_registration *registration = begin_watched();
    world_run(&world, options.heartbeat_ttl_ms + 300);
    return registration;
}

static inline void expect_nothing_told(void)
{
    ck_assert_msg(heard.count == 1, "told: %s", heard.events[heard.count - 1].text);
}

#define AWAIT_ALL_WELL() AWAIT(&world, latest_state(&states) == NETRON_REGISTERED && is_fresh())

/* All is well again, and stays so until whoever was thought dead would have been told as such. */
static inline void expect_nothing_told_later(void)
{
    AWAIT_ALL_WELL();
    world_run(&world, options.heartbeat_ttl_ms * 3 / 2);
    ck_assert_int_eq(latest_state(&states), NETRON_REGISTERED);
    ck_assert(is_fresh());
    expect_nothing_told();
    ck_assert(digest_is_right(&server));
}

/* ---- a command that nobody waits for ---- */

static redisContext *said;

static inline void say(const char *format, const char *argument)
{
    int is_written = 0;
    said = server_connect(&server);
    ck_assert(said != NULL && said->err == 0);
    redisAppendCommand(said, format, argument);
    while (!is_written)
        ck_assert_int_eq(redisBufferWrite(said, &is_written), REDIS_OK);
}

static inline void await_answer(void)
{
    void *reply = NULL;
    ck_assert_int_eq(redisGetReply(said, &reply), REDIS_OK);
    freeReplyObject(reply);
    redisFree(said);
}

#endif
