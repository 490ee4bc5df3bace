#!/bin/sh
# SPDX-License-Identifier: MIT
# Usage: beat.sh PROGRAM. Counts the client's instructions by callgrind, in runs of two lengths, so that whatever happens
# once falls out; asks Redis for its time in runs without callgrind, of which the best counts.
set -eu
program=$1
few=450
many=1350
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

command -v valgrind >/dev/null || {
    echo 'valgrind is not installed'
    exit 77
}

# value FILE NAME: what the program said of it.
value() {
    awk -v name="$2" '$1 == name { print $2 }' "$1"
}

# count MODE FUNCTION NAME: instructions inside the function for each NAME that happened.
count() {
    for beats in $few $many; do
        valgrind --tool=callgrind --trace-children=no --toggle-collect="$2" \
            --callgrind-out-file="$folder/$beats.%p" "$program" "$1" "$beats" >"$folder/said.$beats" 2>"$folder/log" || {
            cat "$folder/log" >&2
            exit 1
        }
        sed -n 's/.*Collected : *//p' "$folder/log" | tail -n 1 >"$folder/instructions.$beats"
    done
    awk -v few="$(cat "$folder/instructions.$few")" -v many="$(cat "$folder/instructions.$many")" \
        -v low="$(value "$folder/said.$few" "$3")" -v high="$(value "$folder/said.$many" "$3")" \
        'BEGIN { if (high <= low || many <= few) exit 1; printf "%.1f\n", (many - few) / (high - low) }'
}

# best MODE NAME: the least of several runs.
best() {
    for _ in 1 2 3; do
        "$program" "$1" 1000 >"$folder/run"
        value "$folder/run" "$2"
    done | sort -n | head -n 1
}

# tell WHAT MEASURED LIMIT UNIT TARGET: TARGET is a ratio, or "-".
tell() {
    awk -v what="$1" -v measured="$2" -v limit="$3" -v unit="$4" -v target="$5" 'BEGIN {
        ratio = measured / limit
        met = target == "-" ? "-" : (ratio <= target ? "yes" : "NO")
        printf "%-44s %12s %12s %-6s %7.2f  %-8s %s\n", what, measured, limit, unit, ratio,
            target == "-" ? "-" : "<= " target, met }'
}

bare=$(count bare turn_of_beat beats)
beat=$(count netron turn_of_beat beats)
repair=$(count netron turn_of_repair repairs)
average=$(awk -v beat="$beat" -v repair="$repair" 'BEGIN { printf "%.1f\n", (9 * beat + repair) / 10 }')
bare_us=$(best bare getex_us)
beat_us=$(best netron getex_us)
repair_us=$(best netron repair_us)
average_us=$(awk -v beat="$beat_us" -v repair="$repair_us" 'BEGIN { printf "%.2f\n", (9 * beat + repair) / 10 }')

echo 'measured: a beat of one registration (one GETEX; every tenth is a call of the register script)'
echo 'limit:    a timer and a GETEX in a loop of hiredis and libevent'
printf '%-44s %12s %12s %-6s %7s  %-8s %s\n' what measured limit unit ratio target met
tell 'client, a beat' "$beat" "$bare" instr 1.3
tell 'client, the tenth beat' "$repair" "$bare" instr -
tell 'client, on average' "$average" "$bare" instr -
tell 'Redis, a beat' "$beat_us" "$bare_us" us 1.3
tell 'Redis, the tenth beat' "$repair_us" "$bare_us" us -
tell 'Redis, on average' "$average_us" "$bare_us" us -
