/* SPDX-License-Identifier: MIT */
/*
 * Every command of a usual life, answered with every hostile answer: once, and for as long as it lasts. Whatever it
 * was, nobody's node is taken out, what went wrong is told, and everything is whole again once the server answers well.
 */
#include "registry.h"
#include <stdio.h>
#include <string.h>

#define NODES 4
#define TROUBLE_MS 6000
#define HEALING_MS 12000

/* ---- the server ---- */

struct question {
    const char *name;
    const char *beginning;                             /* of the command; or */
    bool (*is_it)(const struct peer_command *command); /* the script */
};

static const struct question questions[] = {
    {"AUTH", "AUTH ", NULL},
    {"HELLO", "HELLO", NULL},
    {"SELECT", "SELECT ", NULL},
    {"CLIENT SETNAME", "CLIENT SETNAME ", NULL},
    {"SUBSCRIBE", "SUBSCRIBE ", NULL},
    {"PING", "PING", NULL},
    {"SCRIPT LOAD", "SCRIPT LOAD ", NULL},
    {"register", NULL, peer_is_register},
    {"deregister", NULL, peer_is_deregister},
    {"sync", NULL, peer_is_sync},
    {"reconcile", NULL, peer_is_reconcile},
    {"GETEX", "GETEX ", NULL},
    {"HMGET registry", "HMGET netron:discovery:registry ", NULL},
    {"HSCAN", "HSCAN ", NULL},
    {"SCARD", "SCARD ", NULL},
    {"ZCARD", "ZCARD ", NULL},
    {"SSCAN", "SSCAN ", NULL},
    {"HMGET records", "HMGET netron:discovery:records ", NULL},
    {"MGET", "MGET ", NULL},
    {"HMGET node", "HMGET netron:discovery:nodes:", NULL},
    {"EXISTS", "EXISTS ", NULL},
};
#define QUESTION_COUNT (int)(sizeof(questions) / sizeof(questions[0]))

static const struct question *spoilt_question; /* NULL: none any more */
static const char *spoilt_answer;
static bool is_always;
static size_t spoilt; /* how often */
static bool has_script;

static bool is_question(const struct peer_command *command, const struct question *question)
{
    return question->is_it != NULL ? question->is_it(command) : peer_is(command, question->beginning);
}

static const char *answer_well(struct peer *peer, const struct peer_command *command)
{
    if (peer_is(command, "EVALSHA ") && !has_script)
        return "-NOSCRIPT No matching script. Please use EVAL.\r\n";
    if (peer_is(command, "SCRIPT LOAD "))
        has_script = true;
    if (peer_is(command, "PING") && peer_count(peer, "SUBSCRIBE ") > 0 && command->conn == registry_events_conn())
        return "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
    return registry_answer(peer, command);
}

static const char *answer(struct peer *peer, const struct peer_command *command)
{
    if (spoilt_question == NULL || !is_question(command, spoilt_question) || (spoilt > 0 && !is_always))
        return answer_well(peer, command);
    spoilt++;
    return spoilt_answer;
}

/* ---- the user ---- */

static struct nodes_recorder found, active;
static struct active_recorder one;
static int failures; /* told by a code */

static void note_nodes(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    failures += code != 0;
    record_nodes(discovery, code, nodes, count, arg);
}

static void note_active(netron_discovery *discovery, int code, int is_active, void *arg)
{
    failures += code != 0;
    record_active(discovery, code, is_active, arg);
}

static void note_link(netron_discovery *discovery, netron_link_role role, int code, const char *sentence, void *arg)
{
    failures += code != 0;
    record_link(discovery, role, code, sentence, arg);
}

static void note_state(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    failures += state == NETRON_LOST || state == NETRON_FAILED || state == NETRON_REPLACED;
    record_state(registration, state, code, arg);
}

static void note_line(netron_log_level level, const char *line, void *arg)
{
    failures += level <= NETRON_LOG_WARNING;
    (void)line, (void)arg;
}

