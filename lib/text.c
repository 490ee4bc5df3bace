/* SPDX-License-Identifier: MIT */
#include "text.h"

/*
 * The bytes of the UTF-8 character that the text begins with, or 0 when it begins with none. The second byte of some
 * leads has a narrower range (RFC 3629, section 4): that alone excludes overlong forms, surrogates, and what is above
 * U+10FFFF.
 */
static size_t character_length(const unsigned char *text, size_t length)
{
    unsigned char lead = text[0];
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t needed;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        needed = 2;
    else if (lead >= 0xe0 && lead <= 0xef)
        needed = 3;
    else if (lead >= 0xf0 && lead <= 0xf4)
        needed = 4;
    else
        return 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (length < needed || text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < needed; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return needed;
}

static bool is_control(unsigned char byte)
{
    return byte < 0x20 || byte == 0x7f;
}

bool netron_text_is_utf8(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < length;) {
        size_t step = character_length(bytes + i, length - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

bool netron_text_has_control(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (is_control((unsigned char)text[i]))
            return true;
    return false;
}

void netron_text_make_printable(char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < length;) {
        size_t step = character_length(bytes + i, length - i);
        /* U+0080 to U+009F are controls too: U+009B begins an escape sequence in some terminals. */
        bool is_high_control = step == 2 && bytes[i] == 0xc2 && bytes[i + 1] < 0xa0;
        if (step == 0 || (step == 1 && is_control(bytes[i])) || is_high_control) {
            text[i++] = '?';
            if (is_high_control)
                text[i++] = '?';
        } else {
            i += step;
        }
    }
}

int netron_text_hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}
