#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: enter.sh SYSTEM COMMAND [ARGUMENT...]. Runs the command in the system in that folder, with the project in /src.
#
# It has the machine's devices and network, and mounts and processes of its own: when the command ends, nothing stays
# mounted, and nothing that it has started goes on. Of the environment it gets the settings of the tests and of proxies.
set -eu
project=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)

if [ "$1" != --inside ]; then
    exec unshare --mount --propagation private --pid --fork --kill-child sh "$0" --inside "$@"
fi
shift
system=$(CDPATH='' cd -- "$1" && pwd)
shift

# Whoever asks for names here asks as the machine does.
for file in /etc/resolv.conf /etc/hosts; do
    [ ! -r "$file" ] || cat "$file" >"$system$file"
done
# So that the root of this system is a mount, as roots are.
mount --bind "$system" "$system"
mount --rbind /dev "$system/dev"
mount -t proc proc "$system/proc"
mount -t sysfs sysfs "$system/sys"
mount -t tmpfs tmpfs "$system/tmp"
mount -t tmpfs tmpfs "$system/run"
mkdir -p "$system/src"
mount --bind "$project" "$system/src"

# NETRON_TEST_SERVER names a program of the machine outside.
for name in http_proxy https_proxy no_proxy $(env | sed -n 's/^\(NETRON_TEST_[A-Z_]*\)=.*/\1/p'); do
    eval "value=\${$name:-}"
    [ -z "$value" ] || [ "$name" = NETRON_TEST_SERVER ] || set -- "$name=$value" "$@"
done
cd "$system"
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 \
    chroot . sh -c 'cd /src && exec env "$@"' sh "$@" </dev/null
