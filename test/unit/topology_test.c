/* SPDX-License-Identifier: MIT */
/* Who asks for the primary, who was told what, and who has to leave. */
#include "suite.h"
#include <string.h>
#include <topology.h>

/* ---- a kind that does as the test says ---- */

static int asked, confirmed, doubted, freed;
static char doubt_words[64];

static void on_ask(struct netron_topology *topology)
{
    (void)topology;
    asked++;
}

static void on_confirmed(struct netron_topology *topology, const struct netron_location *at)
{
    (void)topology;
    (void)at;
    confirmed++;
}

static void on_doubted(struct netron_topology *topology, const struct netron_location *at, const char *words)
{
    (void)topology;
    (void)at;
    doubted++;
    strcpy(doubt_words, words != NULL ? words : "");
}

static void on_free(struct netron_topology *topology)
{
    (void)topology;
    freed++;
}

static const struct netron_topology_kind kind = {
    .ask = on_ask, .confirmed = on_confirmed, .doubted = on_doubted, .free = on_free};

static struct netron_topology topology;

struct link {
    struct netron_asker asker;
    int answers;
    int code;
    int moves;
    char sentence[NETRON_SENTENCE_SIZE];
    struct link *leaves; /* whom its callback takes out */
};
static struct link one, other;

static void note(struct link *link, const struct netron_failure *failure)
{
    link->code = failure != NULL ? failure->code : 0;
    strcpy(link->sentence, failure != NULL ? failure->sentence : "");
    if (link->leaves != NULL)
        netron_topology_leave(&topology, &link->leaves->asker);
}

static void on_answer(void *arg, const struct netron_failure *failure)
{
    struct link *link = arg;
    link->answers++;
    note(link, failure);
}

static void on_moved(void *arg, const struct netron_failure *why)
{
    struct link *link = arg;
    link->moves++;
    note(link, why);
}

static void join(struct link *link)
{
    *link = (struct link){.asker = {.answer = on_answer, .moved = on_moved, .arg = link}};
    netron_topology_join(&topology, &link->asker);
}

static void open_topology(void)
{
    topology = (struct netron_topology){.kind = &kind};
    asked = confirmed = doubted = freed = 0;
    join(&one);
    join(&other);
}

static struct netron_location place(const char *host, unsigned port)
{
    struct netron_location location;
    ck_assert(netron_location_set(&location, host, strlen(host), port));
    return location;
}

static void tell(const char *host, unsigned port)
{
    const struct netron_location location = place(host, port);
    netron_topology_tell(&topology, &location, NULL);
}

static void settle_at(const char *host, unsigned port)
{
    netron_topology_ask(&topology, &one.asker);
    netron_topology_ask(&topology, &other.asker);
    tell(host, port);
    ck_assert(one.answers == 1 && other.answers == 1);
}

/* ---- places ---- */

START_TEST(a_place_is_a_host_and_a_port)
{
    static const struct {
        const char *host;
        size_t length;
        unsigned long port;
    } wrong[] = {{"", 0, 1},     {"a", 1, 0},     {"a", 1, 65536}, {"a\0b", 3, 1}, {"a b", 3, 1},  {"a\nb", 3, 1},
                 {"\xff", 1, 1}, {"[::1]", 5, 1}, {"a/b", 3, 1},   {"u@h", 3, 1},  {"a%20", 4, 1}, {"a\\b", 3, 1}};
    struct netron_location location;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!netron_location_set(&location, wrong[i].host, wrong[i].length, wrong[i].port), "%zu", i);
    char host[NETRON_HOST_MAX + 1];
    memset(host, 'h', sizeof(host));
    ck_assert(netron_location_set(&location, host, NETRON_HOST_MAX, 65535));
    ck_assert(!netron_location_set(&location, host, NETRON_HOST_MAX + 1, 1));
    const struct netron_location here = place("::1", 6379);
    const struct netron_location same = place("::1", 6379);
    const struct netron_location port = place("::1", 6380);
    const struct netron_location host_only = place("::2", 6379);
    ck_assert(netron_location_same(&here, &same));
    ck_assert(!netron_location_same(&here, &port) && !netron_location_same(&here, &host_only));
}
END_TEST

