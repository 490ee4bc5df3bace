/* SPDX-License-Identifier: MIT */
/* Updates of services and address on a real Redis: what is written and published, when done is called and how. */
#include "stage.h"

static struct spy spy;
static netron_registration *registration;
static struct state_recorder states;
static struct done_recorder done;

static const netron_service only_users[] = {{"users", "2.0.0"}};
static const netron_service other_services[] = {{"users", "2.0.0"}, {"photos", NULL}};

/* One node, and nobody else. */
static void open_unregistered(void)
{
    open_world();
    discovery = join_connected();
    states.discovery = discovery;
    registration = begin(discovery, "node-1", &states);
}

static void open_registered(void)
{
    open_unregistered();
    AWAIT(&world, states.count == 1);
    ck_assert_int_eq(states.state[0], NETRON_REGISTERED);
}

static void open_registered_alone(void)
{
    start_server();
    open_registered();
}

static int update_address(const char *address)
{
    return netron_registration_update_address(registration, address, record_done, &done);
}

static int update_services(const netron_service *services, size_t count)
{
    return netron_registration_update_services(registration, services, count, record_done, &done);
}

/* ---- what an update does ---- */

START_TEST(new_services_stand_in_redis_and_are_published_once)
{
    char record[1024];
    struct event_recorder events = {0};
    struct link_recorder links = {0};
    spy_watch_events(&spy, &server);
    options.on_link = record_link;
    options.on_link_arg = &links;
    netron_discovery *observer = world_join(&world, &options);
    ck_assert_int_eq(netron_subscribe_to_events(observer, record_event, &events, NULL), 0);
    AWAIT(&world, events.synced == 1);
    events.count = 0; /* the picture before */

    ck_assert_int_eq(update_services(other_services, 2), 0);
    ck_assert_int_eq(done.calls, 0); /* never from inside the call */
    AWAIT(&world, done.calls == 1 && events.count == 1);
    ck_assert_int_eq(done.code, 0);
    server_expect(&server, "[{\"name\":\"users\",\"version\":\"2.0.0\"},{\"name\":\"photos\"}]", "HGET %s services",
                  P ":nodes:node-1");
    server_expect(&server, "1", "SISMEMBER %s node-1", P ":index:service:users");
    server_expect(&server, "1", "SISMEMBER %s node-1", P ":index:service:photos");
    server_expect(&server, "0", "SISMEMBER %s node-1", P ":index:service:mail");
    server_expect(&server, "2", "HGET %s revision", P ":registry");
    server_expect(&server, "2", "ZSCORE %s node-1", P ":changes");
    server_text(&server, record, sizeof(record), "HGET %s node-1", P ":records");
    ck_assert_ptr_nonnull(
        strstr(record, "\"services\":[{\"name\":\"users\",\"version\":\"2.0.0\"},{\"name\":\"photos\"}]"));
    ck_assert(digest_is_right(&server));
    ck_assert_str_eq(events.events[0].text, "NODE_UPDATED node-1 10.0.0.1:4000 users@2.0.0 photos");
    ck_assert_uint_eq(events.events[0].revision, 2);

    world_run(&world, 250); /* two beats: nothing is published for them */
    ck_assert_int_eq(spy_count(&spy, "\"type\":\"NODE_UPDATED\""), 1);
    ck_assert_int_eq(spy.count, 1);
    ck_assert_int_eq(events.count, 1);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(states.count, 1);
    ck_assert_uint_eq(netron_registration_node(registration)->service_count, 2);
    spy_close(&spy);
    netron_discovery_free(observer);
}
END_TEST

