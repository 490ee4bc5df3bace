/* SPDX-License-Identifier: MIT */
#include "failure.h"
#include "text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where the text has to end so that its last character is whole. Only a character that lacks bytes is dropped: bytes
 * that are no UTF-8 at all stay, to be shown as '?'. */
static size_t whole_characters(const char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xc0)
        return length;
    start--;
    return netron_text_is_utf8(text + start, length - start) ? length : start;
}

int netron_fail(struct netron_failure *failure, int code, const char *format, ...)
{
    if (failure == NULL)
        return code;
    char sentence[NETRON_SENTENCE_SIZE]; /* not the failure's own: its old sentence may be one of the arguments */
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    if (written < 0)
        written = snprintf(sentence, sizeof(sentence), "%s", netron_strerror(code));
    size_t length = strlen(sentence);
    if ((size_t)written > length)
        length = whole_characters(sentence, length);
    sentence[length] = '\0';
    netron_text_make_printable(sentence, length);
    memcpy(failure->sentence, sentence, length + 1);
    failure->code = code;
    return code;
}

bool netron_failure_needs_operator(int code)
{
    return code == NETRON_EAUTH || code == NETRON_EPERM || code == NETRON_EDATABASE || code == NETRON_EVERSION ||
           code == NETRON_ETLS;
}

const char *netron_strerror(int code)
{
    switch (code) {
    case NETRON_OK:
        return "no error";
    case NETRON_EINVAL:
        return "an argument is missing or malformed";
    case NETRON_ENOMEM:
        return "out of memory";
    case NETRON_ELIMIT:
        return "an argument breaks a limit";
    case NETRON_EURL:
        return "the Redis URL cannot be understood";
    case NETRON_ELOOP:
        return "the event loop refused a watch or a timer, or cannot resolve host names";
    case NETRON_EDISABLED:
        return "the feature is switched off in the options";
    case NETRON_ESHUTDOWN:
        return "the discovery is shutting down, or the registration has left";
    case NETRON_ECANCELLED:
        return "the operation was cancelled";
    case NETRON_EDISCONNECTED:
        return "no connection to Redis";
    case NETRON_ETIMEDOUT:
        return "the operation timed out";
    case NETRON_EAUTH:
        return "Redis wants another user name or password";
    case NETRON_EPERM:
        return "the Redis user lacks a permission";
    case NETRON_EDATABASE:
        return "Redis has no database of that number";
    case NETRON_EVERSION:
        return "the server is older than Redis 6.2";
    case NETRON_EREDIS:
        return "Redis answered with an error";
    case NETRON_EPROTOCOL:
        return "bytes from Redis make no sense";
    case NETRON_EREPLACED:
        return "another process registered the node id";
    case NETRON_EHELD:
        return "the node id belongs to a live process";
    case NETRON_EOVERLOAD:
        return "too many operations are pending";
    case NETRON_ERESOLVE:
        return "the host name could not be resolved";
    case NETRON_EUNAVAILABLE:
        return "Redis cannot serve now";
    case NETRON_ETLS:
        return "TLS: a certificate, a key or a version is refused";
    default:
        return "unknown error";
    }
}
