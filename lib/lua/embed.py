#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes Lua scripts as C data, before each what it includes, with the SHA-1 that EVALSHA knows it by.

A line "-- include FILE" takes in a file of the same folder, once.
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


def with_includes(path, taken):
    """The files that a script consists of, each behind what it needs."""
    if path in taken:
        return b""
    taken.add(path)
    source = path.read_bytes()
    needed = re.findall(rb"^-- include (\S+)$", source, re.MULTILINE)
    return b"".join(with_includes(path.parent / name.decode(), taken) for name in needed) + source


def main(output, inputs):
    parts = ["/* Made from lib/lua by embed.py. */", '#include "script_sources.h"', ""]
    for number, path in enumerate(map(pathlib.Path, inputs)):
        source = with_includes(path, set())
        digest = hashlib.sha1(source).hexdigest()
        name = path.stem
        # Bytes and not a literal: C promises room for 4095 characters only.
        parts += [f"static const char {name}_text[] = {{", as_c_bytes(source + b"\0"), "};", ""]
        parts += [f"const struct netron_script_source netron_script_source_{name} = {{"]
        parts += [f'    .text = {name}_text, .length = {len(source)}, .sha1 = "{digest}", .bit = {1 << number}', "};", ""]
    pathlib.Path(output).write_text("\n".join(parts))


main(sys.argv[1], sys.argv[2:])
