#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records packets from the wire and sends them again as they were.

usage: wire.py record SOURCE FILE COUNT    IPv4 packets of protocol 50 from SOURCE; FILE exists when
                                           it listens, and is whole when it ends
       wire.py send FILE
"""
import socket
import struct
import sys

ETH_P_IP = 0x0800
LENGTH = struct.Struct(">H")


def record(source, path, count):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    sock.settimeout(60)
    with open(path, "wb") as out:
        left = int(count)
        while left:
            packet = sock.recv(65535)
            if packet[9] == socket.IPPROTO_ESP and packet[12:16] == socket.inet_aton(source):
                out.write(LENGTH.pack(len(packet)) + packet)
                left -= 1


def send(path):
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with open(path, "rb") as recording:
        while head := recording.read(LENGTH.size):
            packet = recording.read(*LENGTH.unpack(head))
            sock.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))


{"record": record, "send": send}[sys.argv[1]](*sys.argv[2:])
