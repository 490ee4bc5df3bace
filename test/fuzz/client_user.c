/* SPDX-License-Identifier: MIT */
/* The user of a fuzzed client, from its options to its end. */
#include "client_user.h"
#include "text.h"

struct user user;

/* ---- reading what is handed out ---- */

static uint32_t sum_text(uint32_t sum, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        sum = sum * 31 + (unsigned char)*text;
    return sum * 31 + 1;
}

uint32_t user_sum_node(const netron_node *node)
{
    uint32_t sum = sum_text(sum_text(0, node->id), node->address);
    for (size_t i = 0; i < node->service_count; i++)
        sum = sum_text(sum_text(sum, node->services[i].name), node->services[i].version);
    for (size_t i = 0; i < node->metadata_count; i++)
        sum = sum_text(sum_text(sum, node->metadata[i].key), node->metadata[i].value);
    return sum_text(sum_text(sum, node->reason), node->zone) + node->weight + (uint32_t)node->timestamp_ms;
}

uint32_t user_sum_snapshot(const netron_snapshot *snapshot)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < snapshot->count; i++) {
        sum = sum * 31 + user_sum_node(snapshot->nodes[i]);
        FUZZ_EXPECT(i == 0 || strcmp(snapshot->nodes[i - 1]->id, snapshot->nodes[i]->id) < 0, "not in order");
    }
    return sum;
}

void user_expect_sentence(const char *sentence)
{
    FUZZ_EXPECT(user.says_secret || strstr(sentence, SECRET) == NULL, "the password is told: %s", sentence);
    FUZZ_EXPECT(netron_text_is_utf8(sentence, strlen(sentence)) && !netron_text_has_control(sentence, strlen(sentence)),
                "a sentence that cannot be printed");
}

void user_on_log(netron_log_level level, const char *line, void *arg)
{
    (void)arg;
    FUZZ_EXPECT(level >= NETRON_LOG_ERROR && level <= NETRON_LOG_DEBUG, "level %d", (int)level);
    user_expect_sentence(line);
}

void user_on_link(netron_discovery *discovery, netron_link_role role, int code, const char *sentence, void *arg)
{
    (void)arg;
    FUZZ_EXPECT(discovery == user.discovery, "a link of a discovery that is gone");
    FUZZ_EXPECT((code == 0) == (sentence[0] == '\0'), "code %d with \"%s\"", code, sentence);
    user_expect_sentence(sentence);
    user.is_link_up[role] = code == 0;
    user_react();
}

/* ---- beginning ---- */

static uint32_t interval(struct input *input, uint32_t usual)
{
    uint8_t byte = input_byte(input);
    return byte < 128 ? usual : (uint32_t)(byte - 127) * 50;
}

static void choose_options(struct input *input, char url[URL_SIZE])
{
    uint8_t flags = input_byte(input);
    netron_options_init(&sim.options);
    server_set_place(flags, url);
    sim.options.url = url;
    sim.options.pubsub_enabled = (flags & 4) == 0;
    sim.options.registration_policy = flags & 8 ? NETRON_REJECT : NETRON_TAKE_OVER;
    sim.options.heartbeat_interval_ms = interval(input, 5000);
    sim.options.heartbeat_ttl_ms = 15000;
    sim.options.command_timeout_ms = interval(input, 5000);
    sim.options.ping_interval_ms = interval(input, 10000);
    sim.options.anti_entropy_interval_ms = interval(input, 30000);
    sim.options.lookups_max = flags & 16 ? 2 : 0;
    sim.options.on_link = user_on_link;
    sim.options.log = user_on_log;
}

void user_begin(struct input *input)
{
    char url[URL_SIZE];
    if (user.discovery != NULL)
        return;
    choose_options(input, url);
    user.generation++;
    user.is_leaving = false;
    memset(user.is_link_up, 0, sizeof(user.is_link_up));
    if (netron_discovery_new_on(&sim.loop.seam, &sim.options, &user.discovery) != 0)
        user.discovery = NULL;
}

bool user_exists(void)
{
    return user.discovery != NULL;
}

void user_plan(struct input actions)
{
    user.plan = actions;
}

bool user_may_leave(const char *id)
{
    return user.is_leaving || (strncmp(id, "own", 3) == 0 && id[3] >= '0' && id[3] < '0' + USER_IDS && id[4] == '\0' &&
                               user.may_leave[id[3] - '0']);
}

/* ---- the end ---- */

/* What was pending has ended when free returns, and nothing comes after it. */
void user_free_discovery(void)
{
    netron_discovery *discovery = user.discovery;
    unsigned generation = user.generation;
    if (discovery == NULL)
        return;
    bool is_again = user.is_freeing;
    user.is_freeing = true;
    netron_discovery_free(discovery);
    if (is_again) /* from a callback of the free that is under way: it changes nothing */
        return;
    user.is_freeing = false;
    user.discovery = NULL;
    user.ended = generation;
    for (size_t i = 0; i < user.call_count; i++)
        FUZZ_EXPECT(user.calls[i].is_done || !user.calls[i].is_accepted || user.calls[i].generation != generation,
                    "call %zu was not ended by free", i);
}

void user_end(void)
{
    user.plan.at = user.plan.end;
    user_free_discovery();
    user_release();
}

/* ---- whole again ---- */

static void expect_registrations(void)
{
    for (size_t i = 0; i < user.registration_count; i++) {
        const struct handle *handle = &user.registrations[i];
        if (handle->is_freed || handle->generation != user.generation)
            continue;
        netron_registration_state state = netron_registration_get_state(handle->object);
        FUZZ_EXPECT(state == NETRON_REGISTERED || state == NETRON_REPLACED || state == NETRON_LEFT ||
                        user.may_leave[handle->id] || user.is_leaving ||
                        (state == NETRON_FAILED && sim.options.registration_policy == NETRON_REJECT),
                    "registration %zu is in state %d", i, (int)state);
    }
}

static void expect_view(void)
{
    netron_view_status status = {.size = sizeof(status)};
    FUZZ_EXPECT(netron_view_get_status(user.discovery, &status) == 0, "no status");
    if (status.state == NETRON_VIEW_CLOSED)
        return;
    FUZZ_EXPECT(user.is_link_up[NETRON_LINK_EVENTS], "the events link is down");
    FUZZ_EXPECT(status.state == NETRON_VIEW_FRESH || status.state == NETRON_VIEW_PROTECTED, "the view is in state %d",
                (int)status.state);
    if (disturbance_has_forged() || status.state != NETRON_VIEW_FRESH)
        return;
    sim.discovery = user.discovery;
    FUZZ_EXPECT(status.revision == registry.revision, "revision %llu", (unsigned long long)status.revision);
    FUZZ_EXPECT(strcmp(registry_view(), registry_picture()) == 0, "the view and the registry: %s", registry_picture());
}

void user_expect_recovery(void)
{
    if (user.discovery == NULL || user.is_leaving)
        return;
    FUZZ_EXPECT(user.is_link_up[NETRON_LINK_COMMANDS], "the commands link is down: %s",
                netron_discovery_error(user.discovery));
    expect_registrations();
    expect_view();
}
