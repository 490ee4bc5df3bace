/* SPDX-License-Identifier: MIT */
/*
 * Each pick asks the source for the snapshot. As long as it is the same one, and no node was ejected or came back, the
 * usable nodes stand in an array, and the policy chooses from it. When something changed they are gathered anew:
 *
 *     settle    the policy writes its position down, in words that survive the change (ids, phases)
 *     gather    ejections that are over end; then which nodes are usable, and whether the own zone suffices
 *     resume    the policy goes on where it was
 *
 * No timer: an ejection that is over is noticed by the next pick.
 */
#include "picker.h"
#include "picker_settings.h"
#include "rendezvous.h"
#include "seats.h"
#include "smooth.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEVER UINT64_MAX

struct netron_picker {
    struct netron_picker_source source;
    struct netron_picker_settings settings;
    struct netron_random random;
    bool is_freed; /* and stays for the picks that are outstanding */

    const netron_snapshot *snapshot; /* what the seats follow */
    struct netron_seats seats;
    size_t up_count;      /* seats whose node is up */
    size_t ejected_count; /* of them */
    uint64_t next_return; /* when the first of those comes back */

    size_t *usable; /* indices of seats, thus ordered by id */
    size_t usable_count;
    size_t usable_room;

    /* What single policies remember. */
    size_t turn;                      /* round robin: whose it is, in usable */
    char due[NETRON_NODE_ID_MAX + 1]; /* his id, once settled; "" before the first node */
    struct netron_smooth smooth;      /* weighted */
    bool same_weights;                /* rendezvous: all that are usable */
};

static struct netron_seat *usable_seat(const netron_picker *picker, size_t index)
{
    return &picker->seats.seats[picker->usable[index]];
}

/* Less than count, which is small against 2^64: so the remainder is fair enough. */
static size_t random_below(netron_picker *picker, size_t count)
{
    return (size_t)(netron_random_next(&picker->random) % count);
}

/* ---- the policies' positions ---- */

static void settle(netron_picker *picker)
{
    if (picker->usable_count == 0)
        return;
    if (picker->settings.policy == NETRON_PICK_ROUND_ROBIN)
        snprintf(picker->due, sizeof(picker->due), "%s", usable_seat(picker, picker->turn)->node->id);
    if (picker->settings.policy == NETRON_PICK_WEIGHTED)
        for (size_t i = 0; i < picker->usable_count; i++)
            usable_seat(picker, i)->phase = netron_smooth_phase(&picker->smooth, i);
}

/* Whose turn it was, or who follows by id. The very first is taken by chance: else all processes that begin together
 * would begin with the same node. */
static size_t find_turn(netron_picker *picker)
{
    if (picker->due[0] == '\0')
        return random_below(picker, picker->usable_count);
    for (size_t i = 0; i < picker->usable_count; i++)
        if (strcmp(usable_seat(picker, i)->node->id, picker->due) >= 0)
            return i;
    return 0;
}

static void resume_weighted(netron_picker *picker)
{
    netron_smooth_restart(&picker->smooth);
    for (size_t i = 0; i < picker->usable_count; i++)
        netron_smooth_add(&picker->smooth, usable_seat(picker, i)->weight, usable_seat(picker, i)->phase);
    netron_smooth_start(&picker->smooth);
}

static bool have_same_weights(const netron_picker *picker)
{
    for (size_t i = 1; i < picker->usable_count; i++)
        if (usable_seat(picker, i)->weight != usable_seat(picker, 0)->weight)
            return false;
    return true;
}

static void resume(netron_picker *picker)
{
    if (picker->usable_count == 0)
        return;
    if (picker->settings.policy == NETRON_PICK_ROUND_ROBIN)
        picker->turn = find_turn(picker);
    if (picker->settings.policy == NETRON_PICK_WEIGHTED)
        resume_weighted(picker);
    picker->same_weights = have_same_weights(picker);
}

/* ---- who is usable ---- */

static bool is_up(const struct netron_seat *seat)
{
    return seat->is_present && seat->node->state == NETRON_NODE_UP;
}

static bool is_usable(const struct netron_seat *seat)
{
    return is_up(seat) && !seat->outlier.is_ejected;
}

static bool is_near(const netron_picker *picker, const struct netron_seat *seat)
{
    const char *zone = seat->node->zone;
    return seat->is_present && zone != NULL && strcmp(zone, picker->settings.zone) == 0;
}

