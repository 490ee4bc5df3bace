/* SPDX-License-Identifier: MIT */
/*
 * The users that README.md makes: each can do all of its duties, and without any one of its rules one of them fails.
 * Where a rule is missing the server has to have refused just that, so that nothing else can pass for its absence.
 */
#include "acl_duties.h"

START_TEST(a_user_of_the_readme_can_do_all_of_its_duties)
{
    user = acl_find(&readme, kinds[_i].name);
    ck_assert_str_eq(acl_make(&server, user, -1), "OK");
    const char *failed = live(&kinds[_i]);
    ck_assert_msg(failed == NULL, "%s %s not (%s; refused:%s)", user->name, failed,
                  discovery != NULL ? netron_discovery_error(discovery) : "", acl_refusals(&server, user, NULL));
    /* Whether it looks after the registry, leaves that to others, or would have to. */
    bool is_node = (kinds[_i].whose & VIEWS) == 0;
    bool is_reader = (kinds[_i].whose & (REGISTERS | LOOKS_AFTER)) == 0;
    ck_assert_int_eq(log_count(&lines, "looking after the registry is left to others: reconcile: ") > 0, is_node);
    ck_assert_int_eq(log_count(&lines, "the registry could not be looked after: reconcile: "), is_reader);
}
END_TEST

/* The rules of these users, one after the other. */
static const int proven[] = {1, 2, 3};

static const struct kind *find_rule(int number, int *rule)
{
    for (size_t i = 0; i < COUNT(proven); i++) {
        const struct kind *kind = &kinds[proven[i]];
        const struct acl_user *of = acl_find(&readme, kind->name);
        *rule = of->fixed + number;
        if (*rule < of->count)
            return kind;
        number -= of->count - of->fixed;
    }
    return NULL;
}

static int count_rules(void)
{
    int count = 0;
    int rule = 0;
    while (find_rule(count, &rule) != NULL)
        count++;
    return count;
}

START_TEST(without_any_one_of_its_rules_a_user_fails_in_a_duty)
{
    int rule = 0;
    const struct kind *kind = find_rule(_i, &rule);
    user = acl_find(&readme, kind->name);
    missing = user->rules[rule];
    ck_assert_str_eq(acl_make(&server, user, rule), "OK");
    const char *failed = live(kind);
    ck_assert_msg(failed != NULL, "%s does all without %s", user->name, missing);
    ck_assert_msg(acl_refused(&server, user, missing), "%s %s not without %s, and was refused:%s", user->name, failed,
                  missing, acl_refusals(&server, user, NULL));
    fprintf(stderr, "%s without %s: %s\n", user->name, missing, failed);
}
END_TEST

/* Of a node that crashed it goes on telling, until somebody looks after the registry who may; lookups know better. */
START_TEST(a_reader_writes_nothing_and_keeps_the_dead)
{
    const struct acl_user *watcher = acl_find(&readme, "netron-watcher");
    redisReply *writing = server_ask(&server, "ACL CAT write");
    user = acl_find(&readme, "netron-reader");
    for (size_t i = 0; i < writing->elements; i++) {
        char rule[64];
        snprintf(rule, sizeof(rule), "+%s", writing->element[i]->str);
        ck_assert_msg(!acl_has(user, rule), "a reader may %s", rule);
    }
    freeReplyObject(writing);
    ck_assert_str_eq(acl_make(&server, user, -1), "OK");
    ck_assert_str_eq(acl_make(&server, watcher, -1), "OK");
    options.username = user->name;
    options.password = "secret";
    options.on_link = record_link;
    options.on_link_arg = &links;
    ck_assert(connects() && reads_the_first_picture());
    enter("mortal", "1000", P ":events");
    ck_assert(is_told("NODE_REGISTERED mortal "));
    AWAIT(&world, server_integer(&server, "EXISTS " P ":heartbeat:mortal") == 0);
    world_run(&world, 1500); /* any watcher would have told it */
    const netron_snapshot *kept = netron_view_node(discovery, "mortal");
    ck_assert_uint_eq(kept->count, 1);
    netron_snapshot_release(kept);
    ck_assert(finds("users", "first") && strstr(found.text, "mortal") == NULL);
    ck_assert_int_eq(server_integer(&server, "ZCARD " P ":expiry"), 2);
    netron_discovery *reader = discovery;
    options.username = watcher->name;
    options.on_link = NULL;
    discovery = world_join(&world, &options);
    ck_assert_int_eq(netron_view_open(discovery), 0);
    ck_assert(is_told("NODE_DEREGISTERED mortal "));
    netron_discovery_free(reader);
}
END_TEST

/* As Redis 6.2 is set by default: all channels, until a rule says otherwise. */
START_TEST(the_lines_are_good_where_new_users_may_hear_all_channels)
{
    server_expect(&server, "OK", "CONFIG SET acl-pubsub-default allchannels");
    for (int i = 0; i < readme.count; i++) {
        struct acl_user without = readme.users[i];
        bool is_further = acl_find(&readme, without.name) != &readme.users[i];
        char changed[64] = "";
        if (without.has_port)
            continue;
        ck_assert_str_eq(acl_make(&server, &readme.users[i], -1), "OK");
        if (is_further) /* it resets nothing */
            continue;
        for (int rule = 0; rule < without.count; rule++)
            if (strcmp(without.rules[rule], "resetchannels") == 0)
                snprintf(changed, sizeof(changed), "%s", acl_make(&server, &without, rule));
        ck_assert_msg(strstr(changed, "ERR Error in ACL SETUSER modifier '&") == changed, "%s", changed);
    }
    server_expect(&server, "OK", "CONFIG SET acl-pubsub-default resetchannels");
}
END_TEST

