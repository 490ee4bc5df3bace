/* SPDX-License-Identifier: MIT */
/* The room catalogue: who offers a service, and snapshots that stay the same for as long as the answer does. */
#include "catalogue.h"
#include "expect.h"
#include "failing_allocations.h"
#include "nodes.h"
#include "random.h"
#include "version_range.h"
#include <inttypes.h>

static struct netron_catalogue catalogue;

static void open_catalogue(void)
{
    ck_assert_int_eq(netron_catalogue_open(&catalogue), 0);
}

static void close_catalogue(void)
{
    netron_catalogue_close(&catalogue);
}

static netron_node *enter(const char *text)
{
    netron_node *node = node_of(text);
    ck_assert_int_eq(netron_catalogue_replace(&catalogue, NULL, node), 0);
    return node;
}

/* As its holder does it: the catalogue keeps no reference. */
static void take_out(netron_node *node)
{
    ck_assert_int_eq(netron_catalogue_replace(&catalogue, node, NULL), 0);
    netron_node_free(node);
}

static netron_node *exchange(netron_node *before, const char *text)
{
    netron_node *after = node_of(text);
    ck_assert_int_eq(netron_catalogue_replace(&catalogue, before, after), 0);
    netron_node_free(before);
    return after;
}

static const char *found(const char *name, const char *range)
{
    const netron_snapshot *snapshot = netron_catalogue_find(&catalogue, name, range);
    ck_assert_ptr_nonnull(snapshot);
    const char *ids = ids_in(snapshot);
    netron_snapshot_release(snapshot);
    return ids;
}

/* ---- joining, leaving, changing ---- */

START_TEST(a_node_is_found_by_each_of_its_services_until_it_leaves)
{
    netron_node *a = enter("a web@1 mail");
    ck_assert_uint_eq(netron_catalogue_count(&catalogue), 1);
    netron_node *b = enter("b web@2");
    netron_node *c = enter("c");
    ck_assert_str_eq(found("web", NULL), "a b");
    ck_assert_str_eq(found("mail", NULL), "a");
    ck_assert_str_eq(found(NULL, NULL), "a b c");
    ck_assert_str_eq(found(NULL, "9.9.9"), "a b c"); /* a range is one of a service */
    ck_assert_uint_eq(netron_catalogue_count(&catalogue), 3);
    take_out(a);
    ck_assert_str_eq(found("web", NULL), "b");
    ck_assert_str_eq(found("mail", NULL), "");
    ck_assert_str_eq(found(NULL, NULL), "b c");
    take_out(c);
    take_out(b);
    ck_assert_str_eq(found("web", NULL), "");
    ck_assert_str_eq(found(NULL, NULL), "");
    ck_assert_uint_eq(netron_catalogue_count(&catalogue), 0);
}
END_TEST

START_TEST(names_are_taken_whole_and_as_they_are_written)
{
    static const char *const others[] = {"", "we", "webs", "Web", "web ", "web@1", "all"};
    netron_node *a = enter("a web@1");
    for (size_t i = 0; i < COUNT_OF(others); i++)
        ck_assert_str_eq(found(others[i], NULL), "");
    take_out(a);
}
END_TEST

static const struct {
    const char *name;
    const char *range;
    const char *ids;
} version_cases[] = {
    {"web", NULL, "a b c d"}, {"web", "1.0.0", "a b"},    {"web", "2.0.0", "a c"},
    {"web", "^1", "a b"},     {"web", ">=1 <3", "a b c"}, {"web", "*", "a b c d"},
    {"web", "^4", ""},        {"web", "", "a b c"},       {"web", "odd one", ""},
};

START_TEST(a_node_with_several_versions_of_a_service_is_found_once_by_each)
{
    netron_node *nodes[] = {enter("a web@1.0.0 mail web@2.0.0 web@2.1.0"), enter("b web@1.0.0"),
                            enter("c web@2.0.0 web@2.2.0"), enter("d web")};
    ck_assert_str_eq(found(version_cases[_i].name, version_cases[_i].range), version_cases[_i].ids);
    for (size_t i = 0; i < COUNT_OF(nodes); i++)
        take_out(nodes[i]);
}
END_TEST