static void end_ejections(netron_picker *picker, uint64_t now)
{
    picker->up_count = picker->ejected_count = 0;
    for (size_t i = 0; i < picker->seats.count; i++) {
        struct netron_seat *seat = &picker->seats.seats[i];
        if (seat->outlier.is_ejected && seat->outlier.until <= now)
            netron_outlier_return(&seat->outlier);
        picker->up_count += is_up(seat);
        picker->ejected_count += is_up(seat) && seat->outlier.is_ejected;
    }
}

/* Whose ejection is over first, of those that are up; NULL when there is none. */
static struct netron_seat *first_to_return(const netron_picker *picker)
{
    struct netron_seat *first = NULL;
    for (size_t i = 0; i < picker->seats.count; i++) {
        struct netron_seat *seat = &picker->seats.seats[i];
        if (is_up(seat) && seat->outlier.is_ejected && (first == NULL || seat->outlier.until < first->outlier.until))
            first = seat;
    }
    return first;
}

/* Others may have left, so that the ejected ones are too many now. */
static void end_ejections_in_excess(netron_picker *picker)
{
    size_t allowed = netron_outlier_allowed(&picker->settings.ejection, picker->up_count);
    for (; picker->ejected_count > allowed; picker->ejected_count--)
        netron_outlier_return(&first_to_return(picker)->outlier);
    const struct netron_seat *first = first_to_return(picker);
    picker->next_return = first != NULL ? first->outlier.until : NEVER;
}

static bool own_zone_suffices(const netron_picker *picker)
{
    uint64_t usable = 0;
    uint64_t all = 0;
    if (picker->settings.zone == NULL)
        return false;
    for (size_t i = 0; i < picker->seats.count; i++) {
        const struct netron_seat *seat = &picker->seats.seats[i];
        all += is_near(picker, seat);
        usable += is_near(picker, seat) && is_usable(seat);
    }
    return usable > 0 && usable * 100 >= all * picker->settings.zone_min_percent;
}

/* The positions must have been settled before the change. */
static void gather(netron_picker *picker)
{
    end_ejections(picker, picker->source.now(picker->source.arg));
    end_ejections_in_excess(picker);
    bool near_only = own_zone_suffices(picker);
    picker->usable_count = 0;
    for (size_t i = 0; i < picker->seats.count; i++) {
        const struct netron_seat *seat = &picker->seats.seats[i];
        if (is_usable(seat) && (!near_only || is_near(picker, seat)))
            picker->usable[picker->usable_count++] = i;
    }
    resume(picker);
}

static void gather_returned(netron_picker *picker)
{
    if (picker->next_return == NEVER || picker->source.now(picker->source.arg) < picker->next_return)
        return;
    settle(picker);
    gather(picker);
}

/* ---- following the source ---- */

static bool reserve(netron_picker *picker, size_t count)
{
    if (picker->settings.policy == NETRON_PICK_WEIGHTED && !netron_smooth_reserve(&picker->smooth, count))
        return false;
    if (count <= picker->usable_room)
        return true;
    size_t *usable = calloc(count, sizeof(*usable));
    if (usable == NULL)
        return false;
    /* When the rest fails, the old ones are needed again. */
    if (picker->usable_count > 0)
        memcpy(usable, picker->usable, picker->usable_count * sizeof(*usable));
    free(picker->usable);
    picker->usable = usable;
    picker->usable_room = count;
    return true;
}

static bool adopt(netron_picker *picker, const netron_snapshot *snapshot)
{
    if (!reserve(picker, snapshot->count))
        return false;
    settle(picker);
    if (!netron_seats_adopt(&picker->seats, snapshot))
        return false;
    /* Nothing can fail any more. */
    if (picker->snapshot != NULL)
        picker->source.release(picker->snapshot);
    picker->snapshot = snapshot;
    gather(picker);
    return true;
}

static void refresh(netron_picker *picker)
{
    const netron_snapshot *snapshot = picker->source.find(picker->source.arg);
    bool is_kept = snapshot != NULL && snapshot != picker->snapshot && adopt(picker, snapshot);
    if (snapshot != NULL && !is_kept)
        picker->source.release(snapshot);
    gather_returned(picker);
}

/* ---- the policies ---- */

static size_t choose_in_turn(netron_picker *picker)
{
    size_t index = picker->turn++;
    if (picker->turn == picker->usable_count)
        picker->turn = 0;
    return index;
}

static size_t choose_less_loaded(netron_picker *picker)
{
    size_t count = picker->usable_count;
    size_t one = random_below(picker, count);
    if (count == 1)
        return one;
    size_t other = (one + 1 + random_below(picker, count - 1)) % count;
    const struct netron_seat *first = usable_seat(picker, one);
    const struct netron_seat *second = usable_seat(picker, other);
    /* The load that this pick would make, in proportion to the weight: multiplied crosswise instead of divided. */
    return (first->in_flight + 1) * second->weight <= (second->in_flight + 1) * first->weight ? one : other;
}

