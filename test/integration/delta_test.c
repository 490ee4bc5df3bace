/* SPDX-License-Identifier: MIT */
/* A view over ten thousand nodes that missed something: it fetches what it missed and no more, as long as history is
 * the one that it knows, and everything when it is not. */
#include "record.h"
#include "scene.h"
#include "script_sources.h"
#include "spy.h"
#include "tally.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES 10000
#define CHANNEL PREFIX ":events"
#define SERVICES "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]"
#define FEW_BYTES 5000 /* what a few answers are less than; ten thousand records are a million and more */

static struct tally heard;
static netron_discovery *watcher;

/* ---- changes, by whoever it may be ---- */

static redisContext *begin_pipeline(void)
{
    redisContext *context = server_connect(&scene.server);
    ck_assert(context != NULL && context->err == 0);
    return context;
}

static void end_pipeline(redisContext *context, int count)
{
    for (int i = 0; i < count; i++) {
        void *reply = NULL;
        ck_assert_int_eq(redisGetReply(context, &reply), REDIS_OK);
        ck_assert_msg(((redisReply *)reply)->type != REDIS_REPLY_ERROR, "%s", ((redisReply *)reply)->str);
        freeReplyObject(reply);
    }
    redisFree(context);
}

static void append_register(redisContext *context, const char *id, const char *address, const char *channel)
{
    char body[512];
    snprintf(body, sizeof(body), "{\"nodeId\":\"%s\",\"address\":\"%s\",\"services\":" SERVICES ",\"ttl\":60000}", id,
             address);
    redisAppendCommand(context,
                       "EVALSHA %s 1 " PREFIX ":registry %s 0123456789abcdef %012x take-over 60000 %s %s %s %s orders",
                       netron_script_source_register.sha1, id, (unsigned)random(), address, SERVICES, body, channel);
}

static void append_deregister(redisContext *context, const char *id, const char *channel)
{
    redisAppendCommand(context, "EVAL %b 1 " PREFIX ":registry %s %s %s", netron_script_source_deregister.text,
                       netron_script_source_deregister.length, id, "0123456789abcdef", channel);
}

static void enter(const char *id, const char *address, const char *channel)
{
    redisContext *context = begin_pipeline();
    append_register(context, id, address, channel);
    end_pipeline(context, 1);
}

/* One new node, one that changes, one that leaves. */
static void append_three_changes(redisContext *context, const char *channel)
{
    append_register(context, "n10001", "10.0.0.2:80", channel);
    append_register(context, "n00017", "10.0.0.2:80", channel);
    append_deregister(context, "n10000", channel);
}

static void make_three_changes(const char *channel)
{
    redisContext *context = begin_pipeline();
    append_three_changes(context, channel);
    end_pipeline(context, 3);
}

static void expect_three_changes_told(void)
{
    ck_assert_int_eq(tally_of(&heard, NETRON_NODE_REGISTERED, "n10001"), 1);
    ck_assert_int_eq(tally_of(&heard, NETRON_NODE_UPDATED, "n00017"), 1);
    ck_assert_int_eq(tally_of(&heard, NETRON_NODE_DEREGISTERED, "n10000"), 1);
    ck_assert_int_eq(tally_all(&heard), 3);
}

/* ---- the watcher ---- */

static netron_view_status status(void)
{
    netron_view_status status = {.size = sizeof(status)};
    ck_assert_int_eq(netron_view_get_status(watcher, &status), 0);
    return status;
}

static netron_options watcher_options(void)
{
    netron_options options = scene_options();
    options.pubsub_enabled = 1;
    options.anti_entropy_interval_ms = 3600000; /* it is told, or asks for a reason */
    return options;
}

/* NODES + 1 nodes, the last of them able to leave, and a watcher that has told them all. */
static void watch(const netron_options *options)
{
    scene_fill("n", NODES, SERVICES);
    enter("n10000", "10.0.0.1:80", "");
    watcher = scene_join(options);
    ck_assert_int_eq(netron_subscribe_to_events(watcher, tally_event, &heard, NULL), 0);
    AWAIT(&scene.world, heard.synced == 1);
    ck_assert_int_eq(heard.count[NETRON_NODE_REGISTERED], NODES + 1);
    ck_assert_int_eq(tally_most(&heard, NETRON_NODE_REGISTERED), 1);
    tally_clear(&heard);
}

/* Record for record what stands in Redis. */
static void expect_exact_picture(void)
{
    redisReply *records = server_ask(&scene.server, "HGETALL " PREFIX ":records");
    ck_assert_uint_eq(status().node_count, records->elements / 2);
    for (size_t i = 0; i + 1 < records->elements; i += 2) {
        const redisReply *id = records->element[i];
        const redisReply *line = records->element[i + 1];
        struct netron_record record;
        struct netron_failure why;
        ck_assert_int_eq(netron_record_parse(line->str, line->len, id->str, &record, &why), 0);
        const netron_snapshot *held = netron_view_node(watcher, id->str);
        ck_assert_msg(held->count == 1 && strcmp(held->nodes[0]->address, record.node->address) == 0 &&
                          held->nodes[0]->timestamp_ms == record.node->timestamp_ms,
                      "%s is not as it is in Redis", id->str);
        netron_snapshot_release(held);
        netron_record_clear(&record);
    }
    freeReplyObject(records);
    ck_assert(digest_is_right(&scene.server));
}

