/* SPDX-License-Identifier: MIT */
/*
 * Which versions of a service are wanted. A version is accepted when it is the same text as the wanted one, or when the
 * wanted text is a range in the grammar of npm's "semver" and the version a semver inside it:
 *
 *     1.2.3  =1.2.3  <2  <=2.1  >1.2  >= 1.2.3    compared with it; what a partial version leaves out is an x
 *     1.2 - 2.3.4                                 from one to the other
 *     1.x  1.2.*  1.2  X  *  (nothing)            any number in that place
 *     ~1.2.3  ~>1.2  ~1                           the patch may change; the minor, too, if it is left out
 *     ^1.2.3  ^0.2.3  ^0.0.3                      what stands behind the first number that is not 0 may change
 *     >=1.2 <1.4 || ^2                            all comparators of a set hold; one of the sets suffices
 *
 * A prerelease is inside only where a comparator of the same set names a prerelease of the same major, minor and patch.
 * A set without a bound ("*", ">=0.0.0") makes the other sets moot, also those that name a prerelease: so has it npm.
 * A version that is no semver is accepted by the same text only.
 */
#ifndef NETRON_LIB_VERSION_RANGE_H
#define NETRON_LIB_VERSION_RANGE_H

#include "failure.h"
#include <stdbool.h>

struct netron_version_range;

/*
 * Copies the text, in a single allocation. Returns 0 or NETRON_ENOMEM. A text that is no range, or longer than
 * NETRON_VERSION_RANGE_MAX, is not an error: it accepts the same text. text NULL becomes the range NULL.
 */
int netron_version_range_parse(const char *text, struct netron_version_range **out, struct netron_failure *why);

/*
 * range NULL accepts everything. version NULL, a service without a version, is accepted by that and by the text "*"
 * alone. Allocates nothing.
 */
bool netron_version_range_accepts(const struct netron_version_range *range, const char *version);

void netron_version_range_free(struct netron_version_range *range);

#endif
