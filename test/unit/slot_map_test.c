/* SPDX-License-Identifier: MIT */
/* The room slot_map: CLUSTER SLOTS as the versions of Redis say it, and as nobody should. */
#include "answer.h"
#include "expect.h"
#include "slot_map.h"
#include <hiredis/hiredis.h>
#include <stdio.h>

static const struct netron_location asked = {.host = "10.0.0.1", .port = 7000};
static struct netron_slot_map map;
static struct netron_failure why;

/* Reads the answer that these bytes are, for slot 100. */
static int read_map(const char *bytes)
{
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    memset(&map, 0x5a, sizeof(map));
    ck_assert_int_eq(redisReaderFeed(reader, bytes, strlen(bytes)), REDIS_OK);
    ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
    ck_assert_ptr_nonnull(reply);
    int code = netron_slot_map_read(reply, 100, &asked, &map, &why);
    freeReplyObject(reply);
    redisReaderFree(reader);
    return code;
}

static void expect_primary(const char *host, unsigned port)
{
    ck_assert_uint_eq(map.primary.port, port);
    if (port != 0)
        ck_assert_str_eq(map.primary.host, host);
}

#define ID "$4\r\nabcd\r\n"
#define NODE(host, port) "*3\r\n" host ":" port "\r\n" ID
#define A "$8\r\n10.0.0.2\r\n"
#define B "$8\r\n10.0.0.3\r\n"

START_TEST(the_primary_of_the_slot_comes_first_in_its_range)
{
    /* Redis 6.2 says no more than this of a node. */
    ck_assert_int_eq(read_map("*2\r\n*4\r\n:0\r\n:99\r\n" NODE(A, "1")
                                  NODE(B, "2") "*4\r\n:100\r\n:16383\r\n" NODE(B, "1") NODE(A, "2")),
                     0);
    expect_primary("10.0.0.3", 1);
    ck_assert_uint_eq(map.node_count, 4);
    ck_assert_str_eq(map.nodes[1].host, "10.0.0.3");
    ck_assert_uint_eq(map.nodes[1].port, 2);
}
END_TEST

START_TEST(nodes_are_known_once)
{
    ck_assert_int_eq(read_map("*3\r\n*3\r\n:0\r\n:1\r\n" NODE(A, "1") "*3\r\n:2\r\n:100\r\n" NODE(
                         A, "1") "*3\r\n:101\r\n:102\r\n" NODE(B, "1")),
                     0);
    expect_primary("10.0.0.2", 1);
    ck_assert_uint_eq(map.node_count, 2);
}
END_TEST

START_TEST(a_slot_that_nobody_serves_has_no_primary)
{
    ck_assert_int_eq(read_map("*0\r\n"), 0);
    expect_primary(NULL, 0);
    ck_assert_uint_eq(map.node_count, 0);
    ck_assert_int_eq(read_map("*2\r\n*3\r\n:0\r\n:99\r\n" NODE(A, "1") "*3\r\n:101\r\n:102\r\n" NODE(B, "1")), 0);
    expect_primary(NULL, 0);
    ck_assert_uint_eq(map.node_count, 2);
}
END_TEST

/* A node that was not told what it is called; one that shall say a name and has none, with and without what Redis 7
 * adds. */
START_TEST(a_node_without_a_name_is_where_it_can_be_found)
{
    ck_assert_int_eq(read_map("*1\r\n*3\r\n:0\r\n:100\r\n" NODE("$0\r\n\r\n", "7")), 0);
    expect_primary("10.0.0.1", 7);
    ck_assert_int_eq(read_map("*1\r\n*3\r\n:0\r\n:100\r\n" NODE("$-1\r\n", "7")), 0);
    expect_primary("10.0.0.1", 7);
    ck_assert_int_eq(read_map("*1\r\n*3\r\n:0\r\n:100\r\n*4\r\n$1\r\n?\r\n:7\r\n" ID "*2\r\n$2\r\nip\r\n" A), 0);
    expect_primary("10.0.0.2", 7);
    ck_assert_int_eq(read_map("*1\r\n*4\r\n:0\r\n:100\r\n" NODE("$1\r\n?\r\n", "7") NODE(A, "8")), 0);
    expect_primary(NULL, 0);
    ck_assert_uint_eq(map.node_count, 1);
}
END_TEST

