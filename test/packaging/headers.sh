#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: headers.sh SOURCE. Each public header is complete, clean C99 and C++11, and needs no header of a dependency.
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

for pair in gcc:c99 clang:c99 g++:c++11 clang++:c++11; do
    compiler=${pair%:*} language=${pair#*:}
    for header in $headers $adapters; do
        what="$header by $compiler as $language"
        if ! command -v "$compiler" >/dev/null; then
            skip "$what" "$compiler is not here"
        elif [ "$language" = c99 ]; then
            check "$what" compile "$compiler" "$language" "$header" -fsyntax-only -x c
        else
            check "$what" compile "$compiler" "$language" "$header" -fsyntax-only -x c++
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
