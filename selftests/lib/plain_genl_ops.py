#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns generated genl_split_ops into genl_ops, which every supported kernel has.

The kernel's generator writes split operations (do and dump apart), unknown before 6.2. Here the two of
one command become one entry; its policy is that of the half that has one. Dumps get a start of their
own, and the multicast group the permission that the specification asks for, which the generator
leaves out. Reads stdin, writes stdout.
"""
import re
import sys

TABLE = re.compile(r"static const struct genl_split_ops (\w+)\[\] = \{\n(.*?)\n\};\n", re.S)
ENTRY = re.compile(r"\t\{\n(.*?)\n\t\},", re.S)
FIELD = re.compile(r"\.(\w+)\s*= (.*?),?$", re.M)
ORDER = ("cmd", "doit", "start", "dumpit", "policy", "maxattr", "flags")
TAB = 8
START = "esplane_nl_dump_start"
GROUP = re.compile(r"(\[\w+_NLGRP_\w+\] = \{ \"\w+\",) \}")


def merge(entries):
    """One dictionary per command, in the order of first appearance."""
    commands = {}
    for entry in entries:
        fields = dict(FIELD.findall(entry))
        flags = [flag for flag in fields["flags"].split(" | ") if not flag.startswith("GENL_CMD_CAP")]
        fields["flags"] = " | ".join(flags)
        merged = commands.setdefault(fields["cmd"], {})
        for name, value in fields.items():
            if merged.setdefault(name, value) != value:
                sys.exit(f"{fields['cmd']}: do and dump differ in {name}; genl_ops cannot say that")
        if "dumpit" in fields:
            merged["start"] = START
    return commands.values()


def aligned(name):
    """The designator with tabs up to the second tab stop, as in the rest of the file."""
    designator = f".{name}"
    return designator + "\t" * (2 - len(designator) // TAB)


def entry_text(fields):
    unknown = set(fields) - set(ORDER)
    if unknown:
        sys.exit(f"{fields['cmd']}: no rule for {', '.join(sorted(unknown))}")
    lines = [f"\t\t{aligned(name)}= {fields[name]}," for name in ORDER if name in fields]
    return "\t{\n" + "\n".join(lines) + "\n\t},"


def table_text(match):
    entries = merge(ENTRY.findall(match[2]))
    body = "\n".join(entry_text(fields) for fields in entries)
    return f"static const struct genl_ops {match[1]}[] = {{\n{body}\n}};\n"


source = sys.stdin.read()
source, tables = TABLE.subn(table_text, source)
if tables != 1:
    sys.exit(f"expected one table of operations, found {tables}")
# Before 6.2 a policy wants to be able to write to the range.
source = source.replace("static const struct netlink_range_validation", "static struct netlink_range_validation")
source, groups = GROUP.subn(r"\1 ESPLANE_MCGRP_FLAGS }", source)
if not groups:
    sys.exit("no multicast group found")
source = source.replace('#include "netlink_gen.h"\n', '#include "compat.h"\n#include "netlink.h"\n#include "netlink_gen.h"\n', 1)
sys.stdout.write(re.sub(r"\.(n_)?split_ops\t", lambda m: f".{m[1] or ''}ops\t\t", source))