static const struct {
    const char *before;
    const char *after;
    const char *web, *web_one, *mail;
} exchanges[] = {
    {"b web@1.0.0", "b web@1.0.0 mail", "a b c", "a b c", "b"},
    {"b web@1.0.0 mail", "b web@1.0.0", "a b c", "a b c", ""},
    {"b web@1.0.0", "b mail", "a c", "a c", "b"},
    {"b web@1.0.0", "b", "a c", "a c", ""},
    {"b", "b mail@1.0.0 web@1.0.0 mail@2.0.0", "a b c", "a b c", "b"},
    {"b web@1.0.0 web@2.0.0", "b web@2.0.0", "a b c", "a c", ""},
    {"b web@2.0.0", "b web@3.0.0 web@1.0.0", "a b c", "a b c", ""},
    {"b web@1.0.0 mail web@2.0.0 mail@3.0.0", "b mail", "a c", "a c", "b"},
    {"b/h:1 web@1.0.0 mail", "b/h:2 web@1.0.0 mail", "a b c", "a b c", "b"},
};

START_TEST(a_node_that_changes_is_found_by_what_it_offers_now)
{
    netron_node *a = enter("a web@1.0.0");
    netron_node *c = enter("c web@1.0.0");
    netron_node *b = enter(exchanges[_i].before);
    for (int is_asked_before = 0; is_asked_before < 2; is_asked_before++) {
        if (is_asked_before)
            found("web", "^1");
        b = exchange(b, exchanges[_i].after);
        ck_assert_str_eq(found("web", NULL), exchanges[_i].web);
        ck_assert_str_eq(found("web", "^1"), exchanges[_i].web_one);
        ck_assert_str_eq(found("mail", NULL), exchanges[_i].mail);
        ck_assert_str_eq(found(NULL, NULL), "a b c");
        ck_assert_uint_eq(netron_catalogue_count(&catalogue), 3);
        const netron_snapshot *everyone = netron_catalogue_find(&catalogue, NULL, NULL);
        ck_assert_ptr_eq(everyone->nodes[1], b);
        netron_snapshot_release(everyone);
        b = exchange(b, exchanges[_i].before);
    }
    take_out(a);
    take_out(b);
    take_out(c);
}
END_TEST

START_TEST(what_is_found_is_ordered_by_id_however_it_came)
{
    enum { COUNT = 500 };
    static netron_node *nodes[COUNT];
    struct netron_random random = {.state = 5};
    for (size_t i = 0; i < COUNT; i++) {
        char text[64];
        snprintf(text, sizeof(text), "n%" PRIu64 "-%zu web@%zu.0.0", netron_random_next(&random) % 1000, i, i % 3 + 1);
        nodes[i] = enter(text);
        if (i % 50 != 0)
            continue;
        const netron_snapshot *snapshots[] = {netron_catalogue_find(&catalogue, "web", NULL),
                                              netron_catalogue_find(&catalogue, "web", "^2"),
                                              netron_catalogue_find(&catalogue, NULL, NULL)};
        ck_assert_uint_eq(snapshots[0]->count, i + 1);
        for (size_t j = 0; j < COUNT_OF(snapshots); j++) {
            for (size_t k = 1; k < snapshots[j]->count; k++)
                ck_assert_int_lt(strcmp(snapshots[j]->nodes[k - 1]->id, snapshots[j]->nodes[k]->id), 0);
            netron_snapshot_release(snapshots[j]);
        }
    }
    for (size_t i = 0; i < COUNT; i++)
        take_out(nodes[i]);
}
END_TEST

/* ---- snapshots ---- */

