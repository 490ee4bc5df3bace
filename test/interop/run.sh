#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: run.sh BUILD_FOLDER DRIVER. Brings ioredis into the build folder and runs the interop test there; prints TAP.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
driver=$2
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "node or npm is missing" >&2
  exit 77
fi
mkdir -p "$build"
cp "$here/package.json" "$here/reference_node.js" "$here/interop_test.js" "$build/"
cd "$build"
if [ ! -d node_modules/ioredis ]; then
  npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error >npm.log 2>&1 || {
    cat npm.log >&2
    exit 77
  }
fi
NETRON_TEST_DRIVER=$driver exec node --test --test-reporter=tap interop_test.js
