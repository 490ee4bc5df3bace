/* SPDX-License-Identifier: MIT */
/* Signed nodes, with the memory running out at each allocation in turn: nothing is refused that is right, and nothing
 * believed that is not. */
#include "registry.h"
#include "shortage.h"
#include "signing.h"
#include <stdio.h>
#include <string.h>

#define LOOK_MS 1000
#define INTERVAL 5000
#define KEY_PREFIX "netron:discovery"

static netron_signature_key key, strange_key;

static void run(const struct shortage_story *story, int shortage)
{
    shortage_run(story, (enum shortage)shortage);
}

static void use_keys(void)
{
    key = shared_key(0, "k");
    strange_key = shared_key(1, "k");
    sim.options.signing_key = sim.options.trusted_keys = &key;
    sim.options.trusted_key_count = 1;
    sim.options.pubsub_enabled = 1;
}

/* ---- an own node ---- */

static void join_signing(void)
{
    use_keys();
    sim_join();
    sim_settle();
}

static void enrol(void)
{
    static const netron_service service = {"web", "1"};
    netron_node node = NETRON_NODE_INIT;
    node.id = "n1";
    node.address = "10.0.0.1:80";
    node.services = &service;
    node.service_count = 1;
    shortage_accepts(netron_register(sim.discovery, &node, record_state, &sim.states, &sim.registration));
}

static void enrol_unless_done(void)
{
    if (sim.registration == NULL)
        enrol();
}

static void enrol_and_beat(void)
{
    enrol();
    sim_advance(12 * INTERVAL);
}

static bool is_registered(void)
{
    return latest_state(&sim.states) == NETRON_REGISTERED && sim.peer.has_node;
}

static void expect_signed(void)
{
    ck_assert(sim_last_register_has("\"signature\":\"hmac-sha256:k:"));
}

START_TEST(a_signed_registration)
{
    static const struct shortage_story story = {"sign",        join_signing, enrol_and_beat, enrol_unless_done,
                                                is_registered, expect_signed};
    run(&story, _i);
}
END_TEST

/* ---- a view of signed nodes, and one that is not ---- */

static void write_signed(char *text, size_t size, const struct registry_node *node, unsigned port)
{
    static const netron_service service = {"web", NULL};
    char address[32];
    netron_node signed_node = NETRON_NODE_INIT;
    allocations_are_ours();
    snprintf(address, sizeof(address), "10.0.0.1:%u", port);
    signed_node.id = node->id;
    signed_node.address = address;
    signed_node.services = &service;
    signed_node.service_count = 1;
    bool is_strange = strcmp(node->id, "forged") == 0;
    char *body = signed_body(is_strange ? &strange_key : &key, KEY_PREFIX, &signed_node, "i", 15000, node->revision);
    snprintf(text, size, "%.*s", (int)strlen(body) - 2, body + 1);
    free(body);
    allocations_are_theirs();
}

static void open_view(void)
{
    use_keys();
    registry_open();
    registry.write = write_signed;
    registry_put_many(4);
    registry_put("forged", 6);
    registry.page = 3;
    registry.delta_page = 2;
    sim_join();
    sim_settle();
}

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

static bool is_exact(void)
{
    char expected[256];
    const netron_snapshot *snapshot = netron_view_find(sim.discovery, NULL, NULL);
    netron_snapshot_release(snapshot);
    if (snapshot == NULL || registry_status().state != NETRON_VIEW_FRESH)
        return false;
    /* The forged one is the first by name. */
    snprintf(expected, sizeof(expected), "%s", strchr(registry_picture(), ' ') + 1);
    return strcmp(registry_view(), expected) == 0;
}

static void subscribe_and_sync(void)
{
    subscribe();
    sim_advance(3 * LOOK_MS);
}

START_TEST(the_first_picture_of_signed_nodes)
{
    static const struct shortage_story story = {"first picture",       open_view, subscribe_and_sync,
                                                subscribe_unless_done, is_exact,  NULL};
    run(&story, _i);
}
END_TEST

static void open_synced(void)
{
    open_view();
    subscribe_and_sync();
    ck_assert(is_exact());
}

/* Whoever has no memory may have closed the connection. */
static void publish(const char *id)
{
    if (sim.peer.conns[registry_events_conn()] != -1)
        registry_send(registry_event(id));
    sim_settle();
}

static void change_and_leave(void)
{
    registry_put("n01", 11);
    publish("n01");
    registry_put("new", 12);
    publish("new");
    registry_remove("n02");
    publish("n02");
    registry_put("forged", 13);
    publish("forged");
    registry_put("n02", 14);
    publish("n02");
    sim_advance(3 * LOOK_MS);
}

START_TEST(events_of_signed_nodes)
{
    static const struct shortage_story story = {"events", open_synced, change_and_leave, NULL, is_exact, NULL};
    run(&story, _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shortage_signed");
    TCase *tcase = suite_case(suite, "memory runs out during");
    allocations_of_libraries();
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_signed_registration, 0, SHORTAGES);
    tcase_add_loop_test(tcase, the_first_picture_of_signed_nodes, 0, SHORTAGES);
    tcase_add_loop_test(tcase, events_of_signed_nodes, 0, SHORTAGES);
    return suite_run(suite);
}