START_TEST(while_nothing_changes_the_same_snapshot_is_handed_out_without_an_allocation)
{
    static const struct {
        const char *name, *range;
    } questions[] = {{"web", NULL}, {"web", "^1"}, {"web", "2"}, {NULL, NULL}, {"nobody", NULL}, {"nobody", "1"}};
    netron_node *a = enter("a web@1.0.0");
    netron_node *b = enter("b web@2.0.0");
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        const netron_snapshot *first = netron_catalogue_find(&catalogue, questions[i].name, questions[i].range);
        unsigned long before = allocations;
        bool is_same = true;
        for (int times = 0; times < 100; times++) {
            const netron_snapshot *again = netron_catalogue_find(&catalogue, questions[i].name, questions[i].range);
            is_same = is_same && again == first;
            netron_snapshot_release(again);
        }
        unsigned long after = allocations; /* assertions allocate, too */
        ck_assert_uint_eq(after, before);
        ck_assert(is_same);
        netron_snapshot_release(first);
    }
    take_out(a);
    take_out(b);
}
END_TEST

/* What is found before and after b becomes something else: which answers are new ones. */
static const struct {
    const char *before;
    const char *after;
    bool web, mail, news;
} changes[] = {
    {"b web@1", "b web@2", true, false, false},
    {"b web@1", "b web@1 mail", true, true, false},
    {"b mail", NULL, false, true, false},
    {NULL, "b mail@1 mail@2", false, true, false},
    {"b", "b/h:2", false, false, false},
    {"b web mail", "b/h:2 web mail", true, true, false},
    {"b other", "b another", false, false, false},
    {"b news", "b/h:2 news", false, false, true},
    {"b news@1 web@1", "b web@1", true, false, true},
    {NULL, "b", false, false, false},
};

START_TEST(a_change_makes_new_snapshots_for_its_services_alone)
{
    static const char *const names[] = {"web", "mail", "news"};
    const bool is_new[] = {changes[_i].web, changes[_i].mail, changes[_i].news};
    const netron_snapshot *plain[3];
    const netron_snapshot *ranged[3];
    netron_node *a = enter("a web@1 mail@1 news@1");
    netron_node *b = changes[_i].before != NULL ? enter(changes[_i].before) : NULL;
    netron_node *after = node_of(changes[_i].after);
    for (size_t i = 0; i < 3; i++) {
        plain[i] = netron_catalogue_find(&catalogue, names[i], NULL);
        ranged[i] = netron_catalogue_find(&catalogue, names[i], ">=1");
    }
    const netron_snapshot *everyone = netron_catalogue_find(&catalogue, NULL, NULL);
    char ids[64];
    snprintf(ids, sizeof(ids), "%s", ids_in(everyone));
    ck_assert_int_eq(netron_catalogue_replace(&catalogue, b, after), 0);
    netron_node_free(b);
    for (size_t i = 0; i < 3; i++) {
        const netron_snapshot *again = netron_catalogue_find(&catalogue, names[i], NULL);
        ck_assert_msg((again != plain[i]) == is_new[i], "%s", names[i]);
        netron_snapshot_release(again);
        again = netron_catalogue_find(&catalogue, names[i], ">=1");
        ck_assert_msg((again != ranged[i]) == is_new[i], "%s in a range", names[i]);
        netron_snapshot_release(again);
        netron_snapshot_release(plain[i]);
        netron_snapshot_release(ranged[i]);
    }
    const netron_snapshot *again = netron_catalogue_find(&catalogue, NULL, NULL);
    ck_assert_ptr_ne(again, everyone);
    ck_assert_str_eq(ids_in(everyone), ids); /* what was handed out stays what it was */
    netron_snapshot_release(again);
    netron_snapshot_release(everyone);
    if (after != NULL)
        take_out(after);
    take_out(a);
}
END_TEST

START_TEST(a_snapshot_outlives_its_nodes_and_the_catalogue)
{
    netron_node *a = enter("a web@1.0.0");
    const netron_snapshot *snapshot = netron_catalogue_find(&catalogue, "web", "^1");
    take_out(a);
    netron_catalogue_close(&catalogue);
    netron_catalogue_close(&catalogue);
    ck_assert_uint_eq(netron_catalogue_count(&catalogue), 0);
    ck_assert_str_eq(snapshot->nodes[0]->services[0].version, "1.0.0");
    netron_snapshot_release(snapshot);
}
END_TEST

