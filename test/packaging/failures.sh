#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: failures.sh SOURCE. Each row of the failure tables in lib/README.md ends with the tests that make the failure:
# "program: case", several parted by commas, semicolons or <br>; a case without a program is of the one named before it
# in its row. A program is named after its file in test/, with or without its ring (link, sim_link); the case is a test of
# it. A row without a test, and a test that is not there, fail.
set -eu
source=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
. "$source/test/packaging/tap.sh"

# "WHAT THE ROW IS ABOUT<tab>ITS LAST COLUMN" for each row of a table that begins with the column "failure".
awk -F '|' '
    !/^\|/ { inside = 0; next }
    /^\| *failure *\|/ { inside = 1; next }
    /^\|[-| :]+$/ { next }
    inside { row = $2; last = $(NF - 1); gsub(/^ +| +$/, "", row); gsub(/^ +| +$/, "", last); print row "\t" last }
' "$source/lib/README.md" >"$folder/rows"

# files_of PROGRAM: where its cases stand.
files_of() {
    program=${1%_test}
    ring=${program%%_*}
    for file in "$source"/test/*/"${program}_test.c" "$source/test/$ring/${program#*_}_test.c" \
        "$source/test/$ring/${program#*_}_test.js" "$source"/test/*/"${program}_test.js" \
        "$source/test/packaging/$program.sh"; do
        [ ! -f "$file" ] || echo "$file"
    done
}

# Cases are written as a sentence, or as the name in the source.
is_a_test() {
    program=$1 sentence=$2
    files=$(files_of "$program")
    [ -n "$files" ] || {
        echo "there is no program \"$program\""
        return 1
    }
    case_name=$(printf '%s' "$sentence" | tr ' ' '_')
    # shellcheck disable=SC2086 # a list of files
    grep -q -F -e "START_TEST($case_name)" -e "test('$sentence'" -e "check '$sentence'" $files || {
        echo "$program has no case $case_name"
        return 1
    }
}

has_tests() {
    [ -n "$1" ] || {
        echo "it names no test"
        return 1
    }
    printf '%s\n' "$1" | sed 's/<br *\/*>/,/g' | tr -d '`' | tr ';' ',' | tr ',' '\n' |
        sed 's/^ *//; s/ *$//; /^$/d' >"$folder/names"
    of=
    while IFS= read -r name; do
        case $name in
        *:*) of=$(printf '%s' "${name%%:*}" | tr -d ' ') ;;
        esac
        is_a_test "$of" "$(printf '%s' "${name#*:}" | sed 's/^ *//')" || return 1
    done <"$folder/names"
}

tab=$(printf '\t')
check 'the tables are there' grep -q '^| failure |' "$source/lib/README.md"
while IFS=$tab read -r row tests; do
    check "a test makes: $(printf '%s' "$row" | tr -d '#')" has_tests "$tests"
done <"$folder/rows"
done_testing
