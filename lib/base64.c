/* SPDX-License-Identifier: MIT */
#include "base64.h"
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three bytes. */
static void write_group(const unsigned char *bytes, size_t count, char *out)
{
    uint32_t bits = (uint32_t)bytes[0] << 16;
    if (count > 1)
        bits |= (uint32_t)bytes[1] << 8;
    if (count > 2)
        bits |= bytes[2];
    out[0] = alphabet[bits >> 18 & 63];
    out[1] = alphabet[bits >> 12 & 63];
    out[2] = out[3] = '=';
    if (count > 1)
        out[2] = alphabet[bits >> 6 & 63];
    if (count > 2)
        out[3] = alphabet[bits & 63];
}

void netron_base64_write(const unsigned char *bytes, size_t size, char *out)
{
    for (; size >= 3; size -= 3, bytes += 3, out += 4)
        write_group(bytes, 3, out);
    if (size > 0) {
        write_group(bytes, size, out);
        out += 4;
    }
    *out = '\0';
}

/* What a digit stands for, or -1. */
static int value_of(char digit)
{
    const char *place = digit != '\0' ? strchr(alphabet, digit) : NULL;
    return place != NULL ? (int)(place - alphabet) : -1;
}

bool netron_base64_read(const char *text, unsigned char *out, size_t size)
{
    if (strlen(text) != NETRON_BASE64_LENGTH(size))
        return false;
    for (size_t i = 0; i < size; i += 3, text += 4) {
        size_t taken = size - i < 3 ? size - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 4; j++) {
            int value = j <= taken ? value_of(text[j]) : -(text[j] != '=');
            if (value < 0)
                return false;
            bits = bits << 6 | (uint32_t)value;
        }
        if ((bits & ((UINT32_C(1) << 8 * (3 - taken)) - 1)) != 0)
            return false;
        for (size_t j = 0; j < taken; j++)
            out[i + j] = (unsigned char)(bits >> (16 - 8 * j) & 255);
    }
    return true;
}
