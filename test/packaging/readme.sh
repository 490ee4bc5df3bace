#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: readme.sh SOURCE BUILD DRIVER. What README.md says to type works: its program, its options, its Redis user.
set -eu
source=$1
build=$2
driver=$3
readme=$source/README.md
server=
folder=$(mktemp -d)
# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
    [ -z "$server" ] || kill "$server" || true
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 143' TERM INT HUP
. "$source/test/packaging/tap.sh"

# fenced LANGUAGE: all code blocks in this language.
fenced() {
    awk -v fence="\`\`\`$1" '$0 == "```" { inside = 0 } inside { print } $0 == fence { inside = 1 }' "$readme"
}

# await COMMAND...: for ten seconds at most.
await() {
    tries=100
    until "$@" || [ $((tries -= 1)) -eq 0 ]; do
        sleep 0.1
    done
    [ "$tries" -gt 0 ]
}

# Both have a client of a kindred name: redis-server and redis-cli, valkey-server and valkey-cli.
program=${NETRON_TEST_SERVER:-redis-server}
"$program" --port 0 --unixsocket "$folder/redis.sock" --dir "$folder" --save '' --appendonly no >"$folder/log" &
server=$!
# What README.md says to redis-cli goes to this server.
mkdir "$folder/bin"
printf '#!/bin/sh\nexec %s -s %s "$@"\n' "$(command -v "${program%-server}-cli")" "$folder/redis.sock" \
    >"$folder/bin/redis-cli"
chmod +x "$folder/bin/redis-cli"
PATH=$folder/bin:$PATH
await redis-cli PING >/dev/null 2>&1 || echo '# the server does not answer'

# ---- the program ----

fenced c >"$folder/orders.c"
is_short() {
    lines=$(wc -l <"$folder/orders.c")
    [ "$lines" -gt 0 ] && [ "$lines" -le 30 ]
}
compile_without_warning() {
    # shellcheck disable=SC2046 # a list of flags
    "$1" -std="$2" -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$source/include" \
        $(pkg-config --cflags libevent_core) "$folder/orders.c"
}
# As it is written there, on the library that was just built.
compile() {
    fenced sh | grep '^cc ' >"$folder/compile.sh"
    (cd "$folder" && PKG_CONFIG_PATH=$build/meson-uninstalled sh -e compile.sh)
}
hear() {
    LD_LIBRARY_PATH=$build/lib REDIS_URL=unix://$folder/redis.sock timeout 20 "$folder/orders" >"$folder/heard" &
    program=$!
    has_heard=true
    await grep -qx 'NODE_REGISTERED: orders-1 at 127.0.0.1:7001' "$folder/heard" || has_heard=false
    kill "$program"
    "$has_heard"
}
check 'the program to copy has at most 30 lines' is_short
check 'it compiles without a warning as C99' compile_without_warning "${CC:-cc}" c99
check 'its compile command works' compile
check 'it registers and hears of it' hear

# ---- the options ----

sed -n '/^typedef struct netron_options {/,/^} netron_options;/p' "$source/include/netron/options.h" |
    awk '{ gsub(/\/\*.*\*\//, "") } /\/\*/ { comment = 1 } !comment { print } /\*\// { comment = 0 }' |
    sed -n 's/^ .*[ *]\([a-z_]*\);.*/\1/p' >"$folder/members"
# shellcheck disable=SC2016 # backquotes of Markdown
awk '/^### Options/ { inside = 1 } /^## / { inside = 0 } inside' "$readme" |
    sed -n 's/^| `\([a-z_]*\)` |.*/\1/p' >"$folder/rows"
check 'the options table has all members of netron_options, in their order' same "$folder/members" "$folder/rows"
check 'there are members' test -s "$folder/members"

# ---- the keys ----

