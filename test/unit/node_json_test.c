/* SPDX-License-Identifier: MIT */
/* The room node_json: what is JSON, what is a text in it, and what are services, when anybody may have written it. */
#include "expect.h"
#include "node.h"
#include "node_json.h"
#include "scarce.h"
#include <stddef.h>
#include <stdlib.h>

static struct netron_failure why;
static const struct netron_json_source source = {.name = "test", .why = &why};

static int load(const char *text, size_t length, json_type type)
{
    json_t *json = NULL;
    int code = netron_json_load(&source, text, length, type, &json);
    ck_assert((code == 0) == (json != NULL));
    if (code == 0)
        ck_assert(json_typeof(json) == type);
    json_decref(json);
    return code;
}

/* ---- loading ---- */

START_TEST(a_whole_object_or_array_is_loaded)
{
    static const char *const objects[] = {"{}", " {\"a\":1}\r\n\t", "{\"a\":{\"b\":[null,true,1.5e3]}}", "{\"\":\"\"}"};
    static const char *const arrays[] = {"[]", " [1] ", "[[],{}]"};
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        expect_success(objects[i], load(objects[i], strlen(objects[i]), JSON_OBJECT), &why);
        int code = load(objects[i], strlen(objects[i]), JSON_ARRAY);
        expect_refusal(objects[i], code, NETRON_EPROTOCOL, &why, "test: no JSON array");
    }
    for (size_t i = 0; i < COUNT_OF(arrays); i++) {
        expect_success(arrays[i], load(arrays[i], strlen(arrays[i]), JSON_ARRAY), &why);
        int code = load(arrays[i], strlen(arrays[i]), JSON_OBJECT);
        expect_refusal(arrays[i], code, NETRON_EPROTOCOL, &why, "test: no JSON object");
    }
}
END_TEST

#define BYTES(literal)                                                                                                 \
    {                                                                                                                  \
        literal, sizeof(literal) - 1                                                                                   \
    }

START_TEST(what_is_no_json_is_refused)
{
    static const struct {
        const char *text;
        size_t length;
    } cases[] = {
        BYTES(""),
        BYTES(" "),
        BYTES("{"),
        BYTES("}"),
        BYTES("null"),
        BYTES("\"{}\""),
        BYTES("1"),
        BYTES("{} {}"),
        BYTES("{}x"),
        BYTES("{}\0"),
        BYTES("{\"a\":1,}"),
        BYTES("{\"a\" 1}"),
        BYTES("{a:1}"),
        BYTES("{'a':1}"),
        BYTES("{\"a\":01}"),
        BYTES("{\"a\":+1}"),
        BYTES("{\"a\":.5}"),
        BYTES("{\"a\":NaN}"),
        BYTES("{\"a\":Infinity}"),
        BYTES("{\"a\":True}"),
        BYTES("{/**/}"),
        BYTES("\xef\xbb\xbf{}"),            /* a byte order mark */
        BYTES("{\0\"\0a\0\"\0:\0001\0}\0"), /* UTF-16 */
        BYTES("{\"a\":\"\n\"}"),            /* a control that is not escaped */
        BYTES("{\"a\":\"\0\"}"),
        BYTES("{\"a\":\"\\x41\"}"),
        BYTES("{\"a\":\"\\u12\"}"),
        BYTES("{\"a\":\"\\ud800\"}"),        /* half a pair of surrogates */
        BYTES("{\"a\":\"\\udc00\\ud800\"}"), /* the halves swapped */
        BYTES("{\"a\":\"\\ud800\\u0041\"}"),
        BYTES("{\"a\":\"\xff\"}"),
        BYTES("{\"a\":\"\xc3\"}"),
        BYTES("{\"a\":\"\xc0\x80\"}"),         /* overlong */
        BYTES("{\"a\":\"\xed\xa0\x80\"}"),     /* a surrogate */
        BYTES("{\"a\":\"\xf4\x90\x80\x80\"}"), /* above U+10FFFF */
        BYTES("{\"\xff\":1}"),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int code = load(cases[i].text, cases[i].length, JSON_OBJECT);
        expect_refusal(cases[i].text, code, NETRON_EPROTOCOL, &why, "test: no JSON");
    }
}
END_TEST