static size_t choose_by_equals(const netron_picker *picker, uint64_t key_hash)
{
    size_t best = 0;
    uint64_t best_pair = 0;
    for (size_t i = 0; i < picker->usable_count; i++) {
        uint64_t pair = netron_rendezvous_pair(key_hash, usable_seat(picker, i)->id_hash);
        if (pair > best_pair) {
            best = i;
            best_pair = pair;
        }
    }
    return best;
}

static size_t choose_by_distance(const netron_picker *picker, uint64_t key_hash)
{
    size_t best = 0;
    double best_distance = 0;
    for (size_t i = 0; i < picker->usable_count; i++) {
        const struct netron_seat *seat = usable_seat(picker, i);
        uint64_t pair = netron_rendezvous_pair(key_hash, seat->id_hash);
        double distance = netron_rendezvous_distance(pair, seat->weight);
        if (i == 0 || distance < best_distance) {
            best = i;
            best_distance = distance;
        }
    }
    return best;
}

static size_t choose_by_key(netron_picker *picker, const char *key, size_t key_length)
{
    if (key == NULL)
        return random_below(picker, picker->usable_count);
    uint64_t key_hash = netron_rendezvous_hash(key, key_length);
    return picker->same_weights ? choose_by_equals(picker, key_hash) : choose_by_distance(picker, key_hash);
}

static size_t choose(netron_picker *picker, const char *key, size_t key_length)
{
    switch (picker->settings.policy) {
    case NETRON_PICK_WEIGHTED:
        return netron_smooth_next(&picker->smooth);
    case NETRON_PICK_RANDOM:
        return random_below(picker, picker->usable_count);
    case NETRON_PICK_LEAST_LOADED:
        return choose_less_loaded(picker);
    case NETRON_PICK_RENDEZVOUS:
        return choose_by_key(picker, key, key_length);
    case NETRON_PICK_ROUND_ROBIN:
        break;
    }
    return choose_in_turn(picker);
}

/* ---- the face ---- */

int netron_picker_new_on(const struct netron_picker_source *source, const struct netron_random *random,
                         const netron_picker_options *options, struct netron_failure *why, netron_picker **out)
{
    netron_picker *picker = calloc(1, sizeof(*picker));
    if (picker == NULL)
        return netron_fail(why, NETRON_ENOMEM, "no memory for a picker");
    int code = netron_picker_settings_make(options, &picker->settings, why);
    if (code != 0) {
        free(picker);
        return code;
    }
    picker->source = *source;
    picker->random = *random;
    picker->next_return = NEVER;
    *out = picker;
    return 0;
}

static void destroy(netron_picker *picker)
{
    netron_seats_clear(&picker->seats);
    netron_smooth_clear(&picker->smooth);
    netron_picker_settings_clear(&picker->settings);
    free(picker->usable);
    free(picker);
}

void netron_picker_free(netron_picker *picker)
{
    if (picker == NULL || picker->is_freed)
        return;
    picker->is_freed = true;
    if (picker->snapshot != NULL)
        picker->source.release(picker->snapshot);
    picker->source.free(picker->source.arg);
    if (picker->seats.outstanding == 0)
        destroy(picker);
}

const netron_node *netron_picker_pick(netron_picker *picker, const char *key, size_t key_length)
{
    if (picker == NULL || picker->is_freed)
        return NULL;
    refresh(picker);
    if (picker->usable_count == 0)
        return NULL;
    return netron_seats_take(&picker->seats, picker->usable[choose(picker, key, key_length)]);
}

static void eject_if_allowed(netron_picker *picker, struct netron_seat *seat)
{
    gather_returned(picker);
    size_t allowed = netron_outlier_allowed(&picker->settings.ejection, picker->up_count);
    if (!is_usable(seat) || picker->ejected_count >= allowed)
        return;
    settle(picker);
    netron_outlier_eject(&seat->outlier, &picker->settings.ejection, picker->source.now(picker->source.arg));
    gather(picker);
}

void netron_picker_report(netron_picker *picker, const netron_node *node, int ok)
{
    if (picker == NULL || node == NULL)
        return;
    struct netron_seat *seat = netron_seats_give_back(&picker->seats, node);
    if (seat == NULL)
        return;
    if (!picker->is_freed) {
        if (netron_outlier_note(&seat->outlier, &picker->settings.ejection, ok != 0))
            eject_if_allowed(picker, seat);
    } else if (picker->seats.outstanding == 0) {
        destroy(picker);
    }
}
