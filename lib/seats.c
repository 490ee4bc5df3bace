/* SPDX-License-Identifier: MIT */
#include "seats.h"
#include "node.h"
#include "rendezvous.h"
#include <stdlib.h>
#include <string.h>

/* Snapshots hand their nodes out as constant; the count of references is not part of what is constant. */
static netron_node *counted(const netron_node *node)
{
    union {
        const netron_node *given;
        netron_node *counted;
    } same = {.given = node};
    return same.counted;
}

static const netron_node *hold(const netron_node *node)
{
    return netron_node_retain(counted(node));
}

static void let_go(const netron_node *node)
{
    netron_node_free(counted(node));
}

void netron_seats_clear(struct netron_seats *seats)
{
    for (size_t i = 0; i < seats->count; i++)
        let_go(seats->seats[i].node);
    for (size_t i = 0; i < seats->lease_count; i++)
        let_go(seats->leases[i].node);
    free(seats->seats);
    free(seats->leases);
    *seats = (struct netron_seats){0};
}

/* ---- following a snapshot ---- */

/* Room for all seats and leases that there can be then, so that nothing can fail later. */
static bool reserve(struct netron_seats *next, const struct netron_seats *seats, const netron_snapshot *snapshot)
{
    size_t seat_room = snapshot->count + 1;
    size_t lease_room = snapshot->count + 1;
    for (size_t i = 0; i < seats->count; i++)
        seat_room += seats->seats[i].in_flight > 0;
    for (size_t i = 0; i < seats->lease_count; i++)
        lease_room += seats->leases[i].picks > 0;
    next->seats = calloc(seat_room, sizeof(*next->seats));
    next->leases = calloc(lease_room, sizeof(*next->leases));
    return next->seats != NULL && next->leases != NULL;
}

static void seat_node(struct netron_seat *seat, const netron_node *node)
{
    seat->node = hold(node);
    seat->weight = node->weight != 0 ? node->weight : 1;
}

static void add_new_seat(struct netron_seats *next, const netron_node *now)
{
    struct netron_seat *seat = &next->seats[next->count++];
    seat->id_hash = netron_rendezvous_hash(now->id, strlen(now->id));
    seat->is_present = true;
    seat_node(seat, now);
}

static void add_known_seat(struct netron_seats *next, struct netron_seat *before, const netron_node *now)
{
    struct netron_seat *seat = &next->seats[next->count];
    *seat = *before;
    before->successor = next->count++;
    seat->is_present = true;
    seat_node(seat, now);
}

/* Of a node that has left; needed for as long as it has picks. */
static void add_departed_seat(struct netron_seats *next, struct netron_seat *before)
{
    if (before->in_flight == 0)
        return;
    add_known_seat(next, before, before->node);
    next->seats[before->successor].is_present = false;
}

/* Both are ordered by id. */
static void merge_seats(struct netron_seats *next, struct netron_seats *seats, const netron_snapshot *snapshot)
{
    size_t i = 0;
    for (size_t j = 0; j < snapshot->count; j++) {
        const netron_node *now = snapshot->nodes[j];
        while (i < seats->count && strcmp(seats->seats[i].node->id, now->id) < 0)
            add_departed_seat(next, &seats->seats[i++]);
        if (i < seats->count && strcmp(seats->seats[i].node->id, now->id) == 0)
            add_known_seat(next, &seats->seats[i++], now);
        else
            add_new_seat(next, now);
    }
    while (i < seats->count)
        add_departed_seat(next, &seats->seats[i++]);
}

static void add_lease(struct netron_seats *next, const netron_node *node, size_t seat, uint64_t picks)
{
    next->leases[next->lease_count++] =
        (struct netron_lease){.node = hold(node), .address = (uintptr_t)node, .seat = seat, .picks = picks};
}

static int compare_addresses(const void *left, const void *right)
{
    const struct netron_lease *one = left;
    const struct netron_lease *other = right;
    return (one->address > other->address) - (one->address < other->address);
}

/* A node that is in both snapshots was added twice. */
static void unite_leases(struct netron_seats *next)
{
    size_t count = 0;
    qsort(next->leases, next->lease_count, sizeof(*next->leases), compare_addresses);
    for (size_t i = 0; i < next->lease_count; i++) {
        struct netron_lease *lease = &next->leases[i];
        if (count > 0 && next->leases[count - 1].address == lease->address) {
            next->leases[count - 1].picks += lease->picks;
            let_go(lease->node);
        } else {
            next->leases[count++] = *lease;
        }
    }
    next->lease_count = count;
    for (size_t i = 0; i < count; i++) {
        struct netron_seat *seat = &next->seats[next->leases[i].seat];
        if (seat->is_present && seat->node == next->leases[i].node)
            seat->lease = i;
    }
}

bool netron_seats_adopt(struct netron_seats *seats, const netron_snapshot *snapshot)
{
    struct netron_seats next = {.outstanding = seats->outstanding};
    if (!reserve(&next, seats, snapshot)) {
        netron_seats_clear(&next);
        return false;
    }
    merge_seats(&next, seats, snapshot);
    for (size_t i = 0; i < next.count; i++)
        if (next.seats[i].is_present)
            add_lease(&next, next.seats[i].node, i, 0);
    for (size_t i = 0; i < seats->lease_count; i++) {
        const struct netron_lease *lease = &seats->leases[i];
        if (lease->picks > 0)
            add_lease(&next, lease->node, seats->seats[lease->seat].successor, lease->picks);
    }
    unite_leases(&next);
    netron_seats_clear(seats);
    *seats = next;
    return true;
}

/* ---- picks ---- */

const netron_node *netron_seats_take(struct netron_seats *seats, size_t index)
{
    struct netron_seat *seat = &seats->seats[index];
    seats->leases[seat->lease].picks++;
    seat->in_flight++;
    seats->outstanding++;
    return seat->node;
}

/* Searched by the address only, which may be one that was never picked. */
static struct netron_lease *find_lease(const struct netron_seats *seats, const netron_node *node)
{
    const struct netron_lease wanted = {.address = (uintptr_t)node};
    if (seats->lease_count == 0)
        return NULL;
    return bsearch(&wanted, seats->leases, seats->lease_count, sizeof(wanted), compare_addresses);
}

struct netron_seat *netron_seats_give_back(struct netron_seats *seats, const netron_node *node)
{
    struct netron_lease *lease = find_lease(seats, node);
    if (lease == NULL || lease->picks == 0)
        return NULL;
    struct netron_seat *seat = &seats->seats[lease->seat];
    seat->in_flight--;
    seats->outstanding--;
    lease->picks--;
    return seat;
}
