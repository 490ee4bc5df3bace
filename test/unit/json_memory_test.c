/* SPDX-License-Identifier: MIT */
/* How much memory the room node_json wants to be there before it lets jansson read a text: as much as that takes, and
 * not many times more. */
#include "expect.h"
#include "node_json.h"
#include <stdlib.h>

static struct netron_failure why;
static const struct netron_json_source source = {.name = "test", .why = &why};

/* What is asked for first, before anything is read; and what is taken at once at the most, with what malloc() adds. */
static struct {
    size_t asked, taken, most;
} memory;

#define HEADER 16u

static size_t with_overhead(size_t size)
{
    size_t whole = (size + 8 + 15) / 16 * 16;
    return whole > 32 ? whole : 32;
}

static void *take(size_t size)
{
    size_t *block = malloc(HEADER + size);
    ck_assert_ptr_nonnull(block);
    block[0] = size;
    if (memory.asked == 0) {
        memory.asked = size;
        return (char *)block + HEADER;
    }
    memory.taken += with_overhead(size);
    memory.most = memory.taken > memory.most ? memory.taken : memory.most;
    return (char *)block + HEADER;
}

static void give_back(void *block)
{
    if (block == NULL)
        return;
    size_t *whole = (size_t *)(void *)((char *)block - HEADER);
    if (memory.most > 0) /* what was asked for first is given back before anything else is taken */
        memory.taken -= with_overhead(whole[0]);
    free(whole);
}

static void measure(const char *text, size_t length, json_type type)
{
    json_malloc_t before_malloc;
    json_free_t before_free;
    json_get_alloc_funcs(&before_malloc, &before_free);
    json_set_alloc_funcs(take, give_back);
    memory.asked = memory.taken = memory.most = 0;
    json_t *json = NULL;
    int code = netron_json_load(&source, text, length, type, &json);
    json_decref(json);
    json_set_alloc_funcs(before_malloc, before_free);
    ck_assert_msg(code == 0 || code == NETRON_EPROTOCOL, "%.40s: %d", text, code);
    ck_assert_uint_eq(memory.taken, 0);
    ck_assert_msg(memory.most <= memory.asked, "%.40s...: %zu bytes of %zu took %zu", text, memory.asked, length,
                  memory.most);
}

/* These again and again make the costliest texts there are: with a beginning and an end. */
static const struct {
    const char *beginning, *again, *end;
} costly[] = {
    {"[", "{},", "{}]"},
    {"[", "[],", "1]"},
    {"[", "1,", "1]"},
    {"[", "1.5,", "1]"},
    {"[", "\"\",", "1]"},
    {"[", "\"a\",", "1]"},
    {"[", "\"\\u20ac\\\"[{\",", "1]"},
    {"[", "{\"\":{}},", "1]"},
    {"[", "{\"a\":\"\"},", "1]"},
    {"[", "{\"a\":[\"\"]},", "1]"},
    {"[", "[[[[\"a\"]]]],", "1]"},
    {"[\"", "a", "\"]"},
    {"[\"", "\\n", "\"]"},
    {"[\"", "\\\"", "\"]"},
    {"[\"", "{", "\"]"},
    {"[{\"", "a", "\":\"\"}]"},
    {"[1", "0", ".5]"},
    {"[", "[", ""},
    {"[", "{\"a\":", ""},
    {"[", " ", "]"},
    {"[", "\"", "]"},
    {"[", "true,", "null]"},
};

START_TEST(there_is_as_much_memory_as_a_text_takes_before_it_is_read)
{
    static char text[40000];
    const char *again = costly[_i].again;
    for (size_t times = 0; times * strlen(again) < 30000; times = times * 3 / 2 + 1) {
        char *end = stpcpy(text, costly[_i].beginning);
        for (size_t i = 0; i < times; i++)
            end = stpcpy(end, again);
        end = stpcpy(end, costly[_i].end);
        measure(text, (size_t)(end - text), JSON_ARRAY);
    }
}
END_TEST

START_TEST(objects_of_many_members_find_their_memory)
{
    static char text[64000];
    char *end = stpcpy(text, "{");
    for (unsigned i = 0; i < 3000; i++) {
        end += sprintf(end, "\"%x\":%s}", i, i % 2 == 0 ? "\"\"" : "1");
        if (i < 100 || i % 50 == 0)
            measure(text, (size_t)(end - text), JSON_OBJECT);
        end[-1] = ',';
    }
}
END_TEST

/* A record as long as they are, and one with the longest metadata there is. */
START_TEST(a_usual_record_asks_for_little_memory)
{
    static const char usual[] =
        "{\"nodeId\":\"orders-7f9c6d5b4-x2x9k\",\"address\":\"http://10.12.0.17:8080\",\"services\":[{\"name\":"
        "\"orders\",\"version\":\"1.4.2\"},{\"name\":\"health\"}],\"weight\":10,\"zone\":\"eu-1a\",\"metadata\":{"
        "\"commit\":\"0123456789abcdef0123456789abcdef01234567\",\"arch\":\"amd64\"},\"ttl\":30000}";
    static char large[20000];
    measure(usual, strlen(usual), JSON_OBJECT);
    ck_assert_uint_le(memory.asked, 30 * strlen(usual));
    char *end = stpcpy(large, "{\"metadata\":{\"a\":\"");
    memset(end, 'x', 16000);
    stpcpy(end + 16000, "\"}}");
    measure(large, strlen(large), JSON_OBJECT);
    ck_assert_uint_le(memory.asked, 7 * strlen(large));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_memory");
    TCase *tcase = suite_case(suite, "memory");
    tcase_add_loop_test(tcase, there_is_as_much_memory_as_a_text_takes_before_it_is_read, 0, COUNT_OF(costly));
    tcase_add_test(tcase, objects_of_many_members_find_their_memory);
    tcase_add_test(tcase, a_usual_record_asks_for_little_memory);
    return suite_run(suite);
}
