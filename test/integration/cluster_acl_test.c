/* SPDX-License-Identifier: MIT */
/*
 * The users that README.md makes, with what it grants them for a cluster: each does its duties there, and without any
 * one of these further rules it fails in one of them. What they need everywhere is proven by acl_test.c.
 */
#include "acl_kinds.h"
#include "cluster_fleet.h"
#include "spy.h"
#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL FLEET_PREFIX ":events"
#define BEFORE "netron:discovery:" /* how README.md's patterns begin where there is no cluster */
#define AFTER FLEET_PREFIX ":"

static struct acl_readme readme;
static struct acl_user user;
static const struct kind *kind;

static netron_options options;
static struct member other; /* a node beside it, which may not look after the registry */
static struct member own;   /* the user's */
static struct event_recorder events;
static struct spy spy;

static void start(void)
{
    cluster_start(&cluster, 3, 0, NULL);
}

static void stop(void)
{
    cluster_stop(&cluster);
}

/* ---- the users ---- */

static void add_rules(const struct acl_user *line)
{
    for (int i = 0; i < line->count; i++) {
        char rule[96];
        const char *at = strstr(line->rules[i], BEFORE);
        if (at == NULL)
            snprintf(rule, sizeof(rule), "%s", line->rules[i]);
        else
            snprintf(rule, sizeof(rule), "%.*s" AFTER "%s", (int)(at - line->rules[i]), line->rules[i],
                     at + strlen(BEFORE));
        acl_add(&user, rule);
    }
}

/* Both lines of README.md in one; returns how many rules the first has. */
static int find_user(const char *name)
{
    const struct acl_user *first = acl_find(&readme, name);
    user = (struct acl_user){0};
    snprintf(user.name, sizeof(user.name), "%s", name);
    add_rules(first);
    add_rules(acl_find_further(&readme, name));
    return first->count;
}

static void make_user(int without)
{
    for (size_t i = 0; i < cluster.count; i++) {
        ck_assert_str_eq(acl_make(&cluster.node[i], &user, without), "OK");
        server_expect(&cluster.node[i], "OK", "ACL LOG RESET");
    }
    missing = without >= 0 ? user.rules[without] : NULL;
}

static void begin_beside(void)
{
    netron_options others = fleet_options(cluster.url);
    find_user("netron-node");
    snprintf(user.name, sizeof(user.name), "other");
    make_user(-1);
    others.username = "other";
    others.password = "secret";
    other.discovery = world_join(&world, &others);
    fleet_enrol(&other, 0);
}

static void begin(void)
{
    fleet_begin();
    begin_beside();
    options = fleet_options(cluster.url);
    options.password = "secret";
    options.anti_entropy_interval_ms = 100;
    options.on_link = record_link;
    options.on_link_arg = &own.links;
}

static void end(void)
{
    fleet_free(&own);
    fleet_free(&other);
    fleet_end();
}

static bool is_refused(void)
{
    for (size_t i = 0; i < cluster.count; i++)
        if (acl_refused(&cluster.node[i], &user, missing))
            return true;
    return false;
}

static bool await(condition_fn is_done)
{
    return await_or_refusal(&world, is_done, is_refused);
}

/* ---- the duties ---- */

static bool is_connected(void)
{
    return own.links.is_up[NETRON_LINK_COMMANDS];
}

static bool comes_in(void)
{
    options.username = user.name;
    own.discovery = world_join(&world, &options);
    return await(is_connected);
}

static bool is_registered(void)
{
    return netron_registration_get_state(own.registration) == NETRON_REGISTERED;
}

static bool registers_a_node(void)
{
    netron_service services[2];
    netron_node node = make_node("node-1", "10.0.0.1:1", services, "chat", "1.0.0", NULL, NULL);
    ck_assert_int_eq(netron_register(own.discovery, &node, record_state, &own.states, &own.registration), 0);
    return await(is_registered);
}

static bool was_published(void)
{
    return spy_count(&spy, "\"node-1\"") > 0;
}

