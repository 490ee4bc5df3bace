#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: bring.sh FOLDER. Lets npm bring ioredis into the folder, if it is not there; says why when it cannot.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1

mkdir -p "$folder"
cp "$here/package.json" "$folder/"
cd "$folder"
[ ! -d node_modules/ioredis ] || exit 0
command -v npm >/dev/null || {
    echo "npm is missing"
    exit 1
}
# Elsewhere first: what was begun and not ended, because this was, is no node_modules. A registry may have a bad moment;
# two in a row are a failure.
rm -rf unfinished
mkdir unfinished
cp package.json unfinished/
install() {
    (cd unfinished && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error) \
        >npm.log 2>&1
}
install || { sleep 5 && install; } || {
    cat npm.log >&2
    echo "npm cannot install ioredis"
    exit 1
}
rm -rf node_modules
mv unfinished/node_modules .
rm -rf unfinished
