#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds a UDP socket that makes the kernel's own IPsec take ESP in UDP from its port.

usage: encap_socket.py ADDR PORT [gro]   until killed; with gro, packets are joined before decryption
                                    where the kernel can do that
"""
import signal
import socket
import sys

UDP_ENCAP = 100             # linux/udp.h
UDP_ENCAP_ESPINUDP = 2      # RFC 3948
UDP_GRO = 104

address, port, *options = sys.argv[1:]
sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
if options == ["gro"]:
    sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
sock.bind((address, int(port)))
signal.pause()
