#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sends requests to the genetlink family, well or ill formed, and prints what comes back.

usage: genl.py REQUEST...       each one word: COMMAND[,dump] and attributes, with blanks between
       genl.py -                requests from standard input, one a line
       genl.py --events         only tries to join the group "events"
       genl.py --between DUMP REQUEST...    makes the requests when the first part of the dump's answer has
                                been read, then reads on; prints whether the kernel says that the dump was
                                interrupted ("interrupted" or "whole") and in how many parts it came

An attribute is NAME=VALUE, encoded as the spec says: a number, an address, hexadecimal, or for a nest
[NAME=VALUE;NAME=VALUE]. A value that begins with "!" is hexadecimal that replaces the encoded value,
right or wrong. NAME may be a number.

These file descriptors are open for encap-add: 100 a TCP socket, 101 a UDP socket without a port, 102 a
unix datagram socket, 103 a UDP socket that has a port; 99 is none, 0 no socket.

One line per request: "ok", or "ok" and the replies' attributes in hexadecimal; or the name of the
error, the attribute that the kernel blames, if it says, and the kernel's text.
"""
import errno
import ipaddress
import os
import re
import socket
import struct
import sys

import yaml

SPEC = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../include/netlink/esplane.yaml")
NETLINK_GENERIC = 16
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 1, 10, 11
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_ATTR_MCAST_GROUPS = 1, 2, 7
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_ACK_TLVS = 1, 4, 0x300, 0x200
NLM_F_DUMP_INTR = 0x10
PART = 8192		# the kernel makes parts no larger than what is asked for; it has one in advance
NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS, NLMSGERR_ATTR_MISS_TYPE = 1, 2, 5
NLA_F_NESTED = 0x8000
HEADER = struct.Struct("=IHHII")
GENL_HEADER_LEN = 4


def attribute(number, payload):
    head = struct.pack("=HH", 4 + len(payload), number)
    return head + payload + bytes(-len(payload) % 4)


def attributes(data):
    while len(data) >= 4:
        size, number = struct.unpack("=HH", data[:4])
        yield number & 0x3fff, data[4:size]
        data = data[(size + 3) & ~3:]


class Spec:
    """Numbers and types of operations and attributes, from the YAML."""

    def __init__(self):
        with open(SPEC, encoding="utf-8") as file:
            spec = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.sets = {s["name"]: s["attributes"] for s in spec["attribute-sets"]}
        self.operations = {o["name"]: (i + 1, o["attribute-set"])
                           for i, o in enumerate(spec["operations"]["list"])}

    def find(self, set_name, name):
        for i, attr in enumerate(self.sets[set_name]):
            if attr["name"] == name:
                return i + 1, attr
        return int(name, 0), {"type": "u32"}

    def encode_value(self, attr, value):
        kind = attr["type"]
        if value.startswith("!"):
            return bytes.fromhex(value[1:])
        if kind == "nest":
            return b"".join(self.encode(attr["nested-attributes"], item)
                            for item in value.strip("[]").split(";") if item)
        if kind == "flag":
            return b""
        if kind == "u32":
            order = ">" if attr.get("byte-order") == "big-endian" else "="
            return struct.pack(order + "I", int(value, 0))
        if kind == "u64":
            return struct.pack("=Q", int(value, 0))
        if "." in value or ":" in value:
            return ipaddress.ip_address(value).packed
        return bytes.fromhex(value)

    def encode(self, set_name, item):
        name, _, value = item.partition("=")
        number, attr = self.find(set_name, name)
        flag = NLA_F_NESTED if attr["type"] == "nest" else 0
        return attribute(number | flag, self.encode_value(attr, value))

    def name_at(self, set_name, message, offset, start=HEADER.size + GENL_HEADER_LEN, end=None):
        """The attribute of the message that an error's offset points at, in a nest or not."""
        while start + 4 <= (end or len(message)):
            size, number = struct.unpack_from("=HH", message, start)
            number &= 0x3fff
            known = 0 < number <= len(self.sets[set_name])
            attr = self.sets[set_name][number - 1] if known else {"name": str(number)}
            if start == offset:
                return attr["name"]
            if start < offset < start + size and "nested-attributes" in attr:
                return attr["name"] + "." + self.name_at(attr["nested-attributes"], message,
                                                         offset, start + 4, start + size)
            start += (size + 3) & ~3
        return "?"