static void look_up(void)
{
    ck_assert_int_eq(netron_find_nodes_by_service(sim.discovery, "web", NULL, note_nodes, &found), 0);
    ck_assert_int_eq(netron_get_active_nodes(sim.discovery, note_nodes, &active), 0);
    ck_assert_int_eq(netron_is_node_active(sim.discovery, "n00", note_active, &one), 0);
}

static void begin_life(char url[128])
{
    netron_service services[2];
    netron_node node = make_node("n1", "10.0.0.1:80", services, "web", "1", NULL, NULL);
    sim_open();
    registry_open();
    registry_put_many(NODES);
    snprintf(url, 128, "unix://app:secret@%s?db=3", sim.peer.path);
    sim.options.url = url;
    sim.options.pubsub_enabled = 1;
    sim.options.heartbeat_interval_ms = 2000;
    sim.options.ping_interval_ms = 400;
    sim.options.command_timeout_ms = 1000;
    sim.options.reconnect_max_ms = 2000;
    sim.options.anti_entropy_interval_ms = 3000;
    sim.options.on_link = note_link;
    sim.options.log = note_line;
    sim.peer.answer = answer;
    has_script = false;
    spoilt = 0;
    failures = 0;
    memset(&sim.links, 0, sizeof(sim.links));
    memset(&sim.states, 0, sizeof(sim.states));
    memset(&registry_heard, 0, sizeof(registry_heard));
    found = active = (struct nodes_recorder){0};
    one = (struct active_recorder){0};
    sim_join();
    ck_assert_int_eq(netron_subscribe_to_events(sim.discovery, record_event, &registry_heard, NULL), 0);
    ck_assert_int_eq(netron_register(sim.discovery, &node, note_state, &sim.states, &sim.registration), 0);
    sim_settle(); /* else the first lookups find no connection */
}

static void live(uint64_t ms)
{
    for (uint64_t passed = 0; passed < ms; passed += 1500) {
        look_up();
        sim_advance(1500);
        if (passed == 3000)
            netron_registration_update_address(sim.registration, "10.0.0.1:81", NULL, NULL);
    }
}

/* ---- what has to hold ---- */

static int departures(void)
{
    int count = 0;
    for (int i = 0; i < registry_heard.count; i++)
        count += registry_heard.events[i].type == NETRON_NODE_DEREGISTERED;
    return count;
}

/* The words of another process where the heartbeat's owner stands: that is the end, as it would be in earnest. */
static bool is_replaced(void)
{
    return spoilt_question->is_it == NULL && strcmp(spoilt_question->name, "GETEX") == 0 && spoilt_answer[0] == '$' &&
           latest_state(&sim.states) == NETRON_REPLACED;
}

