/* SPDX-License-Identifier: MIT */
/* The calls of a fuzzed client's user, and the callbacks that they lead to. */
#include "client_user.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const names[] = {"web", "mail", "", NULL};
static const char *const ranges[] = {NULL, "*", "^1", ">=1.2 <2 || 3.x", "latest", "1.0.0"};

/* ---- callbacks ---- */

void user_react(void)
{
    if (user.depth >= 4 || user.plan.at == user.plan.end)
        return;
    user.depth++;
    user_act(&user.plan);
    user.depth--;
}

static void end_call(void *arg, int code)
{
    struct call *call = arg;
    FUZZ_EXPECT(call->is_accepted, "called back from inside the call, or after an error");
    FUZZ_EXPECT(!call->is_done, "called back twice");
    FUZZ_EXPECT(call->generation > user.ended, "called back after free");
    FUZZ_EXPECT(code <= 0, "code %d", code);
    call->is_done = true;
    user_react();
}

static void on_done(netron_discovery *discovery, int code, void *arg)
{
    (void)discovery;
    end_call(arg, code);
}

static void on_nodes(netron_discovery *discovery, int code, const netron_node *const *nodes, size_t count, void *arg)
{
    (void)discovery;
    FUZZ_EXPECT(code == 0 || count == 0, "nodes with code %d", code);
    for (size_t i = 0; i < count; i++) {
        user_sum_node(nodes[i]);
        FUZZ_EXPECT(i == 0 || strcmp(nodes[i - 1]->id, nodes[i]->id) < 0, "nodes are not in order, or twice");
    }
    end_call(arg, code);
}

static void on_active(netron_discovery *discovery, int code, int active, void *arg)
{
    (void)discovery;
    FUZZ_EXPECT(active == 0 || (active == 1 && code == 0), "active %d with code %d", active, code);
    end_call(arg, code);
}

static void on_state(netron_registration *registration, netron_registration_state state, int code, void *arg)
{
    struct handle *handle = arg;
    FUZZ_EXPECT(!handle->is_freed && handle->generation > user.ended, "told of what was freed");
    FUZZ_EXPECT(registration == handle->object && netron_registration_get_state(registration) == state,
                "state %d with code %d", (int)state, code);
    user_sum_node(netron_registration_node(registration));
    user_react();
}

static void on_event(netron_subscription *subscription, const netron_event *event, void *arg)
{
    struct handle *handle = arg;
    FUZZ_EXPECT(!handle->is_freed && handle->generation > user.ended, "told of what was freed");
    FUZZ_EXPECT(subscription == handle->object, "another subscription");
    user_sum_node(event->node);
    user_expect_sentence(event->reason);
    user_react();
}

/* ---- what is held ---- */

static struct call *begin_call(void)
{
    if (user.call_count == CALLS_MAX)
        return NULL;
    struct call *call = &user.calls[user.call_count++];
    *call = (struct call){.generation = user.generation};
    return call;
}

static void end_begin(struct call *call, int code)
{
    FUZZ_EXPECT(code <= 0, "code %d", code);
    call->is_accepted = code == 0;
}

static struct handle *pick_handle(struct handle *handles, size_t count, unsigned which)
{
    struct handle *handle = count > 0 ? &handles[which % count] : NULL;
    return handle != NULL && !handle->is_freed && handle->generation > user.ended ? handle : NULL;
}

static struct held *pick_held(struct held *held, unsigned which)
{
    return &held[which % HELD_MAX];
}

static void release_snapshot(struct held *held)
{
    FUZZ_EXPECT(held->object == NULL || user_sum_snapshot(held->object) == held->sum, "a snapshot has changed");
    netron_snapshot_release(held->object);
    *held = (struct held){NULL, 0};
}

static void hold_snapshot(unsigned which, const netron_snapshot *snapshot)
{
    struct held *held = pick_held(user.snapshots, which);
    release_snapshot(held);
    if (snapshot != NULL)
        *held = (struct held){snapshot, user_sum_snapshot(snapshot)};
}

