/* SPDX-License-Identifier: MIT */
/* Ways to spoil a text that a reader understands, for the readers of what others wrote. */
#ifndef NETRON_TEST_HOSTILE_H
#define NETRON_TEST_HOSTILE_H

#include "expect.h"
#include "node.h"
#include "random.h"
#include <stdio.h>
#include <stdlib.h>

/* Reads the text, frees what it gave, and returns the code. What was read is checked by hostile_node(). */
typedef int (*hostile_reader)(const char *text, size_t length, struct netron_failure *why);

/* Whatever was accepted keeps the limits: a reader's node goes to users as it is. */
static inline void hostile_node(const netron_node *node, size_t address_min)
{
    struct netron_failure why = {0};
    size_t length = strlen(node->address);
    expect_success("id", netron_node_check_id(node->id, &why), &why);
    ck_assert(length >= address_min && length <= NETRON_ADDRESS_MAX);
    ck_assert(netron_text_is_utf8(node->address, length) && !netron_text_has_control(node->address, length));
    ck_assert_uint_le(node->service_count, NETRON_SERVICES_MAX);
    for (size_t i = 0; i < node->service_count; i++) {
        expect_success("name", netron_node_check_service_name(node->services[i].name, "name", &why), &why);
        expect_success("version", netron_node_check_service_version(node->services[i].version, "version", &why), &why);
    }
}

/* The copy ends where the text does, so that a sanitizer sees who reads on. */
static inline int hostile_read(hostile_reader reader, const char *text, size_t length, struct netron_failure *why)
{
    char *exact = malloc(length > 0 ? length : 1);
    memcpy(exact, text, length);
    int code = reader(exact, length, why);
    free(exact);
    return code;
}

/* No beginning of a text is a whole one. */
static inline void hostile_beginnings(hostile_reader reader, const char *text)
{
    struct netron_failure why = {0};
    expect_success(text, hostile_read(reader, text, strlen(text), &why), &why);
    for (size_t length = 0; length < strlen(text); length++) {
        int code = hostile_read(reader, text, length, &why);
        ck_assert_msg(code == NETRON_EPROTOCOL, "the first %zu bytes give %d", length, code);
    }
}

/* Each byte in turn becomes each of these, and goes; then many at once. It may stay a text, but nothing else happens.
 */
static inline void hostile_bytes(hostile_reader reader, const char *text)
{
    static const char bytes[] = "\0\x01\n \"\\{}[]:,0-.e\x7f\x80\xc3\xed\xf4\xff";
    size_t length = strlen(text);
    char *spoilt = malloc(length);
    struct netron_random random = {.state = length};
    struct netron_failure why;
    for (size_t at = 0; at < length; at++) {
        for (size_t each = 0; each < sizeof(bytes) - 1; each++) {
            memcpy(spoilt, text, length);
            spoilt[at] = bytes[each];
            int code = hostile_read(reader, spoilt, length, &why);
            ck_assert_msg(code == 0 || code == NETRON_EPROTOCOL, "byte %zu as 0x%02x gives %d", at,
                          (unsigned char)bytes[each], code);
        }
        memcpy(spoilt, text, at);
        memcpy(spoilt + at, text + at + 1, length - at - 1);
        int code = hostile_read(reader, spoilt, length - 1, &why);
        ck_assert_msg(code == 0 || code == NETRON_EPROTOCOL, "without byte %zu: %d", at, code);
    }
    for (int round = 0; round < 3000; round++) {
        memcpy(spoilt, text, length);
        for (uint64_t times = netron_random_next(&random) % 6 + 1; times > 0; times--)
            spoilt[netron_random_next(&random) % length] = bytes[netron_random_next(&random) % (sizeof(bytes) - 1)];
        int code = hostile_read(reader, spoilt, length, &why);
        ck_assert_msg(code == 0 || code == NETRON_EPROTOCOL, "round %d gives %d", round, code);
    }
    free(spoilt);
}

#endif