/* So what is proven of these is proven of it. */
START_TEST(a_member_may_what_a_node_and_a_watcher_may_and_nothing_else)
{
    const struct acl_user *member = acl_find(&readme, "netron-member");
    const struct acl_user *node = acl_find(&readme, "netron-node");
    const struct acl_user *watcher = acl_find(&readme, "netron-watcher");
    for (int i = 0; i < member->count; i++)
        ck_assert_msg(acl_has(node, member->rules[i]) || acl_has(watcher, member->rules[i]), "%s", member->rules[i]);
    for (int i = 0; i < node->count; i++)
        ck_assert_msg(acl_has(member, node->rules[i]), "%s", node->rules[i]);
    for (int i = 0; i < watcher->count; i++)
        ck_assert_msg(acl_has(member, watcher->rules[i]), "%s", watcher->rules[i]);
}
END_TEST

/* ---- a person with a client ---- */

/* Whether the server does it for the operator, as README.md says; why: what it says otherwise. */
static bool is_done_for_operator(const char *command, char *why, size_t size)
{
    redisContext *context = redisConnectUnix(server.socket);
    redisReply *reply = redisCommand(context, "AUTH %s secret", user->name);
    ck_assert_str_eq(reply->str, "OK");
    freeReplyObject(reply);
    reply = redisCommand(context, command);
    ck_assert_ptr_nonnull(reply);
    bool is_done = reply->type != REDIS_REPLY_ERROR;
    snprintf(why, size, "%s: %s", command, is_done ? "" : reply->str);
    freeReplyObject(reply);
    redisFree(context);
    return is_done;
}

START_TEST(an_operator_can_do_what_the_readme_says_and_needs_each_rule_for_it)
{
    char why[256] = "";
    user = acl_find(&readme, "netron-operator");
    enter("orders-1", "60000", "");
    ck_assert_str_eq(acl_make(&server, user, -1), "OK");
    ck_assert_int_gt(readme.command_count, 10);
    for (int i = 0; i < readme.command_count; i++)
        ck_assert_msg(is_done_for_operator(readme.commands[i], why, sizeof(why)), "%s", why);
    for (int rule = user->fixed; rule < user->count; rule++) {
        bool is_done = true;
        ck_assert_str_eq(acl_make(&server, user, rule), "OK");
        for (int i = 0; is_done && i < readme.command_count; i++)
            is_done = is_done_for_operator(readme.commands[i], why, sizeof(why));
        ck_assert_msg(!is_done && strstr(why, "NOPERM") != NULL, "it does all without %s", user->rules[rule]);
    }
}
END_TEST

static uint64_t count_registers(void)
{
    netron_stats stats = {.size = sizeof(stats)};
    ck_assert_int_eq(netron_discovery_stats(discovery, &stats), 0);
    return stats.registers;
}

/* What the readme tells of its two deletions, heard by a member. */
START_TEST(what_an_operator_deletes_comes_back_or_is_told)
{
    user = acl_find(&readme, "netron-member");
    const struct acl_user *member = user;
    ck_assert_str_eq(acl_make(&server, member, -1), "OK");
    options.username = member->name;
    options.password = "secret";
    options.on_link = record_link;
    options.on_link_arg = &links;
    ck_assert(connects() && registers_a_node() && reads_the_first_picture());
    world_run(&world, options.heartbeat_ttl_ms); /* from now on it may judge */
    int told = events.count;
    user = acl_find(&readme, "netron-operator");
    ck_assert_str_eq(acl_make(&server, user, -1), "OK");
    char why[256];
    ck_assert(is_done_for_operator("DEL " P ":registry", why, sizeof(why)));
    AWAIT(&world, is_born() && server_integer(&server, "HEXISTS " P ":records node-1") == 1);
    /* A repair would put the heartbeat back and not know that it was gone: there is none for the next nine beats. */
    uint64_t before = count_registers();
    AWAIT(&world, count_registers() > before);
    ck_assert(is_done_for_operator("DEL " P ":heartbeat:node-1", why, sizeof(why)));
    AWAIT(&world, states.count >= 3 && is_registered()); /* LOST, and back */
    world_run(&world, 1500);
    ck_assert_int_eq(events.count, told);
    enter("gone", "1000", P ":events");
    ck_assert(is_told("NODE_REGISTERED gone "));
    ck_assert(is_done_for_operator("DEL " P ":heartbeat:gone", why, sizeof(why)));
    ck_assert(is_told("NODE_DEREGISTERED gone "));
}
END_TEST

int main(void)
{
    acl_read(&readme);
    Suite *suite = suite_create("acl");
    TCase *tcase = suite_case(suite, "users");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_add_loop_test(tcase, a_user_of_the_readme_can_do_all_of_its_duties, 0, (int)COUNT(kinds));
    tcase_add_loop_test(tcase, without_any_one_of_its_rules_a_user_fails_in_a_duty, 0, count_rules());
    tcase_add_test(tcase, a_member_may_what_a_node_and_a_watcher_may_and_nothing_else);
    tcase_add_test(tcase, a_reader_writes_nothing_and_keeps_the_dead);
    tcase_add_test(tcase, the_lines_are_good_where_new_users_may_hear_all_channels);
    tcase_add_test(tcase, an_operator_can_do_what_the_readme_says_and_needs_each_rule_for_it);
    tcase_add_test(tcase, what_an_operator_deletes_comes_back_or_is_told);
    return suite_run(suite);
}