/* ---- news ---- */

START_TEST(who_asks_is_answered_once)
{
    ck_assert(!netron_topology_is_asked(&topology));
    netron_topology_ask(&topology, &one.asker);
    ck_assert(netron_topology_is_asked(&topology));
    ck_assert_int_eq(asked, 1);
    tell("10.0.0.1", 6379);
    ck_assert(one.answers == 1 && one.code == 0 && other.answers == 0);
    ck_assert_str_eq(one.asker.at.host, "10.0.0.1");
    tell("10.0.0.1", 6379);
    ck_assert(one.answers == 1 && one.moves == 0 && other.moves == 0);
}
END_TEST

START_TEST(a_failure_is_for_those_who_ask)
{
    struct netron_failure why;
    settle_at("10.0.0.1", 6379);
    netron_topology_ask(&topology, &other.asker);
    netron_fail(&why, NETRON_ETIMEDOUT, "nobody knows");
    netron_topology_tell(&topology, NULL, &why);
    ck_assert(other.answers == 2 && other.code == NETRON_ETIMEDOUT && one.answers == 1 && one.moves == 0);
    ck_assert_str_eq(other.asker.at.host, "10.0.0.1");
}
END_TEST

START_TEST(who_is_elsewhere_has_to_leave)
{
    settle_at("10.0.0.1", 6379);
    netron_topology_ask(&topology, &one.asker);
    tell("2001:db8::1", 6380);
    ck_assert(one.answers == 2 && one.moves == 0 && other.answers == 1 && other.moves == 1);
    ck_assert_int_eq(other.code, NETRON_EUNAVAILABLE);
    ck_assert_str_eq(other.sentence, "the primary is [2001:db8::1]:6380 now");
}
END_TEST

START_TEST(who_is_confirmed_draws_the_other_after_it)
{
    settle_at("10.0.0.1", 6379);
    netron_topology_confirm(&topology, &one.asker);
    ck_assert(confirmed == 1 && other.moves == 0);
    one.asker.at = place("10.0.0.2", 6379);
    netron_topology_confirm(&topology, &one.asker);
    ck_assert(other.moves == 1 && one.moves == 0);
    ck_assert_str_eq(other.sentence, "the primary is 10.0.0.2:6379 now");
    netron_topology_ask(&topology, &other.asker); /* it will be told soon enough */
    netron_topology_confirm(&topology, &one.asker);
    ck_assert_int_eq(other.moves, 1);
}
END_TEST

START_TEST(who_hears_of_it_may_end_the_others)
{
    settle_at("10.0.0.1", 6379);
    one.leaves = &other;
    other.leaves = &one;
    tell("10.0.0.2", 6379);
    ck_assert_int_eq(one.moves + other.moves, 1);
    netron_topology_leave(&topology, &one.asker);
    netron_topology_leave(&topology, &other.asker);
    ck_assert_ptr_null(topology.askers);
}
END_TEST

START_TEST(a_doubt_reaches_the_kind_with_its_words)
{
    settle_at("10.0.0.1", 6379);
    netron_topology_doubt(&topology, &one.asker, "READONLY You can't");
    ck_assert_str_eq(doubt_words, "READONLY You can't");
    netron_topology_doubt(&topology, &one.asker, NULL);
    ck_assert_int_eq(doubted, 2);
    netron_topology_free(NULL);
    netron_topology_free(&topology);
    ck_assert_int_eq(freed, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("topology");
    TCase *tcase = suite_case(suite, "topology");
    tcase_add_checked_fixture(tcase, open_topology, NULL);
    tcase_add_test(tcase, a_place_is_a_host_and_a_port);
    tcase_add_test(tcase, who_asks_is_answered_once);
    tcase_add_test(tcase, a_failure_is_for_those_who_ask);
    tcase_add_test(tcase, who_is_elsewhere_has_to_leave);
    tcase_add_test(tcase, who_is_confirmed_draws_the_other_after_it);
    tcase_add_test(tcase, who_hears_of_it_may_end_the_others);
    tcase_add_test(tcase, a_doubt_reaches_the_kind_with_its_words);
    return suite_run(suite);
}
