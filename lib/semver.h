/* SPDX-License-Identifier: MIT */
/*
 * Versions as semver 2.0.0 has them, read as npm's "semver" reads them when it is strict: one "v" may stand before the
 * numbers and ASCII blanks around the whole; no number is above 2^53 - 1, no text longer than 256 bytes.
 * Nothing is allocated: what was parsed points into its text.
 */
#ifndef NETRON_LIB_SEMVER_H
#define NETRON_LIB_SEMVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETRON_SEMVER_LENGTH_MAX 256                       /* bytes */
#define NETRON_SEMVER_NUMBER_MAX ((UINT64_C(1) << 53) - 1) /* the last integer that JavaScript is sure of */
#define NETRON_SEMVER_BLANKS " \t\n\v\f\r"

struct netron_semver {
    uint64_t numbers[3];    /* major, minor, patch */
    const char *prerelease; /* its identifiers, not ended by a NUL; NULL = a release */
    size_t prerelease_length;
};

/* Whether the text is a version; only then is *version written. */
bool netron_semver_parse(const char *text, struct netron_semver *version);

/* Negative, 0 or positive, by precedence: build metadata does not count. Numeric identifiers of a prerelease are
 * compared exactly, however long they are. */
int netron_semver_compare(const struct netron_semver *one, const struct netron_semver *other);

/* Same major, minor and patch. */
bool netron_semver_same_numbers(const struct netron_semver *one, const struct netron_semver *other);

/*
 * The pieces that versions and ranges are made of. Each returns where the piece that begins at the cursor ends, or NULL
 * when none does. A number above the greatest becomes the greatest plus one, for some places of a range ignore it.
 */
const char *netron_semver_read_number(const char *cursor, uint64_t *number);
/* "-" and identifiers, if there is a "-"; "+" and identifiers, if there is a "+". */
const char *netron_semver_read_prerelease(const char *cursor, const char **prerelease, size_t *length);
const char *netron_semver_read_build(const char *cursor);

#endif
