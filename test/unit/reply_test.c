/* SPDX-License-Identifier: MIT */
/* The room reply: every question, asked of every kind of reply that hiredis makes out of bytes, and of none. */
#include "expect.h"
#include "reply.h"
#include <hiredis/hiredis.h>
#include <limits.h>
#include <stdio.h>

/* The reply that these bytes are; freed by free_reply(). */
static const struct netron_reply *read_reply(const char *bytes, size_t length)
{
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    ck_assert_int_eq(redisReaderFeed(reader, bytes, length), REDIS_OK);
    ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
    ck_assert_msg(reply != NULL, "the bytes are no whole reply");
    redisReaderFree(reader);
    return reply;
}

static void free_reply(const struct netron_reply *reply)
{
    union {
        const void *given;
        void *taken;
    } same = {.given = reply};
    freeReplyObject(same.taken);
}

enum kind {
    NOTHING, /* no reply */
    TEXT,
    INTEGER,
    NIL,
    ARRAY,
    ERROR
};

struct sample {
    const char *what;
    const char *bytes; /* NULL = no reply */
    size_t size;
    enum kind kind;
    const char *text; /* of a text or an error */
    size_t length;
    long long integer;
    size_t count;
};

#define SAMPLE(what, bytes, kind, ...)                                                                                 \
    {                                                                                                                  \
        what, bytes, sizeof(bytes) - 1, kind, __VA_ARGS__                                                              \
    }

static const struct sample samples[] = {
    {"no reply", NULL, 0, NOTHING, NULL, 0, 0, 0},
    SAMPLE("a simple string", "+PONG\r\n", TEXT, "PONG", 4, 0, 0),
    SAMPLE("an empty simple string", "+\r\n", TEXT, "", 0, 0, 0),
    SAMPLE("a bulk string", "$5\r\nhello\r\n", TEXT, "hello", 5, 0, 0),
    SAMPLE("an empty bulk string", "$0\r\n\r\n", TEXT, "", 0, 0, 0),
    SAMPLE("a bulk string with NULs", "$5\r\na\0b\0c\r\n", TEXT, "a\0b\0c", 5, 0, 0),
    SAMPLE("a bulk string with line ends", "$4\r\n\r\n\r\n\r\n", TEXT, "\r\n\r\n", 4, 0, 0),
    SAMPLE("a bulk string of digits", "$2\r\n42\r\n", TEXT, "42", 2, 0, 0),
    SAMPLE("an integer", ":42\r\n", INTEGER, NULL, 0, 42, 0),
    SAMPLE("zero", ":0\r\n", INTEGER, NULL, 0, 0, 0),
    SAMPLE("the smallest integer", ":-9223372036854775808\r\n", INTEGER, NULL, 0, LLONG_MIN, 0),
    SAMPLE("the largest integer", ":9223372036854775807\r\n", INTEGER, NULL, 0, LLONG_MAX, 0),
    SAMPLE("a nil string", "$-1\r\n", NIL, NULL, 0, 0, 0),
    SAMPLE("a nil array", "*-1\r\n", NIL, NULL, 0, 0, 0),
    SAMPLE("an empty array", "*0\r\n", ARRAY, NULL, 0, 0, 0),
    SAMPLE("an array", "*3\r\n:1\r\n$-1\r\n+x\r\n", ARRAY, NULL, 0, 0, 3),
    SAMPLE("an array of an error", "*1\r\n-ERR x\r\n", ARRAY, NULL, 0, 0, 1),
    SAMPLE("an error", "-ERR unknown command\r\n", ERROR, "ERR unknown command", 19, 0, 0),
    SAMPLE("an error of one word", "-NOAUTH\r\n", ERROR, "NOAUTH", 6, 0, 0),
    SAMPLE("an empty error", "-\r\n", ERROR, "", 0, 0, 0),
};

static const struct netron_reply *read_sample(const struct sample *sample)
{
    return sample->bytes != NULL ? read_reply(sample->bytes, sample->size) : NULL;
}

static void expect_text_answers(const struct sample *sample, const struct netron_reply *reply)
{
    size_t length = 12345;
    const char *text = netron_reply_text(reply, &length);
    ck_assert_ptr_eq(netron_reply_text(reply, NULL), text);
    if (sample->kind != TEXT) {
        ck_assert_msg(text == NULL, "%s has a text", sample->what);
        ck_assert_msg(!netron_reply_is_text(reply, ""), "%s is the empty text", sample->what);
        ck_assert_msg(!netron_reply_is_text(reply, "42"), "%s is a text", sample->what);
        return;
    }
    ck_assert_msg(text != NULL && length == sample->length && memcmp(text, sample->text, length) == 0, "%s: \"%s\"",
                  sample->what, text);
    ck_assert_msg(text[length] == '\0', "%s is not terminated", sample->what);
    /* A text that holds a NUL is no text of C, and not the same as its beginning. */
    bool is_whole = strlen(sample->text) == sample->length;
    ck_assert_msg(netron_reply_is_text(reply, sample->text) == is_whole, "%s", sample->what);
    ck_assert_msg(!netron_reply_is_text(reply, "another"), "%s", sample->what);
}

