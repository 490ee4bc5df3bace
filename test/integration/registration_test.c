/* SPDX-License-Identifier: MIT */
/* Registrations on a real Redis: what they write, how they live, and what brings them back after every loss. */
#include "stage.h"
#include <script_sources.h>
#include <stdlib.h>

static struct spy spy;

/* ---- what stands in Redis ---- */

static void assert_between(long long value, long long from, long long to)
{
    ck_assert_msg(value >= from && value <= to, "%lld is not between %lld and %lld", value, from, to);
}

static long long server_time_ms(void)
{
    redisReply *reply = server_ask(&server, "TIME");
    long long now = atoll(reply->element[0]->str) * 1000 + atoll(reply->element[1]->str) / 1000;
    freeReplyObject(reply);
    return now;
}

START_TEST(a_node_stands_in_redis_as_the_protocol_says)
{
    static const char services[] = "[{\"name\":\"users\",\"version\":\"1.2.0\"},{\"name\":\"mail\"}]";
    struct state_recorder states = {0};
    char incarnation[64];
    char timestamp[64];
    char digest[64];
    char text[1024];
    char expected[1024];
    long long before = server_time_ms();
    options.heartbeat_interval_ms = 5000;
    options.heartbeat_ttl_ms = 15000;
    begin_registered(&states);
    long long after = server_time_ms();

    ck_assert(server_text(&server, incarnation, sizeof(incarnation), "GET %s", P ":heartbeat:node-1"));
    ck_assert_uint_eq(strlen(incarnation), 16);
    ck_assert_uint_eq(strspn(incarnation, "0123456789abcdef"), 16);
    assert_between(server_integer(&server, "PTTL %s", P ":heartbeat:node-1"), 10000, 15000);

    ck_assert_int_eq(server_integer(&server, "HLEN %s", P ":nodes:node-1"), 4);
    server_expect(&server, "10.0.0.1:4000", "HGET %s address", P ":nodes:node-1");
    server_expect(&server, services, "HGET %s services", P ":nodes:node-1");
    server_text(&server, timestamp, sizeof(timestamp), "HGET %s timestamp", P ":nodes:node-1");
    assert_between(atoll(timestamp), before, after);
    assert_between(server_integer(&server, "PTTL %s", P ":nodes:node-1"), 140000, 150000);

    server_expect(&server, "1", "SCARD %s", P ":index:nodes");
    server_expect(&server, "1", "SISMEMBER %s node-1", P ":index:nodes");
    server_expect(&server, "1", "SISMEMBER %s node-1", P ":index:service:users");
    server_expect(&server, "1", "SISMEMBER %s node-1", P ":index:service:mail");
    server_text(&server, text, sizeof(text), "ZSCORE %s node-1", P ":expiry");
    assert_between(atoll(text), before + 15000, after + 15000);
    server_expect(&server, "1", "ZSCORE %s node-1", P ":changes");

    ck_assert_int_eq(server_integer(&server, "HLEN %s", P ":registry"), 5);
    server_expect(&server, "1", "HGET %s revision", P ":registry");
    server_expect(&server, "0", "HGET %s floor", P ":registry");
    server_text(&server, text, sizeof(text), "HGET %s epoch", P ":registry");
    ck_assert_uint_eq(strspn(text, "0123456789abcdef"), 16);
    ck_assert(digest_is_right(&server));

    server_text(&server, digest, sizeof(digest), "HGET %s digest", P ":registry");
    snprintf(expected, sizeof(expected),
             "1 %s %s %s {\"nodeId\":\"node-1\",\"address\":\"10.0.0.1:4000\",\"services\":%s}", digest, incarnation,
             timestamp, services);
    server_expect(&server, "1", "HLEN %s", P ":records");
    server_expect(&server, expected, "HGET %s node-1", P ":records");

    static const char *const bookkeeping[] = {
        P ":records", P ":index:service:users", P ":index:service:mail", P ":expiry", P ":changes", P ":registry"};
    for (size_t i = 0; i < sizeof(bookkeeping) / sizeof(bookkeeping[0]); i++)
        assert_between(server_integer(&server, "PTTL %s", bookkeeping[i]), 3590000, 3600000);
    server_expect(&server, "9", "DBSIZE");
}
END_TEST

