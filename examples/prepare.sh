#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs what is missing to build and try this project on Debian 12 or 13 (and its kin).
#
#     sh examples/prepare.sh [PACKAGE...]        packages on top of the ones named below
#
# When nothing is missing it changes nothing and needs no network. Redis is installed as a program, not started as a
# service. A package that this release of Debian does not have (valkey-server, in Debian 12) comes from its backports.
set -eu

packages="gcc libc6-dev meson ninja-build pkg-config python3 redis-server redis-tools
    libhiredis-dev libevent-dev libjansson-dev uthash-dev $*"

policy=/usr/sbin/policy-rc.d # what asks Debian not to start services while packages are installed
made_policy=no
folder=
log=
has_other_lists=no # what apt knows is what the backports have

fail() {
    echo "prepare: $*" >&2
    exit 1
}

# A program or library may well come from elsewhere than its Debian package.
is_there() {
    case $1 in
    gcc | g++ | clang | clang-tidy | cppcheck | gcovr | meson | npm | pkg-config | python3 | redis-server | shellcheck | \
        valgrind | valkey-server) command -v "$1" ;;
    ninja-build) command -v ninja || command -v ninja-build ;;
    redis-tools) command -v redis-cli ;;
    nodejs) command -v node ;;
    libhiredis-dev) pkg-config --exists hiredis ;;
    libevent-dev) pkg-config --exists libevent_core libevent_extra ;;
    libjansson-dev) pkg-config --exists jansson ;;
    libssl-dev) pkg-config --exists libcrypto ;;
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

try_apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" >"$log" 2>&1
}

# A mirror may have a bad moment, or be changing just now; two in a row are a failure.
apt() {
    try_apt "$@" || { sleep 10 && try_apt "$@"; } || {
        cat "$log" >&2
        fail "apt-get $1 failed; what it said stands above"
    }
}

# shellcheck disable=SC2317,SC2329 # called by the trap
clean_up() {
    [ "$has_other_lists" = no ] || as_root apt-get -q update >/dev/null 2>&1 || true
    [ "$made_policy" = no ] || as_root rm -f "$policy"
    [ -z "$folder" ] || rm -rf "$folder"
}

# What of these packages no suite of this machine has.
unknown_of() {
    for package in "$@"; do
        apt-cache policy "$package" | grep -q 'Candidate: [^(]' || printf ' %s' "$package"
    done
}

# The machine's own entry for its release, with the name of the release's backports put into a copy of it: in the format
# of *.sources, or else in that of *.list. Prints the name of the copy.
copy_entry_for_backports() {
    awk -v suite="$1" 'BEGIN { RS = "" }
        !/(^|\n)Enabled: *no/ && match($0, "(^|\n)Suites:[^\n]*") {
            found = substr($0, RSTART, RLENGTH)
            if (found !~ "[ :]" suite "( |$)")
                next
            sub("(^|\n)Suites:[^\n]*", (found ~ /^\n/ ? "\n" : "") "Suites: " suite "-backports")
            print
            exit
        }' /dev/null /etc/apt/sources.list.d/*.sources 2>/dev/null |
        grep -v '^#' >"$folder/backports.sources" && echo "$folder/backports.sources" && return
    grep -h "^deb .* $1 " /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1 |
        sed "s/ $1 / $1-backports /" >"$folder/backports.list"
    [ -s "$folder/backports.list" ] && echo "$folder/backports.list"
}

# What the machine knows of its suites is afterwards as it was.
install_from_backports() {
    release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    entry=$(copy_entry_for_backports "$release") || fail "no suite of this machine has: $*"
    echo "From $release-backports: $*"
    has_other_lists=yes
    apt update -o "Dir::Etc::sourcelist=$entry"
    apt install -o "Dir::Etc::sourcelist=$entry" -t "$release-backports" --no-install-recommends "$@"
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
folder=$(mktemp -d)
log=$folder/log
echo "Installing with apt-get:$missing"
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
fi
apt update
# shellcheck disable=SC2086 # a list of names
unknown=$(unknown_of $missing)
for package in $missing; do
    case "$unknown " in
    *" $package "*) ;;
    *) known="${known:-} $package" ;;
    esac
done
# shellcheck disable=SC2086 # lists of names
{
    [ -z "${known:-}" ] || apt install --no-install-recommends $known
    [ -z "$unknown" ] || install_from_backports $unknown
}

for package in $missing; do
    is_there "$package" || fail "$package was installed, but is still not to be found"
done
