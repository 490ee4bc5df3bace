/* SPDX-License-Identifier: MIT */
#include "proxy_pipe.h"
#include <stdlib.h>
#include <time.h>

struct proxy_segment {
    struct proxy_segment *next;
    size_t length;
    uint64_t due;
};

static uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void move_after(struct proxy_pipe *pipe, uint64_t ms)
{
    const struct timeval delay = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
    event_add(pipe->timer, &delay);
}

/* ---- taking from what waits ---- */

static void forget_segments(struct proxy_pipe *pipe, size_t length)
{
    while (length > 0 && pipe->first != NULL) {
        struct proxy_segment *segment = pipe->first;
        if (segment->length > length) {
            segment->length -= length;
            return;
        }
        length -= segment->length;
        pipe->first = segment->next;
        free(segment);
    }
}

static void lose(struct proxy_pipe *pipe, size_t length)
{
    evbuffer_drain(pipe->waiting, length);
    forget_segments(pipe, length);
}

static void let_through(struct proxy_pipe *pipe, size_t length)
{
    if (pipe->out == NULL) {
        lose(pipe, length);
        return;
    }
    evbuffer_remove_buffer(pipe->waiting, bufferevent_get_output(pipe->out), length);
    forget_segments(pipe, length);
    *pipe->passed += length;
}

static size_t least(size_t one, size_t other)
{
    return one < other ? one : other;
}

static void delay(struct proxy_pipe *pipe)
{
    uint64_t now = clock_ms();
    while (pipe->first != NULL && pipe->first->due <= now)
        let_through(pipe, pipe->first->length);
    if (pipe->first != NULL)
        move_after(pipe, pipe->first->due - now);
}

static void drip(struct proxy_pipe *pipe, size_t length)
{
    uint64_t now = clock_ms();
    uint64_t next = pipe->dripped_at + pipe->rule.ms;
    if (length > 0 && next <= now) {
        let_through(pipe, least(length, pipe->rule.bytes));
        pipe->dripped_at = now;
        next = now + pipe->rule.ms;
    }
    if (evbuffer_get_length(pipe->waiting) > 0)
        move_after(pipe, next - now);
}

/* Whether the end goes no further now. */
static bool keeps_the_end(struct proxy_pipe *pipe)
{
    if (pipe->rule.mode == PROXY_MODE_HOLD || pipe->rule.mode == PROXY_MODE_DROP ||
        evbuffer_get_length(pipe->waiting) > 0)
        return true;
    uint64_t now = clock_ms();
    if (pipe->rule.mode != PROXY_MODE_DELAY || pipe->end_due <= now)
        return false;
    move_after(pipe, pipe->end_due - now);
    return true;
}

void proxy_pipe_move(struct proxy_pipe *pipe)
{
    size_t length = evbuffer_get_length(pipe->waiting);
    size_t some = least(length, pipe->rule.bytes);
    bool is_over = false;
    switch (pipe->rule.mode) {
    case PROXY_MODE_PASS:
        let_through(pipe, length);
        break;
    case PROXY_MODE_DELAY:
        delay(pipe);
        break;
    case PROXY_MODE_HOLD:
        break;
    case PROXY_MODE_DROP:
        lose(pipe, length);
        break;
    case PROXY_MODE_LOSE:
        lose(pipe, some);
        pipe->rule.bytes -= (unsigned)some;
        let_through(pipe, length - some);
        break;
    case PROXY_MODE_DRIP:
        drip(pipe, length);
        break;
    case PROXY_MODE_TRUNCATE:
        let_through(pipe, some);
        pipe->rule.bytes -= (unsigned)some;
        is_over = pipe->rule.bytes == 0;
        break;
    }
    if (is_over || (pipe->has_ended && !keeps_the_end(pipe)))
        pipe->over(pipe->arg);
}

static void on_timer(evutil_socket_t none, short what, void *arg)
{
    (void)none;
    (void)what;
    proxy_pipe_move(arg);
}

/* ---- from outside ---- */

void proxy_pipe_set_rule(struct proxy_pipe *pipe, struct proxy_rule rule)
{
    pipe->rule = rule;
    pipe->dripped_at = 0;
    proxy_pipe_move(pipe);
}

void proxy_pipe_write(struct proxy_pipe *pipe, const void *bytes, size_t length)
{
    struct proxy_segment *segment = malloc(sizeof(*segment));
    if (segment == NULL || length == 0 || evbuffer_add(pipe->waiting, bytes, length) != 0) {
        free(segment);
        return;
    }
    *segment = (struct proxy_segment){.length = length, .due = clock_ms() + pipe->rule.ms};
    if (pipe->first == NULL)
        pipe->first = segment;
    else
        pipe->last->next = segment;
    pipe->last = segment;
    proxy_pipe_move(pipe);
}

void proxy_pipe_forget(struct proxy_pipe *pipe)
{
    lose(pipe, evbuffer_get_length(pipe->waiting));
}

void proxy_pipe_end(struct proxy_pipe *pipe)
{
    pipe->has_ended = true;
    pipe->end_due = clock_ms() + pipe->rule.ms;
    proxy_pipe_move(pipe);
}

void proxy_pipe_open(struct proxy_pipe *pipe, struct event_base *base, void (*over)(void *arg), void *arg)
{
    *pipe = (struct proxy_pipe){.over = over, .arg = arg};
    pipe->waiting = evbuffer_new();
    pipe->timer = event_new(base, -1, 0, on_timer, pipe);
}

void proxy_pipe_close(struct proxy_pipe *pipe)
{
    lose(pipe, evbuffer_get_length(pipe->waiting));
    event_free(pipe->timer);
    evbuffer_free(pipe->waiting);
}