START_TEST(a_new_address_stands_in_redis_and_is_published_once)
{
    spy_watch_events(&spy, &server);
    ck_assert_int_eq(update_address("[2001:db8::1]:5000"), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    server_expect(&server, "[2001:db8::1]:5000", "HGET %s address", P ":nodes:node-1");
    server_expect(&server, "1", "SISMEMBER %s node-1", P ":index:service:mail");
    ck_assert_int_eq(spy_count(&spy, "\"address\":\"[2001:db8::1]:5000\""), 1);
    ck_assert_int_eq(spy.count, 1);
    ck_assert(digest_is_right(&server));
    ck_assert_str_eq(netron_registration_node(registration)->address, "[2001:db8::1]:5000");
    spy_close(&spy);
}
END_TEST

START_TEST(a_node_can_give_up_all_its_services)
{
    ck_assert_int_eq(update_services(NULL, 0), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    server_expect(&server, "[]", "HGET %s services", P ":nodes:node-1");
    server_expect(&server, "0", "EXISTS %s %s", P ":index:service:users", P ":index:service:mail");
}
END_TEST

START_TEST(the_same_content_sends_and_publishes_nothing)
{
    const netron_service same[] = {{"users", "1.2.0"}, {"mail", NULL}};
    struct spy *events = &spy;
    static struct spy commands;
    char record[1024];
    char timestamp[64];
    server_text(&server, record, sizeof(record), "HGET %s node-1", P ":records");
    server_text(&server, timestamp, sizeof(timestamp), "HGET %s timestamp", P ":nodes:node-1");
    spy_watch_events(events, &server);
    spy_watch_commands(&commands, &server);
    ck_assert_int_eq(update_services(same, 2), 0);
    ck_assert_int_eq(update_address("10.0.0.1:4000"), 0);
    AWAIT(&world, done.calls == 2);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(spy_count(&commands, "\"EVALSHA\""), 0);
    spy_collect(events);
    ck_assert_int_eq(events->count, 0);
    server_expect(&server, record, "HGET %s node-1", P ":records");
    server_expect(&server, timestamp, "HGET %s timestamp", P ":nodes:node-1");
    server_expect(&server, "1", "HGET %s revision", P ":registry");
    spy_close(events);
    spy_close(&commands);
}
END_TEST

START_TEST(many_updates_in_one_turn_are_one_change_to_the_latest)
{
    char address[32];
    spy_watch_events(&spy, &server);
    for (int i = 0; i < 20; i++) {
        snprintf(address, sizeof(address), "10.0.0.2:%d", 4000 + i);
        ck_assert_int_eq(update_address(address), 0);
    }
    AWAIT(&world, done.calls == 20);
    ck_assert_int_eq(done.code, 0);
    server_expect(&server, "10.0.0.2:4019", "HGET %s address", P ":nodes:node-1");
    server_expect(&server, "2", "HGET %s revision", P ":registry");
    ck_assert_int_eq(spy_count(&spy, "NODE_UPDATED"), 1);
    spy_close(&spy);
}
END_TEST

START_TEST(an_update_that_overtakes_one_in_flight_is_written_after_it)
{
    struct done_recorder second = {0};
    struct done_recorder third = {0};
    ck_assert_int_eq(update_address("10.0.0.2:1"), 0);
    netron_stats stats = {.size = sizeof(stats)};
    world_turn(&world); /* the first is on its way */
    ck_assert_int_eq(netron_registration_update_services(registration, only_users, 1, record_done, &second), 0);
    ck_assert_int_eq(netron_registration_update_address(registration, "10.0.0.3:1", record_done, &third), 0);
    AWAIT(&world, third.calls == 1);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(second.calls, 1);
    ck_assert_int_eq(done.code | second.code | third.code, 0);
    server_expect(&server, "10.0.0.3:1", "HGET %s address", P ":nodes:node-1");
    server_expect(&server, "[{\"name\":\"users\",\"version\":\"2.0.0\"}]", "HGET %s services", P ":nodes:node-1");
    netron_discovery_stats(discovery, &stats);
    ck_assert_uint_le(stats.registers, 3);
}
END_TEST

START_TEST(an_update_before_the_first_registration_becomes_part_of_it)
{
    spy_watch_events(&spy, &server);
    ck_assert_int_eq(update_services(only_users, 1), 0);
    AWAIT(&world, states.count == 1 && done.calls == 1);
    ck_assert_int_eq(done.code, 0);
    server_expect(&server, "1", "HGET %s revision", P ":registry");
    server_expect(&server, "0", "EXISTS %s", P ":index:service:mail");
    ck_assert_int_eq(spy_count(&spy, "NODE_REGISTERED"), 1);
    ck_assert_int_eq(spy.count, 1);
    spy_close(&spy);
}
END_TEST

/* ---- refusals ---- */

START_TEST(input_that_breaks_a_rule_is_refused_before_anything_is_sent)
{
    static char long_name[130];
    static char long_version[66];
    static char long_address[514];
    static netron_service many[NETRON_SERVICES_MAX + 1];
    static char names[NETRON_SERVICES_MAX + 1][8];
    memset(long_name, 'n', sizeof(long_name) - 1);
    memset(long_version, 'v', sizeof(long_version) - 1);
    memset(long_address, 'a', sizeof(long_address) - 1);
    memcpy(long_address + sizeof(long_address) - 3, ":1", 2);
    for (size_t i = 0; i < COUNT(many); i++) {
        snprintf(names[i], sizeof(names[i]), "s%u", (unsigned)i % 10000);
        many[i] = (netron_service){names[i], NULL};
    }
    const netron_service twice[] = {{"a", "1"}, {"a", "1"}};
    const netron_service nameless[] = {{NULL, NULL}};
    const netron_service empty_name[] = {{"", NULL}};
    const netron_service empty_version[] = {{"a", ""}};
    const netron_service control[] = {{"a\n", NULL}};
    const netron_service no_text[] = {{"\xff", NULL}};
    const netron_service too_long_name[] = {{long_name, NULL}};
    const netron_service too_long_version[] = {{"a", long_version}};
    const struct {
        int code;
        const netron_service *services;
        size_t count;
    } services[] = {
        {NETRON_EINVAL, twice, 2},          {NETRON_EINVAL, nameless, 1},      {NETRON_EINVAL, empty_name, 1},
        {NETRON_EINVAL, control, 1},        {NETRON_EINVAL, no_text, 1},       {NETRON_EINVAL, empty_version, 1},
        {NETRON_EINVAL, NULL, 1},           {NETRON_ELIMIT, too_long_name, 1}, {NETRON_ELIMIT, too_long_version, 1},
        {NETRON_ELIMIT, many, COUNT(many)},
    };
    const struct {
        int code;
        const char *address;
    } addresses[] = {{NETRON_EINVAL, NULL},      {NETRON_EINVAL, ""},           {NETRON_EINVAL, "noport"},
                     {NETRON_EINVAL, "a b\n:1"}, {NETRON_EINVAL, "\xc3\x28:1"}, {NETRON_ELIMIT, long_address}};
    for (size_t i = 0; i < COUNT(services); i++) {
        ck_assert_msg(update_services(services[i].services, services[i].count) == services[i].code, "services %zu", i);
        ck_assert_ptr_nonnull(strstr(netron_discovery_error(discovery), "service"));
    }
    for (size_t i = 0; i < COUNT(addresses); i++) {
        ck_assert_msg(update_address(addresses[i].address) == addresses[i].code, "address %zu", i);
        ck_assert_ptr_nonnull(strstr(netron_discovery_error(discovery), "address"));
    }
    ck_assert_int_eq(netron_registration_update_address(NULL, "a:1", record_done, &done), NETRON_EINVAL);
    ck_assert_int_eq(netron_registration_update_services(NULL, only_users, 1, record_done, &done), NETRON_EINVAL);
    world_run(&world, 50);
    ck_assert_int_eq(done.calls, 0);
    server_expect(&server, "1", "HGET %s revision", P ":registry");
    ck_assert_str_eq(netron_registration_node(registration)->address, "10.0.0.1:4000");
    ck_assert_uint_eq(netron_registration_node(registration)->service_count, 2);
}
END_TEST

/* ---- cancelled ---- */

START_TEST(leaving_cancels_pending_updates)
{
    struct done_recorder left = {0};
    ck_assert_int_eq(update_address("10.0.0.2:1"), 0);
    ck_assert_int_eq(netron_registration_deregister(registration, record_done, &left), 0);
    ck_assert_int_eq(update_address("10.0.0.3:1"), NETRON_ESHUTDOWN);
    ck_assert_int_eq(done.calls, 0);
    AWAIT(&world, left.calls == 1);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, NETRON_ECANCELLED);
    ck_assert_int_eq(left.code, 0);
    ck_assert_int_eq(update_services(only_users, 1), NETRON_ESHUTDOWN);
    server_expect(&server, "0", "EXISTS %s %s", P ":nodes:node-1", P ":heartbeat:node-1");
}
END_TEST

START_TEST(shutting_down_cancels_pending_updates)
{
    struct done_recorder shut = {0};
    ck_assert_int_eq(update_address("10.0.0.2:1"), 0);
    ck_assert_int_eq(netron_discovery_shutdown(discovery, record_done, &shut), 0);
    ck_assert_int_eq(update_address("10.0.0.3:1"), NETRON_ESHUTDOWN);
    AWAIT(&world, shut.calls == 1);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, NETRON_ECANCELLED);
    ck_assert_int_eq(shut.code, 0);
}
END_TEST