START_TEST(nesting_without_end_is_refused)
{
    static const char *const openings[] = {"[", "{\"a\":"};
    static char text[NETRON_JSON_SIZE_MAX + 1];
    for (size_t i = 0; i < COUNT_OF(openings); i++) {
        size_t length = strlen(openings[i]);
        size_t end = 0;
        for (; end + length < NETRON_JSON_SIZE_MAX; end += length)
            memcpy(text + end, openings[i], length);
        int code = load(text, end, i == 0 ? JSON_ARRAY : JSON_OBJECT);
        expect_refusal(openings[i], code, NETRON_EPROTOCOL, &why, "test: no JSON");
    }
    memset(text, '[', NETRON_JSON_SIZE_MAX / 2);
    memset(text + NETRON_JSON_SIZE_MAX / 2, ']', NETRON_JSON_SIZE_MAX / 2);
    ck_assert_int_eq(load(text, NETRON_JSON_SIZE_MAX, JSON_ARRAY), NETRON_EPROTOCOL);
    expect_success("a little", load("[[[[[[[[]]]]]]]]", 16, JSON_ARRAY), &why);
}
END_TEST

START_TEST(a_text_has_at_most_half_a_megabyte)
{
    static char text[NETRON_JSON_SIZE_MAX + 2];
    memset(text, ' ', sizeof(text));
    text[0] = '[';
    text[NETRON_JSON_SIZE_MAX - 1] = ']';
    ck_assert_uint_eq(NETRON_JSON_SIZE_MAX, 524288);
    expect_success("the largest", load(text, NETRON_JSON_SIZE_MAX, JSON_ARRAY), &why);
    int code = load(text, NETRON_JSON_SIZE_MAX + 1, JSON_ARRAY);
    expect_refusal("one more", code, NETRON_EPROTOCOL, &why, "test: more than 524288 bytes");
    expect_refusal("huge", load("{", SIZE_MAX, JSON_OBJECT), NETRON_EPROTOCOL, &why, "524288");
}
END_TEST

/* ---- texts ---- */

START_TEST(a_text_has_a_length_and_is_printable)
{
    static const struct {
        const char *text;
        size_t length, min, max;
        const char *words; /* NULL = fine */
    } cases[] = {
        {"abc", 3, 1, 3, NULL},
        {"abc", 3, 3, 3, NULL},
        {"abcd", 4, 1, 3, "test: member is longer than 3 bytes"},
        {"\xc3\xa9\xc3\xa9", 4, 1, 3, "test: member is longer than 3 bytes"},
        {"", 0, 1, 3, "test: member is empty"},
        {"", 0, 0, 3, NULL},
        {NULL, 0, 0, 3, "test: member is missing or no string"},
        {"a\0b", 3, 1, 3, "test: member holds a control character"},
        {"\n", 1, 1, 3, "test: member holds a control character"},
        {"\x7f", 1, 1, 3, "test: member holds a control character"},
        {"\xff", 1, 1, 3, "test: member is not valid UTF-8"},
        {"ab\xc3\xa9", 3, 1, 3, "test: member is not valid UTF-8"}, /* cut in the middle */
        {"abcdef", 3, 1, 3, NULL},                                  /* what follows is none of it */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int code =
            netron_json_check_text(&source, "member", cases[i].text, cases[i].length, cases[i].min, cases[i].max);
        if (cases[i].words == NULL)
            expect_success("text", code, &why);
        else
            expect_refusal("text", code, NETRON_EPROTOCOL, &why, cases[i].words);
    }
}
END_TEST

START_TEST(a_member_has_to_be_a_string)
{
    static const char text[] =
        "{\"string\":\"abc\",\"number\":1,\"real\":1.5,\"true\":true,\"null\":null,\"array\":[\"abc\"],"
        "\"object\":{\"a\":\"abc\"},\"empty\":\"\",\"escaped\":\"\\u0041\\u00e9\",\"again\":\"x\","
        "\"again\":\"y\"}";
    static const char *const others[] = {"number", "real", "true", "null", "array", "object", "absent"};
    json_t *object = NULL;
    const char *found = NULL;
    ck_assert_int_eq(netron_json_load(&source, text, sizeof(text) - 1, JSON_OBJECT, &object), 0);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        char words[64];
        snprintf(words, sizeof(words), "test: %s is missing or no string", others[i]);
        int code = netron_json_member(&source, object, others[i], 0, 3, &found);
        expect_refusal(others[i], code, NETRON_EPROTOCOL, &why, words);
        ck_assert_ptr_null(found);
    }
    int code = netron_json_member(&source, object, "string", 1, 2, &found);
    expect_refusal("too long", code, NETRON_EPROTOCOL, &why, "test: string is longer than 2 bytes");
    code = netron_json_member(&source, object, "empty", 1, 2, &found);
    expect_refusal("empty", code, NETRON_EPROTOCOL, &why, "test: empty is empty");
    expect_success("string", netron_json_member(&source, object, "string", 1, 3, &found), &why);
    ck_assert_str_eq(found, "abc");
    expect_success("escaped", netron_json_member(&source, object, "escaped", 1, 3, &found), &why);
    ck_assert_str_eq(found, "A\xc3\xa9");
    expect_success("again", netron_json_member(&source, object, "again", 1, 3, &found), &why);
    ck_assert_str_eq(found, "y"); /* the last one, as in every language of the fleet */
    json_decref(object);
}
END_TEST

