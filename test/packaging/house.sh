#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: house.sh SOURCE BUILD. The rules of the house that a compiler does not check.
set -eu
source=$1
archive=$2/lib/libnetron-discovery.a
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
. "$source/test/packaging/tap.sh"
cd "$source/lib"

# includers PATTERN FILE...: the files that include such a header are these.
includers() {
    pattern=$1
    shift
    grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$pattern" ./*.c ./*.h |
        sed 's|^\./||' | sort >"$folder/has"
    printf '%s\n' "$@" | sort >"$folder/may"
    same "$folder/may" "$folder/has"
}
check 'libevent is known to loop_libevent.c alone' includers '(event2/|ev(dns|http|util|rpc)\.h)' loop_libevent.c
# bounds.h hands it to those that include it: conn.c, whose reader it bounds.
check 'hiredis is known to conn.c, its bounds, tls.c and reply.c alone' includers '([a-z/]*hiredis|async\.h|sds\.h)' \
    bounds.h conn.c reply.c tls.c
check 'OpenSSL is known to signature.c and tls.c alone' includers 'openssl/' signature.c tls.c

# node_json.h hands jansson to those that include it.
knows_jansson() {
    grep -lE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"](jansson|node_json)\.h' ./*.c ./*.h |
        grep -vE '^\./(record|event|node_json)\.[ch]$'
}
check 'jansson is known to record, event and node_json alone' empty knows_jansson

long_files() {
    find . -type f -exec wc -l {} + | awk '$2 != "total" && $1 > 600'
}
check 'no file is longer than 600 lines' empty long_files

# What the objects call says it better than the text, in which comments and names look alike.
forbidden='stdin stdout stderr printf puts putchar fputs fputc putc fwrite fprintf vprintf vfprintf dprintf vdprintf
    perror psignal syslog vsyslog exit _exit _Exit quick_exit abort __assert_fail __assert raise
    signal sigaction atexit on_exit setenv putenv fork system pthread_create
    sleep usleep nanosleep select poll getaddrinfo gethostbyname strtok localtime gmtime rand srand random'
forbidden_calls() {
    # shellcheck disable=SC2086 # a list of names
    printf '%s\n' $forbidden >"$folder/forbidden"
    nm -A -u "$archive" | awk '{ print $NF, $1 }' | sed 's/^__\([a-z]*\)_chk /\1 /' |
        awk 'NR == FNR { forbidden[$1]; next } $1 in forbidden' "$folder/forbidden" -
}
check 'nothing prints, ends the process, waits, or touches what all of the process share' empty forbidden_calls

# Constants with addresses in them live in .data.rel.ro, which the loader closes after relocation: those are no state.
mutable_state() {
    (cd "$folder" && ar x "$archive")
    for object in "$folder"/*.o; do
        readelf -SW "$object" | sed -n 's/^ *\[ *[0-9]*\] //p' |
            awk -v object="${object##*/}" '$1 ~ /^\.(data|bss|tdata|tbss)/ && $1 !~ /^\.data\.rel\.ro/ &&
                $5 !~ /^0+$/ { print object ": " $1 " has 0x" $5 " bytes" }'
        nm "$object" | awk -v object="${object##*/}" '$(NF - 1) == "C" { print object ": " $NF }'
    done
}
check 'there is no static state' empty mutable_state
done_testing
