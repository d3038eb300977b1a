#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stream of numbered UDP packets, and how many of them arrive.

usage: stream.py send ADDR PORT COUNT RATE [SIZE]     RATE packets a second
       stream.py receive ADDR PORT COUNT QUIET        ends after COUNT different packets, or when
                                                      QUIET seconds pass without one
The receiver prints how many different packets came; what came twice or late goes to stderr.
"""
import socket
import struct
import sys
import time

NUMBER = struct.Struct(">Q")


def send(address, port, count, rate, size=100):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((address, int(port)))
    padding = bytes(int(size) - NUMBER.size)
    start = time.monotonic()
    for i in range(int(count)):
        time.sleep(max(0, start + i / float(rate) - time.monotonic()))
        try:
            sock.send(NUMBER.pack(i) + padding)
        except OSError:
            pass    # a policy may refuse it: then it is one of those that do not arrive


def receive(address, port, count, quiet):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind((address, int(port)))
    seen, twice, late, last = set(), 0, 0, -1
    # The sender may take its time to start.
    sock.settimeout(float(quiet) + 10)
    try:
        while len(seen) < int(count):
            number, = NUMBER.unpack(sock.recv(65535)[:NUMBER.size])
            sock.settimeout(float(quiet))
            twice += number in seen
            late += number < last
            seen.add(number)
            last = max(last, number)
    except socket.timeout:
        pass
    print(len(seen))
    if twice or late:
        print("twice %d, late %d" % (twice, late), file=sys.stderr)


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](*sys.argv[2:])
