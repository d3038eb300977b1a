#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tells a daemon on xfrm that the soft lifetime of one of its SAs has ended, whatever that lifetime is.

usage: xfrm_expire.py ADDR SPI		destination and SPI of an ESP SA of this network namespace

The kernel passes XFRM_MSG_EXPIRE on to each key manager, those of PF_KEY among them, as if a timer of
its own had sent it.
"""
import socket
import struct
import sys

NETLINK_XFRM = 6
XFRM_MSG_EXPIRE = 0x18
NLMSG_ERROR = 2
NLM_F_REQUEST, NLM_F_ACK = 1, 4
HEADER = struct.Struct("=IHHII")        # struct nlmsghdr
# struct xfrm_user_expire of linux/xfrm.h; what is not named here stays zero.
SIZE, DESTINATION, SPI, PROTOCOL, FAMILY = 232, 56, 72, 76, 212


def expire(address, spi):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    destination = socket.inet_pton(family, address)
    body = bytearray(SIZE)
    body[DESTINATION:DESTINATION + len(destination)] = destination
    struct.pack_into(">I", body, SPI, spi)
    body[PROTOCOL] = socket.IPPROTO_ESP
    struct.pack_into("=H", body, FAMILY, family)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM) as sock:
        sock.bind((0, 0))
        sock.send(HEADER.pack(HEADER.size + SIZE, XFRM_MSG_EXPIRE, NLM_F_REQUEST | NLM_F_ACK, 1, 0) + body)
        answer = sock.recv(4096)
    _, kind, _, _, _ = HEADER.unpack_from(answer)
    error, = struct.unpack_from("=i", answer, HEADER.size)
    if kind != NLMSG_ERROR or error != 0:
        sys.exit(f"xfrm_expire.py: {address} {spi:#x}: error {-error}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    expire(sys.argv[1], int(sys.argv[2], 16))
