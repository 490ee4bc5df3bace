/* SPDX-License-Identifier: MIT */
/*
 * Version ranges. In lines of text: a range, another, and versions: the answers are the same each time, and what "one
 * || other" accepts one of them accepts. Behind a byte of 1: comparators and a version whose answer is known.
 */
#include "fuzz.h"
#include "version_range.h"
#include <netron/node.h>

static struct netron_version_range *compile(const char *text)
{
    struct netron_version_range *range = NULL;
    struct netron_failure why = {0};
    FUZZ_EXPECT(netron_version_range_parse(text, &range, &why) == 0 && range != NULL, "%s", why.sentence);
    return range;
}

/* ---- texts ---- */

struct ranges {
    const char *text;
    struct netron_version_range *one, *one_again, *other, *both;
};

static void expect_consistency(const struct ranges *ranges, const char *version)
{
    bool by_one = netron_version_range_accepts(ranges->one, version);
    FUZZ_EXPECT(by_one == netron_version_range_accepts(ranges->one_again, version), "compiled twice: \"%s\" and %s",
                ranges->text, version);
    FUZZ_EXPECT(by_one || strcmp(ranges->text, version) != 0, "\"%s\" does not accept itself", version);
    bool by_other = netron_version_range_accepts(ranges->other, version);
    FUZZ_EXPECT(by_one || by_other || !netron_version_range_accepts(ranges->both, version),
                "\"%s\" || ... accepts %s, and neither of the two does", ranges->text, version);
}

static char *next_line(const uint8_t **at, const uint8_t *end)
{
    if (*at == NULL)
        return NULL;
    const uint8_t *stop = memchr(*at, '\n', (size_t)(end - *at));
    char *line = fuzz_text(*at, (size_t)((stop != NULL ? stop : end) - *at));
    *at = stop != NULL ? stop + 1 : NULL;
    return line;
}

static void read_texts(const uint8_t *at, const uint8_t *end)
{
    char *one = next_line(&at, end);
    char *other = next_line(&at, end);
    if (other == NULL)
        other = fuzz_text(NULL, 0);
    char *both = malloc(strlen(one) + strlen(other) + 5);
    FUZZ_EXPECT(both != NULL, "no memory");
    sprintf(both, "%s || %s", one, other);
    struct ranges ranges = {one, compile(one), compile(one), compile(other), compile(both)};
    FUZZ_EXPECT(netron_version_range_accepts(ranges.one, NULL) == (strcmp(one, "*") == 0), "no version, \"%s\"", one);
    expect_consistency(&ranges, one);
    for (char *version; (version = next_line(&at, end)) != NULL; free(version))
        if (strcmp(version, both) != 0)
            expect_consistency(&ranges, version);
    netron_version_range_free(ranges.one);
    netron_version_range_free(ranges.one_again);
    netron_version_range_free(ranges.other);
    netron_version_range_free(ranges.both);
    free(both);
    free(other);
    free(one);
}

/* ---- comparators ---- */

/* Prereleases in their order; the last is a release. */
static const char *const prereleases[] = {"-0", "-1", "-a", "-a.1", "-a.b", "-rc.2", "-rc.10", ""};
#define RELEASE 7

struct version {
    unsigned numbers[3];
    unsigned prerelease;
};

static struct version read_version(const uint8_t bytes[2])
{
    return (struct version){{bytes[0] & 3u, bytes[0] >> 2 & 3u, bytes[0] >> 4 & 3u}, bytes[1] & 7u};
}

static int compare(const struct version *one, const struct version *other)
{
    for (size_t i = 0; i < 3; i++)
        if (one->numbers[i] != other->numbers[i])
            return one->numbers[i] < other->numbers[i] ? -1 : 1;
    return (one->prerelease > other->prerelease) - (one->prerelease < other->prerelease);
}

static char *append_version(char *to, const struct version *version)
{
    return to + sprintf(to, "%u.%u.%u%s", version->numbers[0], version->numbers[1], version->numbers[2],
                        prereleases[version->prerelease]);
}

static const char *const relations[] = {"<", "<=", ">", ">=", "=", ""};

static int holds(unsigned relation, int order)
{
    const int answers[] = {order<0, order <= 0, order> 0, order >= 0, order == 0, order == 0};
    return answers[relation];
}

/* Three bytes a comparator: relation and whether it begins a set, numbers, prerelease. The first two are the version.
 */
static void read_comparators(const uint8_t *at, const uint8_t *end)
{
    char text[NETRON_VERSION_RANGE_MAX + 64] = "";
    char version_text[64];
    char *to = text;
    if (end - at < 5)
        return;
    struct version version = read_version(at);
    append_version(version_text, &version);
    int is_accepted = 0, is_inside = 1, may_be = version.prerelease == RELEASE;
    for (at += 2; end - at >= 3 && to - text < NETRON_VERSION_RANGE_MAX - 40; at += 3) {
        unsigned relation = at[0] % 6u;
        struct version bound = read_version(at + 1);
        if (bound.numbers[0] + bound.numbers[1] + bound.numbers[2] == 0)
            bound.numbers[2] = 1; /* ">=0.0.0" is no comparator to npm, nor to us */
        if ((at[0] & 0x80) != 0 && to > text) {
            is_accepted |= is_inside && may_be;
            is_inside = 1;
            may_be = version.prerelease == RELEASE;
            to += sprintf(to, " ||");
        }
        to += sprintf(to, "%s%s", to > text ? " " : "", relations[relation]);
        to = append_version(to, &bound);
        is_inside &= holds(relation, compare(&version, &bound));
        may_be |= bound.prerelease != RELEASE && memcmp(bound.numbers, version.numbers, sizeof(bound.numbers)) == 0;
    }
    is_accepted |= is_inside && may_be;
    struct netron_version_range *range = compile(text);
    FUZZ_EXPECT(netron_version_range_accepts(range, version_text) == (is_accepted != 0), "\"%s\" and %s: not %d", text,
                version_text, is_accepted);
    netron_version_range_free(range);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 1)
        read_comparators(data + 1, data + size);
    else if (size > 0)
        read_texts(data, data + size);
    return 0;
}
