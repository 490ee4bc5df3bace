/* SPDX-License-Identifier: MIT */
/* The room keys: the names that the protocol gives to what stands in Redis, to the letter. */
#include "expect.h"
#include "keys.h"
#include <stdlib.h>

START_TEST(every_key_is_named_as_the_protocol_says)
{
    static const struct {
        const char *prefix;
        enum netron_key key;
        const char *tail;
        const char *wanted;
    } cases[] = {
        {"netron:discovery", NETRON_KEY_REGISTRY, "", "netron:discovery:registry"},
        {"netron:discovery", NETRON_KEY_RECORDS, "", "netron:discovery:records"},
        {"netron:discovery", NETRON_KEY_EXPIRY, "", "netron:discovery:expiry"},
        {"netron:discovery", NETRON_KEY_NODE_INDEX, "", "netron:discovery:index:nodes"},
        {"netron:discovery", NETRON_KEY_SERVICE_INDEX, "chat", "netron:discovery:index:service:chat"},
        {"netron:discovery", NETRON_KEY_NODE, "node-1", "netron:discovery:nodes:node-1"},
        {"netron:discovery", NETRON_KEY_HEARTBEAT, "node-1", "netron:discovery:heartbeat:node-1"},
        {"{a}", NETRON_KEY_REGISTRY, "", "{a}:registry"},
        {"x", NETRON_KEY_NODE, "a:b c", "x:nodes:a:b c"},
        {"x", NETRON_KEY_NODE, "\xc3\xa9", "x:nodes:\xc3\xa9"},
        {"100%s", NETRON_KEY_SERVICE_INDEX, "%n%d", "100%s:index:service:%n%d"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *name = netron_key_name(cases[i].prefix, cases[i].key, cases[i].tail);
        ck_assert_str_eq(name, cases[i].wanted);
        free(name);
    }
}
END_TEST

START_TEST(the_longest_prefix_and_tail_make_a_whole_name)
{
    char prefix[129];
    char tail[257];
    char wanted[sizeof(prefix) + sizeof(tail) + 16] = "";
    fill(prefix, 'p', sizeof(prefix) - 1);
    fill(tail, 't', sizeof(tail) - 1);
    strcat(strcat(strcat(wanted, prefix), ":heartbeat:"), tail);
    char *name = netron_key_name(prefix, NETRON_KEY_HEARTBEAT, tail);
    ck_assert_str_eq(name, wanted);
    free(name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keys");
    TCase *tcase = suite_case(suite, "keys");
    tcase_add_test(tcase, every_key_is_named_as_the_protocol_says);
    tcase_add_test(tcase, the_longest_prefix_and_tail_make_a_whole_name);
    return suite_run(suite);
}
