#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two tap devices, and a wire between them that this process is: it copies frames until it is ended.

usage: taps.py plain|offload NAME NAME

Made in the namespace that it runs in; they may be moved then. "plain": what leaves is one frame for one packet with its
checksum. "offload": trains of TCP, and of UDP where the kernel has that, pass as one frame with a header in front that
says so (struct virtio_net_hdr), as between two virtual machines. Prints "ready" when both are there.
"""
import fcntl
import os
import select
import struct
import sys

TUNSETIFF = 0x400454CA
TUNSETOFFLOAD = 0x400454D0
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
IFF_VNET_HDR = 0x4000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6, TUN_F_TSO_ECN, TUN_F_USO4, TUN_F_USO6 = 1, 2, 4, 8, 0x20, 0x40
TCP = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN
LONGEST = 1 << 17


def allow(tap, offloads):
    try:
        fcntl.ioctl(tap, TUNSETOFFLOAD, offloads)
    except OSError:
        return False
    return True


def make(name, offload):
    tap = os.open("/dev/net/tun", os.O_RDWR)
    flags = IFF_TAP | IFF_NO_PI | (IFF_VNET_HDR if offload else 0)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", name.encode(), flags))
    # Since 6.2 UDP too.
    if offload and not allow(tap, TCP | TUN_F_USO4 | TUN_F_USO6) and not allow(tap, TCP):
        raise SystemExit(f"{name}: takes no trains")
    return tap


def copy(source, sink):
    try:
        os.write(sink, os.read(source, LONGEST))
    except OSError:
        # One of them is not up, or has gone with its namespace.
        pass


def main():
    taps = [make(name, sys.argv[1] == "offload") for name in sys.argv[2:4]]
    print("ready", flush=True)
    poll = select.poll()
    for tap in taps:
        poll.register(tap, select.POLLIN)
    while True:
        for tap, event in poll.poll():
            if event & select.POLLIN:
                copy(tap, taps[1 - taps.index(tap)])
            elif event & (select.POLLHUP | select.POLLNVAL):
                return


if __name__ == "__main__":
    main()
