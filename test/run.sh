#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the library in several ways, and runs its tests on each. On Debian 12 or 13 it installs what is missing.
#
#     sh test/run.sh          all: gcc, gcc with sanitizers, clang, valgrind
#     sh test/run.sh quick    gcc only
#
# The last line counts the checks of all runs together: "N passed, M failed". Exits with 0 only if M is 0.
# A skipped check is a failure, unless NETRON_TEST_ALLOW_SKIP is set.
set -u

project=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$project" || exit 1
passed=0
failed=0

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

# build NAME COMPILER OPTION...: makes build-test-NAME.
build() {
    name=$1 compiler=$2 folder=build-test-$1
    shift 2
    echo "== $name: build"
    if said=$({ [ -f "$folder/build.ninja" ] ||
        CC=$compiler meson setup -Dtests=enabled -Dexamples=enabled -Dwerror=true "$@" "$folder"; } 2>&1 &&
        meson compile -C "$folder" 2>&1); then
        return 0
    fi
    printf '%s\n' "$said"
    echo "== $name: the build failed; what the compiler said stands above"
    failed=$((failed + 1))
    return 1
}

# run BUILD LOG "SUITE..." OPTION...: runs the suites in build-test-BUILD, and adds up.
run() {
    folder=build-test-$1 log=$2 suites=$3
    shift 3
    echo "== $log: $suites"
    rm -f "$folder/meson-logs/$log"*
    for suite in $suites; do
        set -- --suite "$suite" "$@"
    done
    status=0
    began=$(date +%s)
    meson test -C "$folder" --no-rebuild --logbase "$log" --print-errorlogs "$@" || status=$?
    # shellcheck disable=SC2086 # a list of names
    counts=$(python3 test/count.py "$folder" "$log" $suites) || counts='0 1'
    [ "$status" -eq 0 ] || [ "${counts#* }" -gt 0 ] || counts="${counts% *} 1"
    echo "== $log: ${counts% *} passed, ${counts#* } failed, $(($(date +%s) - began)) s"
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
}

case ${1:-all} in
all | quick) ;;
*)
    echo "usage: sh test/run.sh [quick]" >&2
    exit 2
    ;;
esac

sh examples/prepare.sh check valgrind clang g++ nodejs npm || {
    failed=1
    finish
}

build gcc gcc &&
    run gcc gcc 'unit sim integration interop packaging'
[ "${1:-all}" = all ] || finish

export UBSAN_OPTIONS=print_stacktrace=1
build sanitize gcc -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all &&
    CK_TIMEOUT_MULTIPLIER=3 run sanitize sanitize 'unit sim integration interop' -t 3

build clang clang &&
    run clang clang 'unit sim'

# "Possibly lost" is what hiredis' strings always look like: their pointers point behind a header.
leaks='--leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite'
[ ! -f build-test-gcc/build.ninja ] ||
    CK_TIMEOUT_MULTIPLIER=10 run gcc memory 'unit sim integration' -t 10 \
        --wrap="valgrind -q $leaks --error-exitcode=99"
finish