static bool publishes_it(void)
{
    return await(was_published);
}

static bool is_fresh(void)
{
    return fleet_is_fresh(&own) && events.synced == 1;
}

static bool has_a_view(void)
{
    ck_assert_int_eq(netron_subscribe_to_events(own.discovery, record_event, &events, NULL), 0);
    return await(is_fresh);
}

static const char *awaited; /* how an event begins */

static bool was_told(void)
{
    for (int i = 0; i < events.count; i++)
        if (strncmp(events.events[i].text, awaited, strlen(awaited)) == 0)
            return true;
    return false;
}

static bool hears_a_change(void)
{
    fleet_change(&other);
    awaited = "NODE_UPDATED node-0 10.0.0.0:2 ";
    return await(was_told);
}

static bool was_buried_in_public(void)
{
    return spy_count(&spy, "\"reason\":\"expired\"") > 0;
}

static bool buries_the_dead(void)
{
    struct member mortal;
    netron_options others = fleet_options(cluster.url);
    others.heartbeat_ttl_ms = 1000;
    fleet_join(&mortal, &others);
    fleet_enrol(&mortal, 9);
    fleet_free(&mortal);
    awaited = "NODE_DEREGISTERED node-9 ";
    return await(was_told) && await(was_buried_in_public);
}

/* ---- while all keys of the slot are elsewhere already, and its owner says ASK ---- */

static size_t from, to;
static uint64_t enough;

static bool has_beaten(void)
{
    netron_stats stats = {.size = sizeof(stats)};
    ck_assert_int_eq(netron_discovery_stats(own.discovery, &stats), 0);
    return stats.beats >= enough;
}

static bool beats_while_the_slot_moves(void)
{
    netron_stats stats = {.size = sizeof(stats)};
    ck_assert_int_eq(netron_discovery_stats(own.discovery, &stats), 0);
    enough = stats.beats + 3;
    return await(has_beaten);
}

static struct nodes_recorder found;

static bool was_found(void)
{
    return found.calls > 0;
}

static bool finds_while_the_slot_moves(void)
{
    found = (struct nodes_recorder){0};
    ck_assert_int_eq(netron_find_nodes_by_service(own.discovery, "chat", NULL, record_nodes, &found), 0);
    return await(was_found) && found.code == 0 && strstr(found.text, "node-0") != NULL;
}

static bool the_slot_begins_to_move(void)
{
    spy_close(&spy); /* its channel goes away with the slot */
    from = cluster_home_of(&cluster, FLEET_KEY);
    to = (from + 1) % cluster.count;
    cluster_move_begin(&cluster, FLEET_KEY, from, to);
    while (cluster_move_keys(&cluster, FLEET_KEY, from, to, 100) > 0)
        ;
    return true;
}

static bool the_slot_has_moved(void)
{
    cluster_move_end(&cluster, FLEET_KEY, from, to);
    spy_watch_shard(&spy, &cluster.node[to], CHANNEL);
    return true;
}

static struct done_recorder updated;

static bool is_updated(void)
{
    return updated.calls == 1 && updated.code == 0 && spy_count(&spy, "10.0.0.1:2") > 0;
}

static bool publishes_from_there(void)
{
    ck_assert_int_eq(netron_registration_update_address(own.registration, "10.0.0.1:2", record_done, &updated), 0);
    return await(is_updated);
}

static bool hears_from_there(void)
{
    fleet_change(&other);
    awaited = "NODE_UPDATED node-0 10.0.0.0:3 ";
    return await(was_told);
}

/* "" when nothing was. */
static const char *what_was_refused(void)
{
    const char *what = "";
    for (size_t i = 0; what[0] == '\0' && i < cluster.count; i++)
        what = acl_refusals(&cluster.node[i], &user, kind->tolerated);
    return what;
}

static bool leaves_no_trace_in_the_log(void)
{
    return what_was_refused()[0] == '\0';
}

