#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs tests on another platform than this machine is, in a system that is made for them and kept: make.sh.
#
#     sh test/platform/run.sh debian13     all tests: gcc 14, hiredis 1.2, Redis 8; those of a real server also over TLS
#     sh test/platform/run.sh i386         all tests, as 32-bit programs: gcc 12, hiredis 0.14.1, Redis 7.0
#     sh test/platform/run.sh arm64        words, scripted peers and the corpora of the fuzz targets, cross-compiled, by qemu
#
# The systems are kept in build-test-systems, about a gigabyte each, or where NETRON_TEST_SYSTEMS says; `rm -rf` ends them.
# The last line counts the checks. Where a system cannot be made, a line that begins with !! says why, and nothing fails.
set -u
project=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$project" || exit 1
systems=${NETRON_TEST_SYSTEMS:-$project/build-test-systems}
native=$(dpkg --print-architecture 2>/dev/null)
platform=${1:-}

# Cross-compiling takes its libraries from the other architecture, where some of them are only alone.
cross_tools='arm64 gcc-aarch64-linux-gnu libc6-dev:arm64 libhiredis-dev:arm64 libevent-dev:arm64 libssl-dev:arm64
    libjansson-dev:arm64 check:arm64 uthash-dev meson ninja-build pkgconf python3 qemu-user'

leave_out() {
    echo "!! Nothing of this ran on $title: $*"
    echo "0 passed, 0 failed"
    exit 0
}

fail() {
    echo "$*"
    echo "0 passed, 1 failed"
    exit 1
}

others=
case $platform in
debian13) title='Debian 13' suite=trixie architecture=$native stages='quick tls' ;;
i386) title='32 bits' suite=bookworm architecture=i386 stages=quick ;;
arm64) title='ARM64' suite=trixie architecture=$native others=$cross_tools stages=cross ;;
*)
    echo "usage: sh test/platform/run.sh debian13 | i386 | arm64" >&2
    exit 2
    ;;
esac
case $platform:$native in
*:) leave_out "this machine is no Debian" ;;
i386:amd64 | i386:i386) ;;
i386:*) leave_out "this machine runs no programs for i386" ;;
arm64:arm64) leave_out "this machine is one, and has run everything" ;;
esac

# npm is as large as all the rest: it brings its one package here, for all systems.
node_modules=
if [ "$stages" != cross ]; then
    { sh examples/prepare.sh nodejs npm && sh test/interop/bring.sh build-test-node; } || fail "ioredis cannot be had"
    node_modules=/src/build-test-node/node_modules
fi

system=$systems/$platform
mkdir -p "$systems"
before=$(stat -c %i "$system" 2>/dev/null)
# shellcheck disable=SC2086 # a list of names
{ reason=$(sh test/platform/make.sh "$system" "$suite" "$architecture" $others 3>&1 >&4); } 4>&1
status=$?
[ "$status" -ne 3 ] || leave_out "$reason"
[ "$status" -eq 0 ] || fail "the system for $title could not be made"
# What was built in another system may fit the new one, or not.
[ "$(stat -c %i "$system")" = "$before" ] || rm -rf "build-$platform"-*

# A few seeds of the model: what they look for does not lie in the platform.
# shellcheck disable=SC2086 # a list of stages
NETRON_TEST_BUILDS=build-$platform NETRON_TEST_NODE_MODULES=$node_modules NETRON_TEST_SEEDS=${NETRON_TEST_SEEDS:-10} \
    sh test/platform/enter.sh "$system" sh test/run.sh $stages
