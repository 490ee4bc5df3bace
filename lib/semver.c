/* SPDX-License-Identifier: MIT */
#include "semver.h"
#include <string.h>

/* ---- reading ---- */

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Not isalnum(): what is a letter must not depend on the locale. */
static bool is_identifier_character(char character)
{
    return is_digit(character) || (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           character == '-';
}

const char *netron_semver_read_number(const char *cursor, uint64_t *number)
{
    if (!is_digit(cursor[0]) || (cursor[0] == '0' && is_digit(cursor[1])))
        return NULL;
    uint64_t value = 0;
    for (; is_digit(*cursor); cursor++)
        if (value <= NETRON_SEMVER_NUMBER_MAX)
            value = value * 10 + (uint64_t)(*cursor - '0');
    *number = value <= NETRON_SEMVER_NUMBER_MAX ? value : NETRON_SEMVER_NUMBER_MAX + 1;
    return cursor;
}

/* Identifiers with dots between them, none of them empty. */
static const char *read_identifiers(const char *cursor, bool may_lead_with_zero)
{
    for (;; cursor++) {
        const char *start = cursor;
        bool is_number = true;
        for (; is_identifier_character(*cursor); cursor++)
            is_number = is_number && is_digit(*cursor);
        if (cursor == start || (is_number && !may_lead_with_zero && *start == '0' && cursor - start > 1))
            return NULL;
        if (*cursor != '.')
            return cursor;
    }
}

const char *netron_semver_read_prerelease(const char *cursor, const char **prerelease, size_t *length)
{
    *prerelease = NULL;
    *length = 0;
    if (*cursor != '-')
        return cursor;
    const char *end = read_identifiers(cursor + 1, false);
    if (end != NULL) {
        *prerelease = cursor + 1;
        *length = (size_t)(end - *prerelease);
    }
    return end;
}

const char *netron_semver_read_build(const char *cursor)
{
    return *cursor == '+' ? read_identifiers(cursor + 1, true) : cursor;
}

static const char *read_numbers(const char *cursor, uint64_t numbers[3])
{
    for (size_t i = 0; i < 3; i++) {
        if (i > 0 && *cursor++ != '.')
            return NULL;
        cursor = netron_semver_read_number(cursor, &numbers[i]);
        if (cursor == NULL || numbers[i] > NETRON_SEMVER_NUMBER_MAX)
            return NULL;
    }
    return cursor;
}

bool netron_semver_parse(const char *text, struct netron_semver *version)
{
    struct netron_semver parsed;
    if (strnlen(text, NETRON_SEMVER_LENGTH_MAX + 1) > NETRON_SEMVER_LENGTH_MAX)
        return false;
    const char *cursor = text + strspn(text, NETRON_SEMVER_BLANKS);
    if (*cursor == 'v')
        cursor++;
    cursor = read_numbers(cursor, parsed.numbers);
    if (cursor != NULL)
        cursor = netron_semver_read_prerelease(cursor, &parsed.prerelease, &parsed.prerelease_length);
    if (cursor != NULL)
        cursor = netron_semver_read_build(cursor);
    if (cursor == NULL || cursor[strspn(cursor, NETRON_SEMVER_BLANKS)] != '\0')
        return false;
    *version = parsed;
    return true;
}

/* ---- comparing ---- */

struct identifier {
    const char *text;
    size_t length;
    bool is_number;
};

/* Takes the first identifier off the text, which must not be empty, and the dot behind it. */
static struct identifier next_identifier(const char **text, size_t *length)
{
    struct identifier identifier = {*text, 0, true};
    while (identifier.length < *length && (*text)[identifier.length] != '.')
        identifier.is_number = is_digit((*text)[identifier.length++]) && identifier.is_number;
    size_t taken = identifier.length + (identifier.length < *length);
    *text += taken;
    *length -= taken;
    return identifier;
}

static int compare_lengths(size_t one, size_t other)
{
    return (one > other) - (one < other);
}

static int compare_identifiers(struct identifier one, struct identifier other)
{
    if (one.is_number != other.is_number)
        return one.is_number ? -1 : 1;
    /* Without leading zeros the longer number is the greater one. */
    if (one.is_number && one.length != other.length)
        return compare_lengths(one.length, other.length);
    int order = memcmp(one.text, other.text, one.length < other.length ? one.length : other.length);
    return order != 0 ? order : compare_lengths(one.length, other.length);
}

static int compare_prereleases(const struct netron_semver *one, const struct netron_semver *other)
{
    if (one->prerelease == NULL || other->prerelease == NULL)
        return (one->prerelease == NULL) - (other->prerelease == NULL); /* the release comes last */
    const char *one_text = one->prerelease;
    const char *other_text = other->prerelease;
    size_t one_length = one->prerelease_length;
    size_t other_length = other->prerelease_length;
    while (one_length > 0 && other_length > 0) {
        int order =
            compare_identifiers(next_identifier(&one_text, &one_length), next_identifier(&other_text, &other_length));
        if (order != 0)
            return order;
    }
    return compare_lengths(one_length, other_length);
}

int netron_semver_compare(const struct netron_semver *one, const struct netron_semver *other)
{
    for (size_t i = 0; i < 3; i++)
        if (one->numbers[i] != other->numbers[i])
            return one->numbers[i] < other->numbers[i] ? -1 : 1;
    return compare_prereleases(one, other);
}

bool netron_semver_same_numbers(const struct netron_semver *one, const struct netron_semver *other)
{
    return memcmp(one->numbers, other->numbers, sizeof(one->numbers)) == 0;
}
