/* SPDX-License-Identifier: MIT */
#include "answer.h"
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void answer_clear(struct answer *answer)
{
    answer->length = 0;
    answer->bytes[0] = '\0';
}

void answer_say(struct answer *answer, const char *format, ...)
{
    va_list arguments;
    size_t room = sizeof(answer->bytes) - answer->length;
    va_start(arguments, format);
    int length = vsnprintf(answer->bytes + answer->length, room, format, arguments);
    va_end(arguments);
    ck_assert_msg(length >= 0 && (size_t)length < room, "no room for the answer");
    answer->length += (size_t)length;
}

void answer_say_text(struct answer *answer, const char *text)
{
    answer_say(answer, "$%zu\r\n%s\r\n", strlen(text), text);
}

const char *const hostile_answers[] = {
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
const size_t hostile_answer_count = sizeof(hostile_answers) / sizeof(hostile_answers[0]);
