#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every test that user/tests/attacks.md names exists and is run, and no class of attack is without one."""
import pathlib
import re
import sys

TREE = pathlib.Path(__file__).resolve().parents[2]
TABLE = TREE / "user/tests/attacks.md"
CLASSES = 11
ROW = re.compile(r"\| (\d+) \| ([^|]+) \| ([^|]+) \|")
NAME = re.compile(r"`([^`:]+):([^`]+)`")


def is_run(program, function):
    """Does what is named stand in a list of tests that somebody runs?"""
    if program == "interop":
        return (TREE / "selftests/interop" / function).is_file()
    if program == "sim":
        return f'"{function}"' in (TREE / "user/sim/main.c").read_text(encoding="utf-8")
    path = TREE / f"user/tests/{program}.c"
    return path.is_file() and re.search(rf"cmocka_unit_test(_setup\w*)?\({function}\b",
                                        path.read_text(encoding="utf-8")) is not None


def main():
    rows = ROW.findall(TABLE.read_text(encoding="utf-8"))
    failed = 0
    print(f"TAP version 13\n1..{CLASSES}")
    for number in range(1, CLASSES + 1):
        named = [name for row in rows if int(row[0]) == number for name in NAME.findall(row[2])]
        missing = [":".join(name) for name in named if not is_run(*name)]
        empty = [row[1] for row in rows if int(row[0]) == number and not NAME.findall(row[2])]
        failed += not named or bool(missing) or bool(empty)
        for text in [f"no such test: {name}" for name in missing] + \
                [f"without a test: {attack}" for attack in empty]:
            print(f"# {text}")
        print("not ok" if not named or missing or empty else "ok", number,
              f"class {number}: {len(named)} tests")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