/* What Redis has sent since it runs. */
static long long bytes_sent(void)
{
    char stats[16384];
    long long bytes = -1;
    ck_assert(server_text(&scene.server, stats, sizeof(stats), "INFO stats"));
    ck_assert_int_eq(sscanf(strstr(stats, "total_net_output_bytes:"), "total_net_output_bytes:%lld", &bytes), 1);
    return bytes;
}

/* ---- history goes on ---- */

START_TEST(after_a_cut_of_the_events_link_only_what_changed_meanwhile_travels)
{
    const netron_options options = watcher_options();
    watch(&options);
    netron_view_status before = status();
    long long scans = scene_calls("hscan");
    long long bytes = bytes_sent();
    /* In one pipeline: the link is cut and has no time to come back before the changes. */
    redisContext *context = begin_pipeline();
    redisAppendCommand(context, "CLIENT KILL TYPE pubsub");
    append_three_changes(context, CHANNEL);
    end_pipeline(context, 4);
    AWAIT(&scene.world, tally_all(&heard) >= 3 && status().state == NETRON_VIEW_FRESH);
    bytes = bytes_sent() - bytes;
    fprintf(stderr, "# three changes of %d nodes: Redis sent %lld bytes\n", NODES, bytes);
    expect_three_changes_told();
    ck_assert_uint_eq(status().full_syncs, before.full_syncs);
    ck_assert_uint_eq(status().syncs, before.syncs + 1);
    ck_assert_int_eq((int)(scene_calls("hscan") - scans), 0);
    ck_assert_int_lt((int)bytes, FEW_BYTES);
    expect_exact_picture();
    netron_discovery_free(watcher);
}
END_TEST

START_TEST(changes_that_nobody_published_are_found_at_the_next_anti_entropy_look)
{
    netron_options options = watcher_options();
    options.anti_entropy_interval_ms = 200;
    watch(&options);
    netron_view_status before = status();
    make_three_changes("");
    AWAIT(&scene.world, tally_all(&heard) >= 3);
    expect_three_changes_told();
    ck_assert_uint_eq(status().full_syncs, before.full_syncs);
    expect_exact_picture();
    netron_discovery_free(watcher);
}
END_TEST

START_TEST(an_event_of_a_later_revision_brings_those_that_were_lost_on_the_way)
{
    const netron_options options = watcher_options();
    watch(&options);
    netron_view_status before = status();
    make_three_changes("");
    enter("n10002", "10.0.0.2:80", CHANNEL);
    AWAIT(&scene.world, tally_all(&heard) >= 4);
    ck_assert_int_eq(tally_of(&heard, NETRON_NODE_REGISTERED, "n10002"), 1);
    ck_assert_int_eq(tally_all(&heard), 4);
    ck_assert_int_eq(tally_most(&heard, NETRON_NODE_REGISTERED), 1);
    ck_assert_uint_eq(status().full_syncs, before.full_syncs);
    ck_assert_uint_eq(status().syncs, before.syncs + 1);
    ck_assert_uint_eq(status().revision, before.revision + 4);
    expect_exact_picture();
    netron_discovery_free(watcher);
}
END_TEST

START_TEST(events_that_come_twice_or_in_another_order_are_told_once_and_nothing_is_asked_for_them)
{
    static struct spy spy;
    const netron_options options = watcher_options();
    watch(&options);
    spy_watch_events(&spy, &scene.server);
    make_three_changes(CHANNEL);
    AWAIT(&scene.world, tally_all(&heard) >= 3);
    netron_view_status before = status();
    spy_collect(&spy);
    ck_assert_int_eq(spy.count, 3);
    for (int i = 0; i < 6; i++)
        server_expect(&scene.server, "2", "PUBLISH " CHANNEL " %s", spy.line[(5 - i) % 3]);
    enter("n10002", "10.0.0.2:80", CHANNEL); /* what is heard after them */
    AWAIT(&scene.world, tally_of(&heard, NETRON_NODE_REGISTERED, "n10002") == 1);
    ck_assert_int_eq(tally_all(&heard), 4);
    ck_assert_uint_eq(status().syncs, before.syncs);
    ck_assert_uint_eq(status().full_syncs, before.full_syncs);
    spy_close(&spy);
    expect_exact_picture();
    netron_discovery_free(watcher);
}
END_TEST

