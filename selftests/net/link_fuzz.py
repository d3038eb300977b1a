# SPDX-License-Identifier: MIT
"""Interfaces of kind esplane by requests at random, for netlink_fuzz.py: they come, change, move between two
namespaces and go, with data that is right or is not.
"""
import ctypes
import os
import socket
import struct

import genl

NETLINK_ROUTE = 0
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
NLM_F_EXCL, NLM_F_CREATE = 0x200, 0x400
# linux/if_link.h
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_MASTER, IFLA_TXQLEN = 1, 3, 4, 10, 13
IFLA_LINKINFO, IFLA_NET_NS_FD, IFLA_NUM_TX_QUEUES, IFLA_LINK_NETNSID = 18, 28, 31, 37
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
IFLA_ESPLANE_IF_ID, IFLA_ESPLANE_DEFAULT_ACTION = 1, 2
MORE = (IFLA_ADDRESS, IFLA_MTU, IFLA_MASTER, IFLA_TXQLEN, IFLA_NUM_TX_QUEUES, IFLA_LINK_NETNSID)
IFF_UP = 1
NESTED = 0x8000
CLONE_NEWNET = 0x40000000
NAMES = tuple(b"fuzz%d\0" % i for i in range(4))
VALUES = (0, 1, 2, 3, 7, 68, 1280, 1400, 65535, 65536, (1 << 32) - 1)

libc = ctypes.CDLL(None, use_errno=True)


def here():
    return os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def route_socket():
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
    sock.settimeout(0)
    return sock


class Links:
    def __init__(self, generator):
        self.generator, self.rnd = generator, generator.rnd
        self.seq = 0
        self.namespaces, self.sockets = [here()], [route_socket()]
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        self.namespaces.append(here())
        self.sockets.append(route_socket())
        if libc.setns(self.namespaces[0], CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def u32(self):
        rnd = self.rnd
        return struct.pack("=I", rnd.choice(VALUES) if rnd.randrange(4) else rnd.getrandbits(32))

    def data(self):
        rnd = self.rnd
        parts = [genl.attribute(number, self.u32() if rnd.randrange(4) else struct.pack("=I", rnd.randrange(1, 4)))
                 for number in (IFLA_ESPLANE_IF_ID, IFLA_ESPLANE_DEFAULT_ACTION) if rnd.randrange(3)]
        data = b"".join(parts)
        return data if rnd.randrange(4) else self.generator.spoil(data)

    def info(self):
        kind = genl.attribute(IFLA_INFO_KIND, b"esplane" + b"\0" * self.rnd.randrange(2))
        nested = 0 if self.generator.chance(10) else NESTED
        info = kind + genl.attribute(IFLA_INFO_DATA | nested, self.data())
        return genl.attribute(IFLA_LINKINFO | nested,
                              self.generator.spoil(info) if self.generator.chance(10) else info)

    def more(self):
        """What any interface has; and the namespace that it goes to."""
        rnd = self.rnd
        parts = [genl.attribute(number, self.u32() if rnd.randrange(4) else rnd.randbytes(rnd.randrange(9)))
                 for number in rnd.sample(MORE, rnd.choice((0, 0, 0, 1, 2)))]
        if rnd.randrange(3) == 0:
            parts.append(genl.attribute(IFLA_NET_NS_FD, struct.pack("=I", rnd.choice(self.namespaces))))
        return b"".join(parts)

    def sensible(self):
        """What has a chance to be granted: a right interface; and that it moves."""
        action = genl.attribute(IFLA_ESPLANE_DEFAULT_ACTION, struct.pack("=I", self.rnd.randrange(1, 3)))
        body = genl.attribute(IFLA_LINKINFO | NESTED, genl.attribute(IFLA_INFO_KIND, b"esplane") +
                              genl.attribute(IFLA_INFO_DATA | NESTED, action))
        if self.rnd.randrange(2):
            body += genl.attribute(IFLA_NET_NS_FD, struct.pack("=I", self.rnd.choice(self.namespaces)))
        return body

    def step(self, results):
        """One request and what is said to it, counted in @results."""
        rnd = self.rnd
        kind = rnd.choice((RTM_NEWLINK, RTM_NEWLINK, RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK))
        flags = genl.NLM_F_REQUEST | genl.NLM_F_ACK
        body = genl.attribute(IFLA_IFNAME, rnd.choice(NAMES))
        if kind == RTM_NEWLINK:
            flags |= rnd.choice((0, NLM_F_CREATE, NLM_F_CREATE, NLM_F_CREATE | NLM_F_EXCL))
            body += self.sensible() if rnd.randrange(2) else self.info() + self.more()
        elif kind == RTM_GETLINK and rnd.randrange(2):
            flags |= genl.NLM_F_DUMP
        head = struct.pack("=BxHiII", 0, 0, 0, rnd.choice((0, IFF_UP)), IFF_UP)
        self.seq += 1
        size = genl.HEADER.size + len(head) + len(body)
        sock = rnd.choice(self.sockets)
        sock.send(genl.HEADER.pack(size, kind, flags, self.seq, 0) + head + body)
        results[self.answer(sock)] += 1

    def answer(self, sock):
        """Requests are handled while they are sent: all that is said of one is there. A dump may not be."""
        code = None
        while True:
            try:
                data = sock.recv(1 << 17)
            except BlockingIOError:
                return code
            while data:
                size, kind = genl.HEADER.unpack_from(data)[:2]
                if kind == genl.NLMSG_ERROR:
                    code = -struct.unpack_from("=i", data, genl.HEADER.size)[0]
                data = data[(size + 3) & ~3:]
