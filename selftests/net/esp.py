#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes ESP packets (RFC 4303) with AES-GCM (RFC 4106) and sends them, right or wrong in a chosen way.

An implementation of its own, in plain Python, so that it can serve as the measure of another:
"esp.py selftest" checks it against the test case 16 of the GCM specification (McGrew, Viega: "The
Galois/Counter Mode of Operation", appendix B).

usage: esp.py send --key HEX --spi N --from ADDR --to ADDR [OPTIONS] ITEM...
  --key HEX         key followed by the 4 bytes of salt
  --udp SPORT:DPORT in UDP (RFC 3948), else as protocol 50
  --train           all items in one sendmsg with UDP_SEGMENT: one super-packet
  --esn             64-bit sequence numbers
  --inner SRC:DST   addresses of the inner packet (10.1.0.1:10.2.0.1)
  --dport N         UDP destination port of the inner packet (9000)
  --tos N           TOS byte of the outer header
  --inner-tos N     TOS byte of the inner header
  --write           print each packet's bytes in hexadecimal, send nothing

An ITEM is a sequence number, as N or N-M, and what to do to it, with ":" between:
  corrupt           flip one bit of the ICV
  corrupt=N         flip the lowest bit of byte N of the ESP packet
  high=N            authenticate with this high half of the sequence number
  next=N            next header (4)
  padding=HEX       padding instead of 1 2 3...
  padlen=N          pad length field instead of the true one
  inner=HEX         these bytes in place of the inner packet
  tfc=N             N zero bytes between the inner packet and the padding
  cut=N             only the first N bytes of the ESP packet
  plain=HEX         not ESP at all: these bytes
"""
import argparse
import socket
import struct
import sys

UDP_SEGMENT = 103
NEXT_IPV4 = 4


def aes_tables():
    """The S-box and the four round tables of FIPS 197, from their definition."""
    exp, log, x = [0] * 256, [0] * 256, 1
    for i in range(255):
        exp[i], log[x] = x, i
        x ^= (x << 1) ^ (0x11b if x & 0x80 else 0)
        x &= 0xff
    sbox = [0x63] * 256
    for i in range(1, 256):
        b = exp[(255 - log[i]) % 255]
        sbox[i] = b
        for _ in range(4):
            b = (b << 1 | b >> 7) & 0xff
            sbox[i] ^= b
        sbox[i] ^= 0x63
    t0 = []
    for s in sbox:
        s2 = (s << 1) ^ (0x11b if s & 0x80 else 0)
        t0.append(s2 << 24 | s << 16 | s << 8 | (s2 ^ s))
    tables = [t0]
    for _ in range(3):
        tables.append([(t >> 8 | t << 24) & 0xffffffff for t in tables[-1]])
    return sbox, tables


SBOX, (T0, T1, T2, T3) = aes_tables()


class Aes:
    """FIPS 197, encryption only, which is all that GCM needs."""

    def __init__(self, key):
        nk = len(key) // 4
        w = list(struct.unpack(">%dI" % nk, key))
        self.rounds = nk + 6
        rcon = 1
        for i in range(nk, 4 * (self.rounds + 1)):
            t = w[-1]
            if i % nk == 0:
                t = self.sub((t << 8 | t >> 24) & 0xffffffff) ^ rcon << 24
                rcon = (rcon << 1) ^ (0x11b if rcon & 0x80 else 0)
            elif nk > 6 and i % nk == 4:
                t = self.sub(t)
            w.append(w[-nk] ^ t)
        self.w = w

    @staticmethod
    def sub(t):
        return (SBOX[t >> 24] << 24 | SBOX[t >> 16 & 255] << 16 |
                SBOX[t >> 8 & 255] << 8 | SBOX[t & 255])

    def encrypt(self, block):
        w = self.w
        s = [a ^ b for a, b in zip(struct.unpack(">4I", block), w)]
        for r in range(4, 4 * self.rounds, 4):
            s = [T0[s[i] >> 24] ^ T1[s[(i + 1) & 3] >> 16 & 255] ^
                 T2[s[(i + 2) & 3] >> 8 & 255] ^ T3[s[(i + 3) & 3] & 255] ^ w[r + i]
                 for i in range(4)]
        last = 4 * self.rounds
        return struct.pack(">4I", *[
            (SBOX[s[i] >> 24] << 24 | SBOX[s[(i + 1) & 3] >> 16 & 255] << 16 |
             SBOX[s[(i + 2) & 3] >> 8 & 255] << 8 | SBOX[s[(i + 3) & 3] & 255]) ^ w[last + i]
            for i in range(4)])

    def crypt_ctr(self, nonce, counter, text):
        """Counter mode from this counter on; the nonce has 96 bits. The same both ways."""
        out = b""
        for i, block in enumerate(blocks(text)):
            stream = self.encrypt(nonce + struct.pack(">I", counter + i))
            out += bytes(a ^ b for a, b in zip(block, stream))
        return out[:len(text)]


def blocks(data):
    for i in range(0, len(data), 16):
        yield data[i:i + 16].ljust(16, b"\0")


class Gcm:
    """NIST SP 800-38D with a 96-bit nonce and a 128-bit tag."""

    def __init__(self, key):
        self.aes = Aes(key)
        self.h = int.from_bytes(self.aes.encrypt(bytes(16)), "big")

    def multiply(self, x):
        z, v = 0, self.h
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                z ^= v
            v = v >> 1 ^ (0xe1 << 120 if v & 1 else 0)
        return z

    def ghash(self, aad, text):
        y = 0
        lengths = struct.pack(">QQ", 8 * len(aad), 8 * len(text))
        for part in (aad, text, lengths):
            for block in blocks(part):
                y = self.multiply(y ^ int.from_bytes(block, "big"))
        return y

    def tag(self, nonce, aad, text):
        mask = int.from_bytes(self.aes.encrypt(nonce + struct.pack(">I", 1)), "big")
        return (self.ghash(aad, text) ^ mask).to_bytes(16, "big")

    def seal(self, nonce, aad, text):
        out = self.aes.crypt_ctr(nonce, 2, text)
        return out + self.tag(nonce, aad, out)


def checksum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def inner_packet(args, seq):
    """IPv4 and UDP; the payload is the sequence number, so that a receiver can tell which came."""
    source, target = args.inner.split(":")
    payload = struct.pack(">Q", seq)
    udp = struct.pack(">HHHH", 9001, args.dport, 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH4s4s", 0x45, args.inner_tos, 20 + len(udp), 1, 0, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(target))
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + udp


def flip(data, index):
    out = bytearray(data)
    out[index] ^= 1
    return bytes(out)


def esp_packet(args, gcm, salt, seq, changes):
    """RFC 4303 section 2; nonce and additional data as in RFC 4106 sections 4 and 5."""
    if "plain" in changes:
        return bytes.fromhex(changes["plain"])
    inner = bytes.fromhex(changes["inner"]) if "inner" in changes else inner_packet(args, seq)
    inner += bytes(int(changes.get("tfc", 0)))
    padding = bytes(range(1, 1 + -(len(inner) + 2) % 4))
    if "padding" in changes:
        padding = bytes.fromhex(changes["padding"])
    trailer = padding + bytes([int(changes.get("padlen", len(padding))),
                               int(changes.get("next", NEXT_IPV4))])
    high = int(changes.get("high", seq >> 32))
    low = seq & 0xffffffff
    aad = struct.pack(">III", args.spi, high, low) if args.esn else struct.pack(">II", args.spi, low)
    iv = struct.pack(">Q", seq)
    packet = struct.pack(">II", args.spi, low) + iv + gcm.seal(salt + iv, aad, inner + trailer)
    if "corrupt" in changes:
        packet = flip(packet, int(changes["corrupt"] or -1))
    return packet[:int(changes["cut"])] if "cut" in changes else packet


def parse_item(text):
    numbers, *changes = text.split(":")
    first, _, last = numbers.partition("-")
    first = int(first or "0", 0)
    changes = dict((c.partition("=")[0], c.partition("=")[2]) for c in changes)
    return range(first, int(last or str(first), 0) + 1), changes


def open_socket(args):
    if args.udp:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sport, dport = (int(p) for p in args.udp.split(":"))
    else:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ESP)
        sport = dport = 0
    sock.bind((args.source, sport))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, args.tos)
    sock.connect((args.target, dport))
    return sock


def send(args):
    key = bytes.fromhex(args.key.removeprefix("0x"))
    gcm, salt = Gcm(key[:-4]), key[-4:]
    packets = [esp_packet(args, gcm, salt, seq, changes)
               for numbers, changes in map(parse_item, args.item) for seq in numbers]
    if args.write:
        print("\n".join(p.hex() for p in packets))
        return
    with open_socket(args) as sock:
        if args.train:
            size = struct.pack("H", len(packets[0]))
            sock.sendmsg(packets, [(socket.IPPROTO_UDP, UDP_SEGMENT, size)])
            return
        for packet in packets:
            sock.send(packet)


def selftest(_):
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    text = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39")
    sealed = Gcm(key).seal(bytes.fromhex("cafebabefacedbaddecaf888"),
                           bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"), text)
    want = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b")
    sys.exit(0 if sealed == want else "AES-GCM test case 16: got " + sealed.hex())


def run(words):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("selftest").set_defaults(run=selftest)
    p = commands.add_parser("send")
    p.set_defaults(run=send)
    p.add_argument("--key", required=True)
    p.add_argument("--spi", required=True, type=lambda s: int(s, 0))
    p.add_argument("--from", dest="source", required=True)
    p.add_argument("--to", dest="target", required=True)
    p.add_argument("--udp")
    p.add_argument("--train", action="store_true")
    p.add_argument("--esn", action="store_true")
    p.add_argument("--inner", default="10.1.0.1:10.2.0.1")
    p.add_argument("--dport", type=int, default=9000)
    p.add_argument("--tos", type=lambda s: int(s, 0), default=0)
    p.add_argument("--inner-tos", type=lambda s: int(s, 0), default=0)
    p.add_argument("--write", action="store_true")
    p.add_argument("item", nargs="+")
    args = parser.parse_args(words)
    args.run(args)


if __name__ == "__main__":
    run(sys.argv[1:])