/* ---- nodes ---- */

static netron_node *read_services(const char *text, int *code)
{
    json_t *services = NULL;
    netron_node *node = NULL;
    ck_assert_msg(netron_json_load(&source, text, strlen(text), JSON_ARRAY, &services) == 0, "%s", text);
    *code = netron_json_node(&source, "node-1", "h:1", services, 77, &node);
    json_decref(services);
    ck_assert((*code == 0) == (node != NULL));
    return node;
}

START_TEST(services_are_read_in_their_order)
{
    int code;
    netron_node *node =
        read_services("[{\"name\":\"a\",\"version\":\"1\"},{\"name\":\"b\"},{\"version\":null,\"name\":\"c\"},"
                      "{\"name\":\"d\",\"version\":\"\",\"weight\":[{}]},{\"name\":\"a\",\"version\":\"1\"}]",
                      &code);
    static const netron_service wanted[] = {{"a", "1"}, {"b", NULL}, {"c", NULL}, {"d", NULL}, {"a", "1"}};
    expect_success("services", code, &why);
    ck_assert_str_eq(node->id, "node-1");
    ck_assert_str_eq(node->address, "h:1");
    ck_assert_uint_eq(node->timestamp_ms, 77);
    ck_assert(netron_node_same_services(node->services, node->service_count, wanted, COUNT_OF(wanted)));
    netron_node_free(node);
    node = read_services("[]", &code);
    ck_assert_uint_eq(node->service_count, 0);
    netron_node_free(node);
}
END_TEST

START_TEST(services_of_the_wrong_shape_are_refused_by_position)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"[1]", "services[0] is no object"},
        {"[null]", "services[0] is no object"},
        {"[\"a\"]", "services[0] is no object"},
        {"[[]]", "services[0] is no object"},
        {"[{\"name\":\"a\"},{}]", "services[1].name"},
        {"[{\"version\":\"1\"}]", "services[0].name"},
        {"[{\"name\":1}]", "services[0].name"},
        {"[{\"name\":null}]", "services[0].name"},
        {"[{\"name\":[\"a\"]}]", "services[0].name"},
        {"[{\"name\":\"\"}]", "services[0].name"},
        {"[{\"name\":\"a\\n\"}]", "services[0].name"},
        {"[{\"name\":\"a\\u007f\"}]", "services[0].name"},
        {"[{\"Name\":\"a\"}]", "services[0].name"},
        {"[{\"name\":\"a\",\"version\":1}]", "services[0].version"},
        {"[{\"name\":\"a\",\"version\":1.5}]", "services[0].version"},
        {"[{\"name\":\"a\",\"version\":false}]", "services[0].version"},
        {"[{\"name\":\"a\",\"version\":{}}]", "services[0].version"},
        {"[{\"name\":\"a\",\"version\":\"1\\t\"}]", "services[0].version"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int code;
        read_services(cases[i].text, &code);
        expect_refusal(cases[i].text, code, NETRON_EPROTOCOL, &why, cases[i].words);
    }
}
END_TEST

START_TEST(services_that_are_missing_or_no_array_are_refused)
{
    json_t *object = json_object();
    json_t *text = json_string("[]");
    const json_t *const others[] = {NULL, object, text};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        netron_node *node = NULL;
        int code = netron_json_node(&source, "node-1", "h:1", others[i], 0, &node);
        expect_refusal("services", code, NETRON_EPROTOCOL, &why, "test: services is missing or no array");
        ck_assert_ptr_null(node);
    }
    json_decref(object);
    json_decref(text);
}
END_TEST

