#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stream of numbered UDP packets, and how many of them arrive.

usage: stream.py send ADDR PORT COUNT RATE [SIZE [hop|dest]]
                                                      RATE packets a second, with hop-by-hop or
                                                      destination options (IPv6)
       stream.py receive ADDR PORT COUNT QUIET [FIRST]
                                                      ends after COUNT different packets, or when
                                                      QUIET seconds pass without one; for the first
                                                      it waits FIRST (30) more
Both end early at SIGTERM. The sender prints how many it sent, the receiver how many different packets
came undamaged; what came twice or late goes to stderr, and twice makes the exit status 1.
"""
import signal
import socket
import struct
import sys
import time

NUMBER = struct.Struct(">Q")
PATTERN = bytes(i % 251 for i in range(65536))
OPTIONS = {"hop": 54, "dest": 59}       # IPV6_HOPOPTS, IPV6_DSTOPTS of linux/in6.h
# RFC 8200 section 4.2: a header of 8 bytes, whose options are one PadN of 4.
PADDING = bytes((0, 0, 1, 4, 0, 0, 0, 0))
FIRST = 30      # seconds: the sender may take its time to start


def udp_socket(address):
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)


def send(address, port, count, rate, size=100, options=None, stopped=lambda: False):
    padding = PATTERN[:int(size) - NUMBER.size]
    with udp_socket(address) as sock:
        if options:
            sock.setsockopt(socket.IPPROTO_IPV6, OPTIONS[options], PADDING)
        sock.connect((address, int(port)))
        start = time.monotonic()
        for i in range(int(count)):
            if stopped():
                return i
            time.sleep(max(0, start + i / float(rate) - time.monotonic()))
            try:
                sock.send(NUMBER.pack(i) + padding)
            except OSError:
                pass    # a policy may refuse it: then it is one of those that do not arrive
    return int(count)


class Told(Exception):
    """To end."""


def tell(*_):
    raise Told


def send_until_told(*words):
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    print(send(*words, stopped=lambda: told))


def listen(address, port):
    sock = udp_socket(address)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind((address, int(port)))
    return sock


def count(sock, wanted, quiet, first=0):
    """Numbers of packets: different, twice, late."""
    seen, twice, late, last = set(), 0, 0, -1
    sock.settimeout(quiet + first)
    try:
        while len(seen) < wanted:
            packet = sock.recv(65535)
            sock.settimeout(quiet)
            number, = NUMBER.unpack(packet[:NUMBER.size])
            if packet[NUMBER.size:] != PATTERN[:len(packet) - NUMBER.size]:
                continue
            twice += number in seen
            late += number < last
            seen.add(number)
            last = max(last, number)
    except (socket.timeout, Told):
        pass
    return len(seen), twice, late


def receive(address, port, wanted, quiet, first=FIRST):
    signal.signal(signal.SIGTERM, tell)
    with listen(address, port) as sock:
        came, twice, late = count(sock, int(wanted), float(quiet), float(first))
    print(came)
    if twice or late:
        print("twice %d, late %d" % (twice, late), file=sys.stderr)
    return 1 if twice else 0


if __name__ == "__main__":
    sys.exit({"send": send_until_told, "receive": receive}[sys.argv[1]](*sys.argv[2:]))
