#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Numbered UDP packets, to count what a tunnel loses or doubles.

stream.py send ADDR PORT RATE FILE    sends RATE packets a second until SIGTERM, then writes how many to FILE
stream.py receive ADDR PORT FILE      makes FILE when it listens; on SIGTERM writes how many different numbers
                                      came. Numbers that came twice are an error: exit status 1.
"""
import signal
import socket
import struct
import sys
import time

NUMBER = struct.Struct("!Q")
SIZE = 200


class Stop(Exception):
    pass


def stop(*_):
    raise Stop


def write(path, text):
    with open(path, "w", encoding="ascii") as out:
        out.write(text)


def send(address, port, rate, path):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    number = 0
    start = time.monotonic()
    try:
        while True:
            # By the clock, not by sleeping a fixed time: a slow moment is made up for.
            while number < (time.monotonic() - start) * rate:
                sock.sendto(NUMBER.pack(number).ljust(SIZE, b"\0"), (address, port))
                number += 1
            time.sleep(0.5 / rate)
    except Stop:
        write(path, f"{number}\n")


def receive(address, port, path):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((address, port))
    seen, twice = set(), 0
    write(path, "")
    try:
        while True:
            number = NUMBER.unpack_from(sock.recv(2048))[0]
            twice += number in seen
            seen.add(number)
    except Stop:
        write(path, f"{len(seen)}\n")
    return 1 if twice else 0


def main():
    signal.signal(signal.SIGTERM, stop)
    try:
        if sys.argv[1] == "send":
            return send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
        return receive(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    except Stop:
        return 1


sys.exit(main())
