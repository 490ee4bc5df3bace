/* SPDX-License-Identifier: MIT */
/* The view, with the memory running out at each allocation in turn. */
#include "registry.h"
#include "shortage.h"
#include <netron/picker.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 1000

static void run(const struct shortage_story *story, int shortage)
{
    shortage_run(story, (enum shortage)shortage);
}

/* ---- what is told, replayed ---- */

static struct registry_node *place_of(struct registry_node *told, const char *id)
{
    struct registry_node *place = told;
    while (place->id[0] != '\0' && strcmp(place->id, id) != 0)
        place++;
    return place;
}

/* Whether what the subscription heard is a story that makes sense, and ends in what stands in the registry. */
static bool has_heard_it_all(void)
{
    struct registry_node told[REGISTRY_NODES_MAX] = {0};
    size_t held = 0, standing = 0;
    for (int i = 0; i < registry_heard.count; i++) {
        char type[32], id[16];
        unsigned port = 0;
        ck_assert_int_eq(sscanf(registry_heard.events[i].text, "%31s %15s 10.0.0.1:%u", type, id, &port), 3);
        struct registry_node *node = place_of(told, id);
        ck_assert_msg((strcmp(type, "NODE_REGISTERED") == 0) == (node->port == 0), "told in vain: %s",
                      registry_heard.events[i].text);
        snprintf(node->id, sizeof(node->id), "%s", id);
        node->port = strcmp(type, "NODE_DEREGISTERED") == 0 ? 0 : port;
    }
    for (size_t i = 0; i < REGISTRY_NODES_MAX && told[i].id[0] != '\0'; i++)
        held += told[i].port > 0;
    for (size_t i = 0; i < registry.count; i++) {
        const struct registry_node *node = &registry.nodes[i];
        bool can_be_read = node->port > 0 && !node->is_garbage;
        standing += can_be_read;
        if (can_be_read && place_of(told, node->id)->port != node->port)
            return false;
    }
    return held == standing;
}

static bool is_exact(void)
{
    const netron_snapshot *snapshot = netron_view_find(sim.discovery, NULL, NULL);
    netron_snapshot_release(snapshot);
    return snapshot != NULL && registry_status().state == NETRON_VIEW_FRESH &&
           strcmp(registry_view(), registry_picture()) == 0 && registry_heard.synced == 1 && has_heard_it_all();
}

/* ---- the first picture ---- */

static netron_subscription *subscription;

static void subscribe(void)
{
    subscription = NULL;
    shortage_accepts(netron_subscribe_to_events(sim.discovery, record_event, &registry_heard, &subscription));
}

static void subscribe_unless_done(void)
{
    if (subscription == NULL)
        subscribe();
}

static void open_registry(void)
{
    registry_open();
    registry_put_many(7);
    registry.page = 3;
    registry.delta_page = 2;
    sim.options.pubsub_enabled = 1;
    sim_join();
    sim_settle();
}

static void subscribe_and_sync(void)
{
    subscribe();
    sim_advance(3 * LOOK_MS);
}

START_TEST(the_first_picture)
{
    static const struct shortage_story story = {"full sync",           open_registry, subscribe_and_sync,
                                                subscribe_unless_done, is_exact,      NULL};
    run(&story, _i);
}
END_TEST

static const char *no_scripts(struct peer *peer, const struct peer_command *command)
{
    static char sha1[41];
    static unsigned loaded;
    if (peer_is(command, "HELLO"))
        loaded = 0;
    if (peer_is(command, "SCRIPT LOAD ")) {
        loaded++;
        return peer_say(peer, "$40\r\n%s\r\n", sha1);
    }
    if (!peer_is(command, "EVALSHA ") || loaded >= 2)
        return registry_answer(peer, command);
    snprintf(sha1, sizeof(sha1), "%.40s", command->text + 8);
    return "-NOSCRIPT No matching script.\r\n";
}

static void forget_scripts_and_sync(void)
{
    sim.peer.answer = no_scripts;
    subscribe_and_sync();
}

START_TEST(loading_the_scripts)
{
    static const struct shortage_story story = {"load scripts",        open_registry, forget_scripts_and_sync,
                                                subscribe_unless_done, is_exact,      NULL};
    run(&story, _i);
}
END_TEST

/* ---- changes ---- */

/* Nobody hears it while the events link is down. */
static void send_event(const char *payload)
{
    if (sim.peer.conns[registry_events_conn()] != -1)
        registry_send(payload);
}

static void publish(const char *id)
{
    send_event(registry_event(id));
    sim_settle();
}

static void open_synced(void)
{
    open_registry();
    subscribe();
    sim_settle();
    ck_assert(is_exact());
}

