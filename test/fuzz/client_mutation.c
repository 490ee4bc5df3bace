/* SPDX-License-Identifier: MIT */
/* Answers that nobody should give, and ways to spoil those that somebody should. */
#include "client.h"

const char *const hostile_replies[] = {
    "$-1\r\n",
    "*-1\r\n",
    "*0\r\n",
    "$0\r\n\r\n",
    "+\r\n",
    "-\r\n",
    ":0\r\n",
    ":-1\r\n",
    ":9223372036854775807\r\n",
    "+OK\r\n",
    "+QUEUED\r\n",
    "$5\r\nhello\r\n",
    "*1\r\n$-1\r\n",
    "*1\r\n*-1\r\n",
    "*9\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n",
    "*9\r\n:-1\r\n:-1\r\n:-1\r\n:-1\r\n:-1\r\n:-1\r\n$2\r\n-1\r\n$2\r\ne1\r\n:-1\r\n",
    "*2\r\n$1\r\n7\r\n*0\r\n",
    "*2\r\n$4\r\nfull\r\n$-1\r\n",
    "*5\r\n$5\r\ndelta\r\n$2\r\ne1\r\n:9223372036854775807\r\n$12\r\n000000000000\r\n:1\r\n",
    "*3\r\n$7\r\nmessage\r\n$-1\r\n$-1\r\n",
    "*3\r\n$9\r\nsubscribe\r\n$-1\r\n:1\r\n",
    "*3\r\n$11\r\nunsubscribe\r\n$23\r\nnetron:discovery:events\r\n:0\r\n",
    "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$23\r\nnetron:discovery:events\r\n$2\r\n{}\r\n",
    "*2\r\n$4\r\npong\r\n$0\r\n\r\n",
    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
    "$536870912\r\n",
    "$2147483648\r\n",
    "$9223372036854775807\r\n",
    "*2147483647\r\n",
    "*2147483648\r\n",
    "*4294967297\r\n",
    "*1048577\r\n",
    "-ERR unknown command\r\n",
    "-NOSCRIPT No matching script. Please use EVAL.\r\n",
    "-LOADING Redis is loading the dataset in memory\r\n",
    "-READONLY You can't write against a read only replica.\r\n",
    "-NOAUTH Authentication required.\r\n",
    "-NOPERM this user has no permissions\r\n",
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    "-MOVED 1 127.0.0.1:1\r\n",
    "-OOM command not allowed\r\n",
    "-BUSY Redis is busy running a script\r\n",
    "-ERR Error running script (call to f_1): @user_script:7: @user_script: 7: -READONLY You can't write\r\n",
    "%1\r\n+a\r\n+b\r\n",
    "_\r\n",
    "GET / HTTP/1.1\r\n\r\n",
};
const size_t hostile_reply_count = sizeof(hostile_replies) / sizeof(hostile_replies[0]);

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
        replace_element(text, place, hostile_replies[input_byte(edits) % hostile_reply_count]);
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