START_TEST(freeing_cancels_pending_updates_from_inside)
{
    ck_assert_int_eq(update_address("10.0.0.2:1"), 0);
    if (_i == 0) /* else it was not even sent */
        world_turn(&world);
    netron_registration_free(registration);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(done.code, NETRON_ECANCELLED);
    world_run(&world, 50);
    ck_assert_int_eq(done.calls, 1);
    ck_assert_int_eq(states.count, 1);
}
END_TEST

START_TEST(being_replaced_ends_pending_updates)
{
    server_expect(&server, "OK", "SET %s another PX 60000", P ":heartbeat:node-1");
    ck_assert_int_eq(update_address("10.0.0.2:1"), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, NETRON_EREPLACED);
    ck_assert_int_eq(latest_state(&states), NETRON_REPLACED);
    server_expect(&server, "10.0.0.1:4000", "HGET %s address", P ":nodes:node-1");
}
END_TEST

/* ---- updates from inside callbacks ---- */

static int from_inside; /* what the update that was made there returned */

static void update_when_done(netron_discovery *of, int code, void *arg)
{
    (void)of;
    (void)arg;
    ck_assert_int_eq(code, 0);
    from_inside = update_address("10.0.0.9:9");
}

static void update_when_registered(netron_registration *of, netron_registration_state state, int code, void *arg)
{
    record_state(of, state, code, arg);
    from_inside = netron_registration_update_address(of, "10.0.0.9:9", record_done, &done);
}

