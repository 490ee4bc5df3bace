/* SPDX-License-Identifier: MIT */
#include "version_range.h"
#include "node.h"
#include "semver.h"
#include <netron/lookup.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* How a version may compare with a bound: a relation is a set of these. */
#define BELOW 1u
#define EQUAL 2u
#define ABOVE 4u

/* npm lets these stand before the numbers, in any order and number. */
#define PREFIX "v="

struct comparator {
    struct netron_semver bound; /* a prerelease points into the range's text, or is a constant */
    unsigned relation;
    bool ends_set;
};

struct netron_version_range {
    const char *text;  /* behind the comparators */
    bool is_unbounded; /* some set has no comparators: it decides alone */
    size_t count;      /* 0 when the text is no range */
    struct comparator comparators[];
};

/* A version as ranges have it: "1.x", "1.2", "v1.2.3-rc.1". */
struct partial {
    struct netron_semver lowest; /* what is left open is 0; a prerelease only behind three numbers */
    size_t places;               /* 1 to 3 numbers or x */
    size_t given;                /* how many numbers stand before the first x, or the end */
    bool is_strict;              /* nothing but a single v stands before the numbers */
    bool has_late_number;        /* behind an x */
};

static const struct netron_semver zero = {{0, 0, 0}, NULL, 0};

/* ---- comparators ---- */

static bool add(struct netron_version_range *range, unsigned relation, struct netron_semver bound)
{
    for (size_t i = 0; i < 3; i++)
        if (bound.numbers[i] > NETRON_SEMVER_NUMBER_MAX)
            return false;
    range->comparators[range->count++] = (struct comparator){bound, relation, false};
    return true;
}

static bool add_at_least(struct netron_version_range *range, struct netron_semver bound)
{
    /* npm takes this for no bound at all: "<=0.0.0-b" beside it still finds 0.0.0-a. */
    return netron_semver_compare(&bound, &zero) == 0 || add(range, ABOVE | EQUAL, bound);
}

/* Below the first prerelease of the bound, so that none of its prereleases is inside. */
static bool add_below(struct netron_version_range *range, struct netron_semver bound)
{
    static const char lowest[] = "0";
    bound.prerelease = lowest;
    bound.prerelease_length = sizeof(lowest) - 1;
    return add(range, BELOW, bound);
}

/* The first version with a greater number in that place. */
static struct netron_semver next(struct netron_semver version, size_t place)
{
    version.numbers[place]++;
    for (size_t i = place + 1; i < 3; i++)
        version.numbers[i] = 0;
    version.prerelease = NULL;
    version.prerelease_length = 0;
    return version;
}

static bool add_while_same(struct netron_version_range *range, const struct partial *partial, size_t place)
{
    return add_at_least(range, partial->lowest) && add_below(range, next(partial->lowest, place));
}

static bool add_tilde(struct netron_version_range *range, const struct partial *partial)
{
    return partial->given == 0 || add_while_same(range, partial, partial->given == 1 ? 0 : 1);
}

static bool add_caret(struct netron_version_range *range, const struct partial *partial)
{
    size_t place = 0;
    while (place + 1 < partial->given && partial->lowest.numbers[place] == 0)
        place++;
    return partial->given == 0 || add_while_same(range, partial, place);
}

/* A bound with an x in it: "<1.x", ">1.2". */
static bool add_open(struct netron_version_range *range, unsigned relation, const struct partial *partial)
{
    if (partial->given == 0)
        return relation == BELOW || relation == ABOVE ? add_below(range, zero) : true;
    size_t place = partial->given - 1;
    switch (relation) {
    case BELOW:
        return add_below(range, partial->lowest);
    case BELOW | EQUAL:
        return add_below(range, next(partial->lowest, place));
    case ABOVE:
        return add_at_least(range, next(partial->lowest, place));
    case ABOVE | EQUAL:
        return add_at_least(range, partial->lowest);
    default:
        return add_while_same(range, partial, place);
    }
}

static bool add_primitive(struct netron_version_range *range, unsigned relation, const struct partial *partial)
{
    if (partial->has_late_number)
        return false;
    if (partial->given < 3)
        return add_open(range, relation, partial);
    if (!partial->is_strict)
        return false;
    if (relation == (ABOVE | EQUAL))
        return add_at_least(range, partial->lowest);
    return add(range, relation != 0 ? relation : EQUAL, partial->lowest);
}

/* ---- the grammar ---- */

