# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For the scripts beside it: checks told as TAP. A script ends with done_testing.
count=0

# check WHAT COMMAND...: the check passes when the command does; what a failing one says is shown.
check() {
    what=$1
    shift
    count=$((count + 1))
    if said=$("$@" 2>&1); then
        echo "ok $count - $what"
    else
        echo "not ok $count - $what"
        printf '%s\n' "$said" | sed 's/^/# /'
    fi
}

# skip WHAT WHY
skip() {
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

# empty COMMAND...: passes when the command says nothing.
empty() {
    found=$("$@" 2>&1 || true)
    [ -z "$found" ] || {
        printf '%s\n' "$found"
        return 1
    }
}

# same FILE FILE
same() {
    diff -u "$1" "$2"
}

done_testing() {
    echo "1..$count"
}
