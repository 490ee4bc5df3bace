/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648, section 4). */
#ifndef NETRON_LIB_BASE64_H
#define NETRON_LIB_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#define NETRON_BASE64_LENGTH(size) (((size) + 2) / 3 * 4)

/* Writes NETRON_BASE64_LENGTH(size) characters and a NUL. */
void netron_base64_write(const unsigned char *bytes, size_t size, char *out);

/* Whether the text is that of exactly size bytes, which are in out then. Every sequence of bytes has one text only: no
 * blanks, no missing padding, no bits that count for nothing. */
bool netron_base64_read(const char *text, unsigned char *out, size_t size);

#endif
