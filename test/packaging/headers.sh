#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: headers.sh SOURCE. Each public header is complete, clean C99 and C++11, and needs no header of a dependency; each
# adapter is, too, beside its reactor.
set -eu
source=$1
. "$source/test/packaging/tap.sh"
cd "$source"

headers=$(cd include && find netron -name '*.h' | sort)
adapters=$(find adapters -name '*.h' | sort)

# compile COMPILER LANGUAGE HEADER FLAG...: twice the same header, for its guard.
compile() {
    compiler=$1 language=$2 header=$3
    shift 3
    printf '#include "%s"\n#include "%s"\nint unused;\n' "$header" "$header" |
        "$compiler" "-std=$language" -Wall -Wextra -Wpedantic -Werror -I include -I . "$@" -
}

reactor_flags=$(pkg-config --cflags gio-2.0 libuv libsystemd 2>/dev/null || true)
has_reactor() {
    case $1 in
    adapters/glib.h) pkg-config --exists gio-2.0 ;;
    adapters/libev.h) printf '#include <ev.h>\n' | gcc -fsyntax-only -x c - 2>/dev/null ;;
    adapters/libuv.h) pkg-config --exists libuv ;;
    adapters/sd-event.h) pkg-config --exists libsystemd ;;
    *) true ;;
    esac
}

for pair in gcc:c99 clang:c99 g++:c++11 clang++:c++11; do
    compiler=${pair%:*} language=${pair#*:}
    for header in $headers $adapters; do
        what="$header by $compiler as $language"
        case $language in
        c99) kind=c ;;
        *) kind=c++ ;;
        esac
        case $header in
        adapters/*) flags="-D_POSIX_C_SOURCE=200809L $reactor_flags" ;;
        *) flags= ;;
        esac
        if ! command -v "$compiler" >/dev/null; then
            skip "$what" "$compiler is not here"
        elif [ "${header%/*}" = adapters ] && ! has_reactor "$header"; then
            skip "$what" "its reactor is not here"
        else
            # shellcheck disable=SC2086 # a list of flags
            check "$what" compile "$compiler" "$language" "$header" $flags -fsyntax-only -x "$kind"
        fi
    done
done

includes_of_dependencies() {
    for header in $headers; do
        compile gcc c99 "$header" -x c -M | tr ' ' '\n' | grep -v '^include/netron/' |
            grep -E 'hiredis|event2|/ev[a-z]*\.h|jansson|/ut[a-z]*\.h'
    done
}
check 'no public header includes one of hiredis, libevent, jansson or uthash' empty includes_of_dependencies
done_testing
