/* SPDX-License-Identifier: MIT */
/* What no honest reply exceeds, asked of the reader that it is put into. */
#include "bounds.h"
#include "suite.h"
#include <string.h>

#define MEBIBYTE (1024u * 1024u)

static struct netron_bounds bounds;
static redisReader *reader;

static void open_reader(void)
{
    reader = redisReaderCreate();
    netron_bounds_set(&bounds, reader);
}

static void close_reader(void)
{
    redisReaderFree(reader);
}

static void feed(const char *bytes)
{
    ck_assert_int_eq(redisReaderFeed(reader, bytes, strlen(bytes)), REDIS_OK);
    netron_bounds_arrived(&bounds, strlen(bytes));
}

static int read_reply(void)
{
    void *reply = NULL;
    int code = redisReaderGetReply(reader, &reply);
    if (reply != NULL) {
        netron_bounds_finished(&bounds, reader);
        freeReplyObject(reply);
    }
    return code;
}

START_TEST(a_reply_may_have_256_mebibytes_and_no_byte_more)
{
    feed("$536870912\r\n");
    ck_assert_int_eq(read_reply(), REDIS_OK);
    ck_assert(!netron_bounds_is_endless(&bounds, reader));
    netron_bounds_arrived(&bounds, 256 * MEBIBYTE - bounds.bytes);
    ck_assert(!netron_bounds_is_endless(&bounds, reader));
    netron_bounds_arrived(&bounds, 1);
    ck_assert(netron_bounds_is_endless(&bounds, reader));
}
END_TEST

START_TEST(what_follows_a_reply_counts_for_the_next_one)
{
    feed("*2\r\n:1\r\n:2\r\n+OK\r\n$3\r\nab");
    ck_assert_int_eq(read_reply(), REDIS_OK);
    ck_assert_uint_eq(bounds.bytes, strlen("+OK\r\n$3\r\nab"));
    ck_assert_uint_eq(bounds.elements, 0);
    ck_assert_int_eq(read_reply(), REDIS_OK);
    ck_assert_uint_eq(bounds.bytes, strlen("$3\r\nab"));
    feed("c\r\n");
    ck_assert_int_eq(read_reply(), REDIS_OK);
    ck_assert_uint_eq(bounds.bytes, 0);
    ck_assert_ptr_null(bounds.excess);
}
END_TEST

/* On 32 bits the reader asks for such a string; elsewhere it waits until all of it is there. */
START_TEST(no_string_is_made_that_is_longer_than_a_reply_may_be)
{
    redisReadTask task = {.type = REDIS_REPLY_STRING, .privdata = &bounds};
    char text[] = "text";
    void *reply = bounds.functions.createString(&task, text, 4);
    ck_assert_ptr_nonnull(reply);
    ck_assert_ptr_null(bounds.excess);
    freeReplyObject(reply);
    ck_assert_ptr_null(bounds.functions.createString(&task, text, 256 * MEBIBYTE + 1));
    ck_assert_str_eq(bounds.excess, "a string that is too long");
}
END_TEST

START_TEST(arrays_may_be_nested_eight_deep)
{
    feed("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n");
    ck_assert_int_eq(read_reply(), REDIS_OK);
    ck_assert_uint_eq(bounds.bytes, 0);
    feed("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n");
    ck_assert_int_eq(read_reply(), REDIS_ERR);
}
END_TEST

START_TEST(an_array_may_have_a_mebi_of_elements_all_its_arrays_together)
{
    feed("*1048576\r\n");
    ck_assert_int_eq(read_reply(), REDIS_OK);
    feed(_i == 0 ? ":1\r\n" : "*1\r\n");
    ck_assert_int_eq(read_reply(), _i == 0 ? REDIS_OK : REDIS_ERR);
    ck_assert_int_eq(bounds.excess != NULL, _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bounds");
    TCase *tcase = suite_case(suite, "bounds");
    tcase_add_checked_fixture(tcase, open_reader, close_reader);
    tcase_add_test(tcase, a_reply_may_have_256_mebibytes_and_no_byte_more);
    tcase_add_test(tcase, what_follows_a_reply_counts_for_the_next_one);
    tcase_add_test(tcase, no_string_is_made_that_is_longer_than_a_reply_may_be);
    tcase_add_test(tcase, arrays_may_be_nested_eight_deep);
    tcase_add_loop_test(tcase, an_array_may_have_a_mebi_of_elements_all_its_arrays_together, 0, 2);
    return suite_run(suite);
}
