/* SPDX-License-Identifier: MIT */
/* Those who stand in the registry: publishers with their claims, and the original's nodes. */
#include "core.h"
#include "discovery.h"
#include "model.h"
#include <stdio.h>
#include <string.h>

#define ORIGINAL_BEAT_MS 200u

/* ---- publishers ---- */

void model_publisher_start(struct model *model, int publisher)
{
    static char names[PUBLISHERS][8] = {"p0", "p1", "p2", "marker"};
    bool is_spared = publisher == MARKER_PUBLISHER;
    netron_options options = world_options(is_spared ? model->server.url : model_url_of(model, PUBLISHERS_SIDE));
    model_network_options(&options);
    options.heartbeat_interval_ms = MODEL_BEAT_MS;
    options.heartbeat_ttl_ms = MODEL_TTL_MS;
    options.client_name = names[publisher];
    options.log = model_log;
    options.log_arg = names[publisher];
    options.retry_count = 10;
    options.pubsub_enabled = publisher != 2; /* this one's changes are found by looking alone */
    netron_discovery *discovery = world_join(&model->world, &options);
    netron_discovery_core(discovery)->random.state = model_draw(&model->random, UINT64_MAX);
    model->publishers[publisher].discovery = discovery;
    model_trace(model, "start publisher %d", publisher);
}

void model_publisher_crash(struct model *model, int publisher)
{
    model_trace(model, "crash publisher %d", publisher);
    netron_discovery_free(model->publishers[publisher].discovery);
    model->publishers[publisher].discovery = NULL;
    for (int i = 0; i < CLAIMS; i++) {
        struct model_claim *claim = &model->claims[i];
        if (!claim->is_used || claim->publisher != publisher)
            continue;
        model_touch(model, claim->id, 1, 1);
        claim->is_used = false;
    }
}

/* ---- claims ---- */

static void on_updated(netron_discovery *discovery, int code, void *arg)
{
    struct model_claim *claim = arg;
    (void)discovery;
    (void)code; /* it may be taken over or leave meanwhile; what counts is what comes of it */
    claim->unanswered--;
}

static void on_left(netron_discovery *discovery, int code, void *arg)
{
    struct model_claim *claim = arg;
    (void)discovery;
    (void)code;
    claim->has_left = true;
}

bool model_claim_has_ended(const struct model_claim *claim)
{
    return claim->has_left || netron_registration_get_state(claim->registration) == NETRON_REPLACED;
}

void model_claim_begin(struct model *model, int id, int publisher)
{
    netron_service services[SERVICES];
    char name[2] = {MODEL_IDS[id], '\0'};
    char address[32];
    struct model_claim *claim = model->claims;
    while (claim < model->claims + CLAIMS && claim->is_used)
        claim++;
    if (claim == model->claims + CLAIMS)
        return;
    *claim = (struct model_claim){.is_used = true, .id = id, .publisher = publisher, .order = ++model->claim_count};
    model_content_draw(&claim->content, &model->random);
    const netron_node node = model_content_node(&claim->content, name, services, address);
    ck_assert_int_eq(netron_register(model->publishers[publisher].discovery, &node, NULL, NULL, &claim->registration),
                     0);
    model_touch(model, id, 0, 3);
    model_trace(model, "register %c by %d", MODEL_IDS[id], publisher);
}

void model_claim_change(struct model *model, struct model_claim *claim)
{
    netron_service services[SERVICES];
    char name[2] = {MODEL_IDS[claim->id], '\0'};
    char address[32];
    struct model_content content = claim->content;
    unsigned what = (unsigned)model_draw(&model->random, 3);
    int code;
    if (what == 0)
        content.port = 1000 + (unsigned)model_draw(&model->random, 9000);
    else if (what == 1)
        model_content_draw_services(&content, &model->random);
    else
        content.state = (netron_node_state)model_draw(&model->random, NETRON_NODE_MAINTENANCE + 1);
    const netron_node node = model_content_node(&content, name, services, address);
    claim->unanswered++;
    if (what == 0)
        code = netron_registration_update_address(claim->registration, address, on_updated, claim);
    else if (what == 1)
        code =
            netron_registration_update_services(claim->registration, services, node.service_count, on_updated, claim);
    else
        code = netron_registration_update_state(claim->registration, node.state, NULL, on_updated, claim);
    model_trace(model, "change %c by %d: %d", MODEL_IDS[claim->id], claim->publisher, code);
    if (code != 0) { /* it was replaced or is leaving */
        claim->unanswered--;
        return;
    }
    claim->content = content;
    model_touch(model, claim->id, 0, 1);
}

