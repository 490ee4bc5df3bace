#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the library in several ways, and runs its tests on each. On Debian 12 or 13 it installs what is missing.
#
#     sh test/run.sh          gcc, gcc with sanitizers, clang, valgrind
#     sh test/run.sh quick    gcc only
#     sh test/run.sh long     all, also under valgrind what takes long there, and a thousand seeds of the model
#     sh test/run.sh adapters only what runs on every event loop: gcc, sanitizers, threads, all of it under valgrind
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
all | quick | long | adapters) ;;
*)
    echo "usage: sh test/run.sh [quick | long | adapters]" >&2
    exit 2
    ;;
esac

sh examples/prepare.sh check valgrind clang g++ nodejs npm libuv1-dev libev-dev libglib2.0-dev libsystemd-dev || {
    failed=1
    finish
}

# Most tests wait more than they work, so more of them run at a time than there are cores.
patience='-t 1' seeds=50 left_out='--no-suite long'
rings='unit sim integration adapter' others='interop packaging'
case ${1:-all} in
long) patience='-t 20' seeds=1000 left_out= ;;
adapters) left_out='' rings=adapter others='' ;;
esac
# shellcheck disable=SC2086 # lists of options
build gcc gcc &&
    NETRON_TEST_SEEDS=$seeds run gcc gcc "$rings $others" $patience --num-processes 4
[ "${1:-all}" != quick ] || finish

export UBSAN_OPTIONS=print_stacktrace=1
build sanitize gcc -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all &&
    CK_TIMEOUT_MULTIPLIER=3 run sanitize sanitize "$rings ${others%packaging}" -t 3 --num-processes 4

build threads gcc -Db_sanitize=thread -Db_lundef=false &&
    CK_TIMEOUT_MULTIPLIER=5 run threads threads threads -t 5 --num-processes 4

[ "${1:-all}" = adapters ] || {
    build clang clang &&
        run clang clang 'unit sim'
}

# "Possibly lost" is what hiredis' strings always look like: their pointers point behind a header.
leaks='--leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite'
[ ! -f build-test-gcc/build.ninja ] ||
    CK_TIMEOUT_MULTIPLIER=10 run gcc memory "$rings" -t 10 $left_out \
        --wrap="valgrind -q $leaks --suppressions=$project/test/valgrind.supp --error-exitcode=99"
finish
