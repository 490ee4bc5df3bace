/* SPDX-License-Identifier: MIT */
#include "janitor.h"
#include "backoff.h"
#include "table.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_TEXT "128"   /* a millisecond for Redis, or some when it has slept */
#define FIXED_ARGUMENTS 8 /* of the script, before the ids */
/* Looks are at most this far apart, for a node that was registered since the last one can be due before what was due
 * then. A death is told within its TTL and a second: this, the spread, and the way through Redis. */
#define PASS_MAX_MS 600u
#define PASS_SPREAD_MS 200u /* so that a fleet of janitors does not look in the same instant */
/* And at most these parts of a short TTL, so that no Redis stands still between two looks for as long as a heartbeat
 * lives after the latest beat. */
#define PASSES_A_TTL 4u
#define PASS_SPREADS_A_TTL 12u
#define RETRY_MS 1000u
#define STALL_MS                                                                                                       \
    1000u             /* an answer that took so much longer than usual says that Redis, or the way to it, stood still */
#define HINT_MS 300u  /* a hint waits up to this long for the news of another janitor's look */
#define HINTS_MAX 64u /* in one call, beside its fixed arguments */
#define HINTS_KEPT 4096u /* beyond, the regular looks have to do */
/* What may expire in a window of one TTL: 15 % of the nodes, but always 5 (protocol section 6). */
#define WINDOW_FLOOR "5"
#define WINDOW_SHARE "15"

struct netron_hint {
    struct netron_table_entry in_table;
    uint64_t due;
    char id[];
};

static void on_pass(void *arg);

static void pass_after(struct netron_janitor *janitor, uint32_t delay_ms)
{
    netron_core_after(janitor->core, &janitor->next_pass, delay_ms);
}

static uint32_t spread(struct netron_janitor *janitor, uint32_t limit_ms)
{
    return netron_backoff_spread(limit_ms, netron_core_random(janitor->core));
}

static uint32_t pass_max(const struct netron_janitor *janitor)
{
    uint32_t part = janitor->settings->heartbeat_ttl_ms / PASSES_A_TTL;
    return part < PASS_MAX_MS ? part : PASS_MAX_MS;
}

static uint32_t pass_spread(const struct netron_janitor *janitor)
{
    uint32_t part = janitor->settings->heartbeat_ttl_ms / PASS_SPREADS_A_TTL;
    return part < PASS_SPREAD_MS ? part : PASS_SPREAD_MS;
}

/* ---- hints ---- */

static void drop_hint(struct netron_janitor *janitor, struct netron_hint *hint)
{
    netron_table_remove(&janitor->hints, hint);
    free(hint);
}

bool netron_janitor_hint(struct netron_janitor *janitor, const char *id)
{
    size_t length = strlen(id);
    if (!janitor->is_open || netron_table_find(janitor->hints, id, length) != NULL)
        return true;
    struct netron_hint *hint =
        netron_table_count(janitor->hints) < HINTS_KEPT ? malloc(sizeof(*hint) + length + 1) : NULL;
    if (hint == NULL)
        return false;
    memcpy(hint->id, id, length + 1);
    uint32_t delay = spread(janitor, HINT_MS);
    hint->due = netron_core_now(janitor->core) + delay;
    if (!netron_table_add(&janitor->hints, hint, hint->id, length)) {
        free(hint);
        return false;
    }
    if (janitor->call == NULL && (!janitor->next_pass.set || janitor->next_pass.at > hint->due))
        pass_after(janitor, delay);
    return true;
}

void netron_janitor_seen(struct netron_janitor *janitor, const char *id)
{
    struct netron_hint *hint = netron_table_find(janitor->hints, id, strlen(id));
    if (hint != NULL)
        drop_hint(janitor, hint);
}

static void drop_all_hints(struct netron_janitor *janitor)
{
    while (janitor->hints != NULL)
        free(netron_table_take(&janitor->hints));
}

/* Takes the ids of hints that are due into the arguments. They are dropped after the call was made: the words point to
 * them. */
static size_t take_hints(struct netron_janitor *janitor, const char **words, struct netron_hint **taken)
{
    uint64_t now = netron_core_now(janitor->core);
    size_t count = 0;
    struct netron_hint *each = netron_table_first(janitor->hints);
    for (; each != NULL && count < HINTS_MAX; each = netron_table_next(each)) {
        if (each->due > now)
            continue;
        taken[count] = each;
        words[count++] = each->id;
    }
    return count;
}

void netron_janitor_doubt(struct netron_janitor *janitor, const char *epoch)
{
    snprintf(janitor->doubted, sizeof(janitor->doubted), "%s", epoch);
}

