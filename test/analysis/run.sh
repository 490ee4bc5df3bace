#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: run.sh BUILD. Looks for faults without running anything: gcc's -fanalyzer, clang-tidy (with .clang-tidy, less what
# test/.clang-tidy takes from it), cppcheck, shellcheck. BUILD is a folder in which Meson set up a build by clang.
# Each tool on each file is a check; the last line counts them: "N passed, M failed".
#
# What these tools find differs from version to version. The sources are clean for those of Debian 12; another version is
# not asked, and a line that begins with "!!" says so.
set -u
project=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=$(CDPATH='' cd -- "$1" && pwd)
cd "$project" || exit 1
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
trap 'exit 143' TERM INT HUP

mkdir "$results/found" "$results/found/macros"
for header in /usr/include/ut*.h /usr/local/include/ut*.h; do
    case ${header##*/} in
    uthash.h | utlist.h) [ ! -f "$header" ] || ln -sf "$header" "$results/found/macros/" ;;
    esac
done

# is_known TOOL VERSION ITS-VERSION
is_known() {
    case $3 in
    "$2".*) return 0 ;;
    esac
    echo "!! Not analysed by $1: the sources are clean for its version $2, this one is $3" >&2
    return 1
}

list_checks() {
    if is_known fanalyzer 12 "$(gcc -dumpfullversion)"; then
        python3 test/analysis/sources.py "$build" | sed -n 's/^\(lib\|examples\)\//fanalyzer &/p'
    fi
    if is_known clang-tidy 14 "$(clang-tidy --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')"; then
        python3 test/analysis/sources.py "$build" | sed 's/^/clang-tidy /'
        printf 'clang-tidy %s\n' adapters/*.h
    fi
    if is_known cppcheck 2.10 "$(cppcheck --version | sed 's/.* //').0"; then
        printf 'cppcheck %s\n' lib/*.c examples/*.c adapters/*.h
    fi
    find .ci examples test -name '*.sh' -o -path .ci/run | sort | sed 's/^/shellcheck /'
}

list_checks >"$results/checks"
xargs -P "$(nproc)" -L 1 sh test/analysis/examine.sh "$build" "$results/found" <"$results/checks"

rm -rf "$results/found/macros"
failed=0
for report in "$results"/found/*; do
    [ -f "$report" ] || continue
    failed=$((failed + 1))
    echo "!! not ok: $(basename "$report" | tr '+' '/')"
    cat "$report"
done
echo "$(($(wc -l <"$results/checks") - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
