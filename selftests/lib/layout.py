#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what a header says of a structure's layout with what pahole does.

usage: pahole -C STRUCT MODULE | layout.py HEADER STRUCT
HEADER has, in the comment before the structure, a line of text for each cache line that a member begins in:
" *	line N	MEMBER MEMBER...". A finding a line; nothing is printed if they agree.
"""
import re
import sys

LINE = 64
SAID = re.compile(r"^ \*\tline (\d+)\t(.*)$")
# NAME[N];  /* OFFSET SIZE */, with attributes between; a union's own end has no name.
MEMBER = re.compile(r"(\w+)(?:\[\d*\])*\s*(?:__attribute__\(\(.*\)\))?;\s*/\*\s+(\d+)\s+(\d+) \*/$")


def said(header, struct):
    """{member: cache line}, of the comment that ends where the structure begins"""
    before, found, _ = header.partition(f"\nstruct {struct} {{\n")
    comment = before.rpartition("/*")[2]
    lines = [SAID.match(line) for line in comment.splitlines()] if found else []
    return {name: int(line[1]) for line in lines if line for name in line[2].split()}


def seen(pahole):
    members = (MEMBER.search(line.rstrip()) for line in pahole)
    return {member[1]: int(member[2]) // LINE for member in members if member}


def main():
    path, struct = sys.argv[1:]
    with open(path, encoding="ascii") as file:
        comment = said(file.read(), struct)
    module = seen(sys.stdin)
    if not comment or not module:
        print(f"{path}: no layout of {struct} in", "the comment" if not comment else "the module")
        return
    for name in sorted({*comment, *module}, key=lambda name: (module.get(name, 0), name)):
        if comment.get(name) != module.get(name):
            print(f"{path}: {struct}: {name} is in line {module.get(name, 'none')}, "
                  f"the comment says {comment.get(name, 'nothing')}")


if __name__ == "__main__":
    main()