static const char *skip_blanks(const char *cursor)
{
    return cursor + strspn(cursor, NETRON_SEMVER_BLANKS);
}

static bool is_end_of_word(char character)
{
    return character == '\0' || character == '|' || strchr(NETRON_SEMVER_BLANKS, character) != NULL;
}

/* Up to three numbers, with x among them. */
static const char *read_places(const char *cursor, struct partial *partial)
{
    while (partial->places < 3 && (partial->places == 0 || *cursor == '.')) {
        uint64_t number = 0;
        bool is_open = partial->given < partial->places;
        cursor += partial->places++ > 0;
        if (*cursor == 'x' || *cursor == 'X' || *cursor == '*') {
            cursor++;
            continue;
        }
        cursor = netron_semver_read_number(cursor, &number);
        if (cursor == NULL)
            return NULL;
        if (is_open)
            partial->has_late_number = true;
        else
            partial->lowest.numbers[partial->given++] = number;
    }
    return cursor;
}

/* Reads a version, whole or partial, and what of the prefix characters stands before it. */
static const char *read_partial(const char *cursor, const char *prefix, struct partial *partial)
{
    size_t prefix_length = strspn(cursor, prefix);
    *partial = (struct partial){.is_strict = prefix_length == 0 || (prefix_length == 1 && *cursor == 'v')};
    cursor = read_places(cursor + prefix_length, partial);
    if (cursor != NULL && partial->places == 3)
        cursor = netron_semver_read_prerelease(cursor, &partial->lowest.prerelease, &partial->lowest.prerelease_length);
    if (cursor != NULL)
        cursor = netron_semver_read_build(cursor);
    if (partial->given < 3) {
        partial->lowest.prerelease = NULL;
        partial->lowest.prerelease_length = 0;
    }
    return cursor != NULL && is_end_of_word(*cursor) ? cursor : NULL;
}

/* Blanks may stand in one place only, as npm has it: "> =1" and ">= 1", but not "> = 1". */
static const char *read_relation(const char *cursor, unsigned *relation)
{
    *relation = *cursor == '<' ? BELOW : *cursor == '>' ? ABOVE : 0;
    const char *behind = *relation != 0 ? skip_blanks(++cursor) : cursor;
    if (*behind != '=')
        return behind;
    *relation |= EQUAL;
    return behind == cursor ? skip_blanks(behind + 1) : behind + 1;
}

static const char *parse_comparator(struct netron_version_range *range, const char *cursor)
{
    struct partial partial;
    unsigned relation;
    const char lead = *cursor;
    if (lead == '~' || lead == '^')
        cursor = skip_blanks(cursor + 1);
    cursor = read_partial(read_relation(cursor, &relation), PREFIX, &partial);
    if (cursor == NULL)
        return NULL;
    bool is_added;
    if (lead == '~') /* "~>" is the same, and an "=" behind it means nothing */
        is_added = (relation & BELOW) == 0 && add_tilde(range, &partial);
    else if (lead == '^')
        is_added = (relation & (BELOW | ABOVE)) == 0 && add_caret(range, &partial);
    else
        is_added = add_primitive(range, relation, &partial);
    return is_added ? cursor : NULL;
}

/* "1.2 - 2.x", which must be a whole set. */
static const char *read_hyphen(const char *cursor, struct partial *from, struct partial *to)
{
    cursor = read_partial(cursor, PREFIX NETRON_SEMVER_BLANKS, from);
    if (cursor == NULL)
        return NULL;
    cursor = skip_blanks(cursor);
    if (*cursor++ != '-' || skip_blanks(cursor) == cursor)
        return NULL;
    cursor = read_partial(skip_blanks(cursor), PREFIX NETRON_SEMVER_BLANKS, to);
    if (cursor == NULL)
        return NULL;
    cursor = skip_blanks(cursor);
    return *cursor == '\0' || *cursor == '|' ? cursor : NULL;
}

static bool add_hyphen(struct netron_version_range *range, const struct partial *from, const struct partial *to)
{
    /* npm puts most bounds together anew; the text of these it keeps, with a prefix that it may not know then. */
    bool keeps_from = from->given == 3;
    bool keeps_to = to->given == 3 && to->lowest.prerelease == NULL;
    if ((keeps_from && !from->is_strict) || (keeps_to && !to->is_strict))
        return false;
    if (from->given > 0 && !add_at_least(range, from->lowest))
        return false;
    if (to->given == 3)
        return add(range, BELOW | EQUAL, to->lowest);
    return to->given == 0 || add_below(range, next(to->lowest, to->given - 1));
}

