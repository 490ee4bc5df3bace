/* SPDX-License-Identifier: MIT */
/* Questions asked of bytes that should be text. */
#ifndef NETRON_LIB_TEXT_H
#define NETRON_LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Valid UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. A NUL byte is valid. */
bool netron_text_is_utf8(const char *text, size_t length);

/* Holds a byte below 0x20 or 0x7f. */
bool netron_text_has_control(const char *text, size_t length);

/* Replaces control characters and bytes that are no UTF-8 by '?', in place. */
void netron_text_make_printable(char *text, size_t length);

/* 0 to 15, or -1 for what is no hexadecimal digit. Both cases are read. */
int netron_text_hex_value(char digit);

#endif