START_TEST(every_question_is_safe_and_true_for_every_reply)
{
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        const struct sample *sample = &samples[i];
        const struct netron_reply *reply = read_sample(sample);
        long long integer = 4711;
        expect_text_answers(sample, reply);
        ck_assert_msg(netron_reply_is_nil(reply) == (sample->kind == NIL), "%s", sample->what);
        ck_assert_msg(netron_reply_is_array(reply) == (sample->kind == ARRAY), "%s", sample->what);
        ck_assert_msg(netron_reply_integer(reply, &integer) == (sample->kind == INTEGER), "%s", sample->what);
        ck_assert_msg(integer == (sample->kind == INTEGER ? sample->integer : 4711), "%s: %lld", sample->what, integer);
        ck_assert_msg(netron_reply_count(reply) == sample->count, "%s", sample->what);
        for (size_t at = 0; at < sample->count; at++)
            ck_assert_msg(netron_reply_at(reply, at) != NULL, "%s", sample->what);
        ck_assert_msg(netron_reply_at(reply, sample->count) == NULL, "%s", sample->what);
        ck_assert_msg(netron_reply_at(reply, SIZE_MAX) == NULL, "%s", sample->what);
        const char *error = netron_reply_error(reply);
        ck_assert_msg((error != NULL) == (sample->kind == ERROR), "%s", sample->what);
        if (error != NULL)
            ck_assert_str_eq(error, sample->text);
        ck_assert_msg(netron_reply_error_is(reply, "ERR") == (error != NULL && strncmp(error, "ERR ", 4) == 0), "%s",
                      sample->what);
        free_reply(reply);
    }
}
END_TEST

START_TEST(a_text_is_the_same_to_the_last_byte)
{
    const struct netron_reply *reply = read_reply("+PONG\r\n", 7);
    ck_assert(netron_reply_is_text(reply, "PONG"));
    ck_assert(!netron_reply_is_text(reply, "PON"));
    ck_assert(!netron_reply_is_text(reply, "PONGS"));
    ck_assert(!netron_reply_is_text(reply, "pong"));
    ck_assert(!netron_reply_is_text(reply, ""));
    free_reply(reply);
}
END_TEST

START_TEST(elements_are_replies_of_their_own)
{
    static const char bytes[] = "*4\r\n*2\r\n$1\r\na\r\n*1\r\n:7\r\n$-1\r\n-NOPERM no\r\n*0\r\n";
    const struct netron_reply *reply = read_reply(bytes, sizeof(bytes) - 1);
    long long integer = 0;
    const struct netron_reply *inner = netron_reply_at(reply, 0);
    ck_assert_uint_eq(netron_reply_count(inner), 2);
    ck_assert(netron_reply_is_text(netron_reply_at(inner, 0), "a"));
    ck_assert(netron_reply_integer(netron_reply_at(netron_reply_at(inner, 1), 0), &integer));
    ck_assert_int_eq(integer, 7);
    ck_assert_ptr_null(netron_reply_at(netron_reply_at(netron_reply_at(inner, 1), 0), 0));
    ck_assert(netron_reply_is_nil(netron_reply_at(reply, 1)));
    ck_assert(netron_reply_error_is(netron_reply_at(reply, 2), "NOPERM"));
    ck_assert(netron_reply_is_array(netron_reply_at(reply, 3)));
    ck_assert_uint_eq(netron_reply_count(netron_reply_at(reply, 3)), 0);
    free_reply(reply);
}
END_TEST

START_TEST(an_error_is_known_by_its_whole_first_word)
{
    static const char bytes[] = "-NOSCRIPT No matching script\r\n";
    const struct netron_reply *reply = read_reply(bytes, sizeof(bytes) - 1);
    ck_assert(netron_reply_error_is(reply, "NOSCRIPT"));
    ck_assert(!netron_reply_error_is(reply, "NOSCRIP"));
    ck_assert(!netron_reply_error_is(reply, "NOSCRIPTS"));
    ck_assert(!netron_reply_error_is(reply, "No"));
    ck_assert(!netron_reply_error_is(reply, "noscript"));
    free_reply(reply);
}
END_TEST

