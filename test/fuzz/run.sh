#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the fuzz targets with clang into build-test-fuzz, and runs each for so many seconds, two at a time.
#
#     sh test/fuzz/run.sh SECONDS [TARGET...]     targets: event record url version_range client topology
#
# Each begins with the corpus in test/fuzz/corpus and with what earlier runs found (build-test-fuzz/corpus). For each it
# tells the executions and what they covered. A crash, a leak, a failed expectation, more than 20 s for an input, or more
# memory than an honest server could cause is a failure: the input that did it is kept, and where is told. The last line
# counts: "N passed, M failed". Exits with 0 only if M is 0.
#
# An input is run again by build-test-fuzz/test/fuzz/fuzz_TARGET FILE. What was found worth keeping goes into the corpus
# by build-test-fuzz/test/fuzz/fuzz_TARGET -merge=1 test/fuzz/corpus/TARGET build-test-fuzz/corpus/TARGET
set -u

project=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$project" || exit 1
folder=build-test-fuzz
flags="-fsanitize=fuzzer-no-link -fsanitize-coverage-ignorelist=$project/test/fuzz/uncovered.txt -fno-sanitize-recover=all"
passed=0
failed=0

case ${1:-} in
'' | *[!0-9]*)
    echo "usage: sh test/fuzz/run.sh SECONDS [TARGET...]" >&2
    exit 2
    ;;
esac
seconds=$1
shift
[ $# -gt 0 ] || set -- event record url version_range client topology

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

build() {
    [ -f "$folder/build.ninja" ] ||
        CC=clang meson setup -Dtests=enabled -Dexamples=disabled -Dwerror=true -Dfuzz=true -Db_lundef=false \
            -Db_sanitize=address,undefined "-Dc_args=$flags" "$folder" ||
        return 1
    ninja -C "$folder" fuzz
}

# Runs one target; what it says goes to a log.
fuzz() {
    options="-max_total_time=$seconds -timeout=20 -rss_limit_mb=1500 -malloc_limit_mb=64 -max_len=4096 -print_final_stats=1"
    [ ! -f "test/fuzz/$1.dict" ] || options="$options -dict=test/fuzz/$1.dict"
    mkdir -p "$folder/corpus/$1" "$folder/found"
    # shellcheck disable=SC2086 # a list of options
    ASAN_OPTIONS=quarantine_size_mb=32:malloc_context_size=12 UBSAN_OPTIONS=print_stacktrace=1 \
        "$folder/test/fuzz/fuzz_$1" $options -artifact_prefix="$folder/found/$1-" \
        "$folder/corpus/$1" "test/fuzz/corpus/$1" >"$folder/$1.log" 2>&1
}

# Says what became of a target.
tell() {
    log=$folder/$1.log
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    a_second=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    covered=$(sed -n 's/^#.* \(cov: [0-9]* ft: [0-9]*\).*/\1/p' "$log" | tail -n 1)
    if [ "$2" -eq 0 ] && [ "${executions:-0}" -gt 0 ]; then
        passed=$((passed + 1))
        echo "ok $1: $executions executions, $a_second a second, $covered"
        return
    fi
    failed=$((failed + 1))
    echo "!! not ok $1: $(sed -n 's/.*Test unit written to /the input is /p' "$log" | tail -n 1)"
    grep -v '^#[0-9]*[[:space:]]' "$log" | tail -n 60
}

if ! said=$(build 2>&1); then
    printf '%s\n' "$said"
    failed=1
    finish
fi
while [ $# -gt 0 ]; do
    fuzz "$1" &
    process=$!
    status=0
    other=0
    [ $# -lt 2 ] || fuzz "$2" || other=$?
    wait "$process" || status=$?
    tell "$1" "$status"
    [ $# -lt 2 ] || tell "$2" "$other"
    shift
    [ $# -eq 0 ] || shift
done
finish
