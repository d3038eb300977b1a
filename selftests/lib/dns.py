#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A name server for tests: dns.py ADDRESS ZONE. ZONE has lines "NAME ADDRESS" and is read for each
question; what is not in it does not exist (NXDOMAIN). UDP only, IPv4 and IPv6 addresses. Names that were asked
for go to standard error."""
import ipaddress
import socket
import struct
import sys

HEADER = struct.Struct("!HHHHHH")
A, AAAA, IN = 1, 28, 1
ANSWER, NXDOMAIN = 0x8580, 3


def question(message):
    """The name that is asked for, the type, and where the question ends."""
    labels, at = [], HEADER.size
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode("ascii").lower())
        at += 1 + message[at]
    return ".".join(labels), struct.unpack_from("!H", message, at + 1)[0], at + 5


def records(zone, name, kind):
    """None: there is no such name. Else its addresses of that type, as they are sent."""
    with open(zone, encoding="ascii") as lines:
        pairs = [line.split() for line in lines if line.strip()]
    found = [ipaddress.ip_address(address) for owner, address in pairs if owner == name]
    if not found:
        return None
    return [address.packed for address in found if address.version == (4 if kind == A else 6)]


def answer(zone, message):
    name, kind, end = question(message)
    found = records(zone, name, kind)
    data = found if found and kind in (A, AAAA) else []
    code = NXDOMAIN if found is None else 0
    reply = HEADER.pack(HEADER.unpack_from(message)[0], ANSWER | code, 1, len(data), 0, 0)
    reply += message[HEADER.size:end]
    for address in data:
        reply += struct.pack("!HHHIH", 0xC00C, kind, IN, 0, len(address)) + address
    return reply


def main():
    address, zone = sys.argv[1:]
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, 53))
    while True:
        message, peer = sock.recvfrom(4096)
        sock.sendto(answer(zone, message), peer)
        print(question(message)[0], file=sys.stderr, flush=True)


main()