static void update_on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    (void)subscription;
    (void)arg;
    if (event->type == NETRON_NODE_REGISTERED && strcmp(event->node->id, "node-2") == 0)
        from_inside = update_address("10.0.0.9:9");
}

START_TEST(an_update_from_inside_any_callback_is_made)
{
    struct link_recorder links = {0};
    from_inside = 1;
    netron_node node = NETRON_NODE_INIT;
    node.id = "node-2";
    node.address = "10.0.0.2:1";
    options.on_link = record_link;
    options.on_link_arg = &links;
    netron_discovery *other = world_join(&world, &options);
    if (_i == 0) {
        netron_registration_update_services(registration, only_users, 1, update_when_done, NULL);
    } else if (_i == 1) {
        ck_assert_int_eq(netron_register(other, &node, update_when_registered, &states, NULL), 0);
    } else {
        ck_assert_int_eq(netron_subscribe_to_events(other, update_on_event, NULL, NULL), 0);
        AWAIT(&world, links.is_up[NETRON_LINK_EVENTS]);
        ck_assert_int_eq(netron_register(other, &node, NULL, NULL, NULL), 0);
    }
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(from_inside, 0);
    ck_assert_int_eq(done.code, 0);
    server_expect(&server, "10.0.0.9:9", "HGET %s%d address", P ":nodes:node-", _i == 1 ? 2 : 1);
    netron_discovery_free(other);
}
END_TEST

/* ---- Redis away ---- */

START_TEST(updates_while_redis_is_away_are_applied_once_when_the_link_is_back)
{
    /* The server stays but lets nobody in: it keeps what it holds. */
    spy_watch_events(&spy, &server);
    server_integer(&server, "CLIENT KILL TYPE normal SKIPME yes");
    server_expect(&server, "OK", "CONFIG SET maxclients 2");
    AWAIT(&world, latest_state(&states) == NETRON_FAILED);
    ck_assert_int_eq(update_address("10.0.0.2:1"), 0);
    ck_assert_int_eq(update_services(only_users, 1), 0);
    ck_assert_int_eq(update_address("10.0.0.3:1"), 0);
    world_run(&world, 100);
    ck_assert_int_eq(done.calls, 0);
    server_expect(&server, "OK", "CONFIG SET maxclients 100");
    AWAIT(&world, done.calls == 3);
    ck_assert_int_eq(done.code, 0);
    ck_assert_int_eq(spy_count(&spy, "NODE_UPDATED"), 1);
    ck_assert_int_eq(spy.count, 1);
    server_expect(&server, "2", "HGET %s revision", P ":registry");
    server_expect(&server, "10.0.0.3:1", "HGET %s address", P ":nodes:node-1");
    server_expect(&server, "[{\"name\":\"users\",\"version\":\"2.0.0\"}]", "HGET %s services", P ":nodes:node-1");
    spy_close(&spy);
}
END_TEST

