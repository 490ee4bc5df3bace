/* SPDX-License-Identifier: MIT */
#include "failing_allocations.h"
#include <check.h>
#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned long allocations;
long allocations_left = -1;
long allocations_failing = -1;
unsigned long allocations_failed;
unsigned allocations_meant = ~0u;

static unsigned ours;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void __real__mark_point(const char *file, int line);
void __real__ck_assert_failed(const char *file, int line, const char *expression, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void __wrap__mark_point(const char *file, int line);
void __wrap__ck_assert_failed(const char *file, int line, const char *expression, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

static bool is_granted(unsigned whose)
{
    if (ours > 0 || (allocations_meant & whose) == 0)
        return true;
    allocations++;
    if (allocations_left > 0) {
        allocations_left--;
        return true;
    }
    if (allocations_left < 0 || allocations_failing == 0)
        return true;
    if (allocations_failing > 0)
        allocations_failing--;
    allocations_failed++;
    return false;
}

void *__wrap_malloc(size_t size)
{
    return is_granted(ALLOCATIONS_LINKED) ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_granted(ALLOCATIONS_LINKED) ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *memory, size_t size)
{
    return is_granted(ALLOCATIONS_LINKED) ? __real_realloc(memory, size) : NULL;
}

char *__wrap_strdup(const char *text)
{
    return is_granted(ALLOCATIONS_LINKED) ? __real_strdup(text) : NULL;
}

char *__wrap_strndup(const char *text, size_t size)
{
    return is_granted(ALLOCATIONS_LINKED) ? __real_strndup(text, size) : NULL;
}

void allocations_are_ours(void)
{
    ours++;
}

void allocations_are_theirs(void)
{
    ours--;
}

/* Every assertion of Check comes through the first, and if it fails through the second. */
void __wrap__mark_point(const char *file, int line)
{
    allocations_are_ours();
    __real__mark_point(file, line);
    allocations_are_theirs();
}

void __wrap__ck_assert_failed(const char *file, int line, const char *expression, const char *format, ...)
{
    char message[1024] = "";
    va_list arguments;
    allocations_are_ours();
    va_start(arguments, format);
    if (format != NULL)
        vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    __real__ck_assert_failed(file, line, expression, format != NULL ? "%s" : NULL, message);
}

/* ---- what the libraries below allocate ---- */

/* jansson passes each allocation on by a jump, so who called is where it returns to. */
static const void *callers[16];
static unsigned caller_count;
static const void *token_growth;

static __attribute__((noinline)) void *malloc_of_jansson(size_t size)
{
    const void *caller = __builtin_return_address(0);
    if (token_growth == NULL && caller_count < sizeof(callers) / sizeof(callers[0]))
        callers[caller_count++] = caller;
    return caller == token_growth || is_granted(ALLOCATIONS_OF_JANSSON) ? __real_malloc(size) : NULL;
}

/* A text of more than 15 bytes is the only thing in these brackets that makes the token grow. */
static void find_token_growth(void)
{
    unsigned before;
    json_decref(json_loads("[\"a\"]", 0, NULL));
    before = caller_count;
    json_decref(json_loads("[\"aaaaaaaaaaaaaaaaaaaa\"]", 0, NULL));
    for (unsigned i = before; i < caller_count; i++) {
        bool is_known = false;
        for (unsigned j = 0; j < before; j++)
            is_known = is_known || callers[j] == callers[i];
        if (!is_known)
            token_growth = callers[i];
    }
    if (token_growth == NULL) {
        fprintf(stderr, "this jansson does not tell where its allocations come from\n");
        exit(EXIT_FAILURE);
    }
}

static void *malloc_of_libevent(size_t size)
{
    return is_granted(ALLOCATIONS_OF_LIBEVENT) ? __real_malloc(size) : NULL;
}

static void *realloc_of_libevent(void *memory, size_t size)
{
    return is_granted(ALLOCATIONS_OF_LIBEVENT) ? __real_realloc(memory, size) : NULL;
}

#if HIREDIS_MAJOR >= 1
static void *malloc_of_hiredis(size_t size)
{
    return is_granted(ALLOCATIONS_OF_HIREDIS) ? __real_malloc(size) : NULL;
}

static void *calloc_of_hiredis(size_t count, size_t size)
{
    return is_granted(ALLOCATIONS_OF_HIREDIS) ? __real_calloc(count, size) : NULL;
}

static void *realloc_of_hiredis(void *memory, size_t size)
{
    return is_granted(ALLOCATIONS_OF_HIREDIS) ? __real_realloc(memory, size) : NULL;
}

static char *strdup_of_hiredis(const char *text)
{
    return is_granted(ALLOCATIONS_OF_HIREDIS) ? __real_strdup(text) : NULL;
}
#endif

void allocations_of_libraries(void)
{
    json_set_alloc_funcs(malloc_of_jansson, free);
    find_token_growth();
    event_set_mem_functions(malloc_of_libevent, realloc_of_libevent, free);
#if HIREDIS_MAJOR >= 1
    hiredisAllocFuncs functions = {.mallocFn = malloc_of_hiredis,
                                   .callocFn = calloc_of_hiredis,
                                   .reallocFn = realloc_of_hiredis,
                                   .strdupFn = strdup_of_hiredis,
                                   .freeFn = free};
    hiredisSetAllocators(&functions);
#endif
}
