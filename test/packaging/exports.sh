#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: exports.sh SOURCE BUILD. What the libraries show to the linker is what the headers declare, and nothing else.
set -eu
source=$1
library=$2/lib/libnetron-discovery
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
. "$source/test/packaging/tap.sh"

nm -D --defined-only "$library.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$folder/exported"
sed -n 's/^ *\(netron_[a-z0-9_]*\);$/\1/p' "$source/lib/netron.sym" | sort >"$folder/listed"
# One statement a line; what stands between the last NETRON_API of a statement and its first bracket ends with the name.
find "$source/include/netron" -name '*.h' -exec cat {} + | tr '\n;' ' \n' |
    sed -n 's/.*NETRON_API \([^(]*\)(.*/\1/p' | sed 's/.*[ *]//' | sort >"$folder/declared"

check 'the headers declare functions' test -s "$folder/declared"
check 'lib/netron.sym lists what the headers declare' same "$folder/declared" "$folder/listed"
check 'the shared library exports what lib/netron.sym lists' same "$folder/listed" "$folder/exported"

readelf -d "$library.so" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p' >"$folder/soname"
echo libnetron-discovery.so.0 >"$folder/expected-soname"
check 'the SONAME is libnetron-discovery.so.0' same "$folder/expected-soname" "$folder/soname"

# What the compiler for i386 adds to any object, it hides from other libraries.
foreign_names() {
    nm -g --defined-only "$library.a" | awk 'NF == 3 && $3 !~ /^(netron_|__x86\.get_pc_thunk\.)/'
}
check 'every global name of the static library begins with netron_' empty foreign_names
done_testing