/* ---- looking ---- */

static void complain(struct netron_janitor *janitor, const struct netron_failure *why)
{
    if (!janitor->was_refused)
        netron_log(&janitor->core->log, NETRON_LOG_WARNING, "the registry could not be looked after: %s",
                   why->sentence);
    janitor->was_refused = true;
}

/* How long a look takes, to Redis and back, when nothing holds it up: of the latest the shortest, so that a line may
 * become slow, but no stall is usual before it was met so many times without a pause. */
static uint64_t usual_way(const struct netron_janitor *janitor)
{
    uint64_t shortest = UINT64_MAX;
    for (size_t i = 0; i < NETRON_JANITOR_WAYS && i < janitor->way_count; i++)
        shortest = janitor->ways[i] < shortest ? janitor->ways[i] : shortest;
    return shortest < UINT64_MAX ? shortest : 0;
}

/* An answer that took long was held up in Redis, or on the way, and the beats of others with it; and what refused the
 * look before this one may have refused them as well. What seems silent then is judged as after a reconnect. */
static void read_clock(struct netron_janitor *janitor, const struct netron_reply *reply)
{
    const char *time = netron_reply_text(netron_reply_at(reply, 6), NULL);
    uint64_t now = netron_core_now(janitor->core);
    uint64_t way = now - janitor->looked_at;
    if (janitor->was_refused || way > STALL_MS + usual_way(janitor))
        janitor->connected_at = now;
    if (janitor->redis_time != 0) /* with the first look of a connection the script may have been sent as well */
        janitor->ways[janitor->way_count++ % NETRON_JANITOR_WAYS] = way;
    janitor->redis_time = time != NULL ? strtoull(time, NULL, 10) : 0;
    janitor->knows_clock = true;
    janitor->answered_at = now;
    janitor->was_refused = false;
}

static void tell_revision(struct netron_janitor *janitor, const struct netron_reply *reply)
{
    long long revision = 0;
    const char *epoch = netron_reply_text(netron_reply_at(reply, 7), NULL);
    if (janitor->looked != NULL && epoch != NULL && netron_reply_integer(netron_reply_at(reply, 8), &revision) &&
        revision >= 0)
        janitor->looked(janitor->arg, epoch, (uint64_t)revision, janitor->known);
}

static void read_outcome(struct netron_janitor *janitor, const struct netron_reply *reply)
{
    long long wait = -1;
    long long held = 0;
    netron_reply_integer(netron_reply_at(reply, 0), &wait);
    netron_reply_integer(netron_reply_at(reply, 3), &held);
    bool is_protecting = held > 0;
    if (janitor->is_protecting != is_protecting)
        netron_log(&janitor->core->log, NETRON_LOG_WARNING, "%s",
                   is_protecting ? "many nodes seem dead at once: their expiry is held back"
                                 : "no expiry is held back any more");
    janitor->is_protecting = is_protecting;
    bool is_soon = wait >= 0 && wait < (long long)pass_max(janitor);
    uint32_t delay = is_soon ? (uint32_t)wait : pass_max(janitor);
    if (!janitor->is_open)
        return;
    pass_after(janitor, delay + spread(janitor, delay == 0 ? pass_spread(janitor) / 4 : pass_spread(janitor)));
    struct netron_hint *each = netron_table_first(janitor->hints);
    for (; each != NULL; each = netron_table_next(each)) {
        uint64_t now = netron_core_now(janitor->core);
        uint64_t due = each->due > now ? each->due - now : 0;
        if (due < janitor->next_pass.at - now)
            pass_after(janitor, (uint32_t)due);
    }
}

static bool is_outcome(const struct netron_reply *reply)
{
    long long number;
    return netron_reply_count(reply) >= 9 && netron_reply_integer(netron_reply_at(reply, 0), &number) &&
           netron_reply_integer(netron_reply_at(reply, 3), &number) &&
           netron_reply_integer(netron_reply_at(reply, 5), &number) &&
           netron_reply_text(netron_reply_at(reply, 6), NULL) != NULL;
}

static void on_reconciled(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_janitor *janitor = arg;
    struct netron_failure why;
    janitor->call = NULL;
    if (is_outcome(reply)) {
        read_clock(janitor, reply);
        read_outcome(janitor, reply);
        tell_revision(janitor, reply);
        return;
    }
    if (reply != NULL) {
        netron_link_fail(janitor->link, netron_script_source_reconcile.text, reply, "reconcile", &why);
        failure = &why;
    }
    if (failure->code == NETRON_EPERM && !janitor->is_open) {
        netron_log(&janitor->core->log, NETRON_LOG_INFO, "looking after the registry is left to others: %s",
                   failure->sentence);
        janitor->is_excused = true; /* nobody waits for it here, and its user was not meant to do it */
        return;
    }
    complain(janitor, failure);
    if (janitor->is_open)
        pass_after(janitor, RETRY_MS + spread(janitor, RETRY_MS));
}