static const char *parse_comparators(struct netron_version_range *range, const char *cursor)
{
    while (cursor != NULL && *cursor != '\0' && *cursor != '|') {
        cursor = parse_comparator(range, cursor);
        if (cursor != NULL)
            cursor = skip_blanks(cursor);
    }
    return cursor;
}

static const char *parse_set(struct netron_version_range *range, const char *cursor)
{
    struct partial from;
    struct partial to;
    size_t before = range->count;
    cursor = skip_blanks(cursor);
    const char *end = read_hyphen(cursor, &from, &to);
    if (end == NULL)
        end = parse_comparators(range, cursor);
    else if (!add_hyphen(range, &from, &to))
        return NULL;
    if (range->count > before)
        range->comparators[range->count - 1].ends_set = true;
    else
        range->is_unbounded = true;
    return end;
}

static bool parse_sets(struct netron_version_range *range)
{
    const char *cursor = parse_set(range, range->text);
    while (cursor != NULL && cursor[0] == '|' && cursor[1] == '|')
        cursor = parse_set(range, cursor + 2);
    return cursor != NULL && *cursor == '\0';
}

/* The most comparators that the text can become: two for each word. */
static size_t comparators_max(const char *text)
{
    size_t words = 1;
    for (; *text != '\0'; text++)
        words += is_end_of_word(*text);
    return 2 * words;
}

int netron_version_range_parse(const char *text, struct netron_version_range **out, struct netron_failure *why)
{
    if (text == NULL) {
        *out = NULL;
        return 0;
    }
    size_t length = strlen(text);
    size_t max = length <= NETRON_VERSION_RANGE_MAX ? comparators_max(text) : 0;
    struct netron_version_range *range = malloc(sizeof(*range) + max * sizeof(range->comparators[0]) + length + 1);
    if (range == NULL)
        return netron_fail(why, NETRON_ENOMEM, "no memory for a version range");
    *range = (struct netron_version_range){.text = memcpy(&range->comparators[max], text, length + 1)};
    if (max == 0 || !parse_sets(range)) {
        range->is_unbounded = false;
        range->count = 0;
    }
    *out = range;
    return 0;
}

int netron_version_range_check(const char *version)
{
    struct netron_version_range *range = NULL;
    struct netron_failure why;
    int code = version != NULL ? netron_node_check_version_range(version, "version", &why) : NETRON_EINVAL;
    if (code == 0)
        code = netron_version_range_parse(version, &range, &why);
    if (code == 0 && range != NULL && range->count == 0 && !range->is_unbounded)
        code = NETRON_EINVAL;
    netron_version_range_free(range);
    return code;
}

void netron_version_range_free(struct netron_version_range *range)
{
    free(range);
}

/* ---- the question ---- */

static bool holds(const struct comparator *comparator, const struct netron_semver *version)
{
    int order = netron_semver_compare(version, &comparator->bound);
    return (comparator->relation & (order < 0 ? BELOW : order > 0 ? ABOVE : EQUAL)) != 0;
}

/* Whether all comparators of a set hold; *set becomes where the next one begins. */
static bool set_accepts(const struct comparator **set, const struct netron_semver *version)
{
    const struct comparator *comparator = *set;
    bool is_inside = true;
    bool may_be_prerelease = version->prerelease == NULL;
    for (;; comparator++) {
        is_inside = is_inside && holds(comparator, version);
        may_be_prerelease = may_be_prerelease || (comparator->bound.prerelease != NULL &&
                                                  netron_semver_same_numbers(&comparator->bound, version));
        if (comparator->ends_set)
            break;
    }
    *set = comparator + 1;
    return is_inside && may_be_prerelease;
}

bool netron_version_range_accepts(const struct netron_version_range *range, const char *version)
{
    struct netron_semver parsed;
    if (range == NULL)
        return true;
    if (version == NULL)
        return strcmp(range->text, "*") == 0;
    if (strcmp(range->text, version) == 0)
        return true;
    if ((range->count == 0 && !range->is_unbounded) || !netron_semver_parse(version, &parsed))
        return false;
    if (range->is_unbounded)
        return parsed.prerelease == NULL;
    const struct comparator *end = range->comparators + range->count;
    for (const struct comparator *set = range->comparators; set < end;)
        if (set_accepts(&set, &parsed))
            return true;
    return false;
}