static void report(struct held *held, int ok)
{
    if (held->object == NULL)
        return;
    FUZZ_EXPECT(user_sum_node(held->object) == held->sum, "a picked node has changed");
    netron_picker_report(user.picked_from, held->object, ok);
    *held = (struct held){NULL, 0};
}

static void free_picker(void)
{
    netron_picker_free(user.picker);
    user.picker = NULL;
}

static void report_all(void)
{
    for (unsigned i = 0; i < HELD_MAX; i++)
        report(&user.picks[i], (int)(i & 1));
    user.picked_from = NULL;
}

void user_release(void)
{
    free_picker();
    report_all();
    for (unsigned i = 0; i < HELD_MAX; i++)
        release_snapshot(&user.snapshots[i]);
}

/* ---- calls ---- */

static void act_register(uint8_t which)
{
    static const netron_metadata metadata[] = {{"k", "v"}};
    char id[8];
    netron_service services[2];
    if (user.registration_count == HANDLES_MAX)
        return;
    struct handle *handle = &user.registrations[user.registration_count];
    *handle = (struct handle){.generation = user.generation, .id = which % USER_IDS};
    snprintf(id, sizeof(id), "own%u", handle->id);
    netron_node node =
        make_node(id, "10.0.0.1:80", services, "web", which & 16 ? "1.2.3" : NULL, which & 32 ? "mail" : NULL, NULL);
    node.weight = which & 64;
    node.metadata = metadata;
    node.metadata_count = which >> 7;
    user.registration_count++;
    if (netron_register(user.discovery, &node, on_state, handle, (netron_registration **)&handle->object) != 0)
        handle->is_freed = true;
}

static int update(netron_registration *registration, uint8_t what, uint8_t how, struct call *call)
{
    static const netron_service services[] = {{"web", "1.2.3"}, {"mail", NULL}};
    static const netron_metadata metadata[] = {{"a", "1"}, {"b", ""}};
    static const char *const addresses[] = {"10.0.0.1:80", "[::1]:1", "", "h:65535"};
    switch (what % 5) {
    case 0:
        return netron_registration_update_services(registration, services, how % 3u, on_done, call);
    case 1:
        return netron_registration_update_address(registration, addresses[how % 4u], on_done, call);
    case 2:
        return netron_registration_update_state(registration, (netron_node_state)(how % 4u), how & 8 ? "why" : NULL,
                                                on_done, call);
    case 3:
        return netron_registration_update_weight(registration, how, on_done, call);
    default:
        return netron_registration_update_metadata(registration, metadata, how % 3u, on_done, call);
    }
}

static void act_on_registration(uint8_t action, uint8_t which, uint8_t how)
{
    struct handle *handle = pick_handle(user.registrations, user.registration_count, which);
    if (handle == NULL)
        return;
    if (action == 3) {
        handle->is_freed = true;
        netron_registration_free(handle->object);
        return;
    }
    struct call *call = begin_call();
    if (call == NULL)
        return;
    if (action != 0)
        user.may_leave[handle->id] = true;
    if (action == 0)
        end_begin(call, update(handle->object, how, how >> 3, call));
    else if (action == 1)
        end_begin(call, netron_registration_drain(handle->object, how * 40u, on_done, call));
    else
        end_begin(call, netron_registration_deregister(handle->object, on_done, call));
}

static void act_lookup(uint8_t action, uint8_t how)
{
    char id[8];
    struct call *call = begin_call();
    if (call == NULL)
        return;
    snprintf(id, sizeof(id), how & 1 ? "own%u" : "n%02u", how % 8u);
    if (action == 0)
        end_begin(call, netron_find_nodes_by_service(user.discovery, names[how % COUNT(names)],
                                                     ranges[(how >> 3) % COUNT(ranges)], on_nodes, call));
    else if (action == 1)
        end_begin(call, netron_get_active_nodes(user.discovery, on_nodes, call));
    else
        end_begin(call, netron_is_node_active(user.discovery, id, on_active, call));
}

