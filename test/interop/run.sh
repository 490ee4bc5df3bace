#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: run.sh BUILD_FOLDER DRIVER. Brings ioredis into the build folder and runs the interop test there; prints TAP.
# NETRON_TEST_NODE_MODULES names a folder node_modules that has it already; then npm is not needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
driver=$2

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}

command -v node >/dev/null || skip "node is missing"
mkdir -p "$build"
[ -z "${NETRON_TEST_NODE_MODULES:-}" ] || [ -e "$build/node_modules" ] ||
    ln -s "$NETRON_TEST_NODE_MODULES" "$build/node_modules"
why=$(sh "$here/bring.sh" "$build") || skip "$why"
cp "$here/reference_node.js" "$here/interop_test.js" "$build/"
cd "$build"
NETRON_TEST_DRIVER=$driver exec node --test --test-reporter=tap interop_test.js
