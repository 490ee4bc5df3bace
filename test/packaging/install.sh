#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: install.sh SOURCE BUILD. What is installed is complete, and a program can be built on it through pkg-config.
set -eu
source=$1
build=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
. "$source/test/packaging/tap.sh"

check 'meson install' meson install -C "$build" --no-rebuild --destdir "$folder/root"
description=$(find "$folder/root" -name netron-discovery.pc)
libraries=${description%/pkgconfig/*}
written_prefix=$(sed -n 's/^prefix=//p' "$description")

{
    cd "$source/include" && find . -name '*.h'
    cd "$source/adapters" && find . -name '*.h' | sed 's|^\.|./netron/adapters|'
} | sort >"$folder/headers"
(cd "$folder/root$written_prefix/include" && find . -name '*.h' | sort) >"$folder/installed-headers"
check 'all headers are there, as <netron/...>' same "$folder/headers" "$folder/installed-headers"

# An adapter finds what it includes where it was installed.
uses_adapter() {
    printf '#include <netron/adapters/epoll.h>\nint main(void) { return netron_epoll_loop() == NULL; }\n' |
        ${CC:-cc} -std=gnu99 -Wall -Wextra -Wpedantic -Werror -I "$folder/root$written_prefix/include" -fsyntax-only \
            -x c -
}
check 'an adapter compiles as it was installed' uses_adapter

unexpected() {
    find "$folder/root" ! -type d ! -name '*.h' ! -name 'libnetron-discovery.*' ! -name netron-discovery.pc
}
check 'nothing is installed but headers, libraries and netron-discovery.pc' empty unexpected

# The installed tree stands elsewhere than it was made for, so its prefix is told.
package() {
    PKG_CONFIG_PATH=${description%/*} pkg-config --define-variable=prefix="$folder/root$written_prefix" "$@"
}
# compile OUTPUT PKG-CONFIG-OPTION...
compile() {
    output=$1
    shift
    # shellcheck disable=SC2046 # lists of flags
    ${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -Werror $(package --cflags "$@" netron-discovery libevent_core) \
        "$source/test/packaging/subproject/consumer.c" -o "$output" \
        $(package --libs "$@" netron-discovery libevent_core)
}
run_with() {
    LD_LIBRARY_PATH=$1 "$2" | grep -qx "$(package --modversion netron-discovery)"
}
needs_shared() {
    readelf -d "$1" | grep 'NEEDED.*libnetron-discovery\.so\.0]'
}
check 'a program compiles against the shared library' compile "$folder/shared"
check 'it is linked to libnetron-discovery.so.0' needs_shared "$folder/shared"
check 'it runs, and has the version that pkg-config tells' run_with "$libraries" "$folder/shared"
rm "$libraries"/*.so*
check 'a program compiles against the static library, by --static' compile "$folder/static" --static
check 'it needs no shared library of ours' empty needs_shared "$folder/static"
check 'it runs' run_with /nonexistent "$folder/static"
done_testing
