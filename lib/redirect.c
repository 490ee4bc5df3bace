/* SPDX-License-Identifier: MIT */
#include "redirect.h"
#include <stdlib.h>
#include <string.h>

static const char *behind(const char *text, const char *beginning)
{
    size_t length = strlen(beginning);
    return strncmp(text, beginning, length) == 0 ? text + length : NULL;
}

/* A number of digits alone, up to the character that has to follow it. */
static bool read_number(const char *text, char follows, unsigned long *out, const char **rest)
{
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    *out = strtoul(text, &end, 10);
    *rest = end + 1;
    return *end == follows;
}

enum netron_redirect_kind netron_redirect_parse(const char *words, unsigned slot, const struct netron_location *asked,
                                                struct netron_location *to)
{
    const char *moved = behind(words, "MOVED ");
    const char *place = moved != NULL ? moved : behind(words, "ASK ");
    const char *rest = NULL;
    unsigned long number = 0;
    if (place == NULL || !read_number(place, ' ', &number, &place) || number != slot)
        return NETRON_REDIRECT_NONE;
    /* The host can be an address of IPv6, which has colons itself and no brackets here. */
    const char *colon = strrchr(place, ':');
    if (colon == NULL || !read_number(colon + 1, '\0', &number, &rest))
        return NETRON_REDIRECT_NONE;
    struct netron_location found;
    size_t length = (size_t)(colon - place);
    bool is_nameless = length == 1 && *place == '?';
    bool is_asked = length == 0 || is_nameless; /* as far as what is a port goes, for the latter */
    bool is_place = is_asked ? netron_location_set(&found, asked->host, strlen(asked->host), number)
                             : netron_location_set(&found, place, length, number);
    if (!is_place)
        return NETRON_REDIRECT_NONE;
    if (is_nameless)
        found.host[0] = '\0';
    *to = found;
    return moved != NULL ? NETRON_REDIRECT_MOVED : NETRON_REDIRECT_ASK;
}