class Socket:
    def __init__(self):
        self.spec = Spec()
        self.seq = 0
        self.open(NETLINK_GENERIC)
        self.find_family()

    def open(self, protocol):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self.sock.bind((0, 0))
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.sock.settimeout(60)

    def find_family(self):
        name = attribute(CTRL_ATTR_FAMILY_NAME, b"esplane\0")
        err, replies = self.exchange(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, name)[:2]
        if err:
            sys.exit("no family esplane")
        found = dict(attributes(replies[0]))
        self.family, = struct.unpack("=H", found[CTRL_ATTR_FAMILY_ID])
        group = dict(attributes(dict(attributes(found[CTRL_ATTR_MCAST_GROUPS]))[1]))
        self.group, = struct.unpack("=I", group[2])

    def pack(self, kind, body, flags=0):
        self.seq += 1
        return HEADER.pack(HEADER.size + len(body), kind, NLM_F_REQUEST | NLM_F_ACK | flags,
                           self.seq, 0) + body

    def message(self, family, command, payload, flags=0):
        return self.pack(family, struct.pack("=BBH", command, 1, 0) + payload, flags)

    def receive(self):
        """Returns errno, the replies' attributes, the error's extra attributes. Answers to requests before
        the last are passed over."""
        replies = []
        while True:
            data = self.sock.recv(1 << 20)
            while data:
                size, kind, head_flags, seq, _ = HEADER.unpack_from(data)
                part, data = data[HEADER.size:size], data[(size + 3) & ~3:]
                if seq != self.seq:
                    continue
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    code, = struct.unpack_from("=i", part)
                    said = part[4 + (HEADER.size if kind == NLMSG_ERROR else 0):]
                    return -code, replies, dict(attributes(said if head_flags & NLM_F_ACK_TLVS else b""))
                replies.append(part[GENL_HEADER_LEN:])

    def exchange(self, family, command, payload, flags=0):
        """What receive() returns, and the request."""
        message = self.message(family, command, payload, flags)
        self.sock.send(message)
        return (*self.receive(), message)

    def encode(self, line):
        """Command, payload and flags of a request."""
        words = line.split()
        name, _, dump = words[0].partition(",")
        command, set_name = self.spec.operations.get(name) or (int(name, 0), "sa")
        payload = b"".join(self.spec.encode(set_name, item) for item in words[1:])
        return command, payload, NLM_F_DUMP if dump else 0, set_name

    def request(self, line):
        command, payload, flags, set_name = self.encode(line)
        code, replies, extra, message = self.exchange(self.family, command, payload, flags)
        if not code:
            return " ".join(["ok"] + [r.hex() for r in replies])
        text = extra.get(NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode()
        blamed = ""
        if NLMSGERR_ATTR_OFFS in extra:
            offset, = struct.unpack("=I", extra[NLMSGERR_ATTR_OFFS])
            blamed = "(%s) " % self.spec.name_at(set_name, message, offset)
        elif NLMSGERR_ATTR_MISS_TYPE in extra:
            number, = struct.unpack("=I", extra[NLMSGERR_ATTR_MISS_TYPE])
            blamed = "(%s) " % self.spec.sets[set_name][number - 1]["name"]
        return "%s %s%s" % (errno.errorcode.get(code, code), blamed, text)

    def between(self, dump, requests):
        command, payload, flags, _ = self.encode(dump)
        self.sock.send(self.message(self.family, command, payload, flags))
        interrupted, done, parts = False, False, 0
        while not done:
            data = self.sock.recv(PART)
            parts += 1
            if parts == 1:
                other = Socket()
                for request in requests:
                    said = other.request(request)
                    if not said.startswith("ok"):
                        return said
            while data:
                size, kind, head_flags = HEADER.unpack_from(data)[:3]
                interrupted = interrupted or bool(head_flags & NLM_F_DUMP_INTR)
                done = done or kind == NLMSG_DONE
                data = data[(size + 3) & ~3:]
        return "%s %d" % ("interrupted" if interrupted else "whole", parts)

    def join(self):
        try:
            self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.group)
        except OSError as error:
            return errno.errorcode[error.errno]
        return "ok"


def open_sockets():
    """Kept by their descriptors."""
    kinds = [(socket.AF_INET, socket.SOCK_STREAM, 100), (socket.AF_INET, socket.SOCK_DGRAM, 101),
             (socket.AF_UNIX, socket.SOCK_DGRAM, 102), (socket.AF_INET, socket.SOCK_DGRAM, 103)]
    for family, kind, number in kinds:
        os.dup2(socket.socket(family, kind).detach(), number)
    socket.socket(fileno=os.dup(103)).bind(("0.0.0.0", 0))


def main():
    open_sockets()
    sock = Socket()
    if sys.argv[1:] == ["--events"]:
        print(sock.join())
        return
    if sys.argv[1:2] == ["--between"]:
        print(sock.between(sys.argv[2], sys.argv[3:]))
        return
    requests = sys.stdin if sys.argv[1:] == ["-"] else sys.argv[1:]
    for line in requests:
        if re.search(r"\S", line):
            print(sock.request(line), flush=True)


if __name__ == "__main__":
    main()
