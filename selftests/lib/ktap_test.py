#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the driver counts for streams that keep their promise, and for those that do not."""
import contextlib
import io
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import ktap  # noqa: E402  (its directory is known only now)

# name, stream, exit status, (passed, failed, skipped)
CASES = (
    ("flat results", "1..2\nok 1 - one\nok 2 two\n", 0, (2, 0, 0)),
    ("a failed result", "1..2\nok 1 one\nnot ok 2 two\n", 1, (1, 1, 0)),
    ("a skipped result", "1..1\nok 1 one # SKIP no such device\n", 0, (0, 0, 1)),
    ("no plan", "ok 1 one\n", 0, (1, 1, 0)),
    ("nothing at all", "", 0, (0, 1, 0)),
    ("fewer than planned", "1..3\nok 1 one\n", 0, (1, 1, 0)),
    ("more than planned", "1..1\nok 1 one\nok 2 two\n", 0, (2, 1, 0)),
    ("a result that cmocka skips", "1..2\nnot ok 1 # SKIP one\nok 2 - two\n", 0, (1, 0, 1)),
    ("all skipped", "1..0 # SKIP needs root\n", 4, (0, 0, 1)),
    ("a bad end", "1..1\nok 1 one\n", 139, (1, 1, 0)),
    ("a bad end that was explained", "1..1\nnot ok 1 one\n", 1, (0, 1, 0)),
    ("two documents", "1..1\nok 1 one\n1..2\nok 1 one\nok 2 two\n", 0, (3, 0, 0)),
    ("a sum is not counted",
     "1..1\n    # Subtest: a\n    1..2\n    ok 1 x\n    ok 2 y\nok 1 a\n", 0, (2, 0, 0)),
    ("a failed sum of a failed part is not counted",
     "1..1\n    1..2\n    ok 1 x\n    not ok 2 y\nnot ok 1 a\n", 1, (1, 1, 0)),
    ("a failed sum of good parts is",
     "1..1\n    1..1\n    ok 1 x\nnot ok 1 a # exit=1\n", 1, (1, 1, 0)),
    ("parts fewer than planned",
     "1..2\n    1..2\n    ok 1 x\nok 1 a\n    1..1\n    ok 1 x\nok 2 b\n", 0, (2, 1, 0)),
    ("parts without a plan", "1..1\n    ok 1 x\nok 1 a\n", 0, (1, 1, 0)),
    ("a part that skips all",
     "1..1\n    # Subtest: a\n    1..0 # SKIP no module\nok 1 a # SKIP\n", 0, (0, 0, 1)),
    ("an end in the middle of a part", "1..2\n    # Subtest: a\n    1..2\n    ok 1 x\n", 0, (1, 1, 0)),
    ("three levels",
     "1..1\n    1..1\n        # Subtest: p\n        1..2\n        ok 1 x\n        ok 2 y\n"
     "    ok 1 p\nok 1 a\n", 0, (2, 0, 0)),
    ("a complaint of the guest is beside the plan",
     "1..1\nok 1 one\nnot ok vm 6.12: WARNING: at net/core\n", 1, (1, 1, 0)),
    ("talk between results", "1..1\n# hello\nhello ok\nok 1 one\n", 0, (1, 0, 0)),
)


def counted(stream, status, through=lambda tally: tally):
    tally = ktap.Tally()
    with contextlib.redirect_stdout(io.StringIO()):
        reader = ktap.Reader(through(tally), "test")
        for line in stream.splitlines():
            reader.feed(line)
        reader.finish(status)
    return tally.passed, tally.failed, tally.skipped


print(f"1..{len(CASES)}")
FAILED = 0
for number, (name, stream, status, wanted) in enumerate(CASES, 1):
    got = counted(stream, status)
    if got == wanted:
        got = counted(stream, status, ktap.Lane)
    if got != wanted:
        FAILED += 1
        print(f"# counted {got}, wanted {wanted}")
    print(f"{'ok' if got == wanted else 'not ok'} {number} {name}")
sys.exit(1 if FAILED else 0)