START_TEST(services_keep_the_limits_of_a_node)
{
    static const struct {
        size_t name, version;
        const char *words; /* NULL = fine */
    } cases[] = {
        {128, 64, NULL},
        {129, 64, "services[0].name is longer than 128 bytes"},
        {128, 65, "services[0].version is longer than 64 bytes"},
        {100000, 1, "services[0].name"},
    };
    static char name[100001], version[128], text[100300];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int code;
        snprintf(text, sizeof(text), "[{\"name\":\"%s\",\"version\":\"%s\"}]", fill(name, 'n', cases[i].name),
                 fill(version, 'v', cases[i].version));
        netron_node_free(read_services(text, &code));
        if (cases[i].words == NULL)
            expect_success("limits", code, &why);
        else
            expect_refusal("limits", code, NETRON_EPROTOCOL, &why, cases[i].words);
    }
    for (size_t count = 1023; count <= 1025; count++) {
        int code;
        strcpy(text, "[");
        for (size_t i = 0; i < count; i++)
            strcat(text, i > 0 ? ",{\"name\":\"a\"}" : "{\"name\":\"a\"}");
        strcat(text, "]");
        netron_node *node = read_services(text, &code);
        if (count <= 1024)
            ck_assert_uint_eq(node->service_count, count);
        else
            expect_refusal("1025", code, NETRON_EPROTOCOL, &why, "services has more than 1024 entries");
        netron_node_free(node);
    }
}
END_TEST

static int load_something(void)
{
    static const char text[] = "{\"a\":[1,2.5,\"text\",{\"b\":null}],\"a long member\":\"and a long text behind it\"}";
    return load(text, sizeof(text) - 1, JSON_OBJECT);
}

START_TEST(a_lack_of_memory_fails_and_leaves_nothing_behind)
{
    scarce_memory(load_something);
}
END_TEST

/* ---- a small memory ---- */

static size_t room; /* bytes that are left */

struct block {
    size_t size;
    max_align_t memory[];
};

static void *take(size_t size)
{
    struct block *block = size <= room ? malloc(sizeof(*block) + size) : NULL;
    if (block == NULL)
        return NULL;
    block->size = size;
    room -= size;
    return block->memory;
}

static void give_back(void *memory)
{
    struct block *block = memory != NULL ? (struct block *)((char *)memory - offsetof(struct block, memory)) : NULL;
    if (block != NULL)
        room += block->size;
    free(block);
}

/* The second text has a length at which a token grows for its closing quote. */
START_TEST(however_little_memory_there_is_a_text_is_read_whole_or_not_at_all)
{
    static const char json[] =
        "{\"a member of a long name\":\"and a text that is longer than what a token begins with\","
        "\"b\":\"a text of 30 bytes, no other\"}";
    json_set_alloc_funcs(take, give_back);
    for (size_t all = 0; all < 128 * sizeof(json); all += 8) {
        json_t *object = NULL;
        room = all;
        int code = netron_json_load(&source, json, sizeof(json) - 1, JSON_OBJECT, &object);
        ck_assert_msg(code == 0 || code == NETRON_ENOMEM, "with %zu bytes: %s", all, why.sentence);
        ck_assert(code == 0 || all < 64 * sizeof(json));
        if (code == 0) {
            ck_assert_str_eq(json_string_value(json_object_get(object, "a member of a long name")),
                             "and a text that is longer than what a token begins with");
            ck_assert_str_eq(json_string_value(json_object_get(object, "b")), "a text of 30 bytes, no other");
        }
        json_decref(object);
        ck_assert_uint_eq(room, all);
    }
    json_set_alloc_funcs(malloc, free);
}
END_TEST

int main(void)
{
    allocations_of_libraries();
    Suite *suite = suite_create("node_json");
    TCase *tcase = suite_case(suite, "loading");
    tcase_add_test(tcase, a_whole_object_or_array_is_loaded);
    tcase_add_test(tcase, what_is_no_json_is_refused);
    tcase_add_test(tcase, nesting_without_end_is_refused);
    tcase_add_test(tcase, a_text_has_at_most_half_a_megabyte);
    tcase_add_test(tcase, a_lack_of_memory_fails_and_leaves_nothing_behind);
    tcase_add_test(tcase, however_little_memory_there_is_a_text_is_read_whole_or_not_at_all);
    tcase = suite_case(suite, "texts");
    tcase_add_test(tcase, a_text_has_a_length_and_is_printable);
    tcase_add_test(tcase, a_member_has_to_be_a_string);
    tcase = suite_case(suite, "nodes");
    tcase_add_test(tcase, services_are_read_in_their_order);
    tcase_add_test(tcase, services_of_the_wrong_shape_are_refused_by_position);
    tcase_add_test(tcase, services_that_are_missing_or_no_array_are_refused);
    tcase_add_test(tcase, services_keep_the_limits_of_a_node);
    return suite_run(suite);
}