START_TEST(names_and_addresses_of_both_families_are_taken)
{
    ck_assert_int_eq(
        read_map("*1\r\n*4\r\n:0\r\n:100\r\n" NODE("$13\r\nredis.example\r\n", "7") NODE("$3\r\n::1\r\n", "8")), 0);
    expect_primary("redis.example", 7);
    ck_assert_str_eq(map.nodes[1].host, "::1");
}
END_TEST

START_TEST(a_node_that_cannot_be_is_passed_over)
{
    static const char *const nodes[] = {
        NODE(A, "0"),
        NODE(A, "65536"),
        NODE(A, "-1"),
        NODE(":1\r\n", "1"),
        NODE("$3\r\na b\r\n", "1"),
        NODE("$2\r\n\r\n\r\n", "1"),
        NODE("*0\r\n", "1"),
        "*0\r\n",
        "*1\r\n" A,
        "*3\r\n" A "$1\r\n1\r\n" ID,
    };
    struct answer answer;
    for (size_t i = 0; i < COUNT_OF(nodes); i++) {
        answer_clear(&answer);
        answer_say(&answer, "*1\r\n*4\r\n:0\r\n:100\r\n%s%s", nodes[i], NODE(B, "1"));
        ck_assert_int_eq(read_map(answer.bytes), 0);
        expect_primary(NULL, 0);
        ck_assert_uint_eq(map.node_count, 1);
    }
}
END_TEST

START_TEST(more_nodes_than_there_is_room_for_are_too_many)
{
    static struct answer answer;
    answer_clear(&answer);
    answer_say(&answer, "*1\r\n*%u\r\n:0\r\n:100\r\n", 2 + 200);
    for (unsigned i = 1; i <= 200; i++)
        answer_say(&answer, "*3\r\n" A ":%u\r\n" ID, i);
    ck_assert_int_eq(read_map(answer.bytes), 0);
    expect_primary("10.0.0.2", 1);
    ck_assert_uint_eq(map.node_count, NETRON_HOSTS_MAX);
}
END_TEST

START_TEST(what_is_no_list_of_ranges_is_refused)
{
    static const struct {
        const char *bytes;
        int code;
    } cases[] = {
        {"+OK\r\n", NETRON_EPROTOCOL},
        {":1\r\n", NETRON_EPROTOCOL},
        {"$-1\r\n", NETRON_EPROTOCOL},
        {"*1\r\n:1\r\n", NETRON_EPROTOCOL},
        {"*1\r\n*0\r\n", NETRON_EPROTOCOL},
        {"*1\r\n*2\r\n:0\r\n:100\r\n", NETRON_EPROTOCOL},
        {"*1\r\n*3\r\n:0\r\n:100\r\n:1\r\n", NETRON_EPROTOCOL},
        {"*1\r\n*3\r\n$1\r\n0\r\n:100\r\n" NODE(A, "1"), NETRON_EPROTOCOL},
        {"*1\r\n*3\r\n:-1\r\n:100\r\n" NODE(A, "1"), NETRON_EPROTOCOL},
        {"*1\r\n*3\r\n:101\r\n:100\r\n" NODE(A, "1"), NETRON_EPROTOCOL},
        {"*1\r\n*3\r\n:0\r\n:16384\r\n" NODE(A, "1"), NETRON_EPROTOCOL},
        {"*2\r\n*3\r\n:0\r\n:100\r\n" NODE(A, "1") "*-1\r\n", NETRON_EPROTOCOL},
        {"-ERR This instance has cluster support disabled\r\n", NETRON_EREDIS},
        {"-CLUSTERDOWN The cluster is down\r\n", NETRON_EUNAVAILABLE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int code = read_map(cases[i].bytes);
        ck_assert_msg(code == cases[i].code, "%s: %d", cases[i].bytes, code);
        ck_assert_int_eq(strncmp(why.sentence, "CLUSTER SLOTS: ", 15), 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slot_map");
    TCase *tcase = suite_case(suite, "slot_map");
    tcase_add_test(tcase, the_primary_of_the_slot_comes_first_in_its_range);
    tcase_add_test(tcase, nodes_are_known_once);
    tcase_add_test(tcase, a_slot_that_nobody_serves_has_no_primary);
    tcase_add_test(tcase, a_node_without_a_name_is_where_it_can_be_found);
    tcase_add_test(tcase, names_and_addresses_of_both_families_are_taken);
    tcase_add_test(tcase, a_node_that_cannot_be_is_passed_over);
    tcase_add_test(tcase, more_nodes_than_there_is_room_for_are_too_many);
    tcase_add_test(tcase, what_is_no_list_of_ranges_is_refused);
    return suite_run(suite);
}