START_TEST(of_many_ranges_the_latest_32_of_a_service_stand_ready)
{
    enum { ASKED = 33, READY = 32 };
    const netron_snapshot *first[ASKED];
    char range[16];
    netron_node *a = enter("a web@1.0.0 mail@1.0.0");
    const netron_snapshot *of_mail = netron_catalogue_find(&catalogue, "mail", ">=0.0.0");
    for (int i = 0; i < ASKED; i++) {
        snprintf(range, sizeof(range), ">=0.0.%d", i);
        first[i] = netron_catalogue_find(&catalogue, "web", range);
        ck_assert_uint_eq(first[i]->count, 1);
    }
    unsigned long before = allocations;
    int same = 0;
    for (int i = ASKED - READY; i < ASKED; i++) {
        snprintf(range, sizeof(range), ">=0.0.%d", i);
        const netron_snapshot *again = netron_catalogue_find(&catalogue, "web", range);
        same += again == first[i];
        netron_snapshot_release(again);
    }
    unsigned long after = allocations;
    ck_assert_int_eq(same, READY);
    ck_assert_uint_eq(after, before);
    const netron_snapshot *again = netron_catalogue_find(&catalogue, "web", ">=0.0.0");
    ck_assert_ptr_ne(again, first[0]); /* had to make room, and makes room for itself now */
    ck_assert_str_eq(ids_in(again), "a");
    netron_snapshot_release(again);
    again = netron_catalogue_find(&catalogue, "mail", ">=0.0.0");
    ck_assert_ptr_eq(again, of_mail);
    netron_snapshot_release(again);
    netron_snapshot_release(of_mail);
    for (int i = 0; i < ASKED; i++)
        netron_snapshot_release(first[i]);
    take_out(a);
}
END_TEST

/* ---- without memory ---- */

static const struct {
    const char *before;
    const char *after;
} wanted[] = {
    {NULL, "e web@1 new-1 new-2 mail"}, {"d", "d web new-1"}, {"d web@1", "d web@1 web@2 new-1 new-2"},
    {NULL, "e new-1 new-1@2 web@2"},    {NULL, "e"},          {NULL, NULL /* very many services */},
};

static const char *many_services(void)
{
    static char text[16384];
    size_t length = (size_t)snprintf(text, sizeof(text), "e web@1");
    for (int i = 0; i < 1000; i++) /* the table of names has to grow on the way */
        length += (size_t)snprintf(text + length, sizeof(text) - length, " s%d", i);
    return text;
}

START_TEST(without_memory_nothing_of_a_change_happens)
{
    static const char *const names[] = {NULL, "web", "mail", "new-1", "new-2", "s0", "s999"};
    const netron_snapshot *before[COUNT_OF(names)];
    netron_node *others[] = {enter("a web@1 mail"), enter("b web@1 mail"), enter("c web@1 mail"), NULL};
    if (wanted[_i].before == NULL)
        others[3] = enter("d web@1 mail"); /* with four members a list is full */
    netron_node *old = wanted[_i].before != NULL ? enter(wanted[_i].before) : NULL;
    const char *text = wanted[_i].before == NULL && wanted[_i].after == NULL ? many_services() : wanted[_i].after;
    netron_node *after = node_of(text);
    int code = NETRON_ENOMEM;
    long granted = 0;
    for (; code != 0; granted++) {
        for (size_t i = 0; i < COUNT_OF(names); i++)
            before[i] = netron_catalogue_find(&catalogue, names[i], NULL);
        allocations_left = granted;
        code = netron_catalogue_replace(&catalogue, old, after);
        allocations_left = -1;
        ck_assert_msg(code == 0 || code == NETRON_ENOMEM, "after %ld allocations: %d", granted, code);
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            const netron_snapshot *now = netron_catalogue_find(&catalogue, names[i], NULL);
            ck_assert_msg(code == 0 || now == before[i], "after %ld allocations: %s", granted, names[i]);
            netron_snapshot_release(now);
            netron_snapshot_release(before[i]);
        }
        ck_assert_uint_eq(netron_catalogue_count(&catalogue), code == 0 || old != NULL ? (old != NULL ? 4 : 5) : 4);
    }
    ck_assert_int_gt(granted, 1);
    for (size_t i = 0; i < after->service_count; i++)
        ck_assert_ptr_nonnull(strstr(found(after->services[i].name, NULL), after->id));
    netron_node_free(old);
    take_out(after);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (others[i] != NULL)
            take_out(others[i]);
}
END_TEST

