/* SPDX-License-Identifier: MIT */
/*
 * A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986): intrusive, so nothing can run out of memory; O(1) to set,
 * O(log n) amortised to take the first or to remove one from the middle.
 */
#include "deadline.h"
#include <stddef.h>

static bool is_before(const struct netron_deadline *left, const struct netron_deadline *right)
{
    return left->at != right->at ? left->at < right->at : left->order < right->order;
}

/* Joins two heaps by making the later root the first child of the earlier. Either may be NULL. */
static struct netron_deadline *meld(struct netron_deadline *one, struct netron_deadline *other)
{
    if (one == NULL)
        return other;
    if (other == NULL)
        return one;
    if (is_before(other, one)) {
        struct netron_deadline *later = one;
        one = other;
        other = later;
    }
    other->next = one->child;
    if (other->next != NULL)
        other->next->previous = other;
    other->previous = one;
    one->child = other;
    return one;
}

/* The two passes that give the heap its bound: pair the siblings from the left, then join the pairs from the right. */
static struct netron_deadline *meld_siblings(struct netron_deadline *first)
{
    struct netron_deadline *pairs = NULL;
    while (first != NULL) {
        struct netron_deadline *second = first->next;
        struct netron_deadline *rest = second != NULL ? second->next : NULL;
        first->next = first->previous = NULL;
        if (second != NULL)
            second->next = second->previous = NULL;
        struct netron_deadline *pair = meld(first, second);
        pair->next = pairs;
        pairs = pair;
        first = rest;
    }
    struct netron_deadline *root = NULL;
    while (pairs != NULL) {
        struct netron_deadline *rest = pairs->next;
        pairs->next = NULL;
        root = meld(root, pairs);
        pairs = rest;
    }
    return root;
}

void netron_deadline_init(struct netron_deadline *deadline, void (*fn)(void *arg), void *arg)
{
    *deadline = (struct netron_deadline){.fn = fn, .arg = arg};
}

void netron_deadlines_clear(struct netron_deadlines *deadlines, struct netron_deadline *deadline)
{
    if (!deadline->set)
        return;
    if (deadline == deadlines->first) {
        deadlines->first = meld_siblings(deadline->child);
    } else {
        if (deadline->previous->child == deadline)
            deadline->previous->child = deadline->next;
        else
            deadline->previous->next = deadline->next;
        if (deadline->next != NULL)
            deadline->next->previous = deadline->previous;
        deadlines->first = meld(deadlines->first, meld_siblings(deadline->child));
    }
    deadline->child = deadline->next = deadline->previous = NULL;
    deadline->set = false;
}

void netron_deadlines_set(struct netron_deadlines *deadlines, struct netron_deadline *deadline, uint64_t at)
{
    netron_deadlines_clear(deadlines, deadline);
    deadline->at = at;
    deadline->order = deadlines->order++;
    deadline->set = true;
    deadlines->first = meld(deadlines->first, deadline);
}
