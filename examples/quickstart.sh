#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the library and shows it at work: three servers in three processes register in a Redis, find each other,
# change, leave and die (quickstart.c). Exits with 0 only when all of that was really seen.
#
#     sh examples/quickstart.sh
#     REDIS_URL=redis://127.0.0.1:6379/0 sh examples/quickstart.sh        on a Redis that runs already
#
# Without REDIS_URL it starts a Redis of its own, on a Unix socket in a temporary folder, and ends it afterwards.
set -eu

project=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$project/build-quickstart
folder=
redis=
quickstart=

# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
    for process in $quickstart $redis; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    [ -z "$folder" ] || rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

sh "$project/examples/prepare.sh"

echo "Building in $build"
folder=$(mktemp -d)
{
    [ -f "$build/build.ninja" ] || meson setup -Dtests=disabled -Dexamples=enabled "$build" "$project"
    meson compile -C "$build"
} >"$folder/build.log" 2>&1 || {
    cat "$folder/build.log" >&2
    echo "The build failed; what the compiler said stands above." >&2
    exit 1
}

if [ -z "${REDIS_URL:-}" ]; then
    redis-server --port 0 --unixsocket "$folder/redis.sock" --dir "$folder" --save '' --appendonly no \
        >"$folder/redis.log" 2>&1 &
    redis=$!
    REDIS_URL=unix://$folder/redis.sock
    export REDIS_URL
    echo "Redis runs in $folder, for as long as this takes"
fi

# In the background, because a shell hears a signal only after a program in the foreground has ended.
"$build/examples/quickstart" "$build/examples/node" &
quickstart=$!
status=0
wait "$quickstart" || status=$?
quickstart=
if [ "$status" -ne 0 ] && [ -n "$redis" ] && ! kill -0 "$redis" 2>/dev/null; then
    echo "Its Redis has ended; it said:" >&2
    cat "$folder/redis.log" >&2
fi
exit "$status"