START_TEST(a_prefix_and_a_ttl_of_its_own_are_kept_to)
{
    struct state_recorder states = {0};
    options.key_prefix = "other";
    options.heartbeat_ttl_ms = 600000;
    begin_registered(&states);
    assert_between(server_integer(&server, "PTTL other:heartbeat:node-1"), 590000, 600000);
    assert_between(server_integer(&server, "PTTL other:nodes:node-1"), 5990000, 6000000);
    assert_between(server_integer(&server, "PTTL other:records"), 5990000, 6000000);
    char record[1024];
    ck_assert(server_text(&server, record, sizeof(record), "HGET other:records node-1"));
    ck_assert_ptr_nonnull(strstr(record, ",\"ttl\":600000}"));
    redisReply *reply = server_ask(&server, "KEYS netron:*");
    ck_assert_uint_eq(reply->elements, 0);
    freeReplyObject(reply);
}
END_TEST

START_TEST(an_id_with_odd_characters_is_registered_as_it_is)
{
    static const char id[] = "a \"b\" \\c {d} %s *? \xc3\xa9:e";
    struct state_recorder states = {0};
    discovery = join_connected();
    begin(discovery, id, &states);
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    server_expect(&server, "1", "SISMEMBER %s %s", P ":index:nodes", id);
    server_expect(&server, "1", "EXISTS %s%s", P ":heartbeat:", id);
    server_expect(&server, "1", "EXISTS %s%s", P ":nodes:", id);
    AWAIT(&world, beats(discovery) >= 2);
    ck_assert_int_eq(states.count, 1);
}
END_TEST

/* ---- beats ---- */

START_TEST(beats_renew_the_heartbeat_beyond_its_ttl)
{
    struct state_recorder states = {0};
    begin_registered(&states);
    uint64_t begun = world_clock_ms();
    AWAIT(&world, world_clock_ms() > begun + 1100);
    assert_between(server_integer(&server, "PTTL %s", P ":heartbeat:node-1"), 1, 1000);
    ck_assert_uint_ge(beats(discovery), 1);
    ck_assert_int_eq(states.count, 1);
}
END_TEST

START_TEST(a_steady_node_sends_nine_beats_and_then_a_register)
{
    struct state_recorder states = {0};
    options.heartbeat_interval_ms = 10;
    begin_registered(&states);
    AWAIT(&world, registers(discovery) >= 2); /* from a repair on */
    spy_watch_commands(&spy, &server);
    uint64_t from = registers(discovery);
    AWAIT(&world, registers(discovery) >= from + 3);
    spy_collect(&spy);
    int since = -1;
    int rounds = 0;
    int loads = 0;
    for (int i = 0; i < spy.count; i++) {
        if (strcmp(spy.line[i], "\"GETEX\" \"" P ":heartbeat:node-1\" \"PX\" \"1000\"") == 0) {
            since += since >= 0;
            continue;
        }
        if (strncmp(spy.line[i], "\"SCRIPT\" \"LOAD\"", 15) == 0 && ++loads == 1)
            continue; /* the first look after the registry */
        ck_assert_msg(strncmp(spy.line[i], "\"EVALSHA\" ", 10) == 0, "a steady node sent %s", spy.line[i]);
        if (strstr(spy.line[i], netron_script_source_reconcile.sha1) != NULL)
            continue; /* after a repair the registry is looked after as well */
        ck_assert_ptr_nonnull(strstr(spy.line[i], "\"" P ":registry\" \"node-1\""));
        ck_assert_ptr_nonnull(strstr(spy.line[i], "\"renew\""));
        if (since >= 0)
            ck_assert_int_eq(since, 9);
        since = 0;
        rounds++;
    }
    ck_assert_int_ge(rounds, 3);
    server_expect(&server, "1", "HGET %s revision", P ":registry"); /* all that changed nothing */
    spy_close(&spy);
}
END_TEST

/* ---- losses ---- */

static const netron_registration_state lost_and_back[] = {NETRON_REGISTERED, NETRON_LOST, NETRON_REGISTERED};

START_TEST(a_heartbeat_that_is_gone_is_told_and_made_again)
{
    struct state_recorder states = {0};
    char before[64];
    begin_registered(&states);
    server_text(&server, before, sizeof(before), "GET %s", P ":heartbeat:node-1");
    server_expect(&server, "1", "DEL %s", P ":heartbeat:node-1");
    AWAIT(&world, states.count == 3);
    assert_states(&states, 3, lost_and_back);
    ck_assert_int_eq(states.code[1], 0);
    server_expect(&server, before, "GET %s", P ":heartbeat:node-1");
    server_expect(&server, "1", "HGET %s revision", P ":registry");
}
END_TEST