static void on_pass(void *arg)
{
    struct netron_janitor *janitor = arg;
    struct netron_hint *taken[HINTS_MAX];
    const char *words[FIXED_ARGUMENTS + HINTS_MAX];
    char connected[24];
    char window[16];
    char expected[24] = "";
    if (janitor->call != NULL || !netron_link_is_ready(janitor->link))
        return;
    uint64_t now = netron_core_now(janitor->core);
    janitor->looked_at = now;
    janitor->known = janitor->revision != NULL ? *janitor->revision : 0;
    /* Of the first look on a connection nobody could tell that it was held up, and the beats of others with it. */
    bool may_judge = janitor->knows_clock && !janitor->was_refused;
    snprintf(connected, sizeof(connected), "%" PRIu64, may_judge ? now - janitor->connected_at : 0);
    snprintf(window, sizeof(window), "%" PRIu32, janitor->settings->heartbeat_ttl_ms);
    words[0] = PAGE_TEXT;
    words[1] = janitor->settings->pubsub_enabled ? janitor->settings->pubsub_channel : "";
    words[2] = connected;
    words[3] = WINDOW_FLOOR;
    words[4] = WINDOW_SHARE;
    words[5] = window;
    if (janitor->redis_time != 0)
        snprintf(expected, sizeof(expected), "%" PRIu64,
                 janitor->redis_time + (now - janitor->answered_at) + usual_way(janitor));
    words[6] = expected;
    words[7] = janitor->doubted;
    /* With ids the script looks at nothing else, so hints wait when what is due has waited for long. */
    bool is_regular = now - janitor->regular_at >= pass_max(janitor);
    size_t hints = is_regular ? 0 : take_hints(janitor, words + FIXED_ARGUMENTS, taken);
    if (hints == 0)
        janitor->regular_at = now;
    int code = netron_script_call(janitor->link, &netron_script_source_reconcile, janitor->registry_key, words,
                                  FIXED_ARGUMENTS + hints, on_reconciled, janitor, &janitor->call);
    janitor->doubted[0] = '\0';
    for (size_t i = 0; i < hints; i++)
        drop_hint(janitor, taken[i]);
    if (code != 0)
        janitor->call = NULL;
    if (code != 0 && janitor->is_open)
        pass_after(janitor, RETRY_MS + spread(janitor, RETRY_MS));
}

/* ---- beginning and end ---- */

void netron_janitor_init(struct netron_janitor *janitor)
{
    netron_deadline_init(&janitor->next_pass, on_pass, janitor);
}

void netron_janitor_open(struct netron_janitor *janitor)
{
    if (janitor->is_open)
        return;
    janitor->is_open = true;
    pass_after(janitor, spread(janitor, pass_max(janitor)));
}

void netron_janitor_look_once(struct netron_janitor *janitor)
{
    uint64_t now = netron_core_now(janitor->core);
    bool has_looked = janitor->looked_at != 0 && now - janitor->looked_at < janitor->settings->heartbeat_interval_ms;
    if (!janitor->next_pass.set && janitor->call == NULL && !has_looked && !janitor->is_excused)
        pass_after(janitor, spread(janitor, pass_spread(janitor)));
}

void netron_janitor_link_ready(struct netron_janitor *janitor)
{
    janitor->connected_at = netron_core_now(janitor->core);
    janitor->redis_time = 0;
    janitor->knows_clock = false;
    janitor->is_excused = false;
    janitor->way_count = 0;
    if (janitor->is_open)
        pass_after(janitor, spread(janitor, pass_max(janitor)));
}

void netron_janitor_unserved(struct netron_janitor *janitor)
{
    janitor->connected_at = netron_core_now(janitor->core);
}

void netron_janitor_link_down(struct netron_janitor *janitor)
{
    netron_core_cancel(janitor->core, &janitor->next_pass);
}

void netron_janitor_close(struct netron_janitor *janitor)
{
    janitor->is_open = false;
    if (janitor->call != NULL)
        netron_script_cancel(janitor->call);
    janitor->call = NULL;
    netron_core_cancel(janitor->core, &janitor->next_pass);
    drop_all_hints(janitor);
}