static void hear_changes(void)
{
    registry_put("n99", 11);
    publish("n99");
    registry_put("n01", 12);
    publish("n01");
    registry_remove("n02");
    publish("n02");
    registry_put("n03", 13);
    registry_put("n04", 14);
    send_event(registry_event("n03")); /* two at once */
    publish("n04");
}

/* None of them is garbage. */
static void expect_nothing_skipped(void)
{
    netron_stats stats = {.size = sizeof(stats)};
    netron_discovery_stats(sim.discovery, &stats);
    ck_assert_uint_eq(stats.skipped_events + stats.skipped_records, 0);
}

START_TEST(events)
{
    static const struct shortage_story story = {"events", open_synced, hear_changes,
                                                NULL,     is_exact,    expect_nothing_skipped};
    run(&story, _i);
}
END_TEST

static void hear_the_last_change_only(void)
{
    registry_put("n98", 11);
    registry_remove("n02");
    for (unsigned i = 0; i < 5; i++)
        registry_put("n04", 20 + i);
    publish("n04");
    sim_advance(LOOK_MS);
}

START_TEST(a_gap_between_events)
{
    static const struct shortage_story story = {"delta sync", open_synced, hear_the_last_change_only,
                                                NULL,         is_exact,    NULL};
    run(&story, _i);
}
END_TEST

static void hear_of_another_history(void)
{
    registry_flush("e2");
    registry_put_many(7);
    registry_put("n97", 11);
    publish("n97");
    sim_advance(LOOK_MS);
}

START_TEST(another_history)
{
    static const struct shortage_story story = {"another epoch", open_synced, hear_of_another_history, NULL,
                                                is_exact,        NULL};
    run(&story, _i);
}
END_TEST

static const char *look_that_tells_the_revision(enum registry_question question, size_t number)
{
    (void)number;
    if (question != ASKED_RECONCILE)
        return NULL;
    return peer_say(&sim.peer, "*9\r\n:500\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n$1\r\n0\r\n$2\r\ne1\r\n:%u\r\n",
                    (unsigned)registry.revision);
}

static void change_in_silence(void)
{
    registry.interrupt = look_that_tells_the_revision;
    registry_put("n96", 11);
    registry_remove("n02");
    sim_advance(3 * LOOK_MS);
}

START_TEST(changes_that_nobody_publishes)
{
    static const struct shortage_story story = {"silent changes", open_synced, change_in_silence, NULL, is_exact, NULL};
    run(&story, _i);
}
END_TEST

static void hear_of_originals(void)
{
    static const char *const hints[] = {
        "{\"type\":\"NODE_REGISTERED\",\"nodeId\":\"an-original\",\"address\":\"10.0.0.2:1\",\"services\":[]}",
        "{\"type\":\"NODE_UPDATED\",\"nodeId\":\"n03\",\"address\":\"10.0.0.2:2\",\"services\":[],\"timestamp\":1}",
        "{\"type\":\"NODE_DEREGISTERED\",\"nodeId\":\"n04\",\"timestamp\":1}",
        "no event at all",
    };
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        send_event(hints[i]);
    sim_settle();
    sim_advance(3 * LOOK_MS);
}

static bool is_exact_and_asked(void)
{
    return is_exact() && registry.asked[ASKED_RECONCILE] > 0;
}

START_TEST(hints_of_the_original)
{
    static const struct shortage_story story = {"hints", open_synced,        hear_of_originals,
                                                NULL,    is_exact_and_asked, NULL};
    run(&story, _i);
}
END_TEST

static void meet_garbage(void)
{
    registry_garble("n03");
    registry_remove("n04");
    registry_put("n95", 11);
    publish("n95");
    sim_advance(LOOK_MS);
}

START_TEST(a_record_that_is_garbage)
{
    static const struct shortage_story story = {"garbage", open_synced, meet_garbage, NULL, is_exact, NULL};
    run(&story, _i);
}
END_TEST

static void lose_both_links(void)
{
    peer_hang_up_all(&sim.peer);
    registry_put("n94", 11);
    registry_remove("n01");
    sim_advance(5 * LOOK_MS);
}

START_TEST(a_loss_of_both_links)
{
    static const struct shortage_story story = {"view reconnects", open_synced, lose_both_links, NULL, is_exact, NULL};
    run(&story, _i);
}
END_TEST

/* ---- asking ---- */

static const netron_snapshot *held[4];

static void ask_around_a_change(void)
{
    held[0] = netron_view_find(sim.discovery, NULL, NULL);
    held[1] = netron_view_find(sim.discovery, "web", "^1.2 || >=3 <4");
    registry_put("n01", 31);
    publish("n01");
    held[2] = netron_view_find(sim.discovery, "web", NULL);
    held[3] = netron_view_node(sim.discovery, "n01");
    netron_snapshot_release(netron_view_find(sim.discovery, "web", "1.x"));
    netron_snapshot_release(netron_view_find(sim.discovery, "nobody offers this", "*"));
}