if command -v openssl >/dev/null; then
    fenced sh | grep -E '^openssl|^tail .*node' >"$folder/keys.sh"
    make_keys() {
        (cd "$folder" && sh -e keys.sh) && [ "$(cat "$folder/fleet.key" "$folder/node.key" "$folder/node.pub" | wc -c)" -eq 96 ]
    }
    # The first pair of RFC 8032, section 7.1, in the place of one that was made.
    private=9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60
    public=d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a
    hex() {
        od -A n -t x1 "$1" | tr -d ' \n'
    }
    are_raw() {
        python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' \
            "302e020100300506032b657004220420$private" >"$folder/node.der"
        (cd "$folder" && grep -v genpkey keys.sh | sh -e) &&
            [ "$(hex "$folder/node.key") $(hex "$folder/node.pub")" = "$private $public" ]
    }
    check 'its commands make keys of 32 bytes' make_keys
    check 'these are the raw keys of RFC 8032' are_raw
else
    skip 'its commands make keys' 'openssl is not here'
fi

# ---- the Redis users ----

says() {
    grep -q -F "$1" "$folder/lived"
}
beats() {
    [ "$(redis-cli EXISTS netron:discovery:heartbeat:ours)" = 1 ]
}

# What each of them can do is tried by integration/acl_test.c, from the same lines. The driver as a member takes every way there is: a repair after ten beats, a foreign node, a lost heartbeat.
live_as_user() {
    : >"$folder/lived"
    {
        await says '"link","role":2,"code":0'
        echo 'register ours 127.0.0.1:1 web 1'
        await says '"event","type":"NODE_REGISTERED"'
        sleep 2.5
        echo 'update web 2'
        await says '"event","type":"NODE_UPDATED"'
        redis-cli HSET netron:discovery:nodes:theirs address 127.0.0.1:2 services '[{"name":"web"}]' timestamp 1 >&2
        redis-cli SET netron:discovery:heartbeat:theirs 1 >&2
        redis-cli SADD netron:discovery:index:nodes theirs >&2
        printf 'find web\nactive\nis-active theirs\n'
        await says '"active","code":0'
        await says '"found","code":0'
        redis-cli DEL netron:discovery:heartbeat:ours >&2
        await beats
        echo leave
        await says '"done","what":"leave","code":0'
        await says '"event","type":"NODE_DEREGISTERED"'
    } 2>/dev/null | "$driver" "unix://netron-member:secret@$folder/redis.sock" 200 1000 >"$folder/lived"
    cat "$folder/lived"
    for line in '"link","role":1,"code":0' '"link","role":2,"code":0' '"state","state":2,"code":0' \
        '"event","type":"NODE_REGISTERED"' '"event","type":"NODE_UPDATED"' '"event","type":"NODE_DEREGISTERED"' \
        '"done","what":"update","code":0' '"done","what":"leave","code":0' '"found","code":0' '"active","code":0'; do
        grep -q -F "$line" "$folder/lived" || {
            echo "it never said $line"
            return 1
        }
    done
    redis-cli ACL LOG
    [ -z "$(redis-cli ACL LOG)" ]
}
granted() {
    fenced sh | tr ' ' '\n' | sed -n "s/^'*+\([a-z|]*\)'*$/\1/p"
}
# What a quiet connection does after ten seconds; asked of the server, where it can be asked (Redis 7).
may_ping() {
    redis-cli ACL DRYRUN netron-member PING | grep -Ex 'OK|.*unknown subcommand.*'
}
calls_of_scripts_not_granted() {
    granted >"$folder/granted"
    grep -ho "[a-z]('[A-Z]\{2,\}'" "$source"/lib/lua/*.lua | sed "s/.*('//; s/'//" |
        tr '[:upper:]' '[:lower:]' | sort -u >"$folder/called"
    [ -s "$folder/called" ] || echo 'no script calls anything'
    grep -vxF -f "$folder/granted" "$folder/called"
}
user_is_made() {
    fenced sh | sed -n '/^redis-cli ACL SETUSER/,/[^\\]$/p' >"$folder/user.sh"
    grep -c '^redis-cli ACL SETUSER' "$folder/user.sh" >"$folder/wanted"
    sh "$folder/user.sh" | grep -cx OK >"$folder/made"
    same "$folder/wanted" "$folder/made" && test -s "$folder/user.sh"
}
check 'the Redis users can be made' user_is_made
redis-cli FLUSHALL >/dev/null
redis-cli ACL LOG RESET >/dev/null
check 'it may do all that a node does' live_as_user
check 'it may ask for a sign of life' may_ping
check 'it may call all that the scripts call' empty calls_of_scripts_not_granted
done_testing
