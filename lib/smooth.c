/* SPDX-License-Identifier: MIT */
#include "smooth.h"
#include <math.h>
#include <stdlib.h>

bool netron_smooth_reserve(struct netron_smooth *smooth, size_t capacity)
{
    if (capacity <= smooth->capacity)
        return true;
    struct netron_smooth_line *lines = calloc(capacity, sizeof(*lines));
    struct netron_smooth_match *matches = calloc(capacity, sizeof(*matches));
    if (lines == NULL || matches == NULL) {
        free(lines);
        free(matches);
        return false;
    }
    for (size_t i = 0; i < smooth->count; i++) {
        lines[i] = smooth->lines[i];
        matches[i] = smooth->matches[i];
    }
    free(smooth->lines);
    free(smooth->matches);
    smooth->lines = lines;
    smooth->matches = matches;
    smooth->capacity = capacity;
    return true;
}

void netron_smooth_clear(struct netron_smooth *smooth)
{
    free(smooth->lines);
    free(smooth->matches);
    *smooth = (struct netron_smooth){0};
}

static int64_t credit(const struct netron_smooth *smooth, size_t index)
{
    const struct netron_smooth_line *line = &smooth->lines[index];
    return line->base + line->weight * smooth->turn;
}

/* ---- matches ---- */

/* Who comes up from a position: below the matches stand the competitors themselves, who stay who they are. */
static struct netron_smooth_match result_of(const struct netron_smooth *smooth, size_t position)
{
    if (position >= smooth->count)
        return (struct netron_smooth_match){.winner = position - smooth->count, .expiry = INT64_MAX};
    return smooth->matches[position];
}

/* The turn in which the loser is ahead, if both go on as they are. At the same credit the lower index is ahead. */
static int64_t overtaking_turn(const struct netron_smooth *smooth, size_t winner, size_t loser)
{
    int64_t speed = smooth->lines[loser].weight - smooth->lines[winner].weight;
    if (speed <= 0)
        return INT64_MAX;
    int64_t gap = credit(smooth, winner) - credit(smooth, loser);
    int64_t turns = loser < winner ? (gap + speed - 1) / speed : gap / speed + 1;
    return smooth->turn + turns;
}

static void play(struct netron_smooth *smooth, size_t position)
{
    struct netron_smooth_match left = result_of(smooth, 2 * position);
    struct netron_smooth_match right = result_of(smooth, 2 * position + 1);
    int64_t lead = credit(smooth, left.winner) - credit(smooth, right.winner);
    bool left_wins = lead > 0 || (lead == 0 && left.winner < right.winner);
    size_t winner = left_wins ? left.winner : right.winner;
    int64_t expiry = overtaking_turn(smooth, winner, left_wins ? right.winner : left.winner);
    if (expiry > left.expiry)
        expiry = left.expiry;
    if (expiry > right.expiry)
        expiry = right.expiry;
    smooth->matches[position] = (struct netron_smooth_match){.winner = winner, .expiry = expiry};
}

static void play_all(struct netron_smooth *smooth)
{
    for (size_t position = smooth->count; position-- > 1;)
        play(smooth, position);
}

/* Plays again what has expired; as deep as the tree is. */
static void play_expired(struct netron_smooth *smooth, size_t position)
{
    if (result_of(smooth, position).expiry > smooth->turn)
        return;
    play_expired(smooth, 2 * position);
    play_expired(smooth, 2 * position + 1);
    play(smooth, position);
}

/* ---- rounds ---- */

void netron_smooth_restart(struct netron_smooth *smooth)
{
    smooth->count = 0;
    smooth->total = 0;
    smooth->turn = 0;
}

void netron_smooth_add(struct netron_smooth *smooth, uint32_t weight, double phase)
{
    smooth->lines[smooth->count++] = (struct netron_smooth_line){.weight = weight, .phase = phase};
    smooth->total += weight;
}

void netron_smooth_start(struct netron_smooth *smooth)
{
    for (size_t i = 0; i < smooth->count; i++)
        smooth->lines[i].base = llround(smooth->lines[i].phase * (double)smooth->total);
    play_all(smooth);
}

static void count_turns_anew(struct netron_smooth *smooth)
{
    for (size_t i = 0; i < smooth->count; i++)
        smooth->lines[i].base = credit(smooth, i);
    smooth->turn = 0;
    play_all(smooth);
}

size_t netron_smooth_next(struct netron_smooth *smooth)
{
    if (smooth->turn >= NETRON_SMOOTH_TURNS_MAX)
        count_turns_anew(smooth);
    smooth->turn++;
    play_expired(smooth, 1);
    size_t winner = result_of(smooth, 1).winner;
    smooth->lines[winner].base -= smooth->total;
    for (size_t position = (smooth->count + winner) / 2; position >= 1; position /= 2)
        play(smooth, position);
    return winner;
}

double netron_smooth_phase(const struct netron_smooth *smooth, size_t index)
{
    double phase = (double)credit(smooth, index) / (double)smooth->total;
    return phase > 1 ? 1 : phase < -1 ? -1 : phase;
}
