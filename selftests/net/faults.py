#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lets every allocation that a request takes fail, one after another, and judges what is left.

usage: faults.py ROW...      a row is "NAME | REQUEST | UNDO"
       faults.py --namespace N   the last N allocations of making a network namespace

REQUEST and UNDO are written as for genl.py, or are "link-add NAME IF_ID" and "link-del NAME". In them
@sa and @policy stand for the highest ID there is, and descriptor 104 is a UDP socket of port 4501. A row
without NAME is only done.

A request is done once, and undone, to see how all SAs, policies, defaults and interfaces are before
and after. Then /proc/self/fail-nth has its first allocation fail, its second, and so on until it makes
no more. Refused, it must have left all as it was before; granted, all must be as after, with as many
replies, and where they do not change by themselves with the same. Where even the answer finds no memory
(ENOBUFS) it is the one or the other, and nothing between.
UNDO is tried if it was done; where that does not show, always, and it must fail if it was not, unless
it begins with "~".

One line a row: "ok NAME: ..." or "not ok NAME: ...". Failing allocations may be anybody's on the way: the
kernel's own netlink, crypto and device code is in it as well.
"""
import ctypes
import errno
import os
import socket
import struct
import sys

import genl

NETLINK_ROUTE = 0
RTM_NEWLINK, RTM_DELLINK = 16, 17
NLM_F_CREATE_EXCL = 0x600
IFLA_IFNAME, IFLA_LINKINFO, IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_ESPLANE_IF_ID = 3, 18, 1, 2, 1
CLONE_NEWNET = 0x40000000
OUT_OF_MEMORY = (errno.ENOMEM, errno.ENOBUFS)
# Whose replies are always the same.
CONSTANT = ("caps-get", "spd-get")
# What no request makes that many allocations of.
MANY = 5000
LOST = "lost"
VOLATILE = {"sa": ("id", "age", "idle"), "policy": ("id", "packets")}
MADE_WHEN_NEEDED = "esplane0"


class Route(genl.Socket):
    """The same for interfaces, by rtnetlink."""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.seq = 0
        self.open(NETLINK_ROUTE)

    def link(self, verb, name, if_id="0"):
        payload = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + genl.attribute(IFLA_IFNAME, name.encode() + b"\0")
        if verb == "link-del":
            return self.pack(RTM_DELLINK, payload)
        data = genl.attribute(IFLA_ESPLANE_IF_ID, struct.pack("=I", int(if_id)))
        payload += genl.attribute(IFLA_LINKINFO, genl.attribute(IFLA_INFO_KIND, b"esplane\0") +
                                  genl.attribute(IFLA_INFO_DATA, data))
        return self.pack(RTM_NEWLINK, payload, NLM_F_CREATE_EXCL)


class Faults:
    """Makes the Nth allocation of this thread fail."""

    def __init__(self):
        self.file = os.open("/proc/thread-self/fail-nth", os.O_RDWR)

    def run(self, nth, function, *arguments):
        """What function returns, or the number of its error; and whether it came to the Nth."""
        os.pwrite(self.file, b"%d" % nth, 0)
        try:
            result = function(*arguments)
        except OSError as error:
            result = error.errno
        left = int(os.pread(self.file, 16, 0))
        os.pwrite(self.file, b"0", 0)
        return result, left == 0, nth - left


class Judge:
    def __init__(self):
        self.faults = Faults()
        self.genl = genl.Socket()
        self.route = Route()
        self.highest = {"sa": 0, "policy": 0}

    def entries(self, kind):
        """All SAs or policies without what changes by itself; notes the highest ID."""
        names = [attr["name"] for attr in self.genl.spec.sets[kind]]
        volatile = {names.index(name) + 1 for name in VOLATILE[kind]}
        number = names.index("id") + 1
        found = []
        self.highest[kind] = 0
        for reply in self.ask(f"{kind}-get,dump"):
            attrs = list(genl.attributes(reply))
            self.highest[kind] = max(self.highest[kind],
                                     struct.unpack("=I", dict(attrs)[number])[0])
            found.append(tuple(attr for attr in attrs if attr[0] not in volatile))
        return sorted(found)

    def ask(self, request):
        code, replies = self.perform(request, 0)[:2]
        if code:
            sys.exit(f"not ok {request}: {errno.errorcode.get(code, code)} without any fault")
        return replies

    def state(self):
        links = {name for _, name in socket.if_nameindex()} - {MADE_WHEN_NEEDED}
        return [self.entries("sa"), self.entries("policy"), self.ask("spd-get"), sorted(links)]

    def perform(self, request, nth):
        """Errno or LOST, the replies, whether the Nth allocation came to pass."""
        for kind, number in self.highest.items():
            request = request.replace("@" + kind, str(number))
        if request.startswith("link-"):
            sock, message = self.route, self.route.link(*request.split())
        else:
            sock, (command, payload, flags, _) = self.genl, self.genl.encode(request)
            message = sock.message(sock.family, command, payload, flags)
        sent, hit, _ = self.faults.run(nth, sock.sock.send, message)
        if sent != len(message):
            return sent, [], hit
        try:
            return (*sock.receive()[:2], hit)
        except OSError as error:
            return (LOST if error.errno == errno.ENOBUFS else error.errno), [], hit

    def undo(self, undo, outcome, done):
        """Empty, or what is wrong."""
        if not undo or done is False:
            return ""
        code = self.perform(undo.lstrip("~"), 0)[0]
        if done is None and (outcome == LOST or undo.startswith("~")):
            return ""
        if outcome == 0 and code:
            return f"{undo}: {errno.errorcode.get(code, code)}, though it was granted"
        if outcome != 0 and done is None and not code:
            return f"{undo} works, though it was refused"
        return ""

    def one(self, request, undo, nth, before, after, expected):
        """Whether the Nth came to pass, what came of the request, and what is wrong."""
        outcome, replies, hit = self.perform(request, nth)
        now = self.state()
        right = {0: [after], LOST: [before, after]}.get(outcome, [before])
        if now not in right:
            return hit, outcome, f"outcome {outcome}, but {difference(now, right[-1])}"
        if outcome == 0 and (len(replies) != len(expected) or
                             (request in CONSTANT and replies != expected)):
            return hit, outcome, "granted, but not with the whole reply"
        # What the core says of interfaces is its own.
        if outcome not in (0, LOST, *OUT_OF_MEMORY) and not request.startswith("link-"):
            return hit, outcome, f"refused with {errno.errorcode.get(outcome, outcome)}"
        wrong = self.undo(undo, outcome, None if before == after else now == after)
        if not wrong and self.state() != before:
            wrong = f"cannot be undone: {difference(self.state(), before)}"
        return hit, outcome, wrong

    def row(self, name, request, undo):
        before = self.state()
        replies = self.ask(request)
        after = self.state()
        if undo:
            self.ask(undo.lstrip("~"))
        if self.state() != before:
            return f"not ok {name}: {undo} does not undo it"
        refusals = 0
        for nth in range(1, MANY):
            hit, outcome, wrong = self.one(request, undo, nth, before, after, replies)
            if wrong:
                return f"not ok {name}: allocation {nth}: {wrong}"
            refusals += outcome != 0
            if not hit:
                return judge_count(name, nth - 1, refusals, outcome)
        return f"not ok {name}: no end of allocations"


def judge_count(name, allocations, refusals, outcome):
    verdict = "ok" if outcome == 0 and allocations and refusals else "not ok"
    return f"{verdict} {name}: {allocations} allocations, {refusals} refusals"


def difference(now, right):
    """For people: what there is on one side alone."""
    parts = []
    for kind, here, there in zip(("SAs", "policies", "defaults", "interfaces"), now, right):
        if here != there:
            parts.append(f"{kind}: {len(here)} for {len(there)}")
    return ", ".join(parts)


def namespaces(count):
    """The module is the last to hear of a new one: the last allocations are its own and the next ones'."""
    faults = Faults()
    libc = ctypes.CDLL(None, use_errno=True)

    def unshare():
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        return 0

    taken = faults.run(1 << 30, unshare)[2]
    refusals = 0
    for nth in range(taken, max(taken - count, 0), -1):
        outcome = faults.run(nth, unshare)[0]
        if outcome not in (0, errno.ENOMEM, errno.ENOBUFS):
            return f"not ok a namespace is made: allocation {nth}: {errno.errorcode.get(outcome, outcome)}"
        refusals += outcome != 0
    return judge_count("a namespace is made", min(taken, count), refusals, 0)


def main():
    if sys.argv[1] == "--namespace":
        print(namespaces(int(sys.argv[2])), flush=True)
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("0.0.0.0", 4501))
        os.dup2(udp.fileno(), 104)
    judge = Judge()
    for row in sys.argv[1:]:
        name, request, undo = (part.strip() for part in row.split("|"))
        if name:
            print(judge.row(name, request, undo), flush=True)
        else:
            judge.state()
            judge.ask(request)


main()
