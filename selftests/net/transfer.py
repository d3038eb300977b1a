# SPDX-License-Identifier: MIT
"""Transfers that must complete although the path becomes narrow meanwhile: TCP, and datagrams of which
each is sent until its answer comes. The other end answers with SHA-256 of what came.

With the don't-fragment bit, datagrams are as long as the socket says that the path carries; so a sender
that is not told stays stuck, and the transfer fails.
"""
import hashlib
import os
import socket
import struct
import threading
import time

# linux/in.h, linux/in6.h
IP_MTU_DISCOVER, IP_MTU = 10, 14
IPV6_MTU_DISCOVER, IPV6_MTU = 23, 24
DISCOVER_DONT, DISCOVER_WANT, DISCOVER_DO = 0, 1, 2

NUMBER = struct.Struct(">Q")
UDP_HEADER = 8
LONG = 3000             # bytes that are more than one packet
AGAIN = 0.2             # seconds until an unanswered datagram is sent again; twice as long each time,
MOST_PATIENT = 2        # at most so long: what is slow must not be made slower
BLOCK = 1 << 16


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def answer_stream(sock):
    digest = hashlib.sha256()
    with sock:
        while block := sock.recv(BLOCK):
            digest.update(block)
        sock.sendall(digest.digest())


def answer_streams(listener):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=answer_stream, args=(sock,), daemon=True).start()


def answer_to(datagram):
    return datagram[:NUMBER.size] + hashlib.sha256(datagram).digest()


def answer_datagrams(sock):
    while True:
        data, sender = sock.recvfrom(BLOCK)
        sock.sendto(answer_to(data), sender)


def serve(address, port):
    """Answers TCP and UDP from now on."""
    listener = socket.create_server((address, port), family=family(address))
    datagrams = socket.socket(family(address), socket.SOCK_DGRAM)
    datagrams.bind((address, port))
    threading.Thread(target=answer_streams, args=(listener,), daemon=True).start()
    threading.Thread(target=answer_datagrams, args=(datagrams,), daemon=True).start()


class Transfer:
    """One of them. @df: may no router fragment what is sent? @patience: seconds."""

    def __init__(self, kind, address, port, df, patience):
        self.v6 = family(address) == socket.AF_INET6
        self.patience = patience
        self.sock = socket.socket(family(address),
                                  socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        self.discover(DISCOVER_DO if df else DISCOVER_DONT)
        self.sock.settimeout(patience)
        self.sock.connect((address, port))

    def discover(self, how):
        if self.v6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, how)
        else:
            self.sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, how)

    def most(self):
        """Bytes of the longest datagram that the path carries, as far as the socket knows."""
        if self.v6:
            mtu = self.sock.getsockopt(socket.IPPROTO_IPV6, IPV6_MTU)
        else:
            mtu = self.sock.getsockopt(socket.IPPROTO_IP, IP_MTU)
        return mtu - (40 if self.v6 else 20) - UDP_HEADER

    def close(self):
        self.sock.close()


class Stream(Transfer):
    def __init__(self, *words):
        super().__init__("tcp", *words)
        self.digest = hashlib.sha256()

    def send(self, count):
        """@count blocks."""
        for _ in range(count):
            block = os.urandom(BLOCK)
            self.sock.sendall(block)
            self.digest.update(block)

    def end(self):
        self.sock.shutdown(socket.SHUT_WR)
        came = b""
        while block := self.sock.recv(BLOCK):
            came += block
        if came != self.digest.digest():
            raise OSError("damaged")


class Datagrams(Transfer):
    def __init__(self, address, port, df, patience):
        super().__init__("udp", address, port, df, patience)
        self.df = df
        self.number = 0
        self.text = os.urandom(LONG)

    def size(self):
        """Half of them long: an IPv6 host fragments itself, to what it knows to fit."""
        if self.number % 2 and (self.v6 or not self.df):
            return LONG
        return min(self.most(), 1400)

    def exchange(self, wait):
        """True if the answer came. Any error may be what tells how much fits; then it is asked anew."""
        data = NUMBER.pack(self.number)
        deadline = time.monotonic() + wait
        try:
            if self.v6:
                self.discover(DISCOVER_WANT if self.number % 2 else DISCOVER_DO)
            data += self.text[:self.size() - len(data)]
            self.sock.send(data)
            self.sock.settimeout(wait)
            answer = NUMBER.pack(self.number) + hashlib.sha256(data).digest()
            while time.monotonic() < deadline:
                if self.sock.recv(BLOCK) == answer:
                    return True
        except OSError:
            pass
        return False

    def send(self, count):
        """@count datagrams, one after the other."""
        deadline = time.monotonic() + self.patience
        last, wait = self.number + count, AGAIN
        while self.number < last:
            if self.exchange(wait):
                self.number += 1
                wait = AGAIN
                continue
            wait = min(2 * wait, MOST_PATIENT)
            if time.monotonic() > deadline:
                raise OSError("datagram %d of %d bytes was not answered" %
                              (self.number, self.size()))

    def end(self):
        pass


KINDS = {"tcp": Stream, "udp": Datagrams}
