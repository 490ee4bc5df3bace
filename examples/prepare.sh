#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs what is missing to build and try this project on Debian 12 or 13 (and its kin).
#
#     sh examples/prepare.sh [PACKAGE...]        packages on top of the ones named below
#
# When nothing is missing it changes nothing and needs no network. Redis is installed as a program, not started as a
# service.
set -eu

packages="gcc libc6-dev meson ninja-build pkg-config python3 redis-server redis-tools
    libhiredis-dev libevent-dev libjansson-dev uthash-dev $*"

policy=/usr/sbin/policy-rc.d # what asks Debian not to start services while packages are installed
made_policy=no
log=

fail() {
    echo "prepare: $*" >&2
    exit 1
}

# A program or library may well come from elsewhere than its Debian package.
is_there() {
    case $1 in
    gcc | g++ | clang | meson | pkg-config | python3 | redis-server | valgrind | npm) command -v "$1" ;;
    ninja-build) command -v ninja || command -v ninja-build ;;
    redis-tools) command -v redis-cli ;;
    nodejs) command -v node ;;
    libhiredis-dev) pkg-config --exists hiredis ;;
    libevent-dev) pkg-config --exists libevent_core libevent_extra ;;
    libjansson-dev) pkg-config --exists jansson ;;
    check) pkg-config --exists check ;;
    libc6-dev) test -e /usr/include/stdio.h ;;
    uthash-dev) test -e /usr/include/uthash.h || test -e /usr/local/include/uthash.h ;;
    *) test "$(dpkg-query -W -f '${Status}' "$1")" = 'install ok installed' ;;
    esac >/dev/null 2>&1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        fail "apt-get $1 failed; what it said stands above"
    }
}

# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
    [ "$made_policy" = no ] || as_root rm -f "$policy"
    [ -z "$log" ] || rm -f "$log"
}

missing=
for package in $packages; do
    is_there "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null 2>&1 ||
    fail "missing:$missing (names of Debian packages). There is no apt-get here: please install them in your way."
[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1 ||
    fail "missing:$missing. Installing them needs root: run this as root once, or install sudo."

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
log=$(mktemp)
echo "Installing with apt-get:$missing"
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
fi
apt update
# shellcheck disable=SC2086 # a list of names
apt install --no-install-recommends $missing

for package in $missing; do
    is_there "$package" || fail "$package was installed, but is still not to be found"
done