/* Whether another claim surely owns the id: then the node stays, whatever this one does. */
static bool is_superseded(const struct model *model, const struct model_claim *claim)
{
    for (int i = 0; i < CLAIMS && !model->is_shaken; i++) {
        const struct model_claim *other = &model->claims[i];
        if (other->is_used && other->id == claim->id && other->order > claim->order && !other->is_leaving &&
            netron_registration_get_state(other->registration) == NETRON_REGISTERED)
            return true;
    }
    return false;
}

void model_claim_leave(struct model *model, struct model_claim *claim)
{
    unsigned how = (unsigned)model_draw(&model->random, 3);
    if (how == 0)
        ck_assert_int_eq(netron_registration_drain(claim->registration, 20, on_left, claim), 0);
    else
        ck_assert_int_eq(netron_registration_deregister(claim->registration, on_left, claim), 0);
    claim->is_leaving = true;
    model_touch(model, claim->id, is_superseded(model, claim) ? 0 : 1, 1);
    model_trace(model, "%s %c by %d", how == 0 ? "drain" : "deregister", MODEL_IDS[claim->id], claim->publisher);
}

struct model_claim *model_claim_any(struct model *model, struct model_random *random)
{
    struct model_claim *found[CLAIMS];
    unsigned count = 0;
    for (int i = 0; i < CLAIMS; i++)
        if (model->claims[i].is_used && !model->claims[i].is_leaving && model->claims[i].id != MARKER_ID)
            found[count++] = &model->claims[i];
    uint64_t chance = model_draw(random, 1u << 20); /* drawn in any case, so that what follows stays the same */
    return count > 0 ? found[chance % count] : NULL;
}

void model_claims_forget_ended(struct model *model)
{
    for (int i = 0; i < CLAIMS; i++) {
        struct model_claim *claim = &model->claims[i];
        if (!claim->is_used || !model_claim_has_ended(claim))
            continue;
        netron_registration_free(claim->registration);
        claim->is_used = false;
    }
}

void model_marker_change(struct model *model)
{
    netron_service services[SERVICES];
    char address[32];
    char name[2] = {MODEL_IDS[MARKER_ID], '\0'};
    for (int i = 0; i < CLAIMS; i++) {
        struct model_claim *claim = &model->claims[i];
        if (!claim->is_used || claim->id != MARKER_ID || claim->unanswered > 0)
            continue;
        claim->content.port = claim->content.port % 60000 + 1;
        model_content_node(&claim->content, name, services, address);
        claim->unanswered++;
        ck_assert_int_eq(netron_registration_update_address(claim->registration, address, on_updated, claim), 0);
        model_touch(model, MARKER_ID, 0, 1);
    }
}

/* ---- the original's nodes ---- */

static void publish_original(struct model *model, int original, const char *type)
{
    const struct model_original *node = &model->originals[original];
    char json[512], services[256];
    model_content_json(&node->content, services, sizeof(services));
    snprintf(
        json, sizeof(json),
        "{\"type\":\"%s\",\"nodeId\":\"%c\",\"address\":\"10.0.0.1:%u\",\"services\":%s,\"timestamp\":1700000000000}",
        type, MODEL_IDS[FIRST_ORIGINAL + original], node->content.port, services);
    if (!node->is_silent)
        freeReplyObject(server_ask(&model->server, "PUBLISH %s %s", MODEL_CHANNEL, json));
}

static void store_original(struct model *model, int original)
{
    static const char script[] = "redis.call('HSET', KEYS[1], 'address', ARGV[1], 'services', ARGV[2], 'timestamp', "
                                 "ARGV[3]) redis.call('PEXPIRE', KEYS[1], ARGV[4]) "
                                 "redis.call('SET', KEYS[2], '1', 'PX', ARGV[4]) "
                                 "redis.call('SADD', KEYS[3], ARGV[5]) return 1";
    struct model_original *node = &model->originals[original];
    char services[256], address[32];
    const char id[] = {MODEL_IDS[FIRST_ORIGINAL + original], '\0'};
    model_content_json(&node->content, services, sizeof(services));
    snprintf(address, sizeof(address), "10.0.0.1:%u", node->content.port);
    /* It may fail on a key of the wrong type, as the original does. */
    freeReplyObject(server_ask(&model->server,
                               "EVAL %s 3 " MODEL_PREFIX ":nodes:%s " MODEL_PREFIX ":heartbeat:%s " MODEL_PREFIX
                               ":index:nodes %s %s %d %d %s",
                               script, id, id, address, services, 1700000000, (int)MODEL_TTL_MS, id));
    node->beats_at = world_clock_ms() + ORIGINAL_BEAT_MS;
}

