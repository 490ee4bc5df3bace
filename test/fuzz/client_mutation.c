/* SPDX-License-Identifier: MIT */
/* Ways to spoil an answer. */
#include "client.h"

struct text {
    char *bytes;
    size_t length;
    size_t room;
};

/* Puts bytes in the place of those from there on; nothing happens when there is no room. */
static void splice(struct text *text, size_t from, size_t length, const char *bytes, size_t count)
{
    if (from > text->length)
        from = text->length;
    if (length > text->length - from)
        length = text->length - from;
    if (text->length - length + count > text->room)
        return;
    memmove(text->bytes + from + count, text->bytes + from + length, text->length - from - length);
    memcpy(text->bytes + from, bytes, count);
    text->length += count - length;
}

/* Where the element of RESP begins that is the so manieth line, and how long it is, with the payload of a string. */
static size_t find_element(const struct text *text, unsigned line, size_t *length)
{
    size_t from = 0;
    for (;;) {
        const char *end = memchr(text->bytes + from, '\n', text->length - from);
        size_t to = end != NULL ? (size_t)(end - text->bytes) + 1 : text->length;
        if (text->bytes[from] == '$' && to < text->length && text->bytes[from + 1] != '-') {
            end = memchr(text->bytes + to, '\n', text->length - to);
            to = end != NULL ? (size_t)(end - text->bytes) + 1 : text->length;
        }
        if (line-- == 0 || to >= text->length) {
            *length = to - from;
            return from;
        }
        from = to;
    }
}

static void replace_element(struct text *text, unsigned line, const char *reply)
{
    size_t length = 0;
    size_t from = find_element(text, line, &length);
    splice(text, from, length, reply, strlen(reply));
}

/* A string of these bytes instead of an element. */
static void replace_by_string(struct text *text, unsigned line, struct input bytes)
{
    char string[300];
    int head = snprintf(string, sizeof(string), "$%zu\r\n", (size_t)(bytes.end - bytes.at));
    memcpy(string + head, bytes.at, (size_t)(bytes.end - bytes.at));
    size_t size = (size_t)head + (size_t)(bytes.end - bytes.at);
    memcpy(string + size, "\r\n", 2);
    size_t length = 0;
    size_t from = find_element(text, line, &length);
    splice(text, from, length, string, size + 2);
}

static void edit(struct text *text, struct input *edits)
{
    uint8_t kind = input_byte(edits);
    unsigned place = input_byte(edits);
    size_t at = text->length > 0 ? (size_t)place * 7 % text->length : 0;
    char byte;
    size_t length = 0;
    switch (kind % 8) {
    case 0: /* the beginning only */
        text->length = at;
        break;
    case 1: /* another byte */
        byte = (char)input_byte(edits);
        splice(text, at, 1, &byte, 1);
        break;
    case 2: /* a byte more */
        byte = (char)input_byte(edits);
        splice(text, at, 0, &byte, 1);
        break;
    case 3: /* bytes less */
        splice(text, at, input_byte(edits), "", 0);
        break;
    case 4: /* another element */
        replace_element(text, place, hostile_answers[input_byte(edits) % hostile_answer_count]);
        break;
    case 5: /* an element less */
        replace_element(text, place, "");
        break;
    case 6: /* an element more, of the same kind */
        at = find_element(text, place, &length);
        if (length <= 512) {
            char copy[512];
            memcpy(copy, text->bytes + at, length);
            splice(text, at, 0, copy, length);
        }
        break;
    default: /* other words in an element */
        replace_by_string(text, place, input_slice(edits, input_byte(edits)));
        break;
    }
}

size_t mutate(char *bytes, size_t length, size_t room, struct input edits)
{
    struct text text = {bytes, length, room};
    while (edits.at < edits.end)
        edit(&text, &edits);
    return text.length;
}