START_TEST(the_first_word_of_an_error_decides_the_code)
{
    static const struct {
        const char *error;
        int code;
    } cases[] = {
        {"NOAUTH Authentication required.", NETRON_EAUTH},
        {"NOAUTH", NETRON_EAUTH},
        {"WRONGPASS invalid username-password pair or user is disabled.", NETRON_EAUTH},
        {"NOPERM this user has no permissions to run the 'getex' command", NETRON_EPERM},
        {"LOADING Redis is loading the dataset in memory", NETRON_EUNAVAILABLE},
        {"BUSY Redis is busy running a script.", NETRON_EUNAVAILABLE},
        {"MASTERDOWN Link with MASTER is down", NETRON_EUNAVAILABLE},
        {"READONLY You can't write against a read only replica.", NETRON_EUNAVAILABLE},
        {"TRYAGAIN Multiple keys request during rehashing of slot", NETRON_EUNAVAILABLE},
        {"CLUSTERDOWN Hash slot not served", NETRON_EUNAVAILABLE},
        {"NOREPLICAS Not enough good replicas to write.", NETRON_EUNAVAILABLE},
        {"MISCONF Redis is configured to save RDB snapshots", NETRON_EUNAVAILABLE},
        {"OOM command not allowed when used memory > 'maxmemory'.", NETRON_EUNAVAILABLE},
        {"ERR unknown command", NETRON_EREDIS},
        {"ERR Error running script (call to f_1): @user_script:7: -READONLY You can't write", NETRON_EUNAVAILABLE},
        {"ERR Error running script (call to f_1): @user_script:7: something of its own", NETRON_EREDIS},
        {"ERR Error running script (call to f_1): @user_script:7: @user_script: 7: "
         "Script attempted to access a non local key in a cluster node",
         NETRON_EUNAVAILABLE},
        {"@user_script: 7: Script attempted to access a non local key in a cluster node", NETRON_EUNAVAILABLE},
        {"@user_script: 7: Script attempted to execute a write command while the cluster is down and readonly",
         NETRON_EUNAVAILABLE},
        {"ERR Error running script (call to f_1): @user_script:7: Script attempted to sing", NETRON_EREDIS},
        {"WRONGTYPE Operation against a key", NETRON_EREDIS},
        {"MOVED 3999 127.0.0.1:6381", NETRON_EUNAVAILABLE},
        {"NOAUTHX", NETRON_EREDIS},
        {"BUSYKEY Target key name already exists.", NETRON_EREDIS},
        {"ERR NOAUTH", NETRON_EREDIS},
        {"noauth", NETRON_EREDIS},
        {"", NETRON_EREDIS},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char bytes[256];
        char words[256];
        struct netron_failure why = {0};
        int length = snprintf(bytes, sizeof(bytes), "-%s\r\n", cases[i].error);
        snprintf(words, sizeof(words), "GETEX: %s", cases[i].error);
        const struct netron_reply *reply = read_reply(bytes, (size_t)length);
        expect_refusal(cases[i].error, netron_reply_fail(reply, "GETEX", &why), cases[i].code, &why, words);
        ck_assert_int_eq(netron_reply_fail(reply, "GETEX", NULL), cases[i].code);
        free_reply(reply);
    }
}
END_TEST

START_TEST(a_reply_that_is_no_error_was_not_expected)
{
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        if (samples[i].kind == ERROR)
            continue;
        struct netron_failure why = {0};
        const struct netron_reply *reply = read_sample(&samples[i]);
        int code = netron_reply_fail(reply, "register", &why);
        expect_refusal(samples[i].what, code, NETRON_EPROTOCOL, &why, "register: unexpected reply");
        free_reply(reply);
    }
}
END_TEST

START_TEST(an_error_that_would_steer_a_terminal_is_made_printable)
{
    static const char bytes[] = "-ERR a\x1b[31m\xff%s%n\r\n";
    struct netron_failure why = {0};
    const struct netron_reply *reply = read_reply(bytes, sizeof(bytes) - 1);
    int code = netron_reply_fail(reply, "GETEX", &why);
    expect_refusal("escape", code, NETRON_EREDIS, &why, "GETEX: ERR a?[31m?%s%n");
    free_reply(reply);
}
END_TEST

#ifdef REDIS_REPLY_DOUBLE
/* Nobody asks for RESP3, but a server may be anything. */
START_TEST(a_reply_of_resp3_is_none_of_what_is_asked_for)
{
    static const char *const replies[] = {",1.5\r\n", "#t\r\n", "%1\r\n+a\r\n:1\r\n", "~1\r\n:1\r\n"};
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        long long integer = 4711;
        const struct netron_reply *reply = read_reply(replies[i], strlen(replies[i]));
        ck_assert_ptr_null(netron_reply_text(reply, NULL));
        ck_assert_ptr_null(netron_reply_error(reply));
        ck_assert(!netron_reply_is_nil(reply));
        ck_assert(!netron_reply_integer(reply, &integer));
        ck_assert_uint_eq(netron_reply_count(reply), 0);
        ck_assert_ptr_null(netron_reply_at(reply, 0));
        free_reply(reply);
    }
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("reply");
    TCase *tcase = suite_case(suite, "reply");
    tcase_add_test(tcase, every_question_is_safe_and_true_for_every_reply);
    tcase_add_test(tcase, a_text_is_the_same_to_the_last_byte);
    tcase_add_test(tcase, elements_are_replies_of_their_own);
    tcase_add_test(tcase, an_error_is_known_by_its_whole_first_word);
    tcase_add_test(tcase, the_first_word_of_an_error_decides_the_code);
    tcase_add_test(tcase, a_reply_that_is_no_error_was_not_expected);
    tcase_add_test(tcase, an_error_that_would_steer_a_terminal_is_made_printable);
#ifdef REDIS_REPLY_DOUBLE
    tcase_add_test(tcase, a_reply_of_resp3_is_none_of_what_is_asked_for);
#endif
    return suite_run(suite);
}
