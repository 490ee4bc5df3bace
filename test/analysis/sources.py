#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the sources that Meson compiles and did not write itself, as paths in the project.

Usage: sources.py BUILD_FOLDER, in the project's folder.
"""

import json
import os
import sys

build = os.path.abspath(sys.argv[1])
with open(f"{build}/compile_commands.json") as file:
    sources = {os.path.normpath(os.path.join(each["directory"], each["file"])) for each in json.load(file)}
for source in sorted(sources):
    if not source.startswith(f"{build}/"):
        print(os.path.relpath(source))
