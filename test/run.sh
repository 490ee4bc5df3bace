#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the library in several ways, runs its tests on each, and looks for faults without running it. On Debian 12 or
# 13 it installs what is missing.
#
#     sh test/run.sh          all stages
#     sh test/run.sh quick    gcc only, all tests
#     sh test/run.sh long     all stages, also under valgrind what takes long there, and a thousand seeds of the model
#     sh test/run.sh adapters only what runs on every event loop: gcc, sanitizers, threads, all of it under valgrind
#     sh test/run.sh STAGE... some of them:
#         gcc        as it is shipped: words, scripted peers, interoperation, packaging
#         analysis   -fanalyzer, clang-tidy, cppcheck, shellcheck: test/analysis/run.sh
#         coverage   without optimisation, all rings; then how much of lib/ was reached: test/coverage.py
#         valkey     a real server and interoperation once more, on valkey-server
#         tls        a real server once more, over TLS, where the build has it
#         sanitize   AddressSanitizer and UndefinedBehaviorSanitizer
#         threads    ThreadSanitizer
#         clang      as gcc, with a real server
#         fuzz       each target of test/fuzz for a minute
#         memory     valgrind, on what gcc built
#         debian13   all tests on Debian 13, and over TLS there: test/platform/run.sh
#         i386       all tests as 32-bit programs
#         arm64      words, scripted peers and corpora on ARM64, by qemu
#     sh test/run.sh soak     half an hour of the model with faults at random, under AddressSanitizer; no part of the others
#
# NETRON_TEST_SERVER names the server that all tests start, instead of redis-server: valkey-server, or a path. Then
# there is no stage of Valkey's own.
#
# README.md lists what else can be set.
#
# The last line counts the checks of all runs together: "N passed, M failed". Exits with 0 only if M is 0.
# A skipped check is a failure, unless NETRON_TEST_ALLOW_SKIP is set.
set -u

project=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$project" || exit 1
# Where another system builds in the same folder, it has names of its own: test/platform.
builds=${NETRON_TEST_BUILDS:-build-test}
passed=0
failed=0
notes=
times=
folder_of_logs=$(mktemp -d)
trap 'rm -rf "$folder_of_logs"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# note WHAT: said once more at the end, where it is seen: what failed, and what did not run.
note() {
    echo "== $1"
    notes="$notes
!! $1"
}

# note_complaints STAGE: what stands in the file of complaints.
note_complaints() {
    while IFS= read -r complaint; do
        note "$1: $complaint"
    done <"$folder_of_logs/complaints"
}

