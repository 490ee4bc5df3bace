#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the library in several ways, and runs its tests on each. On Debian 12 or 13 it installs what is missing.
#
#     sh test/run.sh          gcc, gcc with sanitizers, clang, valgrind
#     sh test/run.sh quick    gcc only
#     sh test/run.sh long     all, also under valgrind what takes long there, and a thousand seeds of the model
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
all | quick | long) ;;
*)
    echo "usage: sh test/run.sh [quick | long]" >&2
    exit 2
    ;;
esac

sh examples/prepare.sh check valgrind clang g++ nodejs npm || {
    failed=1
    finish
}

# Most tests wait more than they work, so more of them run at a time than there are cores.
patience='-t 1' seeds=50 left_out='--no-suite long'
if [ "${1:-all}" = long ]; then
    patience='-t 20' seeds=1000 left_out=
fi
build gcc gcc &&
    NETRON_TEST_SEEDS=$seeds run gcc gcc 'unit sim integration interop packaging' $patience --num-processes 4
[ "${1:-all}" != quick ] || finish

export UBSAN_OPTIONS=print_stacktrace=1
build sanitize gcc -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all &&
    CK_TIMEOUT_MULTIPLIER=3 run sanitize sanitize 'unit sim integration interop' -t 3 --num-processes 4

build clang clang &&
    run clang clang 'unit sim'

# "Possibly lost" is what hiredis' strings always look like: their pointers point behind a header.
leaks='--leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite'
[ ! -f build-test-gcc/build.ninja ] ||
    CK_TIMEOUT_MULTIPLIER=10 run gcc memory 'unit sim integration' -t 10 $left_out \
        --wrap="valgrind -q $leaks --error-exitcode=99"
finish