START_TEST(without_memory_there_is_no_answer_and_later_there_is)
{
    static const struct {
        const char *name, *range;
    } questions[] = {{"web", NULL}, {"web", "^1"}, {NULL, NULL}};
    netron_node *a = enter("a web@1.0.0");
    for (size_t i = 0; i < COUNT_OF(questions); i++) {
        const netron_snapshot *snapshot = NULL;
        long granted = 0;
        for (; snapshot == NULL; granted++) {
            allocations_left = granted;
            snapshot = netron_catalogue_find(&catalogue, questions[i].name, questions[i].range);
            allocations_left = -1;
            ck_assert_int_lt(granted, 100);
        }
        ck_assert_int_gt(granted, 1);
        ck_assert_str_eq(ids_in(snapshot), "a");
        netron_snapshot_release(snapshot);
    }
    allocations_left = 0; /* leaving and having left need none */
    int code = netron_catalogue_replace(&catalogue, a, NULL);
    const netron_snapshot *snapshot = netron_catalogue_find(&catalogue, "web", NULL);
    allocations_left = -1;
    ck_assert_int_eq(code, 0);
    ck_assert_uint_eq(snapshot->count, 0);
    netron_snapshot_release(snapshot);
    netron_node_free(a);
}
END_TEST

START_TEST(without_memory_there_is_no_catalogue)
{
    for (long granted = 0; granted < 2; granted++) {
        struct netron_catalogue another;
        allocations_left = granted;
        int code = netron_catalogue_open(&another);
        allocations_left = -1;
        ck_assert_int_eq(code, NETRON_ENOMEM);
        netron_catalogue_close(&another);
    }
}
END_TEST

/* ---- against a model ---- */

enum { IDS = 40, NAMES = 6, STEPS = 6000 };

static const char *const ranges[] = {NULL, "*", "^1", "1.1.0", ">=2", "<1.1.0 || 3.x"};

static netron_node *random_node(struct netron_random *random, size_t id)
{
    static const char *const versions[] = {"", "@1.0.0", "@1.1.0", "@2.0.0", "@3.0.0-rc.1"};
    char text[256];
    bool used[NAMES * COUNT_OF(versions)] = {false};
    int length = snprintf(text, sizeof(text), "n%zu/h:%" PRIu64, id, netron_random_next(random) % 3 + 1);
    for (uint64_t count = netron_random_next(random) % 5; count > 0; count--) {
        size_t pair = (size_t)(netron_random_next(random) % COUNT_OF(used));
        if (used[pair])
            continue;
        used[pair] = true;
        length +=
            snprintf(text + length, sizeof(text) - (size_t)length, " s%zu%s", pair % NAMES, versions[pair / NAMES]);
    }
    return node_of(text);
}

static int compare_ids(const void *one, const void *other)
{
    return strcmp((*(netron_node *const *)one)->id, (*(netron_node *const *)other)->id);
}