finish() {
    [ -z "$times" ] || echo "== seconds:$times"
    [ -z "$notes" ] || printf '%s\n' "${notes#?}"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

# add_up NAME "PASSED FAILED" BEGAN
add_up() {
    seconds=$(($(date +%s) - $3))
    echo "== $1: ${2% *} passed, ${2#* } failed, $seconds s"
    times="$times $1 $seconds"
    passed=$((passed + ${2% *}))
    failed=$((failed + ${2#* }))
}

# build NAME COMPILER OPTION...: makes build-test-NAME.
build() {
    name=$1 compiler=$2 folder=$builds-$1
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

# run BUILD LOG "SUITE..." "NAME=VALUE..." OPTION...: runs the suites in build-test-BUILD, and adds up.
run() {
    folder=$builds-$1 log=$2 suites=$3 environment=$4
    shift 4
    echo "== $log: $suites"
    rm -f "$folder/meson-logs/$log"*
    for suite in $suites; do
        set -- --suite "$suite" "$@"
    done
    status=0
    began=$(date +%s)
    # shellcheck disable=SC2086 # a list of settings
    env $environment meson test -C "$folder" --no-rebuild --logbase "$log" --print-errorlogs "$@" || status=$?
    # shellcheck disable=SC2086 # a list of names
    counts=$(python3 test/count.py "$folder" "$log" $suites 2>"$folder_of_logs/complaints") || counts='0 1'
    note_complaints "$log"
    [ "$status" -eq 0 ] || [ "${counts#* }" -gt 0 ] || counts="${counts% *} 1"
    add_up "$log" "$counts" "$began"
}

# counted NAME COMMAND...: one that counts its checks itself, in its last line, and says in lines that begin with "!!" what
# failed and what did not run.
counted() {
    name=$1
    shift
    echo "== $name"
    began=$(date +%s)
    "$@" 2>&1 | tee "$folder_of_logs/$name"
    counts=$(tail -n 1 "$folder_of_logs/$name" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
    sed -n 's/^!! //p' "$folder_of_logs/$name" >"$folder_of_logs/complaints"
    note_complaints "$name"
    add_up "$name" "${counts:-0 1}" "$began"
}

# ---- the stages ----

# Most tests wait more than they work, so more of them run at a time than there are cores.
jobs='--num-processes 4'

# Where all is run, the other rings run elsewhere on what gcc optimised: on Valkey, and under valgrind.
stage_gcc() {
    # shellcheck disable=SC2086 # lists of options
    build gcc gcc && run gcc gcc "$gcc_suites" "NETRON_TEST_SEEDS=$seeds" $patience $jobs
}

stage_analysis() {
    build clang clang || return
    counted analysis sh test/analysis/run.sh "$builds-clang"
}

# Threads count what they reach without losing any of it: -fprofile-update=atomic.
stage_coverage() {
    build coverage gcc -Db_coverage=true -Doptimization=0 -Dc_args=-fprofile-update=atomic || return
    find "$builds-coverage" -name '*.gcda' -exec rm -f {} +
    # shellcheck disable=SC2086 # a list of options
    run coverage coverage "$rings" CK_TIMEOUT_MULTIPLIER=3 -t 3 $jobs
    counted reached python3 test/coverage.py "$builds-coverage"
}

stage_valkey() {
    [ -z "${NETRON_TEST_SERVER:-}" ] || return 0
    sh examples/prepare.sh valkey-server || {
        note 'Nothing of this ran on Valkey: valkey-server cannot be installed here.'
        return
    }
    echo "== valkey: $(valkey-server --version)"
    # shellcheck disable=SC2086 # a list of options
    build gcc gcc && run gcc valkey 'integration interop' NETRON_TEST_SERVER=valkey-server $patience $jobs
}

stage_tls() {
    # shellcheck disable=SC2086 # a list of options
    build gcc gcc || return 0
    grep -q lib/tls.c "$builds-gcc/compile_commands.json" || {
        note 'Nothing of this ran over TLS: this hiredis has no hiredis_ssl.'
        return
    }
    # shellcheck disable=SC2086 # a list of options
    run gcc tls integration NETRON_TEST_TLS=1 $patience $jobs
}

stage_sanitize() {
    # shellcheck disable=SC2086 # a list of options
    build sanitize gcc -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all &&
        run sanitize sanitize "$sanitize_suites" 'UBSAN_OPTIONS=print_stacktrace=1 CK_TIMEOUT_MULTIPLIER=3' -t 3 $jobs
}

stage_threads() {
    # shellcheck disable=SC2086 # a list of options
    build threads gcc -Db_sanitize=thread -Db_lundef=false &&
        run threads threads threads CK_TIMEOUT_MULTIPLIER=5 -t 5 $jobs
}

stage_clang() {
    # shellcheck disable=SC2086 # lists of options
    build clang clang &&
        run clang clang 'unit sim integration' "NETRON_TEST_SEEDS=$seeds NETRON_TEST_HERD=$herd" $patience $jobs
}

stage_fuzz() {
    [ -f test/fuzz/run.sh ] || return 0
    counted fuzz sh test/fuzz/run.sh 60
}

stage_soak() {
    # shellcheck disable=SC2086 # a list of options
    build sanitize gcc -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all &&
        run sanitize soak integration "NETRON_TEST_SOAK_MINUTES=$soak CK_TIMEOUT_MULTIPLIER=3" -t 10 model
}

# "Possibly lost" is what hiredis' strings always look like: their pointers point behind a header.
stage_memory() {
    leaks='--leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite'
    # shellcheck disable=SC2086 # a list of options
    build gcc gcc &&
        run gcc memory "$rings" CK_TIMEOUT_MULTIPLIER=10 -t 10 $left_out \
            --wrap="valgrind -q $leaks --suppressions=$project/test/valgrind.supp --error-exitcode=99"
}

# In a system that test/platform/run.sh has made.
stage_cross() {
    # shellcheck disable=SC2086 # lists of options
    build cross gcc -Dtests=auto --cross-file test/platform/arm64.ini &&
        run cross cross 'unit sim fuzz' CK_TIMEOUT_MULTIPLIER=10 -t 10 $left_out $jobs
}

stage_platform() {
    counted "$1" sh test/platform/run.sh "$1"
}

# ---- which of them ----

rings='unit sim fuzz integration adapter' others='interop packaging'
every='gcc analysis coverage valkey sanitize threads clang fuzz memory debian13 i386 arm64'
patience='-t 3' seeds=50 herd=60 soak=30 left_out='--no-suite long'
gcc_suites="unit sim fuzz $others" sanitize_suites="$rings interop"
stages=
[ $# -gt 0 ] || set -- all
for asked in "$@"; do
    case $asked in
    all) stages=$every ;;
    quick) stages="$stages gcc" gcc_suites="$rings $others" ;;
    long) stages=$every patience='-t 20' seeds=1000 herd=500 left_out= ;;
    adapters)
        stages='gcc sanitize threads memory'
        rings=adapter gcc_suites=adapter sanitize_suites=adapter left_out=
        ;;
    gcc | analysis | coverage | valkey | tls | sanitize | threads | clang | fuzz | memory | debian13 | i386 | arm64 | cross | soak)
        stages="$stages $asked"
        ;;
    *)
        echo "usage: sh test/run.sh [quick | long | adapters | soak | $(echo "$every" | sed 's/ / | /g')]..." >&2
        exit 2
        ;;
    esac
done

# What the caller has set counts more.
seeds=${NETRON_TEST_SEEDS:-$seeds} herd=${NETRON_TEST_HERD:-$herd} soak=${NETRON_TEST_SOAK_MINUTES:-$soak}

# What the stages need on top of what every build needs; what npm brings may be there already. A system of its own has
# everything of its own.
# What Debian's libcrypto.pc wants of a static program: libzstd-dev, zlib1g-dev.
tools='check clang faketime g++ nodejs libuv1-dev libev-dev libglib2.0-dev libssl-dev libsystemd-dev libzstd-dev
    zlib1g-dev'
builds_here=no
[ -n "${NETRON_TEST_NODE_MODULES:-}" ] || tools="$tools npm"
for stage in $stages; do
    case $stage in
    debian13 | i386 | arm64 | cross) continue ;;
    analysis) tools="$tools clang-tidy cppcheck shellcheck" ;;
    coverage) tools="$tools gcovr" ;;
    memory) tools="$tools valgrind" ;;
    esac
    builds_here=yes
done
# shellcheck disable=SC2086 # a list of names
[ "$builds_here" = no ] || sh examples/prepare.sh $tools || {
    failed=1
    finish
}
for stage in $stages; do
    case $stage in
    gcc) stage_gcc ;;
    analysis) stage_analysis ;;
    coverage) stage_coverage ;;
    valkey) stage_valkey ;;
    tls) stage_tls ;;
    sanitize) stage_sanitize ;;
    threads) stage_threads ;;
    clang) stage_clang ;;
    fuzz) stage_fuzz ;;
    memory) stage_memory ;;
    debian13 | i386 | arm64) stage_platform "$stage" ;;
    cross) stage_cross ;;
    soak) stage_soak ;;
    esac
done
finish