static bool has_answers(void)
{
    const netron_snapshot *ranged = netron_view_find(sim.discovery, "web", "^1.2 || >=3 <4");
    bool is_right = ranged != NULL && ranged->count == 0;
    netron_snapshot_release(ranged);
    return is_right && is_exact();
}

/* What was held does not change, and outlives the discovery. */
static void expect_held_as_it_was(void)
{
    netron_discovery_free(sim.discovery);
    sim.discovery = NULL;
    if (held[0] != NULL)
        ck_assert_str_eq(held[0]->nodes[1]->address, "10.0.0.1:10");
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        netron_snapshot_release(held[i]);
}

START_TEST(looking_into_the_view)
{
    static const struct shortage_story story = {"view_find", open_synced, ask_around_a_change,
                                                NULL,        has_answers, expect_held_as_it_was};
    run(&story, _i);
}
END_TEST

/* ---- choosing ---- */

#define POLICIES 5
#define EJECTION_MS 100
static netron_picker *pickers[POLICIES];

static void make_picker(int policy)
{
    netron_picker_options options;
    netron_picker_options_init(&options);
    options.policy = (netron_pick_policy)policy;
    options.ejection_failures = 1;
    options.ejection_base_ms = options.ejection_max_ms = EJECTION_MS;
    options.zone = policy % 2 == 0 ? "zone-1" : NULL;
    shortage_accepts(netron_picker_new(sim.discovery, "web", policy % 2 == 0 ? "*" : NULL, &options, &pickers[policy]));
}

static void pick_with(netron_picker *picker)
{
    const netron_node *first = netron_picker_pick(picker, "a key", 5);
    const netron_node *second = netron_picker_pick(picker, NULL, 0);
    registry_put("n01", 1 + registry.nodes[1].port);
    publish("n01");
    netron_picker_report(picker, first, 0);
    first = netron_picker_pick(picker, "another key", 11);
    netron_picker_report(picker, second, 1);
    netron_picker_report(picker, first, 0);
}

static void pick_with_all(void)
{
    memset(pickers, 0, sizeof(pickers));
    for (int policy = 0; policy < POLICIES; policy++) {
        make_picker(policy);
        pick_with(pickers[policy]);
    }
}

static void make_the_refused_ones(void)
{
    for (int policy = 0; policy < POLICIES; policy++)
        if (pickers[policy] == NULL)
            make_picker(policy);
}

/* Whether it picks the node that changed, among others, and as it is now. */
static bool picks_the_newest(netron_picker *picker)
{
    bool has_newest = false;
    for (int i = 0; i < 200 && !has_newest; i++) {
        char key[8];
        int length = snprintf(key, sizeof(key), "%d", i);
        const netron_node *node = netron_picker_pick(picker, key, (size_t)length);
        ck_assert_ptr_nonnull(node);
        has_newest = strcmp(node->id, "n01") == 0;
        if (has_newest)
            ck_assert_uint_eq(strtoul(strchr(node->address, ':') + 1, NULL, 10), registry.nodes[1].port);
        netron_picker_report(picker, node, 1);
    }
    return has_newest;
}

static void expect_picks(void)
{
    sim_advance(2 * EJECTION_MS);
    for (int policy = 0; policy < POLICIES; policy++) {
        ck_assert_msg(picks_the_newest(pickers[policy]), "policy %d never picks the node that changed", policy);
        netron_picker_free(pickers[policy]);
    }
}

START_TEST(picking_with_each_policy)
{
    static const struct shortage_story story = {"pickers", open_synced, pick_with_all, make_the_refused_ones,
                                                is_exact,  expect_picks};
    run(&story, _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shortage_view");
    TCase *tcase = suite_case(suite, "memory runs out during");
    allocations_of_libraries();
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, the_first_picture, 0, SHORTAGES);
    tcase_add_loop_test(tcase, loading_the_scripts, 0, SHORTAGES);
    tcase_add_loop_test(tcase, events, 0, SHORTAGES);
    tcase_add_loop_test(tcase, a_gap_between_events, 0, SHORTAGES);
    tcase_add_loop_test(tcase, another_history, 0, SHORTAGES);
    tcase_add_loop_test(tcase, changes_that_nobody_publishes, 0, SHORTAGES);
    tcase_add_loop_test(tcase, hints_of_the_original, 0, SHORTAGES);
    tcase_add_loop_test(tcase, a_record_that_is_garbage, 0, SHORTAGES);
    tcase_add_loop_test(tcase, a_loss_of_both_links, 0, SHORTAGES);
    tcase_add_loop_test(tcase, looking_into_the_view, 0, SHORTAGES);
    tcase_add_loop_test(tcase, picking_with_each_policy, 0, SHORTAGES);
    return suite_run(suite);
}
