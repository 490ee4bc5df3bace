#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes Lua scripts as C data, with the SHA-1 that EVALSHA knows each by.

A line "-- include FILE" takes in a file of the same folder, in its place.
"""

import hashlib
import pathlib
import re
import sys


def as_c_bytes(data):
    lines = []
    for start in range(0, len(data), 20):
        lines.append("    " + ", ".join(str(byte) for byte in data[start : start + 20]) + ",")
    return "\n".join(lines)


def with_includes(path):
    """A file, and in the place of each line that names another the lines of that one."""
    return re.sub(
        rb"^ *-- include (\S+)\n",
        lambda line: with_includes(path.parent / line[1].decode()),
        path.read_bytes(),
        flags=re.MULTILINE,
    )


def main(output, inputs):
    parts = ["/* Made from lib/lua by embed.py. */", '#include "script_sources.h"', ""]
    for number, path in enumerate(map(pathlib.Path, inputs)):
        source = with_includes(path)
        digest = hashlib.sha1(source).hexdigest()
        name = path.stem
        # Bytes and not a literal: C promises room for 4095 characters only.
        parts += [f"static const char {name}_text[] = {{", as_c_bytes(source + b"\0"), "};", ""]
        parts += [f"const struct netron_script_source netron_script_source_{name} = {{"]
        parts += [f'    .text = {name}_text, .length = {len(source)}, .sha1 = "{digest}", .bit = {1 << number}', "};", ""]
    pathlib.Path(output).write_text("\n".join(parts))


main(sys.argv[1], sys.argv[2:])