START_TEST(a_heartbeat_of_the_wrong_type_is_made_right)
{
    struct state_recorder states = {0};
    begin_registered(&states);
    server_expect(&server, "1", "DEL %s", P ":heartbeat:node-1");
    server_expect(&server, "1", "HSET %s a b", P ":heartbeat:node-1");
    AWAIT(&world, states.count == 3);
    assert_states(&states, 3, lost_and_back);
    server_expect(&server, "string", "TYPE %s", P ":heartbeat:node-1");
}
END_TEST

START_TEST(after_a_flush_everything_is_back)
{
    struct state_recorder states = {0};
    char epoch[64];
    begin_registered(&states);
    server_text(&server, epoch, sizeof(epoch), "HGET %s epoch", P ":registry");
    server_expect(&server, "OK", "FLUSHALL");
    AWAIT(&world, states.count == 3);
    assert_states(&states, 3, lost_and_back);
    server_expect(&server, "9", "DBSIZE");
    ck_assert(digest_is_right(&server));
    ck_assert(!text_is(&server, epoch, "HGET %s epoch", P ":registry"));
}
END_TEST

static const struct {
    const char *damage; /* of node-1 while node-2 stands beside it */
    const char *repaired;
    const char *answer;
} damages[] = {
    {"DEL " P ":records", "HEXISTS " P ":records node-1", "1"},
    {"HDEL " P ":records node-1", "HEXISTS " P ":records node-1", "1"},
    {"HSET " P ":records node-1 garbage", "EVAL %s 1 " P ":records node-1", "1"},
    {"DEL " P ":nodes:node-1", "HEXISTS " P ":nodes:node-1 services", "1"},
    {"HSET " P ":nodes:node-1 address 6.6.6.6:6", "HGET " P ":nodes:node-1 address", "10.0.0.1:4000"},
    {"DEL " P ":index:nodes", "SISMEMBER " P ":index:nodes node-1", "1"},
    {"SREM " P ":index:nodes node-1", "SISMEMBER " P ":index:nodes node-1", "1"},
    {"DEL " P ":index:service:users", "SISMEMBER " P ":index:service:users node-1", "1"},
    {"DEL " P ":expiry", "EXISTS " P ":expiry", "1"},
    {"DEL " P ":changes", "EXISTS " P ":registry", "1"},
    {"DEL " P ":registry", "EXISTS " P ":registry", "1"},
};

START_TEST(what_was_deleted_is_repaired_by_the_tenth_beat)
{
    struct state_recorder states[2] = {{0}, {0}};
    options.heartbeat_interval_ms = 10;
    begin_registered(&states[0]);
    begin(discovery, "node-2", &states[1]);
    AWAIT(&world, latest_state(&states[1]) == NETRON_REGISTERED);
    freeReplyObject(server_ask(&server, damages[_i].damage));
    /* Each has a turn, and again after the other's. */
    uint64_t enough = beats(discovery) + 60;
    AWAIT(&world, beats(discovery) >= enough);
    server_expect(&server, damages[_i].answer, damages[_i].repaired,
                  "return string.match(redis.call('HGET', KEYS[1], ARGV[1]), '{.*}$') and 1 or 0");
    server_expect(&server, "2", "HLEN " P ":records");
    server_expect(&server, "2", "SCARD " P ":index:nodes");
    server_expect(&server, "2", "ZCARD " P ":expiry");
    ck_assert_msg(digest_is_right(&server), "after %s the digest is not the sum of the tags", damages[_i].damage);
    ck_assert_int_eq(states[0].count, 1);
    ck_assert_int_eq(states[1].count, 1);
}
END_TEST

/* ---- many ---- */