START_TEST(an_event_of_a_revision_that_is_not_there_costs_one_look_and_changes_nothing)
{
    const netron_options options = watcher_options();
    char epoch[64];
    watch(&options);
    netron_view_status before = status();
    server_text(&scene.server, epoch, sizeof(epoch), "HGET %s epoch", PREFIX ":registry");
    server_expect(&scene.server, "1", "PUBLISH " CHANNEL " %s%s%s",
                  "{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"n10003\",\"address\":\"h:1\",\"services\":[],"
                  "\"timestamp\":1,\"epoch\":\"",
                  epoch,
                  "\",\"revision\":999999,\"digest\":\"000000000001\",\"tag\":\"000000000001\","
                  "\"incarnation\":\"0123456789abcdef\"}");
    AWAIT(&scene.world, status().syncs > before.syncs && status().state == NETRON_VIEW_FRESH);
    enter("n10002", "10.0.0.2:80", CHANNEL);
    AWAIT(&scene.world, tally_all(&heard) >= 1);
    ck_assert_int_eq(tally_of(&heard, NETRON_NODE_REGISTERED, "n10002"), 1);
    ck_assert_int_eq(tally_all(&heard), 1);
    ck_assert_uint_eq(status().full_syncs, before.full_syncs);
    expect_exact_picture();
    netron_discovery_free(watcher);
}
END_TEST

/* ---- history is written anew ---- */

static const char *const history[] = {":registry", ":records",     ":changes",
                                      ":expiry",   ":index:nodes", ":index:service:orders"};

static void copy_history(const char *from, const char *to)
{
    for (size_t i = 0; i < sizeof(history) / sizeof(history[0]); i++)
        server_expect(&scene.server, "1", "COPY %s%s %s%s REPLACE", from, history[i], to, history[i]);
}

/* As after a failover to a replica that lagged behind: the same epoch, the same revisions, other changes. How the
 * watcher learns of it: it hears the new events (0), it looks by itself (1), its link was cut (2). */
START_TEST(a_history_that_was_rolled_back_and_rewritten_ends_in_the_exact_picture)
{
    netron_options options = watcher_options();
    if (_i == 1)
        options.anti_entropy_interval_ms = 500;
    watch(&options);
    netron_view_status before = status();
    copy_history(PREFIX, "copy");
    make_three_changes(CHANNEL);
    AWAIT(&scene.world, tally_all(&heard) >= 3);
    expect_three_changes_told();
    ck_assert_uint_eq(status().revision, before.revision + 3);
    tally_clear(&heard);

    redisContext *context = begin_pipeline();
    const char *channel = _i == 0 ? CHANNEL : "";
    int commands = 3;
    if (_i == 2) {
        redisAppendCommand(context, "CLIENT KILL TYPE pubsub");
        commands++;
    }
    copy_history("copy", PREFIX);
    append_register(context, "n10002", "10.0.0.3:80", channel);
    append_register(context, "n00018", "10.0.0.3:80", channel);
    append_register(context, "n00019", "10.0.0.3:80", channel);
    end_pipeline(context, commands);
    AWAIT(&scene.world, tally_all(&heard) >= 5);
    ck_assert_int_eq(tally_of(&heard, NETRON_NODE_REGISTERED, "n10000"), 1); /* never left */
    ck_assert_int_eq(tally_of(&heard, NETRON_NODE_UPDATED, "n00017"), 1);    /* back to what it was */
    ck_assert_int_eq(tally_of(&heard, NETRON_NODE_REGISTERED, "n10002"), 1);
    ck_assert_int_eq(tally_of(&heard, NETRON_NODE_UPDATED, "n00018"), 1);
    ck_assert_int_eq(tally_of(&heard, NETRON_NODE_UPDATED, "n00019"), 1);
    /* Who is not in this history may be alive, and enters it again at his next beat: he never was gone. */
    AWAIT(&scene.world, status().state == NETRON_VIEW_PROTECTED && status().revision == before.revision + 3);
    ck_assert_uint_eq(status().kept_count, 1);
    ck_assert_int_eq(tally_all(&heard), 5);
    enter("n10001", "10.0.0.4:80", channel);
    AWAIT(&scene.world, status().state == NETRON_VIEW_FRESH && status().revision == before.revision + 4);
    ck_assert_int_eq(tally_of(&heard, NETRON_NODE_UPDATED, "n10001"), 1);
    ck_assert_int_eq(tally_all(&heard), 6);
    ck_assert_uint_gt(status().full_syncs, before.full_syncs);
    ck_assert_uint_eq(status().faults, 0);
    expect_exact_picture();
    netron_discovery_free(watcher);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delta");
    TCase *tcase = scene_case(suite, "history goes on");
    tcase_add_test(tcase, after_a_cut_of_the_events_link_only_what_changed_meanwhile_travels);
    tcase_add_test(tcase, changes_that_nobody_published_are_found_at_the_next_anti_entropy_look);
    tcase_add_test(tcase, an_event_of_a_later_revision_brings_those_that_were_lost_on_the_way);
    tcase_add_test(tcase, events_that_come_twice_or_in_another_order_are_told_once_and_nothing_is_asked_for_them);
    tcase_add_test(tcase, an_event_of_a_revision_that_is_not_there_costs_one_look_and_changes_nothing);
    tcase = scene_case(suite, "history is written anew");
    tcase_add_loop_test(tcase, a_history_that_was_rolled_back_and_rewritten_ends_in_the_exact_picture, 0, 3);
    return suite_run(suite);
}
