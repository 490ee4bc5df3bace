#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: make.sh FOLDER SUITE ARCHITECTURE [FOREIGN [PACKAGE...]]. Makes the smallest system of Debian in that folder, from
# the mirror that this machine's own packages come from, and puts the packages into it; they may be of the FOREIGN
# architecture, too. Needs root.
#
# A system that is there is kept if it is whole, and made anew if not. Says what it does. Exits with 3, and the reason on
# descriptor 3, where none can be made: without root, mounts, or the mirror.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
project=${here%/test/platform}
made="$*" folder=$1 suite=$2 architecture=$3 foreign=${4:-}
[ $# -lt 4 ] || shift
shift 3
packages=$*
made=${made#"$folder "}
unfinished=$folder.unfinished
log=$folder.log

cannot() {
    echo "$*" >&3
    exit 3
}

# ---- is it there ----

# What dpkg has to say against its packages. Files may be configured, and documentation is left out.
complaints() {
    sh "$here/enter.sh" "$folder" sh -c \
        'dpkg --audit && { dpkg --verify || true; } | grep -vE "^[^ ]+ +c /|^missing +/usr/share/(doc|man|locale)/"; true'
}

is_whole() {
    [ "$(cat "$folder/made" 2>/dev/null)" = "$made" ] || {
        echo "it was not finished"
        return 1
    }
    found=$(complaints 2>&1) || found="it cannot be entered: $found"
    [ -z "$found" ] || {
        printf '%s\n' "$found" | head -n 20
        return 1
    }
}

# Nothing is mounted there unless somebody did it by hand: then this stops, rather than to empty what is mounted.
take_away() {
    rm -rf --one-file-system "$@"
}

# ---- how it is made ----

# The mirror of this machine's own release, whichever of the two formats apt was told it in.
own_mirror() {
    release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    {
        awk 'BEGIN { RS = ""; FS = "\n" }
            !/(^|\n)Enabled: *no/ {
                uri = suites = ""
                for (i = 1; i <= NF; i++) {
                    if (sub(/^URIs: */, "", $i)) { uri = $i; sub(/ .*/, "", uri) }
                    if (sub(/^Suites: */, "", $i)) suites = $i
                }
                count = split(suites, suite, / +/)
                for (i = 1; i <= count; i++) print uri, suite[i]
            }' /dev/null /etc/apt/sources.list.d/*.sources 2>/dev/null
        sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\)  *\([^ ]*\) .*/\2 \3/p' \
            /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null
    } | awk -v release="$release" '$2 == release && $1 ~ /^https?:/ { print $1; exit }'
}

use_proxy_of_apt() {
    proxy=
    eval "$(apt-config shell proxy Acquire::http::Proxy 2>/dev/null)"
    [ -z "$proxy" ] || [ -n "${http_proxy:-}" ] || export http_proxy="$proxy"
}

has_devices() {
    mknod "$unfinished/null" c 1 3 && : >"$unfinished/null"
}

look_around() {
    [ "$(id -u)" -eq 0 ] || cannot "only root can make it"
    unshare --mount --propagation private --pid --fork mount -t tmpfs tmpfs /tmp 2>/dev/null ||
        cannot "unshare cannot give it mounts and processes of its own"
    mirror=$(own_mirror)
    [ -n "$mirror" ] || cannot "this machine names no mirror of its release to apt"
    sh "$project/examples/prepare.sh" debootstrap || cannot "debootstrap cannot be installed"
    use_proxy_of_apt
    wget -q --tries=3 --timeout=20 -O /dev/null "$mirror/dists/$suite/InRelease" ||
        cannot "the mirror of this machine cannot be reached, or has no $suite"
    { take_away "$unfinished" && mkdir -p "$unfinished" && has_devices; } 2>/dev/null ||
        cannot "devices cannot be made in $(dirname "$folder")"
}

# What debootstrap mounts, it mounts for itself; the first process among its own, it does not hear a TERM. Then what makes the system quick to fill, and what it is filled with.
install() {
    take_away "$unfinished" || return 1
    timeout -k 10 1200 unshare --mount --propagation private --pid --fork --kill-child debootstrap --variant=minbase \
        --include=ca-certificates "--arch=$architecture" "$suite" "$unfinished" "$mirror" >"$log" 2>&1 || return 1
    printf '%s\n' force-unsafe-io 'path-exclude=/usr/share/doc/*' 'path-exclude=/usr/share/man/*' \
        'path-exclude=/usr/share/locale/*' >"$unfinished/etc/dpkg/dpkg.cfg.d/netron"
    printf '%s\n' '#!/bin/sh' 'exit 101' >"$unfinished/usr/sbin/policy-rc.d"
    chmod 755 "$unfinished/usr/sbin/policy-rc.d"
    echo 'APT::Keep-Downloaded-Packages "false";' >"$unfinished/etc/apt/apt.conf.d/netron"
    rm -f "$unfinished"/var/cache/apt/archives/*.deb
    [ -z "$foreign" ] || chroot "$unfinished" dpkg --add-architecture "$foreign" || return 1
    [ -z "$packages" ] || sh "$here/enter.sh" "$unfinished" sh -c "apt-get -q update &&
        DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $packages" \
        >>"$log" 2>&1
}

make() {
    # A mirror may have a bad moment; two in a row are a failure.
    install || {
        chroot "$unfinished" /bin/true 2>/dev/null
        [ $? -ne 126 ] || cannot "this machine runs no programs for $architecture"
        install || {
            tail -n 20 "$log" "$unfinished/debootstrap/debootstrap.log" 2>/dev/null
            echo "that failed; what was said stands above, and in $log"
            exit 1
        }
    }
    echo "$made" >"$unfinished/made"
    mv "$unfinished" "$folder"
}

if [ -e "$folder" ]; then
    why=$(is_whole) && echo "The system in $folder is whole" && exit 0
    printf 'The system in %s is not whole:\n%s\n' "$folder" "$why"
fi
look_around
echo "Making $suite for $architecture in $folder"
take_away "$folder" && make