#define EXPECT(condition)                                                                                              \
    ck_assert_msg(condition, "%s answered by \"%s\"%s: %s", question->name, hostile_answers[which],                    \
                  is_always ? " always" : "", #condition)

/* What users, log and statistics have heard of trouble. */
static uint64_t told(void)
{
    netron_stats stats = {.size = sizeof(stats)};
    ck_assert_int_eq(netron_discovery_stats(sim.discovery, &stats), 0);
    return (uint64_t)failures + stats.retries + stats.skipped_records + stats.skipped_events;
}

/* What a server may well say to the question: the script is loaded then, or read on; the rest decides nothing. */
static bool is_honest(const struct question *question, const char *said)
{
    static const struct {
        const char *question;
        const char *beginning; /* of the answer */
    } honest[] = {
        {"AUTH", "+OK\r"},
        {"SELECT", "+OK\r"},
        {"CLIENT SETNAME", "+OK\r"},
        {"CLIENT SETNAME", "-"}, /* nothing depends on the name */
        {"HELLO", "-NOPERM"},    /* an ACL may forbid it */
        {"PING", "-"},           /* a sign of life, too */
        {"register", "-NOSCRIPT"},
        {"deregister", "-NOSCRIPT"},
        {"sync", "-NOSCRIPT"},
        {"reconcile", "-NOSCRIPT"},
        {"reconcile", "*9\r\n:-1\r"},           /* nothing is due */
        {"HMGET registry", "*2\r\n$4\r\nfull"}, /* it has no revision: there is no registry */
        {"SCARD", ":0\r"},
        {"SCARD", ":9"},
        {"ZCARD", ":0\r"},
        {"ZCARD", ":9"},
        {"SSCAN", "*2\r\n$1\r\n7\r"},
        {"MGET", "*4\r\n"}, /* four heartbeats, of others */
        {"EXISTS", ":0\r"},
    };
    for (size_t i = 0; i < sizeof(honest) / sizeof(honest[0]); i++)
        if (strcmp(honest[i].question, question->name) == 0 && peer_behind(said, honest[i].beginning)[0] != '\0')
            return true;
    return false;
}

/* A first try that finds no connection yet counts as well. */
static uint64_t told_usually;

static void live_usually(void)
{
    char url[128];
    spoilt_question = NULL;
    begin_life(url);
    live(TROUBLE_MS);
    told_usually = told();
    sim_close();
}

static void expect_whole(const struct question *question, size_t which)
{
    EXPECT(sim.links.is_up[NETRON_LINK_COMMANDS] && sim.links.is_up[NETRON_LINK_EVENTS]);
    EXPECT(registry_status().state == NETRON_VIEW_FRESH);
    EXPECT(strcmp(registry_view(), registry_picture()) == 0);
    EXPECT(registry_heard.synced == 1);
    EXPECT(departures() == 0);
    EXPECT(found.code == 0 && found.count == NODES);
    EXPECT(active.code == 0 && active.count == NODES);
    EXPECT(one.code == 0 && one.active == 1);
    EXPECT(sim_deregisters() == 0);
}

static void spoil_a_life(const struct question *question, size_t which)
{
    char url[128];
    struct done_recorder left = {0};
    bool is_leaving = question->is_it == peer_is_deregister;
    spoilt_question = question;
    spoilt_answer = hostile_answers[which];
    begin_life(url);
    live(TROUBLE_MS);
    EXPECT(is_leaving || spoilt > 0);
    uint64_t told_in_trouble = told();
    bool is_ended = is_replaced();
    if (!is_leaving)
        spoilt_question = NULL;
    live(HEALING_MS);
    expect_whole(question, which);
    EXPECT(is_ended || latest_state(&sim.states) == NETRON_REGISTERED);
    ck_assert_int_eq(netron_registration_deregister(sim.registration, record_done, &left), 0);
    sim_advance(20000);
    EXPECT(left.calls == 1);
    bool is_final = strncmp(spoilt_answer, "-NOAUTH", 7) == 0 || strncmp(spoilt_answer, "-NOPERM", 7) == 0;
    if (is_leaving && (is_always || is_final))
        EXPECT(left.code != 0); /* all tries are used up, or there is no sense in another */
    else
        EXPECT(left.code == 0 || is_ended);
    EXPECT((is_leaving ? told() : told_in_trouble) > told_usually || is_honest(question, spoilt_answer));
    sim_close();
}

/* A page that is always followed by another is given up after so many that it is a test of its own (sync_garbage). */
static const char never_ends[] = "*2\r\n$1\r\n7\r\n";

/* A test for each command, once and always; the answers in turn. */
START_TEST(a_hostile_answer_is_told_and_survived_and_takes_nobody_out)
{
    is_always = _i >= QUESTION_COUNT;
    live_usually();
    for (size_t which = 0; which < hostile_answer_count; which++)
        if (!is_always || strncmp(hostile_answers[which], never_ends, strlen(never_ends)) != 0)
            spoil_a_life(&questions[_i % QUESTION_COUNT], which);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile_commands");
    TCase *tcase = suite_case(suite, "commands");
    tcase_add_loop_test(tcase, a_hostile_answer_is_told_and_survived_and_takes_nobody_out, 0, 2 * QUESTION_COUNT);
    return suite_run(suite);
}
