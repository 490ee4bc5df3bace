/* SPDX-License-Identifier: MIT */
/* The users that README.md makes where there are sentinels: the one at the sentinels, and a member at each Redis. */
#include "acl_users.h"
#include "sentinel_stage.h"

static struct acl_readme readme;
static const struct acl_user *asking; /* at the sentinels */
static struct acl_user member;

static const char *make_at(unsigned port, const struct acl_user *user, int without)
{
    redisContext *context = redisConnect("127.0.0.1", (int)port);
    ck_assert_ptr_nonnull(context);
    const char *said = acl_make_at(context, user, without);
    redisFree(context);
    return said;
}

static void make_asking(int without)
{
    for (int i = 0; i < SET_SIZE; i++)
        ck_assert_str_eq(make_at(set.sentinel[i].port, asking, without), "OK");
}

static void open_with_users(void)
{
    open_stage();
    asking = acl_find(&readme, "netron");
    member = *acl_find(&readme, "netron-member");
    acl_add(&member, "+role");
    make_asking(-1);
    for (int i = 0; i < SET_SIZE; i++)
        ck_assert_str_eq(make_at(set.redis[i].port, &member, -1), "OK");
    options.ping_interval_ms = 100;
    options.sentinel_username = asking->name;
    options.sentinel_password = "another";
    options.username = member.name;
    options.password = "secret";
}

static void assert_nothing_refused(const struct set_member *at, const struct acl_user *user)
{
    redisReply *log = sentinel_set_ask(&set, at, "ACL LOG");
    ck_assert_msg(log != NULL && log->type == REDIS_REPLY_ARRAY, "no ACL LOG");
    const char *refused = acl_refusals_in(log, user, NULL);
    ck_assert_msg(refused[0] == '\0', "%s is refused:%s", user->name, refused);
    freeReplyObject(log);
}

START_TEST(the_users_of_the_readme_follow_a_failover)
{
    join();
    assert_whole(0);
    set_member_kill(&set.redis[0]);
    int primary = await_failover(0);
    assert_whole(primary);
    assert_nothing_told();
    for (int i = 0; i < SET_SIZE; i++) {
        assert_nothing_refused(&set.sentinel[i], asking);
        if (i != 0)
            assert_nothing_refused(&set.redis[i], &member);
    }
}
END_TEST

static bool is_refused(const char *rule)
{
    bool is_refused = false;
    for (int i = 0; i < SET_SIZE; i++) {
        redisReply *log = sentinel_set_ask(&set, &set.sentinel[i], "ACL LOG");
        ck_assert_msg(log != NULL && log->type == REDIS_REPLY_ARRAY, "no ACL LOG");
        is_refused = is_refused || acl_refused_in(log, asking, rule);
        freeReplyObject(log);
    }
    return is_refused;
}

/* The name is a courtesy; what else is missing is told with the rule, by the link or, when a watch ends, in the log. */
static bool is_told(const char *rule)
{
    char words[96];
    snprintf(words, sizeof(words), "; the user needs %s", rule);
    return strcmp(rule, "+client|setname") == 0 || strstr(links.sentence[COMMANDS], words) != NULL ||
           log_count(&log_lines, words) > 0;
}

/* The first of them tells where the primary is; the others serve what README.md says that is lost without them. */
START_TEST(each_rule_at_the_sentinels_is_needed)
{
    static const char telling[] = "+sentinel|get-master-addr-by-name";
    ck_assert(acl_has(asking, telling));
    for (int rule = asking->fixed; rule < asking->count; rule++) {
        links = (struct link_recorder){0};
        make_asking(rule);
        discovery = world_join(&world, &options);
        AWAIT_LONG(is_refused(asking->rules[rule]) && links.count[COMMANDS] > 0 && is_told(asking->rules[rule]));
        bool is_deaf = strcmp(asking->rules[rule], telling) == 0;
        ck_assert_msg(links.is_up[COMMANDS] == !is_deaf, "without %s: %s", asking->rules[rule],
                      links.sentence[COMMANDS]);
        netron_discovery_free(discovery);
        discovery = NULL;
    }
}
END_TEST

int main(void)
{
    acl_read(&readme);
    Suite *suite = suite_create("sentinel_acl");
    TCase *tcase = suite_case(suite, "sentinel_acl");
    tcase_set_timeout(tcase, 150);
    tcase_add_checked_fixture(tcase, open_with_users, close_stage);
    tcase_add_test(tcase, the_users_of_the_readme_follow_a_failover);
    tcase_add_test(tcase, each_rule_at_the_sentinels_is_needed);
    return suite_run(suite);
}
