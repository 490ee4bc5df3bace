#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: run.sh BUILD_FOLDER DRIVER. Brings ioredis into the build folder and runs the interop test there; prints TAP.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
driver=$2

skip() {
  echo "1..0 # SKIP $1"
  exit 0
}

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  skip "node or npm is missing"
fi
mkdir -p "$build"
cp "$here/package.json" "$here/reference_node.js" "$here/interop_test.js" "$build/"
cd "$build"
if [ ! -d node_modules/ioredis ]; then
  npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error >npm.log 2>&1 || {
    cat npm.log >&2
    skip "npm cannot install ioredis"
  }
fi
NETRON_TEST_DRIVER=$driver exec node --test --test-reporter=tap interop_test.js
