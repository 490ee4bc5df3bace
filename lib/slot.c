/* SPDX-License-Identifier: MIT */
#include "slot.h"
#include <stddef.h>
#include <string.h>

#define POLYNOMIAL 0x1021u /* of CRC-16/XMODEM */

/* What stands in the first pair of braces, unless that is nothing. Returns its length, 0 for none. */
static size_t find_tag(const char *name, const char **tag)
{
    const char *begin = strchr(name, '{');
    const char *end = begin != NULL ? strchr(begin, '}') : NULL;
    if (end == NULL || end == begin + 1)
        return 0;
    *tag = begin + 1;
    return (size_t)(end - begin) - 1;
}

/* By the bit, without a table: keys are hashed when settings are made, not when commands are sent. */
static unsigned crc16(const char *bytes, size_t length)
{
    unsigned crc = 0;
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned)(unsigned char)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc << 1 ^ ((crc & 0x8000u) != 0 ? POLYNOMIAL : 0)) & 0xffffu;
    }
    return crc;
}

uint16_t netron_slot_of(const char *name)
{
    const char *hashed = name;
    size_t length = find_tag(name, &hashed);
    return (uint16_t)(crc16(hashed, length != 0 ? length : strlen(name)) % NETRON_SLOTS);
}

bool netron_slot_has_tag(const char *name)
{
    const char *tag;
    return find_tag(name, &tag) != 0;
}