static void compare_with_model(netron_node *const *model, const char *name, const char *range_text,
                               const netron_snapshot *snapshot)
{
    netron_node *expected[IDS];
    size_t count = 0;
    struct netron_version_range *range = NULL;
    ck_assert_int_eq(netron_version_range_parse(range_text, &range, NULL), 0);
    for (size_t i = 0; i < IDS; i++) {
        bool is_wanted = false;
        for (size_t j = 0; model[i] != NULL && j < model[i]->service_count; j++)
            is_wanted |= strcmp(model[i]->services[j].name, name) == 0 &&
                         netron_version_range_accepts(range, model[i]->services[j].version);
        if (is_wanted)
            expected[count++] = model[i];
    }
    netron_version_range_free(range);
    qsort(expected, count, sizeof(expected[0]), compare_ids);
    ck_assert_uint_eq(snapshot->count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_ptr_eq(snapshot->nodes[i], expected[i]);
}

START_TEST(thousands_of_random_changes_give_the_answers_of_a_naive_model)
{
    netron_node *model[IDS] = {NULL};
    const netron_snapshot *latest[NAMES][COUNT_OF(ranges)] = {{NULL}};
    struct netron_random random = {.state = (uint64_t)_i + 1};
    size_t nodes = 0;
    for (int step = 0; step < STEPS; step++) {
        size_t id = (size_t)(netron_random_next(&random) % IDS);
        netron_node *before = model[id];
        netron_node *after = before != NULL && netron_random_next(&random) % 3 == 0 ? NULL : random_node(&random, id);
        ck_assert_int_eq(netron_catalogue_replace(&catalogue, before, after), 0);
        model[id] = after;
        nodes = nodes + (after != NULL) - (before != NULL);
        ck_assert_uint_eq(netron_catalogue_count(&catalogue), nodes);
        for (size_t i = 0; i < NAMES; i++) {
            char name[8];
            snprintf(name, sizeof(name), "s%zu", i);
            bool is_touched = (before != NULL && netron_node_service(before, name, NULL) != NULL) ||
                              (after != NULL && netron_node_service(after, name, NULL) != NULL);
            size_t j = (size_t)(netron_random_next(&random) % COUNT_OF(ranges));
            for (size_t k = 0; k < COUNT_OF(ranges) && is_touched; k++) {
                netron_snapshot_release(latest[i][k]);
                latest[i][k] = NULL;
            }
            const netron_snapshot *now = netron_catalogue_find(&catalogue, name, ranges[j]);
            compare_with_model(model, name, ranges[j], now);
            ck_assert(latest[i][j] == NULL || latest[i][j] == now);
            netron_snapshot_release(latest[i][j]);
            latest[i][j] = now;
        }
        netron_node_free(before);
    }
    ck_assert_uint_gt(nodes, IDS / 4);
    for (size_t i = 0; i < NAMES * COUNT_OF(ranges); i++)
        netron_snapshot_release(latest[i / COUNT_OF(ranges)][i % COUNT_OF(ranges)]);
    for (size_t i = 0; i < IDS; i++)
        if (model[i] != NULL)
            take_out(model[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("catalogue");
    TCase *tcase = suite_case(suite, "catalogue");
    tcase_add_checked_fixture(tcase, open_catalogue, close_catalogue);
    tcase_add_test(tcase, a_node_is_found_by_each_of_its_services_until_it_leaves);
    tcase_add_test(tcase, names_are_taken_whole_and_as_they_are_written);
    tcase_add_loop_test(tcase, a_node_with_several_versions_of_a_service_is_found_once_by_each, 0,
                        COUNT_OF(version_cases));
    tcase_add_loop_test(tcase, a_node_that_changes_is_found_by_what_it_offers_now, 0, COUNT_OF(exchanges));
    tcase_add_test(tcase, what_is_found_is_ordered_by_id_however_it_came);
    tcase_add_test(tcase, while_nothing_changes_the_same_snapshot_is_handed_out_without_an_allocation);
    tcase_add_loop_test(tcase, a_change_makes_new_snapshots_for_its_services_alone, 0, COUNT_OF(changes));
    tcase_add_test(tcase, a_snapshot_outlives_its_nodes_and_the_catalogue);
    tcase_add_test(tcase, of_many_ranges_the_latest_32_of_a_service_stand_ready);
    tcase_add_loop_test(tcase, without_memory_nothing_of_a_change_happens, 0, COUNT_OF(wanted));
    tcase_add_test(tcase, without_memory_there_is_no_answer_and_later_there_is);
    tcase_add_test(tcase, without_memory_there_is_no_catalogue);
    tcase_add_loop_test(tcase, thousands_of_random_changes_give_the_answers_of_a_naive_model, 0, 3);
    return suite_run(suite);
}