START_TEST(two_hundred_nodes_share_one_discovery)
{
    enum { NODES = 200 };
    struct state_recorder *states = calloc(NODES, sizeof(*states));
    struct done_recorder done = {0};
    netron_stats stats = {.size = sizeof(stats)};
    options.heartbeat_interval_ms = 500;
    options.heartbeat_ttl_ms = 10000;
    discovery = join_connected();
    for (int i = 0; i < NODES; i++) {
        char id[16];
        snprintf(id, sizeof(id), "node-%d", i);
        begin(discovery, id, &states[i]);
    }
    AWAIT(&world, (netron_discovery_stats(discovery, &stats), stats.nodes_registered == NODES));
    server_expect(&server, "200", "SCARD " P ":index:nodes");
    server_expect(&server, "200", "SCARD " P ":index:service:users");
    server_expect(&server, "200", "HLEN " P ":records");
    server_expect(&server, "200", "HGET " P ":registry revision");
    ck_assert(digest_is_right(&server));
    AWAIT(&world, beats(discovery) >= NODES);
    ck_assert_int_eq(netron_discovery_shutdown(discovery, record_done, &done), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    server_expect(&server, "2", "DBSIZE"); /* registry and changes */
    server_expect(&server, "000000000000", "HGET " P ":registry digest");
    for (int i = 0; i < NODES; i++) {
        static const netron_registration_state life[] = {NETRON_REGISTERED, NETRON_LEAVING, NETRON_LEFT};
        assert_states(&states[i], 3, life);
    }
    free(states);
}
END_TEST

/* ---- Redis away ---- */

START_TEST(a_node_registers_when_redis_comes_up_later)
{
    struct state_recorder states = {0};
    server_kill(&server);
    discovery = world_join(&world, &options);
    states.discovery = discovery;
    netron_registration *registration = begin(discovery, "node-1", &states);
    AWAIT(&world, states.count == 1);
    ck_assert_int_eq(states.state[0], NETRON_FAILED);
    ck_assert_int_eq(states.code[0], NETRON_EDISCONNECTED);
    ck_assert_ptr_nonnull(strstr(states.sentence, "connect"));
    server_start_again(&server, NULL);
    AWAIT(&world, states.count == 2);
    ck_assert_int_eq(states.state[1], NETRON_REGISTERED);
    ck_assert_int_eq(netron_registration_get_state(registration), NETRON_REGISTERED);
    server_expect(&server, "9", "DBSIZE");
    uint64_t enough = beats(discovery) + 2;
    AWAIT(&world, beats(discovery) >= enough);
    ck_assert_int_eq(states.count, 2);
}
END_TEST

START_TEST(a_node_that_was_away_for_its_ttl_is_lost_once_and_comes_back)
{
    struct state_recorder states = {0};
    begin_registered(&states);
    server_kill(&server);
    AWAIT(&world, latest_state(&states) == NETRON_LOST);
    ck_assert_int_eq(states.code[states.count - 1], NETRON_EDISCONNECTED);
    int told = states.count;
    world_run(&world, 300); /* further tries fail, and are no news */
    ck_assert_int_eq(states.count, told);
    server_start_again(&server, NULL);
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    ck_assert_int_eq(states.count, told + 2);
    ck_assert_int_eq(states.state[told], NETRON_LOST); /* for a new reason: this Redis does not know the node */
    ck_assert_int_eq(states.code[told], 0);
    server_expect(&server, "9", "DBSIZE");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registration");
    TCase *tcase = suite_case(suite, "on a shared server");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_add_test(tcase, a_node_stands_in_redis_as_the_protocol_says);
    tcase_add_test(tcase, a_prefix_and_a_ttl_of_its_own_are_kept_to);
    tcase_add_test(tcase, an_id_with_odd_characters_is_registered_as_it_is);
    tcase_add_test(tcase, beats_renew_the_heartbeat_beyond_its_ttl);
    tcase_add_test(tcase, a_steady_node_sends_nine_beats_and_then_a_register);
    tcase_add_test(tcase, a_heartbeat_that_is_gone_is_told_and_made_again);
    tcase_add_test(tcase, a_heartbeat_of_the_wrong_type_is_made_right);
    tcase_add_test(tcase, after_a_flush_everything_is_back);
    tcase_add_loop_test(tcase, what_was_deleted_is_repaired_by_the_tenth_beat, 0, sizeof(damages) / sizeof(damages[0]));
    tcase_add_test(tcase, two_hundred_nodes_share_one_discovery);
    tcase = suite_case(suite, "on a server of its own");
    tcase_add_checked_fixture(tcase, open_alone, close_alone);
    tcase_add_test(tcase, a_node_registers_when_redis_comes_up_later);
    tcase_add_test(tcase, a_node_that_was_away_for_its_ttl_is_lost_once_and_comes_back);
    return suite_run(suite);
}
