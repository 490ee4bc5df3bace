#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tells what of lib/ the tests in a build folder have reached, by gcovr, and judges it.

Usage: coverage.py BUILD_FOLDER

Nothing of lib/ is left out of the count, no branch either. The last line counts the checks, "N passed, M failed":
enough lines, enough branches, all files, and that each function with a line that no test reaches stands in
lib/README.md, in the table of "What no test reaches", with the reason.
"""

import json
import pathlib
import re
import subprocess
import sys

LINES_MIN = 90
BRANCHES_MIN = 75

here = pathlib.Path(__file__).resolve().parent.parent


def explained():
    """The functions that the table names, as (file, function): `file.c`: `one`, `other`."""
    text = (here / "lib/README.md").read_text()
    found = re.search(r"^## What no test reaches\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    pairs = set()
    for row in re.findall(r"^\| *`([^`]+\.c)`:([^|]*)\|", found[1] if found else "", re.MULTILINE):
        pairs |= {(row[0], function) for function in re.findall(r"`([^`]+)`", row[1])}
    return pairs


def function_of(file, number):
    """Where gcovr says no function for a line, it is the last one that begins before it."""
    before = [each for each in file["functions"] if each["lineno"] <= number]
    return max(before, key=lambda each: each["lineno"])["name"] if before else "?"


def built(names, counted):
    """What of these files this build has: of feature.c and feature_absent.c it is one."""
    pairs = {(name.replace("_absent.c", ".c"), name) for name in names if name.endswith("_absent.c")}
    return names - {there if absent in counted else absent for there, absent in pairs}


def percent(part, whole):
    return 100 * part / whole if whole else 100


def measured(build):
    command = ["gcovr", "--root", here, "--filter", f"{here}/lib/", "--json", "-", pathlib.Path(build).resolve()]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=here).stdout)["files"]


def tell(what, lines, branches, functions):
    shares = [f"{part:6} of {whole:4} {percent(part, whole):3.0f} %" for part, whole in (lines, branches)]
    print(f"{what:26}{shares[0]}{shares[1]}   {' '.join(sorted(set(functions)))}".rstrip())


def main(build):
    files = [file for file in measured(build) if file["lines"]]
    reasons = explained()
    missing = set()
    excluded = []
    lines = reached = branches = taken = 0
    print(f"{'':26}{'lines':>20}{'branches':>20}   not reached")
    for file in sorted(files, key=lambda each: each["file"]):
        code = [line for line in file["lines"] if not line.get("gcovr/noncode")]
        excluded += [(file["file"], line["line_number"]) for line in file["lines"] if line.get("gcovr/excluded")]
        ways = [branch for line in code for branch in line["branches"]]
        unreached = [line["line_number"] for line in code if line["count"] == 0]
        went = sum(branch["count"] > 0 for branch in ways)
        functions = [function_of(file, number) for number in unreached]
        missing |= {(pathlib.Path(file["file"]).name, name) for name in functions}
        lines += len(code)
        reached += len(code) - len(unreached)
        branches += len(ways)
        taken += went
        tell(file["file"], (len(code) - len(unreached), len(code)), (went, len(ways)), functions)
    tell("all", (reached, lines), (taken, branches), [])

    counted = {file["file"] for file in files}
    unknown = sorted(missing - reasons)
    checks = [
        (percent(reached, lines) >= LINES_MIN,
         f"{percent(reached, lines):.1f} % of the lines, {LINES_MIN} % are wanted"),
        (percent(taken, branches) >= BRANCHES_MIN,
         f"{percent(taken, branches):.1f} % of the branches, {BRANCHES_MIN} % are wanted"),
        (built({f"lib/{file.name}" for file in (here / "lib").glob("*.c")}, counted) <= counted and not excluded,
         "all files of lib/ are counted, and all that is in them"),
        (not unknown, "what no test reaches is explained in lib/README.md" +
         "".join(f"\n    but not {file}: {function}" for file, function in unknown)),
    ]
    for passed, what in checks:
        print(f"{'ok' if passed else '!! not ok'} - {what}")
    for file, function in sorted(reasons - missing):
        print(f"in the table of lib/README.md, but nothing of it was missed this time: {file}: {function}")
    good = sum(passed for passed, _ in checks)
    print(f"{good} passed, {len(checks) - good} failed")
    sys.exit(good < len(checks))


main(*sys.argv[1:])
