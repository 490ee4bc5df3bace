/* SPDX-License-Identifier: MIT */
/* Lookups of each kind, with the memory running out at each allocation in turn. */
#include "shortage.h"
#include <stdio.h>
#include <string.h>

#define EVERYBODY                                                                                                      \
    "n0 10.0.0.1:1 web@1.2.0; n1 10.0.0.1:1 web@1.2.0; n2 10.0.0.1:1 web@1.2.0; n3 10.0.0.1:1 web@1.2.0; "             \
    "original-1 10.0.0.2:1 web@1.4.0"

static struct nodes_recorder by_service, all;
static struct active_recorder active;
static int codes[3]; /* what the calls returned */

static void begin(void)
{
    sim_join();
    sim_settle();
}

/* ---- a registry of five, one of them of the original, in pages of two ids ---- */

static const char *say_ids(struct peer *peer, const struct peer_command *command)
{
    bool is_first = strstr(command->text, " 0 COUNT") != NULL;
    bool is_second = strstr(command->text, " 2 COUNT") != NULL;
    if (is_first)
        return "*2\r\n$1\r\n2\r\n*2\r\n$2\r\nn0\r\n$2\r\nn1\r\n";
    if (is_second)
        return "*2\r\n$1\r\n4\r\n*3\r\n$2\r\nn2\r\n$2\r\nn3\r\n$2\r\nn0\r\n";
    return peer_say(peer, "*2\r\n$1\r\n0\r\n*1\r\n$10\r\noriginal-1\r\n");
}

/* For each id that is asked for; keys end with them. */
static const char *say_of_each(struct peer *peer, const char *words, const char *(*say)(const char *word, char *room))
{
    char room[512];
    size_t count = 0, length = 0;
    for (const char *at = strchr(words, ' '); at != NULL; at = strchr(at + 1, ' '))
        count++;
    length += (size_t)snprintf(peer->scratch, sizeof(peer->scratch), "*%zu\r\n", count);
    for (const char *at = strchr(words, ' '); at != NULL; at = strchr(at + 1, ' '))
        length += (size_t)snprintf(peer->scratch + length, sizeof(peer->scratch) - length, "%s", say(at + 1, room));
    return peer->scratch;
}

static const char *record_of(const char *word, char *room)
{
    char line[256];
    if (word[0] != 'n')
        return "$-1\r\n";
    int length = snprintf(line, sizeof(line),
                          "7 0123456789ab i-%.2s 5 {\"nodeId\":\"%.2s\","
                          "\"address\":\"10.0.0.1:1\",\"services\":[{\"name\":\"web\",\"version\":\"1.2.0\"}]}",
                          word, word);
    sprintf(room, "$%d\r\n%s\r\n", length, line);
    return room;
}

static const char *heartbeat_of(const char *word, char *room)
{
    static const char prefix[] = "netron:discovery:heartbeat:";
    const char *id = word + sizeof(prefix) - 1;
    if (id[0] != 'n')
        return "$1\r\n1\r\n";
    sprintf(room, "$4\r\ni-%.2s\r\n", id);
    return room;
}

static const char *answer(struct peer *peer, const struct peer_command *command)
{
    static const char records[] = "HMGET netron:discovery:records";
    if (peer_is(command, "SCARD ") || peer_is(command, "EXISTS "))
        return ":1\r\n";
    if (peer_is(command, "ZCARD "))
        return ":1\r\n";
    if (peer_is(command, "SSCAN "))
        return say_ids(peer, command);
    if (peer_is(command, records))
        return say_of_each(peer, command->text + sizeof(records) - 1, record_of);
    if (peer_is(command, "MGET "))
        return say_of_each(peer, command->text, heartbeat_of);
    if (peer_is(command, "HMGET netron:discovery:nodes:"))
        return "*3\r\n$10\r\n10.0.0.2:1\r\n$34\r\n[{\"name\":\"web\",\"version\":\"1.4.0\"}]\r\n$1\r\n5\r\n";
    return peer_answer_well(peer, command);
}

/* ---- the story ---- */

static void ask(int which)
{
    if (which == 0)
        codes[0] = netron_find_nodes_by_service(sim.discovery, "web", "^1.2", record_nodes, &by_service);
    else if (which == 1)
        codes[1] = netron_get_active_nodes(sim.discovery, record_nodes, &all);
    else
        codes[2] = netron_is_node_active(sim.discovery, "n0", record_active, &active);
    shortage_accepts(codes[which]);
}

static void ask_all(void)
{
    by_service = all = (struct nodes_recorder){0};
    active = (struct active_recorder){0};
    sim.peer.answer = answer;
    for (int i = 0; i < 3; i++)
        ask(i);
    sim_advance(1000);
}

static void expect_whole_or_failed(const struct nodes_recorder *nodes, int code)
{
    ck_assert_int_eq(nodes->calls, code == 0);
    if (nodes->calls == 1 && nodes->code == 0)
        ck_assert_str_eq(nodes->text, EVERYBODY);
}

static void expect_whole_answers_or_none(void)
{
    netron_stats stats = {.size = sizeof(stats)};
    expect_whole_or_failed(&by_service, codes[0]);
    expect_whole_or_failed(&all, codes[1]);
    ck_assert_int_eq(active.calls, codes[2] == 0);
    ck_assert(active.code != 0 || active.calls == 0 || active.active == 1);
    netron_discovery_stats(sim.discovery, &stats);
    ck_assert_uint_eq(stats.skipped_records, 0); /* none of them is garbage */
    ask_all();
}

static bool is_answered(void)
{
    if (all.calls == 1 && by_service.calls == 1 && active.calls == 1 && all.code == 0 && by_service.code == 0 &&
        active.code == 0)
        return active.active == 1 && strcmp(all.text, EVERYBODY) == 0 && strcmp(by_service.text, EVERYBODY) == 0;
    ask_all(); /* there is no connection yet */
    return false;
}

START_TEST(lookups)
{
    static const struct shortage_story story = {"lookups",   begin, ask_all, expect_whole_answers_or_none,
                                                is_answered, NULL};
    shortage_run(&story, (enum shortage)_i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shortage_lookup");
    TCase *tcase = suite_case(suite, "memory runs out during");
    allocations_of_libraries();
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, lookups, 0, SHORTAGES);
    return suite_run(suite);
}