START_TEST(updates_while_redis_is_down_are_part_of_the_registration_afterwards)
{
    server_kill(&server);
    ck_assert_int_eq(update_address("10.0.0.2:1"), 0);
    AWAIT(&world, latest_state(&states) == NETRON_FAILED);
    ck_assert_int_eq(update_address("10.0.0.3:1"), 0);
    ck_assert_int_eq(done.calls, 0); /* being away is no refusal */
    server_start_again(&server, NULL);
    AWAIT(&world, done.calls == 2);
    ck_assert_int_eq(done.code, 0);
    server_expect(&server, "1", "HGET %s revision", P ":registry");
    server_expect(&server, "10.0.0.3:1", "HGET %s address", P ":nodes:node-1");
}
END_TEST

START_TEST(a_refused_update_is_told_and_stays_wanted)
{
    server_expect(&server, "OK", "ACL SETUSER default -evalsha");
    ck_assert_int_eq(update_address("10.0.0.2:1"), 0);
    AWAIT(&world, done.calls == 1);
    ck_assert_int_eq(done.code, NETRON_EPERM);
    ck_assert_int_eq(latest_state(&states), NETRON_FAILED);
    ck_assert_int_eq(states.code[states.count - 1], NETRON_EPERM);
    ck_assert_ptr_nonnull(strstr(netron_discovery_error(discovery), "evalsha"));
    server_expect(&server, "10.0.0.1:4000", "HGET %s address", P ":nodes:node-1");
    server_expect(&server, "OK", "ACL SETUSER default +evalsha");
    AWAIT(&world, latest_state(&states) == NETRON_REGISTERED);
    AWAIT(&world, text_is(&server, "10.0.0.2:1", "HGET %s address", P ":nodes:node-1"));
    ck_assert_int_eq(done.calls, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("update");
    TCase *tcase = suite_case(suite, "before it is registered");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_unregistered, close_world);
    tcase_add_test(tcase, an_update_before_the_first_registration_becomes_part_of_it);
    tcase = suite_case(suite, "registered");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_registered, close_world);
    tcase_add_test(tcase, new_services_stand_in_redis_and_are_published_once);
    tcase_add_test(tcase, a_new_address_stands_in_redis_and_is_published_once);
    tcase_add_test(tcase, a_node_can_give_up_all_its_services);
    tcase_add_test(tcase, the_same_content_sends_and_publishes_nothing);
    tcase_add_test(tcase, many_updates_in_one_turn_are_one_change_to_the_latest);
    tcase_add_test(tcase, an_update_that_overtakes_one_in_flight_is_written_after_it);
    tcase_add_test(tcase, input_that_breaks_a_rule_is_refused_before_anything_is_sent);
    tcase_add_test(tcase, leaving_cancels_pending_updates);
    tcase_add_test(tcase, shutting_down_cancels_pending_updates);
    tcase_add_loop_test(tcase, freeing_cancels_pending_updates_from_inside, 0, 2);
    tcase_add_test(tcase, being_replaced_ends_pending_updates);
    tcase_add_loop_test(tcase, an_update_from_inside_any_callback_is_made, 0, 3);
    tcase = suite_case(suite, "on a server of its own");
    tcase_add_checked_fixture(tcase, open_registered_alone, close_alone);
    tcase_add_test(tcase, updates_while_redis_is_away_are_applied_once_when_the_link_is_back);
    tcase_add_test(tcase, updates_while_redis_is_down_are_part_of_the_registration_afterwards);
    tcase_add_test(tcase, a_refused_update_is_told_and_stays_wanted);
    return suite_run(suite);
}
