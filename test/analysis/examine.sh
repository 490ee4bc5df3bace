#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: examine.sh BUILD RESULTS TOOL FILE. One check of run.sh: lets the tool look at the file. When it finds something,
# what it said stays as a file in RESULTS. To be called from the project's folder.
set -u
build=$1 results=$2 tool=$3 file=$4
report=$results/$(printf '%s of %s' "$tool" "$file" | tr '/' '+')

# compile COMMAND...: with the flags that any source of ours needs.
compile() {
    # shellcheck disable=SC2046 # a list of flags
    "$@" -std=c11 -D_GNU_SOURCE -I include -I lib -I "$build/include" \
        $(pkg-config --cflags hiredis libevent_core libevent_extra jansson gio-2.0 libuv libsystemd)
}

look() {
    case $tool:$file in
    fanalyzer:*)
        compile gcc -O2 -fanalyzer -Wall -Wextra -Werror -c "$file" -o "$results/object.$$"
        ;;
    clang-tidy:*.h) compile clang-tidy --quiet "$file" -- -x c ;;
    clang-tidy:*) clang-tidy --quiet -p "$build" "$file" ;;
    cppcheck:*)
        # unusedStructMember: it overlooks designated initializers, and members that only a macro or a cast names.
        # unmatchedSuppression: not every file has such a member.
        # uthash and utlist by links of their own, for among all of /usr/include it loses its way.
        cppcheck -q --error-exitcode=1 --std=c11 --language=c -D_GNU_SOURCE \
            --enable=warning,performance,portability,style \
            --suppress=unusedStructMember --suppress=unmatchedSuppression \
            -I include -I lib -I examples -I "$build/include" -I "$results/macros" "$file"
        ;;
    shellcheck:*) shellcheck -x -P SCRIPTDIR -P . "$file" ;;
    esac
}

look >"$report" 2>&1 && rm -f "$report"
rm -f "$results/object.$$"
