#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names addresses of a module that is no longer loaded, in a kernel's report.

usage: resolve.py KALLSYMS <REPORT
KALLSYMS holds the module's lines of /proc/kallsyms from before it was unloaded.
"""
import bisect
import re
import sys

ADDRESS = re.compile(r"0x([0-9a-f]{16})\b")
# No function is that long: what lies further behind a symbol belongs to something else.
FURTHEST = 0x10000


def load(path):
    with open(path, encoding="ascii", errors="replace") as lines:
        fields = (line.split() for line in lines)
        return sorted((int(field[0], 16), field[2]) for field in fields if len(field) > 2)


symbols = load(sys.argv[1])
starts = [address for address, _ in symbols]


def name(match):
    address = int(match[1], 16)
    index = bisect.bisect_right(starts, address) - 1
    if index < 0 or address - starts[index] > FURTHEST:
        return match[0]
    return f"{symbols[index][1]}+{address - starts[index]:#x} [esplane]"


for line in sys.stdin:
    sys.stdout.write(ADDRESS.sub(name, line))
