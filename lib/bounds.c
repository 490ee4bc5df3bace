/* SPDX-License-Identifier: MIT */
#include "bounds.h"
#include <string.h>

/* No honest reply comes near these: a page of 512 records of the largest size is below them. */
#define BYTES_MAX (size_t)(256u * 1024u * 1024u)
#define ELEMENTS_MAX (size_t)(1024u * 1024u)
#define DEPTH_MAX 8u /* what hiredis 0.14.1 allows */
#define LINE_BYTES_MAX (size_t)(64u * 1024u)

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

static unsigned depth_of(const redisReadTask *task)
{
    unsigned depth = 0;
    for (; task != NULL && depth <= DEPTH_MAX; task = task->parent)
        depth++;
    return depth;
}

/* The reader allocates an array as soon as its length is said, so the length must be checked before. Arrays in arrays
 * have no limit in hiredis 1.x, which frees them by recursion. */
static void *create_array(const redisReadTask *task, element_count count)
{
    struct netron_bounds *bounds = task->privdata;
    bounds->elements += (size_t)count;
    if (bounds->elements > ELEMENTS_MAX)
        bounds->excess = "an array of too many elements";
    else if (depth_of(task) > DEPTH_MAX)
        bounds->excess = "arrays that are nested too deeply";
    return bounds->excess == NULL ? bounds->hiredis.createArray(task, count) : NULL;
}

/* Where a size_t has 32 bits, a length near its end overflows the reader's own comparison with what has arrived. */
static void *create_string(const redisReadTask *task, char *text, size_t length)
{
    struct netron_bounds *bounds = task->privdata;
    if (length > BYTES_MAX)
        bounds->excess = "a string that is too long";
    return bounds->excess == NULL ? bounds->hiredis.createString(task, text, length) : NULL;
}

void netron_bounds_set(struct netron_bounds *bounds, redisReader *reader)
{
    *bounds = (struct netron_bounds){.functions = *reader->fn, .hiredis = *reader->fn};
    bounds->functions.createArray = create_array;
    bounds->functions.createString = create_string;
    reader->fn = &bounds->functions;
    reader->privdata = bounds;
}

void netron_bounds_arrived(struct netron_bounds *bounds, size_t bytes)
{
    bounds->bytes += bytes;
}

void netron_bounds_finished(struct netron_bounds *bounds, const redisReader *reader)
{
    bounds->bytes = reader->len - reader->pos;
    bounds->elements = 0;
}

/* What is left of the buffer is part of a reply. The header of a long string stays in front of it until it is whole, so
 * even then a line end is near. */
bool netron_bounds_is_endless(const struct netron_bounds *bounds, const redisReader *reader)
{
    return bounds->bytes > BYTES_MAX || (reader->len - reader->pos > LINE_BYTES_MAX &&
                                         memchr(reader->buf + reader->pos, '\n', LINE_BYTES_MAX) == NULL);
}
