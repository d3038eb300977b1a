#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds a UDP socket that makes the kernel's own IPsec take ESP in UDP from its port.

usage: encap_socket.py PORT [gro]   until killed; with gro, packets are joined before decryption
                                    where the kernel can do that
"""
import signal
import socket
import sys

UDP_ENCAP = 100             # linux/udp.h
UDP_ENCAP_ESPINUDP = 2      # RFC 3948
UDP_GRO = 104

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
if sys.argv[2:] == ["gro"]:
    sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
sock.bind(("0.0.0.0", int(sys.argv[1])))
signal.pause()
