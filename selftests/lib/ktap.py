# SPDX-License-Identifier: MIT
"""Reads TAP and KTAP as it is printed, and counts what it says.

A Tally is the run as a whole: it prints one flat, numbered line per result. A Reader follows one
stream, whose results may nest by four spaces a level. Only the innermost results count; a result that
sums others up counts when it fails although none of them did. What a stream promised and did not
deliver (no plan, fewer results than planned, a bad end) is a failure of its own.
"""
import re
import threading

RESULT = re.compile(r"(not ok|ok)\b(?: +(\d+))?(?: *-)? *(.*)$")
PLAN = re.compile(r"1\.\.(\d+)(?: *# *SKIP *(.*))?$")
SUBTEST = re.compile(r"# Subtest: *(.*)$")
HEADER = re.compile(r"K?TAP version \d+$")
INDENT = 4


class Tally:
    """Counts and prints the results of the whole run. Any thread."""

    def __init__(self):
        self.lock = threading.RLock()
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def _print(self, verdict, name, note=""):
        number = self.passed + self.failed + self.skipped
        print(f"{verdict} {number} {name}" + (f" # {note}" if note else ""), flush=True)

    def ok(self, name):
        with self.lock:
            self.passed += 1
            self._print("ok", name)

    def fail(self, name, why=""):
        with self.lock:
            self.failed += 1
            self.failures.append(name)
            self._print("not ok", name, why)

    def skip(self, name, why):
        with self.lock:
            self.skipped += 1
            self._print("ok", name, f"SKIP {why or 'no reason given'}")

    @staticmethod
    def say(text):
        print(f"# {text}", flush=True)

    def flush(self):
        pass


class Lane:
    """A Tally's stand-in where several streams run at once: what one says stays together until flush()."""

    def __init__(self, tally):
        self.tally = tally
        self.held = []

    def ok(self, *words):
        self.held.append((self.tally.ok, words))

    def fail(self, *words):
        self.held.append((self.tally.fail, words))

    def skip(self, *words):
        self.held.append((self.tally.skip, words))

    def say(self, *words):
        self.held.append((self.tally.say, words))

    def flush(self):
        with self.tally.lock:
            for function, words in self.held:
                function(*words)
        self.held = []


class Level:
    """The results seen so far at one depth, since the last result one level up."""

    def __init__(self):
        self.name = ""
        self.plan = None
        self.seen = 0
        self.failed = False
        self.skip_reason = None

    def shortfall(self):
        if self.plan is None:
            return "printed no plan"
        if self.seen != self.plan:
            return f"planned {self.plan}, ran {self.seen}"
        return None


class Reader:
    """Follows one stream; prefix names it in the results."""

    def __init__(self, tally, prefix):
        self.tally = tally
        self.prefix = prefix
        self.levels = [Level()]
        self.failed = False

    def _name(self, depth, text):
        names = [self.prefix] + [level.name for level in self.levels[1:depth + 1]] + [text]
        return ": ".join(name for name in names if name)

    def _fail(self, name, why=""):
        self.failed = True
        self.tally.fail(name, why)

    def feed(self, line):
        line = line.rstrip("\r\n")
        depth = (len(line) - len(line.lstrip(" "))) // INDENT
        text = line.strip()
        if HEADER.match(text):
            return
        for pattern, handle in ((SUBTEST, self._subtest), (PLAN, self._plan), (RESULT, self._result)):
            match = pattern.match(text)
            if match:
                handle(depth, *match.groups())
                return
        if text:
            self.tally.say(line.lstrip("# ") if text.startswith("#") else line)

    def _level(self, depth):
        while len(self.levels) <= depth:
            self.levels.append(Level())
        return self.levels[depth]

    def _subtest(self, depth, name):
        self._level(depth).name = name

    def _plan(self, depth, count, skip_reason):
        level = self._level(depth)
        # A program may print several documents one after the other: their plans add up.
        if level.plan is not None and level.seen == level.plan:
            level.plan += int(count)
        else:
            level.plan = int(count)
        if skip_reason is not None:
            level.skip_reason = skip_reason

    def _result(self, depth, verdict, _number, rest):
        text, note = (part.strip() for part in (rest.split(" # ", 1) + [""])[:2])
        if text.startswith("# "):
            text, note = "", text[2:]
        # cmocka's way to say that a test is skipped: "not ok 1 # SKIP name".
        if verdict == "not ok" and not text and note.startswith("SKIP "):
            verdict, text, note = "ok", note[len("SKIP "):], "SKIP the test says so"
        failed = verdict == "not ok"
        children = self.levels[depth + 1:]
        level = self._level(depth)
        # Complaints of the machine come beside the plan, not under it.
        if not (depth == 0 and failed and text.startswith("vm ")):
            level.seen += 1
        level.failed |= failed
        if children and (children[0].seen or children[0].plan is not None):
            self._close(depth, failed, text, note)
        else:
            self._leaf(depth, failed, text, note)
        del self.levels[depth + 1:]
        if depth == 0:
            self.tally.flush()

    def _leaf(self, depth, failed, text, note):
        name = self._name(depth, text)
        if failed:
            self._fail(name, note)
        elif note.upper().startswith("SKIP"):
            self.tally.skip(name, note[len("SKIP"):].strip(" :"))
        else:
            self.tally.ok(name)

    def _close(self, depth, failed, text, note):
        """A result that sums up the level below it."""
        child = self.levels[depth + 1]
        name = self._name(depth, text)
        if child.skip_reason is not None:
            self.tally.skip(name, child.skip_reason)
        elif child.shortfall():
            self._fail(name, child.shortfall())
        elif failed and not child.failed:
            self._fail(name, note)

    def finish(self, status):
        """The stream ended and its program with it, with this exit status."""
        self._finish(status)
        self.tally.flush()

    def _finish(self, status):
        level = self.levels[0]
        open_level = next((below for below in self.levels[1:] if below.seen or below.plan), None)
        if open_level:
            self._fail(self._name(0, open_level.name), "ended in the middle")
        elif level.skip_reason is not None:
            self.tally.skip(self.prefix, level.skip_reason)
            return
        elif level.shortfall():
            self._fail(self.prefix, level.shortfall())
        if status != 0 and not self.failed:
            self._fail(self.prefix, f"exit status {status}")
