/* SPDX-License-Identifier: MIT */
#include "base64.h"
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void netron_base64_write(const unsigned char *bytes, size_t size, char *out)
{
    for (size_t i = 0; i < size; i += 3) {
        size_t taken = size - i < 3 ? size - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (j < taken ? bytes[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            *out++ = j <= taken ? alphabet[bits >> (18 - 6 * j) & 63] : '=';
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