static const struct {
    const char *name;
    bool (*fulfil)(void);
    unsigned whose;
} duties[] = {
#define DUTY(name, whose)                                                                                              \
    {                                                                                                                  \
#name, name, whose                                                                                             \
    }
    DUTY(comes_in, ALL),
    DUTY(registers_a_node, REGISTERS),
    DUTY(publishes_it, REGISTERS),
    DUTY(has_a_view, VIEWS),
    DUTY(hears_a_change, VIEWS),
    DUTY(buries_the_dead, LOOKS_AFTER),
    DUTY(the_slot_begins_to_move, ALL),
    DUTY(beats_while_the_slot_moves, REGISTERS),
    DUTY(finds_while_the_slot_moves, VIEWS),
    DUTY(the_slot_has_moved, ALL),
    DUTY(publishes_from_there, REGISTERS),
    DUTY(hears_from_there, VIEWS),
    DUTY(leaves_no_trace_in_the_log, ALL),
#undef DUTY
};

/* Returns the name of the first duty that fails; NULL when none does. */
static const char *live(void)
{
    const char *failed = NULL;
    spy_watch_shard(&spy, &cluster.node[cluster_home_of(&cluster, FLEET_KEY)], CHANNEL);
    for (size_t i = 0; failed == NULL && i < sizeof(duties) / sizeof(duties[0]); i++)
        if ((duties[i].whose & kind->whose) != 0 && !duties[i].fulfil())
            failed = duties[i].name;
    if (spy.context != NULL)
        spy_close(&spy);
    return failed;
}

START_TEST(a_user_of_the_readme_does_its_duties_in_a_cluster)
{
    kind = &kinds[_i];
    find_user(kind->name);
    make_user(-1);
    const char *failed = live();
    ck_assert_msg(failed == NULL, "%s %s not (%s; refused:%s)", user.name, failed,
                  netron_discovery_error(own.discovery), what_was_refused());
}
END_TEST

/* Which of the further rules of all users but the member, who has those of two. */
static int find_rule(int number)
{
    for (size_t i = 1; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        kind = &kinds[i];
        int rule = find_user(kind->name) + number;
        if (rule < user.count)
            return rule;
        number = rule - user.count;
    }
    return -1;
}

static int count_rules(void)
{
    int count = 0;
    while (find_rule(count) >= 0)
        count++;
    return count;
}

START_TEST(without_any_one_of_the_further_rules_a_user_fails_in_a_duty)
{
    make_user(find_rule(_i));
    const char *failed = live();
    ck_assert_msg(failed != NULL, "%s does all without %s", user.name, missing);
    ck_assert_msg(is_refused(), "%s %s not without %s, which nobody refused", user.name, failed, missing);
    fprintf(stderr, "%s without %s: %s\n", user.name, missing, failed);
}
END_TEST

START_TEST(a_member_is_granted_what_a_node_and_a_watcher_are_and_nothing_else)
{
    const struct acl_user *member = acl_find_further(&readme, "netron-member");
    const struct acl_user *node = acl_find_further(&readme, "netron-node");
    const struct acl_user *watcher = acl_find_further(&readme, "netron-watcher");
    for (int i = 0; i < member->count; i++)
        ck_assert(acl_has(node, member->rules[i]) || acl_has(watcher, member->rules[i]));
    for (int i = 0; i < node->count; i++)
        ck_assert(acl_has(member, node->rules[i]));
    for (int i = 0; i < watcher->count; i++)
        ck_assert(acl_has(member, watcher->rules[i]));
}
END_TEST

int main(void)
{
    acl_read(&readme);
    Suite *suite = suite_create("cluster_acl");
    TCase *tcase = suite_case(suite, "cluster_acl");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, start, stop);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, a_user_of_the_readme_does_its_duties_in_a_cluster, 0,
                        (int)(sizeof(kinds) / sizeof(kinds[0])));
    tcase_add_loop_test(tcase, without_any_one_of_the_further_rules_a_user_fails_in_a_duty, 0, count_rules());
    tcase_add_test(tcase, a_member_is_granted_what_a_node_and_a_watcher_are_and_nothing_else);
    return suite_run(suite);
}