static void act_subscribe(void)
{
    if (user.subscription_count == HANDLES_MAX)
        return;
    struct handle *handle = &user.subscriptions[user.subscription_count++];
    *handle = (struct handle){.generation = user.generation};
    if (netron_subscribe_to_events(user.discovery, on_event, handle, (netron_subscription **)&handle->object) != 0)
        handle->is_freed = true;
}

static void act_unsubscribe(uint8_t which)
{
    struct handle *handle = pick_handle(user.subscriptions, user.subscription_count, which);
    if (handle == NULL)
        return;
    handle->is_freed = true;
    netron_subscription_free(handle->object);
}

static void act_view(uint8_t action, uint8_t how)
{
    char id[8];
    snprintf(id, sizeof(id), how & 1 ? "own%u" : "n%02u", how % 8u);
    if (action == 0)
        netron_view_open(user.discovery);
    else if (action == 1)
        hold_snapshot(how, netron_view_find(user.discovery, how & 128 ? NULL : names[how % 2u],
                                            ranges[(how >> 3) % COUNT(ranges)]));
    else
        hold_snapshot(how, netron_view_node(user.discovery, id));
}

static void act_pick(uint8_t action, uint8_t how)
{
    netron_picker_options options;
    struct held *held = pick_held(user.picks, how);
    if (action == 0 && user.picker == NULL && user.picked_from == NULL) {
        netron_picker_options_init(&options);
        options.policy = (netron_pick_policy)(how % 5u);
        options.ejection_failures = 1 + (how >> 6);
        if (netron_picker_new(user.discovery, "web", ranges[(how >> 3) % 3u], &options, &user.picker) != 0)
            user.picker = NULL;
        user.picked_from = user.picker;
        user.picker_generation = user.generation;
    } else if (action == 1 && user.picker_generation > user.ended && user.picker != NULL && held->object == NULL) {
        const netron_node *node = netron_picker_pick(user.picker, how & 64 ? "key" : NULL, how & 64 ? 3 : 0);
        if (node != NULL)
            *held = (struct held){node, user_sum_node(node)};
    } else if (action == 2) {
        report(held, how >> 7);
    } else if (action == 3) {
        free_picker();
        report_all();
    }
}

static void act_ask(void)
{
    netron_stats stats = {.size = sizeof(stats)};
    netron_view_status status = {.size = sizeof(status)};
    FUZZ_EXPECT(netron_discovery_stats(user.discovery, &stats) == 0, "no stats");
    FUZZ_EXPECT(netron_view_get_status(user.discovery, &status) == 0, "no status");
    FUZZ_EXPECT(status.kept_count <= status.node_count, "%zu kept of %zu", status.kept_count, status.node_count);
    user_expect_sentence(netron_discovery_error(user.discovery));
}

static void act_leave(void)
{
    struct call *call = begin_call();
    if (call == NULL)
        return;
    user.is_leaving = true;
    end_begin(call, netron_discovery_shutdown(user.discovery, on_done, call));
}

void user_act(struct input *input)
{
    uint8_t action = input_byte(input) % 20;
    uint8_t which = input_byte(input);
    if (user.discovery == NULL)
        return;
    if (action <= 1)
        act_register(which);
    else if (action <= 5)
        act_on_registration((uint8_t)(action - 2), which, input_byte(input));
    else if (action <= 8)
        act_lookup((uint8_t)(action - 6), which);
    else if (action == 9)
        act_subscribe();
    else if (action == 10)
        act_unsubscribe(which);
    else if (action <= 13)
        act_view((uint8_t)(action - 11), which);
    else if (action <= 17)
        act_pick((uint8_t)(action - 14), which);
    else if (action == 18)
        act_ask();
    else if (which % 3 == 0)
        act_leave();
    else if (which % 3 == 1)
        user_free_discovery();
}
