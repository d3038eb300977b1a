#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Numbered datagrams in trains of mixed sizes, and whether they arrive in the order they were sent in.

usage: order.py send ADDR PORT TRAINS PAUSE [SNDBUF]
                                                each train is one sendmsg with UDP_SEGMENT; PAUSE seconds
                                                behind each. Prints how many datagrams were sent
       order.py receive ADDR PORT QUIET         until QUIET seconds pass without one; prints how many
                                                came, how many of them twice, and how many late
"""
import errno
import socket
import struct
import sys
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0] + "/lib")
import stream  # noqa: E402  (its directory is known only now)

# linux/udp.h, asm-generic/socket.h
UDP_SEGMENT = 103
SO_RCVBUFFORCE = 33
BUFFER = 8 << 20
ENDLESS = 1 << 62

# Two in a page, many in a page, one of the longest that a tunnel leaves of 1500; the last is shorter.
SIZES = (1360, 100, 700, 1000, 16)
LENGTHS = (40, 1, 17, 33, 2, 46)
MOST = 0xf800           # bytes that one sendmsg may have


def datagram(number, size):
    return stream.NUMBER.pack(number) + stream.PATTERN[:size - stream.NUMBER.size]


def send_train(sock, parts, size):
    try:
        sock.sendmsg([b"".join(parts)],
                     [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", size))])
    except OSError as error:
        # Without memory all of it is lost.
        if error.errno == errno.ENOBUFS:
            return
        # Older kernels make none for a device that computes no checksums.
        if error.errno != errno.EIO:
            raise
        for part in parts:
            sock.send(part)


def send(address, port, trains, pause, sndbuf=None):
    number = 0
    with stream.udp_socket(address) as sock:
        if sndbuf:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, int(sndbuf))
        sock.connect((address, int(port)))
        for i in range(int(trains)):
            size = SIZES[i % len(SIZES)]
            n = min(LENGTHS[i % len(LENGTHS)], MOST // size)
            last = max(stream.NUMBER.size, size // 2)
            parts = [datagram(number + j, size) for j in range(n - 1)] + [datagram(number + n - 1, last)]
            send_train(sock, parts, size)
            number += n
            time.sleep(float(pause))
    print(number)


def receive(address, port, quiet):
    with stream.udp_socket(address) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        sock.bind((address, int(port)))
        print(*stream.count(sock, ENDLESS, float(quiet), stream.FIRST))


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](*sys.argv[2:])
