#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the checks of one run of `meson test`, and prints "PASSED FAILED".

Usage: count.py BUILD_FOLDER LOGBASE SUITE...

Meson tells its result for whole programs only. Here each TAP line counts, and what no TAP line shows counts as one
failure for the program: a crash, a timeout, fewer checks than planned, none at all. So does a skipped check (unless
NETRON_TEST_ALLOW_SKIP is set), and a suite of which nothing ran. Why is told on stderr.
"""

import json
import os
import pathlib
import re
import sys

POINT = re.compile(r"^(not )?ok\b(?:[^#]*)(# *skip)?", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)")


def complain(name, what):
    print(f"{name}: {what}", file=sys.stderr)


def count_tap(name, output, result):
    passed = failed = skipped = 0
    plan = None
    for line in output.splitlines():
        if point := POINT.match(line):
            if point[1]:
                failed += 1
                complain(name, line)
            elif point[2]:
                skipped += 1
            else:
                passed += 1
        elif planned := PLAN.match(line):
            plan = int(planned[1])
    if skipped:
        complain(name, f"{skipped} skipped")
    if result not in ("OK", "SKIP") and failed == 0:
        complain(name, result)
        failed = 1
    elif plan != passed + failed + skipped:
        complain(name, f"{passed + failed + skipped} checks ran where {plan} were planned")
        failed += 1
    elif plan == 0:
        skipped = 1
        complain(name, "ran no check")
    return passed, failed, skipped


def count(name, protocol, run):
    result = run["result"]
    if protocol == "tap":
        return count_tap(name, run["stdout"], result)
    if result != "OK":
        complain(name, result)
    return int(result == "OK"), int(result not in ("OK", "SKIP")), int(result == "SKIP")


def main(folder, logbase, *suites):
    build = pathlib.Path(folder)
    known = json.loads((build / "meson-info/intro-tests.json").read_text())
    logs = list((build / "meson-logs").glob(f"{logbase}*.json"))
    runs = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    skips_are_allowed = bool(os.environ.get("NETRON_TEST_ALLOW_SKIP"))
    passed = failed = 0
    seen = set()
    for run in runs:
        # By the end of its command line, for before it there may be a wrapper.
        test = next(each for each in known if run["command"] and run["command"][-len(each["cmd"]):] == each["cmd"])
        seen.update(suite.split(":")[-1] for suite in test["suite"])
        good, bad, skipped = count(test["name"], test["protocol"], run)
        passed += good
        failed += bad + (0 if skips_are_allowed else skipped)
    for suite in suites:
        if suite not in seen:
            complain(suite, "nothing of this suite ran")
            failed += 1
    print(passed, failed)


main(*sys.argv[1:])
