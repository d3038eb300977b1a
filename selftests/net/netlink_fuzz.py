#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Requests at random, by the spec and against it, to the genetlink family for a while, and to rtnetlink for
interfaces of kind esplane (link_fuzz.py).

usage: netlink_fuzz.py SECONDS SEED

A message is a tree of attributes that the spec knows, with values that matter or do not; or such a tree
with something wrong: bytes turned, lengths that lie, attributes doubled, swapped, cut off, nested too
deep, of no known number; or several messages at once; or a dump that nobody reads to its end. SAs and
policies pile up to some hundreds and are flushed.

Prints how many messages got through, how many were granted, of those for interfaces too, and the errors by
number. The exit status is not 0 if something is not answered that had to be, or an answer is not well formed.
"""
import collections
import errno
import random
import socket
import struct
import sys
import time

import genl
import link_fuzz

NLM_FLAGS = (1, 4, 8, 0x10, 0x100, 0x200, 0x400, 0x800)
U32 = (0, 1, 2, 3, 4, 7, 20, 64, 255, 256, 4096, 4500, 65535, 65536, 1 << 31, (1 << 32) - 1)
U64 = (0, 1, 2, 5, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 63, (1 << 64) - 1)
ADDRESSES = (b"\x7f\0\0\1", b"\x7f\0\0\2", b"\xc0\0\2\1", b"\0\0\0\0", b"\xff\xff\xff\xff",
             bytes(15) + b"\1", b"\xfe\x80" + bytes(13) + b"\1", b"\xff" * 16, bytes(16))
# Encryption, integrity, bytes of key material: right ones, that SAs are made at all (RFC 8221).
TRANSFORMS = ((20, 0, 20), (20, 0, 36), (18, 0, 20), (28, 0, 36), (12, 12, 48), (11, 12, 32), (21, 0, 20))
LARGEST = 60000
KEPT = 400		# SAs or policies, then they are flushed
LEAST = 250		# messages, also where a second is short
LINKS_ONE_IN = 8	# each that goes waits for what might still use it
FLUSH = ("sa-flush", "policy-flush")
NESTED = 0x8000


class Generator:
    """Trees of attributes from a seed alone."""

    def __init__(self, spec, rnd):
        self.spec, self.rnd = spec, rnd
        self.names = list(spec.operations)

    def chance(self, one_in):
        return self.rnd.randrange(one_in) == 0

    def number(self, values, top):
        rnd = self.rnd
        return rnd.choice(values) if rnd.randrange(4) else rnd.randrange(1 << rnd.randrange(1, top + 1))

    def value(self, attr, depth):
        kind = attr["type"]
        if kind == "nest":
            return self.tree(attr["nested-attributes"], depth + 1)
        if kind == "flag":
            return b""
        if kind == "u32":
            if "enum" in attr and self.rnd.randrange(8):
                return struct.pack("=I", self.rnd.randrange(1, 4))
            order = ">" if attr.get("byte-order") == "big-endian" else "="
            return struct.pack(order + "I", self.number(U32, 32))
        if kind == "u64":
            return struct.pack("=Q", self.number(U64, 64))
        if kind == "string":
            return self.rnd.randbytes(self.rnd.randrange(40)) + b"\0"
        if "src" in attr["name"] or "dst" in attr["name"]:
            return self.rnd.choice(ADDRESSES)
        return self.rnd.randbytes(self.number((0, 1, 4, 16, 20, 36, 100, 101), 8))

    def tree(self, set_name, depth=0):
        attrs = self.spec.sets[set_name]
        count = self.rnd.randrange(len(attrs) + 2)
        parts = []
        for _ in range(count if depth < 4 else 0):
            index = self.rnd.randrange(len(attrs))
            parts.append(self.pack(index + 1, attrs[index], self.value(attrs[index], depth)))
        return b"".join(parts)

    def pack(self, number, attr, payload):
        flag = NESTED if attr["type"] == "nest" and not self.chance(20) else 0
        return genl.attribute(number | flag, payload)

    def named(self, set_name, **values):
        """Attributes with these values, or as they come if None."""
        parts = []
        for name, payload in values.items():
            number, attr = self.spec.find(set_name, name.replace("_", "-"))
            parts.append(self.pack(number, attr, self.value(attr, 0) if payload is None else payload))
        self.rnd.shuffle(parts)
        return b"".join(parts)

    def selector(self):
        low, high = sorted(self.rnd.sample(ADDRESSES[:5], 2))
        return self.named("selector", src_first=ADDRESSES[3], src_last=ADDRESSES[4], dst_first=low,
                          dst_last=high)

    def sensible(self):
        """What has a chance to be granted."""
        rnd, u32 = self.rnd, lambda n: struct.pack("=I", n)
        what = rnd.randrange(5)
        if what == 0:
            encr, integ, size = rnd.choice(TRANSFORMS)
            more = {"integ": u32(integ)} if integ else {}
            src, dst = rnd.choices(rnd.choice((ADDRESSES[:3], ADDRESSES[5:6])), k=2)
            return "sa-new", self.named("sa", direction=u32(rnd.randrange(1, 3)),
                                        spi=rnd.randbytes(4), src=src, dst=dst, encr=u32(encr),
                                        keymat=rnd.randbytes(size), **more) + self.some("sa")
        if what == 1:
            direction, action = rnd.randrange(1, 3), rnd.randrange(1, 4)
            return "policy-set", self.named("policy", direction=u32(direction), action=u32(action),
                                            selector=self.selector()) + self.some("policy")
        if what == 2:
            name = rnd.choice(("sa-get", "sa-del", "policy-get", "policy-del", "sa-update"))
            return name, self.named(name.split("-", maxsplit=1)[0], id=u32(rnd.randrange(2 * KEPT))) + \
                (self.some("sa") if name == "sa-update" else b"")
        if what == 3:
            return "encap-add", self.named("encap", fd=u32(rnd.randrange(99, 105)))
        name = rnd.choice(self.names)
        return name, self.tree(self.spec.operations[name][1])

    def some(self, set_name):
        """One or two attributes more, most often none."""
        attrs = self.spec.sets[set_name]
        picked = self.rnd.sample(range(len(attrs)), self.rnd.choice((0, 0, 0, 1, 2)))
        return b"".join(self.pack(i + 1, attrs[i], self.value(attrs[i], 0)) for i in picked)

    def spoil(self, data):
        """Something is wrong with these attributes."""
        rnd, data = self.rnd, bytearray(data)
        for _ in range(rnd.randrange(1, 4)):
            at = rnd.randrange(len(data) + 1)
            what = rnd.randrange(6)
            if what == 0 and at < len(data):
                data[at] ^= 1 << rnd.randrange(8)
            elif what == 1:
                del data[at:]
            elif what == 2:
                data += data[:at]
            elif what == 3:
                data[at:at] = rnd.randbytes(rnd.randrange(12))
            elif what == 4 and len(data) >= 4:
                struct.pack_into("=H", data, at // 4 * 4 % (len(data) - 3), self.number(U32[:13], 16))
            elif what == 5:
                for _ in range(rnd.randrange(40)):
                    data = bytearray(genl.attribute(rnd.randrange(1, 40) | NESTED, bytes(data)))
        return bytes(data[:LARGEST])


class Fuzzer:
    def __init__(self, seed):
        self.rnd = random.Random(seed)
        self.results = collections.Counter()
        self.sent = 0
        self.sock = genl.Socket()
        self.generator = Generator(self.sock.spec, self.rnd)
        self.links = link_fuzz.Links(self.generator)
        self.link_results = collections.Counter()

    def again(self):
        """Another socket: what the last one has begun, a dump perhaps, ends with it."""
        self.sock.sock.close()
        self.sock.open(genl.NETLINK_GENERIC)
        self.sock.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.rnd.choice((2048, 65536)))
        self.sock.sock.settimeout(0)

    def message(self):
        rnd, generator = self.rnd, self.generator
        name, payload = generator.sensible()
        command = generator.spec.operations[name][0]
        if generator.chance(3):
            payload = generator.spoil(payload)
        if generator.chance(40):
            command = rnd.randrange(256)
        flags = sum(rnd.sample(NLM_FLAGS, rnd.randrange(4))) if generator.chance(4) else 0
        if name.endswith("-get") and generator.chance(2):
            flags |= genl.NLM_F_DUMP
        message = bytearray(self.sock.message(self.sock.family, command, payload, flags))
        if generator.chance(50):
            struct.pack_into("=I", message, 0, generator.number(U32, 32))
        return bytes(message) + bytes(-len(message) % 4)

    def drain(self):
        """Answers must be well formed; which they are is not known."""
        while True:
            try:
                data = self.sock.sock.recv(1 << 17)
            except BlockingIOError:
                return
            except OSError as error:
                self.results[error.errno] += 1
                return
            self.read(data)

    def read(self, data):
        while data:
            size, kind, _, _, _ = genl.HEADER.unpack_from(data)
            if not genl.HEADER.size <= size <= len(data):
                sys.exit(f"an answer of {size} bytes in {len(data)}")
            if kind == genl.NLMSG_ERROR:
                self.results[-struct.unpack_from("=i", data, genl.HEADER.size)[0]] += 1
            data = data[(size + 3) & ~3:]

    def step(self):
        batch = b"".join(self.message() for _ in range(self.rnd.choice((1, 1, 1, 1, 2, 5))))
        try:
            self.sock.sock.send(batch[:LARGEST])
        except OSError as error:
            self.results[error.errno] += 1
        self.sent += 1
        if not self.generator.chance(4):
            self.drain()

    def flush(self):
        """Both must be granted, whatever went before."""
        self.again()
        self.sock.sock.settimeout(60)
        for name in FLUSH:
            code = self.sock.exchange(self.sock.family, self.sock.spec.operations[name][0], b"")[0]
            if code:
                sys.exit(f"{name}: {errno.errorcode.get(code, code)}")
        self.again()

    def goes_on(self, end):
        return self.sent < LEAST or time.monotonic() < end

    def run(self, seconds):
        end = time.monotonic() + seconds
        while self.goes_on(end):
            self.flush()
            for _ in range(KEPT):
                self.step()
                if self.generator.chance(30):
                    self.again()
                if self.generator.chance(LINKS_ONE_IN):
                    self.links.step(self.link_results)
                if not self.goes_on(end):
                    break
        self.flush()


def errors(results):
    return " ".join(f"{errno.errorcode.get(code, code)}:{count}"
                    for code, count in sorted(results.items(), key=lambda item: item[0] or 0) if code)


def main():
    genl.open_sockets()
    fuzzer = Fuzzer(int(sys.argv[2]))
    fuzzer.run(float(sys.argv[1]))
    links = fuzzer.link_results
    print(f"{fuzzer.sent} sent, {fuzzer.results[0]} granted, {errors(fuzzer.results)};",
          f"of interfaces {sum(links.values())}, {links[0]} granted, {errors(links)}")


main()
