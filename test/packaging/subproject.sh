#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: subproject.sh SOURCE. A Meson project that has the library as a subproject builds it and runs.
set -eu
source=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
. "$source/test/packaging/tap.sh"

copy=$folder/project/subprojects/netron-discovery
mkdir -p "$copy"
cp "$source/test/packaging/subproject/"* "$folder/project/"
for part in meson.build meson_options.txt include lib adapters examples; do
    cp -R "$source/$part" "$copy/"
done

# set_up FOLDER OPTION...
set_up() {
    built=$1
    shift
    meson setup --fatal-meson-warnings --wrap-mode=nodownload --force-fallback-for=netron-discovery "$@" "$built" \
        "$folder/project"
}
tests_or_examples() {
    meson introspect --targets "$1" | tr ',' '\n' | grep -E '/subprojects/netron-discovery/(test|examples)/'
}
check 'a project takes it as a subproject' set_up "$folder/built"
check 'and is built' meson compile -C "$folder/built"
check 'its program runs' "$folder/built/consumer"
check 'and one that includes an adapter' "$folder/built/adapter"
check 'it brings neither tests nor examples' empty tests_or_examples "$folder/built"
# As distributions' packaging tools do.
check 'it can be set up with all automatic features enabled' set_up "$folder/built-features" -Dauto_features=enabled
check 'even so it brings neither tests nor examples' empty tests_or_examples "$folder/built-features"
done_testing