void model_original_start(struct model *model, int original)
{
    struct model_original *node = &model->originals[original];
    node->is_alive = true;
    node->is_silent = model_chance(&model->random, 40);
    model_content_draw(&node->content, &model->random);
    node->content.state = NETRON_NODE_UP;
    model_touch(model, FIRST_ORIGINAL + original, 0, 1);
    model_trace(model, "original %c begins%s", MODEL_IDS[FIRST_ORIGINAL + original], node->is_silent ? ", silent" : "");
    store_original(model, original);
    publish_original(model, original, "NODE_REGISTERED");
}

void model_original_change(struct model *model, int original)
{
    struct model_original *node = &model->originals[original];
    if (model_chance(&model->random, 30))
        node->content.port = 1000 + (unsigned)model_draw(&model->random, 9000);
    else
        model_content_draw_services(&node->content, &model->random);
    model_touch(model, FIRST_ORIGINAL + original, 0, 1);
    model_trace(model, "original %c changes", MODEL_IDS[FIRST_ORIGINAL + original]);
    store_original(model, original);
    publish_original(model, original, "NODE_UPDATED");
}

void model_original_leave(struct model *model, int original)
{
    const char id[] = {MODEL_IDS[FIRST_ORIGINAL + original], '\0'};
    static const char script[] = "redis.call('DEL', KEYS[1], KEYS[2]) redis.pcall('SREM', KEYS[3], ARGV[1]) return 1";
    model->originals[original].is_alive = false;
    model_touch(model, FIRST_ORIGINAL + original, 1, 1);
    model_trace(model, "original %s leaves", id);
    freeReplyObject(server_ask(&model->server,
                               "EVAL %s 3 " MODEL_PREFIX ":nodes:%s " MODEL_PREFIX ":heartbeat:%s " MODEL_PREFIX
                               ":index:nodes %s",
                               script, id, id, id));
    publish_original(model, original, "NODE_DEREGISTERED");
}

void model_original_die(struct model *model, int original)
{
    model->originals[original].is_alive = false;
    model_touch(model, FIRST_ORIGINAL + original, 1, 1);
    model_trace(model, "original %c dies", MODEL_IDS[FIRST_ORIGINAL + original]);
}

void model_fleet_beat(struct model *model)
{
    for (int i = 0; i < ORIGINALS; i++) {
        if (!model->originals[i].is_alive || world_clock_ms() < model->originals[i].beats_at || model->server.pid == 0)
            continue;
        store_original(model, i);
        publish_original(model, i, "NODE_UPDATED");
    }
}

/* ---- all of them ---- */

/* The line of the claim that holds the id, if any does. False when it is not clear yet. */
static bool claim_line(const struct model *model, int id, char out[LINE_MAX_])
{
    bool is_held = false;
    out[0] = '\0';
    for (int i = 0; i < CLAIMS; i++) {
        const struct model_claim *claim = &model->claims[i];
        if (!claim->is_used || claim->id != id || model_claim_has_ended(claim))
            continue;
        if (is_held || claim->unanswered > 0 || claim->is_leaving ||
            netron_registration_get_state(claim->registration) != NETRON_REGISTERED)
            return false;
        is_held = true;
        model_content_line(&claim->content, MODEL_IDS[id], out);
    }
    return true;
}

bool model_fleet_picture(const struct model *model, char out[PICTURE_MAX])
{
    char line[LINE_MAX_];
    out[0] = '\0';
    for (int id = 0; id < IDS; id++) {
        line[0] = '\0';
        if (id < FIRST_ORIGINAL && !claim_line(model, id, line))
            return false;
        if (id >= FIRST_ORIGINAL && model->originals[id - FIRST_ORIGINAL].is_alive)
            model_content_line(&model->originals[id - FIRST_ORIGINAL].content, MODEL_IDS[id], line);
        strcat(out, line);
    }
    return true;
}

void model_fleet_open(struct model *model)
{
    for (int i = 0; i < PUBLISHERS; i++)
        model_publisher_start(model, i);
    model_claim_begin(model, MARKER_ID, MARKER_PUBLISHER);
}

void model_fleet_close(struct model *model)
{
    for (int i = 0; i < PUBLISHERS; i++)
        netron_discovery_free(model->publishers[i].discovery);
}
